using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>What a report says in parts adds up to what it says as a whole, to the last unit, under every shipped model.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ContributionTests
{
    private const long OneE16 = 10_000_000_000_000_000;
    private static readonly BookStyle Style = new() { HasOrders = true, HasDoubt = true, HasFunding = true, HasOptionMarks = true };

    [Test]
    public void Contributions_of_positions_and_the_adjustment_add_up_to_every_row_and_the_worst_row_is_the_worst_case()
    {
        Property property = new("rows");
        ForAll(100, (stage, report) =>
        {
            ModelDocument document = ModelDocument.Shipped(report.Model);
            foreach (UnitReport unit in report.Units)
            {
                foreach (RowReport row in unit.Rows)
                {
                    long sum = unit.Positions.Sum(position => position.RowProfits[row.Index]);
                    property.That(
                        sum == row.Profit && sum + row.Adjustment == row.Counted,
                        () => $"{report.Model}: row {row.Index} of {unit.Underlying}: {sum} + {row.Adjustment} is not {row.Counted}: {stage.Book}");
                    property.That(
                        ExpirySumTerms.Sums(document) || row.Counted == Counted(stage, document, unit, row),
                        () => $"{report.Model}: row {row.Index} of {unit.Underlying}: {row.Profit} counts {row.Counted}: {stage.Book}");
                }

                long worst = Math.Max(0, unit.Rows.Where(row => row.IsMeasured).Select(row => -row.Counted).DefaultIfEmpty(0).Max());
                property.That(
                    report.Model == "hvar" ? unit.Margin.WorstCase <= worst : unit.Margin.WorstCase == worst,
                    () => $"{report.Model}: worst row {worst}, worst case {unit.Margin.WorstCase}: {stage.Book}");
            }
        });
        property.Finish(atLeast: 20_000);
    }

    [Test]
    public void Components_of_a_unit_reproduce_its_initial_and_maintenance_margin_by_the_formula_exactly_with_orders_and_without()
    {
        Property property = new("components");
        ForAll(100, (stage, report) =>
        {
            foreach (UnitReport unit in report.Units)
            {
                long initial = ByFormula(unit, unit.InitialFactorE16, part => part.Initial);
                long maintenance = ByFormula(unit, unit.MaintenanceFactorE16, part => part.Maintenance);
                property.That(
                    initial == unit.Margin.Initial && maintenance == unit.Margin.Maintenance,
                    () => $"{report.Model}: components of {unit.Underlying} come to {initial} and {maintenance} instead of {unit.Margin.Initial} and {unit.Margin.Maintenance}: {stage.Book}");
                long orders = unit.Components.Single(part => part.Name == "openOrders").Initial;
                bool isResting = unit.Positions.Any(position => position.BuyOrderLots + position.SellOrderLots > 0);
                bool isLowered = unit.Components.Any(part => part.Name == "funding");
                property.That(
                    isResting ? orders >= 0 || isLowered : orders == 0, () => $"{report.Model}: orders add {orders} in {unit.Underlying}: {stage.Book}");
            }
        });
        property.Finish(atLeast: 2_000);
    }

    [Test]
    public void Units_and_what_lies_across_them_are_the_account_and_nothing_lies_across_where_a_model_adds_units_up()
    {
        Property property = new("units and across");
        ForAll(100, (stage, report) =>
        {
            ModelDocument document = ModelDocument.Shipped(report.Model);
            long initial = report.Units.Sum(unit => Money(stage.Book, unit, unit.Margin.Initial));
            long maintenance = report.Units.Sum(unit => Money(stage.Book, unit, unit.Margin.Maintenance));
            property.That(
                initial + report.AcrossInitial == report.Margin.Initial && maintenance + report.AcrossMaintenance == report.Margin.Maintenance,
                () => $"{report.Model}: units {initial} and {maintenance}, across {report.AcrossInitial} and {report.AcrossMaintenance}, account {Property.Text(report.Margin)}: {stage.Book}");
            if (document["requirement"]!["across"] is not null)
            {
                return;
            }

            bool hasCredits = document["spreads"] is not null;
            bool charges = report.Model == "derive-standard";
            property.That(
                hasCredits ? report.AcrossInitial <= 0 && report.AcrossMaintenance <= 0
                    : charges ? report.AcrossInitial >= 0 && report.AcrossMaintenance >= 0 : report.AcrossInitial == 0 && report.AcrossMaintenance == 0,
                () => $"{report.Model}: {report.AcrossInitial} and {report.AcrossMaintenance} across: {stage.Book}");
        });
        property.Finish(atLeast: 2_000);
    }

    [Test]
    public void An_unpriced_position_is_a_component_of_its_own_where_a_model_has_no_rows()
    {
        RandomBook book = BookMaker.Make(3, new BookStyle { Family = BookFamily.Linear });
        uint unknown = (uint)book.Instruments.Count + 1;
        using Stage stage = new(book);
        stage.Desk.Instrument(InstrumentKind.Perpetual, Settlement.Linear, 1, RandomBook.UsdId, 1m, id: unknown);
        foreach (string model in stage.Models)
        {
            ulong account = stage.Hold(model);
            stage.Desk.Fill(account, unknown, 3, 1_000m);
            MarginReport report = stage.Desk.Report(account);
            Assert.That(report.Margin.Flags & MarginFlags.Unpriced, Is.EqualTo(MarginFlags.Unpriced), model);
            UnitReport unit = report.Units.Single(each => each.Positions.Any(position => !position.IsPriced));
            Assert.Multiple(() =>
            {
                Assert.That(ByFormula(unit, unit.InitialFactorE16, part => part.Initial), Is.EqualTo(unit.Margin.Initial), model);
                Assert.That(ByFormula(unit, unit.MaintenanceFactorE16, part => part.Maintenance), Is.EqualTo(unit.Margin.Maintenance), model);
            });
        }
    }

    private static void ForAll(int books, Action<Stage, MarginReport> check) => Property.ForAll(books, Style, stage =>
    {
        foreach (string model in stage.Models)
        {
            check(stage, stage.Report(stage.Hold(model, withOrders: stage.Book.Seed % 2 == 0)));
        }
    });

    // factor * max(max(rows, alternatives) + before, floors) + after, the product rounded up.
    private static long ByFormula(UnitReport unit, long factorE16, Func<ComponentReport, long> amount)
    {
        long Largest(Func<ComponentReport, bool> which) => unit.Components.Where(which).Select(amount).DefaultIfEmpty(0).Max();
        long Sum(AddOnPlace place) => unit.Components.Where(part => part.Place == place).Sum(amount);
        long risk = Math.Max(0, Largest(part => part.Place is null or AddOnPlace.Alternative)) + Sum(AddOnPlace.Before);
        risk = Math.Max(risk, Largest(part => part.Place == AddOnPlace.Floor));
        Int128 product = (Int128)risk * factorE16;
        return (long)((product + OneE16 - 1) / OneE16) + Sum(AddOnPlace.After);
    }

    // A row after its weight, and in a tail row drawn toward zero by a fixed amount of USD.
    private static long Counted(Stage stage, ModelDocument document, UnitReport unit, RowReport row)
    {
        long profit = row.Weight == 1.0 ? row.Profit : (long)Math.Round(row.Profit * row.Weight, MidpointRounding.ToEven);
        if (!row.IsTail || profit == 0)
        {
            return profit;
        }

        double Of(string name) => Number(document["underlyings"]![unit.Underlying] ?? document["underlyings"]!["*"]!, name);
        double shock = row.SpotShockE8 / 1e8;
        double range = Of("priceRange");
        double usd = (Math.Max(Math.Abs(shock) / range, 1.0) - 1.0) * Of("tailDampener") / (1.0 + (Math.Sign(shock) * range));
        long draw = (long)Math.Floor(usd / Usd.PerAtom(stage.Book, unit));
        long counted = profit < 0 ? Math.Min(0, profit + draw) : Math.Max(0, profit - draw);

        // The shock is told with eight decimals and an atom's price is a product: the draw is known to a few atoms of so many.
        return Math.Abs(counted - row.Counted) <= 2 + (draw * 1e-6) ? row.Counted : counted;
    }

    private static double Number(System.Text.Json.Nodes.JsonNode node, string name) => node[name]?.GetValue<double>() ?? 0.0;

    // An amount of a unit's currency in micro-USD, rounded up.
    private static long Money(RandomBook book, UnitReport unit, long atoms)
    {
        if (unit.Currency == "USD")
        {
            return atoms;
        }

        Int128 price = (Int128)(book.Underlyings.First(underlying => underlying.Code == unit.Currency).Index * 100_000_000m);
        Int128 divisor = (Int128)Math.Pow(10, 8 + unit.Decimals - 6);
        return (long)(((atoms * price) + divisor - 1) / divisor);
    }
}
