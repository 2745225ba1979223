using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Accounts, balances, risk units, positions and orders, all preallocated and linked by index:
/// account -> units -> positions -> orders, and instrument -> holders. Holds no rules; <see cref="MarginMachine"/> decides.
/// </summary>
public sealed partial class Book
{
    private readonly Account[] _accounts;
    private readonly long[] _balances;
    private readonly int _currencies;
    private readonly Pool<RiskUnit> _units;
    private readonly Pool<Position> _positions;
    private readonly Pool<Order> _orders;
    private readonly IdMap _accountIds;
    private readonly IdMap _orderIds;
    private readonly ulong[] _dirty;
    private int _dirtyCount;
    private readonly MarketState _market;

    public Book(Limits limits, MarketState market)
    {
        _accounts = new Account[limits.Accounts];
        _currencies = limits.Currencies;
        _balances = new long[limits.Accounts * limits.Currencies];
        _units = new Pool<RiskUnit>(limits.Units);
        _positions = new Pool<Position>(limits.Positions);
        _orders = new Pool<Order>(limits.Orders);
        _accountIds = new IdMap(limits.Accounts);
        _orderIds = new IdMap(limits.Orders);
        _dirty = new ulong[(limits.Accounts + 63) / 64];
        _digests = new AccountDigests(limits.Accounts);
        _market = market;
    }

    public int AccountCount { get; private set; }

    public int PositionCount => _positions.Count;

    public int OrderCount => _orders.Count;

    public ref readonly Account AccountAt(int index) => ref _accounts[index];

    /// <summary>Not part of the state that is compared: what it holds of the account is calculated.</summary>
    public ref RiskUnit UnitAt(int index) => ref _units[index];

    public ref readonly Position PositionAt(int index) => ref _positions[index];

    public ref readonly Order OrderAt(int index) => ref _orders[index];

    /// <summary>Balances of an account, one a currency, in atoms.</summary>
    public ReadOnlySpan<long> BalancesOf(int account) => _balances.AsSpan(account * _currencies, _currencies);

    public bool TryAccount(ulong id, out int index) => _accountIds.TryGet(id, out index);

    public bool TryOrder(ulong id, out int index) => _orderIds.TryGet(id, out index);

    /// <summary>False when the book is full or the id is taken.</summary>
    public bool TryAddAccount(ulong id, int model)
    {
        if (AccountCount == _accounts.Length || !_accountIds.TryAdd(id, AccountCount))
        {
            return false;
        }

        _accounts[AccountCount] = new Account { Id = id, Model = model, FirstUnit = -1 };
        _accounts[AccountCount].Margin.WorstRow = -1;
        _digests.Changed(AccountCount);
        AccountCount++;
        return true;
    }

    public void Credit(int account, int currency, long atoms)
    {
        ref long balance = ref ChangeBalances(account)[currency];
        balance = Fixed.Add(balance, atoms);
        _accounts[account].Currencies |= 1UL << currency;
    }

    public void TouchAccount(int account)
    {
        ref ulong word = ref _dirty[account >> 6];
        ulong bit = 1UL << (account & 63);
        _dirtyCount += (word & bit) == 0 ? 1 : 0;
        word |= bit;
        ChangeAccount(account).IsDirty = true;
    }

    public void TouchUnit(int unit)
    {
        ref RiskUnit touched = ref _units[unit];
        touched.IsDirty = true;
        TouchAccount(touched.Account);
    }

    /// <summary>The lowest dirty account at or after <paramref name="from"/>, -1: none. Ascending order makes the order of decisions canonical.</summary>
    public int NextDirty(int from)
    {
        int word = from >> 6;
        if (_dirtyCount == 0 || word >= _dirty.Length)
        {
            return -1;
        }

        ulong bits = _dirty[word] & (ulong.MaxValue << (from & 63));
        while (bits == 0)
        {
            if (++word == _dirty.Length)
            {
                return -1;
            }

            bits = _dirty[word];
        }

        return (word << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits);
    }

    public void ClearDirty(int account)
    {
        ref ulong word = ref _dirty[account >> 6];
        ulong bit = 1UL << (account & 63);
        _dirtyCount -= (word & bit) != 0 ? 1 : 0;
        word &= ~bit;
        ChangeAccount(account).IsDirty = false;
    }

    /// <summary>-1: the account has no such unit.</summary>
    public int FindUnit(int account, int underlying, int currency)
    {
        for (int unit = _accounts[account].FirstUnit; unit >= 0; unit = _units[unit].NextOfAccount)
        {
            if (_units[unit].Underlying == underlying && _units[unit].Currency == currency)
            {
                return unit;
            }
        }

        return -1;
    }

    /// <summary>-1: the unit holds nothing of that instrument.</summary>
    public int FindPosition(int unit, int instrument)
    {
        for (int position = _units[unit].FirstPosition; position >= 0; position = _positions[position].NextOfUnit)
        {
            if (_positions[position].Instrument == instrument)
            {
                return position;
            }
        }

        return -1;
    }

