using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin calc` as a process, against figures worked out by hand from published parameters.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class CalcTests
{
    private static JsonElement Calculate(string document, params string[] options)
    {
        using ScratchFolder scratch = new();
        if (!options.Contains("--model")) options = [.. options, "--model", scratch.Write("matrix.json", TestModels.Matrix.ToJson())];
        CommandResult result = MarginCommand.Run(["calc", scratch.Write("book.json", document), "--json", .. options]);
        Assert.That(result.Code, Is.Zero, result.ToString());
        return JsonDocument.Parse(result.Out).RootElement.Clone();
    }

    private static decimal Figure(JsonElement at, params string[] path)
    {
        foreach (string key in path)
        {
            at = at.ValueKind != JsonValueKind.Array ? at.GetProperty(key)
                : int.TryParse(key, out int index) ? at[index]
                : at.EnumerateArray().Single(item => item.GetProperty("name").GetString() == key);
        }

        return decimal.Parse(at.GetString()!, CultureInfo.InvariantCulture);
    }

    private static string Book(string expiries, string account, string extra = "") => $$"""
        {
          "valuationTime": "2026-02-06T08:00:00Z",
          "underlyings": { "BTC": { "index": "60000", "expiries": { {{expiries}} } } },
          {{extra}}
          "account": {{account}}
        }
        """;

    [Test]
    public void A_linear_perpetual_is_margined_by_its_price_range_roll_and_cost()
    {
        JsonElement answer = Calculate(Book("", """
            { "collateral": { "USD": "100000" }, "positions": [ { "instrument": "BTC_USD-PERPETUAL", "base": "1", "entryPrice": "59000" } ] }
            """));
        // Worst row -16 % of 60,000; roll 1 % of it; fee and slippage 0.1 %. Initial 9,600 + 600 + 60, maintenance 0.8 * 10,200 + 60.
        Assert.Multiple(() =>
        {
            Assert.That(Figure(answer, "equity"), Is.EqualTo(101_000m));
            Assert.That(Figure(answer, "units", "0", "components", "rows", "initial"), Is.EqualTo(9_600m));
            Assert.That(Figure(answer, "units", "0", "components", "roll shock", "initial"), Is.EqualTo(600m));
            Assert.That(Figure(answer, "units", "0", "components", "liquidationCost", "initial"), Is.EqualTo(60m));
            Assert.That(Figure(answer, "initialMargin"), Is.EqualTo(10_260m));
            Assert.That(Figure(answer, "maintenanceMargin"), Is.EqualTo(8_220m));
            Assert.That(Figure(answer, "ratio"), Is.EqualTo(Math.Ceiling(8_220m / 101_000m * 100_000_000m) / 100_000_000m));
            Assert.That(Figure(answer, "buyingPower"), Is.EqualTo(90_740m));
            Assert.That(answer.GetProperty("state").GetString(), Is.EqualTo("healthy"));
            Assert.That(Figure(answer, "greeks", "delta"), Is.EqualTo(60_000m));
        });
    }

    [Test]
    public void A_grid_prices_an_option_at_its_node_as_a_mark_volatility_does_and_one_with_arbitrage_is_refused()
    {
        static string Expiry(string surface) => $$""" "27MAR26": { "forward": "60000" {{surface}} } """;
        const string Held = """{ "collateral": { "BTC": "5" }, "positions": [ { "instrument": "BTC-27MAR26-60000-C", "contracts": "-3" } ] }""";
        const string Grid = """, "grid": [{ "k": "-1", "volatility": "0.9" }, { "k": "0", "volatility": "0.61" }, { "k": "1", "volatility": "0.8" }]""";
        JsonElement gridded = Calculate(Book(Expiry(Grid), Held));
        JsonElement marked = Calculate(Book(Expiry(""), Held, """ "volatilities": { "BTC-27MAR26-60000-C": "0.61" }, """));
        Assert.That(gridded.ToString(), Is.EqualTo(marked.ToString()), "at the money is a node");
        using ScratchFolder scratch = new();
        string bent = Grid.Replace("0.61", "0.89", StringComparison.Ordinal);
        CommandResult refused = MarginCommand.Run("calc", scratch.Write("bent.json", Book(Expiry(bent), Held)));
        Assert.That(refused.Code, Is.EqualTo(ExitCode.Refused), refused.ToString());
        Assert.That(refused.Error, Does.Contain("the grid of 27MAR26").And.Contain("arbitrage"), refused.ToString());
    }

    [Test]
    public void Open_interest_and_published_arrays_reach_the_models_that_ask_for_them()
    {
        using ScratchFolder scratch = new();
        string Model(string parts) => scratch.Write("asks.json", $$"""{ "name": "asks", "version": 1, "underlyings": { "*": { "priceRange": 0.1 } }, "currencies": { "USD": { "haircut": 0 } }, {{parts}} }""");
        const string Held = """{ "collateral": { "USD": "100000" }, "positions": [ { "instrument": "BTC_USD-PERPETUAL", "base": "1", "entryPrice": "60000" } ] }""";
        JsonElement grown = Calculate(
            Book("", Held, """ "openInterest": { "BTC_USD-PERPETUAL": "1250" }, "marks": { "BTC_USD-PERPETUAL": "60000" }, """),
            "--model", Model(""" "addOns": [ { "kind": "openInterest", "initial": 0.1, "maintenance": 0.05, "lower": 50000000, "upper": 100000000 } ] """));
        Assert.That((Figure(grown, "initialMargin"), Figure(grown, "maintenanceMargin")), Is.EqualTo((33_000m, 3_000m)), "75 of 50 to 100 million: half way from 10 % to all");
        JsonElement taken = Calculate(
            Book("", Held, """ "arrays": { "BTC_USD-PERPETUAL": { "delta": "0.0001", "profits": ["1.25", "-0.75"] } }, "marks": { "BTC_USD-PERPETUAL": "60000" }, """),
            "--model", Model(""" "pricing": { "rowProfits": "published" }, "rows": [ { "spot": 0 }, { "spot": 0 } ] """));
        Assert.That(Figure(taken, "maintenanceMargin"), Is.EqualTo(7_500m), "ten thousand lots");
    }

    [Test]
    public void An_inverse_perpetual_loses_in_coin_by_one_over_the_price()
    {
        JsonElement answer = Calculate(Book("", """
            { "collateral": { "BTC": "1" }, "positions": [ { "instrument": "BTC-PERPETUAL", "quote": "120000" } ] }
            """));
        // Two coins: 2 (1 - 1 / 0.84) at -16 %, roll 1 % of two coins, cost 0.1 % of two coins.
        decimal worst = Math.Round(2m * (1m / 0.84m - 1m), 8);
        decimal matrix = worst + 0.02m;
        Assert.Multiple(() =>
        {
            Assert.That(Figure(answer, "units", "0", "components", "rows", "initial"), Is.EqualTo(worst).Within(1e-8m));
            Assert.That(Figure(answer, "units", "0", "initialMargin"), Is.EqualTo(matrix + 0.002m).Within(2e-8m));
            Assert.That(Figure(answer, "units", "0", "maintenanceMargin"), Is.EqualTo(0.8m * matrix + 0.002m).Within(2e-8m));
            // The shipped model's haircut on BTC is 5 %.
            Assert.That(Figure(answer, "grossEquity"), Is.EqualTo(60_000m));
            Assert.That(Figure(answer, "equity"), Is.EqualTo(57_000m));
            Assert.That(answer.GetProperty("notes")[0].GetString(), Does.Contain("BTC-PERPETUAL has no mark"));
        });
    }

    [Test]
    public void Call_and_put_of_one_strike_differ_by_the_forward()
    {
        JsonElement answer = Calculate(Book("\"27MAR26\": { \"forward\": \"62500\" }", """
            {
              "collateral": { "BTC": "1" },
              "positions": [
                { "instrument": "BTC-27MAR26-70000-C", "contracts": "10" },
                { "instrument": "BTC-27MAR26-70000-P", "contracts": "-10" }
              ]
            }
            """, "\"volatilities\": { \"BTC-27MAR26-70000-C\": \"0.6\", \"BTC-27MAR26-70000-P\": \"0.6\" },"));
        decimal call = Figure(answer, "units", "0", "positions", "0", "value"), put = Figure(answer, "units", "0", "positions", "1", "value");
        // In coin: call - put = 1 - strike / forward a contract.
        Assert.That(call + put, Is.EqualTo(10m * (1m - 70_000m / 62_500m)).Within(2e-8m), $"call {call}, short put {put}");
        Assert.That((double)call, Is.EqualTo(10 * Black(62_500, 70_000, 0.6, 49.0 / 365)).Within(2e-8));
    }

    // Coin value of a call by a textbook formula; the normal distribution by a numeric integral, so that nothing of the engine is used.
    private static double Black(double forward, double strike, double volatility, double years)
    {
        double deviation = volatility * Math.Sqrt(years);
        double d1 = (Math.Log(forward / strike) + 0.5 * deviation * deviation) / deviation;
        return Normal(d1) - strike / forward * Normal(d1 - deviation);
    }

    private static double Normal(double x)
    {
        const int steps = 20_000;
        double sum = 0, width = x / steps;
        for (int step = 0; step < steps; step++)
        {
            double a = step * width, m = a + width / 2, b = a + width;
            sum += width / 6 * (Math.Exp(-a * a / 2) + 4 * Math.Exp(-m * m / 2) + Math.Exp(-b * b / 2));
        }

        return 0.5 + sum / Math.Sqrt(2 * Math.PI);
    }

    [Test]
    public void An_option_without_an_entry_price_costs_nothing_and_one_with_it_costs_its_premium()
    {
        const string expiry = "\"27MAR26\": { \"forward\": \"60000\" }", volatility = "\"volatilities\": { \"BTC-27MAR26-60000-C\": \"0.5\" },";
        foreach (string contracts in (string[])["12.3", "-12.3"])
        {
            JsonElement held = Calculate(Book(expiry, $$"""
                { "collateral": { "BTC": "3" }, "positions": [ { "instrument": "BTC-27MAR26-60000-C", "contracts": "{{contracts}}" } ] }
                """, volatility));
            JsonElement bought = Calculate(Book(expiry, $$"""
                { "collateral": { "BTC": "3" }, "positions": [ { "instrument": "BTC-27MAR26-60000-C", "contracts": "{{contracts}}", "entryPrice": "0.05" } ] }
                """, volatility));
            decimal premium = 0.05m * decimal.Parse(contracts, CultureInfo.InvariantCulture);
            Assert.That(Figure(held, "balances", "0", "balance"), Is.EqualTo(3m), contracts);
            Assert.That(Figure(bought, "balances", "0", "balance"), Is.EqualTo(3m - premium), contracts);
            Assert.That(Figure(bought, "maintenanceMargin"), Is.EqualTo(Figure(held, "maintenanceMargin")), contracts);
        }
    }

    [Test]
    public void Contributions_of_positions_add_up_to_every_row_to_the_last_unit()
    {
        JsonElement answer = Calculate(File.ReadAllText(Path.Combine(Repository.Root, "tools/margin/examples/hedged-option-book.json")));
        int rows = 0;
        foreach (JsonElement unit in answer.GetProperty("units").EnumerateArray())
        {
            foreach (JsonElement row in unit.GetProperty("rows").EnumerateArray())
            {
                decimal sum = unit.GetProperty("positions").EnumerateArray().Sum(position => Figure(position, "rowProfits", row.GetProperty("row").ToString()));
                Assert.That(sum, Is.EqualTo(Figure(row, "profit")), row.ToString());
                rows++;
            }
        }

        Assert.That(rows, Is.EqualTo(2 * (9 * 3 + 8)), "two units of 27 + 8 rows");
    }

    [Test]
    public void An_open_order_raises_initial_margin_alone()
    {
        string order = """, "orders": [ { "instrument": "BTC_USD-PERPETUAL", "side": "buy", "base": "2", "price": "60000" } ]""";
        string Account(string orders) => $$"""
            { "collateral": { "USD": "100000" }, "positions": [ { "instrument": "BTC_USD-PERPETUAL", "base": "1" } ]{{orders}} }
            """;
        JsonElement without = Calculate(Book("", Account(""))), with = Calculate(Book("", Account(order)));
        Assert.That(Figure(with, "maintenanceMargin"), Is.EqualTo(Figure(without, "maintenanceMargin")));
        // Two more coins in the worst row.
        Assert.That(Figure(with, "units", "0", "components", "openOrders", "initial"), Is.EqualTo(2 * 9_600m));
        Assert.That(Figure(with, "initialMargin"), Is.EqualTo(Figure(without, "initialMargin") + 2 * 9_600m));
    }

    [Test]
    public void A_model_of_ones_own_changes_the_answer()
    {
        using ScratchFolder scratch = new();
        JsonNode model = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "Engine/Logic/Models/portfolio.json")))!;
        model["name"] = "narrow";
        model["underlyings"]!["BTC"]!["priceRange"] = 0.08m;
        string path = scratch.Write("narrow.json", model.ToJsonString());
        JsonElement answer = Calculate(Book("", """
            { "collateral": { "USD": "100000" }, "positions": [ { "instrument": "BTC_USD-PERPETUAL", "base": "1" } ] }
            """), "--model", path);
        Assert.That(answer.GetProperty("model").GetString(), Is.EqualTo("narrow"));
        Assert.That(Figure(answer, "units", "0", "components", "rows", "initial"), Is.EqualTo(4_800m));
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        const string account = """{ "collateral": { "USD": "1" }, "positions": [ { "instrument": "BTC-27MAR26-60000-C", "contracts": "1" } ] }""";
        const string vogt = """ "27MAR26": { "forward": "60000", "svi": { "a": "-0.0410", "b": "0.1331", "rho": "0.3060", "m": "0.3586", "sigma": "0.4153" } }""";
        yield return new TestCaseData(Book(vogt, account), Array.Empty<string>(), ExitCode.Refused, "arbitrage").SetArgDisplayNames("a smile with butterfly arbitrage");
        yield return new TestCaseData(Book("", """{ "collateral": { "USD": "-1" } }"""), Array.Empty<string>(), ExitCode.Refused, "collateral in USD")
            .SetArgDisplayNames("a negative balance");
        yield return new TestCaseData(Book("", """{ "collateral": { "USD": "0.0000001" } }"""), Array.Empty<string>(), ExitCode.Usage, "more than 6 decimals")
            .SetArgDisplayNames("a balance finer than its currency");
        yield return new TestCaseData(Book("", """{ "collateral": { "USD": "99999999999999999999" } }"""), Array.Empty<string>(), ExitCode.Usage, "too large")
            .SetArgDisplayNames("a balance out of range");
        yield return new TestCaseData(Book("", "{}"), new[] { "--model", "nonsense" }, ExitCode.Unreachable, "neither a shipped model").SetArgDisplayNames("an unknown model");
    }

    [TestCaseSource(nameof(Refusals))]
    public void What_the_engine_does_not_take_ends_with_a_code_and_the_place(string document, string[] options, int code, string reason)
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.Run(["calc", scratch.Write("book.json", document), .. options]);
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        Assert.That(result.Error, Does.Contain(reason).IgnoreCase, result.ToString());
        Assert.That(result.Out, Is.Empty, result.ToString());
    }

    [TestCase("{ }", "missing")]
    [TestCase("""{ "name": "x", "unknownParameter": 1 }""", "unknownParameter")]
    [TestCase("not json", "margin model")]
    public void A_faulty_model_file_is_a_usage_error(string text, string reason)
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.Run("calc", scratch.Write("book.json", Book("", "{}")), "--model", scratch.Write("model.json", text));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Usage), result.ToString());
        Assert.That(result.Error, Does.Contain(reason), result.ToString());
    }

    [Test]
    public void A_missing_file_cannot_be_read()
    {
        CommandResult result = MarginCommand.Run("calc", "/no/such/book.json");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(result.Error, Does.Contain("/no/such/book.json"));
    }

    [Test]
    public void The_answer_for_people_names_every_component()
    {
        CommandResult result = MarginCommand.Run("calc", Path.Combine(Repository.Root, "tools/margin/examples/hedged-option-book.json"));
        Assert.That(result.Code, Is.Zero, result.ToString());
        foreach (string word in (string[])["equity", "initial margin", "maintenance margin", "ratio", "buying power", "rows", "roll shock", "concentration",
            "settlement delay", "naked short options", "liquidationCost", "openOrders", "delta", "gamma", "vega", "theta", "rho", "<- worst", "BTC-27MAR26-80000-C"])
            Assert.That(result.Out, Does.Contain(word), result.ToString());
        Assert.That(result.Out, Does.Not.Contain("\u001b"));
    }
}
