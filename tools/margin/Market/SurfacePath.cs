// Prices around an index: forwards by a carry, perpetuals by a premium, options by an arbitrage-free surface that answers the index.
// The base of the built-in market and of replayed candles; they supply the index alone.

using MarginEngine.Logic;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

internal abstract class SurfacePath : IPricePath
{
    private const double PremiumDeviation = 0.0004;
    private const double PremiumHours = 2.0;
    private const double LargestPremium = 0.003;

    private readonly List<Leg> _legs = [];
    private readonly SeededRandom _premiums;
    private long _now;

    protected SurfacePath(SeededRandom random) => _premiums = random.Fork("premium");

    /// <summary>An asset with the shape and the state of its surface.</summary>
    protected sealed class Leg
    {
        public required Asset Asset { get; init; }
        public required Smile Smile { get; init; }
        public required VolatilityResponse Response { get; init; }
        public required double Carry { get; init; }
        public required double LogStart { get; init; }
        public double Premium { get; set; }
    }

    public abstract string Description { get; }

    public abstract long StartNanos { get; }

    public abstract long EndNanos { get; }

    /// <summary>Slices, or grids of the same surface.</summary>
    public VolatilityForm Form { get; init; } = VolatilityForm.Slices;

    public IReadOnlyList<long> Stops => [];

    protected IReadOnlyList<Leg> Legs => _legs;

    public abstract void Open(Board board);

    /// <summary>Log of the index of a leg at a time not before the last.</summary>
    protected abstract double LogIndexAt(int leg, long nanos, double spotVolatility);

    public void Advance(Board board, long nanos)
    {
        double hours = (nanos - board.Now) / (double)UnixTime.Hour;
        board.Now = nanos;
        for (int i = 0; i < _legs.Count; i++)
        {
            Leg leg = _legs[i];
            double log = LogIndexAt(i, nanos, leg.Response.Current.Spot);
            leg.Response.MoveTo(nanos, log);
            double keep = Functions.Exp(-hours / PremiumHours);
            leg.Premium = leg.Premium * keep + PremiumDeviation * Math.Sqrt(1 - keep * keep) * _premiums.Gaussian();
            Price(leg, log, nanos);
        }
    }

    // In its last minute an expiry keeps the variance of one minute: there is no slice of none.
    public SviSlice SliceOf(Expiry expiry) => Slice(LegOf(expiry.Asset), expiry, LastPricedAt(expiry));

    public VolatilityNodes GridOf(Expiry expiry) => VolatilityNodes.Of(SliceOf(expiry), expiry.Years(LastPricedAt(expiry)));

    protected void AddLeg(Board board, Leg leg)
    {
        _legs.Add(leg);
        Price(leg, leg.LogStart, StartNanos);
        board.VolatilityOf = option => VolatilityOf(board, option);
    }

    protected static double LogIndex(double index) => Functions.Log(index);

    private double VolatilityOf(Board board, Contract option)
    {
        Expiry expiry = option.Expiry!;
        double years = expiry.Years(board.Now);
        if (years <= 0)
            return 0;
        SviSlice slice = Slice(LegOf(expiry.Asset), expiry, board.Now);
        if (Form == VolatilityForm.Grids)
            return VolatilityNodes.Of(slice, years).Volatility(option.StrikePrice, expiry.Forward, years);
        return VarianceCurve.Volatility(in slice, option.StrikePrice, expiry.Forward, years);
    }

    private static SviSlice Slice(Leg leg, Expiry expiry, long nanos)
        => leg.Smile.Slice(leg.Response.Current.Variance(expiry.Years(nanos)));

    private long LastPricedAt(Expiry expiry) => Math.Min(_now, expiry.Nanos - UnixTime.Minute);

    private Leg LegOf(Asset asset) => _legs[asset.Id - 1];

    private void Price(Leg leg, double log, long nanos)
    {
        _now = nanos;
        double stress = leg.Response.Current.Spot / leg.Response.Current.Level;
        leg.Asset.Index = Functions.Exp(log);
        foreach (Expiry expiry in leg.Asset.Expiries)
        {
            if (expiry.IsSettled)
                continue;
            // Carry shrinks when volatility stands above its level: leveraged longs are what pays it.
            expiry.Forward = leg.Asset.Index * Functions.Exp(leg.Carry * (2 - Math.Min(stress, 2)) * expiry.Years(nanos));
            foreach (Contract future in expiry.Futures)
                future.Mark = expiry.Forward;
        }
        double premium = Math.Clamp(leg.Premium, -LargestPremium, LargestPremium);
        foreach (Contract perpetual in leg.Asset.Perpetuals)
            perpetual.Mark = leg.Asset.Index * (1 + premium);
    }
}
