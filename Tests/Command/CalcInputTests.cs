using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>How calc reads its document: what it takes, what it makes definite, what it refuses and how it says so.</summary>
[TestFixture]
public sealed class CalcInputTests
{
    private const string Valid = """
        {
          "valuationTime": "2026-02-06T16:00:00Z",
          "underlyings": {
            "BTC": {
              "index": "66000",
              "expiries": { "27MAR26": { "forward": "66400", "svi": { "a": "0.01", "b": "0.1", "rho": "-0.3", "m": "0", "sigma": "0.2" } } }
            }
          },
          "marks": { "BTC-PERPETUAL": "66010" },
          "account": {
            "collateral": { "BTC": "2" },
            "positions": [
              { "instrument": "BTC-27MAR26-80000-C", "contracts": "-2.5" },
              { "instrument": "BTC-PERPETUAL", "base": "1", "entryPrice": "65000" }
            ],
            "orders": [ { "instrument": "BTC-27MAR26", "side": "sell", "quote": "5000", "price": "66500" } ]
          }
        }
        """;

    private static Portfolio Read(string json)
    {
        using ScratchFolder scratch = new();
        return PortfolioReader.Read(scratch.Write("input.json", json));
    }

    // Sets the value at a path such as "account/positions/0/contracts"; null removes the key.
    private static string Change(string path, JsonNode? value)
    {
        JsonNode root = JsonNode.Parse(Valid)!;
        string[] keys = path.Split('/');
        JsonNode at = root;
        foreach (string key in keys[..^1]) at = at is JsonArray array ? array[int.Parse(key)]! : at[key] ?? (at[key] = new JsonObject());
        if (value is null) at.AsObject().Remove(keys[^1]);
        else at[keys[^1]] = value;
        return root.ToJsonString();
    }

    [Test]
    public void Quantities_become_lots_and_defaults_become_notes()
    {
        Portfolio portfolio = Read(Valid);
        Assert.That(portfolio.Positions.Select(position => position.Lots), Is.EqualTo(new[] { -25L, 6601L }));
        Assert.That(portfolio.Positions[0].EntryPrice, Is.Null, "the premium is in the collateral");
        Assert.That(portfolio.Positions[1].EntryPrice, Is.EqualTo(65000m));
        Assert.That(portfolio.Orders.Single().Lots, Is.EqualTo(500));
        Assert.That(portfolio.Orders.Single().Contract.Mark, Is.EqualTo(66400m), "a future without a mark takes the forward");
        Assert.That(portfolio.Notes, Has.Some.Contains("BTC-27MAR26 has no mark").And.Some.Contains("66010 USD of contracts"));
    }

