using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// The engine itself: a book becomes its messages, in the order in which a venue would send them, and the answer is the report of its account. Models come
/// by name from the shipped documents. A refused message, an unpriced or a saturated margin fails the test with the book.
/// </summary>
/// <param name="document">The document of a name; null: the shipped one.</param>
internal sealed class DeskEngine(Func<string, ModelDocument>? document = null) : IEngineUnderTest
{
    private const ulong Account = 1;

    /// <summary>The stable coin as an underlying, whose index is its price.</summary>
    private const ushort StableUnderlying = 9;

    // Books of as many underlyings define the same currencies and coins before their model, so that its messages are the same.
    private readonly Dictionary<(string Model, int Underlyings), IReadOnlyList<byte[]>> _models = [];

    private static readonly Limits Room = new()
    {
        Accounts = 4,
        Units = 16,
        Positions = 64,
        Orders = 64,
        Instruments = 64,
        Underlyings = 4,
        Expiries = 32,
        Currencies = 8,
        Models = 1,
        Legs = 16,
        EventMessages = 1_024,
        Sources = 2,
    };

    public (decimal Equity, decimal Initial, decimal Maintenance) Margin(RandomBook book, string model)
    {
        MarginReport report = Report(book, model);
        return (Desk.Usd6(report.Margin.Equity), Desk.Usd6(report.Margin.Initial), Desk.Usd6(report.Margin.Maintenance));
    }

    public MarginReport Report(RandomBook book, string model)
    {
        using var desk = new Desk(Room, withMarket: false) { Now = (long)book.Now };
        Define(desk, book, model);
        SendMarket(desk, book);
        SendAccount(desk, book);
        if (desk.HasRejected)
        {
            RejectDecoder.TryWrap(desk.Of(RejectDecoder.TemplateId).First(), out RejectDecoder reject);
            Assert.Fail($"{model}: {reject.Code} of field {reject.FieldId} in template {reject.RefusedTemplateId}: {book}");
        }

        MarginReport report = desk.Report(Account);
        MarginFlags flags = report.Margin.Flags & (MarginFlags.Unpriced | MarginFlags.Saturated);
        Assert.That(flags, Is.EqualTo(MarginFlags.None), $"{model}: {book}");
        return report;
    }

    private void Define(Desk desk, RandomBook book, string model)
    {
        foreach (BookCurrency currency in book.Currencies)
        {
            desk.Currency(currency.Id, currency.Decimals, currency.Code);
        }

        foreach (BookUnderlying underlying in book.Underlyings)
        {
            desk.Underlying(underlying.Id, underlying.CoinId, underlying.Code);
        }

        desk.Underlying(StableUnderlying, RandomBook.StableId, "USDC");
        if (!_models.TryGetValue((model, book.Underlyings.Count), out IReadOnlyList<byte[]>? parts))
        {
            parts = (document ?? ModelDocument.Shipped)(model).ToMessages(
                1, desk.NextOrigin(), book.Now, desk.Source, OriginFlags.EndOfEvent,
                [.. book.Underlyings.Select(underlying => (underlying.Id, underlying.Code)), (StableUnderlying, "USDC")],
                [.. book.Currencies.Select(currency => (currency.Id, currency.Code))]);
            _models.Add((model, book.Underlyings.Count), parts);
        }

        foreach (byte[] part in parts)
        {
            desk.Apply(part);
        }

        desk.SkipOrigin(desk.Machine.LastSourceSequence(desk.Source));
        foreach (BookInstrument instrument in book.Instruments)
        {
            desk.Instrument(
                instrument.Kind, instrument.Settlement, instrument.UnderlyingId, instrument.CurrencyId, instrument.Size, instrument.Right,
                instrument.IsOption ? instrument.Strike : null, instrument.Expiry, $"I{instrument.Id}", instrument.Id);
        }
    }

    private static void SendMarket(Desk desk, RandomBook book)
    {
        desk.Time(book.Now);
        foreach (BookCurrency currency in book.Currencies.Where(currency => currency.Rate != 0m))
        {
            Rate(desk, currency);
        }

        foreach (BookUnderlying underlying in book.Underlyings)
        {
            desk.Index(underlying.Index, underlying.Id, OriginFlags.None, Doubt(underlying.Confidence));
        }

        desk.Index(book.Stable, StableUnderlying, OriginFlags.None);

        // An expiry is known to the engine from the first contract that has it.
        foreach (BookExpiry expiry in book.Expiries.Where(expiry => book.Instruments.Any(item => item.UnderlyingId == expiry.UnderlyingId && item.Expiry == expiry.Time)))
        {
            decimal settled = book.HasExpiryFeeds ? expiry.Fixed(book.Now) : 0m;
            desk.Forward(expiry.Forward, expiry.Time, expiry.UnderlyingId, OriginFlags.None, settled, Doubt(expiry.ConfidenceOf(BookFeed.Forward)));
            if (book.HasExpiryFeeds)
                desk.ExpiryRate(expiry.Rate, expiry.Time, expiry.UnderlyingId, OriginFlags.None, Doubt(expiry.ConfidenceOf(BookFeed.Rate)));
        }

        foreach (BookInstrument instrument in book.Instruments)
        {
            if (instrument.IsOption)
                desk.Volatility(instrument.Id, instrument.Volatility, OriginFlags.None, Doubt(book.Expiry(instrument).ConfidenceOf(BookFeed.Volatility)));
            if (!instrument.IsOption || book.HasOptionMarks)
                desk.Mark(instrument.Id, instrument.Mark, OriginFlags.None, Doubt(instrument.Confidence));
            decimal funding = book.Underlying(instrument.UnderlyingId).Funding;
            if (instrument.Kind == InstrumentKind.Perpetual && funding != 0m)
                desk.AnnounceFunding(instrument.Id, funding);
        }

        desk.Time(book.Now);
    }

    private static void SendAccount(Desk desk, RandomBook book)
    {
        desk.Open(Account);
        foreach (BookCurrency currency in book.Currencies.Where(currency => currency.Deposit != 0m))
        {
            desk.Transfer(Account, currency.Id, currency.Deposit);
        }

        foreach (BookFill fill in book.Fills)
        {
            desk.Fill(Account, fill.InstrumentId, fill.Lots, fill.Price);
        }

        ulong order = 0;
        foreach (BookOrder resting in book.Orders)
        {
            desk.Order(Account, resting.InstrumentId, resting.Lots, resting.Price, ++order);
        }

        desk.Time(book.Now);
    }

    private static void Rate(Desk desk, BookCurrency currency)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        InterestRateEncoder message = InterestRateEncoder.Wrap(buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.None);
        message.CurrencyId = currency.Id;
        message.SetRate(Desk.E8(currency.Rate));
        desk.Apply(buffer.AsSpan(0, message.EncodedLength));
    }

    // A feed that is sure says nothing of it.
    private static decimal? Doubt(decimal confidence) => confidence == 1m ? null : confidence;
}
