using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Part of an uncovered loss that one account bears, micro-USD.</summary>
public record struct Share(int Account, long Amount);

/// <content>Liquidation instructions, bankruptcy, the insurance fund, deleveraging.</content>
public sealed partial class MarginMachine
{
    private readonly Share[] _shares;
    private readonly long[] _fillablePrices;

    // A new instruction when there is none in force, when the last one is filled and was not enough, or when it waited too long.
    private void LiquidateIfDue(int index, CompiledModel rules)
    {
        ref Account account = ref _book.ChangeAccount(index);
        if (!HasOpenLots(index))
        {
            SettleBankruptcy(index);
            return;
        }

        bool inForce = account.LiquidationLots > 0 && _now - account.LiquidationTime < rules.LiquidationRetryNanos;
        if (inForce)
        {
            return;
        }

        AccountMargin after = _planner.Plan(index, PriceClock);
        if (_planner.Legs.IsEmpty)
        {
            return;
        }

        account.LiquidationId = LastSequence;
        account.LiquidationTime = _now;
        account.LiquidationAttempt++;
        account.LiquidationLots = 0;
        foreach (ref readonly Leg leg in _planner.Legs)
        {
            account.LiquidationLots = Fixed.Add(account.LiquidationLots, Math.Abs(leg.Lots));
        }

        _decisions.Liquidate(account, _market, _planner.Legs, after, _planner.ExpectedCost);
        if (rules.SpreadToMaintenance > 0.0)
        {
            double rating = FillablePrice.Rating(rules, account.Margin);
            for (int leg = 0; leg < _planner.Legs.Length; leg++)
            {
                _fillablePrices[leg] = _fillable.PriceE8(rules, account.Model, _planner.Legs[leg], rating, PriceClock);
            }

            _decisions.FillablePrices(account, _market, _planner.Legs, _fillablePrices, Fixed.ToAtoms(rating * Fixed.One));
        }
    }

    private bool HasOpenLots(int account)
    {
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int position = _book.UnitAt(unit).FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
            {
                if (_book.PositionAt(position).Lots != 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    // Nothing is left to close and the account owes: the fund pays what it has, those who gained most bear the rest.
    private void SettleBankruptcy(int index)
    {
        ref Account account = ref _book.ChangeAccount(index);
        if (account.Margin.GrossEquity >= 0 || (account.Margin.Flags & MarginFlags.Unpriced) != 0)
        {
            return;
        }

        _market.TryCurrency(Limits.MoneyCurrency, out int money);
        long deficit = -account.Margin.GrossEquity;
        _book.ChangeBalances(index).Clear();
        _book.TouchAccount(index);
        long paid = 0;
        if (_book.TryAccount(Limits.FundAccount, out int fund))
        {
            // The fund is valued here and now: earlier deficits of the same event have already drawn on it.
            RefreshWhereForgotten(fund);
            long available = Math.Max(0, _calculator.Total(fund, PriceClock).GrossEquity);
            paid = Math.Min(deficit, available);
            _book.Credit(fund, money, -paid);
            _book.TouchAccount(fund);
            if (paid > 0)
            {
                _decisions.Fund(account.Id, FundEventKind.DeficitCovered, paid, available - paid);
            }
        }

        if (paid < deficit)
        {
            _decisions.Fund(account.Id, FundEventKind.DeficitUncovered, deficit - paid, 0);
            Deleverage(index, deficit - paid, money);
        }
    }

    // Shares the loss among the accounts with open profit and the highest profit x leverage, in proportion to their profit.
    private void Deleverage(int bankrupt, long uncovered, int money)
    {
        int count = RankProfits(bankrupt);
        Int128 profits = 0;
        for (int index = 0; index < count; index++)
        {
            profits += _shares[index].Amount;
        }

        if (count == 0)
        {
            _decisions.Deleverage(_book.AccountAt(bankrupt).Id, uncovered, [], _book);
            return;
        }

        long borne = 0;
        long bearable = (long)Int128.Min(uncovered, profits);
        for (int index = 0; index < count; index++)
        {
            // The last one takes what rounding left, so that the shares add up to the unit.
            long share = index == count - 1 ? bearable - borne : (long)((Int128)bearable * _shares[index].Amount / profits);
            borne += share;
            _shares[index].Amount = share;
            _book.Credit(_shares[index].Account, money, -share);
            _book.TouchAccount(_shares[index].Account);
        }

        _decisions.Deleverage(_book.AccountAt(bankrupt).Id, uncovered, _shares.AsSpan(0, count), _book);
    }

    // Fills the shares with (account, open profit), ordered by profit x ratio; ties by account number.
    private int RankProfits(int bankrupt)
    {
        int count = 0;
        for (int index = 0; index < _book.AccountCount; index++)
        {
            ref readonly Account account = ref _book.AccountAt(index);
            RefreshWhereForgotten(index);
            long profit = OpenProfit(index);
            if (index == bankrupt || account.Id == Limits.FundAccount || profit <= 0 || account.Margin.Equity <= 0)
            {
                continue;
            }

            int at = count;
            while (at > 0 && Score(index, profit) > Score(_shares[at - 1].Account, _shares[at - 1].Amount))
            {
                at--;
            }

            if (at == _shares.Length)
            {
                continue;
            }

            count = Math.Min(count + 1, _shares.Length);
            Array.Copy(_shares, at, _shares, at + 1, count - at - 1);
            _shares[at] = new Share(index, profit);
        }

        return count;
    }

    private void RefreshWhereForgotten(int account)
    {
        if (_models[_book.AccountAt(account).Model].IsByCrossings)
        {
            _calculator.RefreshUnits(account, all: true, PriceClock);
        }
    }

    private Int128 Score(int account, long profit) => (Int128)profit * Math.Max(1, _book.AccountAt(account).Margin.RatioE8);

    private long OpenProfit(int account)
    {
        long profit = 0;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref readonly RiskUnit part = ref _book.UnitAt(unit);
            profit = Fixed.Add(profit, _market.ToMoney(part.Currency, part.Margin.Value, roundUp: false));
        }

        return profit;
    }
}
