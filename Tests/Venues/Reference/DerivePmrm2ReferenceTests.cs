using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Derive's own portfolio-margin cases, version 2: every file, every row's P&amp;L, every contingency, both margins.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DerivePmrm2ReferenceTests
{
    [Test]
    public void Every_published_case_of_PMRM_2_is_reproduced_with_every_row()
    {
        var tally = new Reproduction("Derive PMRM v2 [V]", 1e-9);
        foreach (ReferenceDocument document in ReferenceData.With("Scenario", "Parameters", "Result"))
        {
            JsonElement result = document.Root.GetProperty("Result");
            DerivePmrm2Parameters parameters = Parameters(document.Root.GetProperty("Parameters"));
            if (parameters.Scenarios.Any(row => IsSkew(row.Volatility) && row.SpotFactor != 1m))
            {
                tally.Skip(document.Name, "a skew row that also moves the spot, an invalid set-up that the venue's own test leaves out");
                continue;
            }

            tally.Case();
            DerivePmrm2Result margin = DerivePmrm2.Margin(Account(document.Root.GetProperty("Scenario")), parameters);
            CompareRows(tally, document.Name, margin, parameters, result);
            tally.Relative(margin.BasisContingency, result.Number("ForwardContingency"), $"{document.Name} basis");
            tally.Relative(-margin.MaintenanceContingency, Sum(result, "MMPerpCont", "MMOptionCont", "MMBaseCont"), $"{document.Name} maintenance contingency");
            tally.Relative(-margin.InitialContingency, Sum(result, "IMPerpCont", "IMOptionCont", "IMBaseCont"), $"{document.Name} initial contingency");
            tally.Relative(-margin.OracleContingency, result.Number("OracleCont"), $"{document.Name} oracle");
            tally.Relative(margin.MarkToMarket, result.Number("PortfolioMTM"), $"{document.Name} mark to market");
            tally.Relative(margin.Initial, result.Number("IM"), $"{document.Name} initial margin");
            tally.Relative(margin.Maintenance, result.Number("MM"), $"{document.Name} maintenance margin");
        }

        tally.Finish();
    }

    private static void CompareRows(Reproduction tally, string name, DerivePmrm2Result margin, DerivePmrm2Parameters parameters, JsonElement result)
    {
        decimal[] published = PublishedRows(name, parameters, result);
        for (int i = 0; i < published.Length; i++)
        {
            tally.Relative(margin.RowPnl[i], published[i], $"{name} {parameters.Scenarios[i]}");
        }
    }

    /// <summary>The published P&amp;L of each of a case's rows, in USD.</summary>
    internal static decimal[] PublishedRows(string name, DerivePmrm2Parameters parameters, JsonElement result)
    {
        var published = new List<(decimal Move, DeriveVolatilityMove Volatility, decimal Pnl)>();
        foreach (JsonElement row in result.Items("reg_losses").Concat(result.Items("tail_losses")))
        {
            published.Add((row[0].AsNumber(), (DeriveVolatilityMove)((int)row[1].AsNumber() + 1), row[2].AsNumber()));
        }

        foreach (JsonElement row in result.Items("skew_losses"))
        {
            published.Add((0m, Move(row[0].GetString()!), row[1].AsNumber()));
        }

        Assert.That(published, Has.Count.EqualTo(parameters.Scenarios.Count), $"{name}: rows");
        return [.. parameters.Scenarios.Select(row =>
        {
            (decimal Move, DeriveVolatilityMove Volatility, decimal Pnl)[] same =
                [.. published.Where(other => other.Volatility == row.Volatility && Math.Abs(other.Move - (row.SpotFactor - 1m)) < 1e-9m)];
            Assert.That(same, Has.Length.EqualTo(1), $"{name}: published rows for {row}");
            return same[0].Pnl;
        })];
    }

    internal static decimal Sum(JsonElement result, params string[] properties) => properties.Sum(property => result.Number(property));

    internal static bool IsSkew(DeriveVolatilityMove move) => move is DeriveVolatilityMove.LinearSkew or DeriveVolatilityMove.AbsoluteSkew;

    internal static DeriveVolatilityMove Move(string name) => name switch
    {
        "Up" => DeriveVolatilityMove.Up,
        "Down" => DeriveVolatilityMove.Down,
        "None" => DeriveVolatilityMove.None,
        "LINEAR" => DeriveVolatilityMove.LinearSkew,
        "ABS" => DeriveVolatilityMove.AbsoluteSkew,
        _ => throw new InvalidDataException($"volatility move '{name}'"),
    };

    internal static DeriveAccount Account(JsonElement scenario)
    {
        DeriveOption[] options = [.. scenario.Items("Options").Select(option => new DeriveOption(
            option.Number("Expiry"), option.Number("Strike"), option.Number("IsCall") != 0m, option.Number("Amount"), option.Number("MarkVol")))];
        return new DeriveAccount
        {
            Spot = scenario.Number("SpotPrice"),
            SpotConfidence = scenario.Number("SpotConfidence"),
            Stable = scenario.Number("StablePrice"),
            Cash = scenario.Number("Cash"),
            Perpetuals = scenario.Number("NumPerps"),
            PerpetualPrice = scenario.Number("PerpPrice"),
            PerpetualConfidence = scenario.Number("PerpConfidence"),
            PerpetualPnl = scenario.Number("UnrealisedPerpPNL"),
            Funding = scenario.Number("UnrealisedFunding"),
            Options = options,
            Expiries = [.. scenario.Items("OptionFeeds").Select(feed => new DeriveExpiry(feed.Number("FeedExpiry"), 0m, feed.Number("Forward"), feed.Number("Rate"),
                Math.Min(feed.Number("ForwardConfidence"), Math.Min(feed.Number("RateConfidence"), feed.Number("OptionVolConfidences")))))],
            Collaterals = [.. scenario.Items("Collaterals").Select(collateral => new DeriveCollateral(
                collateral.Number("Amount"), collateral.Number("Price"), collateral.Number("Confidence"),
                collateral.GetProperty("IsRiskCancelling").GetBoolean(), collateral.Number("MMHaircut"), collateral.Number("IMHaircut")))],
        };
    }

    internal static DerivePmrm2Parameters Parameters(JsonElement parameters)
    {
        JsonElement skew = parameters.GetProperty("SkewShock");
        JsonElement shock = parameters.GetProperty("VolShock");
        JsonElement margin = parameters.GetProperty("Margin");
        JsonElement basis = parameters.GetProperty("BasisContingency");
        JsonElement other = parameters.GetProperty("OtherContingency");
        return new DerivePmrm2Parameters
        {
            Scenarios = [.. parameters.Items("Scenarios").Select(row => new DeriveScenario(row.Number("SpotShock"), Move(row.Text("VolShockDirection")), row.Number("DampeningFactor")))],
            Shock = new DeriveVolatilityShock(shock.Number("VOLRANGEUP"), shock.Number("VOLRANGEDOWN"), shock.Number("SHORTTERMPOWER"),
                shock.Number("LONGTERMPOWER"), shock.Number("DTE_FLOOR"), shock.Number("MIN_VOL_EVAL_SHOCKED")),
            LinearSkew = new DeriveSkewCap(skew.Number("LINEAR_SCALE_CAP"), skew.Number("LINEAR_CBASE")),
            AbsoluteSkew = new DeriveSkewCap(skew.Number("ABS_SCALE_CAP"), skew.Number("ABS_CBASE")),
            MinimumWidth = skew.Number("MIN_K_STAR"),
            WidthScale = skew.Number("MIN_WIDTH_SCALE"),
            WidthVolatility = skew.Number("VOL_PARAM_STATIC"),
            WidthVolatilitySlope = skew.Number("VOL_PARAM_SCALE"),
            InitialFactor = margin.Number("IM_LOSS_FACTOR"),
            MaintenanceFactor = margin.Number("MM_LOSS_FACTOR"),
            LongStatic = margin.Number("BASE_STATIC_DISCOUNT"),
            LongRateMultiple = margin.Number("LONG_RATE_MULTSCALE"),
            LongRateAdd = margin.Number("LONG_RATE_ADDSCALE"),
            ShortStatic = margin.Number("BASE_STATIC_DISCOUNT_NEG"),
            ShortRateMultiple = margin.Number("SHORT_RATE_MULTSCALE"),
            ShortRateAdd = margin.Number("SHORT_RATE_ADDSCALE"),
            BasisUp = basis.Number("SCENARIO_SPOT_UP"),
            BasisDown = basis.Number("SCENARIO_SPOT_DOWN"),
            BasisAdd = basis.Number("BASIS_CONT_ADD_FACTOR"),
            BasisMultiple = basis.Number("BASIS_CONT_MULT_FACTOR"),
            PegThreshold = other.Number("PEG_LOSS_THRESHOLD"),
            PegFactor = other.Number("PEG_LOSS_FACTOR"),
            ConfidenceThreshold = other.Number("CONF_THRESHOLD"),
            ConfidenceMargin = other.Number("CONF_MARGIN"),
            MaintenancePerpetual = other.Number("MM_PERP_PERCENT"),
            InitialPerpetual = other.Number("IM_PERP_PERCENT"),
            MaintenanceOption = other.Number("MM_OPTION_PERCENT"),
            InitialOption = other.Number("IM_OPTION_PERCENT"),
        };
    }
}
