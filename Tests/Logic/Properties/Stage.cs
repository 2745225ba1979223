using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>
/// The market of a random book in a machine that holds every shipped model, with as many accounts as a property compares. Contracts may be defined under
/// other ids and in another order than the book has them.
/// </summary>
internal sealed class Stage : IDisposable
{
    private const ushort UsdcUnderlying = 4;

    internal static readonly Limits Room = new()
    {
        Accounts = 128,
        Units = 512,
        Positions = 2_048,
        Orders = 512,
        Instruments = 64,
        Underlyings = 4,
        Expiries = 32,
        Grids = 4,
        Currencies = 8,
        Models = 14,
        Legs = 32,
        EventMessages = 4_096,
        Sources = 2,
        RefreshSlice = 1,
    };

    // Currencies, underlyings and models are the same messages for every book, so they are made once.
    private static readonly Lazy<IReadOnlyList<byte[]>> Opening = new(() => Open(ModelDocument.ShippedNames.Select(ModelDocument.Shipped)));

    private readonly Func<uint, uint> _ids;
    private readonly IReadOnlyList<string> _names;
    private ulong _lastAccount;
    private ulong _lastOrder;
    private uint _till;

    /// <param name="ids">The engine's id of a contract of the book; null: the same.</param>
    /// <param name="order">Contracts in the order of their definition; null: the book's.</param>
    /// <param name="documents">Models instead of the shipped ones, by their own names.</param>
    /// <param name="isHalted">Nobody is liquidated, so that margins of accounts without equity can be looked at in peace.</param>
    public Stage(RandomBook book, Func<uint, uint>? ids = null, IEnumerable<BookInstrument>? order = null, IReadOnlyList<ModelDocument>? documents = null, bool isHalted = true)
    {
        Book = book;
        _names = documents is null ? ModelDocument.ShippedNames : [.. documents.Select(document => document.Name)];

        // A scan range is an amount of money: three of them may be more than the price, and a coin-settled position then loses more coin than there is.
        Models = [.. _names.Where(name => name != "span" || !book.Instruments.Any(contract => contract.IsInverse))];
        _ids = ids ?? (id => id);
        Desk = new Desk(Room, withMarket: false) { Now = (long)book.Now };
        foreach (byte[] message in documents is null ? Opening.Value : Open(documents))
        {
            Desk.Apply(message);
        }

        Desk.SkipOrigin(Desk.Machine.LastSourceSequence(Desk.Source));
        foreach (BookInstrument contract in order ?? book.Instruments)
        {
            Desk.Instrument(
                contract.Kind, contract.Settlement, contract.UnderlyingId, contract.CurrencyId, contract.Size, contract.Right,
                contract.IsOption ? contract.Strike : null, contract.Expiry, $"I{contract.Id}", _ids(contract.Id));
        }

        SendMarket();
        if (isHalted)
        {
            Desk.Operator(Command.Halt);
        }

        Admit();
    }

    public Desk Desk { get; }

    public RandomBook Book { get; }

    /// <summary>Models that can be asked about this book.</summary>
    public IReadOnlyList<string> Models { get; }

    public uint IdOf(uint instrument) => _ids(instrument);

    public void Dispose() => Desk.Dispose();

    /// <summary>A new account under a model, with the deposits of the book where they are wanted.</summary>
    public ulong Open(string model, bool withDeposits = false)
    {
        Desk.Open(++_lastAccount, ModelIdOf(model));
        foreach (BookCurrency currency in Book.Currencies.Where(currency => withDeposits && currency.Deposit != 0m))
        {
            Desk.Transfer(_lastAccount, currency.Id, currency.Deposit);
        }

        return _lastAccount;
    }

    /// <summary>A new account with everything the book has.</summary>
    public ulong Hold(string model, bool withOrders = true, bool withDeposits = true)
    {
        ulong account = Open(model, withDeposits);
        Fill(account, Book.Fills);
        foreach (BookOrder order in Book.Orders.Where(_ => withOrders))
        {
            Order(account, order);
        }

        return account;
    }

    public void Fill(ulong account, params IEnumerable<BookFill> fills)
    {
        foreach (BookFill fill in fills.Where(fill => fill.Lots != 0))
        {
            Desk.Fill(account, _ids(fill.InstrumentId), fill.Lots, fill.Price);
        }
    }

    public ulong Order(ulong account, BookOrder order)
    {
        Desk.Order(account, _ids(order.InstrumentId), order.Lots, order.Price, ++_lastOrder);
        return _lastOrder;
    }

    /// <summary>Deposits whole atoms of a currency.</summary>
    public void Give(ulong account, ushort currency, long atoms)
    {
        int decimals = Book.Currency(currency).Decimals;
        Desk.Transfer(account, currency, atoms / (decimal)Math.Pow(10, decimals), -decimals);
    }

