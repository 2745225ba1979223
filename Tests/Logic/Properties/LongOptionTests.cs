using System.Globalization;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>
/// Nobody can lose more with an option he bought than what he paid. Rows know that; what a method asks beyond the premium comes from its factor, from add-ons
/// that charge size or delta whatever the contract, and from two things that methods do to rows. Which is which:
/// <code>
/// rise &lt;= factor * max(max(rows, alternatives) + before, floors) + after + credits between underlyings that are lost
/// rows           premium; in skew rows max(premium, s w - premium), w its worth there, s the short discount: a gain costs as much as a loss
/// never          naked shorts, isolated shorts, short vega: a long option lowers them or leaves them
/// at most alone  expiry move, basis, net delta, settlement delay, minimum delta, confidence, fees, a minimum a contract: what the option alone is asked
/// convex         concentration, minimum charge by tiers, closing cost: more for the second million than for the first
/// calendar       amount * |its delta|
/// doubt          coin as collateral is charged by the lowest confidence of the account's underlyings, which a first option on another may lower
/// </code>
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class LongOptionTests
{
    private static readonly BookStyle Style = new() { HasDoubt = true, HasFunding = true, HasOptionMarks = true };

    [Test]
    public void Where_options_are_no_equity_buying_one_costs_its_premium_and_asks_nothing_under_every_such_model()
    {
        Property property = new("paid in full");
        ForAll(100, (stage, model, random) =>
        {
            if (CountsOptions(model))
            {
                return;
            }

            Bought bought = Buy(stage, model, random);
            long premium = Premium(stage, bought);
            property.That(
                bought.After.Margin.Initial <= bought.Before.Margin.Initial && bought.After.Margin.Maintenance <= bought.Before.Margin.Maintenance,
                () => $"{model}: {bought.Fill} raised {Property.Text(bought.Before.Margin)} to {Property.Text(bought.After.Margin)}: {stage.Book}");
            property.That(
                bought.Before.Margin.Equity - bought.After.Margin.Equity <= premium && bought.Before.Margin.GrossEquity - bought.After.Margin.GrossEquity <= premium,
                () => $"{model}: {bought.Fill} for {premium} lowered {Property.Text(bought.Before.Margin)} to {Property.Text(bought.After.Margin)}: {stage.Book}");
        });
        property.Finish(atLeast: 1_000);
    }

    [Test]
    public void A_long_option_raises_a_requirement_by_factor_times_premium_and_by_add_ons_that_charge_its_size_under_every_model()
    {
        Property property = new("long options");
        SortedDictionary<string, (int Cases, int More, double Worst)> seen = [];
        ForAll(100, (stage, model, random) =>
        {
            Bought bought = Buy(stage, model, random);
            ModelDocument document = ModelDocument.Shipped(model);
            double premium = bought.Alone.Units.Single().Positions.Single().Value * Usd.PerAtom(stage.Book, bought.Alone.Units.Single());
            foreach (bool initial in new[] { true, false })
            {
                long rise = Amount(bought.After, initial) - Amount(bought.Before, initial);
                double allowed = Allowed(stage, document, bought, initial, property);
                property.That(
                    rise <= Math.Ceiling(allowed * 1e6),
                    () => $"{model}, {(initial ? "initial" : "maintenance")}: {bought.Fill} with a premium of {premium} raised the requirement by {rise / 1e6}, explained {allowed}: {stage.Book}");
            }

            (int cases, int more, double worst) = seen.GetValueOrDefault(model);
            double share = (Amount(bought.After, true) - Amount(bought.Before, true)) / 1e6 / Math.Max(premium, 0.01);
            seen[model] = (cases + 1, more + (share > 1.0 ? 1 : 0), Math.Max(worst, share));
        });
        foreach ((string model, (int cases, int more, double worst)) in seen)
        {
            TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {model}: in {more} of {cases} more than the premium, at most {worst:f1} times it"));
        }

        property.Finish(atLeast: 5_000);
    }

    private static void ForAll(int books, Action<Stage, string, Random> check)
    {
        for (int seed = 1; seed <= books; seed++)
        {
            Random random = new(seed);
            using Stage stage = new(MoreOptions.Of(BookMaker.Make(seed, Style), random));
            foreach (string model in stage.Models)
            {
                check(stage, model, random);
            }
        }
    }

    // USD by which the formula lets a requirement rise; asserts of each add-on what is said of it above.
    private static double Allowed(Stage stage, ModelDocument document, in Bought bought, bool initial, Property property)
    {
        UnitReport alone = bought.Alone.Units.Single();
        UnitReport? after = bought.After.Units.SingleOrDefault(unit => unit.Underlying == alone.Underlying && unit.Currency == alone.Currency);
        if (after is null)
        {
            return Usd.MicrosOfRounding / 1e6; // It closed the last short of its unit.
        }

        UnitReport? before = bought.Before.Units.FirstOrDefault(unit => unit.Underlying == alone.Underlying && unit.Currency == alone.Currency);
        double[] risen = new double[4];
        foreach (ComponentReport part in after.Components.Where(part => part.Place is not null && part.Name != "openOrders"))
        {
            double then = before is null ? 0.0 : Amount(Same(before, part), initial);
            double rise = Amount(part, initial) - then;
            double own = Amount(Same(alone, part), initial);
            string about = $"{document.Name}: {part.Name} {(initial ? "initial" : "maintenance")} rose by {rise}, alone {own}; {bought.Fill}: {stage.Book}";
            property.That(Follows(document, part, rise, own, Math.Abs(alone.Margin.NetDelta) / 1e9, Usd.PerAtom(stage.Book, alone)), () => about);
            ref double sum = ref risen[(int)part.Place!];
            sum = part.Place is AddOnPlace.Alternative or AddOnPlace.Floor ? Math.Max(sum, rise) : sum + Math.Max(0.0, rise);
        }

        PositionReport option = alone.Positions.Single();
        double rows = option.Value + Skew(stage, document, alone, option, bought.Fill);
        double factor = (initial ? alone.InitialFactorE16 : alone.MaintenanceFactorE16) / 1e16;
        double inside = Math.Max(Math.Max(rows, risen[(int)AddOnPlace.Alternative]) + risen[(int)AddOnPlace.Before], risen[(int)AddOnPlace.Floor]);
        double atoms = (factor * (inside + Usd.AtomsOfRounding)) + risen[(int)AddOnPlace.After] + Usd.AtomsOfRounding;
        double credits = document["spreads"] is null ? 0.0 : Math.Max(0.0, Across(bought.After, initial) - Across(bought.Before, initial)) / 1e6;
        double lost = credits + (initial ? Doubt(stage.Book, document, bought) : 0.0) + PriceStep(stage.Book, bought.Fill);
        return (atoms * Usd.PerAtom(stage.Book, alone)) + lost + (Usd.MicrosOfRounding / 1e6);
    }

    // A price has eight decimals: coin that it leaves over is a balance, which moves in rows and may be charged.
    private static double PriceStep(RandomBook book, BookFill fill)
    {
        BookInstrument option = book.Instrument(fill.InstrumentId);
        return option.IsInverse ? (double)(fill.Lots * option.Size) * 1e-8 * (double)book.Underlying(option.UnderlyingId).Index * 2.0 : 0.0;
    }

    // Coin as collateral is doubted by the lowest confidence of the account's underlyings: a first option on a doubtful one moves it.
    private static double Doubt(RandomBook book, ModelDocument document, in Bought bought)
    {
        JsonNode? terms = (document["addOns"] as JsonArray)?.FirstOrDefault(each => each!["kind"]!.GetValue<string>() == "confidence");
        bool isAcross = document["requirement"]!["across"]?.GetValue<string>() == "rows";
        if (terms is null || !isAcross || Confidence(book, bought.After) >= Confidence(book, bought.Before))
        {
            return 0.0;
        }

        double coin = bought.After.Balances.Where(balance => balance.Currency != "USD")
            .Sum(balance => Math.Max(0L, balance.Balance) / Math.Pow(10, balance.Decimals) * balance.PriceE8 / 1e8);
        double value = bought.After.Units.Where(unit => unit.Currency != "USD").Sum(unit => Math.Max(0L, unit.Margin.Value) * Usd.PerAtom(book, unit));
        double lowest = Math.Min(Confidence(book, bought.After), book.Underlyings.Min(underlying => (double)underlying.Confidence));
        return (1.0 - lowest) * terms["margin"]!.GetValue<double>() * (coin + value) / Math.Min(1.0, (double)book.Stable);
    }

    private static double Confidence(RandomBook book, MarginReport report) => report.Units
        .Select(unit => (double)book.Underlyings.First(underlying => underlying.Code == unit.Underlying).Confidence).DefaultIfEmpty(1.0).Min();

    private static bool Follows(ModelDocument document, ComponentReport part, double rise, double alone, double delta, double usdPerAtom)
    {
        switch ((AddOnKind)AddOnTable.Kinds.ToList().IndexOf(part.Name))
        {
            case AddOnKind.IsolatedOption or AddOnKind.ShortVega:
                return rise <= 0.0;
            case AddOnKind.PercentOf when document["addOns"]![part.AddOn]!["measure"]!.GetValue<string>() == "nakedShort":
                return rise <= 0.0;
            case AddOnKind.CalendarSpread:
                JsonAmounts amounts = new(document["addOns"]![part.AddOn]!["amount"]!);
                return rise <= (amounts.Largest * delta / usdPerAtom) + Usd.AtomsOfRounding;
            case AddOnKind.DeltaLiquidity or AddOnKind.TieredMultiple:
                return true;
            default:
                return part.AddOn < 0 || rise <= alone + Usd.AtomsOfRounding;
        }
    }

    // What a skew row can take beyond the premium.
    private static double Skew(Stage stage, ModelDocument document, UnitReport alone, PositionReport option, BookFill fill)
    {
        double most = 0.0;
        foreach (RowReport row in alone.Rows.Where(ExpirySumTerms.IsSkew))
        {
            double shortFactor = ExpirySumTerms.Factors(stage.Book, document, stage.Book.Instrument(fill.InstrumentId)).Short;
            double worth = option.Value + option.RowProfits[row.Index];
            most = Math.Max(most, (shortFactor * worth) - (2.0 * option.Value));
        }

        return most;
    }

    private static Bought Buy(Stage stage, string model, Random random)
    {
        BookInstrument[] options = [.. stage.Book.Instruments.Where(contract => contract.IsOption)];
        BookInstrument option = options[random.Next(options.Length)];
        double notional = Math.Exp(Math.Log(100.0) + (random.NextDouble() * Math.Log(1e5)));
        long lots = Math.Max(1L, (long)(notional / (double)(option.Size * stage.Book.Underlying(option.UnderlyingId).Index)));
        BookFill fill = new(option.Id, lots, stage.MarkOf(model, option));
        ulong account = stage.Hold(model, withOrders: false);
        ulong alone = stage.Open(model);
        MarginReport before = stage.Report(account);
        stage.Fill(account, fill);
        stage.Fill(alone, fill);
        return new Bought(fill, before, stage.Report(account), stage.Report(alone));
    }

    // Micro-USD, rounded up, and an atom's worth where it is paid in coin.
    private static long Premium(Stage stage, in Bought bought)
    {
        BookInstrument option = stage.Book.Instrument(bought.Fill.InstrumentId);
        BookCurrency currency = stage.Book.Currency(option.CurrencyId);
        decimal cost = bought.Fill.Lots * option.Size * bought.Fill.Price;
        decimal price = currency.Id == RandomBook.UsdId ? 1m : stage.Book.Underlying(option.UnderlyingId).Index;
        return (long)Math.Ceiling((cost + (currency.Atom / 2m)) * price * 1_000_000m) + 1;
    }

    private static bool CountsOptions(string model) => ModelDocument.Shipped(model)["equity"]?["optionValue"]?.GetValue<string>() != "none";

    private static ComponentReport Same(UnitReport unit, ComponentReport part) => unit.Components.Single(each => each.Name == part.Name && each.AddOn == part.AddOn);

    private static long Amount(MarginReport report, bool initial) => initial ? report.Margin.Initial : report.Margin.Maintenance;

    private static long Amount(ComponentReport part, bool initial) => initial ? part.Initial : part.Maintenance;

    private static long Across(MarginReport report, bool initial) => initial ? report.AcrossInitial : report.AcrossMaintenance;

    private readonly record struct Bought(BookFill Fill, MarginReport Before, MarginReport After, MarginReport Alone);
}
