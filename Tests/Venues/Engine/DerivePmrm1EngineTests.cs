using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>The engine with <c>derive-pmrm1</c> and the published parameters: every case to the tolerance that its source states.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DerivePmrm1EngineTests
{
    [Test]
    public void Every_scenario_case_of_PMRM_1_comes_out_of_the_engine()
    {
        var tally = new Reproduction("engine: Derive PMRM v1 scenarios [V]", 1e-6);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_pmrm1_verify"))
        {
            DerivePmrm1Parameters parameters = DerivePmrm1ReferenceTests.Parameters(group.Root.GetProperty("params"));
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string name = $"{group.Name} {test.Text("name")}";
                JsonElement expected = test.GetProperty("expected");
                DeriveRun run = Run(DerivePmrm1ReferenceTests.ScenarioAccount(test), parameters, name);
                UnitReport? unit = run.Report.Units.SingleOrDefault();
                GroupReport? rows = run.Report.Groups.SingleOrDefault();
                tally.Case();
                tally.Relative(run.Maintenance, expected.Number("MM"), $"{name} maintenance");
                tally.Relative(run.Initial, expected.Number("IM"), $"{name} initial");
                tally.Relative(run.MarkToMarket, expected.Number("mtm"), $"{name} mark to market");
                tally.Relative(unit is null ? 0m : -run.Usd(unit.Components[1].Initial), expected.Number("forward_contingency"), $"{name} basis");
                tally.Relative(rows is null ? 0m : -run.Usd(rows.Initial.Before), expected.Number("asset_contingency"), $"{name} asset");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_portfolio_case_of_PMRM_1_comes_out_of_the_engine_to_its_printed_dollar()
    {
        // A figure that lies on a whole dollar is cut by an atom of the engine as well as by the venue.
        var tally = new Reproduction("engine: Derive PMRM v1 portfolios [V], whole USD", 1e-5);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_pmrm1_portfolios"))
        {
            JsonElement overrides = group.Root.GetProperty("params_override");
            ReferenceDocument scenarios = ReferenceData.Groups("derive_pmrm1_verify").First();
            DerivePmrm1Parameters parameters = DerivePmrm1ReferenceTests.Parameters(scenarios.Root.GetProperty("params")) with
            {
                RateAdd = overrides.Number("rateAddScale"),
                ConfidenceMargin = overrides.Number("confMargin"),
                BasePercent = overrides.Number("basePercent"),
                PerpetualPercent = overrides.Number("perpPercent"),
            };
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string name = $"{group.Name} {test.Text("name")}";
                DeriveRun run = Run(DerivePmrm1ReferenceTests.PortfolioAccount(test, group.Root), parameters, name);
                tally.Case();
                tally.Truncated(run.Initial, test.GetProperty("expected").Number("im"), $"{name} initial");
                tally.Truncated(run.Maintenance, test.GetProperty("expected").Number("mm"), $"{name} maintenance");
            }
        }

        tally.Finish();
    }

    private static DeriveRun Run(DeriveAccount account, DerivePmrm1Parameters parameters, string name)
    {
        decimal scale = DeriveDesk.ScaleOf(account, 1m);
        return DeriveDesk.Run(DeriveDesk.OnTheWire(account, scale), ModelOf(parameters), scale, name);
    }

    private static ModelDocument ModelOf(DerivePmrm1Parameters parameters)
    {
        ModelDocument document = ModelDocument.Shipped("derive-pmrm1");
        var rows = new JsonArray();
        foreach (DeriveScenario row in parameters.Scenarios)
        {
            rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(row.SpotFactor - 1m), ["volatility"] = row.Volatility.ToString().ToLowerInvariant() });
        }

        rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(parameters.BasisUp - 1m), ["role"] = "basisUp" });
        rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(parameters.BasisDown - 1m), ["role"] = "basisDown" });
        var addOns = (JsonArray)document["addOns"]!;
        addOns[0]!["add"] = DeriveDesk.Number(parameters.BasisAdd);
        addOns[0]!["multiple"] = DeriveDesk.Number(parameters.BasisMultiple);
        addOns[1]!["initial"] = DeriveDesk.Number(parameters.PerpetualPercent);
        addOns[1]!["maintenance"] = DeriveDesk.Number(parameters.PerpetualPercent);
        addOns[2]!["initial"] = DeriveDesk.Number(parameters.OptionPercent);
        addOns[2]!["maintenance"] = DeriveDesk.Number(parameters.OptionPercent);
        addOns[3]!["threshold"] = DeriveDesk.Number(parameters.ConfidenceThreshold);
        addOns[3]!["margin"] = DeriveDesk.Number(parameters.ConfidenceMargin);
        return document
            .With("grid", null)
            .With("rows", rows)
            .With("addOns", addOns)
            .With("requirement.initialFactor", DeriveDesk.Number(parameters.InitialFactor))
            .With("volatility.shortTermPower", DeriveDesk.Number(parameters.Shock.ShortPower))
            .With("volatility.longTermPower", DeriveDesk.Number(parameters.Shock.LongPower))
            .With("volatility.termFloorDays", DeriveDesk.Number(parameters.Shock.FloorDays))
            .With("underlyings.*.volatilityUp", DeriveDesk.Number(parameters.Shock.Up))
            .With("underlyings.*.volatilityDown", DeriveDesk.Number(parameters.Shock.Down))
            .With("policyDiscount.longStatic", DeriveDesk.Number(parameters.StaticDiscount))
            .With("policyDiscount.longRateMultiple", DeriveDesk.Number(parameters.RateMultiple))
            .With("policyDiscount.longRateAdd", DeriveDesk.Number(parameters.RateAdd))
            .With("peg.threshold", DeriveDesk.Number(parameters.PegThreshold))
            .With("peg.factor", DeriveDesk.Number(parameters.PegFactor))
            .With("currencies.ETH.maintenanceHaircut", DeriveDesk.Number(parameters.BasePercent));
    }
}
