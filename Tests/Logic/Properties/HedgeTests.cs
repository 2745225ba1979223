using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>
/// Two accounts put together ask no more than they did apart, under <c>portfolio</c>. Subadditive are: rows outside the tails, half of a gain counted
/// across underlyings, roll shock, settlement delay, naked shorts, short vega, confidence, staleness, funding. Not, and by how much:
/// <code>
/// dampener         an account has it once: tail rows in which both lose cost min(dampener, loss of one, loss of the other) more than apart
/// concentration    convex: more by c(|D + d|) - c(|D|) - c(|d|) where the deltas have one sign; never more where they oppose each other
/// closing cost     convex in the size of a contract: more only where both hold it on one side
/// </code>
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class HedgeTests
{
    private const string Model = "portfolio";
    private static readonly BookStyle Style = new() { HasDoubt = true, HasFunding = true, LargestNotional = 1e7 };

    [Test]
    public void Closing_a_part_of_everything_at_once_never_raises_the_requirement_under_portfolio()
    {
        Property property = new("uniform hedge");
        ForAll(400, (stage, random) =>
        {
            int share = random.Next(1, 10);
            BookFill[] tenfold = [.. stage.Book.Fills.Select(fill => fill with { Lots = fill.Lots * 10 })];
            MarginReport apart = Of(stage, tenfold);
            MarginReport together = Of(stage, tenfold, [.. stage.Book.Fills.Select(fill => fill with { Lots = -fill.Lots * share })]);
            long rounding = Rounding(stage, together);
            property.That(
                together.Margin.Initial <= apart.Margin.Initial + rounding && together.Margin.Maintenance <= apart.Margin.Maintenance + rounding,
                () => $"{share} tenths less: {Property.Text(apart.Margin)} then {Property.Text(together.Margin)}: {stage.Book}");
        });
        property.Finish(atLeast: 400);
    }

    [Test]
    public void A_hedge_costs_no_more_than_its_parts_under_portfolio()
    {
        // One underlying, the other side of it, and no tail row in which both lose: nothing is excepted.
        Property property = new("opposite deltas");
        ForAll(600, (stage, random) =>
        {
            BookFill[] hedge = Hedge(stage, random);
            MarginReport first = Of(stage, stage.Book.Fills);
            MarginReport second = Of(stage, hedge);
            if (hedge.Length == 0 || BothLose(stage, first, second) > 0 || SameSide(first, second))
            {
                return;
            }

            MarginReport both = Of(stage, stage.Book.Fills, hedge);
            long rounding = Rounding(stage, both);
            property.That(
                both.Margin.Initial <= first.Margin.Initial + second.Margin.Initial + rounding
                    && both.Margin.Maintenance <= first.Margin.Maintenance + second.Margin.Maintenance + rounding,
                () => $"together {Property.Text(both.Margin)}, apart {Property.Text(first.Margin)} and {Property.Text(second.Margin)}: {string.Join(", ", hedge.Select(fill => fill.ToString()))} to {stage.Book}");
        });
        property.Finish(atLeast: 150);
    }

    [Test]
    public void Any_two_books_together_ask_no_more_than_apart_but_for_the_dampener_the_concentration_and_the_closing_cost()
    {
        Property property = new("any two");
        int excepted = 0;
        ForAll(400, (stage, random) =>
        {
            BookFill[] other = [.. stage.Book.Fills.Where(_ => random.Next(3) > 0).Select(fill => fill with { Lots = (random.NextInt64(-20, 21) * fill.Lots) / 10 }).Where(fill => fill.Lots != 0)];
            MarginReport first = Of(stage, stage.Book.Fills);
            MarginReport second = Of(stage, other);
            MarginReport both = Of(stage, stage.Book.Fills, other);
            double dampened = BothLose(stage, first, second);
            double initial = Convex(stage, both, first, second, inside: true) + dampened;
            double outside = Convex(stage, both, first, second, inside: false);
            long rounding = Rounding(stage, both);
            long excessInitial = both.Margin.Initial - first.Margin.Initial - second.Margin.Initial;
            long excessMaintenance = both.Margin.Maintenance - first.Margin.Maintenance - second.Margin.Maintenance;
            excepted += excessInitial > rounding ? 1 : 0;
            property.That(
                excessInitial <= ((initial + outside) * 1e6) + rounding && excessMaintenance <= (((0.8 * initial) + outside) * 1e6) + rounding,
                () => string.Create(CultureInfo.InvariantCulture, $"{excessInitial} and {excessMaintenance} more together, explained {initial} + {outside}: {string.Join(", ", other.Select(fill => fill.ToString()))} to {stage.Book}"));
        });
        TestContext.Out.WriteLine($"in {excepted} of 400 more was asked together, by what is excepted");
        property.Finish(atLeast: 400);
    }

    private static void ForAll(int books, Action<Stage, Random> check)
    {
        for (int seed = 1; seed <= books; seed++)
        {
            Random random = new(seed);
            using Stage stage = new(MoreOptions.Of(BookMaker.Make(seed, Style), random), documents: [ModelDocument.Shipped(Model)]);
            check(stage, random);
        }
    }

    private static MarginReport Of(Stage stage, params IEnumerable<BookFill>[] fills)
    {
        ulong account = stage.Open(Model);
        foreach (BookFill fill in fills.SelectMany(each => each))
        {
            stage.Fill(account, fill);
        }

        return stage.Report(account);
    }

    // One contract against the net delta of the unit it is in, up to one and a half times of it.
    private static BookFill[] Hedge(Stage stage, Random random)
    {
        MarginReport held = Of(stage, stage.Book.Fills);
        BookInstrument contract = stage.Book.Instruments[random.Next(stage.Book.Instruments.Count)];
        string underlying = stage.Book.Underlying(contract.UnderlyingId).Code;
        UnitReport? unit = held.Units.FirstOrDefault(each => each.Underlying == underlying && each.Currency == stage.Book.Currency(contract.CurrencyId).Code);
        decimal price = contract.IsInverse && contract.IsOption ? contract.Mark / stage.Book.Underlying(contract.UnderlyingId).Index : contract.Mark;
        price = Math.Max(decimal.Round(price, 8), 0.00000001m);
        long perLot = Of(stage, [new BookFill(contract.Id, 1_000, price)]).Units.Single().Margin.NetDelta;
        if (unit is null || unit.Margin.NetDelta == 0 || perLot == 0)
        {
            return [];
        }

        double lots = -1_000.0 * unit.Margin.NetDelta / perLot * (0.1 + (1.4 * random.NextDouble()));
        double usd = Math.Abs(lots) * (double)contract.Size * (contract.IsInverse && !contract.IsOption ? 1.0 : (double)stage.Book.Underlying(contract.UnderlyingId).Index);
        return Math.Abs(lots) < 1.0 || usd > 1e9 ? [] : [new BookFill(contract.Id, (long)lots, price)];
    }

    // USD: in each unit the largest over tail rows of min(dampener, loss, loss), before the dampener; units add up.
    private static double BothLose(Stage stage, MarginReport first, MarginReport second)
    {
        double sum = 0.0;
        foreach (UnitReport unit in first.Units)
        {
            UnitReport? other = second.Units.FirstOrDefault(each => each.Underlying == unit.Underlying && each.Currency == unit.Currency);
            if (other is not null)
            {
                double usd = Usd.PerAtom(stage.Book, unit);
                sum += unit.Rows.Zip(other.Rows).Where(pair => pair.First.IsTail && pair.First.Profit < 0 && pair.Second.Profit < 0)
                    .Select(pair => Math.Min(-pair.First.Profit, -pair.Second.Profit) * usd).DefaultIfEmpty(0.0).Max();
            }
        }

        return sum;
    }

    private static bool SameSide(MarginReport first, MarginReport second) => first.Units.Any(unit => second.Units.Any(
        other => other.Underlying == unit.Underlying && other.Currency == unit.Currency
            && (Math.Sign(other.Margin.NetDelta) == Math.Sign(unit.Margin.NetDelta)
                || unit.Positions.Any(held => other.Positions.Any(added => added.InstrumentId == held.InstrumentId && Math.Sign(added.Lots) == Math.Sign(held.Lots))))));

    // USD by which concentration (inside the factor) or closing cost (outside) is more than the sum of the parts'.
    private static double Convex(Stage stage, MarginReport both, MarginReport first, MarginReport second, bool inside)
    {
        double sum = 0.0;
        foreach (UnitReport unit in both.Units)
        {
            string name = inside ? "deltaLiquidity" : "liquidationCost";
            long Part(MarginReport report) => report.Units.FirstOrDefault(each => each.Underlying == unit.Underlying && each.Currency == unit.Currency)
                ?.Components.Single(part => part.Name == name).Initial ?? 0;
            sum += Math.Max(0, Part(both) - Part(first) - Part(second)) * Usd.PerAtom(stage.Book, unit);
        }

        return sum;
    }

    private static long Rounding(Stage stage, MarginReport both)
    {
        double atoms = both.Units.Sum(unit => (unit.Positions.Count + unit.Components.Count + Usd.AtomsOfRounding) * Usd.PerAtom(stage.Book, unit));
        return (long)Math.Ceiling(atoms * 1e6) + (both.Units.Count * Usd.MicrosOfRounding);
    }
}
