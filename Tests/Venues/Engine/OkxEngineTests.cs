using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// The engine with <c>okx-pm</c> against the documented reply of the position builder. Amounts and the sizes from which tiers count are both made 10^5 times as
/// large. The reply's rows move another price than the one behind its delta: they are the engine's mark and index.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class OkxEngineTests
{
    private const decimal Scale = 1e5m;

    [Test]
    public void Every_documented_risk_unit_comes_out_of_the_engine_component_by_component()
    {
        var tally = new Reproduction("engine: OKX position builder [V: MR1, MR4, MR6, MR7 of linear positions]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("okx_pm"))
        {
            decimal maintenance = 0m;
            decimal initial = 0m;
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string code = test.Text("risk_unit");
                string name = $"{group.Name} {code}";
                OkxParameters parameters = ReferenceData.Groups("okx_mr_tables").Select(tables => OkxReferenceTests.Parameters(tables.Root, code, test)).First();
                decimal delta = test.Number("delta_usd");
                decimal exposure = Math.Sign(delta) * Math.Abs(test.Number("mr6_pnl") / test.Number("mr6_shock"));
                decimal amount = test.GetProperty("positions").EnumerateObject().Sum(position => position.Value.AsNumber()) * test.Number("ct_val_btc", 1m);
                UnitReport unit = Run(code, amount, exposure / amount, delta / amount, parameters, name).Units.Single();
                tally.Case();
                decimal Usd(long micro) => micro / 1e6m / Scale;
                decimal Worst(bool extreme) => -Usd(unit.Rows.Where(row => row.Weight != 1.0 == extreme).Min(row => row.Counted));

                tally.Relative(Worst(extreme: false), test.Number("mr1"), $"{name} MR1");
                tally.Relative(Usd(unit.Components[1].Maintenance), test.Number("mr4"), $"{name} MR4");
                tally.Relative(Worst(extreme: true), test.Number("mr6"), $"{name} MR6");
                tally.Relative(Usd(unit.Components[2].Maintenance), test.Number("mr7"), $"{name} MR7");
                tally.Relative(Usd(unit.Margin.Maintenance), test.Number("mmr"), $"{name} MMR");
                tally.Relative(Usd(unit.Margin.Initial), test.Number("imr"), $"{name} IMR");
                if (test.TryGetProperty("mr1_grid", out JsonElement grid))
                {
                    foreach (JsonProperty row in grid.EnumerateObject().SelectMany(volatility => volatility.Value.EnumerateObject()))
                    {
                        long move = LogicTests.Desk.E8(ReferenceData.Number(row.Name));
                        RowReport made = unit.Rows.First(other => other.Weight == 1.0 && other.SpotShockE8 == move);
                        tally.Relative(Usd(made.Counted), row.Value.AsNumber(), $"{name} row {row.Name}");
                    }
                }

                maintenance += Usd(unit.Margin.Maintenance);
                initial += Usd(unit.Margin.Initial);
            }

            JsonElement account = group.Root.GetProperty("account");
            tally.Relative(maintenance, account.Number("derivMmr"), $"{group.Name} derivatives MMR");
            tally.Relative(initial + account.Number("borrowImr"), account.Number("totalImr"), $"{group.Name} total IMR");
            tally.Skip($"{group.Name} margin ratio", "the reply's divisor holds a liquidation fee that it does not state");
            tally.Skip($"{group.Name} MR2, MR3, MR5, MR9", "no formula of theirs is verified, the model has none");
        }

        tally.Finish();
    }

    [TestCase(249_999.0, 1.0)]
    [TestCase(250_000.0, 2.0)]
    [TestCase(-999_999.0, 4.0)]
    [TestCase(3_999_999.0, 10.0)]
    [TestCase(50_000_000.0, 12.0)]
    public void The_minimum_charge_of_the_engine_grows_with_the_size_tier(decimal delta, decimal multiple)
    {
        foreach (ReferenceDocument tables in ReferenceData.Groups("okx_mr_tables"))
        {
            var parameters = new OkxParameters([0m], 0.01m, 0m, 0.0045m, OkxReferenceTests.Tiers(tables.Root));
            UnitReport unit = Run("BTC", delta / 10_000m, 10_000m, 10_000m, parameters, $"{delta}", scale: 1m).Units.Single();
            Assert.That(unit.Components[2].Maintenance / 1e6m, Is.EqualTo(0.0045m * Math.Abs(delta) * multiple).Within(2e-6m), $"{tables.Name} {delta}");
        }
    }

    private static MarginReport Run(string code, decimal amount, decimal mark, decimal index, OkxParameters parameters, string name, decimal scale = Scale)
    {
        using var desk = new VenueDesk();
        ushort main = desk.Underlying(code, desk.Currency(code, 8));
        desk.Model(ModelOf(parameters, scale));
        desk.Index(main, index);
        uint perpetual = desk.Perpetual(main);
        desk.Mark(perpetual, mark);
        desk.Hold(perpetual, amount * scale, mark);
        return desk.Report(name);
    }

    private static ModelDocument ModelOf(OkxParameters parameters, decimal scale)
    {
        ModelDocument document = ModelDocument.Shipped("okx-pm");
        var rows = new JsonArray();
        foreach (decimal move in parameters.SpotMoves.SelectMany(move => new[] { move, -move }).Distinct())
        {
            foreach (string volatility in new[] { "down", "none", "up" })
            {
                rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(move), ["volatility"] = volatility });
            }
        }

        foreach (decimal move in new[] { parameters.ExtremeMove, -parameters.ExtremeMove })
        {
            rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(move), ["weight"] = 0.5m });
        }

        var addOns = (JsonArray)document["addOns"]!;
        addOns[0]!["initial"] = DeriveDesk.Number(parameters.BasisRate);
        addOns[0]!["maintenance"] = DeriveDesk.Number(parameters.BasisRate);
        addOns[1]!["rate"] = DeriveDesk.Number(parameters.MinimumRate);
        addOns[1]!["tiers"] = new JsonArray([.. parameters.Tiers.Select(tier => new JsonObject
        {
            ["from"] = tier.From * scale,
            ["initial"] = tier.Multiple,
        })]);
        return document.With("rows", rows).With("addOns", addOns);
    }
}
