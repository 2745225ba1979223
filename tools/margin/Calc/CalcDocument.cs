// The input of `margin calc` as it stands in the file; calc.schema.json says the same for editors. Meaning is checked by Scenario.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MarginEngine.Tool.Calc;

/// <summary>A market and one account in it.</summary>
/// <remarks>Keys with a default have setters: the generated reader sets every init-only property, and so would lose the default.</remarks>
internal sealed record CalcDocument
{
    [JsonPropertyName("$schema")]
    public string? Schema { get; init; }

    public string? Description { get; init; }

    /// <summary>The moment everything is valued at, for example <c>2026-02-06T16:00:00Z</c>.</summary>
    public required DateTimeOffset ValuationTime { get; init; }

    /// <summary>By code (<c>BTC</c>, <c>USDC</c>): every coin that prices a contract or is collateral. USD needs no entry.</summary>
    public required Dictionary<string, UnderlyingDocument> Underlyings { get; init; }

    /// <summary>Mark in USD, by the name of a perpetual or future. Default: the index, or the forward of the expiry.</summary>
    public Dictionary<string, decimal> Marks { get; set; } = [];

    /// <summary>Mark volatility (1 = 100 %), by the name of an option; goes before the surface of its expiry.</summary>
    public Dictionary<string, decimal> Volatilities { get; set; } = [];

    /// <summary>Annual rate, continuously compounded, by settlement currency. Default: 0.</summary>
    public Dictionary<string, decimal> Rates { get; set; } = [];

    /// <summary>What a clearing house publishes of a contract, by name; models with <c>pricing.rowProfits: published</c> take it.</summary>
    public Dictionary<string, ArrayDocument> Arrays { get; set; } = [];

    /// <summary>Contracts held long over the whole market, by name of a future or perpetual. Default: 0.</summary>
    public Dictionary<string, decimal> OpenInterest { get; set; } = [];

    /// <summary>Sizes of contracts that differ from the table in README.md, by name.</summary>
    public Dictionary<string, ContractDocument> Contracts { get; set; } = [];

    public required AccountDocument Account { get; init; }
}

internal sealed record UnderlyingDocument
{
    /// <summary>Value of a coin in USD.</summary>
    public required decimal Index { get; init; }

    /// <summary>Amounts of the coin are kept in units of 10^-decimals.</summary>
    public int Decimals { get; set; } = 8;

    /// <summary>By day (<c>27MAR26</c>, 08:00 UTC).</summary>
    public Dictionary<string, ExpiryDocument> Expiries { get; set; } = [];
}

internal sealed record ExpiryDocument
{
    public required decimal Forward { get; init; }

    /// <summary>Annual rate, continuously compounded, of this expiry; goes before its currency's.</summary>
    public decimal? Rate { get; init; }

    public SliceDocument? Svi { get; init; }

    /// <summary>2 to 64 nodes in place of a slice; between them volatility^2 is linear in k.</summary>
    public List<NodeDocument>? Grid { get; init; }
}

/// <summary>A volatility (1 = 100 %) at k = ln(strike / forward).</summary>
internal sealed record NodeDocument
{
    public required decimal K { get; init; }

    public required decimal Volatility { get; init; }
}

/// <summary>Profit of one lot held long in each row, in the settlement currency, and the base units by which it follows the underlying.</summary>
internal sealed record ArrayDocument
{
    public required decimal Delta { get; init; }

    public required List<decimal> Profits { get; init; }
}

/// <summary>Raw SVI: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total variance at k = ln(strike / forward).</summary>
internal sealed record SliceDocument
{
    public required decimal A { get; init; }

    public required decimal B { get; init; }

    public required decimal Rho { get; init; }

    public required decimal M { get; init; }

    public required decimal Sigma { get; init; }
}

/// <summary>Base units, or quote units for inverse futures and perpetuals.</summary>
internal sealed record ContractDocument
{
    /// <summary>Units of one contract.</summary>
    public required decimal Size { get; init; }

    /// <summary>Units of the smallest quantity.</summary>
    public required decimal Lot { get; init; }
}

internal sealed record AccountDocument
{
    public ulong Id { get; set; } = 1;

    /// <summary>Cash by currency code, premiums of the positions already paid.</summary>
    public Dictionary<string, decimal> Collateral { get; set; } = [];

    public List<PositionDocument> Positions { get; set; } = [];

    public List<OrderDocument> Orders { get; set; } = [];
}

/// <summary>Signed quantity: exactly one of contracts, base and quote.</summary>
internal sealed record PositionDocument
{
    public required string Instrument { get; init; }

    public decimal? Contracts { get; init; }

    public decimal? Base { get; init; }

    public decimal? Quote { get; init; }

    /// <summary>
    /// What was paid. Default for futures and perpetuals: the mark, so that there is no open profit. Default for options:
    /// the premium is in the collateral already.
    /// </summary>
    public decimal? EntryPrice { get; init; }
}

/// <summary>A resting order; the quantity is positive.</summary>
internal sealed record OrderDocument
{
    public required string Instrument { get; init; }

    public required OrderSide Side { get; init; }

    public decimal? Contracts { get; init; }

    public decimal? Base { get; init; }

    public decimal? Quote { get; init; }

    public required decimal Price { get; init; }
}

internal enum OrderSide
{
    Buy,
    Sell,
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true,
    Converters = [typeof(DecimalJson)])]
[JsonSerializable(typeof(CalcDocument))]
internal sealed partial class CalcJson : JsonSerializerContext;
