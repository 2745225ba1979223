using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>At the end of a market event: which accounts it concerns, their margins, states, and what is published of them.</content>
public sealed partial class MarginMachine
{
    private readonly bool[] _movedUnderlyings;
    private bool _anyIndexMoved;
    private int _refreshCursor;
    private long _oldestOfRound;
    private int _riskArrayCursor;
    private long _lastRiskArray;

    private void Evaluate()
    {
        _pendingMessages = 0;
        _surface.EndEvent(PriceClock, _decisions);
        SpreadMarketMoves();
        CollectCrossings();
        for (int account = NextToEvaluate(0); account >= 0; account = NextToEvaluate(account + 1))
        {
            EvaluateOrLook(account);
        }

        // A bankrupt account's loss may fall on others, even on ones already passed.
        for (int account = _book.NextDirty(0); account >= 0; account = _book.NextDirty(account + 1))
        {
            EvaluateAccount(account);
        }

        RefreshSlice();
        PublishRiskArray();
        TakeDigests(DigestsAnEvent);
    }

    // From dirty instruments and indices to the units that hold them, where the model wants every move.
    private void SpreadMarketMoves()
    {
        if (!AnyModelWantsEveryMove())
        {
            _market.ClearDirty();
            Array.Clear(_movedUnderlyings);
            _anyIndexMoved = false;
            return;
        }

        for (int position = 0; position < _market.DirtyCount; position++)
        {
            int holder = _market.InstrumentAt(_market.DirtyAt(position)).FirstHolder;
            for (; holder >= 0; holder = _book.PositionAt(holder).NextHolder)
            {
                int unit = _book.PositionAt(holder).Unit;
                if (!_models[_book.AccountAt(_book.UnitAt(unit).Account).Model].IsByCrossings)
                {
                    _book.TouchUnit(unit);
                }
            }
        }

        if (_anyIndexMoved)
        {
            SpreadIndexMoves();
        }

        _market.ClearDirty();
    }

