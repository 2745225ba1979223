using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// The engine with <c>paradex-pm</c> against the runs of the venue's own engine, orders included. That engine takes deltas as inputs; ours computes its own: how far they
/// agree is a tally of its own.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ParadexEngineTests
{
    private const decimal LeastPrice = 1e-8m;

    [Test]
    public void Every_run_of_the_venues_engine_comes_out_of_ours()
    {
        var tally = new Reproduction("engine: Paradex engine runs [C]", 1e-5);
        var deltas = new Reproduction("engine: Paradex deltas, the perpetual's taken as mark / index, as the venue has it (ours is 1)", 1e-6);
        foreach (ReferenceDocument group in ReferenceData.Groups("paradex_pm_engine_runs"))
        {
            ModelDocument document = ModelOf(group.Root.GetProperty("pm_config"), group.Root.GetProperty("market_data"));
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                Compare(tally, deltas, group, test, document);
            }
        }

        Assert.Multiple(() =>
        {
            tally.Finish();
            deltas.Finish();
        });
    }

    private static void Compare(Reproduction tally, Reproduction deltas, ReferenceDocument group, JsonElement test, ModelDocument document)
    {
        string name = $"{group.Name} {test.Text("name")}";
        JsonElement expected = test.GetProperty("expected");
        MarginReport report = Run(group.Root, test, document, name);
        UnitReport unit = report.Units.Single();
        tally.Case();
        deltas.Case();

        // The venue's polynomial is off by its error in each of two terms, times the options' strikes; where that is more than 1e-5 of the figure, it is the floor.
        decimal strikes = test.Items("positions").Concat(test.Items("orders")).Sum(item =>
            Math.Abs(ParadexReferenceTests.Signed(item)) * (MarketOf(group.Root, item.Text("market")).Strike ?? 0m));
        decimal floor = Math.Max(1m, 2m * ReferenceOptions.PolynomialError / 1e-5m * strikes);
        tally.Relative(report.Margin.Initial / 1e6m, expected.Number("IMR"), $"{name} initial", floor);
        tally.Relative(report.Margin.Maintenance / 1e6m, expected.Number("MMR"), $"{name} maintenance", floor);
        tally.Relative(unit.Margin.InitialParts.Measure / 1e6m, expected.Number("worst_loss"), $"{name} worst loss", floor);
        tally.Relative(unit.Components[2].Initial / 1e6m, expected.Number("fund_p"), $"{name} funding");
        tally.Relative(unit.Components[3].Initial / 1e6m, expected.Number("fee_provision_imr"), $"{name} fees, initial");
        tally.Relative(unit.Components[3].Maintenance / 1e6m, expected.Number("fee_provision_mmr"), $"{name} fees, maintenance");

        // Minimum delta differs by no more than a perpetual's delta does, and an option's by the error of the venue's polynomial. It decides in no run.
        decimal perpetuals = test.Items("positions").Concat(test.Items("orders")).Where(item => MarketOf(group.Root, item.Text("market")).Strike is null)
            .Sum(item => Math.Abs(ParadexReferenceTests.Signed(item)) * Math.Abs(MarketOf(group.Root, item.Text("market")).Delta - 1m));
        decimal spot = group.Root.GetProperty("market_data").EnumerateObject().First().Value.Number("underlying_price");
        decimal size = test.Items("positions").Concat(test.Items("orders")).Sum(item => Math.Abs(ParadexReferenceTests.Signed(item)));
        decimal off = perpetuals + (2m * ReferenceOptions.PolynomialError * size);
        decimal allowed = (off * group.Root.GetProperty("pm_config").Number("unhedged_margin_factor") * spot) + 1e-5m;
        Assert.That(unit.Components[1].Initial / 1e6m, Is.EqualTo(expected.Number("delta_min")).Within(allowed), $"{name} minimum delta");
        if (test.Items("orders").Any())
        {
            tally.Skip($"{name} worst row", "the report names the worst row of positions; the venue's counts orders");
            return;
        }

        tally.Absolute(unit.Margin.WorstRow, expected.Number("worst_idx"), $"{name} worst row");
        decimal toIndex = test.Items("positions").Where(item => MarketOf(group.Root, item.Text("market")).Strike is null)
            .Sum(item => ParadexReferenceTests.Signed(item) * (MarketOf(group.Root, item.Text("market")).Delta - 1m));
        deltas.Absolute((unit.Positions.Sum(position => position.DeltaBaseE9) / 1e9m) + toIndex, expected.Number("portfolio_delta"), $"{name} delta");
    }

    private static MarginReport Run(JsonElement group, JsonElement test, ModelDocument document, string name)
    {
        using var desk = new VenueDesk(group.Text("now"));
        ushort coin = desk.Currency("BTC", 8);
        ushort main = desk.Underlying("BTC", coin);
        desk.Model(document);
        var instruments = new Dictionary<string, uint>();
        foreach (JsonProperty market in group.GetProperty("market_data").EnumerateObject())
        {
            ParadexMarket terms = MarketOf(group, market.Name);
            desk.Index(main, market.Value.Number("underlying_price"));
            if (terms.Strike is not decimal strike)
            {
                instruments[market.Name] = desk.Perpetual(main);
                desk.Funding(instruments[market.Name], market.Value.Number("funding_rate"));
            }
            else
            {
                ulong expiry = desk.In(terms.Years * ReferenceOptions.SecondsPerYear);
                instruments[market.Name] = desk.Option(main, VenueDesk.Usd, terms.IsCall, strike, expiry);
                desk.Forward(main, expiry, market.Value.Number("underlying_price"));
                desk.Volatility(instruments[market.Name], terms.Volatility);
            }

            desk.Mark(instruments[market.Name], Math.Max(terms.Mark, LeastPrice));
        }

        desk.Deposit(VenueDesk.Usd, 1_000_000m, Limits.MoneyDecimals);
        foreach (JsonElement position in test.Items("positions"))
        {
            desk.Hold(instruments[position.Text("market")], ParadexReferenceTests.Signed(position));
        }

        foreach (JsonElement order in test.Items("orders"))
        {
            desk.Order(instruments[order.Text("market")], ParadexReferenceTests.Signed(order), order.Number("price"));
        }

        return desk.Report(name);
    }

    private static ParadexMarket MarketOf(JsonElement group, string name) =>
        ParadexReferenceTests.Market(group.GetProperty("market_data").EnumerateObject().First(market => market.Name == name), group);

    private static ModelDocument ModelOf(JsonElement configuration, JsonElement markets)
    {
        ParadexParameters parameters = ParadexReferenceTests.Parameters(configuration, DecimalMath.NormalCdf);
        ModelDocument document = ModelDocument.Shipped("paradex-pm");
        var rows = new JsonArray();
        foreach (ParadexScenario row in parameters.Scenarios)
        {
            rows.Add(new JsonObject
            {
                ["spot"] = DeriveDesk.Number(row.SpotMove),
                ["volatility"] = "termScaled",
                ["volatilityMove"] = DeriveDesk.Number(row.VolatilityMove),
                ["weight"] = DeriveDesk.Number(row.Weight),
            });
        }

        decimal[] rates = [.. markets.EnumerateObject().Select(market => market.Value.Number("fee_rate")).Distinct()];
        Assert.That(rates, Has.Length.EqualTo(1), "the model has one rate for options and one for others");
        var addOns = (JsonArray)document["addOns"]!;
        addOns[0]!["unhedged"] = DeriveDesk.Number(parameters.UnhedgedFactor);
        addOns[0]!["hedged"] = DeriveDesk.Number(parameters.HedgedFactor);
        addOns[2]!["linearRate"] = DeriveDesk.Number(rates[0]);
        addOns[2]!["optionRate"] = DeriveDesk.Number(rates[0]);
        return document
            .With("rows", rows)
            .With("addOns", addOns)
            .With("requirement.maintenanceFactor", DeriveDesk.Number(parameters.MaintenanceFactor))
            .With("volatility.shortTermPower", DeriveDesk.Number(parameters.ShortPower))
            .With("volatility.longTermPower", DeriveDesk.Number(parameters.LongPower))
            .With("volatility.termFloorDays", DeriveDesk.Number(parameters.FloorDays))
            .With("underlyings.*.minimumVolatilityUp", DeriveDesk.Number(parameters.MinimumVolatilityUp));
    }
}
