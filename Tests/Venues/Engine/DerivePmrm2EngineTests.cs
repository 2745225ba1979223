using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// The engine with <c>derive-pmrm2</c> and each published case's own parameters: every file, row, contingency and margin. A message has eight decimals where the
/// files have seventeen (volatilities, the stable coin, dampeners), so a figure is compared with the published one plus what that rounding of the inputs does to it in
/// the independent formula, to 1e-9; and with the published one alone, to what the rounding may do.
/// </summary>
[TestFixture]
internal sealed class DerivePmrm2EngineTests
{
    // A volatility beyond this is refused at the door.
    private const double LargestVolatility = 50.0;

    [Test]
    public void Every_published_case_of_PMRM_2_comes_out_of_the_engine_with_every_row()
    {
        var exact = new Reproduction("engine: Derive PMRM v2, at the digits of its messages [V]", 1e-9);
        var plain = new Reproduction("engine: Derive PMRM v2, against the published digits [V]", 1e-6);
        var own = new Reproduction("engine: Derive PMRM v2, at the case's own size, atoms", 1.0);
        foreach (ReferenceDocument document in ReferenceData.With("Scenario", "Parameters", "Result"))
        {
            DerivePmrm2Parameters parameters = DerivePmrm2ReferenceTests.Parameters(document.Root.GetProperty("Parameters"));
            DeriveAccount account = DerivePmrm2ReferenceTests.Account(document.Root.GetProperty("Scenario"));
            if (parameters.Scenarios.Any(row => DerivePmrm2ReferenceTests.IsSkew(row.Volatility) && row.SpotFactor != 1.0))
            {
                exact.Skip(document.Name, "a skew row that also moves the spot, an invalid set-up that the venue's own test leaves out");
                continue;
            }

            if (account.Options.Any(option => option.Volatility > LargestVolatility))
            {
                exact.Skip(document.Name, $"a volatility of {account.Options.Max(option => option.Volatility):f0}, which the engine refuses: the largest is {LargestVolatility}");
                continue;
            }

            Compare(document, account, parameters, exact, plain, own);
        }

        Assert.Multiple(() =>
        {
            exact.Finish();
            plain.Finish();
            own.Finish();
        });
    }

    private static void Compare(
        ReferenceDocument document, DeriveAccount account, DerivePmrm2Parameters parameters, Reproduction exact, Reproduction plain, Reproduction own)
    {
        string name = document.Name;
        JsonElement result = document.Root.GetProperty("Result");
        ModelDocument model = ModelOf(parameters);
        DerivePmrm2Parameters rounded = OnTheWire(parameters);
        double scale = DeriveDesk.ScaleOf(account, parameters.Scenarios.Max(row => Math.Abs(row.SpotFactor - 1.0)));
        DeriveAccount wire = DeriveDesk.OnTheWire(account, scale);
        DeriveRun run = DeriveDesk.Run(wire, model, scale, name);
        DerivePmrm2Result told = DerivePmrm2.Margin(account, parameters);
        DerivePmrm2Result sent = DerivePmrm2.Margin(wire, rounded);
        exact.Case();
        plain.Case();

        // A figure near zero of a large book shows no more digits than the atoms and the rounded inputs of its positions leave.
        double floor = Math.Max(1.0, (account.Options.Count + account.Expiries.Count + account.Collaterals.Count + 4) * 1e3 / scale);
        double gross = (Math.Abs(account.Perpetuals) * account.PerpetualPrice) + account.Options.Sum(option => Math.Abs(option.Amount) * account.Spot)
            + account.Collaterals.Sum(collateral => Math.Abs(collateral.Amount) * collateral.Price / account.Stable);

        void Figure(double actual, double published, Func<DerivePmrm2Result, double> of, string figure)
        {
            exact.Relative(actual, published + (of(sent) / scale) - of(told), $"{name} {figure}", floor);
            plain.Relative(actual, published, $"{name} {figure}", Math.Max(floor, 0.1 * gross));
        }

        GroupReport group = run.Report.Groups.SingleOrDefault()
            ?? new GroupReport("", -1, default, default, [.. parameters.Scenarios.Select((_, row) => new GroupRowReport(row, 0, default, true, 0))]);
        double[] published = DerivePmrm2ReferenceTests.PublishedRows(name, parameters, result);
        for (int row = 0; row < published.Length; row++)
        {
            Figure(run.Usd(group.Rows[row].Profit), published[row], margin => margin.RowPnl[row], parameters.Scenarios[row].ToString());
        }

        UnitReport? unit = run.Report.Units.SingleOrDefault();
        double perpetual = unit is null ? 0.0 : run.Usd(unit.Components[2].Initial);
        double naked = unit is null ? 0.0 : run.Usd(unit.Components[3].Initial);
        Figure(unit is null ? 0.0 : -run.Usd(unit.Components[1].Initial), result.Number("ForwardContingency"), margin => margin.BasisContingency, "basis");
        plain.Relative(-perpetual, result.Number("MMPerpCont") + result.Number("IMPerpCont"), $"{name} perpetual contingency", floor);
        plain.Relative(-naked, result.Number("MMOptionCont") + result.Number("IMOptionCont"), $"{name} naked short contingency", floor);

        // What is left of a margin without the group's risk is contingencies: those of positions, of collateral, and in initial margin of the oracle.
        double maintenanceRisk = run.Usd(group.Maintenance.Risk) * rounded.MaintenanceFactor;
        double initialRisk = run.Usd(group.Initial.Risk) * (rounded.InitialFactor + Math.Max(0.0, rounded.PegThreshold - wire.Stable) * rounded.PegFactor);
        Figure(
            run.Maintenance - run.MarkToMarket + maintenanceRisk, DerivePmrm2ReferenceTests.Sum(result, "MMPerpCont", "MMOptionCont", "MMBaseCont"),
            margin => -margin.MaintenanceContingency, "maintenance contingency");
        Figure(
            run.Initial - run.MarkToMarket + initialRisk,
            DerivePmrm2ReferenceTests.Sum(result, "MMPerpCont", "MMOptionCont", "MMBaseCont", "IMPerpCont", "IMOptionCont", "IMBaseCont", "OracleCont"),
            margin => -margin.MaintenanceContingency - margin.InitialContingency - margin.OracleContingency, "initial and oracle contingency");
        Figure(run.MarkToMarket, result.Number("PortfolioMTM"), margin => margin.MarkToMarket, "mark to market");
        Figure(run.Initial, result.Number("IM"), margin => margin.Initial, "initial margin");
        Figure(run.Maintenance, result.Number("MM"), margin => margin.Maintenance, "maintenance margin");
        CompareOwnSize(name, account, model, rounded, own);
    }

