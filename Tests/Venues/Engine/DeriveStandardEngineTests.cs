using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// The engine with <c>derive-standard</c>: options, perpetuals and coins of two underlyings, in full digits and to the whole USD. The volatility of an option goes
/// in with eight decimals, which moves a mark of a few dollars by 1e-8 of itself.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DeriveStandardEngineTests
{
    private const int CoinDecimals = 8;

    [Test]
    public void Every_scenario_case_of_the_standard_manager_comes_out_of_the_engine_with_its_components()
    {
        var tally = new Reproduction("engine: Derive Standard Manager scenarios [V]", 1e-6);
        StandardParameters parameters = DeriveStandardReferenceTests.Parameters(ReferenceData.Groups("derive_srm").First().Root.GetProperty("params"));
        foreach (ReferenceDocument document in ReferenceData.TestsWith("Scenario", "Result"))
        {
            foreach (JsonProperty test in document.Root.EnumerateObject())
            {
                string name = $"{document.Name} {test.Name}";
                JsonElement result = test.Value.GetProperty("Result");
                JsonElement scenario = test.Value.GetProperty("Scenario");
                StandardRun run = Run(DeriveStandardReferenceTests.ScenarioAccount(scenario), Volatilities(scenario), parameters, name);
                tally.Case();
                tally.Relative(run.Maintenance, result.Number("realMM") / 1e18m, $"{name} maintenance");
                tally.Relative(run.Initial, result.Number("realIM") / 1e18m, $"{name} initial");
                tally.Relative(-run.Component(0, initial: false), (result.Number("ETHOptionMM") + result.Number("BTCOptionMM")) / 1e18m, $"{name} options, maintenance");
                tally.Relative(-run.Component(0, initial: true), (result.Number("ETHOptionIM") + result.Number("BTCOptionIM")) / 1e18m, $"{name} options, initial");
                tally.Relative(-run.Component(1, initial: false), result.Number("PerpMargin") / 1e18m, $"{name} perpetuals");
                tally.Relative(-run.Component(3, initial: true), result.Number("DepegIMs") / 1e18m, $"{name} depeg");
            }
        }

        foreach (ReferenceDocument group in ReferenceData.Groups("derive_srm"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                JsonElement scenario = test.GetProperty("scenario");
                string name = $"{group.Name} {test.Text("name")}";
                StandardRun run = Run(DeriveStandardReferenceTests.ScenarioAccount(scenario), Volatilities(scenario), parameters, name);
                tally.Case();
                tally.Relative(run.Maintenance, test.GetProperty("expected").Number("MM"), $"{name} maintenance");
                tally.Relative(run.Initial, test.GetProperty("expected").Number("IM"), $"{name} initial");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_portfolio_case_of_the_standard_manager_comes_out_of_the_engine_to_its_printed_dollar()
    {
        var tally = new Reproduction("engine: Derive Standard Manager portfolios [V], whole USD", 1e-5);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_srm_portfolios"))
        {
            JsonElement overrides = group.Root.GetProperty("params");
            JsonElement ether = ReferenceData.Groups("derive_pmrm1_portfolios").First().Root;
            StandardParameters parameters = DeriveStandardReferenceTests.Parameters(ReferenceData.Groups("derive_srm").First().Root.GetProperty("params")) with
            {
                BaseFactor = overrides.Number("baseMarginFactor"),
                BaseInitialScale = overrides.Number("imScale"),
            };
            decimal volatility = ether.GetProperty("defaults").Number("vol");
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                string name = test.Text("name");
                JsonElement environment = group.Root.GetProperty("env_overrides").TryGetProperty(name, out JsonElement found) ? found : default;
                StandardAccount account = DeriveStandardReferenceTests.PortfolioAccount(test, environment, overrides.GetProperty("btc"), ether);
                StandardRun run = Run(account, [.. account.Options.Select(_ => volatility)], parameters, $"{group.Name} {name}");
                tally.Case();
                tally.Truncated(run.Initial, test.GetProperty("expected").Number("im"), $"{group.Name} {name} initial");
                tally.Truncated(run.Maintenance, test.GetProperty("expected").Number("mm"), $"{group.Name} {name} maintenance");
            }
        }

        tally.Finish();
    }

    private static decimal[] Volatilities(JsonElement scenario) => [.. scenario.Items("OptionVols").Select(volatility => volatility.AsNumber() / 1e18m)];

    private static StandardRun Run(StandardAccount account, decimal[] volatilities, StandardParameters parameters, string name)
    {
        decimal largest = account.Options.Select(option => Math.Abs(option.Amount) * (option.Mark + (4m * (option.Strike + option.Forward)))).Append(1m).Max();
        decimal scale = largest < 1e6m ? 1_000m : largest < 1e8m ? 10m : 1m;
        using var desk = new VenueDesk();
        ushort stable = desk.Currency("USDC", CoinDecimals);
        ushort peg = desk.Underlying("USDC", stable);
        var coins = new Dictionary<string, (ushort Currency, ushort Underlying)>();
        foreach (string coin in account.Markets.Keys)
        {
            ushort currency = desk.Currency(coin.ToUpperInvariant(), CoinDecimals);
            coins[coin] = (currency, desk.Underlying(coin.ToUpperInvariant(), currency));
        }

        desk.Model(ModelOf(parameters));
        desk.Index(peg, account.Stable);
        foreach ((string coin, StandardMarket market) in account.Markets)
        {
            desk.Index(coins[coin].Underlying, market.Spot, market.SpotConfidence);
        }

        SendOptions(desk, account, volatilities, coins, scale);
        decimal profit = 0m;
        foreach (StandardPerpetual perpetual in account.Perpetuals)
        {
            StandardMarket market = account.Markets[perpetual.Coin];
            uint instrument = desk.Perpetual(coins[perpetual.Coin].Underlying);
            desk.Mark(instrument, market.PerpetualPrice, market.PerpetualConfidence);
            desk.Hold(instrument, perpetual.Amount * scale, market.PerpetualPrice);
            profit += perpetual.Pnl;
        }

        foreach (StandardBase held in account.Bases)
        {
            desk.Deposit(coins[held.Coin].Currency, held.Amount * scale, CoinDecimals);
        }

        desk.Cash((account.Cash + profit) * scale, coins.Values.First().Underlying);
        return new StandardRun(desk.Report(name), scale);
    }

    private static void SendOptions(
        VenueDesk desk, StandardAccount account, decimal[] volatilities, Dictionary<string, (ushort Currency, ushort Underlying)> coins, decimal scale)
    {
        // An expiry has one confidence of its forward; that of a volatility is each option's own.
        var instruments = new List<uint>();
        var known = new HashSet<(string, decimal)>();
        for (int i = 0; i < account.Options.Count; i++)
        {
            StandardOption option = account.Options[i];
            ushort underlying = coins[option.Coin].Underlying;
            uint instrument = desk.Option(underlying, VenueDesk.Usd, option.IsCall, option.Strike, desk.In(option.Seconds));
            if (known.Add((option.Coin, option.Seconds)))
                desk.Forward(underlying, desk.In(option.Seconds), option.Forward);
            decimal confidence = account.Options.Where(other => other.Coin == option.Coin && other.Seconds == option.Seconds).Min(other => other.Confidence);
            desk.Volatility(instrument, volatilities[i], confidence);
            instruments.Add(instrument);
        }

        for (int i = 0; i < instruments.Count; i++)
        {
            desk.Hold(instruments[i], account.Options[i].Amount * scale);
        }
    }

    private static ModelDocument ModelOf(StandardParameters parameters)
    {
        ModelDocument document = ModelDocument.Shipped("derive-standard");
        var addOns = (JsonArray)document["addOns"]!;
        addOns[0]!["spotMaximum"] = DeriveDesk.Number(parameters.MaximumSpotRequirement);
        addOns[0]!["spotMinimum"] = DeriveDesk.Number(parameters.MinimumSpotRequirement);
        addOns[0]!["callMaintenance"] = DeriveDesk.Number(parameters.CallMaintenance);
        addOns[0]!["putMaintenance"] = DeriveDesk.Number(parameters.PutMaintenance);
        addOns[0]!["putMaintenanceOfMark"] = DeriveDesk.Number(parameters.PutMaintenanceOfMark);
        addOns[0]!["putInitialOverMaintenance"] = DeriveDesk.Number(parameters.PutInitialOverMaintenance);
        addOns[0]!["unpairedInitial"] = DeriveDesk.Number(parameters.UnpairedInitial);
        addOns[0]!["unpairedMaintenance"] = DeriveDesk.Number(parameters.UnpairedMaintenance);
        addOns[1]!["initial"] = DeriveDesk.Number(parameters.PerpetualInitial);
        addOns[1]!["maintenance"] = DeriveDesk.Number(parameters.PerpetualMaintenance);
        addOns[2]!["threshold"] = DeriveDesk.Number(parameters.OracleThreshold);
        addOns[2]!["margin"] = DeriveDesk.Number(parameters.OracleFactor);
        addOns[3]!["threshold"] = DeriveDesk.Number(parameters.DepegThreshold);
        addOns[3]!["factor"] = DeriveDesk.Number(parameters.DepegFactor);
        JsonNode charged = DeriveDesk.Number(1m - parameters.BaseFactor);
        JsonNode more = DeriveDesk.Number(parameters.BaseFactor * (1m - parameters.BaseInitialScale));
        return document
            .With("addOns", addOns)
            .With("currencies.ETH.maintenanceHaircut", charged)
            .With("currencies.BTC.maintenanceHaircut", charged)
            .With("currencies.ETH.initialHaircut", more)
            .With("currencies.BTC.initialHaircut", more);
    }

    /// <summary>Margins in Derive's sign, USD of the case's own size.</summary>
    private sealed record StandardRun(MarginReport Report, decimal Scale)
    {
        public decimal Initial => (Report.Margin.Equity - Report.Margin.Initial) / 1e6m / Scale;

        public decimal Maintenance => (Report.Margin.Equity - Report.Margin.Maintenance) / 1e6m / Scale;

        public decimal Component(int addOn, bool initial) =>
            Report.Units.Sum(unit => unit.Components.Where(part => part.AddOn == addOn).Sum(part => initial ? part.Initial : part.Maintenance)) / 1e6m / Scale;
    }
}
