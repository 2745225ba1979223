using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// The engine with <c>derive-pmrm2</c> and each published case's own parameters: every file, row, contingency and margin against the printed digits. What of the
/// inputs has more than eight decimals (volatilities, prices and confidences of coins, dampeners) is sent with its further digits.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DerivePmrm2EngineTests
{
    [Test]
    public void Every_published_case_of_PMRM_2_comes_out_of_the_engine_with_every_row()
    {
        var printed = new Reproduction("engine: Derive PMRM v2, against the printed digits [V]", 1e-9);
        var own = new Reproduction("engine: Derive PMRM v2, at the case's own size, atoms", 1.0);
        foreach (ReferenceDocument document in ReferenceData.With("Scenario", "Parameters", "Result"))
        {
            DerivePmrm2Parameters parameters = DerivePmrm2ReferenceTests.Parameters(document.Root.GetProperty("Parameters"));
            DeriveAccount account = DerivePmrm2ReferenceTests.Account(document.Root.GetProperty("Scenario"));
            if (parameters.Scenarios.Any(row => DerivePmrm2ReferenceTests.IsSkew(row.Volatility) && row.SpotFactor != 1m))
            {
                printed.Skip(document.Name, "a skew row that also moves the spot, an invalid set-up that the venue's own test leaves out");
                continue;
            }

            Compare(document, account, parameters, printed);
            CompareOwnSize(document.Name, account, parameters, own);
        }

        Assert.Multiple(() =>
        {
            printed.Finish();
            own.Finish();
        });
    }

    private static void Compare(ReferenceDocument document, DeriveAccount account, DerivePmrm2Parameters parameters, Reproduction printed)
    {
        string name = document.Name;
        JsonElement result = document.Root.GetProperty("Result");
        decimal scale = DeriveDesk.ScaleOf(account, parameters.Scenarios.Max(row => Math.Abs(row.SpotFactor - 1m)));
        DeriveRun run = DeriveDesk.Run(DeriveDesk.OnTheWire(account, scale), ModelOf(parameters), scale, name);
        printed.Case();

        // A figure near zero of a large book shows no more digits than the atoms of its positions leave.
        decimal floor = Math.Max(1m, (account.Options.Count + account.Expiries.Count + account.Collaterals.Count + 4) * 1e3m / scale);
        void Figure(decimal actual, decimal published, string figure) => printed.Relative(actual, published, $"{name} {figure}", floor);

        GroupReport group = run.Report.Groups.SingleOrDefault()
            ?? new GroupReport("", -1, default, default, [.. parameters.Scenarios.Select((_, row) => new GroupRowReport(row, 0, default, true, 0))]);
        decimal[] published = DerivePmrm2ReferenceTests.PublishedRows(name, parameters, result);
        for (int row = 0; row < published.Length; row++)
        {
            Figure(run.Usd(group.Rows[row].Profit), published[row], parameters.Scenarios[row].ToString());
        }

        UnitReport? unit = run.Report.Units.SingleOrDefault();
        decimal perpetual = unit is null ? 0m : run.Usd(unit.Components[2].Initial);
        decimal naked = unit is null ? 0m : run.Usd(unit.Components[3].Initial);
        Figure(unit is null ? 0m : -run.Usd(unit.Components[1].Initial), result.Number("ForwardContingency"), "basis");
        Figure(-perpetual, result.Number("MMPerpCont") + result.Number("IMPerpCont"), "perpetual contingency");
        Figure(-naked, result.Number("MMOptionCont") + result.Number("IMOptionCont"), "naked short contingency");

        // What is left of a margin without the group's risk is contingencies: those of positions, of collateral, and in initial margin of the oracle.
        decimal maintenanceRisk = run.Usd(group.Maintenance.Risk) * parameters.MaintenanceFactor;
        decimal initialRisk = run.Usd(group.Initial.Risk) * InitialFactor(parameters, account);
        Figure(
            run.Maintenance - run.MarkToMarket + maintenanceRisk, DerivePmrm2ReferenceTests.Sum(result, "MMPerpCont", "MMOptionCont", "MMBaseCont"),
            "maintenance contingency");
        Figure(
            run.Initial - run.MarkToMarket + initialRisk,
            DerivePmrm2ReferenceTests.Sum(result, "MMPerpCont", "MMOptionCont", "MMBaseCont", "IMPerpCont", "IMOptionCont", "IMBaseCont", "OracleCont"),
            "initial and oracle contingency");
        Figure(run.MarkToMarket, result.Number("PortfolioMTM"), "mark to market");
        Figure(run.Initial, result.Number("IM"), "initial margin");
        Figure(run.Maintenance, result.Number("MM"), "maintenance margin");
    }

    // At its own size a case has whole micro-USD: one rounding a position and row, one an add-on, balance and expiry, times what the factors make of them.
    private static void CompareOwnSize(string name, DeriveAccount account, DerivePmrm2Parameters parameters, Reproduction own)
    {
        DeriveAccount wire = DeriveDesk.OnTheWire(account, 1m);
        DeriveRun run = DeriveDesk.Run(wire, ModelOf(parameters), 1m, name);
        DerivePmrm2Result sent = DerivePmrm2.Margin(wire, parameters with { Shock = parameters.Shock with { FloorDays = FloorDays(parameters) } });
        decimal factor = InitialFactor(parameters, account) + parameters.BasisAdd + parameters.BasisMultiple;
        decimal weight = Math.Max(1m, parameters.Scenarios.Max(row => row.Damp));
        decimal atoms = 1e-6m * (wire.Options.Count + wire.Expiries.Count + wire.Collaterals.Count + 4) * (1m + (factor * weight));
        decimal magnitude = 1e-12m * (Math.Abs(sent.MarkToMarket) + Math.Abs(sent.Initial) + parameters.ConfidenceMargin);
        own.Case();
        own.Absolute(Math.Abs(run.Initial - sent.Initial) / (atoms + magnitude), 0m, $"{name} initial");
        own.Absolute(Math.Abs(run.Maintenance - sent.Maintenance) / (atoms + magnitude), 0m, $"{name} maintenance");
        own.Absolute(Math.Abs(run.MarkToMarket - sent.MarkToMarket) / (atoms + magnitude), 0m, $"{name} mark to market");
    }

    private static decimal InitialFactor(DerivePmrm2Parameters parameters, DeriveAccount account) =>
        parameters.InitialFactor + (Math.Max(0m, parameters.PegThreshold - account.Stable) * parameters.PegFactor);

    // The shortest time that a document may say.
    private static decimal FloorDays(DerivePmrm2Parameters parameters) => Math.Max(parameters.Shock.FloorDays, 0.001m);

    private static ModelDocument ModelOf(DerivePmrm2Parameters parameters)
    {
        ModelDocument document = ModelDocument.Shipped("derive-pmrm2");
        var rows = new JsonArray();
        foreach (DeriveScenario row in parameters.Scenarios)
        {
            string word = row.Volatility.ToString();
            rows.Add(new JsonObject
            {
                ["spot"] = DeriveDesk.Number(row.SpotFactor - 1m),
                ["volatility"] = char.ToLowerInvariant(word[0]) + word[1..],
                ["weight"] = DeriveDesk.Fine(row.Damp),
            });
        }

        rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(parameters.BasisUp - 1m), ["role"] = "basisUp" });
        rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(parameters.BasisDown - 1m), ["role"] = "basisDown" });
        return document
            .With("grid", null)
            .With("rows", rows)
            .With("addOns", AddOns((JsonArray)document["addOns"]!, parameters))
            .With("requirement.initialFactor", DeriveDesk.Number(parameters.InitialFactor))
            .With("requirement.maintenanceFactor", DeriveDesk.Number(parameters.MaintenanceFactor))
            .With("volatility.shortTermPower", DeriveDesk.Number(parameters.Shock.ShortPower))
            .With("volatility.longTermPower", DeriveDesk.Number(parameters.Shock.LongPower))
            .With("volatility.termFloorDays", DeriveDesk.Number(FloorDays(parameters)))
            .With("underlyings.*.volatilityUp", DeriveDesk.Number(parameters.Shock.Up))
            .With("underlyings.*.volatilityDown", DeriveDesk.Number(parameters.Shock.Down))
            .With("underlyings.*.minimumVolatilityUp", DeriveDesk.Number(parameters.Shock.MinimumUp))
            .With("skew.linearScale", DeriveDesk.Number(parameters.LinearSkew.Scale))
            .With("skew.linearSlope", DeriveDesk.Number(parameters.LinearSkew.Slope))
            .With("skew.absoluteScale", DeriveDesk.Number(parameters.AbsoluteSkew.Scale))
            .With("skew.absoluteSlope", DeriveDesk.Number(parameters.AbsoluteSkew.Slope))
            .With("skew.minimumWidth", DeriveDesk.Number(parameters.MinimumWidth))
            .With("skew.widthScale", DeriveDesk.Number(parameters.WidthScale))
            .With("skew.widthVolatility", DeriveDesk.Number(parameters.WidthVolatility))
            .With("skew.widthVolatilitySlope", DeriveDesk.Number(parameters.WidthVolatilitySlope))
            .With("policyDiscount.longStatic", DeriveDesk.Number(parameters.LongStatic))
            .With("policyDiscount.longRateMultiple", DeriveDesk.Number(parameters.LongRateMultiple))
            .With("policyDiscount.longRateAdd", DeriveDesk.Number(parameters.LongRateAdd))
            .With("policyDiscount.shortStatic", DeriveDesk.Number(parameters.ShortStatic))
            .With("policyDiscount.shortRateMultiple", DeriveDesk.Number(parameters.ShortRateMultiple))
            .With("policyDiscount.shortRateAdd", DeriveDesk.Number(parameters.ShortRateAdd))
            .With("peg.threshold", DeriveDesk.Number(parameters.PegThreshold))
            .With("peg.factor", DeriveDesk.Number(parameters.PegFactor));
    }

    // The document's add-ons with a case's numbers; the document has what initial margin adds up to.
    private static JsonArray AddOns(JsonArray addOns, DerivePmrm2Parameters parameters)
    {
        addOns[0]!["add"] = DeriveDesk.Number(parameters.BasisAdd);
        addOns[0]!["multiple"] = DeriveDesk.Number(parameters.BasisMultiple);
        addOns[1]!["initial"] = DeriveDesk.Number(parameters.InitialPerpetual + parameters.MaintenancePerpetual);
        addOns[1]!["maintenance"] = DeriveDesk.Number(parameters.MaintenancePerpetual);
        addOns[2]!["initial"] = DeriveDesk.Number(parameters.InitialOption + parameters.MaintenanceOption);
        addOns[2]!["maintenance"] = DeriveDesk.Number(parameters.MaintenanceOption);
        addOns[3]!["threshold"] = DeriveDesk.Number(parameters.ConfidenceThreshold);
        addOns[3]!["margin"] = DeriveDesk.Number(parameters.ConfidenceMargin);
        return addOns;
    }
}
