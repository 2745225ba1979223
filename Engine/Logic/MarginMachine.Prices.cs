using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Index, forwards, marks, volatilities, rates, valuation time.</content>
public sealed partial class MarginMachine
{
    private long _pendingMessages;

    /// <summary>The clock prices age by: market time where ticks bring it, else stamped time.</summary>
    private long PriceClock => _hasMarketTime ? _marketTime : _now;

    private RejectCode OnIndexPrice(ReadOnlySpan<byte> message, out ushort field)
    {
        IndexPriceDecoder.TryWrap(message, out IndexPriceDecoder price);
        field = IndexPriceDecoder.FieldIds.UnderlyingId;
        if (!_market.TryUnderlying(price.UnderlyingId, out int index))
        {
            return RejectCode.UnknownUnderlying;
        }

        field = IndexPriceDecoder.FieldIds.ConfidenceFurther;
        uint confidenceFurther = price.ConfidenceFurther.Mantissa ?? 0;
        if (confidenceFurther != 0 && (price.Confidence.Mantissa ?? (int)Fixed.One) == Fixed.One)
        {
            // More than wholly.
            return RejectCode.OutOfRange;
        }

        ref Underlying underlying = ref _market.UnderlyingAt(index);
        underlying.IndexTime = PriceClock;
        _pendingMessages++;
        if (Moves(ref underlying.ConfidenceE8, price.Confidence) | underlying.ConfidenceFurther != confidenceFurther)
        {
            underlying.ConfidenceFurther = confidenceFurther;
            _market.TouchCurrency(underlying.Currency);
            _movedUnderlyings[index] = true;
            _anyIndexMoved = true;
        }

        FinePrice next = new(price.Price.Mantissa, price.PriceFurther.Mantissa ?? 0);
        if (underlying.Price != next)
        {
            bool first = underlying.IndexE8 == 0;
            underlying.IndexE8 = next.E8;
            underlying.IndexFurther = next.Further;
            _market.Moves.IndexMoved(index, underlying.Index);
            _market.TouchCurrency(underlying.Currency);
            _movedUnderlyings[index] = true;
            _anyIndexMoved = true;
            if (first)
            {
                TouchUnderlying(index);
            }
        }

        return default;
    }