    private void SpreadIndexMoves()
    {
        for (int account = 0; account < _book.AccountCount; account++)
        {
            ref readonly Account holder = ref _book.AccountAt(account);
            if (_models[holder.Model].IsByCrossings)
            {
                continue;
            }

            // The price of the money of account enters the requirement of every unit, and what balances are worth.
            int peg = _models[holder.Model].PegUnderlying;
            bool pegMoved = peg >= 0 && _movedUnderlyings[peg];
            if (pegMoved || (holder.Currencies & _market.DirtyCurrencies) != 0)
            {
                _book.TouchAccount(account);
            }

            for (int unit = holder.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
            {
                if (pegMoved || _movedUnderlyings[_book.UnitAt(unit).Underlying])
                {
                    _book.TouchUnit(unit);
                }
            }
        }

        Array.Clear(_movedUnderlyings);
        _anyIndexMoved = false;
    }

    private void EvaluateAccount(int index)
    {
        _book.ClearDirty(index);
        _crossings.ClearDue(index);
        _calculator.Detail = Detail.Bounds;
        RefreshUnits(index);
        AccountMargin margin = MarginOf(index);
        _calculator.Detail = Detail.Margin;
        Conclude(index, margin, hasBounds: true);
    }

    // What was found out of an account whose book nobody touched still holds: a refresh alone is no reason to find it out again.
    private void RefreshAccount(int index)
    {
        if (_book.AccountAt(index).IsDirty || !_crossings.IsAnchored(index) || IsWornOut(index))
        {
            TouchWhole(index);
            EvaluateAccount(index);
            return;
        }

        RefreshUnits(index);
        Conclude(index, MarginOf(index), hasBounds: false);
    }

    // What follows from a margin that counts: state, publication, calls, liquidation.
    private void Conclude(int index, in AccountMargin margin, bool hasBounds)
    {
        ref Account account = ref _book.ChangeAccount(index);
        Evaluations++;
        account.Margin = margin;
        CompiledModel rules = _models[account.Model];
        AccountState previous = account.State;
        account.State = StateAfter(account, rules, margin);
        if (hasBounds)
        {
            Anchor(index, rules, margin);
        }
        else if (account.State != previous)
        {
            _crossings.LookAlways(index);
        }

        PublishIfDue(ref account, rules, previous);
        if (account.State != previous)
        {
            long shortfall = account.State == AccountState.Healthy ? 0 : Thresholds.Shortfall(rules, account.Margin);
            _decisions.Call(account, previous, FlagsOf(account, previous), shortfall);
        }

        if (account.State == AccountState.Liquidation && !_isHalted)
        {
            LiquidateIfDue(index, rules);
        }
        else if (account.State != AccountState.Liquidation)
        {
            account.LiquidationAttempt = 0;
            account.LiquidationLots = 0;
        }

        account.IsChangedByOwner = false;
        PublishComparison(index, rules);
    }

    private void PublishIfDue(ref Account account, CompiledModel rules, AccountState previous)
    {
        MarginFlags flags = FlagsOf(account, previous);
        bool moved = Int128.Abs((Int128)account.Margin.RatioE8 - account.PublishedRatioE8) >= Math.Max(rules.PublishRatioStepE8, 1);
        if (moved || flags != account.PublishedFlags || account.IsChangedByOwner || _now - account.PublishedTime >= rules.RefreshNanos)
        {
            Publish(ref account, rules, flags);
        }
    }

    private void Publish(ref Account account, CompiledModel rules, MarginFlags flags)
    {
        account.PublishedRatioE8 = account.Margin.RatioE8;
        account.PublishedTime = _now;

        // The change itself is news once; later updates compare without it.
        account.PublishedFlags = flags & ~MarginFlags.StateChanged;
        _decisions.Update(account, rules, _market, flags);
    }

    private MarginFlags FlagsOf(in Account account, AccountState previous)
    {
        MarginFlags flags = account.Margin.Flags;
        if (account.State != previous)
        {
            flags |= MarginFlags.StateChanged;
        }

        return _isHalted ? flags | MarginFlags.Halted : flags;
    }

    // A few accounts in turn: margins nobody's message touched are looked at again, so that staleness shows and no update is older than the refresh time. What a
    // slice may cost is told in positions, not in time: where it ends is part of what is decided.
    private void RefreshSlice()
    {
        int count = Math.Min(_limits.RefreshSlice, _book.AccountCount);
        int left = _limits.RefreshPositions;
        for (int looked = 0; looked < count && left > 0; looked++)
        {
            StepRefreshCursor();
            ref readonly Account account = ref _book.AccountAt(_refreshCursor);
            CompiledModel rules = _models[account.Model];
            bool liquidationWaits = account.State == AccountState.Liquidation && !_isHalted
                && _now - account.LiquidationTime >= rules.LiquidationRetryNanos;
            long age = _now - account.PublishedTime;
            if (liquidationWaits || age >= rules.RefreshNanos)
            {
                RefreshAccount(_refreshCursor);
                left -= Limits.RefreshOverhead + _book.PositionsOf(_refreshCursor);
            }

            _oldestOfRound = Math.Max(_oldestOfRound, age);
        }
    }

    private void StepRefreshCursor()
    {
        if (_refreshCursor + 1 < _book.AccountCount)
        {
            _refreshCursor++;
            return;
        }

        _refreshCursor = 0;
        OldestMarginNanos = _oldestOfRound;
        _oldestOfRound = 0;
    }

    private void PublishRiskArray()
    {
        if (_now - _lastRiskArray < Limits.RiskArrayNanos)
        {
            return;
        }

        for (int looked = 0; looked < _market.InstrumentCount; looked++)
        {
            _riskArrayCursor = _riskArrayCursor + 1 < _market.InstrumentCount ? _riskArrayCursor + 1 : 0;
            ref readonly Instrument contract = ref _market.InstrumentAt(_riskArrayCursor);
            if (contract.FirstHolder < 0)
            {
                continue;
            }

            int model = _book.AccountAt(_book.UnitAt(_book.PositionAt(contract.FirstHolder).Unit).Account).Model;
            ref readonly LotRisk risk = ref _rows.Price(model, _riskArrayCursor);
            if (risk.IsUnpriced)
            {
                continue;
            }

            _lastRiskArray = _now;
            _decisions.Risk(contract, _models[model], _market.CurrencyAt(contract.Currency), risk, _rows.Row(model, _riskArrayCursor));
            return;
        }
    }
}
