using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Compare;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests.Compare;

/// <summary>Portfolios and models that the tests of comparisons share.</summary>
internal static class Books
{
    public static readonly string Examples = Path.Combine(Repository.Root, "tools", "margin", "examples");

    public static IEnumerable<string> ExampleFiles() => Directory.GetFiles(Examples, "*.json").Order(StringComparer.Ordinal);

    /// <summary>BTC at 60,000 with one expiry in 49 days at the given forward, USDC at 0.9998.</summary>
    public static Portfolio Of(string positions, string volatilities = "", string rates = "", string forward = "60000", string marks = "") =>
        PortfolioReader.Resolve(JsonSerializer.Deserialize($$"""
            {
              "valuationTime": "2026-02-06T08:00:00Z",
              "underlyings": {
                "BTC": { "index": "60000", "expiries": { "27FEB26": { "forward": "60000" }, "27MAR26": { "forward": "{{forward}}" } } },
                "USDC": { "index": "0.9998", "decimals": 6 }
              },
              "marks": { {{marks}} },
              "volatilities": { {{volatilities}} },
              "rates": { {{rates}} },
              "account": { "collateral": { "USD": "100000" }, "positions": [ {{positions}} ] }
            }
            """, CalcJson.Default.CalcDocument)!, "book");

    public static PositionValue[] Values(Portfolio portfolio) => [.. portfolio.Positions.Select(position => new PositionValue(portfolio, position))];

    /// <summary>The one picture of a portfolio on one underlying.</summary>
    public static UnderlyingPicture Picture(Portfolio portfolio)
    {
        PortfolioPicture picture = PortfolioPicture.Of(portfolio);
        Assert.That(picture.Underlyings, Has.Count.EqualTo(1));
        return picture.Underlyings[0];
    }

    /// <summary>The shipped model under another name; an edit may change it further.</summary>
    public static string Model(string name, Action<JsonNode>? edit = null)
    {
        JsonNode model = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "Engine/Logic/Models/portfolio.json")))!;
        model["name"] = name;
        edit?.Invoke(model);
        return model.ToJsonString();
    }

    /// <summary>Asks more than the shipped one.</summary>
    public static string WiderModel(string name) => Model(name, model => model["underlyings"]!["BTC"]!["priceRange"] = 0.32m);

    /// <summary>Its warning comes after its margin call, which the engine refuses.</summary>
    public static string RefusedModel(string name) => Model(name, model => model["states"]!["warningRatio"] = 0.99m);
}
