using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Compare;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests.Compare;

/// <summary>Profit of a portfolio over price and volatility, against what is known without any pricing code.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class PictureTests
{
    private const double Index = 60_000;

    [TestCaseSource(typeof(Books), nameof(Books.ExampleFiles))]
    public void Nothing_moved_is_no_profit_and_the_worst_cell_is_the_lowest(string file)
    {
        foreach (UnderlyingPicture picture in PortfolioPicture.Of(PortfolioReader.Read(file)).Underlyings)
        {
            ProfitSurface surface = picture.Surface;
            int row = surface.VolatilityShocks.ToList().IndexOf(0), column = surface.SpotShocks.ToList().IndexOf(0);
            Assert.That(surface.ProfitUsd[row][column], Is.Zero, picture.Code);
            Assert.That(surface.WorstProfitUsd, Is.EqualTo(surface.ProfitUsd.SelectMany(cells => cells).Min()), picture.Code);
            Assert.That(surface.ProfitUsd.SelectMany(cells => cells).Count(profit => profit != 0), Is.GreaterThan(90), picture.Code);
            int now = Array.IndexOf(picture.Payoff.Prices, picture.Payoff.Index);
            Assert.That(picture.Payoff.Curves[0].ProfitUsd[now], Is.Zero.Within(1e-6), picture.Code);
        }
    }

    [TestCase("""{ "instrument": "BTC_USD-PERPETUAL", "base": "2" }""", 2 * Index, TestName = "A_lone_linear_perpetual_is_a_line")]
    [TestCase("""{ "instrument": "BTC-PERPETUAL", "quote": "120000" }""", 120_000, TestName = "A_lone_inverse_perpetual_is_a_line_in_money")]
    [TestCase("""{ "instrument": "BTC-27MAR26", "quote": "-120000" }""", -120_000, TestName = "A_lone_inverse_future_is_a_line_in_money")]
    [TestCase("""{ "instrument": "BTC_USDC-PERPETUAL", "base": "2" }""", 2 * Index * 0.9998, TestName = "A_lone_perpetual_in_another_currency_is_a_line_at_its_price")]
    public void A_lone_future_is_a_line_whatever_volatility_does(string position, double slope)
    {
        ProfitSurface surface = Books.Picture(Books.Of(position)).Surface;
        foreach (double[] cells in surface.ProfitUsd)
            for (int column = 0; column < cells.Length; column++)
                Assert.That(cells[column], Is.EqualTo(slope * surface.SpotShocks[column]).Within(1e-6), $"{position} at {surface.SpotShocks[column]}");
    }

    // C - P is D (F - K), so its profit is D F s; in coin it is 1 - K / F, whose profit at the shocked price is K S / F s.
    [TestCase("BTC_USDC", 0.9998 * 61_000.0, true)]
    [TestCase("BTC", 70_000.0 * Index / 61_000.0, false)]
    public void Put_call_parity_holds_over_the_whole_surface(string family, double slope, bool isDiscounted)
    {
        string call = $"{family}-27MAR26-70000-C", put = $"{family}-27MAR26-70000-P";
        ProfitSurface surface = Books.Picture(Books.Of(
            $$"""{ "instrument": "{{call}}", "contracts": "3" }, { "instrument": "{{put}}", "contracts": "-3" }""",
            $"\"{call}\": \"0.62\", \"{put}\": \"0.62\"", "\"USDC\": \"0.05\"", "61000")).Surface;
        double discount = isDiscounted ? Math.Exp(-0.05 * 49 / 365) : 1;
        foreach (double[] cells in surface.ProfitUsd)
            for (int column = 0; column < cells.Length; column++)
                Assert.That(cells[column], Is.EqualTo(3 * slope * discount * surface.SpotShocks[column]).Within(1e-6), $"{family} at {surface.SpotShocks[column]}");
    }

    [TestCaseSource(typeof(Books), nameof(Books.ExampleFiles))]
    public void A_row_of_the_engine_that_leaves_volatility_alone_is_a_cell_of_the_surface(string file)
    {
        Portfolio portfolio = PortfolioReader.Read(file);
        MarginReport report = Calculation.Run(portfolio, ModelDocument.Portfolio, file);
        PositionValue[] values = Books.Values(portfolio);
        int compared = 0;
        foreach (UnitReport unit in report.Units)
        {
            PositionValue[] held = [.. values.Where(value => value.Name.Underlying == unit.Underlying && value.Name.SettlementCurrency == unit.Currency)];
            double coinPrice = (double)portfolio.Coins.First(coin => coin.Code == unit.Currency).Index;
            foreach (RowReport row in unit.Rows.Where(row => row is { Volatility: Codecs.VolatilityShock.None, IsTail: false }))
            {
                double shock = row.SpotShockE8 / 1e8, profit = row.Profit / Math.Pow(10, unit.Decimals);
                double price = coinPrice * (unit.Currency == unit.Underlying ? 1 + shock : 1);
                double cell = ProfitSurface.Of(held, [shock], [0]).ProfitUsd[0][0];
                // The engine rounds each position to an atom.
                Assert.That(cell, Is.EqualTo(profit * price).Within(held.Length * price / Math.Pow(10, unit.Decimals)), $"{unit.Underlying} {unit.Currency} {shock}");
                compared++;
            }
        }

        Assert.That(compared, Is.AtLeast(18));
    }

    [Test]
    public void The_payoff_of_a_call_spread_has_its_two_kinks_and_its_bounds()
    {
        Payoff payoff = Books.Picture(Books.Of(
            """{ "instrument": "BTC_USD-27MAR26-60000-C", "contracts": "1" }, { "instrument": "BTC_USD-27MAR26-70000-C", "contracts": "-1" }""",
            "\"BTC_USD-27MAR26-60000-C\": \"0.6\", \"BTC_USD-27MAR26-70000-C\": \"0.6\"")).Payoff;
        double[] profit = payoff.Last.ProfitUsd;
        double premium = -profit[0];
        Assert.That(payoff.Strikes, Is.EqualTo(new double[] { 60_000, 70_000 }));
        Assert.That(premium, Is.InRange(1_000, 5_000), "a spread costs less than half its width where it is out of the money");
        Assert.That(profit.Max(), Is.EqualTo(10_000 - premium).Within(1e-6));
        for (int at = 0; at < profit.Length; at++)
        {
            double expected = Math.Clamp(payoff.Prices[at] - 60_000, 0, 10_000) - premium;
            Assert.That(profit[at], Is.EqualTo(expected).Within(1e-6), $"at {payoff.Prices[at]}");
        }

        Assert.That(payoff.BreakEvens, Has.Count.EqualTo(1));
        Assert.That(payoff.BreakEvens[0], Is.EqualTo(60_000 + premium).Within(1e-6));
    }

    [Test]
    public void A_straddle_breaks_even_at_its_strike_less_and_plus_its_premium()
    {
        Payoff payoff = Books.Picture(Books.Of(
            """{ "instrument": "BTC_USD-27MAR26-60000-C", "contracts": "-1" }, { "instrument": "BTC_USD-27MAR26-60000-P", "contracts": "-1" }""",
            "\"BTC_USD-27MAR26-60000-C\": \"0.5\", \"BTC_USD-27MAR26-60000-P\": \"0.5\"")).Payoff;
        double premium = payoff.Last.ProfitUsd[Array.IndexOf(payoff.Prices, 60_000.0)];
        Assert.That(premium, Is.GreaterThan(5_000));
        Assert.That(payoff.BreakEvens, Is.EqualTo(new[] { 60_000 - premium, 60_000 + premium }).Within(1e-6));
    }

    [Test]
    public void At_the_first_expiry_the_later_option_still_has_its_time_value()
    {
        Payoff payoff = Books.Picture(Books.Of(
            """{ "instrument": "BTC_USD-27FEB26-60000-C", "contracts": "-1" }, { "instrument": "BTC_USD-27MAR26-60000-C", "contracts": "1" }""",
            "\"BTC_USD-27FEB26-60000-C\": \"0.5\", \"BTC_USD-27MAR26-60000-C\": \"0.5\"")).Payoff;
        Assert.That(payoff.Curves.Select(curve => curve.Label), Is.EqualTo(new[] { "today", "27FEB26", "27MAR26" }));
        int strike = Array.IndexOf(payoff.Prices, 60_000.0);
        double[] first = payoff.Curves[1].ProfitUsd, last = payoff.Last.ProfitUsd;
        Assert.That(first[strike], Is.EqualTo(first.Max()).And.GreaterThan(1_000), "a calendar earns most at its strike");
        Assert.That(last, Is.All.EqualTo(last[0]).Within(1e-6), "settled at one price, both calls pay the same");
    }

    [Test]
    public void The_basis_of_a_future_is_gone_when_it_settles()
    {
        Portfolio portfolio = Books.Of("""{ "instrument": "BTC_USD-27MAR26", "base": "1" }""", forward: "63000", marks: "\"BTC_USD-27MAR26\": \"63000\"");
        PositionValue future = Books.Values(portfolio)[0];
        Assert.That(future.ProfitUsd(1, 1), Is.Zero);
        Assert.That(future.ProfitUsd(1, 1, future.Years), Is.EqualTo(-3_000).Within(1e-6));
        Assert.That(future.ProfitUsd(1.1, 1, future.Years + 1), Is.EqualTo(3_000).Within(1e-6));
    }

    [Test]
    public void A_requirement_reaches_to_the_first_move_that_loses_more()
    {
        PriceProfile profile = Books.Picture(Books.Of("""{ "instrument": "BTC_USD-PERPETUAL", "base": "1" }""")).Calm;
        Assert.That(profile.FirstBeyond(6_001, -1), Is.EqualTo(-0.11));
        Assert.That(profile.FirstBeyond(5_999, -1), Is.EqualTo(-0.10));
        Assert.That(profile.FirstBeyond(6_000, +1), Is.Null);
        Assert.That(profile.FirstBeyond(59_000, -1), Is.Null, "not within 90 %");
        Assert.That(profile.FirstBeyond(-1, -1), Is.Zero);
    }

    [Test]
    public void Positions_add_up_to_the_worst_cell()
    {
        foreach (UnderlyingPicture picture in PortfolioPicture.Of(PortfolioReader.Read(Books.ExampleFiles().First())).Underlyings)
            Assert.That(picture.Positions.Sum(line => line.AtWorst), Is.EqualTo(picture.Surface.WorstProfitUsd).Within(1e-6), picture.Code);
    }
}
