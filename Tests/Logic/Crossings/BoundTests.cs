using System.Reflection;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Crossings;

/// <summary>
/// No account moves faster than its bounds say: prices together, volatilities, time, one after the other and within the caps, measured on what the engine makes of
/// the market before and after. A crossing that is missed would need such a bound to be broken, so this is looked at under every model that has bounds.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class BoundTests
{
    private static readonly CrossingStyle Style = new() { Accounts = 160, HasTime = false };

    private enum Factor
    {
        Prices,
        Volatilities,
        Time,
    }

    [TestCase(11)]
    [TestCase(12)]
    [TestCase(13)]
    public void Nothing_moves_faster_than_its_bound(int seed)
    {
        using CrossingMarket market = new(seed, Style);
        Probe probe = new(market.Desk.Machine);
        Random random = new(seed);
        double closest = 0.0;
        int compared = 0;
        for (int move = 0; move < 60; move++)
        {
            // What was computed a little way off is used where the way is short enough.
            market.MoveTogether(1m + (decimal)(0.002 * (random.NextDouble() - 0.5)));
            Factor factor = (Factor)(move % 3);
            List<Probe.Standing> before = probe.Look(market.Accounts, (long)market.Desk.Now);
            double size = Move(market, factor, random);
            foreach (Probe.Standing standing in before)
            {
                (double equity, double margin) = probe.Now(standing.Account, market.Desk.Now);
                double rest = standing.Rounding + 1_000.0;
                double equityBound = standing.EquityBound((int)factor, size), marginBound = standing.MarginBound((int)factor, size);
                double equityMoved = Math.Abs(equity - standing.Equity), marginMoved = Math.Abs(margin - standing.Margin);
                Assert.That(equityMoved, Is.LessThanOrEqualTo(equityBound + rest), $"equity of {standing.Account} ({standing.Model}), {factor} by {size}");
                Assert.That(marginMoved, Is.LessThanOrEqualTo(marginBound + rest), $"margin of {standing.Account} ({standing.Model}), {factor} by {size}");
                closest = Math.Max(closest, Math.Max(Part(equityMoved, equityBound + rest), Part(marginMoved, marginBound + rest)));
                compared++;
            }
        }

        TestContext.Out.WriteLine($"{compared} compared; the most of a bound that was used: {closest:P0}");
        Assert.That(compared, Is.GreaterThan(1_000));
        Assert.That(closest, Is.GreaterThan(0.3), "bounds that nothing comes near show nothing");
    }

    [TestCase(14)]
    [TestCase(15)]
    public void Prices_together_take_no_more_headroom_than_the_curve_says(int seed)
    {
        using CrossingMarket market = new(seed, Style with { Accounts = 200, Legs = 30 });
        Probe probe = new(market.Desk.Machine);
        Random random = new(seed);
        double closest = 0.0;
        int compared = 0;
        for (int move = 0; move < 40; move++)
        {
            _ = probe.Needed(market.Accounts, market.Desk.Now, 0.0);
            market.MoveTogether(1m + (decimal)(0.0006 * (random.NextDouble() - 0.5)));
            double part = (random.Next(2) == 0 ? 1.0 : -1.0) * 0.003 * random.NextDouble();
            List<Probe.Headroom> before = probe.Needed(market.Accounts, market.Desk.Now, part);
            market.MoveTogether(1m + (decimal)part);
            foreach (Probe.Headroom needed in before)
            {
                (double equity, double margin) = probe.Now(needed.Account, market.Desk.Now);
                double taken = needed.Worse(equity, margin), given = needed.Better(equity, margin);
                Assert.That(taken, Is.LessThanOrEqualTo(needed.ForWorse + needed.Rounding + 1_000.0), $"account {needed.Account} ({needed.Model}) by {part}");
                Assert.That(given, Is.LessThanOrEqualTo(needed.ForBetter + needed.Rounding + 1_000.0), $"account {needed.Account} ({needed.Model}) by {part}");
                closest = Math.Max(closest, Math.Max(Part(taken, needed.ForWorse), Part(given, needed.ForBetter)));
                compared++;
            }
        }

        TestContext.Out.WriteLine($"{compared} compared; the most of the curve that was used: {closest:P0}");
        Assert.That(compared, Is.GreaterThan(1_000));
        Assert.That(closest, Is.GreaterThan(0.5), "a curve that nothing comes near shows nothing");
    }

    private static double Part(double moved, double bound) => bound > 1e6 ? moved / bound : 0.0;

    // The largest change of deviation is that of the longest option: what the machine's own clock counts.
    private static double Move(CrossingMarket market, Factor factor, Random random)
    {
        MarketMoves moves = Probe.Part<MarketState>(market.Desk.Machine, "_market").Moves;
        double sign = random.Next(2) == 0 ? 1.0 : -1.0;
        switch (factor)
        {
            case Factor.Prices:
                double part = sign * 0.004 * random.NextDouble();
                market.MoveTogether(1m + (decimal)part);
                return Math.Abs(part) * 1.001;
            case Factor.Volatilities:
                double before = Math.Min(moves.Deviation(0), moves.Deviation(1)), upper = Math.Max(moves.Deviation(0), moves.Deviation(1));
                market.MoveVolatilities(1m + (decimal)(sign * 0.002 * random.NextDouble()));
                Assert.That(moves.Deviation(0), Is.GreaterThan(before));
                return Math.Max(moves.Deviation(0), moves.Deviation(1)) - before + (upper - before);
            default:
                long nanos = random.NextInt64(1_000_000_000, 20_000_000_000);
                market.Pass(61_000_000_000 + nanos);
                return (61_000_000_000 + nanos) / MarketState.NanosPerYear;
        }
    }
}