    /// <summary>Takes USD as a fee on a round trip that leaves no position.</summary>
    public void Charge(ulong account, long microUsd)
    {
        if (_till == 0)
        {
            _till = 10_000;
            Desk.Instrument(InstrumentKind.Perpetual, Settlement.Linear, 1, RandomBook.UsdId, 1m, symbol: "TILL", id: _till);
            Desk.Mark(_till, 1m, OriginFlags.None);
        }

        Desk.Fill(account, _till, 1, 1m, microUsd / 1_000_000m, flags: OriginFlags.None);
        Desk.Fill(account, _till, -1, 1m, flags: OriginFlags.None);
    }

    public MarginReport Report(ulong account)
    {
        Admit();
        MarginReport report = Desk.Report(account);
        MarginFlags flags = report.Margin.Flags & (MarginFlags.Unpriced | MarginFlags.Saturated);
        Assert.That(flags, Is.EqualTo(MarginFlags.None), $"{report.Model}: {Book}");
        return report;
    }

    /// <summary>Price at which a contract is valued by a model, in its own quote: USD, or coin for an inverse option.</summary>
    public decimal MarkOf(string model, BookInstrument contract)
    {
        if (!contract.IsOption)
        {
            return contract.Mark;
        }

        const long Lots = 1_000;
        ulong probe = Open(model);
        Fill(probe, new BookFill(contract.Id, Lots, 0.01m));
        PositionReport position = Report(probe).Units.Single().Positions.Single();
        decimal unit = Lots * contract.Size * (decimal)Math.Pow(10, Book.Currency(contract.CurrencyId).Decimals);
        return Math.Max(decimal.Round(position.Value / unit, 8), 0.00000001m);
    }

    public override string ToString() => Book.ToString();

    private ushort ModelIdOf(string model) => (ushort)(_names.TakeWhile(name => name != model).Count() + 1);

    private void Admit()
    {
        if (Desk.HasRejected)
        {
            RejectDecoder.TryWrap(Desk.Of(RejectDecoder.TemplateId).First(), out RejectDecoder reject);
            Assert.Fail($"{reject.Code} of field {reject.FieldId} in template {reject.RefusedTemplateId}: {Book}");
        }
    }

    private static List<byte[]> Open(IEnumerable<ModelDocument> documents)
    {
        RandomBook any = BookMaker.Make(1, new BookStyle());
        using Desk desk = new(Room, withMarket: false) { Now = (long)any.Now };
        foreach (BookCurrency currency in any.Currencies)
        {
            desk.Currency(currency.Id, currency.Decimals, currency.Code);
        }

        (ushort Id, string Code)[] underlyings = [(1, "BTC"), (2, "ETH"), (3, "SOL"), (UsdcUnderlying, "USDC")];
        foreach ((ushort id, string code) in underlyings)
        {
            desk.Underlying(id, (ushort)(id + 1), code);
        }

        ushort model = 0;
        foreach (ModelDocument document in documents)
        {
            foreach (byte[] part in document.ToMessages(
                ++model, desk.NextOrigin(), any.Now, desk.Source, OriginFlags.EndOfEvent, underlyings,
                [.. any.Currencies.Select(currency => (currency.Id, currency.Code))]))
            {
                desk.Apply(part);
            }

            desk.SkipOrigin(desk.Machine.LastSourceSequence(desk.Source));
        }

        Assert.That(desk.HasRejected, Is.False, () => desk.Rejections());
        return [.. desk.Applied.Select(applied => applied.Message)];
    }

    private void SendMarket()
    {
        Desk.Time(Book.Now);
        foreach (BookCurrency currency in Book.Currencies.Where(currency => currency.Rate != 0m))
        {
            MarketMessages.Rate(Desk, currency.Id, currency.Rate);
        }

        MarketMessages.Index(Desk, UsdcUnderlying, Book.Stable, 1m);
        foreach (BookUnderlying underlying in Book.Underlyings)
        {
            MarketMessages.Index(Desk, underlying.Id, underlying.Index, underlying.Confidence);
        }

        // An expiry is known to the engine from the first contract that has it.
        foreach (BookExpiry expiry in Book.Expiries.Where(expiry => Book.Instruments.Any(item => item.UnderlyingId == expiry.UnderlyingId && item.Expiry == expiry.Time)))
        {
            MarketMessages.Forward(Desk, expiry);
        }

        foreach (BookInstrument contract in Book.Instruments)
        {
            MarketMessages.Price(Desk, _ids(contract.Id), contract, Book.HasOptionMarks);
            decimal funding = contract.Kind == InstrumentKind.Perpetual ? Book.Underlying(contract.UnderlyingId).Funding : 0m;
            if (funding != 0m)
            {
                Desk.AnnounceFunding(_ids(contract.Id), funding);
            }
        }

        Desk.Time(Book.Now);
    }
}
