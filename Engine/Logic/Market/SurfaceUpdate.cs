using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The volatility slices of one market event. They take effect at once and are checked against each other when the event ends, because a
/// surface moves as a whole: checked one by one, a rising front slice would be refused against the old back slice in the very crash
/// it describes. A slice whose total variance crosses its neighbour's is taken back and the last good one stands again.
/// </summary>
public sealed class SurfaceUpdate
{
    private readonly MarketState _market;
    private readonly Staged[] _staged;
    private int _count;

    public SurfaceUpdate(Limits limits, MarketState market)
    {
        _market = market;
        _staged = new Staged[limits.Expiries];
    }

    public bool TryStage(int expiry, in VolatilitySliceDecoder slice, long priceClock)
    {
        int entry = Find(expiry);
        if (entry < 0)
        {
            if (_count == _staged.Length)
            {
                return false;
            }

            entry = _count++;
            _staged[entry] = new Staged { Expiry = expiry, Before = _market.ExpiryAt(expiry) };
        }

        _staged[entry].Source = slice.Origin.Source;
        _staged[entry].Sequence = slice.Origin.Sequence;
        ref Expiry changed = ref _market.ExpiryAt(expiry);
        changed.HasSlice = true;
        changed.SliceTime = priceClock;
        changed.SliceA = slice.A.Mantissa;
        changed.SliceB = slice.B.Mantissa;
        changed.SliceRho = slice.Rho.Mantissa;
        changed.SliceM = slice.M.Mantissa;
        changed.SliceSigma = slice.Sigma.Mantissa;
        _market.TouchOptionsOf(expiry);
        return true;
    }

    /// <summary>Takes back what violates the calendar condition, with a reject each, until the surface is sound.</summary>
    public void EndEvent(long priceClock, DecisionWriter decisions)
    {
        bool changed = _count > 0;
        while (changed)
        {
            changed = false;
            for (int entry = 0; entry < _count; entry++)
            {
                if (!_staged[entry].IsTakenBack && !IsSound(_staged[entry].Expiry, priceClock))
                {
                    TakeBack(ref _staged[entry]);
                    decisions.Reject(
                        _staged[entry].Source, _staged[entry].Sequence, VolatilitySliceDecoder.TemplateId, RejectCode.Arbitrage,
                        VolatilitySliceDecoder.FieldIds.Expiry, 0);
                    changed = true;
                }
            }
        }

        _count = 0;
    }

    private void TakeBack(ref Staged staged)
    {
        staged.IsTakenBack = true;
        ref Expiry expiry = ref _market.ExpiryAt(staged.Expiry);
        expiry.HasSlice = staged.Before.HasSlice;
        expiry.SliceTime = staged.Before.SliceTime;
        expiry.SliceConfidenceE8 = staged.Before.SliceConfidenceE8;
        expiry.SliceA = staged.Before.SliceA;
        expiry.SliceB = staged.Before.SliceB;
        expiry.SliceRho = staged.Before.SliceRho;
        expiry.SliceM = staged.Before.SliceM;
        expiry.SliceSigma = staged.Before.SliceSigma;
        _market.TouchOptionsOf(staged.Expiry);
    }

    private int Find(int expiry)
    {
        for (int entry = 0; entry < _count; entry++)
        {
            if (_staged[entry].Expiry == expiry)
            {
                return entry;
            }
        }

        return -1;
    }

    // Total variance must not fall with time, against the nearest live slices before and after.
    private bool IsSound(int index, long priceClock)
    {
        ref readonly Expiry changed = ref _market.ExpiryAt(index);
        int before = -1, after = -1;
        for (int other = 0; other < _market.ExpiryCount; other++)
        {
            ref readonly Expiry near = ref _market.ExpiryAt(other);
            if (other == index || near.Underlying != changed.Underlying || !near.HasSlice || near.IsSettled || near.TimeNanos <= priceClock)
            {
                continue;
            }

            if (near.TimeNanos < changed.TimeNanos && (before < 0 || near.TimeNanos > _market.ExpiryAt(before).TimeNanos))
            {
                before = other;
            }

            if (near.TimeNanos > changed.TimeNanos && (after < 0 || near.TimeNanos < _market.ExpiryAt(after).TimeNanos))
            {
                after = other;
            }
        }

        return (before < 0 || SviSlice.CheckCalendar(_market.ExpiryAt(before).Slice, changed.Slice) == SviFault.None)
            && (after < 0 || SviSlice.CheckCalendar(changed.Slice, _market.ExpiryAt(after).Slice) == SviFault.None);
    }

    private struct Staged
    {
        public int Expiry;
        public Expiry Before;
        public ushort Source;
        public ulong Sequence;
        public bool IsTakenBack;
    }
}
