using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Deposits and withdrawals, fills, orders.</content>
public sealed partial class MarginMachine
{
    // Lots of one position, and of its resting orders: exact as doubles, and far from overflow.
    private const long LargestLots = 1_000_000_000_000_000;

    private RejectCode OnTransfer(ReadOnlySpan<byte> message, out ushort field)
    {
        CollateralTransferDecoder.TryWrap(message, out CollateralTransferDecoder transfer);
        field = CollateralTransferDecoder.FieldIds.AccountId;
        if (!_book.TryAccount(transfer.AccountId, out int account))
        {
            return RejectCode.UnknownAccount;
        }

        field = CollateralTransferDecoder.FieldIds.CurrencyId;
        if (!_market.TryCurrency(transfer.CurrencyId, out int currency))
        {
            return RejectCode.UnknownCurrency;
        }

        field = CollateralTransferDecoder.FieldIds.Amount;
        if (!Fixed.TryRescale(transfer.Amount.Mantissa, transfer.Amount.Exponent, _market.CurrencyAt(currency).Decimals, out long atoms)
            || Int128.Abs((Int128)_book.BalancesOf(account)[currency] + atoms) >= Fixed.Ceiling)
        {
            return RejectCode.OutOfRange;
        }

        if (atoms < 0 && !CanGive(account, currency, -atoms))
        {
            return RejectCode.InsufficientCollateral;
        }

        _book.Credit(account, currency, atoms);
        TouchByOwner(account);
        return default;
    }

    private RejectCode OnFill(ReadOnlySpan<byte> message, out ushort field)
    {
        FillDecoder.TryWrap(message, out FillDecoder fill);
        RejectCode code = FindTrade(fill.AccountId, fill.InstrumentId, out int account, out int instrument, out field);
        if (code != 0)
        {
            return code;
        }

        code = Trade(account, instrument, fill.Side, fill.Quantity, fill.Price.Mantissa, fill.Fee, feeToFund: false, out field);
        if (code == 0 && fill.OrderId != 0 && _book.TryOrder(fill.OrderId, out int order)
            && _book.OrderAt(order).Side == fill.Side)
        {
            int position = _book.OrderAt(order).Position;
            if (_book.PositionAt(position).Instrument == instrument && _book.UnitAt(_book.PositionAt(position).Unit).Account == account)
            {
                _book.ReduceOrder(order, fill.Quantity);
                _book.RemoveIfEmpty(position);
            }
        }

        return code;
    }

    private RejectCode OnLiquidationFill(ReadOnlySpan<byte> message, out ushort field)
    {
        LiquidationFillDecoder.TryWrap(message, out LiquidationFillDecoder fill);
        RejectCode code = FindTrade(fill.AccountId, fill.InstrumentId, out int account, out int instrument, out field);
        if (code != 0)
        {
            return code;
        }

        if (fill.LiquidationId == 0 || fill.LiquidationId > (ulong)_book.AccountAt(account).LiquidationId)
        {
            field = LiquidationFillDecoder.FieldIds.LiquidationId;
            return RejectCode.Inconsistent;
        }

        code = Trade(account, instrument, fill.Side, fill.Quantity, fill.Price.Mantissa, fill.Fee, feeToFund: true, out field);
        if (code == 0 && fill.LiquidationId == (ulong)_book.AccountAt(account).LiquidationId)
        {
            ref long left = ref _book.ChangeAccount(account).LiquidationLots;
            left = Math.Max(0, left - fill.Quantity);
        }

        return code;
    }

    // Account, instrument, quantity and fee stand under the same field ids in every message that trades.
    // Moves lots and cash. Options and spot are paid at once; of other contracts the closed part's profit becomes cash.
    private RejectCode Trade(
        int account, int instrument, Side side, long lots, long priceE8, AmountDecoder fee, bool feeToFund, out ushort field)
    {
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        int currency = contract.Currency;
        field = FillDecoder.FieldIds.Fee;
        if (!Fixed.TryRescale(fee.Mantissa, fee.Exponent, _market.CurrencyAt(currency).Decimals, out long feeAtoms))
        {
            return RejectCode.OutOfRange;
        }

        field = FillDecoder.FieldIds.Quantity;
        long signed = side == Side.Buy ? lots : -lots;
        int held = _book.FindPositionOf(account, instrument);
        if (Int128.Abs((Int128)(held < 0 ? 0 : _book.PositionAt(held).Lots) + signed) > LargestLots
            || !Valuation.TryCost(contract, _market.CurrencyAt(currency).Decimals, signed, priceE8, out long cost))
        {
            return RejectCode.OutOfRange;
        }

        if (contract.Kind == InstrumentKind.Spot)
        {
            return TradeSpot(account, contract, signed, cost, feeAtoms, out field);
        }

        field = FillDecoder.FieldIds.InstrumentId;
        int index = _book.PositionOrAdd(account, instrument);
        if (index < 0)
        {
            return RejectCode.Capacity;
        }

        ref Position position = ref _book.ChangePosition(index);
        if (contract.IsOption)
        {
            position.Lots += signed;
            _book.Credit(account, currency, -cost);
        }
        else
        {
            _book.Credit(account, currency, Valuation.Trade(ref position, signed, cost));
        }

        _book.Credit(account, currency, -feeAtoms);
        if (feeToFund && feeAtoms > 0 && _book.TryAccount(Limits.FundAccount, out int fund) && fund != account)
        {
            _book.Credit(fund, currency, feeAtoms);
            _book.TouchAccount(fund);
        }

        int unit = position.Unit;
        _book.TouchUnit(unit);
        TouchByOwner(account);
        _book.RemoveIfEmpty(index);
        return default;
    }

