using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Settlement of an expiry: every position in it becomes cash at the final price, less the fees of its underlying's terms.</content>
public sealed partial class MarginMachine
{
    private RejectCode OnSettlementFees(ReadOnlySpan<byte> message, out ushort field)
    {
        SettlementFeesDecoder.TryWrap(message, out SettlementFeesDecoder fees);
        field = SettlementFeesDecoder.FieldIds.UnderlyingId;
        if (!_market.TryUnderlying(fees.UnderlyingId, out int index))
        {
            return RejectCode.UnknownUnderlying;
        }

        field = !IsPart(fees.ExerciseFee.Mantissa) ? SettlementFeesDecoder.FieldIds.ExerciseFee
            : !IsPart(fees.AssignmentFee.Mantissa) ? SettlementFeesDecoder.FieldIds.AssignmentFee
            : !IsPart(fees.FeeCap.Mantissa) ? SettlementFeesDecoder.FieldIds.FeeCap
            : (ushort)0;
        if (field != 0)
        {
            return RejectCode.OutOfRange;
        }

        ref Underlying underlying = ref _market.UnderlyingAt(index);
        underlying.HasSettlementFees = true;
        underlying.ExerciseFeeE8 = fees.ExerciseFee.Mantissa;
        underlying.AssignmentFeeE8 = fees.AssignmentFee.Mantissa;
        underlying.SettlementFeeCapE8 = fees.FeeCap.Mantissa;
        return default;
    }

    private static bool IsPart(long mantissaE8) => mantissaE8 is >= 0 and <= Fixed.One;

    private RejectCode OnSettlement(ReadOnlySpan<byte> message, out ushort field)
    {
        ExpirySettlementDecoder.TryWrap(message, out ExpirySettlementDecoder settlement);
        RejectCode code = FindLiveExpiry(settlement.UnderlyingId, settlement.Expiry, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        for (int account = 0; account < _book.AccountCount; account++)
        {
            SettleAccount(account, index, settlement.Price.Mantissa);
        }

        ref Expiry expiry = ref _market.ExpiryAt(index);
        for (int instrument = expiry.FirstInstrument; instrument >= 0; instrument = _market.InstrumentAt(instrument).NextOfExpiry)
        {
            _market.InstrumentAt(instrument).IsSettled = true;
        }

        _surface.Settle(index);
        return default;
    }

    // Account by account and currency by currency, so that the order of decisions does not depend on how the book is linked.
    private void SettleAccount(int account, int expiry, long priceE8)
    {
        int underlying = _market.ExpiryAt(expiry).Underlying;
        bool isTold = _market.UnderlyingAt(underlying).HasSettlementFees;
        for (int currency = 0; currency < _market.CurrencyCount; currency++)
        {
            int unit = _book.FindUnit(account, underlying, currency);
            if (unit < 0)
            {
                continue;
            }

            SettledCash cash = SettleUnit(unit, expiry, priceE8);
            PayFund(currency, cash.Fees);
            if (isTold && cash.Positions > 0)
            {
                _decisions.Settled(
                    _book.AccountAt(account), _market.UnderlyingAt(underlying), _market.CurrencyAt(currency), _market.ExpiryAt(expiry).TimeNanos, priceE8, cash);
            }
        }
    }

    // Its orders in the expiry go too; the unit itself goes with its last position.
    private SettledCash SettleUnit(int unit, int expiry, long priceE8)
    {
        SettledCash cash = default;
        int account = _book.UnitAt(unit).Account;
        int next;
        for (int held = _book.UnitAt(unit).FirstPosition; held >= 0; held = next)
        {
            ref Position position = ref _book.ChangePosition(held);
            next = position.NextOfUnit;
            ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
            if (contract.Expiry != expiry)
            {
                continue;
            }

            SettlePosition(account, contract, ref position, priceE8, ref cash);
            while (position.FirstOrder >= 0)
            {
                _book.ReduceOrder(position.FirstOrder, long.MaxValue);
            }

            _book.TouchUnit(unit);
            TouchByOwner(account);
            _book.RemoveIfEmpty(held);
        }

        return cash;
    }

    private void SettlePosition(int account, in Instrument contract, ref Position position, long priceE8, ref SettledCash cash)
    {
        int decimals = _market.CurrencyAt(contract.Currency).Decimals;
        if (position.Lots != 0)
        {
            cash.Positions++;
        }

        if (contract.IsOption)
        {
            long payoff = Valuation.Payoff(contract, decimals, position.Lots, priceE8);
            long fee = SettlementFee(contract, decimals, position.Lots, payoff, priceE8, account);
            cash.Exercise = Fixed.Add(cash.Exercise, payoff);
            cash.Fees = Fixed.Add(cash.Fees, fee);
            _book.Credit(account, contract.Currency, payoff);
            _book.Credit(account, contract.Currency, -fee);
        }
        else
        {
            long profit = Valuation.FinalProfit(contract, decimals, position, priceE8);
            cash.Futures = Fixed.Add(cash.Futures, profit);
            _book.Credit(account, contract.Currency, profit);
        }

        position.Lots = 0;
        position.EntryCost = 0;
    }

    // Part of notional, at most part of what the option pays; whoever receives the fees pays none.
    private long SettlementFee(in Instrument contract, int decimals, long lots, long payoff, long priceE8, int account)
    {
        ref readonly Underlying terms = ref _market.UnderlyingAt(contract.Underlying);
        long rateE8 = lots > 0 ? terms.ExerciseFeeE8 : terms.AssignmentFeeE8;
        if (payoff == 0 || rateE8 == 0 || _book.AccountAt(account).Id == Limits.FundAccount)
        {
            return 0;
        }

        long cap = Fixed.MultiplyFloor(Math.Abs(payoff), terms.SettlementFeeCapE8, Fixed.One);
        return Notional.TryAtoms(contract, decimals, Math.Abs(lots), priceE8, roundUp: true, out long notional)
            ? Math.Min(Fixed.MultiplyCeiling(notional, rateE8, Fixed.One), cap)
            : cap;
    }
}

/// <summary>What a settlement moved in one account and currency, in atoms.</summary>
public record struct SettledCash(long Exercise, long Futures, long Fees, int Positions);
