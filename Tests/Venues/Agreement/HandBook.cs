using MarginEngine.Codecs;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>A round market for figures told by hand: BTC 60,000, ETH 3,000, everything marked and forwarded there, one expiry in 90 days, no rate.</summary>
internal static class HandBook
{
    public const ulong Now = 1_770_292_800_000_000_000;
    public const ulong Expiry = Now + (90UL * 86_400 * 1_000_000_000);

    /// <summary>A USD-settled account; a leg without a strike is the perpetual, positive strikes are calls, negative ones puts of that strike.</summary>
    /// <param name="legs">Underlying 1 (BTC) or 2 (ETH), strike, base units held.</param>
    public static RandomBook Linear(params (ushort Underlying, decimal? Strike, long Amount)[] legs)
    {
        BookInstrument[] instruments = [.. legs.Select((leg, place) => Instrument((uint)(place + 1), leg.Underlying, leg.Strike))];
        return new RandomBook
        {
            Seed = 0,
            Shape = "by hand",
            Now = Now,
            Stable = 1m,
            HasOptionMarks = false,
            Currencies = [new(RandomBook.UsdId, "USD", 6, 1_000_000m, 0m), new(2, "BTC", 10, 0m, 0m), new(3, "ETH", 9, 0m, 0m)],
            Underlyings = [new(1, "BTC", 2, 60_000m, 1m, 0m), new(2, "ETH", 3, 3_000m, 1m, 0m)],
            Expiries = [new(1, Expiry, 60_000m, 0m, 1m), new(2, Expiry, 3_000m, 0m, 1m)],
            Instruments = instruments,
            Fills = [.. legs.Select((leg, place) => new BookFill((uint)(place + 1), leg.Amount, instruments[place].Mark))],
            Orders = [],
        };
    }

    private static BookInstrument Instrument(uint id, ushort underlying, decimal? strike)
    {
        decimal price = underlying == 1 ? 60_000m : 3_000m;
        return strike is not decimal signed
            ? new BookInstrument(id, InstrumentKind.Perpetual, Settlement.Linear, underlying, RandomBook.UsdId, 1m, price, 1m)
            : new BookInstrument(
                id, InstrumentKind.Option, Settlement.Linear, underlying, RandomBook.UsdId, 1m, 100m, 1m, Expiry,
                signed > 0m ? OptionRight.Call : OptionRight.Put, Math.Abs(signed), 0.5m);
    }
}
