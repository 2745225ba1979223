namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>Which contracts settle in what: USD, the coin, each contract in one of them, or any of these three by book.</summary>
internal enum BookFamily
{
    Linear,
    Inverse,
    Mixed,
    Either,
}

/// <summary>What a model can be asked about: the books it is compared on are drawn within this.</summary>
internal sealed record BookStyle
{
    public BookFamily Family { get; init; } = BookFamily.Either;

    public int Underlyings { get; init; } = 3;

    public bool HasOptions { get; init; } = true;

    public bool HasFutures { get; init; } = true;

    public bool HasPerpetuals { get; init; } = true;

    public bool HasOrders { get; init; }

    /// <summary>Feeds with a confidence below 1 and a stable coin off its peg.</summary>
    public bool HasDoubt { get; init; }

    /// <summary>Rates by expiry and forwards of which a part is fixed.</summary>
    public bool HasExpiryFeeds { get; init; }

    /// <summary>Deposits of the stable coin itself.</summary>
    public bool HasStableDeposits { get; init; }

    /// <summary>Funding rates of perpetuals.</summary>
    public bool HasFunding { get; init; }

    /// <summary>Option marks that differ a little from the model's own price.</summary>
    public bool HasOptionMarks { get; init; }

    /// <summary>Seconds of the shortest life of an option or a future.</summary>
    public int ShortestLifeSeconds { get; init; } = 60;

    /// <summary>USD of the largest position.</summary>
    public double LargestNotional { get; init; } = 1e8;
}
