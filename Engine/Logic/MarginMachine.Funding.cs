using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Funding of perpetuals: the rate that runs, and the payment that ends a period.</content>
public sealed partial class MarginMachine
{
    private const long LargestPriceE8 = 1_000_000_000_000_000_000;

    private RejectCode OnFundingRate(ReadOnlySpan<byte> message, out ushort field)
    {
        FundingRateDecoder.TryWrap(message, out FundingRateDecoder funding);
        RejectCode code = FindPerpetual(funding.InstrumentId, funding.Rate.Mantissa, out int index, out field);
        if (code == 0)
        {
            SetFundingRate(index, funding.Rate.Mantissa);
        }

        return code;
    }

    private RejectCode OnFundingPayment(ReadOnlySpan<byte> message, out ushort field)
    {
        FundingPaymentDecoder.TryWrap(message, out FundingPaymentDecoder payment);
        long rateE8 = payment.Rate.Mantissa;
        RejectCode code = FindPerpetual(payment.InstrumentId, rateE8, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        field = FundingPaymentDecoder.FieldIds.Price;
        ref readonly Instrument contract = ref _market.InstrumentAt(index);
        long priceE8 = payment.Price.Mantissa ?? contract.MarkE8;
        if (priceE8 is < 1 or > LargestPriceE8)
        {
            return payment.Price.Mantissa is null ? RejectCode.NotPriced : RejectCode.OutOfRange;
        }

        if (!TryTotal(contract, priceE8, rateE8, out FundingTotals totals))
        {
            return RejectCode.OutOfRange;
        }

        Pay(contract, priceE8, rateE8);
        PayFund(contract.Currency, totals.Rounding);
        SetFundingRate(index, rateE8);
        _decisions.Funding(contract, _market.CurrencyAt(contract.Currency), rateE8, priceE8, totals);
        return default;
    }

    private RejectCode FindPerpetual(uint id, long rateE8, out int index, out ushort field)
    {
        RejectCode code = FindLiveInstrument(id, out index, out field);
        if (code != 0)
        {
            return code;
        }

        if (_market.InstrumentAt(index).Kind != InstrumentKind.Perpetual)
        {
            return RejectCode.Inconsistent;
        }

        field = FundingRateDecoder.FieldIds.Rate;
        return Math.Abs(rateE8) > Funding.LargestRateE8 ? RejectCode.OutOfRange : default;
    }

    private void SetFundingRate(int instrument, long rateE8)
    {
        ref Instrument contract = ref _market.InstrumentAt(instrument);
        _pendingMessages++;
        if (contract.FundingRateE8 != rateE8)
        {
            contract.FundingRateE8 = rateE8;
            _market.Touch(instrument);
        }
    }

    // Looks without touching: a payment that one balance cannot bear is refused as a whole.
    private bool TryTotal(in Instrument contract, long priceE8, long rateE8, out FundingTotals totals)
    {
        totals = default;
        int decimals = _market.CurrencyAt(contract.Currency).Decimals;
        Int128 paid = 0, received = 0, net = 0;
        for (int holder = contract.FirstHolder; holder >= 0; holder = _book.PositionAt(holder).NextHolder)
        {
            ref readonly Position position = ref _book.PositionAt(holder);
            if (position.Lots == 0)
            {
                continue;
            }

            int account = _book.UnitAt(position.Unit).Account;
            if (!Funding.TryCash(contract, decimals, position.Lots, priceE8, rateE8, out long cash)
                || !HasRoom(account, contract.Currency, cash))
            {
                return false;
            }

            totals.Holders++;
            net += position.Lots;
            paid += Math.Max(-cash, 0);
            received += Math.Max(cash, 0);
        }

        // Where not every holder is an account here, the rest is held outside: as if by one more.
        if (Int128.Abs(net) > LargestLots || Int128.Max(paid, received) >= Fixed.Ceiling
            || !Funding.TryCash(contract, decimals, (long)-net, priceE8, rateE8, out long outside))
        {
            return false;
        }

        totals.Paid = (long)paid;
        totals.Received = (long)received;
        totals.Outside = net == 0 ? 0 : outside;
        totals.Rounding = (long)(paid - received - totals.Outside);
        return !_book.TryAccount(Limits.FundAccount, out int fund) || HasRoom(fund, contract.Currency, totals.Rounding);
    }

    private void Pay(in Instrument contract, long priceE8, long rateE8)
    {
        int decimals = _market.CurrencyAt(contract.Currency).Decimals;
        for (int holder = contract.FirstHolder; holder >= 0; holder = _book.PositionAt(holder).NextHolder)
        {
            ref readonly Position position = ref _book.PositionAt(holder);
            if (position.Lots == 0)
            {
                continue;
            }

            int account = _book.UnitAt(position.Unit).Account;
            Funding.TryCash(contract, decimals, position.Lots, priceE8, rateE8, out long cash);
            _book.Credit(account, contract.Currency, cash);
            TouchByOwner(account);
        }
    }

    // Half of the range is left for whatever else one message moves in the same balance.
    private bool HasRoom(int account, int currency, long atoms) =>
        Int128.Abs((Int128)_book.BalancesOf(account)[currency] + atoms) < Fixed.Ceiling / 2;

    /// <summary>What rounding left, and fees of settlement. Without a fund they leave the book.</summary>
    private void PayFund(int currency, long atoms)
    {
        if (atoms > 0 && _book.TryAccount(Limits.FundAccount, out int fund))
        {
            _book.Credit(fund, currency, atoms);
            _book.TouchAccount(fund);
        }
    }
}