    private RejectCode OnForwardPrice(ReadOnlySpan<byte> message, out ushort field)
    {
        ForwardPriceDecoder.TryWrap(message, out ForwardPriceDecoder forward);
        RejectCode code = FindLiveExpiry(forward.UnderlyingId, forward.Expiry, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        ref Expiry expiry = ref _market.ExpiryAt(index);
        long fixedPart = forward.FixedPart.Mantissa ?? 0;
        if (fixedPart < 0 || fixedPart > forward.Price.Mantissa)
        {
            field = ForwardPriceDecoder.FieldIds.FixedPart;
            return RejectCode.OutOfRange;
        }

        if (EndsCharge(expiry.ForwardTime))
        {
            _market.Moves.OptionsMovedUnbounded(index, expiry.Underlying);
        }

        expiry.ForwardTime = PriceClock;
        _pendingMessages++;
        bool moved = Moves(ref expiry.ForwardConfidenceE8, forward.Confidence);
        if (moved || expiry.ForwardE8 != forward.Price.Mantissa || expiry.FixedPartE8 != fixedPart)
        {
            if (expiry.FixedPartE8 != fixedPart)
            {
                _market.Moves.MovedUnbounded(expiry.Underlying);
            }

            expiry.ForwardE8 = forward.Price.Mantissa;
            expiry.FixedPartE8 = fixedPart;
            _market.Moves.ForwardMoved(expiry.Underlying, index, Fixed.ToDouble(expiry.ForwardE8));
            _market.TouchOptionsBounded(index);
        }

        return default;
    }

    private RejectCode OnMarkPrice(ReadOnlySpan<byte> message, out ushort field)
    {
        MarkPriceDecoder.TryWrap(message, out MarkPriceDecoder mark);
        RejectCode code = FindLiveInstrument(mark.InstrumentId, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        ref Instrument instrument = ref _market.InstrumentAt(index);
        if (instrument.IsOption && !AnyModelTakesMarks())
        {
            // Options are valued on the forward and the surface; a mark of their own would contradict them, unless a model measures from it.
            return RejectCode.Inconsistent;
        }

        if (!instrument.IsOption && EndsCharge(instrument.MarkTime))
        {
            _market.Moves.MovedUnbounded(instrument.Underlying);
        }

        instrument.MarkTime = PriceClock;
        _pendingMessages++;
        bool moved = Moves(ref instrument.MarkConfidenceE8, mark.Confidence);
        if (moved || instrument.MarkE8 != mark.Price.Mantissa)
        {
            instrument.MarkE8 = mark.Price.Mantissa;
            if (instrument.IsOption)
            {
                _market.Moves.MovedUnbounded(instrument.Underlying);
            }
            else
            {
                _market.Moves.MarkMoved(instrument.Underlying, index, Fixed.ToDouble(instrument.MarkE8));
            }

            _market.TouchBounded(index);
        }

        return default;
    }

    private RejectCode OnMarkVolatility(ReadOnlySpan<byte> message, out ushort field)
    {
        MarkVolatilityDecoder.TryWrap(message, out MarkVolatilityDecoder mark);
        RejectCode code = FindLiveInstrument(mark.InstrumentId, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        ref Instrument instrument = ref _market.InstrumentAt(index);
        if (!instrument.IsOption)
        {
            return RejectCode.Inconsistent;
        }

        instrument.VolatilityTime = PriceClock;
        _pendingMessages++;
        bool moved = Moves(ref instrument.VolatilityConfidenceE8, mark.Confidence);
        uint further = mark.VolatilityFurther.Mantissa ?? 0;
        if (moved || instrument.VolatilityE8 != mark.Volatility.Mantissa || instrument.VolatilityFurther != further)
        {
            double before = instrument.Volatility;
            instrument.VolatilityE8 = mark.Volatility.Mantissa;
            instrument.VolatilityFurther = further;
            _market.Moves.VolatilityMoved(instrument.Underlying, instrument.Expiry, index, before, instrument.Volatility);
            _market.TouchBounded(index);
        }

        return default;
    }

    private RejectCode OnVolatilitySlice(ReadOnlySpan<byte> message, out ushort field)
    {
        VolatilitySliceDecoder.TryWrap(message, out VolatilitySliceDecoder slice);
        RejectCode code = FindLiveExpiry(slice.UnderlyingId, slice.Expiry, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        SviSlice candidate = new(
            slice.A.Mantissa / 1e12, slice.B.Mantissa / 1e12, slice.Rho.Mantissa / 1e12, slice.M.Mantissa / 1e12, slice.Sigma.Mantissa / 1e12);
        field = FaultyParameter(candidate.Check());
        if (field != 0)
        {
            // The last good slice stays in force.
            return RejectCode.Arbitrage;
        }

        if (!_surface.TryStage(index, slice, PriceClock))
        {
            return RejectCode.Capacity;
        }

        Moves(ref _market.ExpiryAt(index).SliceConfidenceE8, slice.Confidence);

        _pendingMessages++;
        return default;
    }

    // Parameter bounds name their field; butterflies and negative variance name the level.
    private static ushort FaultyParameter(SviFault fault) => fault switch
    {
        SviFault.None => 0,
        SviFault.SlopeNegative => VolatilitySliceDecoder.FieldIds.B,
        SviFault.CorrelationOutOfRange => VolatilitySliceDecoder.FieldIds.Rho,
        SviFault.WidthNotPositive => VolatilitySliceDecoder.FieldIds.Sigma,
        _ => VolatilitySliceDecoder.FieldIds.A,
    };

    private RejectCode OnInterestRate(ReadOnlySpan<byte> message, out ushort field)
    {
        InterestRateDecoder.TryWrap(message, out InterestRateDecoder rate);
        field = InterestRateDecoder.FieldIds.CurrencyId;
        if (!_market.TryCurrency(rate.CurrencyId, out int index))
        {
            return RejectCode.UnknownCurrency;
        }

        field = InterestRateDecoder.FieldIds.Rate;
        if (Math.Abs(rate.Rate.Mantissa) > 2 * Fixed.One)
        {
            return RejectCode.OutOfRange;
        }

        ref Currency currency = ref _market.CurrencyAt(index);
        currency.RateTime = PriceClock;
        _pendingMessages++;
        if (currency.RateE8 != rate.Rate.Mantissa)
        {
            currency.RateE8 = rate.Rate.Mantissa;
            _market.TouchAllOptions();
        }

        return default;
    }

    // A rate that is implied by the forward of a short expiry may be large: a venue's own cases go to 300 %.
    private const long LargestExpiryRateE8 = 5 * Fixed.One;

    private RejectCode OnExpiryRate(ReadOnlySpan<byte> message, out ushort field)
    {
        ExpiryRateDecoder.TryWrap(message, out ExpiryRateDecoder rate);
        RejectCode code = FindLiveExpiry(rate.UnderlyingId, rate.Expiry, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        field = ExpiryRateDecoder.FieldIds.Rate;
        if (Math.Abs(rate.Rate.Mantissa) > LargestExpiryRateE8)
        {
            return RejectCode.OutOfRange;
        }

        ref Expiry expiry = ref _market.ExpiryAt(index);
        _pendingMessages++;
        bool moved = Moves(ref expiry.RateConfidenceE8, rate.Confidence);
        if (moved || !expiry.HasRate || expiry.RateE8 != rate.Rate.Mantissa)
        {
            expiry.HasRate = true;
            expiry.RateE8 = rate.Rate.Mantissa;
            _market.TouchOptionsOf(index);
        }

        return default;
    }

    // A confidence that is not told is full.
    private static bool Moves(ref long confidenceE8, ConfidenceDecoder told)
    {
        long next = told.Mantissa ?? Fixed.One;
        bool moved = confidenceE8 != next;
        confidenceE8 = next;
        return moved;
    }

    private bool AnyModelTakesMarks()
    {
        foreach (CompiledModel model in _models)
        {
            if (model.Id != 0 && model.MeasuresFromMark)
            {
                return true;
            }
        }

        return false;
    }

    private RejectCode OnTimeTick(ReadOnlySpan<byte> message, out ushort field)
    {
        TimeTickDecoder.TryWrap(message, out TimeTickDecoder tick);
        field = TimeTickDecoder.FieldIds.Time;
        _pendingMessages++;
        if (tick.Time is not ulong time)
        {
            return default;
        }

        if (time > long.MaxValue || (_hasMarketTime && (long)time < _marketTime))
        {
            return RejectCode.OutOfOrder;
        }

        if (!_hasMarketTime)
        {
            // From here on the market's clock counts, which may stand before the engine's.
            _hasMarketTime = true;
            _market.ValuationTime = 0;
            _market.TouchAllOptions();
        }

        _marketTime = (long)time;
        AdvanceValuation(_marketTime);
        return default;
    }

    // Rows of one market are all priced at one moment: valuation time moves only together with a new pricing of every option.
    private void AdvanceValuation(long time)
    {
        // Accounts are not looked at before the next step where time alone is why: a shorter step takes that back.
        long step = long.MaxValue, foreseen = _valuationStep;
        foreach (CompiledModel model in _models)
        {
            if (model.Id != 0)
            {
                step = Math.Min(step, model.RepriceNanos);
            }
        }

        _valuationStep = step;
        if (step < foreseen)
        {
            LookAtAll();
        }

        long passed = time - _market.ValuationTime;
        if (passed > 0 && (_market.ValuationTime == 0 || passed >= step || step == long.MaxValue))
        {
            if (_market.ValuationTime == 0)
            {
                _market.Moves.MovedUnbounded();
            }

            _market.ValuationTime = time;
            _market.PassTime();
        }
    }

    // The first index of an underlying prices what could not be priced before.
    private void TouchUnderlying(int underlying)
    {
        for (int instrument = 0; instrument < _market.InstrumentCount; instrument++)
        {
            if (_market.InstrumentAt(instrument).Underlying == underlying)
            {
                _market.Touch(instrument);
            }
        }
    }

    private RejectCode FindLiveInstrument(uint id, out int index, out ushort field)
    {
        field = MarkPriceDecoder.FieldIds.InstrumentId;
        if (!_market.TryInstrument(id, out index))
        {
            return RejectCode.UnknownInstrument;
        }

        return _market.InstrumentAt(index).IsSettled ? RejectCode.Expired : default;
    }

    private RejectCode FindLiveExpiry(ushort underlyingId, ulong time, out int index, out ushort field)
    {
        field = ForwardPriceDecoder.FieldIds.UnderlyingId;
        index = -1;
        if (!_market.TryUnderlying(underlyingId, out int underlying))
        {
            return RejectCode.UnknownUnderlying;
        }

        field = ForwardPriceDecoder.FieldIds.Expiry;
        if (time > long.MaxValue || !_market.TryExpiry(underlying, (long)time, out index))
        {
            return RejectCode.UnknownInstrument;
        }

        return _market.ExpiryAt(index).IsSettled ? RejectCode.Expired : default;
    }
}
