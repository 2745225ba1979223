// A calc document made definite: every contract known, every quantity a whole number of lots, every default taken and noted.
// PortfolioReader makes it, PortfolioMessages turns it into the messages of the engine.
namespace MarginEngine.Tool.Calc;

/// <summary>What to value. Prices and volatilities are plain decimals, quantities are lots.</summary>
internal sealed record Portfolio
{
    public required ulong AccountId { get; init; }

    /// <summary>Nanoseconds since 1970.</summary>
    public required long ValuationTime { get; init; }

    /// <summary>Coins in the order of the document; USD, number 1, is not among them.</summary>
    public required IReadOnlyList<Coin> Coins { get; init; }

    public required IReadOnlyList<Contract> Contracts { get; init; }

    public required IReadOnlyList<Slice> Slices { get; init; }

    public required IReadOnlyDictionary<string, decimal> Rates { get; init; }

    public required IReadOnlyDictionary<string, decimal> Collateral { get; init; }

    public required IReadOnlyList<Position> Positions { get; init; }

    public required IReadOnlyList<Order> Orders { get; init; }

    /// <summary>Defaults taken and quantities rounded, a sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The number that the messages use for a currency code.</summary>
    public ushort CurrencyId(string code) => code == "USD" ? (ushort)1 : Coins.First(coin => coin.Code == code).CurrencyId;
}

/// <param name="Code">Currency and underlying alike.</param>
internal sealed record Coin(string Code, ushort UnderlyingId, ushort CurrencyId, int Decimals, decimal Index);

/// <summary>Forward of an expiry, its own rate where it has one and, where options follow a surface, its slice or its grid.</summary>
internal sealed record Slice(
    ushort UnderlyingId, string Day, long Expiry, decimal Forward, decimal? Rate, SliceDocument? Svi, IReadOnlyList<NodeDocument>? Grid = null);

/// <param name="Mark">In USD; null for options.</param>
/// <param name="Volatility">Of an option with a mark volatility of its own.</param>
internal sealed record Contract(
    uint Id, InstrumentName Name, ContractTerms Terms, ushort UnderlyingId, long? Expiry, decimal? Mark, decimal? Volatility)
{
    /// <summary>Null: none is published.</summary>
    public ArrayDocument? Array { get; init; }

    /// <summary>Lots; 0: not told.</summary>
    public long OpenInterest { get; init; }
}

/// <param name="Lots">Signed.</param>
/// <param name="EntryPrice">Null: an option whose premium is in the collateral already.</param>
internal sealed record Position(Contract Contract, long Lots, decimal? EntryPrice);

/// <param name="Lots">Positive.</param>
internal sealed record Order(ulong Id, Contract Contract, OrderSide Side, long Lots, decimal Price);
