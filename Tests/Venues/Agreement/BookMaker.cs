using MarginEngine.Codecs;
using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Draws a book from a seed: one to three underlyings, up to three expiries each from a minute to three years, a smile, and an account in one of the
/// shapes of <see cref="BookShapes"/>. The same seed and style give the same book.
/// </summary>
internal sealed class BookMaker
{
    private const double SecondsPerYear = (double)ReferenceOptions.SecondsPerYear;
    private const ulong Start = 1_770_292_800_000_000_000; // 2026-02-05 12:00 UTC

    private static readonly (string Code, int Decimals, double Low, double High, decimal Step)[] Coins =
        [("BTC", 10, 15_000, 130_000, 500m), ("ETH", 9, 900, 5_000, 25m), ("SOL", 8, 15, 300, 1m)];

    private readonly Dictionary<string, BookInstrument> _instruments = [];
    private readonly List<BookFill> _fills = [];

    public BookMaker(int seed, BookStyle style)
    {
        Random = new Random(seed);
        Style = style;
        Family = style.Family == BookFamily.Either ? Any([BookFamily.Linear, BookFamily.Inverse, BookFamily.Mixed]) : style.Family;
        Stable = style.HasDoubt && Random.Next(2) == 0 ? Round(Between(0.93, 1.02), 4) : 1m;
        Underlyings = [.. Enumerable.Range(0, Random.Next(1, style.Underlyings + 1)).Select(Underlying)];
        Expiries = [.. Underlyings.SelectMany(ExpiriesOf)];
    }

    public Random Random { get; }

    public BookStyle Style { get; }

    public BookFamily Family { get; }

    public decimal Stable { get; }

    public IReadOnlyList<BookUnderlying> Underlyings { get; }

    public IReadOnlyList<BookExpiry> Expiries { get; }

    /// <summary>USD, coins in their order, the stable coin.</summary>
    public decimal[] Deposits { get; } = new decimal[Coins.Length + 2];

    public int Positions => _fills.Count;

    public static RandomBook Make(int seed, BookStyle style)
    {
        var maker = new BookMaker(seed, style);
        string shape = BookShapes.Fill(maker);
        return new RandomBook
        {
            Seed = seed,
            Shape = shape,
            Now = Start,
            Stable = maker.Stable,
            HasOptionMarks = style.HasOptionMarks && maker.Random.Next(4) > 0,
            HasExpiryFeeds = style.HasExpiryFeeds,
            Currencies = maker.Currencies(),
            Underlyings = maker.Underlyings,
            Expiries = maker.Expiries,
            Instruments = [.. maker._instruments.Values],
            Fills = maker._fills,
            Orders = style.HasOrders ? maker.Orders() : [],
        };
    }

    public static decimal Round(double value, int digits) => decimal.Round((decimal)value, digits);

    public double Between(double low, double high) => low + ((high - low) * Random.NextDouble());

    /// <summary>Evenly spread in its logarithm.</summary>
    public double Spread(double low, double high) => Math.Exp(Between(Math.Log(low), Math.Log(high)));

    public T Any<T>(IReadOnlyList<T> items) => items[Random.Next(items.Count)];

    public static decimal Years(BookExpiry expiry) => (expiry.Time - Start) / 1e9m / ReferenceOptions.SecondsPerYear;

    /// <summary>A strike at a moneyness, on the coin's grid where the grid is fine enough.</summary>
    public decimal Strike(BookExpiry expiry, double moneyness)
    {
        double wanted = (double)expiry.Forward * moneyness;
        decimal step = Coins[expiry.UnderlyingId - 1].Step;
        return wanted < 4.0 * (double)step ? Math.Max(Round(wanted, 3), 0.001m) : Math.Round((decimal)wanted / step) * step;
    }

    public BookInstrument Option(BookExpiry expiry, bool isCall, decimal strike) => Instrument(
        $"{expiry.UnderlyingId} {expiry.Time} {isCall} {strike}", () =>
        {
            double log = Math.Log((double)(strike / expiry.Forward));
            decimal volatility = Round(Math.Clamp(Between(0.15, 1.2) + (0.3 * log * log) - (0.1 * log), 0.05, 4.0), Any([4, 8]));
            decimal price = ReferenceOptions.Black76(expiry.Forward, strike, Years(expiry), volatility, isCall)
                * (Style.HasOptionMarks ? (decimal)Between(0.98, 1.02) : 1m);
            bool isInverse = IsInverse();
            return new BookInstrument(
                0, InstrumentKind.Option, Settlement(isInverse), expiry.UnderlyingId, CurrencyId(expiry.UnderlyingId, isInverse), Any([1m, 0.1m, 0.01m]),
                Math.Max(decimal.Round(price, 8), 0.00000001m), 1m, expiry.Time, isCall ? OptionRight.Call : OptionRight.Put, strike, volatility);
        });

    public BookInstrument Future(BookExpiry expiry) => Instrument(
        $"{expiry.UnderlyingId} {expiry.Time}",
        () => Linear(InstrumentKind.Future, expiry.UnderlyingId, Round((double)expiry.Forward * Between(0.999, 1.001), 2), 1m) with { Expiry = expiry.Time });

