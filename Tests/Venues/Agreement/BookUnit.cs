using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>A position in one instrument: lots of all its fills, and the same in units of the contract (base units; USD of inverse futures).</summary>
internal sealed record BookPosition(BookInstrument Instrument, long Lots)
{
    public decimal Amount => Lots * Instrument.Size;
}

/// <summary>A risk unit: what an account holds on one underlying that settles in one currency.</summary>
internal sealed record BookUnit(BookUnderlying Underlying, BookCurrency Currency, IReadOnlyList<BookPosition> Positions, IReadOnlyList<BookOrder> Orders)
{
    /// <summary>USD of one unit of the settlement currency.</summary>
    public decimal UsdPerUnit => Currency.Id == RandomBook.UsdId ? 1m : Underlying.Index;

    /// <summary>USD of the smallest amount of the settlement currency.</summary>
    public decimal AtomUsd => Currency.Atom * UsdPerUnit;
}

/// <summary>A book in the terms that most methods share: units, years, values. Decimals, one instrument at a time.</summary>
internal static class BookTerms
{
    /// <summary>Units in the order in which the book first names them; a coin without positions is no unit.</summary>
    public static IReadOnlyList<BookUnit> Units(this RandomBook book)
    {
        var keys = book.Fills.Select(fill => fill.InstrumentId).Concat(book.Orders.Select(order => order.InstrumentId))
            .Select(book.Instrument).Select(instrument => (instrument.UnderlyingId, instrument.CurrencyId)).Distinct();
        return [.. keys.Select(key => new BookUnit(
            book.Underlying(key.UnderlyingId),
            book.Currency(key.CurrencyId),
            [.. book.Positions().Where(position => (position.Instrument.UnderlyingId, position.Instrument.CurrencyId) == key)],
            [.. book.Orders.Where(order => (book.Instrument(order.InstrumentId).UnderlyingId, book.Instrument(order.InstrumentId).CurrencyId) == key)]))];
    }

    public static IEnumerable<BookPosition> Positions(this RandomBook book) => book.Fills.GroupBy(fill => fill.InstrumentId)
        .Select(fills => new BookPosition(book.Instrument(fills.Key), fills.Sum(fill => fill.Lots))).Where(position => position.Lots != 0);

    /// <summary>Actual seconds over 365 days; 0 for a perpetual.</summary>
    public static decimal Years(this RandomBook book, BookInstrument instrument) => book.Seconds(instrument) / ReferenceOptions.SecondsPerYear;

    public static decimal Seconds(this RandomBook book, BookInstrument instrument) => instrument.Expiry is ulong time ? (time - book.Now) / 1e9m : 0m;

    public static decimal Forward(this RandomBook book, BookInstrument option) => book.Expiry(option).Forward;

    /// <summary>Discount of a USD-settled option at its expiry's rate where it has one, else its currency's, floored at 0; a coin-settled one has none.</summary>
    public static decimal Discount(this RandomBook book, BookInstrument option) => option.IsInverse
        ? 1m
        : DecimalMath.Exp(-Math.Max(book.HasExpiryFeeds ? book.Expiry(option).Rate : book.Currency(option.CurrencyId).Rate, 0m) * book.Years(option));

    /// <summary>USD of one base unit of an option at another forward and volatility.</summary>
    public static decimal OptionUsd(this RandomBook book, BookInstrument option, decimal forward, decimal volatility) => book.Discount(option)
        * ReferenceOptions.Black76(forward, option.Strike, book.Years(option), volatility, option.IsCall);

    /// <summary>The same at the market.</summary>
    public static decimal OptionUsd(this RandomBook book, BookInstrument option) => book.OptionUsd(option, book.Forward(option), option.Volatility);

    /// <summary>
    /// Base units by which one base unit of an option follows its forward, discounted; 1 for linear contracts.
    /// </summary>
    public static decimal Delta(this RandomBook book, BookInstrument instrument) => !instrument.IsOption
        ? 1m
        : book.Discount(instrument)
            * ReferenceOptions.ForwardDelta(book.Forward(instrument), instrument.Strike, book.Years(instrument), instrument.Volatility, instrument.IsCall);

    /// <summary>USD that a position stands for: at the forward, the mark, or of coin-settled contracts the coin at the index.</summary>
    public static decimal NotionalUsd(this RandomBook book, BookPosition position)
    {
        BookInstrument instrument = position.Instrument;
        decimal size = Math.Abs(position.Amount);
        decimal index = book.Underlying(instrument.UnderlyingId).Index;
        return instrument.IsOption
            ? size * (instrument.IsInverse ? index : book.Forward(instrument))
            : size * (instrument.IsInverse ? index / instrument.Mark : instrument.Mark);
    }

    /// <summary>Base units of a position: of a coin-settled future or perpetual those that its USD are at its mark.</summary>
    public static decimal BaseUnits(this BookPosition position) =>
        position.Amount / (position.Instrument is { IsInverse: true, IsOption: false } contract ? contract.Mark : 1m);

    /// <summary>P&amp;L in USD of a USD-settled position when spot, forwards and marks move by a fraction and volatilities to a function of theirs.</summary>
    public static decimal LinearPnl(this RandomBook book, BookPosition position, decimal move, Func<BookInstrument, decimal> volatility)
    {
        BookInstrument instrument = position.Instrument;
        return position.Amount * (instrument.IsOption
            ? book.OptionUsd(instrument, book.Forward(instrument) * (1m + move), volatility(instrument)) - book.OptionUsd(instrument)
            : instrument.Mark * move);
    }

    public static decimal LinearPnl(this RandomBook book, BookPosition position, decimal move) => book.LinearPnl(position)(move);

    /// <summary>The same by move, for many moves; volatility as it is.</summary>
    public static Func<decimal, decimal> LinearPnl(this RandomBook book, BookPosition position)
    {
        BookInstrument instrument = position.Instrument;
        if (!instrument.IsOption)
            return move => position.Amount * instrument.Mark * move;
        decimal forward = book.Forward(instrument);
        decimal years = book.Years(instrument);
        decimal discount = book.Discount(instrument);
        decimal now = book.OptionUsd(instrument);
        return move => position.Amount * ((discount * ReferenceOptions.Black76(
            forward * (1m + move), instrument.Strike, years, instrument.Volatility, instrument.IsCall)) - now);
    }
}
