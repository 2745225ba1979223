// A real index path out of candles, minute by minute: open, the two extremes, close. Options around it are the built-in surface.

using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

internal sealed class CandlePath : SurfacePath
{
    private const double CalmVolatility = 0.38;

    private readonly IReadOnlyList<Candle> _candles;
    private readonly string _code;
    private readonly double _calm;
    private int _at;

    /// <param name="candles">Of one symbol, in order.</param>
    /// <param name="code">The asset, "BTC".</param>
    /// <param name="volatility">The venue's volatility index of the first day as a part of one, 0 where it is not known.</param>
    public CandlePath(SeededRandom random, IReadOnlyList<Candle> candles, string code, double volatility)
        : base(random)
    {
        _candles = candles;
        _code = code;
        _calm = volatility > 0 ? volatility : CalmVolatility;
    }

    public override string Description
        => $"replay of {_candles.Count} real candles of {_code}, {UnixTime.Show(StartNanos)} to {UnixTime.Show(EndNanos)};"
            + $" options and futures around them are the built-in surface, calm volatility {_calm:0.0%}";

    public override long StartNanos => _candles[0].OpenNanos;

    public override long EndNanos => _candles[^1].CloseNanos;

    public override void Open(Board board)
    {
        board.Now = StartNanos;
        board.AddCurrency("USD", 6);
        Currency coin = board.AddCurrency(_code, 10);
        Asset asset = board.AddAsset(_code, coin);
        asset.Index = _candles[0].Open * 1e-8;
        double start = LogIndex(asset.Index);
        IReadOnlyList<long> calendar = ListingRule.Calendar(StartNanos);
        ListingRule.Bitcoin.List(board, asset, calendar, new HashSet<long> { calendar[^4], calendar[^2] }, _calm + 0.04, StartNanos);
        AddLeg(board, new Leg
        {
            Asset = asset,
            Smile = new Smile(-0.14, 0.95),
            Response = new VolatilityResponse(_calm, _calm + 0.04, start, StartNanos),
            Carry = 0.05,
            LogStart = start,
        });
    }

    protected override double LogIndexAt(int leg, long nanos, double spotVolatility)
    {
        while (_at + 1 < _candles.Count && _candles[_at + 1].OpenNanos <= nanos)
            _at++;
        return LogIndex(PriceWithin(_candles[_at], nanos));
    }

    /// <summary>Straight lines open - nearer extreme first - other extreme - close: a rising candle dips before it rises.</summary>
    internal static double PriceWithin(in Candle candle, long nanos)
    {
        double part = Math.Clamp((nanos - candle.OpenNanos) / (double)(candle.CloseNanos - candle.OpenNanos), 0, 1);
        bool rising = candle.Close >= candle.Open;
        double first = rising ? candle.Low : candle.High;
        double second = rising ? candle.High : candle.Low;
        double price = part < 1.0 / 3 ? candle.Open + (first - candle.Open) * 3 * part
            : part < 2.0 / 3 ? first + (second - first) * (3 * part - 1)
            : second + (candle.Close - second) * (3 * part - 2);
        return price * 1e-8;
    }
}
