using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>
/// Accounts of models that publish at crossings: which of them can have changed state is found without computing the others. The proof that none is missed
/// stands in Engine/Logic/Crossings/README.md; <see cref="IsExhaustive"/> computes all of them and decides the same.
/// </content>
public sealed partial class MarginMachine
{
    private readonly CrossingIndex _crossings;

    // Valuation time moves by this at the least.
    private long _valuationStep = long.MaxValue;

    // Asked before every input: what a message touches is listed where somebody needs the list.
    private bool AnyModelWantsEveryMove()
    {
        foreach (CompiledModel model in _models)
        {
            if (model.Id != 0 && !model.IsByCrossings)
            {
                return true;
            }
        }

        return false;
    }

    private void CollectCrossings()
    {
        MarketMoves moves = _market.Moves;
        if (!moves.HasMoved)
        {
            return;
        }

        moves.Measure();
        if (IsExhaustive)
        {
            for (int account = 0; account < _book.AccountCount; account++)
            {
                if (_models[_book.AccountAt(account).Model].IsByCrossings)
                {
                    _crossings.MarkDue(account);
                }
            }
        }
        else
        {
            _crossings.Collect(PriceClock / 1e9);
            CollectHolders(moves);
        }

        moves.EndEvent();
    }

    // A price that ends an age which was charged for lowers margins at once, whatever it is.
    private bool EndsCharge(long before)
    {
        long age = PriceClock - before;
        foreach (CompiledModel model in _models)
        {
            if (model.Id != 0 && model.IsByCrossings && model.ChargesStaleness && age > model.StalePriceNanos)
            {
                return true;
            }
        }

        return false;
    }

    // Nobody depends on an expiry's volatilities who holds none of its options.
    private void CollectHolders(MarketMoves moves)
    {
        foreach (int expiry in moves.UnboundedExpiries)
        {
            for (int instrument = _market.ExpiryAt(expiry).FirstInstrument; instrument >= 0; instrument = _market.InstrumentAt(instrument).NextOfExpiry)
            {
                int holder = _market.InstrumentAt(instrument).IsOption ? _market.InstrumentAt(instrument).FirstHolder : -1;
                for (; holder >= 0; holder = _book.PositionAt(holder).NextHolder)
                {
                    int account = _book.UnitAt(_book.PositionAt(holder).Unit).Account;
                    if (_crossings.IsAnchored(account))
                    {
                        _crossings.MarkDue(account);
                    }
                }
            }
        }
    }

    // Ascending, so that the order of decisions does not depend on why an account is looked at.
    private int NextToEvaluate(int from)
    {
        int dirty = _book.NextDirty(from), due = _crossings.NextDue(from);
        return dirty < 0 ? due : due < 0 ? dirty : Math.Min(dirty, due);
    }

    private void EvaluateOrLook(int account)
    {
        if (_book.AccountAt(account).IsDirty)
        {
            EvaluateAccount(account);
        }
        else
        {
            Look(account);
        }
    }

    // Nothing of it is kept or told unless the state changes; an account in liquidation is evaluated with every move.
    private void Look(int index)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        CompiledModel rules = _models[account.Model];
        Looks++;
        _crossings.ClearDue(index);
        _calculator.Detail = Detail.StateOnly | Detail.Bounds;
        RefreshUnits(index);
        AccountMargin margin = _calculator.Total(index, PriceClock);
        _calculator.Detail = Detail.Margin;
        AccountState next = StateAfter(account, rules, margin);
        if (next == account.State && next != AccountState.Liquidation)
        {
            Anchor(index, rules, margin);
            return;
        }

        Looks--;
        EvaluateAccount(index);
    }

    private static AccountState StateAfter(in Account account, CompiledModel rules, in AccountMargin margin) =>
        account.Id == Limits.FundAccount ? AccountState.Healthy : Thresholds.Next(rules, account.State, margin.RatioE8);

    // How far the market may go from here before the account has to be looked at again.
    private void Anchor(int index, CompiledModel rules, in AccountMargin margin)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        if (!rules.IsByCrossings || account.Id == Limits.FundAccount)
        {
            _crossings.LookNever(index);
            return;
        }

        AccountBounds bounds = _calculator.Bounds;
        if (IsExhaustive || !bounds.TryAllow(index, rules, account.State, margin, _calculator.Groups, _valuationStep / 1e9))
        {
            _crossings.LookAlways(index);
            return;
        }

        double clock = PriceClock / 1e9;
        double deadline = rules.ChargesStaleness && bounds.OldestPrice != long.MaxValue
            ? (bounds.OldestPrice + rules.StalePriceNanos) / 1e9
            : double.PositiveInfinity;
        deadline = Math.Min(deadline, clock + bounds.StaleSeconds);
        double next = (_market.ValuationTime + Math.Min(_valuationStep, long.MaxValue - _market.ValuationTime)) / 1e9;
        double valuation = Math.Max(next, (_market.ValuationTime / 1e9) + bounds.Seconds);
        _crossings.LookBeyond(index, bounds, Math.Min(valuation, deadline), clock);
    }

    // Accounts that were anchored at one price and one moment, all of them after a start, would be due at one price and one moment too. So a refresh finds new bounds
    // where much of them is used up, and for each account once in so many refreshes, another time for each.
    private bool IsWornOut(int index)
    {
        const int Refreshes = 16;
        long refresh = Math.Max(_models[_book.AccountAt(index).Model].RefreshNanos, 1);
        return _crossings.IsUsedUp(index) || ((_now / refresh) + index) % Refreshes == 0;
    }

    // Brings the units of an account up to date. Under a model by crossings nothing keeps track of which of them are.
    private void RefreshUnits(int index)
    {
        CompiledModel rules = _models[_book.AccountAt(index).Model];
        _calculator.Bounds.Begin();
        _calculator.RefreshUnits(index, all: rules.IsByCrossings && !rules.NetsAcross, PriceClock);
    }

    // The restored machine has no bounds yet: it looks at every account with the next move. Not at once: whether the market has moved is part of what is decided.
    private void LookAtAll()
    {
        for (int account = 0; account < _book.AccountCount; account++)
        {
            if (_models[_book.AccountAt(account).Model].IsByCrossings)
            {
                _crossings.LookAlways(account);
            }
        }
    }

    // What units were last calculated to be is no state where nothing keeps it up to date.
    private void ForgetUnits()
    {
        for (int account = 0; account < _book.AccountCount; account++)
        {
            if (!_models[_book.AccountAt(account).Model].IsByCrossings)
            {
                continue;
            }

            for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
            {
                ref RiskUnit forgotten = ref _book.UnitAt(unit);
                forgotten.Margin = default;
                forgotten.Margin.WorstRow = -1;
                forgotten.IsDirty = false;
            }
        }
    }
}
