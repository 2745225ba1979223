using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The slices and grids of one market event. They take effect at once and are checked against each other when the event ends, because a
/// surface moves as a whole: checked one by one, a rising front slice would be refused against the old back slice in the very crash
/// it describes. A surface whose total variance crosses its neighbour's is taken back and the last good one stands again.
/// </summary>
public sealed partial class SurfaceUpdate
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
        if (!TryBegin(expiry, slice.Origin, VolatilitySliceDecoder.TemplateId))
        {
            return false;
        }

        ref Expiry changed = ref _market.ExpiryAt(expiry);
        changed.HasSlice = true;
        changed.Grid = -1;
        changed.SurfaceTime = priceClock;
        changed.SliceA = slice.A.Mantissa;
        changed.SliceB = slice.B.Mantissa;
        changed.SliceRho = slice.Rho.Mantissa;
        changed.SliceM = slice.M.Mantissa;
        changed.SliceSigma = slice.Sigma.Mantissa;
        _market.TouchSurface(expiry);
        return true;
    }

    /// <summary>Stages the grid that <see cref="VolatilityGrids"/> read last. False: no room for its nodes.</summary>
    public bool TryStage(int expiry, in VolatilityGridDecoder grid, long priceClock)
    {
        if (!_market.Grids.TryKeep(out int slot))
        {
            return false;
        }

        if (!TryBegin(expiry, grid.Origin, VolatilityGridDecoder.TemplateId))
        {
            _market.Grids.Return(slot);
            return false;
        }

        ref Expiry changed = ref _market.ExpiryAt(expiry);
        changed.HasSlice = false;
        changed.Grid = slot;
        changed.SurfaceTime = priceClock;
        changed.SliceA = changed.SliceB = changed.SliceRho = changed.SliceM = changed.SliceSigma = 0;
        _market.TouchSurface(expiry);
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
                if (!_staged[entry].IsOver && !IsSound(_staged[entry].Expiry, priceClock))
                {
                    TakeBack(ref _staged[entry]);
                    decisions.Reject(
                        _staged[entry].Source, _staged[entry].Sequence, _staged[entry].TemplateId, RejectCode.Arbitrage,
                        VolatilitySliceDecoder.FieldIds.Expiry, 0);
                    changed = true;
                }
            }
        }

        for (int entry = 0; entry < _count; entry++)
        {
            if (!_staged[entry].IsOver)
            {
                _market.Moves.SliceMoved(_staged[entry].Expiry, _staged[entry].Before, _market.ExpiryAt(_staged[entry].Expiry), _market);
                _market.Grids.Return(_staged[entry].Before.Grid);
            }
        }

        _count = 0;
    }

    /// <summary>An expiry is over: whatever the event staged for it no longer matters.</summary>
    public void Settle(int expiry)
    {
        int entry = Find(expiry);
        if (entry >= 0)
        {
            _staged[entry].IsOver = true;
            _market.Grids.Return(_staged[entry].Before.Grid);
        }

        _market.Settle(expiry);
    }

    /// <summary>What the event has staged so far: at its end the older surfaces may stand again.</summary>
    public void AddTo(ref Digest64 digest)
    {
        for (int entry = 0; entry < _count; entry++)
        {
            ref readonly Staged staged = ref _staged[entry];

            // Of slices alone journals before grids existed did not tell, and their digests stand.
            if (!staged.IsOver && (staged.TemplateId == VolatilityGridDecoder.TemplateId || staged.Before.Grid >= 0))
            {
                digest.Add(((ulong)staged.TemplateId << 48) | ((ulong)staged.Source << 32) | (uint)staged.Expiry);
                digest.Add(staged.Sequence);
                _market.AddSurface(ref digest, staged.Before);
            }
        }
    }

    // The first surface of the event for an expiry keeps what stood before; a second one replaces the first.
    private bool TryBegin(int expiry, in OriginDecoder origin, ushort templateId)
    {
        int entry = Find(expiry);
        if (entry >= 0)
        {
            _market.Grids.Return(_market.ExpiryAt(expiry).Grid);
        }
        else if (_count == _staged.Length)
        {
            return false;
        }
        else
        {
            entry = _count++;
            _staged[entry] = new Staged { Expiry = expiry, Before = _market.ExpiryAt(expiry) };
        }

        _staged[entry].Source = origin.Source;
        _staged[entry].Sequence = origin.Sequence;
        _staged[entry].TemplateId = templateId;
        return true;
    }

    private void TakeBack(ref Staged staged)
    {
        staged.IsOver = true;
        ref Expiry expiry = ref _market.ExpiryAt(staged.Expiry);
        _market.Grids.Return(expiry.Grid);
        expiry.HasSlice = staged.Before.HasSlice;
        expiry.Grid = staged.Before.Grid;
        expiry.SurfaceTime = staged.Before.SurfaceTime;
        expiry.SliceConfidenceE8 = staged.Before.SliceConfidenceE8;
        expiry.SliceA = staged.Before.SliceA;
        expiry.SliceB = staged.Before.SliceB;
        expiry.SliceRho = staged.Before.SliceRho;
        expiry.SliceM = staged.Before.SliceM;
        expiry.SliceSigma = staged.Before.SliceSigma;
        _market.TouchSurface(staged.Expiry);
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

    // Total variance must not fall with time, against the nearest live surfaces before and after.
    private bool IsSound(int expiry, long priceClock)
    {
        int before = _market.SurfaceBefore(expiry, priceClock);
        int after = _market.SurfaceAfter(expiry, priceClock);
        return (before < 0 || SmileCalendar.IsSound(_market.SmileOf(before), _market.SmileOf(expiry)))
            && (after < 0 || SmileCalendar.IsSound(_market.SmileOf(expiry), _market.SmileOf(after)));
    }

    private struct Staged
    {
        public int Expiry;
        public Expiry Before;
        public ushort Source;
        public ushort TemplateId;
        public ulong Sequence;
        public bool IsOver;
    }
}