    /// <summary>Positions of an account, counted.</summary>
    public int PositionsOf(int account)
    {
        int count = 0;
        for (int unit = _accounts[account].FirstUnit; unit >= 0; unit = _units[unit].NextOfAccount)
        {
            for (int position = _units[unit].FirstPosition; position >= 0; position = _positions[position].NextOfUnit)
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>The account's position in an instrument, -1: none.</summary>
    public int FindPositionOf(int account, int instrument)
    {
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        int unit = FindUnit(account, contract.Underlying, contract.Currency);
        return unit < 0 ? -1 : FindPosition(unit, instrument);
    }

    /// <summary>The account's position in an instrument, opened with zero lots where it is new; -1: no room.</summary>
    public int PositionOrAdd(int account, int instrument)
    {
        ref Instrument contract = ref _market.InstrumentAt(instrument);
        int unit = FindUnit(account, contract.Underlying, contract.Currency);
        if (unit < 0)
        {
            if (_units.IsFull || _positions.IsFull)
            {
                return -1;
            }

            unit = AddUnit(account, contract.Underlying, contract.Currency);
        }

        int position = FindPosition(unit, instrument);
        if (position >= 0)
        {
            return position;
        }

        if (_positions.IsFull)
        {
            return -1;
        }

        position = _positions.Take();
        ref Position added = ref _positions[position];
        added.Unit = unit;
        added.Instrument = instrument;
        added.FirstOrder = -1;
        added.NextOfUnit = _units[unit].FirstPosition;
        _units[unit].FirstPosition = position;
        added.PreviousHolder = -1;
        added.NextHolder = contract.FirstHolder;
        if (contract.FirstHolder >= 0)
        {
            _positions[contract.FirstHolder].PreviousHolder = position;
        }

        contract.FirstHolder = position;
        _digests.PositionsChanged(account);
        return position;
    }

    /// <summary>Forgets a position that holds nothing any more, and its unit with the last of them.</summary>
    public void RemoveIfEmpty(int position)
    {
        ref Position removed = ref _positions[position];
        if (!removed.IsEmpty)
        {
            return;
        }

        ref Instrument contract = ref _market.InstrumentAt(removed.Instrument);
        if (removed.PreviousHolder >= 0)
        {
            _positions[removed.PreviousHolder].NextHolder = removed.NextHolder;
        }
        else
        {
            contract.FirstHolder = removed.NextHolder;
        }

        if (removed.NextHolder >= 0)
        {
            _positions[removed.NextHolder].PreviousHolder = removed.PreviousHolder;
        }

        int unit = removed.Unit;
        _digests.PositionsChanged(_units[unit].Account);
        ref int link = ref _units[unit].FirstPosition;
        while (link != position)
        {
            link = ref _positions[link].NextOfUnit;
        }

        link = removed.NextOfUnit;
        _positions.Return(position);
        if (_units[unit].FirstPosition < 0)
        {
            RemoveUnit(unit);
        }
    }

    /// <summary>False when there is no room or the id is taken.</summary>
    public bool TryAddOrder(ulong id, int position, Side side, long lots, long priceE8, long cost)
    {
        if (_orders.IsFull || _orderIds.TryGet(id, out _))
        {
            return false;
        }

        int order = _orders.Take();
        _orderIds.TryAdd(id, order);
        ref Position of = ref ChangePosition(position);
        _orders[order] = new Order
        {
            Id = id,
            Position = position,
            Side = side,
            Lots = lots,
            PriceE8 = priceE8,
            Cost = cost,
            NextOfPosition = of.FirstOrder,
            PreviousOfPosition = -1,
        };
        if (of.FirstOrder >= 0)
        {
            _orders[of.FirstOrder].PreviousOfPosition = order;
        }

        of.FirstOrder = order;
        CountOrder(ref of, side, lots, cost);
        return true;
    }

    /// <summary>Takes lots off an order; the order goes when none is left. The position stays for the caller to remove.</summary>
    public void ReduceOrder(int order, long lots)
    {
        ref Order reduced = ref _orders[order];
        lots = Math.Min(lots, reduced.Lots);
        long cost = lots == reduced.Lots ? reduced.Cost : Fixed.MultiplyFloor(reduced.Cost, lots, reduced.Lots);
        ref Position of = ref ChangePosition(reduced.Position);
        CountOrder(ref of, reduced.Side, -lots, -cost);
        reduced.Lots -= lots;
        reduced.Cost -= cost;
        if (reduced.Lots > 0)
        {
            return;
        }

        if (reduced.PreviousOfPosition >= 0)
        {
            _orders[reduced.PreviousOfPosition].NextOfPosition = reduced.NextOfPosition;
        }
        else
        {
            of.FirstOrder = reduced.NextOfPosition;
        }

        if (reduced.NextOfPosition >= 0)
        {
            _orders[reduced.NextOfPosition].PreviousOfPosition = reduced.PreviousOfPosition;
        }

        _orderIds.Remove(reduced.Id);
        _orders.Return(order);
    }

    private static void CountOrder(ref Position of, Side side, long lots, long cost)
    {
        if (side == Side.Buy)
        {
            of.BuyLots += lots;
            of.BuyCost = Fixed.Add(of.BuyCost, cost);
        }
        else
        {
            of.SellLots += lots;
            of.SellCost = Fixed.Add(of.SellCost, cost);
        }
    }

    private int AddUnit(int account, int underlying, int currency)
    {
        int unit = _units.Take();
        _units[unit] = new RiskUnit
        {
            Account = account,
            Underlying = underlying,
            Currency = currency,
            NextOfAccount = _accounts[account].FirstUnit,
            FirstPosition = -1,
        };
        _units[unit].Margin.WorstRow = -1;
        _accounts[account].FirstUnit = unit;
        _accounts[account].Currencies |= 1UL << currency;
        return unit;
    }

    private void RemoveUnit(int unit)
    {
        int account = _units[unit].Account;
        ref int link = ref _accounts[account].FirstUnit;
        while (link != unit)
        {
            link = ref _units[link].NextOfAccount;
        }

        link = _units[unit].NextOfAccount;
        TouchAccount(account);
        _units.Return(unit);
    }
}
