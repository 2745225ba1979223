namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Cash and equity of a book, exact where money is paid: a fill's cost is rounded half to even to an atom of its currency; option premiums are paid at once,
/// other contracts carry open profit.
/// </summary>
internal static class BookEquity
{
    /// <summary>Deposit less option premiums, in units of the currency.</summary>
    public static decimal Cash(this RandomBook book, BookCurrency currency) => currency.Deposit - book.Fills
        .Where(fill => book.Instrument(fill.InstrumentId) is { IsOption: true } option && option.CurrencyId == currency.Id)
        .Sum(fill => Cost(book, fill));

    /// <summary>Open profit of futures and perpetuals on one underlying, in units of the currency they settle in.</summary>
    public static decimal OpenProfit(this RandomBook book, BookCurrency currency, ushort? underlying = null) => book.Fills
        .Where(fill => book.Instrument(fill.InstrumentId) is { IsOption: false } contract && contract.CurrencyId == currency.Id
            && (underlying is null || contract.UnderlyingId == underlying))
        .Sum(fill => Value(book.Instrument(fill.InstrumentId), fill.Lots) - Cost(book, fill));

    /// <summary>
    /// Sum over currencies of (cash + open profit + options) in USD, a positive sum after its haircut. Options at <paramref name="optionUsd"/> (USD of one
    /// base unit), or not at all where it is null.
    /// </summary>
    /// <param name="haircut">Fraction of a currency's positive value that does not count, by its code.</param>
    public static decimal Equity(this RandomBook book, Func<string, decimal> haircut, Func<BookInstrument, decimal>? optionUsd) =>
        book.Totals(optionUsd).Sum(total => total.Usd > 0m ? total.Usd * (1m - haircut(total.Currency.Code)) : total.Usd);

    /// <summary>What is owned of each currency that has a price, in USD at the index: cash, open profit and options as in <see cref="Equity"/>.</summary>
    public static IEnumerable<(BookCurrency Currency, decimal Price, decimal Usd)> Totals(this RandomBook book, Func<BookInstrument, decimal>? optionUsd)
    {
        foreach (BookCurrency currency in book.Currencies)
        {
            BookUnderlying? coin = book.Underlyings.FirstOrDefault(underlying => underlying.CoinId == currency.Id);
            if (coin is null && currency.Id is not (RandomBook.UsdId or RandomBook.StableId))
                continue;
            decimal price = coin is not null ? coin.Index : currency.Id == RandomBook.UsdId ? 1m : book.Stable;
            yield return (currency, price, (price * (book.Cash(currency) + book.OpenProfit(currency))) + Options(book, currency, price, optionUsd));
        }
    }

    // A coin-settled option is worth its value over the forward in coin.
    private static decimal Options(RandomBook book, BookCurrency currency, decimal price, Func<BookInstrument, decimal>? optionUsd) => optionUsd is null
        ? 0m
        : book.Positions().Where(position => position.Instrument.IsOption && position.Instrument.CurrencyId == currency.Id).Sum(position =>
            position.Amount * optionUsd(position.Instrument) * (position.Instrument.IsInverse ? price / book.Forward(position.Instrument) : 1m));

    private static decimal Cost(RandomBook book, BookFill fill)
    {
        BookInstrument instrument = book.Instrument(fill.InstrumentId);
        decimal cost = instrument.IsInverse && !instrument.IsOption
            ? -fill.Lots * instrument.Size / fill.Price
            : fill.Lots * instrument.Size * fill.Price;
        return decimal.Round(cost, book.Currency(instrument.CurrencyId).Decimals, MidpointRounding.ToEven);
    }

    private static decimal Value(BookInstrument contract, long lots) =>
        contract.IsInverse ? -lots * contract.Size / contract.Mark : lots * contract.Size * contract.Mark;
}
