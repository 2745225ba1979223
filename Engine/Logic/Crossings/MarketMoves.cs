namespace MarginEngine.Logic;

/// <summary>
/// How far the market has moved, as clocks that bounds are told in. Of each underlying: the displacement of its prices, the path of its
/// volatilities, and whether something moved that has no bound. A cache that follows from the inputs; no decision depends on it.
/// <code>
/// x_j      = ln(price_j / reference_j)       j: the index, the forward of each expiry, the mark of each linear contract
/// upper    = base+ + max over j of x_j       lower = base- + min over j of x_j
/// deviation = sum over events of max over options (sum over the event's changes of |ln of an option's volatility|)
/// </code>
/// For two moments t0 &lt; t no price of the underlying rose by more than  upper(t) - upper(t0) + spread(t0)  in logarithms, nor fell by more than
/// lower(t0) - lower(t) + spread(t0),  with spread = upper - lower at t0 less the bases: x_j(t) - x_j(t0) &lt;= max x(t) - min x(t0). When references are moved to the prices
/// of the moment, the bases take over what the maxima and minima were, and that stays true.
/// </summary>
public sealed class MarketMoves
{
    // Prices of one underlying may drift apart this far before the references follow.
    private const double LargestSpread = 5e-5;

    // Slices grow steeper as they near expiry or the market fears: this much without notice.
    private const double SlopeRoom = 1.5;

    /// <summary>Of its mark, the component of the underlying's moves that it is.</summary>
    internal static int BytesPerInstrument => System.Runtime.CompilerServices.Unsafe.SizeOf<Component>();

    private readonly Component[] _components;
    private readonly Envelope[] _envelopes;
    private readonly double[] _slopes;
    private readonly int[] _unboundedExpiries;
    private readonly bool[] _isUnboundedExpiry;
    private int _unboundedExpiryCount;
    private long _event = 1;
    private readonly int _expiryBase;
    private readonly int _instrumentBase;

    public MarketMoves(Limits limits)
    {
        _expiryBase = limits.Underlyings;
        _instrumentBase = limits.Underlyings + limits.Expiries;
        _components = new Component[limits.Underlyings + limits.Expiries + limits.Instruments];
        _envelopes = new Envelope[limits.Underlyings];
        _slopes = new double[limits.Expiries];
        _unboundedExpiries = new int[limits.Expiries];
        _isUnboundedExpiry = new bool[limits.Expiries];
        Clear();
    }

    /// <summary>Anything moved since <see cref="EndEvent"/>.</summary>
    public bool HasMoved { get; private set; }

    /// <summary>Everything moved in a way that has no bound.</summary>
    public bool IsAllUnbounded { get; private set; }

    public double Upper(int underlying) => _envelopes[underlying].UpperBase + _envelopes[underlying].Highest;

    public double Lower(int underlying) => _envelopes[underlying].LowerBase + _envelopes[underlying].Lowest;

    /// <summary>How far apart the displacements of the underlying's prices are now.</summary>
    public double Spread(int underlying) => _envelopes[underlying].Highest - _envelopes[underlying].Lowest;

    public double Deviation(int underlying) => _envelopes[underlying].Deviation;

    public bool HasMovedOf(int underlying) => _envelopes[underlying].HasMoved;

    public bool IsUnbounded(int underlying) => _envelopes[underlying].IsUnbounded;

    public void IndexMoved(int underlying, double price) => PriceMoved(underlying, underlying, price);

    public void ForwardMoved(int underlying, int expiry, double price) => PriceMoved(underlying, _expiryBase + expiry, price);

    public void MarkMoved(int underlying, int instrument, double price) => PriceMoved(underlying, _instrumentBase + instrument, price);

    /// <summary>The volatility of an option moved.</summary>
    public void VolatilityMoved(int underlying, int expiry, int instrument, double before, double now)
    {
        double least = Math.Min(before, now);
        DeviationMoved(underlying, expiry, _instrumentBase + instrument, least > 0.0 ? Math.Abs(now - before) / least : double.PositiveInfinity);
    }

    // |ln(now / before)| is at most |now - before| over the lesser of the two. What moves more than once in an event is counted with the sum of it, and of what moves
    // in the same event the largest counts: no option is moved by more than one of them.
    private void DeviationMoved(int underlying, int expiry, int of, double change)
    {
        if (!double.IsFinite(change))
        {
            OptionsMovedUnbounded(expiry, underlying);
            return;
        }

        ref Component component = ref _components[of];
        component.Path = component.Event == _event ? component.Path + (change * 1.000001) : change * 1.000001;
        component.Event = _event;
        ref Envelope envelope = ref _envelopes[underlying];
        envelope.EventDeviation = Math.Max(envelope.EventDeviation, component.Path);
        envelope.HasMoved = true;
        HasMoved = true;
    }