    private RejectCode TradeSpot(int account, in Instrument contract, long lots, long cost, long fee, out ushort field)
    {
        int coin = _market.UnderlyingAt(contract.Underlying).Currency;
        field = FillDecoder.FieldIds.Quantity;
        if (!Valuation.TrySpotAmount(contract, _market.CurrencyAt(coin).Decimals, lots, out long amount))
        {
            return RejectCode.OutOfRange;
        }

        _book.Credit(account, coin, amount);
        _book.Credit(account, contract.Currency, -cost);
        _book.Credit(account, contract.Currency, -fee);
        TouchByOwner(account);
        return default;
    }

    private RejectCode OnOrderOpen(ReadOnlySpan<byte> message, out ushort field)
    {
        OrderOpenDecoder.TryWrap(message, out OrderOpenDecoder order);
        RejectCode code = FindTrade(order.AccountId, order.InstrumentId, out int account, out int instrument, out field);
        if (code != 0)
        {
            return code;
        }

        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        field = OrderOpenDecoder.FieldIds.InstrumentId;
        if (contract.Kind == InstrumentKind.Spot)
        {
            return RejectCode.Unsupported;
        }

        field = OrderOpenDecoder.FieldIds.OrderId;
        if (order.OrderId == 0 || _book.TryOrder(order.OrderId, out _))
        {
            return order.OrderId == 0 ? RejectCode.OutOfRange : RejectCode.AlreadyDefined;
        }

        field = OrderOpenDecoder.FieldIds.Quantity;
        if (!Valuation.TryCost(contract, _market.CurrencyAt(contract.Currency).Decimals, order.Quantity, order.Price.Mantissa, out long cost))
        {
            return RejectCode.OutOfRange;
        }

        int index = _book.PositionOrAdd(account, instrument);
        if (index < 0)
        {
            field = OrderOpenDecoder.FieldIds.InstrumentId;
            return RejectCode.Capacity;
        }

        ref readonly Position position = ref _book.PositionAt(index);
        int unit = position.Unit;
        bool tooMany = position.BuyLots + position.SellLots > LargestLots - order.Quantity;
        if (tooMany || !_book.TryAddOrder(order.OrderId, index, order.Side, order.Quantity, order.Price.Mantissa, cost))
        {
            _book.RemoveIfEmpty(index);
            field = tooMany ? OrderOpenDecoder.FieldIds.Quantity : OrderOpenDecoder.FieldIds.OrderId;
            return tooMany ? RejectCode.OutOfRange : RejectCode.Capacity;
        }

        _book.TouchUnit(unit);
        TouchByOwner(account);
        return default;
    }

    private RejectCode OnOrderCancel(ReadOnlySpan<byte> message, out ushort field)
    {
        OrderCancelDecoder.TryWrap(message, out OrderCancelDecoder cancel);
        field = OrderCancelDecoder.FieldIds.AccountId;
        if (!_book.TryAccount(cancel.AccountId, out int account))
        {
            return RejectCode.UnknownAccount;
        }

        field = OrderCancelDecoder.FieldIds.OrderId;
        if (!_book.TryOrder(cancel.OrderId, out int order))
        {
            return RejectCode.UnknownOrder;
        }

        int position = _book.OrderAt(order).Position;
        int unit = _book.PositionAt(position).Unit;
        if (_book.UnitAt(unit).Account != account)
        {
            return RejectCode.Unauthorised;
        }

        _book.TouchUnit(unit);
        TouchByOwner(account);
        _book.ReduceOrder(order, long.MaxValue);
        _book.RemoveIfEmpty(position);
        return default;
    }

    private RejectCode FindTrade(ulong accountId, uint instrumentId, out int account, out int instrument, out ushort field)
    {
        instrument = -1;
        field = FillDecoder.FieldIds.AccountId;
        if (!_book.TryAccount(accountId, out account))
        {
            return RejectCode.UnknownAccount;
        }

        RejectCode code = FindLiveInstrument(instrumentId, out instrument, out _);
        field = FillDecoder.FieldIds.InstrumentId;
        return code;
    }

    private void TouchByOwner(int account)
    {
        _book.ChangeAccount(account).IsChangedByOwner = true;
        _book.TouchAccount(account);
    }
}
