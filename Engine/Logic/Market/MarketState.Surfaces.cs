namespace MarginEngine.Logic;

/// <content>
/// Volatility of any strike of any expiry. An expiry without a surface of its own takes total variance at the same ln(strike / forward)
/// from the nearest live expiries of its underlying that have one, linear in time between them; where there is one on one side only, its
/// volatility is kept.
/// </content>
public sealed partial class MarketState
{
    public VolatilityGrids Grids { get; }

    /// <summary>The expiry's own surface, as of valuation time; the caller knows that there is one.</summary>
    public Smile SmileOf(int expiry)
    {
        ref readonly Expiry own = ref _expiries[expiry];
        double years = YearsTo(expiry);
        return own.Grid >= 0 ? new Smile(Grids.At(own.Grid), years) : new Smile(own.Slice, years);
    }

    /// <summary>Volatility per square root of a year; 0: neither the expiry nor any neighbour has a surface.</summary>
    public double SurfaceVolatility(int expiry, double forward, double strike, double years)
    {
        if (_expiries[expiry].HasSurface)
        {
            return SmileOf(expiry).Volatility(VarianceCurve.LogMoneyness(strike, forward));
        }

        int before = SurfaceBefore(expiry, ValuationTime);
        int after = SurfaceAfter(expiry, ValuationTime);
        if (before < 0 && after < 0)
        {
            return 0.0;
        }

        // No time is left: any positive number prices the intrinsic value.
        return years <= 0.0 ? 1.0 : NeighbourVolatility(before, after, VarianceCurve.LogMoneyness(strike, forward), years);
    }

    /// <summary>When the surface that prices the expiry arrived; of two neighbours the older one, 0 where there is none.</summary>
    public long SurfaceTimeOf(int expiry)
    {
        if (_expiries[expiry].HasSurface)
        {
            return _expiries[expiry].SurfaceTime;
        }

        int before = SurfaceBefore(expiry, ValuationTime);
        int after = SurfaceAfter(expiry, ValuationTime);
        if (before < 0 || after < 0)
        {
            int only = Math.Max(before, after);
            return only < 0 ? 0 : _expiries[only].SurfaceTime;
        }

        return Math.Min(_expiries[before].SurfaceTime, _expiries[after].SurfaceTime);
    }

    /// <summary>The next earlier expiry of the same underlying that has a surface and expires after <paramref name="clock"/>; -1: none.</summary>
    public int SurfaceBefore(int expiry, long clock)
    {
        int found = _expiries[expiry].Earlier;
        while (found >= 0 && _expiries[found].TimeNanos > clock && !_expiries[found].HasSurface)
        {
            found = _expiries[found].Earlier;
        }

        return found >= 0 && _expiries[found].TimeNanos > clock ? found : -1;
    }

    /// <summary>The next later expiry of the same underlying that has a surface and expires after <paramref name="clock"/>; -1: none.</summary>
    public int SurfaceAfter(int expiry, long clock)
    {
        int found = _expiries[expiry].Later;
        while (found >= 0 && !(_expiries[found].HasSurface && _expiries[found].TimeNanos > clock))
        {
            found = _expiries[found].Later;
        }

        return found;
    }

    /// <summary>Touches what the surface of an expiry prices: its own options, and those of the expiries around it that have none.</summary>
    public void TouchSurface(int expiry)
    {
        // How far its own options move is told when the event ends; there is no bound for those of its neighbours.
        TouchOptionsBounded(expiry);
        for (int near = _expiries[expiry].Earlier; near >= 0 && !IsSurfaceLive(near); near = _expiries[near].Earlier)
        {
            TouchOptionsOf(near);
        }

        for (int near = _expiries[expiry].Later; near >= 0 && !IsSurfaceLive(near); near = _expiries[near].Later)
        {
            TouchOptionsOf(near);
        }
    }

    /// <summary>The expiry is over: it prices nothing any more, and its neighbours take their volatility from elsewhere.</summary>
    public void Settle(int index)
    {
        TouchSurface(index);
        Moves.Settled(index, _expiries[index], this);
        ref Expiry settled = ref _expiries[index];
        settled.IsSettled = true;
        Grids.Return(settled.Grid);
        settled.Grid = -1;
        if (settled.Earlier >= 0)
        {
            _expiries[settled.Earlier].Later = settled.Later;
        }

        if (settled.Later >= 0)
        {
            _expiries[settled.Later].Earlier = settled.Earlier;
        }
        else
        {
            _underlyings[settled.Underlying].LastExpiry = settled.Earlier;
        }
    }

    /// <summary>Adds the surface that an expiry has, or had, to a digest.</summary>
    public void AddSurface(ref Digest64 digest, in Expiry expiry)
    {
        digest.Add((expiry.HasSlice ? 1UL : 0UL) | (expiry.IsSettled ? 2UL : 0UL));
        digest.Add(expiry.SurfaceTime);
        digest.Add(expiry.SliceA);
        digest.Add(expiry.SliceB);
        digest.Add(expiry.SliceRho);
        digest.Add(expiry.SliceM);
        digest.Add(expiry.SliceSigma);
        if (expiry.Grid >= 0)
        {
            Grids.AddTo(ref digest, expiry.Grid);
        }
    }

    private bool IsSurfaceLive(int expiry) => _expiries[expiry].HasSurface && _expiries[expiry].TimeNanos > ValuationTime;

    private double NeighbourVolatility(int before, int after, double k, double years)
    {
        if (before < 0 || after < 0)
        {
            return SmileOf(Math.Max(before, after)).Volatility(k);
        }

        Smile earlier = SmileOf(before), later = SmileOf(after);
        double variance = VarianceCurve.Interpolate(earlier.Years, earlier.TotalVariance(k), later.Years, later.TotalVariance(k), years);
        return VarianceCurve.Volatility(variance, years);
    }

    // Expiries of an underlying that are not settled, in the order of time.
    private void LinkExpiry(int index)
    {
        ref Expiry added = ref _expiries[index];
        ref Underlying underlying = ref _underlyings[added.Underlying];
        int earlier = underlying.LastExpiry, later = -1;
        while (earlier >= 0 && _expiries[earlier].TimeNanos > added.TimeNanos)
        {
            later = earlier;
            earlier = _expiries[earlier].Earlier;
        }

        added.Earlier = earlier;
        added.Later = later;
        if (earlier >= 0)
        {
            _expiries[earlier].Later = index;
        }

        if (later >= 0)
        {
            _expiries[later].Earlier = index;
        }
        else
        {
            underlying.LastExpiry = index;
        }
    }
}