    /// <summary>
    /// Largest slope of total variance in k that the slice of an expiry may have without notice: bounds are made with it. A steeper slice counts as a
    /// move without bound, from where on it is larger.
    /// </summary>
    public double SlopeBound(int expiry, in Expiry of)
    {
        if (_slopes[expiry] == 0.0)
        {
            _slopes[expiry] = SlopeRoom * SlopeOf(of.Slice);
        }

        return _slopes[expiry];
    }

    /// <summary>A slice was replaced by another: the move is the largest |change of sqrt(total variance)| at any strike in parts of itself, as far as prices may go.</summary>
    public void SliceMoved(int index, in Expiry before, in Expiry now, MarketState market)
    {
        double steepest = SlopeOf(now.Slice);
        if (!before.HasSlice || !now.HasSlice || !(now.ForwardE8 > 0) || steepest > SlopeBound(index, before))
        {
            _slopes[index] = SlopeRoom * steepest;
            OptionsMovedUnbounded(index, now.Underlying);
            return;
        }

        SviSlice old = before.Slice, next = now.Slice;
        double forward = Fixed.ToDouble(now.ForwardE8), largest = 0.0;

        // An account that looks at it was anchored within one move, and may go another: k within two of what it is now.
        double reach = 2.03 * LotModuli.LargestMove;
        double bend = LargestChangeOfSlope(old, next) * reach;
        double fall = SlopeBound(index, before) * reach;
        for (int instrument = now.FirstInstrument; instrument >= 0; instrument = market.InstrumentAt(instrument).NextOfExpiry)
        {
            ref readonly Instrument contract = ref market.InstrumentAt(instrument);
            if (contract.IsOption && contract.VolatilityE8 == 0)
            {
                double k = VarianceCurve.LogMoneyness(Fixed.ToDouble(contract.StrikeE8), forward);
                double from = old.TotalVariance(k), to = next.TotalVariance(k);
                double low = Math.Sqrt(Math.Max(from - fall, 0.0)), high = Math.Sqrt(Math.Max(to - fall, 0.0));
                largest = Math.Max(largest, (Math.Abs(to - from) + bend) / ((low + high) * Math.Min(low, high)));
            }
        }

        DeviationMoved(now.Underlying, index, _expiryBase + index, largest);
    }

    // |w'| of a slice is at most b (1 + |rho|).
    private static double SlopeOf(in SviSlice slice) => slice.B * (1.0 + Math.Abs(slice.Rho));

    // w' = b (rho + g), g = x / sqrt(x^2 + sigma^2) in (-1, 1): |dg/dx| <= 1 / sigma, |dg/dsigma| <= 0.385 / sigma.
    private static double LargestChangeOfSlope(in SviSlice from, in SviSlice to)
    {
        double least = Math.Min(from.Sigma, to.Sigma);
        double bend = Math.Min(2.0, (Math.Abs(to.M - from.M) + (0.385 * Math.Abs(to.Sigma - from.Sigma))) / least);
        return Math.Abs((to.B * to.Rho) - (from.B * from.Rho)) + Math.Abs(to.B - from.B) + (Math.Max(from.B, to.B) * bend);
    }

    /// <summary>Only the clock moved, which bounds count by themselves.</summary>
    public void TimeMoved() => HasMoved = true;

    /// <summary>Something of the underlying moved that has no bound.</summary>
    public void MovedUnbounded(int underlying)
    {
        _envelopes[underlying].IsUnbounded = true;
        _envelopes[underlying].HasMoved = true;
        HasMoved = true;
    }

    /// <summary>Expiries whose options moved without a bound since <see cref="EndEvent"/>: whoever holds one has to be looked at, and nobody else.</summary>
    public ReadOnlySpan<int> UnboundedExpiries => _unboundedExpiries.AsSpan(0, _unboundedExpiryCount);

    /// <summary>The options of an expiry moved in a way that has no bound.</summary>
    public void OptionsMovedUnbounded(int expiry, int underlying)
    {
        _envelopes[underlying].HasMoved = true;
        HasMoved = true;
        if (!_isUnboundedExpiry[expiry])
        {
            _isUnboundedExpiry[expiry] = true;
            _unboundedExpiries[_unboundedExpiryCount++] = expiry;
        }
    }