/// <summary>What the engine makes of an account, and the bounds it has for it.</summary>
internal sealed class Probe(MarginMachine machine)
{
    private readonly AccountCalculator _calculator = Part<AccountCalculator>(machine, "_calculator");
    private readonly Book _book = Part<Book>(machine, "_book");
    private readonly CompiledModel[] _models = Part<CompiledModel[]>(machine, "_models");

    /// <summary>Bounds of an account; the arrays by factor: prices, deviation, time.</summary>
    public sealed record Standing(int Account, string Model, double Equity, double Margin, double Rounding, double[] EquitySpeed, double[] MarginSpeed, double TimeCap)
    {
        public double EquityBound(int factor, double size) => EquitySpeed[factor] * size;

        public double MarginBound(int factor, double size) => MarginSpeed[factor] * size;
    }

    public List<Standing> Look(int accounts, long now)
    {
        List<Standing> found = [];
        for (int account = 1; account <= accounts; account++)
        {
            CompiledModel rules = _models[_book.AccountAt(account).Model];
            (double equity, double margin) = Now(account, now);
            AccountBounds bounds = _calculator.Bounds;
            if (!rules.IsBounded || !(bool)Field(bounds, "_isBounded")!)
            {
                continue;
            }

            double[] equitySpeed = new double[3], marginSpeed = new double[3];
            Array entries = (Array)Field(bounds, "_entries")!;
            for (int index = 0; index < bounds.Count; index++)
            {
                object entry = entries.GetValue(index)!;
                equitySpeed[0] += Number(entry, "EquityPrice") + Number(entry, "Collateral");
                marginSpeed[0] += Number(entry, "RowPrice") + Number(entry, "MarginPrice");
                equitySpeed[1] += Number(entry, "EquityDeviation");
                marginSpeed[1] += Number(entry, "MarginDeviation");
            }

            equitySpeed[2] = (double)Field(bounds, "_equityTime")!;
            marginSpeed[2] = (double)Field(bounds, "_marginTime")!;
            double years = (double)Field(bounds, "_years")!;
            if (years > 90.0 / (365.0 * 86_400.0))
            {
                found.Add(new Standing(account, System.Text.Encoding.ASCII.GetString(rules.Name).TrimEnd('\0'), equity, margin, (double)Field(bounds, "_rounding")!, equitySpeed, marginSpeed, years));
            }
        }

        return found;
    }

    /// <summary>Headroom that the curve wants for a move of all prices, from a look at the account before it.</summary>
    public sealed record Headroom(int Account, string Model, double Equity, double Margin, double Rounding, double Threshold, double Left, double ForWorse, double ForBetter)
    {
        public double Worse(double equity, double margin) => (Threshold * Equity) - Margin - ((Threshold * equity) - margin);

        public double Better(double equity, double margin) => Margin - (Left * Equity) - (margin - (Left * equity));
    }

    public List<Headroom> Needed(int accounts, long now, double part)
    {
        const double threshold = 0.85, left = 0.68;
        List<Headroom> found = [];
        AccountBounds bounds = _calculator.Bounds;
        HeadroomCurve curve = Part<HeadroomCurve>(bounds, "_curve");
        MethodInfo room = typeof(HeadroomCurve).GetMethod("Room", BindingFlags.Instance | BindingFlags.NonPublic)!;
        for (int account = 1; account <= accounts; account++)
        {
            CompiledModel rules = _models[_book.AccountAt(account).Model];
            (double equity, double margin) = Now(account, now);
            if (!rules.IsBounded || !(bool)Field(bounds, "_isBounded")! || !curve.TryBegin(account, _calculator.Groups))
            {
                continue;
            }

            double marginRest = 0.0, equityRest = 0.0, cap = 1.0;
            Array entries = (Array)Field(bounds, "_entries")!;
            for (int index = 0; index < bounds.Count; index++)
            {
                marginRest += Number(entries.GetValue(index)!, "MarginPrice");
                equityRest += Number(entries.GetValue(index)!, "Collateral");
                cap = Math.Min(cap, Number(entries.GetValue(index)!, "PriceCap"));
            }

            if (Math.Abs(part) >= cap)
            {
                continue;
            }

            double move = Math.Abs(Math.Log(1.0 + part)) * 1.0001;
            double Least(bool isWorse)
            {
                double low = 0.0, high = 1e15;
                for (int step = 0; step < 90; step++)
                {
                    double middle = (low + high) / 2.0;
                    curve.Aim(threshold, isWorse ? middle : 1e16, true, left, isWorse ? 1e16 : middle);
                    bool holds = (double)room.Invoke(curve, [rules, move, bounds.Count == 1 ? Math.Sign(part) : 0, marginRest, equityRest])! > 0.0;
                    (low, high) = holds ? (low, middle) : (middle, high);
                }

                return high;
            }

            found.Add(new Headroom(
                account, System.Text.Encoding.ASCII.GetString(rules.Name).TrimEnd('\0'), equity, margin, (double)Field(bounds, "_rounding")!, threshold, left, Least(true), Least(false)));
        }

        return found;
    }

    public (double Equity, double Margin) Now(int account, long now)
    {
        CompiledModel rules = _models[_book.AccountAt(account).Model];
        _calculator.Bounds.Begin();
        _calculator.Detail = Detail.Bounds;
        _calculator.RefreshUnits(account, all: !rules.NetsAcross, now);
        AccountMargin margin = _calculator.Total(account, now);
        _calculator.Detail = Detail.Margin;
        return (margin.Equity, margin.Maintenance);
    }

    public static T Part<T>(object of, string name) => (T)Field(of, name)!;

    private static object? Field(object of, string name) => of.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)!.GetValue(of);

    private static double Number(object of, string name) => (double)Field(of, name)!;
}
