using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Would this order keep initial margin covered? Answered on the same code as live margin, at the sequence of the question.</content>
public sealed partial class MarginMachine
{
    private RejectCode OnPreTradeCheck(ReadOnlySpan<byte> message, out ushort field)
    {
        PreTradeCheckDecoder.TryWrap(message, out PreTradeCheckDecoder check);
        RejectCode code = FindTrade(check.AccountId, check.InstrumentId, out int index, out int instrument, out field);
        if (code != 0)
        {
            return code;
        }

        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        if (contract.Kind == InstrumentKind.Spot)
        {
            return RejectCode.Unsupported;
        }

        field = PreTradeCheckDecoder.FieldIds.Quantity;
        if (!Valuation.TryCost(contract, _market.CurrencyAt(contract.Currency).Decimals, check.Quantity, check.Price.Mantissa, out long cost))
        {
            return RejectCode.OutOfRange;
        }

        ref Account account = ref _book.ChangeAccount(index);
        _surface.EndEvent(PriceClock, _decisions);
        SpreadMarketMoves();
        RefreshUnits(index);
        account.Margin = MarginOf(index);
        AccountMargin after = After(index, instrument, new Hypothesis(instrument, check.Side, check.Quantity, cost));
        Verdict verdict = Judge(index, instrument, check.Side, check.Quantity, account.Margin, after);
        _decisions.Answer(account, check.Origin.Source, check.CorrelationId, verdict, after.Initial, after.Maintenance, after.BuyingPower);
        return default;
    }

    private AccountMargin After(int account, int instrument, in Hypothesis order)
    {
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        int unit = _book.FindUnit(account, contract.Underlying, contract.Currency);
        UnitMargin replaced = _calculator.Units.Calculate(
            _book.AccountAt(account).Model, contract.Underlying, contract.Currency, unit < 0 ? -1 : _book.UnitAt(unit).FirstPosition, PriceClock, order);
        return _calculator.Total(account, PriceClock, unit >= 0
            ? new WhatIf { Unit = unit, Replacement = replaced, Order = order }
            : new WhatIf { AddedUnderlying = contract.Underlying, AddedCurrency = contract.Currency, Replacement = replaced, Order = order });
    }

    private Verdict Judge(int index, int instrument, Side side, long lots, in AccountMargin before, in AccountMargin after)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        if (_isHalted)
        {
            return Verdict.Halted;
        }

        LotRisk risk = _rows.Price(account.Model, instrument);
        MarginFlags unsure = MarginFlags.Unpriced | MarginFlags.StalePrice | MarginFlags.StaleVolatility;
        if (risk.IsUnpriced || IsStale(account.Model, instrument))
        {
            return Verdict.NotPriced;
        }

        // Closing part of what is held is always allowed; it can only be refused by a halt or for want of a price.
        int held = _book.FindPositionOf(index, instrument);
        long signed = held < 0 ? 0 : _book.PositionAt(held).Lots;
        long resting = held < 0 ? 0 : side == Side.Buy ? _book.PositionAt(held).BuyLots : _book.PositionAt(held).SellLots;
        bool reduces = signed != 0 && (signed > 0) == (side == Side.Sell) && lots + resting <= Math.Abs(signed);
        if ((_isReduceOnly || account.State >= AccountState.ReduceOnly) && !reduces)
        {
            return Verdict.ReduceOnly;
        }

        if ((before.Flags & unsure) != 0 && !reduces)
        {
            return Verdict.NotPriced;
        }

        Verdict policy = reduces ? Verdict.Allowed : JudgePolicy(index, instrument, side, lots, before.Equity);
        if (policy != Verdict.Allowed)
        {
            return policy;
        }

        return after.BuyingPower >= 0 || reduces ? Verdict.Allowed : Verdict.InsufficientMargin;
    }

    private bool IsStale(int model, int instrument) =>
        _calculator.Units.Staleness(_models[model], _market.InstrumentAt(instrument), PriceClock) != 0;
}