    /// <summary>Something moved that concerns every underlying and has no bound.</summary>
    public void MovedUnbounded()
    {
        IsAllUnbounded = true;
        HasMoved = true;
    }

    /// <summary>An expiry and what expired with it have no price any more: they are left out of the envelope, which all that held them is anchored in anew.</summary>
    public void Settled(int index, in Expiry expiry, MarketState market)
    {
        MovedUnbounded(expiry.Underlying);
        _components[_expiryBase + index].IsOver = true;
        for (int instrument = expiry.FirstInstrument; instrument >= 0; instrument = market.InstrumentAt(instrument).NextOfExpiry)
        {
            _components[_instrumentBase + instrument].IsOver = true;
        }

        _envelopes[expiry.Underlying].HasNewPrice = true;
    }

    /// <summary>Brings the envelopes up to date with the prices of the event.</summary>
    public void Measure()
    {
        for (int underlying = 0; underlying < _envelopes.Length; underlying++)
        {
            ref Envelope envelope = ref _envelopes[underlying];
            envelope.Deviation += envelope.EventDeviation;
            envelope.EventDeviation = 0.0;
            if (envelope.HasNewPrice)
            {
                Measure(ref envelope);
            }
        }
    }

    /// <summary>Forgets what moved; the clocks stand where they are.</summary>
    public void EndEvent()
    {
        for (int underlying = 0; underlying < _envelopes.Length; underlying++)
        {
            _envelopes[underlying].HasMoved = false;
            _envelopes[underlying].IsUnbounded = false;
        }

        foreach (int expiry in UnboundedExpiries)
        {
            _isUnboundedExpiry[expiry] = false;
        }

        _unboundedExpiryCount = 0;
        _event++;
        HasMoved = false;
        IsAllUnbounded = false;
    }

    private void Clear()
    {
        for (int underlying = 0; underlying < _envelopes.Length; underlying++)
        {
            _envelopes[underlying].First = -1;
        }
    }

    private void PriceMoved(int underlying, int index, double price)
    {
        ref Component component = ref _components[index];
        ref Envelope envelope = ref _envelopes[underlying];
        HasMoved = true;
        envelope.HasMoved = true;
        if (!(price > 0.0))
        {
            MovedUnbounded(underlying);
            return;
        }

        if (component.Reference == 0.0)
        {
            // The first price: nothing was known of it before, so that there is nothing to measure from.
            component.Next = envelope.First;
            envelope.First = index;
            component.Reference = price;
            component.Price = price;
            envelope.HasNewPrice = true;
            MovedUnbounded(underlying);
            return;
        }

        component.Price = price;
        component.Displacement = Functions.Log(price / component.Reference);
        envelope.HasNewPrice = true;
    }

    private void Measure(ref Envelope envelope)
    {
        envelope.HasNewPrice = false;
        double highest = double.NegativeInfinity, lowest = double.PositiveInfinity;
        for (int index = envelope.First; index >= 0; index = _components[index].Next)
        {
            ref readonly Component component = ref _components[index];
            if (!component.IsOver)
            {
                highest = Math.Max(highest, component.Displacement);
                lowest = Math.Min(lowest, component.Displacement);
            }
        }

        if (highest < lowest)
        {
            return;
        }

        envelope.Highest = highest;
        envelope.Lowest = lowest;
        if (highest - lowest > LargestSpread)
        {
            Rebase(ref envelope);
        }
    }

    private void Rebase(ref Envelope envelope)
    {
        for (int index = envelope.First; index >= 0; index = _components[index].Next)
        {
            ref Component component = ref _components[index];
            component.Reference = component.Price;
            component.Displacement = 0.0;
        }

        envelope.UpperBase += envelope.Highest;
        envelope.LowerBase += envelope.Lowest;
        envelope.Highest = 0.0;
        envelope.Lowest = 0.0;
    }

    private struct Component
    {
        public double Reference;
        public double Price;
        public double Displacement;
        public int Next;

        /// <summary>How far its volatilities moved in an event, and in which.</summary>
        public double Path;
        public long Event;

        /// <summary>It has expired.</summary>
        public bool IsOver;
    }

    private struct Envelope
    {
        public int First;
        public bool HasNewPrice;
        public bool HasMoved;
        public bool IsUnbounded;
        public double Highest;
        public double Lowest;
        public double UpperBase;
        public double LowerBase;
        public double Deviation;
        public double EventDeviation;
    }
}
