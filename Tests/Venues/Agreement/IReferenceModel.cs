namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>What a reference expects, in USD: positive requirements, equity where the method defines it, and how far the engine's rounding may be off.</summary>
/// <param name="AllowedEquity">USD.</param>
/// <param name="AllowedRequirement">USD, of initial and of maintenance.</param>
internal sealed record ReferenceMargin(decimal Initial, decimal Maintenance, decimal? Equity, decimal AllowedRequirement, decimal AllowedEquity = 0m);

/// <summary>What a doubled book owes.</summary>
internal enum BookGrowth
{
    /// <summary>Double: nothing in the method is a threshold, a tier or a fixed amount of money.</summary>
    Proportional,

    /// <summary>Double or more: tiers and thresholds weigh on size.</summary>
    Progressive,

    Neither,
}

/// <summary>A shipped margin model once more, under the name of its document: the books it is asked about and what it answers.</summary>
internal interface IReferenceModel
{
    string Name { get; }

    BookStyle Style { get; }

    BookGrowth Growth { get; }

    /// <summary>Whether more of a coin counts for less.</summary>
    bool HasTieredHaircuts => false;

    ReferenceMargin Margin(RandomBook book);
}

/// <summary>The engine, or anything else that answers for it.</summary>
internal interface IEngineUnderTest
{
    /// <summary>Equity, initial and maintenance requirement of the book's account in USD, under the shipped model of that name.</summary>
    (decimal Equity, decimal Initial, decimal Maintenance) Margin(RandomBook book, string model);
}
