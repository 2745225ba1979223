using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Derive's Standard Manager: the venue's scenario files with every component, and its portfolio cases to the whole USD.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DeriveStandardReferenceTests
{
    private const decimal Wei = 1e18m;
    private const decimal FixingSeconds = 1_800m;

    // The venue's own test allows 0.1 %; the figures agree to the last digit of a double.
    [Test]
    public void Every_scenario_case_of_the_standard_manager_is_reproduced_with_its_components()
    {
        var tally = new Reproduction("Derive Standard Manager scenarios [V]", 1e-9);
        StandardParameters parameters = Parameters(ReferenceData.Groups("derive_srm").First().Root.GetProperty("params"));
        foreach (ReferenceDocument document in ReferenceData.TestsWith("Scenario", "Result"))
        {
            foreach (JsonProperty test in document.Root.EnumerateObject())
            {
                string name = $"{document.Name} {test.Name}";
                JsonElement result = test.Value.GetProperty("Result");
                tally.Case();
                StandardResult margin = DeriveStandardMargin.Margin(ScenarioAccount(test.Value.GetProperty("Scenario")), parameters);
                tally.Relative(margin.Maintenance, result.Number("realMM") / Wei, $"{name} maintenance");
                tally.Relative(margin.Initial, result.Number("realIM") / Wei, $"{name} initial");
                tally.Relative(margin.OptionMaintenance, (result.Number("ETHOptionMM") + result.Number("BTCOptionMM")) / Wei, $"{name} options, maintenance");
                tally.Relative(margin.OptionInitial, (result.Number("ETHOptionIM") + result.Number("BTCOptionIM")) / Wei, $"{name} options, initial");
                tally.Relative(margin.Perpetual, result.Number("PerpMargin") / Wei, $"{name} perpetuals");
                tally.Relative(margin.Oracle, result.Number("OracleConts") / Wei, $"{name} oracle");
                tally.Relative(margin.Depeg, result.Number("DepegIMs") / Wei, $"{name} depeg");
                tally.Relative(margin.Base, result.Number("BaseMargin") / Wei, $"{name} base");
            }
        }

        foreach (ReferenceDocument group in ReferenceData.Groups("derive_srm"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                tally.Case();
                StandardResult margin = DeriveStandardMargin.Margin(ScenarioAccount(test.GetProperty("scenario")), parameters);
                tally.Relative(margin.Maintenance, test.GetProperty("expected").Number("MM"), $"{group.Name} {test.Text("name")} maintenance");
                tally.Relative(margin.Initial, test.GetProperty("expected").Number("IM"), $"{group.Name} {test.Text("name")} initial");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_portfolio_case_of_the_standard_manager_is_reproduced_to_its_printed_dollar()
    {
        var tally = new Reproduction("Derive Standard Manager portfolios [V], whole USD", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_srm_portfolios"))
        {
            JsonElement overrides = group.Root.GetProperty("params");
            JsonElement ether = ReferenceData.Groups("derive_pmrm1_portfolios").First().Root;
            StandardParameters parameters = Parameters(ReferenceData.Groups("derive_srm").First().Root.GetProperty("params")) with
            {
                BaseFactor = overrides.Number("baseMarginFactor"),
                BaseInitialScale = overrides.Number("imScale"),
            };
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string name = test.Text("name");
                JsonElement environment = group.Root.GetProperty("env_overrides").TryGetProperty(name, out JsonElement found) ? found : default;
                tally.Case();
                StandardResult margin = DeriveStandardMargin.Margin(PortfolioAccount(test, environment, overrides.GetProperty("btc"), ether), parameters);
                tally.Truncated(margin.Initial, test.GetProperty("expected").Number("im"), $"{group.Name} {name} initial");
                tally.Truncated(margin.Maintenance, test.GetProperty("expected").Number("mm"), $"{group.Name} {name} maintenance");
            }
        }

        tally.Finish();
    }

    /// <summary>Amounts stand in the scenario as integers of 1e-18; the part of the forward that the settlement average has fixed as a plain fraction.</summary>
    internal static StandardAccount ScenarioAccount(JsonElement scenario)
    {
        string[] coins = ["ETH", "BTC"];
        var markets = new Dictionary<string, StandardMarket>();
        var perpetuals = new List<StandardPerpetual>();
        for (int i = 0; i < coins.Length; i++)
        {
            JsonElement confidences = scenario.GetProperty("SpotPerpConfidences")[i];
            decimal price = scenario.GetProperty("PerpPrice")[i].AsNumber() / Wei;
            markets[coins[i]] = new StandardMarket(scenario.Number($"{coins[i]}SpotPrice") / Wei, confidences[0].AsNumber() / Wei, price, confidences[1].AsNumber() / Wei);
            decimal amount = scenario.Number($"Perps_{coins[i]}") / Wei;
            // Who is long pays the rise of the funding index, in USD per unit.
            decimal funding = (scenario.Number($"Account{coins[i]}FundingIndex", 0m) - scenario.Number($"{coins[i]}GlobalFundingIndex", 0m)) / Wei;
            decimal gain = price - scenario.Number($"LastEntry{coins[i]}", price * Wei) / Wei;
            if (amount != 0m)
                perpetuals.Add(new StandardPerpetual(coins[i], amount, amount * (gain + funding)));
        }

        int options = scenario.GetProperty("OptionStrikes").GetArrayLength();
        return new StandardAccount(
            scenario.Number("Cash") / Wei,
            scenario.Number("USDCValue") / Wei,
            markets,
            [.. Enumerable.Range(0, options).Select(i => ScenarioOption(scenario, i))],
            perpetuals,
            [.. coins.Select(coin => new StandardBase(coin, scenario.Number($"w{coin}") / Wei))]);
    }

    private static StandardOption ScenarioOption(JsonElement scenario, int i)
    {
        decimal At(string property) => scenario.GetProperty(property)[i].AsNumber();

        string coin = scenario.GetProperty("OptionUnderlying")[i].GetString()!;
        decimal seconds = At("OptionExpiries");
        decimal forward = At("Forwards") / Wei;
        if (seconds < FixingSeconds)
        {
            decimal fixedPart = scenario.Number($"PercentFixed{coin}", 0m);
            forward = fixedPart * scenario.Number($"TWAP_{coin}", 0m) / Wei + (1m - fixedPart) * forward;
        }

        decimal strike = At("OptionStrikes") / Wei;
        bool isCall = At("OptionIsCall") != 0m;
        decimal mark = ReferenceOptions.Black76(forward, strike, seconds / ReferenceOptions.SecondsPerYear, At("OptionVols") / Wei, isCall);
        decimal confidence = Math.Min(At("OptionVolConfidences"), At("ForwardConfidences")) / Wei;
        return new StandardOption(coin, seconds, strike, isCall, At("OptionAmounts") / Wei, mark, forward, confidence);
    }

    internal static StandardAccount PortfolioAccount(JsonElement test, JsonElement environment, JsonElement bitcoin, JsonElement ether)
    {
        decimal Changed(string property, decimal otherwise)
            => environment.ValueKind == JsonValueKind.Object ? environment.Number(property, otherwise) : otherwise;

        JsonElement defaults = ether.GetProperty("defaults");
        decimal spotConfidence = Changed("spotConf", 1m);
        var markets = new Dictionary<string, StandardMarket>
        {
            ["eth"] = new(defaults.Number("spot"), spotConfidence, defaults.Number("perp"), Changed("perpConf", 1m)),
            ["btc"] = new(bitcoin.Number("spot"), 1m, bitcoin.Number("perp"), 1m),
        };
        var options = new List<StandardOption>();
        foreach (JsonElement option in test.Items("options"))
        {
            string coin = option[0].GetString()!;
            string expiry = option[1].GetString()!;
            decimal seconds = ether.GetProperty("expiry_sec").Number(expiry);
            decimal forward = markets[coin].Spot + (coin == "btc" ? bitcoin : ether).GetProperty("forward_basis").Number(expiry);
            decimal confidence = coin == "eth" ? Changed($"volConf_{expiry}", 1m) : 1m;
            if (coin == "eth" && environment.ValueKind == JsonValueKind.Object && environment.TryGetProperty($"fwd_{expiry}", out JsonElement feed))
            {
                forward = feed[0].AsNumber();
                confidence = Math.Min(confidence, feed[1].AsNumber());
            }

            decimal mark = ReferenceOptions.Black76(forward, option[2].AsNumber(), seconds / ReferenceOptions.SecondsPerYear, defaults.Number("vol"), option[3].GetBoolean());
            options.Add(new StandardOption(coin, seconds, option[2].AsNumber(), option[3].GetBoolean(), option[4].AsNumber(), mark, forward, confidence));
        }

        return new StandardAccount(
            test.Number("cash"),
            Changed("stable", 1m),
            markets,
            options,
            [.. test.Items("perps").Select(position => new StandardPerpetual(position[0].GetString()!, position[1].AsNumber(),
                position[1].AsNumber() * (markets[position[0].GetString()!].PerpetualPrice - position[2].AsNumber())))],
            [.. test.Items("bases").Select(held => new StandardBase(held[0].GetString()!, held[1].AsNumber()))]);
    }

    internal static StandardParameters Parameters(JsonElement parameters) => new()
    {
        MaximumSpotRequirement = parameters.Number("maxSpotReq"),
        MinimumSpotRequirement = parameters.Number("minSpotReq"),
        CallMaintenance = parameters.Number("mmCall"),
        PutMaintenance = parameters.Number("mmPut"),
        PutMaintenanceOfMark = parameters.Number("mmPutMtM"),
        UnpairedInitial = parameters.Number("unpairedIM"),
        UnpairedMaintenance = parameters.Number("unpairedMM"),
        PutInitialOverMaintenance = parameters.Number("mmOffsetScale"),
        PerpetualInitial = parameters.Number("perpIM"),
        PerpetualMaintenance = parameters.Number("perpMM"),
        OracleThreshold = parameters.GetProperty("oracle").Number("threshold"),
        OracleFactor = parameters.GetProperty("oracle").Number("factor"),
        DepegThreshold = parameters.GetProperty("depeg").Number("threshold"),
        DepegFactor = parameters.GetProperty("depeg").Number("factor"),
        BaseFactor = parameters.Number("baseMarginFactor"),
        BaseInitialScale = parameters.Number("imScale"),
    };
}
