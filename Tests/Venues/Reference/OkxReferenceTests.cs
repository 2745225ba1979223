using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>OKX: the documented reply of the position builder, component by component, and the size tiers of the minimum charge.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class OkxReferenceTests
{
    [Test]
    public void Every_documented_risk_unit_is_reproduced_component_by_component()
    {
        var tally = new Reproduction("OKX position builder [V: MR1, MR4, MR6, MR7 of linear positions; S: MR2, MR3, MR5, MR9]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("okx_pm"))
        {
            decimal derivatives = 0m;
            decimal initial = 0m;
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string unit = test.Text("risk_unit");
                decimal delta = test.Number("delta_usd");
                OkxParameters parameters = ReferenceData.Groups("okx_mr_tables").Select(tables => Parameters(tables.Root, unit, test)).First();
                decimal exposure = Math.Sign(delta) * Math.Abs(test.Number("mr6_pnl") / test.Number("mr6_shock"));
                tally.Case();
                OkxResult margin = OkxPortfolioMargin.Margin(exposure, delta, parameters, test.Number("mr3", 0m) + test.Number("mr5", 0m));
                tally.Relative(margin.Mr1, test.Number("mr1"), $"{group.Name} {unit} MR1");
                tally.Relative(margin.Mr4, test.Number("mr4"), $"{group.Name} {unit} MR4");
                tally.Relative(margin.Mr6, test.Number("mr6"), $"{group.Name} {unit} MR6");
                tally.Relative(margin.Mr7, test.Number("mr7"), $"{group.Name} {unit} MR7");
                tally.Relative(margin.Maintenance, test.Number("mmr"), $"{group.Name} {unit} MMR");
                tally.Relative(margin.Initial, test.Number("imr"), $"{group.Name} {unit} IMR");
                CompareGrid(tally, test, exposure, $"{group.Name} {unit}");
                derivatives += margin.Maintenance;
                initial += margin.Initial;
            }

            JsonElement account = group.Root.GetProperty("account");
            tally.Relative(derivatives, account.Number("derivMmr"), $"{group.Name} derivatives MMR");
            tally.Relative(derivatives + account.Number("borrowMmr"), account.Number("totalMmr"), $"{group.Name} total MMR");
            tally.Relative(initial + account.Number("borrowImr"), account.Number("totalImr"), $"{group.Name} total IMR");
            tally.Skip($"{group.Name} margin ratio", "the reply's divisor holds a liquidation fee that it does not state");
        }

        tally.Finish();
    }

    [TestCase(249_999.0, 1.0)]
    [TestCase(250_000.0, 2.0)]
    [TestCase(-999_999.0, 4.0)]
    [TestCase(3_999_999.0, 10.0)]
    [TestCase(50_000_000.0, 12.0)]
    public void The_minimum_charge_grows_with_the_size_tier(decimal delta, decimal multiple)
    {
        foreach (ReferenceDocument tables in ReferenceData.Groups("okx_mr_tables"))
        {
            var parameters = new OkxParameters([0m], 0m, 0m, 0.0045m, Tiers(tables.Root));
            decimal expected = 0.0045m * Math.Abs(delta) * multiple;
            Assert.That(OkxPortfolioMargin.Margin(delta, delta, parameters).Maintenance, Is.EqualTo(expected).Within(1e-12m).Percent, $"{tables.Name} {delta}");
        }
    }

    private static void CompareGrid(Reproduction tally, JsonElement test, decimal exposure, string name)
    {
        if (!test.TryGetProperty("mr1_grid", out JsonElement grid))
            return;
        foreach (JsonProperty row in grid.EnumerateObject().SelectMany(volatility => volatility.Value.EnumerateObject()))
        {
            tally.Relative(exposure * decimal.Parse(row.Name), row.Value.AsNumber(), $"{name} row {row.Name}");
        }
    }

    /// <summary>The unit's row of each published table, "others" where it has none of its own; the rates of |delta| are stated with the case.</summary>
    internal static OkxParameters Parameters(JsonElement tables, string unit, JsonElement test) => new(
        [.. Entry(tables.GetProperty("MR1_spot_shock"), unit).EnumerateArray().Select(move => move.AsNumber())],
        Entry(tables.GetProperty("MR6_extreme"), unit).AsNumber(),
        StatedRate(test, "mr4", [0.002m, 0.008m]),
        StatedRate(test, "mr7", [0.0045m, 0.007m]),
        Tiers(tables));

    private static JsonElement Entry(JsonElement table, string unit)
        => table.EnumerateObject().FirstOrDefault(row => row.Name.Split(',').Contains(unit), table.EnumerateObject().Last()).Value;

    /// <summary>Which of the documented rates a case uses: 0.2 % or 0.8 % of |delta| for MR4, 0.45 % or 0.70 % for MR7.</summary>
    private static decimal StatedRate(JsonElement test, string component, decimal[] documented)
        => documented.MinBy(rate => Math.Abs(rate * Math.Abs(test.Number("delta_usd")) - test.Number(component)));

    internal static (decimal From, decimal To, decimal Multiple)[] Tiers(JsonElement tables)
        => [.. tables.EnumerateObject().Last(table => table.Name.StartsWith("MR7_min_charge_multipliers", StringComparison.Ordinal)).Value.EnumerateArray()
            .Select(tier => (tier[0].AsNumber(), tier[1].ValueKind == JsonValueKind.Null ? decimal.MaxValue : tier[1].AsNumber(), tier[2].AsNumber()))];
}
