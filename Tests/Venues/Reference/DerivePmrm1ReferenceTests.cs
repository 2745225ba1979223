using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Derive's portfolio-margin cases, version 1: scenario cases in full digits and portfolio cases truncated to whole USD.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DerivePmrm1ReferenceTests
{
    [Test]
    public void Every_scenario_case_of_PMRM_1_is_reproduced()
    {
        var tally = new Reproduction("Derive PMRM v1 scenarios [V]", 1e-6);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_pmrm1_verify"))
        {
            DerivePmrm1Parameters parameters = Parameters(group.Root.GetProperty("params"));
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string name = $"{group.Name} {test.Text("name")}";
                tally.Case();
                DerivePmrm1Result margin = DerivePmrm1.Margin(ScenarioAccount(test), parameters);
                JsonElement expected = test.GetProperty("expected");
                tally.Relative(margin.Maintenance, expected.Number("MM"), $"{name} maintenance");
                tally.Relative(margin.Initial, expected.Number("IM"), $"{name} initial");
                tally.Relative(margin.MarkToMarket, expected.Number("mtm"), $"{name} mark to market");
                tally.Relative(margin.BasisContingency, expected.Number("forward_contingency"), $"{name} basis");
                tally.Relative(margin.AssetContingency, expected.Number("asset_contingency"), $"{name} asset");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_portfolio_case_of_PMRM_1_is_reproduced_to_its_printed_dollar()
    {
        var tally = new Reproduction("Derive PMRM v1 portfolios [V], whole USD", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_pmrm1_portfolios"))
        {
            JsonElement overrides = group.Root.GetProperty("params_override");
            ReferenceDocument scenarios = ReferenceData.Groups("derive_pmrm1_verify").First();
            DerivePmrm1Parameters parameters = Parameters(scenarios.Root.GetProperty("params")) with
            {
                RateAdd = overrides.Number("rateAddScale"),
                ConfidenceMargin = overrides.Number("confMargin"),
                BasePercent = overrides.Number("basePercent"),
                PerpetualPercent = overrides.Number("perpPercent"),
            };
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string name = $"{group.Name} {test.Text("name")}";
                tally.Case();
                DerivePmrm1Result margin = DerivePmrm1.Margin(PortfolioAccount(test, group.Root), parameters);
                tally.Truncated(margin.Initial, test.GetProperty("expected").Number("im"), $"{name} initial");
                tally.Truncated(margin.Maintenance, test.GetProperty("expected").Number("mm"), $"{name} maintenance");
            }
        }

        tally.Finish();
    }

    /// <summary>Options are [seconds, strike, call, amount, volatility, confidence]; feeds [seconds, fixed, variable, confidence, rate, confidence], one per option.</summary>
    internal static DeriveAccount ScenarioAccount(JsonElement test)
    {
        JsonElement[] options = [.. test.Items("options")];
        JsonElement[] feeds = [.. test.Items("feeds")];
        var expiries = new SortedDictionary<decimal, DeriveExpiry>();
        for (int i = 0; i < options.Length; i++)
        {
            decimal confidence = Math.Min(options[i][5].AsNumber(), Math.Min(feeds[i][3].AsNumber(), feeds[i][5].AsNumber()));
            decimal seconds = feeds[i][0].AsNumber();
            if (expiries.TryGetValue(seconds, out DeriveExpiry? same))
                confidence = Math.Min(confidence, same.Confidence);
            expiries[seconds] = new DeriveExpiry(seconds, feeds[i][1].AsNumber(), feeds[i][2].AsNumber(), feeds[i][4].AsNumber(), confidence);
        }

        return new DeriveAccount
        {
            Spot = test.GetProperty("spot")[0].AsNumber(),
            SpotConfidence = test.GetProperty("spot")[1].AsNumber(),
            Stable = test.Number("stable"),
            Cash = test.Number("cash"),
            Perpetuals = test.GetProperty("perp")[0].AsNumber(),
            PerpetualPrice = test.GetProperty("perp")[1].AsNumber(),
            PerpetualConfidence = test.GetProperty("perp")[2].AsNumber(),
            PerpetualPnl = test.GetProperty("upnl_funding")[0].AsNumber(),
            Funding = test.GetProperty("upnl_funding")[1].AsNumber(),
            Options = [.. options.Select(option => new DeriveOption(
                option[0].AsNumber(), option[1].AsNumber(), option[2].GetBoolean(), option[3].AsNumber(), option[4].AsNumber()))],
            Expiries = [.. expiries.Values],
            Collaterals = [new DeriveCollateral(test.Number("base"), 0m, 1m, true, 0m, 0m)],
        };
    }

    internal static DeriveAccount PortfolioAccount(JsonElement test, JsonElement group)
    {
        JsonElement defaults = group.GetProperty("defaults");
        JsonElement environment = test.GetProperty("env");
        decimal spot = defaults.Number("spot");
        decimal perpetual = environment.TryGetProperty("perp", out JsonElement feed) ? feed[0].AsNumber() : defaults.Number("perp");
        var options = new List<DeriveOption>();
        var expiries = new Dictionary<decimal, DeriveExpiry>();
        foreach (JsonElement option in test.Items("options"))
        {
            string expiry = option[0].GetString()!;
            decimal seconds = group.GetProperty("expiry_sec").Number(expiry);
            (decimal forward, decimal confidence) = Pair(environment, "fwd", expiry, spot + group.GetProperty("forward_basis").Number(expiry));
            (decimal volatility, decimal certain) = Pair(environment, "vol", $"{expiry}/{option[1].AsNumber()}", defaults.Number("vol"));
            options.Add(new DeriveOption(seconds, option[1].AsNumber(), option[2].GetBoolean(), option[3].AsNumber(), volatility));
            decimal lowest = Math.Min(Math.Min(confidence, certain), expiries.TryGetValue(seconds, out DeriveExpiry? same) ? same.Confidence : 1m);
            expiries[seconds] = new DeriveExpiry(seconds, 0m, forward, defaults.Number("rate"), lowest);
        }

        JsonElement[] perpetuals = [.. test.Items("perps")];
        return new DeriveAccount
        {
            Spot = spot,
            SpotConfidence = environment.Number("spotConf", 1m),
            Stable = environment.Number("stable", 1m),
            Cash = test.Number("cash"),
            Perpetuals = perpetuals.Sum(position => position[0].AsNumber()),
            PerpetualPrice = perpetual,
            PerpetualConfidence = environment.TryGetProperty("perp", out JsonElement certainty) ? certainty[1].AsNumber() : 1m,
            PerpetualPnl = perpetuals.Sum(position => position[0].AsNumber() * (perpetual - position[1].AsNumber())),
            Options = options,
            Expiries = [.. expiries.Values],
            Collaterals = [new DeriveCollateral(test.Number("bases"), 0m, 1m, true, 0m, 0m)],
        };
    }

    /// <summary>An override [value, confidence] of the environment, else the default at full confidence.</summary>
    private static (decimal Value, decimal Confidence) Pair(JsonElement environment, string feed, string key, decimal otherwise)
        => environment.TryGetProperty(feed, out JsonElement overrides) && overrides.TryGetProperty(key, out JsonElement pair)
            ? (pair[0].AsNumber(), pair[1].AsNumber())
            : (otherwise, 1m);

    /// <summary>The rows stand in words in the document: seven spot factors by three volatility moves.</summary>
    internal static DerivePmrm1Parameters Parameters(JsonElement parameters)
    {
        string words = parameters.Text("scenarios");
        decimal[] factors = [.. words[(words.IndexOf('{') + 1)..words.IndexOf('}')].Split(',').Select(decimal.Parse)];
        string[] moves = words[(words.LastIndexOf('{') + 1)..words.LastIndexOf('}')].Split(',');
        return new DerivePmrm1Parameters
        {
            Scenarios = [.. factors.SelectMany(factor => moves.Select(move => new DeriveScenario(factor, Enum.Parse<DeriveVolatilityMove>(move), 1m)))],
            Shock = new DeriveVolatilityShock(parameters.Number("volRangeUp"), parameters.Number("volRangeDown"), parameters.Number("shortTermPower"),
                parameters.Number("longTermPower"), parameters.Number("dteFloorDays"), 0m),
            InitialFactor = parameters.Number("imFactor"),
            StaticDiscount = parameters.Number("baseStaticDiscount"),
            RateMultiple = parameters.Number("rateMultScale"),
            RateAdd = parameters.Number("rateAddScale"),
            BasisUp = parameters.Number("basisUp"),
            BasisDown = parameters.Number("basisDown"),
            BasisAdd = parameters.Number("basisAdd"),
            BasisMultiple = parameters.Number("basisMult"),
            PegThreshold = parameters.Number("pegLossThreshold"),
            PegFactor = parameters.Number("pegLossFactor"),
            ConfidenceThreshold = parameters.Number("confThreshold"),
            ConfidenceMargin = parameters.Number("confMargin"),
            BasePercent = parameters.Number("basePercent"),
            PerpetualPercent = parameters.Number("perpPercent"),
            OptionPercent = parameters.Number("optionPercent"),
        };
    }
}