    public BookInstrument Perpetual(BookUnderlying underlying) => Instrument(
        $"{underlying.Id}",
        () => Linear(InstrumentKind.Perpetual, underlying.Id, Round((double)underlying.Index * Between(0.997, 1.003), 2), Confidence()));

    /// <summary>USD of one lot.</summary>
    public double LotNotional(BookInstrument instrument)
    {
        bool isUsd = instrument.IsInverse && !instrument.IsOption;
        return (double)instrument.Size * (isUsd ? 1.0 : (double)Underlyings.First(item => item.Id == instrument.UnderlyingId).Index);
    }

    /// <summary>Lots that are worth about so many USD, at least one.</summary>
    public long Lots(BookInstrument instrument, double notional) => Math.Max(1L, (long)(notional / LotNotional(instrument)));

    public void Hold(BookInstrument instrument, long lots)
    {
        if (lots == 0 || _fills.Any(fill => fill.InstrumentId == instrument.Id))
            return;
        double near = (double)instrument.Mark * Between(0.9, 1.1);
        if (instrument.IsOption && instrument.IsInverse)
            near /= (double)Underlyings.First(item => item.Id == instrument.UnderlyingId).Index;
        _fills.Add(new BookFill(instrument.Id, lots, Math.Max(Round(near, Any([4, 8])), 0.00000001m)));
    }

    private List<BookOrder> Orders()
    {
        List<BookOrder> orders = [];
        for (int count = Random.Next(4); count > 0 && _instruments.Count > 0; count--)
        {
            BookInstrument instrument = Any([.. _instruments.Values]);
            double price = (double)instrument.Mark * Between(0.8, 1.2);
            if (instrument.IsOption && instrument.IsInverse)
                price /= (double)Underlyings.First(item => item.Id == instrument.UnderlyingId).Index;
            orders.Add(new BookOrder(instrument.Id, Lots(instrument, Spread(100, 1e6)) * Any([1, -1]), Math.Max(Round(price, 8), 0.00000001m)));
        }

        return orders;
    }

    private BookInstrument Instrument(string key, Func<BookInstrument> make)
    {
        if (!_instruments.TryGetValue(key, out BookInstrument? found))
        {
            found = make() with { Id = (uint)(_instruments.Count + 1) };
            _instruments.Add(key, found);
        }

        return found;
    }

    private BookInstrument Linear(InstrumentKind kind, ushort underlying, decimal mark, decimal confidence)
    {
        bool isInverse = IsInverse();
        decimal size = isInverse ? Any([10m, 1m]) : Any([1m, 0.001m, 0.01m]);
        return new BookInstrument(0, kind, Settlement(isInverse), underlying, CurrencyId(underlying, isInverse), size, mark, confidence);
    }

    private bool IsInverse() => Family == BookFamily.Inverse || (Family == BookFamily.Mixed && Random.Next(2) == 0);

    private static Settlement Settlement(bool isInverse) => isInverse ? Codecs.Settlement.Inverse : Codecs.Settlement.Linear;

    private static ushort CurrencyId(ushort underlying, bool isInverse) => isInverse ? (ushort)(underlying + 1) : RandomBook.UsdId;

    private decimal Confidence() => Style.HasDoubt && Random.Next(3) == 0 ? Round(Between(0.2, 1.0), 4) : 1m;

    private BookUnderlying Underlying(int index) => new(
        (ushort)(index + 1), Coins[index].Code, (ushort)(index + 2), Round(Spread(Coins[index].Low, Coins[index].High), Any([2, 8])), Confidence(),
        Style.HasFunding ? Round(Between(-0.0005, 0.0005), 8) : 0m);

    private IEnumerable<BookExpiry> ExpiriesOf(BookUnderlying underlying)
    {
        double drift = Between(-0.1, 0.15);
        var seen = new HashSet<ulong>();
        for (int count = Random.Next(1, 4); count > 0; count--)
        {
            double seconds = Math.Max(Style.ShortestLifeSeconds, Spread(60, 3.0 * SecondsPerYear));
            ulong time = Start + ((ulong)seconds * 1_000_000_000);
            double forward = (double)underlying.Index * Math.Exp(drift * seconds / SecondsPerYear) * Between(0.9995, 1.0005);
            if (seen.Add(time))
            {
                yield return new BookExpiry(
                    underlying.Id, time, Round(forward, Any([2, 8])), Round(Between(-0.03, 0.12), 6), Confidence(),
                    Any([BookFeed.Forward, BookFeed.Volatility, BookFeed.Rate]));
            }
        }
    }

    private List<BookCurrency> Currencies()
    {
        decimal rate = Random.Next(2) == 0 ? 0m : Round(Between(-0.03, 0.1), 6);
        List<BookCurrency> currencies = [new(RandomBook.UsdId, "USD", 6, Deposits[0], rate)];
        for (int coin = 0; coin < Coins.Length; coin++)
        {
            currencies.Add(new BookCurrency((ushort)(coin + 2), Coins[coin].Code, Coins[coin].Decimals, Deposits[coin + 1], 0m));
        }

        currencies.Add(new BookCurrency(RandomBook.StableId, "USDC", 6, Deposits[^1], 0m));
        return currencies;
    }
}