    // At its own size a case has whole micro-USD: one rounding a position and row, one an add-on, balance and expiry, times what the factors make of them.
    private static void CompareOwnSize(string name, DeriveAccount account, ModelDocument model, DerivePmrm2Parameters rounded, Reproduction own)
    {
        DeriveAccount wire = DeriveDesk.OnTheWire(account, 1.0);
        DeriveRun run = DeriveDesk.Run(wire, model, 1.0, name);
        DerivePmrm2Result sent = DerivePmrm2.Margin(wire, rounded);
        double factor = rounded.InitialFactor + Math.Max(0.0, rounded.PegThreshold - wire.Stable) * rounded.PegFactor + rounded.BasisAdd + rounded.BasisMultiple;
        double weight = Math.Max(1.0, rounded.Scenarios.Max(row => row.Damp));
        double atoms = 1e-6 * (wire.Options.Count + wire.Expiries.Count + wire.Collaterals.Count + 4) * (1.0 + (factor * weight));
        double magnitude = 1e-12 * (Math.Abs(sent.MarkToMarket) + Math.Abs(sent.Initial) + rounded.ConfidenceMargin);
        own.Case();
        own.Absolute(Math.Abs(run.Initial - sent.Initial) / (atoms + magnitude), 0.0, $"{name} initial");
        own.Absolute(Math.Abs(run.Maintenance - sent.Maintenance) / (atoms + magnitude), 0.0, $"{name} maintenance");
        own.Absolute(Math.Abs(run.MarkToMarket - sent.MarkToMarket) / (atoms + magnitude), 0.0, $"{name} mark to market");
    }

    private static DerivePmrm2Parameters OnTheWire(DerivePmrm2Parameters parameters) => parameters with
    {
        Scenarios = [.. parameters.Scenarios.Select(row => row with { SpotFactor = 1.0 + VenueDesk.Wire(row.SpotFactor - 1.0), Damp = VenueDesk.Wire(row.Damp) })],
        Shock = parameters.Shock with { FloorDays = Math.Max(parameters.Shock.FloorDays, 0.001) },
    };

    private static ModelDocument ModelOf(DerivePmrm2Parameters parameters)
    {
        ModelDocument document = ModelDocument.Shipped("derive-pmrm2");
        var rows = new JsonArray();
        foreach (DeriveScenario row in parameters.Scenarios)
        {
            string word = row.Volatility.ToString();
            rows.Add(new JsonObject
            {
                ["spot"] = DeriveDesk.Number(row.SpotFactor - 1.0),
                ["volatility"] = char.ToLowerInvariant(word[0]) + word[1..],
                ["weight"] = DeriveDesk.Number(row.Damp),
            });
        }

        rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(parameters.BasisUp - 1.0), ["role"] = "basisUp" });
        rows.Add(new JsonObject { ["spot"] = DeriveDesk.Number(parameters.BasisDown - 1.0), ["role"] = "basisDown" });
        return document
            .With("grid", null)
            .With("rows", rows)
            .With("addOns", AddOns((JsonArray)document["addOns"]!, parameters))
            .With("requirement.initialFactor", DeriveDesk.Number(parameters.InitialFactor))
            .With("requirement.maintenanceFactor", DeriveDesk.Number(parameters.MaintenanceFactor))
            .With("volatility.shortTermPower", DeriveDesk.Number(parameters.Shock.ShortPower))
            .With("volatility.longTermPower", DeriveDesk.Number(parameters.Shock.LongPower))
            .With("volatility.termFloorDays", DeriveDesk.Number(Math.Max(parameters.Shock.FloorDays, 0.001)))
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
