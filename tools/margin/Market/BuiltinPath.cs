// The built-in market: 36 hours of BTC and ETH with a crash of a fifth to a quarter within six hours and half of it won back. Everything
// in it is invented; only the seed decides.

using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

internal sealed class BuiltinPath : SurfacePath
{
    private const double Hours = 36;
    private const double WalkShare = 0.8;

    // When what part of the fall has happened; the deepest point is 1.
    private static readonly (double Hour, double Part)[] Shape =
    [
        (11.0, 0.00), (12.5, 0.16), (14.0, 0.44), (14.8, 0.38), (16.0, 0.72), (16.6, 1.00),
        (17.4, 0.82), (20.0, 0.66), (24.0, 0.72), (30.0, 0.60), (Hours, 0.55),
    ];

    private static readonly long Start = UnixTime.Nanos(2026, 3, 2, 3);

    private readonly SeededRandom _random;
    private readonly SeededRandom _walks;
    private readonly List<(long Nanos, double Log)[]> _knots = [];
    private readonly List<Bridge> _bridges = [];
    private readonly List<int> _next = [];

    public BuiltinPath(SeededRandom random)
        : base(random)
    {
        _random = random.Fork("knots");
        _walks = random.Fork("walks");
    }

    public override string Description
        => "built-in market: 36 invented hours of BTC and ETH, a crash of a fifth to a quarter in the middle, arbitrage-free surfaces";

    public override long StartNanos => Start;

    public override long EndNanos => Start + (long)(Hours * UnixTime.Hour);

    public override void Open(Board board)
    {
        board.Now = Start;
        board.AddCurrency("USD", 6);
        Currency bitcoin = board.AddCurrency("BTC", 10);
        Currency ether = board.AddCurrency("ETH", 9);
        double fall = _random.Between(0.235, 0.262);
        Add(board, board.AddAsset("BTC", bitcoin), ListingRule.Bitcoin, 76_500, fall, new Smile(-0.14, 0.95), calm: 0.46);
        fall *= _random.Between(1.03, 1.08);
        Add(board, board.AddAsset("ETH", ether), ListingRule.Ether, 2_270, fall, new Smile(-0.18, 0.9), calm: 0.60);
    }

    protected override double LogIndexAt(int leg, long nanos, double spotVolatility)
    {
        (long Nanos, double Log)[] knots = _knots[leg];
        Bridge bridge = _bridges[leg];
        while (_next[leg] < knots.Length && knots[_next[leg]].Nanos <= nanos)
        {
            bridge.MoveTo(knots[_next[leg]].Nanos, 0, _walks);
            _next[leg]++;
            if (_next[leg] < knots.Length)
                bridge.Aim(knots[_next[leg]].Nanos, knots[_next[leg]].Log);
        }
        return bridge.MoveTo(nanos, WalkShare * spotVolatility, _walks);
    }

    private void Add(Board board, Asset asset, ListingRule rule, double index, double fall, Smile smile, double calm)
    {
        double start = LogIndex(index * _random.Between(0.995, 1.005));
        double drift = _random.Between(-0.008, 0.008);
        var knots = new (long, double)[Shape.Length];
        for (int i = 0; i < Shape.Length; i++)
            knots[i] = (Start + (long)(Shape[i].Hour * UnixTime.Hour), start + drift - fall * Shape[i].Part);
        _knots.Add(knots);
        var bridge = new Bridge(Start, start);
        bridge.Aim(knots[0].Item1, knots[0].Item2);
        _bridges.Add(bridge);
        _next.Add(0);

        double level = calm + 0.06;
        asset.Index = Logic.Functions.Exp(start);
        IReadOnlyList<long> calendar = ListingRule.Calendar(Start);
        rule.List(board, asset, calendar, new HashSet<long> { calendar[^4], calendar[^2] }, level, Start);
        AddLeg(board, new Leg
        {
            Asset = asset,
            Smile = smile,
            Response = new VolatilityResponse(calm, level, start, Start),
            Carry = 0.05,
            LogStart = start,
        });
    }
}
