using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>Short options one by one, brackets of notional and collateral after haircuts, out of the engine.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class TierEngineTests
{
    [Test]
    public void Every_worked_standard_margin_of_Deribit_comes_out_of_the_engine()
    {
        var tally = new Reproduction("engine: Deribit standard margin [S]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("deribit_standard_margin"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                // The worked figures start from a mark in coin: the venue's, not one of a volatility.
                using var desk = new VenueDesk();
                ushort coin = desk.Currency("BTC", 10);
                ushort main = desk.Underlying("BTC", coin);
                desk.Model(ModelDocument.Shipped("deribit-standard").With("pricing.optionMark", "mark"));
                ulong expiry = desk.In(30 * 86_400m);
                bool isCall = test.Text("type") == "call";
                uint option = desk.Option(main, coin, isCall, test.Number("K"), expiry, 0.1m, isInverse: true);
                desk.Index(main, test.Number("S"));
                desk.Forward(main, expiry, test.Number("S"));
                desk.Volatility(option, 0.5m);
                desk.Mark(option, test.Number("mark"));
                desk.Hold(option, -1_000m, lotSize: 0.1m);
                UnitReport unit = desk.Report($"{group.Name} {test.Number("K")}").Units.Single();
                tally.Case();
                tally.Relative(unit.Margin.Initial / 1e13m, test.Number("IM"), $"{test.Text("type")} {test.Number("K")} initial", floor: 0.01m);
                tally.Relative(unit.Margin.Maintenance / 1e13m, test.Number("MM"), $"{test.Text("type")} {test.Number("K")} maintenance", floor: 0.01m);
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_bracket_of_Binance_comes_out_of_the_engine_at_its_ends_and_within()
    {
        var tally = new Reproduction("engine: Binance brackets [V]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("binance_brackets"))
        {
            foreach (JsonProperty symbol in group.Root.GetProperty("symbols").EnumerateObject())
            {
                JsonElement[] rows = [.. symbol.Value.EnumerateArray()];
                NotionalBracket[] brackets = [.. rows.Select(row => new NotionalBracket(row[0].GetDecimal(), row[1].GetDecimal(), row[2].GetDecimal(), row[4].GetDecimal()))];
                ModelDocument document = ModelOf(rows);
                for (int i = 0; i < brackets.Length; i++)
                {
                    tally.Case();
                    decimal leverage = rows[i][3].GetDecimal();
                    foreach (decimal notional in new[] { brackets[i].From, (brackets[i].From + brackets[i].To) / 2m, brackets[i].To }.Where(amount => amount > 0m))
                    {
                        string name = $"{symbol.Name} bracket {i + 1} at {notional}";
                        (decimal initial, decimal maintenance) = Linear(document, notional, name);
                        tally.Relative(maintenance, BracketMargin.Maintenance(brackets, notional), name);
                        if (notional > brackets[i].From)
                            tally.Relative(initial, (notional * decimal.Round(1m / leverage, 8)), $"{name} initial");
                    }
                }
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_worked_collateral_example_comes_out_of_the_engine()
    {
        var tally = new Reproduction("engine: collateral haircuts [D]", 1e-9);
        var totals = new Dictionary<(string, string), decimal>();
        foreach (string[] row in LinearReferenceTests.Rows("venue,asset,qty,index_usd,haircut,collateral_usd,source_url"))
        {
            string name = $"{row[0]} {row[1]}";
            decimal published = LinearReferenceTests.Number(row[5]);
            tally.Case();
            if (row[2].Length == 0)
            {
                tally.Relative(totals[(row[0], row[6])], published, $"{name} of the page");
                continue;
            }

            var terms = new JsonObject { ["haircut"] = DeriveDesk.Number(LinearReferenceTests.Number(row[4])) };
            decimal credit = Equity(terms, LinearReferenceTests.Number(row[3]), LinearReferenceTests.Number(row[2]), name);
            tally.Relative(credit, published, name);
            totals[(row[0], row[6])] = totals.GetValueOrDefault((row[0], row[6])) + credit;
        }

        tally.Finish();
    }

    [Test]
    public void Haircuts_by_quantity_and_flat_ones_of_help_pages_come_out_of_the_engine()
    {
        var tally = new Reproduction("engine: haircuts of help pages [S]", 1e-9);
        foreach (JsonElement test in ReferenceData.With("classic_examples").SelectMany(document => document.Root.Items("classic_examples")))
        {
            if (test.TryGetProperty("collateral_tiers", out JsonElement tiers))
            {
                tally.Case();
                var slices = new JsonArray([.. tiers.EnumerateArray().Select(tier => new JsonObject { ["from"] = tier[0].GetDecimal(), ["haircut"] = 1m - tier[2].GetDecimal() })]);
                tally.Relative(Equity(new JsonObject { ["tiers"] = slices }, 1m, test.Number("holding"), test.Text("source")), test.Number("credit"), test.Text("source"));
            }
            else if (test.TryGetProperty("haircut", out JsonElement haircut))
            {
                tally.Case();
                decimal credit = Equity(new JsonObject { ["haircut"] = haircut.GetDecimal() }, test.Number("price"), test.Number("btc"), test.Text("source"));
                tally.Relative(credit, test.Number("credit"), test.Text("source"));
            }
            else
            {
                tally.Skip(test.Text("source"), "no collateral: the price of a liquidation, a profit in coin, or a note in words (see Reference)");
            }
        }

        tally.Finish();
    }

    private static (decimal Initial, decimal Maintenance) Linear(ModelDocument document, decimal notional, string name)
    {
        using var desk = new VenueDesk();
        ushort main = desk.Underlying("BTC", desk.Currency("BTC", 8));
        desk.Model(document);
        desk.Index(main, 1m);
        uint perpetual = desk.Perpetual(main, size: 0.01m);
        desk.Mark(perpetual, 1m);
        desk.Hold(perpetual, notional, 1m, lotSize: 0.01m);
        MarginReport report = desk.Report(name);
        return (report.Margin.Initial / 1e6m, report.Margin.Maintenance / 1e6m);
    }

    private static decimal Equity(JsonObject terms, decimal index, decimal quantity, string name)
    {
        using var desk = new VenueDesk();
        ushort coin = desk.Currency("X", 9);
        ushort main = desk.Underlying("X", coin);
        desk.Model(ModelDocument.Shipped("cross").With("currencies.X", terms));
        desk.Index(main, index);
        desk.Deposit(coin, quantity, 9);
        return desk.Report(name).Margin.Equity / 1e6m;
    }

    private static ModelDocument ModelOf(JsonElement[] rows)
    {
        ModelDocument document = ModelDocument.Shipped("brackets");
        var addOns = (JsonArray)document["addOns"]!;
        addOns[0]!["tiers"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["from"] = row[0].GetDecimal(),
            ["initial"] = decimal.Round(1m / row[3].GetDecimal(), 8),
            ["maintenance"] = row[2].GetDecimal(),
        })]);
        return document.With("addOns", addOns);
    }
}