    [TestCase("BTC-27MAR26-80000-C", "contracts", "0.3", 3)]
    [TestCase("BTC-27MAR26-80000-C", "base", "-0.3", -3)]
    [TestCase("BTC-27MAR26", "contracts", "7", 7)]
    [TestCase("BTC-27MAR26", "quote", "-70", -7)]
    [TestCase("BTC-PERPETUAL", "base", "0.5", 3301)]
    public void Contracts_base_and_quote_units_count_the_same_lots(string instrument, string unit, string quantity, long lots)
    {
        string json = Change("account/positions", new JsonArray(new JsonObject { ["instrument"] = instrument, [unit] = quantity }));
        // 0.5 coins at the mark of 66,010 are 33,005 USD: the half-way case rounds to the even number of 10-USD lots.
        long expected = unit == "base" && instrument == "BTC-PERPETUAL" ? 3300 : lots;
        Assert.That(Read(json).Positions.Single().Lots, Is.EqualTo(expected), json);
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        static TestCaseData Case(string path, string? value, string complaint) => new TestCaseData(path, value, complaint).SetArgDisplayNames(path, value ?? "removed");
        yield return Case("valuationTime", null, "valuationTime");
        yield return Case("valuationTime", "\"yesterday\"", "$.valuationTime");
        yield return Case("valuationTime", "\"1969-12-31T23:59:59Z\"", "before 1970");
        yield return Case("extra", "1", "unknown key 'extra'");
        yield return Case("account/extra", "1", "unknown key 'extra'");
        yield return Case("underlyings/BTC/index", "66000", "a decimal is written as a string");
        yield return Case("underlyings/BTC/index", "\"66,000\"", "Not a decimal");
        yield return Case("underlyings/BTC/index", "\"6.6e4\"", "Not a decimal");
        yield return Case("underlyings/BTC/index", "\"NaN\"", "Not a decimal");
        yield return Case("underlyings/BTC/index", "\"0\"", "$.underlyings.BTC.index: must be above zero");
        yield return Case("underlyings/BTC/index", "\"-5\"", "$.underlyings.BTC.index: must be above zero");
        yield return Case("underlyings/btc", """{ "index": "1" }""", "capital letters");
        yield return Case("underlyings/USD", """{ "index": "1" }""", "needs no entry");
        yield return Case("underlyings/BTC/decimals", "13", "must be 0 to 12");
        yield return Case("underlyings/BTC/expiries/2026-03-27", """{ "forward": "1" }""", "is not a day");
        yield return Case("underlyings/BTC/expiries/6FEB26", """{ "forward": "1" }""", "has expired");
        yield return Case("underlyings/BTC/expiries/27MAR26/svi", null, "has no volatility");
        yield return Case("underlyings/BTC/expiries/27MAR26/svi/rho", null, "rho");
        yield return Case("underlyings/BTC/expiries", null, "needs the forward of its expiry");
        yield return Case("marks/BTC-27MAR26-80000-C", "\"0.1\"", "marked by its volatility");
        yield return Case("marks/BTC-OOPS", "\"0.1\"", "is not the name of a contract");
        yield return Case("volatilities/BTC-PERPETUAL", "\"0.1\"", "only options");
        yield return Case("volatilities/BTC-27MAR26-80000-C", "\"0\"", "above 0");
        yield return Case("volatilities/BTC-27MAR26-80000-C", "\"10001\"", "at most 10000");
        yield return Case("underlyings/BTC/expiries/27MAR26/grid", """[{ "k": "0", "volatility": "1" }, { "k": "1", "volatility": "1" }]""", "a slice or a grid, not both");
        yield return Case("underlyings/BTC/expiries/27MAR26", """{ "forward": "66400", "grid": [{ "k": "0", "volatility": "1" }] }""", "$.underlyings.BTC.expiries.27MAR26.grid: has 2 to 64 nodes");
        yield return Case("arrays/BTC-PERPETUAL", """{ "delta": "1", "profits": [] }""", "$.arrays.BTC-PERPETUAL.profits: has 1 to 256 rows");
        yield return Case("openInterest/BTC-PERPETUAL", "\"-10\"", "$.openInterest.BTC-PERPETUAL: must be a whole number of lots");
        yield return Case("openInterest/BTC-27MAR26-80000-C", "\"1\"", "is of a future or a perpetual");
        yield return Case("rates/EUR", "\"0.02\"", "unknown currency");
        yield return Case("account/id", "0", "insurance fund");
        yield return Case("account/collateral/EUR", "\"1\"", "unknown currency");
        yield return Case("account/positions/0/instrument", "\"SOL-PERPETUAL\"", "needs the index of SOL");
        yield return Case("account/positions/0/instrument", "\"BTC_USDC-PERPETUAL\"", "settles in USDC");
        yield return Case("account/positions/1/instrument", "\"BTC-27MAR26-80000-C\"", "earlier position");
        yield return Case("account/positions/0/contracts", null, "exactly one of contracts, base and quote");
        yield return Case("account/positions/0/base", "\"1\"", "exactly one of contracts, base and quote");
        yield return Case("account/positions/0/contracts", "\"0.05\"", "not a whole number of lots of 0.1");
        yield return Case("account/positions/0/contracts", "\"0\"", "zero or too large");
        yield return Case("account/positions/0/contracts", "\"1000000000000000000\"", "zero or too large");
        yield return Case("account/positions/1/entryPrice", "\"-1\"", "must be above zero");
        yield return Case("account/orders/0/side", "\"hold\"", "$.account.orders[0].side");
        yield return Case("account/orders/0/quote", "\"-10\"", "is positive");
        yield return Case("account/orders/0/price", null, "price");
        yield return Case("contracts/BTC-PERPETUAL", """{ "size": "10", "lot": "3" }""", "whole number of lots");
        yield return Case("contracts/BTC-PERPETUAL", """{ "size": "10", "lot": "0" }""", "above zero");
    }

    [TestCaseSource(nameof(Refusals))]
    public void A_faulty_document_is_a_usage_error_that_names_the_key(string path, string? value, string complaint)
    {
        string json = Change(path, value is null ? null : JsonNode.Parse(value));
        CommandFailure? failure = Assert.Throws<CommandFailure>(() => Read(json), json);
        Assert.That(failure!.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(failure.Message, Does.Contain(complaint).IgnoreCase, json);
        Assert.That(failure.Message, Does.Not.Contain("System.").And.Not.Contain("MarginEngine"), "our type names mean nothing to a user");
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{")]
    [TestCase("""{ "valuationTime": "2026-02-06T16:00:00Z", "valuationTime": "2026-02-06T16:00:00Z" }""")]
    public void What_is_no_document_at_all_is_a_usage_error(string text)
    {
        CommandFailure? failure = Assert.Throws<CommandFailure>(() => Read(text), text);
        Assert.That(failure!.Code, Is.EqualTo(ExitCode.Usage));
    }

    [Test]
    public void No_cut_of_a_document_crashes_the_reader()
    {
        for (int length = 0; length < Valid.Length - 1; length += 7)
            Assert.Throws<CommandFailure>(() => Read(Valid[..length]), $"cut after {length} letters");
    }
}
