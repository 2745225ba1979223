using MarginEngine.Codecs;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>A currency, what the account has deposited of it, and its continuously compounded rate per year.</summary>
internal sealed record BookCurrency(ushort Id, string Code, int Decimals, decimal Deposit, decimal Rate)
{
    /// <summary>The smallest amount of it.</summary>
    public decimal Atom => new(1, 0, 0, isNegative: false, (byte)Decimals);
}

/// <summary>An index in USD with its confidence, 0 to 1; funding that a long perpetual pays in eight hours, a fraction of the index.</summary>
internal sealed record BookUnderlying(ushort Id, string Code, ushort CoinId, decimal Index, decimal Confidence, decimal Funding);

/// <summary>The feed of an expiry that has its confidence; the others are sure.</summary>
internal enum BookFeed
{
    Forward,
    Volatility,
    Rate,
}

/// <summary>Forward in USD of one expiry, rate per year, and the confidence of one of its feeds.</summary>
internal sealed record BookExpiry(ushort UnderlyingId, ulong Time, decimal Forward, decimal Rate, decimal Confidence, BookFeed Doubted = BookFeed.Forward)
{
    private const decimal SettlementSeconds = 1_800m;

    /// <summary>In the last half hour F (1800 - s) / 1800 of the forward is fixed and only the rest moves; with eight decimals.</summary>
    public decimal Fixed(ulong now) => decimal.Round(Forward * (1m - Math.Min(1m, (Time - now) / 1e9m / SettlementSeconds)), 8);

    public decimal ConfidenceOf(BookFeed feed) => feed == Doubted ? Confidence : 1m;
}

/// <summary>
/// A contract and its price. Size: base units a lot, of inverse futures and perpetuals USD a lot. Mark in USD (of an option the venue's mark of one
/// base unit, used where <see cref="RandomBook.HasOptionMarks"/>); strike and volatility of options only.
/// </summary>
internal sealed record BookInstrument(
    uint Id, InstrumentKind Kind, Settlement Settlement, ushort UnderlyingId, ushort CurrencyId, decimal Size, decimal Mark, decimal Confidence,
    ulong? Expiry = null, OptionRight Right = OptionRight.None, decimal Strike = 0m, decimal Volatility = 0m)
{
    public bool IsOption => Kind == InstrumentKind.Option;

    public bool IsCall => Right == OptionRight.Call;

    public bool IsInverse => Settlement == Settlement.Inverse;
}

/// <summary>Signed lots bought at a price: USD, or coin for an inverse option. Several of one instrument are one position.</summary>
internal sealed record BookFill(uint InstrumentId, long Lots, decimal Price);

/// <summary>A resting order, positive lots buy.</summary>
internal sealed record BookOrder(uint InstrumentId, long Lots, decimal Price);

/// <summary>
/// A market and one account in it, as plain decimals that fit the engine's messages exactly: eight decimals of price, volatility, rate and size, whole
/// lots, nanoseconds. Nothing in it belongs to a venue; <see cref="IReferenceModel"/>s turn it into theirs, <see cref="DeskEngine"/> into messages.
/// </summary>
internal sealed record RandomBook
{
    public const ushort UsdId = 1;

    /// <summary>The stable coin as a currency.</summary>
    public const ushort StableId = 5;

    public required int Seed { get; init; }

    /// <summary>What its account looks like, for messages of failures.</summary>
    public required string Shape { get; init; }

    public required ulong Now { get; init; }

    /// <summary>Price in USD of the stable coin that accounts are kept in.</summary>
    public required decimal Stable { get; init; }

    public required bool HasOptionMarks { get; init; }

    /// <summary>Whether each expiry tells its own rate and, in its last half hour, what is fixed of its forward.</summary>
    public bool HasExpiryFeeds { get; init; }

    public required IReadOnlyList<BookCurrency> Currencies { get; init; }

    public required IReadOnlyList<BookUnderlying> Underlyings { get; init; }

    public required IReadOnlyList<BookExpiry> Expiries { get; init; }

    public required IReadOnlyList<BookInstrument> Instruments { get; init; }

    public required IReadOnlyList<BookFill> Fills { get; init; }

    public required IReadOnlyList<BookOrder> Orders { get; init; }

    public BookCurrency Currency(ushort id) => Currencies.First(currency => currency.Id == id);

    public BookUnderlying Underlying(ushort id) => Underlyings.First(underlying => underlying.Id == id);

    public BookInstrument Instrument(uint id) => Instruments.First(instrument => instrument.Id == id);

    public BookExpiry Expiry(BookInstrument instrument) =>
        Expiries.First(expiry => expiry.UnderlyingId == instrument.UnderlyingId && expiry.Time == instrument.Expiry);

    /// <summary>Everything that a failure needs to be repeated by hand.</summary>
    public override string ToString()
    {
        var text = new System.Text.StringBuilder($"seed {Seed} {Shape}, stable {Stable}");
        foreach (BookCurrency currency in Currencies.Where(currency => currency.Deposit != 0m || currency.Rate != 0m))
        {
            text.Append($"; {currency.Deposit} {currency.Code} at rate {currency.Rate}");
        }

        foreach (BookUnderlying underlying in Underlyings)
        {
            text.Append($"; {underlying.Code} {underlying.Index}");
        }

        foreach (BookFill fill in Fills)
        {
            text.Append($"; {fill.Lots} of {Text(Instrument(fill.InstrumentId))} at {fill.Price}");
        }

        foreach (BookOrder order in Orders)
        {
            text.Append($"; order {order.Lots} of {Text(Instrument(order.InstrumentId))} at {order.Price}");
        }

        return text.ToString();
    }

    private string Text(BookInstrument instrument)
    {
        string name = $"{Underlying(instrument.UnderlyingId).Code} {instrument.Settlement} {instrument.Kind} of {instrument.Size} mark {instrument.Mark}";
        return instrument.Expiry is ulong time
            ? $"{name} in {(time - Now) / 1e9:0} s forward {Expiry(instrument).Forward} {instrument.Right} {instrument.Strike} volatility {instrument.Volatility}"
            : name;
    }
}
