using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// <c>tims</c> and <c>hvar</c> in the engine, on ranges and rows that can be told by hand: nobody publishes a requirement. McMillan's future is computed, and his arrays are
/// taken as they are printed: the call's comes without the volatility it was made with.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ClearingEngineTests
{
    [Test]
    public void A_share_position_owes_the_end_of_its_range_in_the_engine()
    {
        var tally = new Reproduction("engine: TIMS ranges [S]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("tims_ranges"))
        {
            foreach (JsonProperty range in group.Root.GetProperty("ranges").EnumerateObject())
            {
                (decimal low, decimal high) = (range.Value[0].AsNumber(), range.Value[1].AsNumber());
                ModelDocument document = ModelDocument.Shipped("tims").With("rows", Rows(TimsMargin.Points(low, high))).With("addOns", new JsonArray());
                tally.Case();
                tally.Relative(Requirement(document, $"{range.Name} long", 5_000m), -5_000m * low, $"{range.Name} long");
                tally.Relative(Requirement(document, $"{range.Name} short", -5_000m), 5_000m * high, $"{range.Name} short");
            }
        }

        tally.Finish();
    }

    // Two and three contracts at 37.5 each; the gain counts by its share.
    [TestCase(0.9, 0.0, 100.0)]
    [TestCase(1.0, 37.5, 187.5)]
    public void Gains_of_one_class_offset_losses_of_another_only_in_part_and_the_minimum_stays(decimal share, decimal minimum, decimal expected)
    {
        ModelDocument document = ModelDocument.Shipped("tims").With("rows", Rows(TimsMargin.Points(-0.10m, 0.10m)))
            .With("underlyings.*.gainShare", DeriveDesk.Number(share));
        var addOns = (JsonArray)document["addOns"]!;
        addOns[0]!["initial"] = DeriveDesk.Number(minimum);
        addOns[0]!["maintenance"] = DeriveDesk.Number(minimum);
        document = document.With("addOns", addOns);
        using var desk = new VenueDesk();
        ushort first = desk.Underlying("UP", desk.Currency("UP", 8));
        ushort second = desk.Underlying("DOWN", desk.Currency("DOWN", 8));
        desk.Model(document);
        (ushort Underlying, decimal Size, int Lots)[] classes = [(first, 5_000m, 2), (second, 10_000m / 3m, -3)];
        foreach ((ushort underlying, decimal size, int lots) in classes)
        {
            desk.Index(underlying, 1m);
            uint instrument = desk.Perpetual(underlying, size: VenueDesk.Wire(size));
            desk.Mark(instrument, 1m);
            desk.Hold(instrument, lots * VenueDesk.Wire(size), 1m, VenueDesk.Wire(size));
        }

        Assert.That(desk.Report("classes").Margin.Initial / 1e6m, Is.EqualTo(expected).Within(2e-6m));
    }

    [TestCase(100, 0.99, 100.0, 100.0)]
    [TestCase(200, 0.99, 199.0, 199.5)]
    [TestCase(250, 0.99, 248.0, 249.0)]
    [TestCase(120, 0.975, 118.0, 119.0)]
    public void Value_at_risk_is_the_last_of_the_tail_and_the_shortfall_its_mean_in_the_engine(int rows, decimal confidence, decimal valueAtRisk, decimal shortfall)
    {
        // Row k loses k dollars of a position of a thousand.
        ModelDocument document = ModelDocument.Shipped("hvar").With("history", null).With("addOns", new JsonArray())
            .With("rows", Rows([.. Enumerable.Range(1, rows).Select(row => -1e-3m * row)]))
            .With("requirement.confidence", DeriveDesk.Number(confidence)).With("requirement.initialFactor", 1).With("requirement.maintenanceFactor", 1);
        Assert.Multiple(() =>
        {
            Assert.That(Requirement(document.With("requirement.measure", "valueAtRisk"), "value at risk", 1_000m), Is.EqualTo(valueAtRisk).Within(2e-6m));
            Assert.That(Requirement(document.With("requirement.measure", "expectedShortfall"), "shortfall", 1_000m), Is.EqualTo(shortfall).Within(2e-6m));
        });
    }

    // Printed to ten dollars: thirds of the range are not.
    [Test]
    public void McMillans_future_has_its_sixteen_rows_and_its_requirement_in_the_engine()
    {
        const decimal PointRange = 20m;
        const decimal DollarsAPoint = 500m;
        var tally = new Reproduction("engine: McMillan's future, printed to 10 USD [V]", 5.0);
        foreach (ReferenceDocument group in ReferenceData.Groups("span_mcmillan"))
        {
            decimal[] printed = [.. group.Root.Items("long_1_future").Select(value => value.AsNumber())];
            var rows = new JsonArray([.. printed.Select((_, row) => new JsonObject
            {
                ["spot"] = row < 14 ? Math.Sign(printed[row]) * decimal.Round(((row / 2) + 1) / 2 / 3m, 8) : row == 14 ? 2 : -2,
                ["scale"] = "scanRange",
                ["weight"] = row < 14 ? 1m : 0.35m,
            })]);
            ModelDocument document = ModelDocument.Shipped("span").With("rows", rows).With("addOns", new JsonArray()).With("underlyings.SP.scanRange", PointRange);
            using var desk = new VenueDesk();
            ushort main = desk.Underlying("SP", desk.Currency("SP", 8));
            desk.Model(document);
            desk.Index(main, 410m);
            uint future = desk.Perpetual(main, size: DollarsAPoint);
            desk.Mark(future, 410m);
            desk.Hold(future, DollarsAPoint, 410m, DollarsAPoint);
            UnitReport unit = desk.Report(group.Name).Units.Single();
            tally.Case();
            for (int row = 0; row < printed.Length; row++)
            {
                tally.Absolute(unit.Rows[row].Counted / 1e6m, printed[row], $"{group.Name} row {row}");
            }

            tally.Absolute(unit.Margin.Maintenance / 1e6m, group.Root.GetProperty("expected").Number("future_requirement"), $"{group.Name} requirement");
        }

        tally.Finish();
    }

    [Test]
    public void McMillans_printed_arrays_give_his_requirements_of_the_call_the_future_and_the_covered_write()
    {
        var tally = new Reproduction("engine: McMillan's arrays, taken as printed [V]", 0.0);
        foreach (ReferenceDocument group in ReferenceData.Groups("span_mcmillan"))
        {
            decimal[] future = Printed(group, "long_1_future"), call = Printed(group, "long_1_dec410_call");
            JsonElement expected = group.Root.GetProperty("expected");
            tally.Case();
            Compare(tally, group, "long future", future, Covered(future, call, 1, 0), expected.Number("future_requirement"));
            Compare(tally, group, "long call", call, Covered(future, call, 0, 1), expected.Number("long_call_requirement"));
            Compare(
                tally, group, "covered write", Printed(group, "covered_write_long_future_short_call"), Covered(future, call, 1, -1), expected.Number("covered_write_scan_risk"));
        }

        tally.Finish();
    }

    private static decimal[] Printed(ReferenceDocument group, string property) => [.. group.Root.Items(property).Select(cell => cell.AsNumber())];

    private static void Compare(Reproduction tally, ReferenceDocument group, string book, decimal[] rows, UnitReport unit, decimal requirement)
    {
        for (int row = 0; row < rows.Length; row++)
        {
            tally.Absolute(unit.Rows[row].Counted / 1e6m, rows[row], $"{group.Name} {book} row {row + 1}");
        }

        tally.Absolute(unit.Margin.Maintenance / 1e6m, requirement, $"{group.Name} {book}");
    }

    // Sixteen rows that shock nothing of their own: what happens in them is what the arrays say, their weights included.
    private static UnitReport Covered(decimal[] future, decimal[] call, int futures, int calls)
    {
        ModelDocument document = ModelDocument.Shipped("span").With("rows", Rows(new decimal[future.Length])).With("addOns", new JsonArray())
            .With("pricing.rowProfits", "published").With("pricing.optionMark", "mark");
        using var desk = new VenueDesk();
        ushort main = desk.Underlying("SP", desk.Currency("SP", 8));
        desk.Model(document);
        desk.Index(main, 410m);
        uint contract = desk.Perpetual(main, size: 500m);
        uint option = desk.Option(main, VenueDesk.Usd, isCall: true, 410m, desk.In(90 * 86_400m), 500m);
        desk.Mark(contract, 410m);
        desk.Mark(option, 14m);
        desk.Array(contract, 500m, future);
        desk.Array(option, 250m, call);
        desk.Hold(contract, futures * 500m, 410m, 500m);
        desk.Hold(option, calls * 500m, 14m, 500m);
        return desk.Report("covered write").Units.Single();
    }

    private static JsonArray Rows(decimal[] moves) => new([.. moves.Select(move => new JsonObject { ["spot"] = DeriveDesk.Number(move) })]);

    private static decimal Requirement(ModelDocument document, string name, decimal notional)
    {
        using var desk = new VenueDesk();
        ushort main = desk.Underlying("X", desk.Currency("X", 8));
        desk.Model(document);
        desk.Index(main, 1m);
        uint instrument = desk.Perpetual(main);
        desk.Mark(instrument, 1m);
        desk.Hold(instrument, notional, 1m);
        return desk.Report(name).Margin.Maintenance / 1e6m;
    }
}
