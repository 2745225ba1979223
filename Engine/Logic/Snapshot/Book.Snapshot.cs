namespace MarginEngine.Logic;

/// <content>
/// The book in a snapshot: accounts in the order of their numbers in the book, inside them units by underlying and currency, positions by
/// instrument, orders by id. In which slots they lie does not show.
/// </content>
public sealed partial class Book
{
    private BookOrdinals? _unitOrdinals;
    private BookOrdinals? _positionOrdinals;
    private BookOrdinals? _orderOrdinals;

    /// <summary>Describes everything but the order of links. Nothing is linked to its neighbours yet where this has read.</summary>
    internal void Describe(StateStream stream)
    {
        _unitOrdinals ??= new BookOrdinals(_units.Capacity);
        _positionOrdinals ??= new BookOrdinals(_positions.Capacity);
        _orderOrdinals ??= new BookOrdinals(_orders.Capacity);
        _unitOrdinals.Clear();
        _positionOrdinals.Clear();
        int count = stream.Count(AccountCount, _accounts.Length, "accounts");
        for (int account = 0; account < count; account++)
        {
            DescribeAccount(stream, account);
        }
    }

    private void DescribeAccount(StateStream stream, int index)
    {
        ref Account account = ref _accounts[index];
        stream.Enter("account", account.Id);
        stream.Field(ref account.Id, "id");
        stream.Record(ref account);
        Span<long> balances = _balances.AsSpan(index * _currencies, _currencies);
        for (int currency = 0; currency < _market.CurrencyCount; currency++)
        {
            stream.Enter("balance", _market.CurrencyCodeAt(currency));
            stream.Field(ref balances[currency], "atoms");
            stream.Leave();
        }

        if (stream.IsReading)
        {
            Check.That(_accountIds.TryAdd(account.Id, index));
            AccountCount++;
            _digests.PositionsChanged(index);
            account.FirstUnit = -1;
            if (account.IsDirty)
            {
                TouchAccount(index);
            }
        }

        int first = _unitOrdinals!.Count;
        int units = stream.Count(stream.IsReading ? 0 : CollectUnits(account.FirstUnit), _units.Capacity - first, "units");
        for (int unit = 0; unit < units; unit++)
        {
            DescribeUnit(stream, index, stream.IsReading ? TakeUnit(index) : _unitOrdinals.SlotOf(first + unit));
        }

        stream.Leave();
    }

    private void DescribeUnit(StateStream stream, int account, int slot)
    {
        ref RiskUnit unit = ref _units[slot];
        stream.Enter("unit", _market.UnderlyingCodeAt(unit.Underlying));
        stream.Enter("in", _market.CurrencyCodeAt(unit.Currency));
        stream.Field(ref unit.Underlying, "underlying");
        stream.Field(ref unit.Currency, "currency");
        stream.Field(ref unit.IsDirty, "has to be evaluated");
        stream.Record(ref unit.Margin);
        int first = _positionOrdinals!.Count;
        int positions = stream.Count(stream.IsReading ? 0 : CollectPositions(unit.FirstPosition), _positions.Capacity - first, "positions");
        for (int position = 0; position < positions; position++)
        {
            DescribePosition(stream, stream.IsReading ? TakePosition(slot) : _positionOrdinals.SlotOf(first + position));
        }

        stream.Leave();
        stream.Leave();
        Check.That(_units[slot].Account == account);
    }

    private void DescribePosition(StateStream stream, int slot)
    {
        ref Position position = ref _positions[slot];
        stream.Enter("position", _market.SymbolAt(position.Instrument));
        stream.Field(ref position.Instrument, "instrument");
        stream.Record(ref position);
        _orderOrdinals!.Clear();
        int orders = stream.Count(stream.IsReading ? 0 : CollectOrders(position.FirstOrder), _orders.Capacity - (stream.IsReading ? _orders.Count : 0), "orders");
        for (int order = 0; order < orders; order++)
        {
            DescribeOrder(stream, stream.IsReading ? TakeOrder(slot) : _orderOrdinals.SlotOf(order));
        }

        stream.Leave();
    }

    private void DescribeOrder(StateStream stream, int slot)
    {
        ref Order order = ref _orders[slot];
        stream.Enter("order", order.Id);
        stream.Field(ref order.Id, "id");
        stream.Record(ref order);
        stream.Leave();
        if (stream.IsReading)
        {
            Check.That(_orderIds.TryAdd(order.Id, slot));
        }
    }

    private int CollectUnits(int first)
    {
        _unitOrdinals!.Begin();
        for (int unit = first; unit >= 0; unit = _units[unit].NextOfAccount)
        {
            _unitOrdinals.Add(unit, ((ulong)_units[unit].Underlying << 32) | (uint)_units[unit].Currency);
        }

        return _unitOrdinals.Sort();
    }

    private int CollectPositions(int first)
    {
        _positionOrdinals!.Begin();
        for (int position = first; position >= 0; position = _positions[position].NextOfUnit)
        {
            _positionOrdinals.Add(position, (ulong)_positions[position].Instrument);
        }

        return _positionOrdinals.Sort();
    }

    private int CollectOrders(int first)
    {
        _orderOrdinals!.Begin();
        for (int order = first; order >= 0; order = _orders[order].NextOfPosition)
        {
            _orderOrdinals.Add(order, _orders[order].Id);
        }

        return _orderOrdinals.Sort();
    }

    private int TakeUnit(int account)
    {
        int slot = _units.Take();
        _units[slot].Account = account;
        _units[slot].FirstPosition = -1;
        _units[slot].NextOfAccount = -1;
        _unitOrdinals!.AddNext(slot);
        return slot;
    }

    private int TakePosition(int unit)
    {
        int slot = _positions.Take();
        ref Position taken = ref _positions[slot];
        taken.Unit = unit;
        taken.FirstOrder = -1;
        taken.NextOfUnit = -1;
        taken.NextHolder = -1;
        taken.PreviousHolder = -1;
        _positionOrdinals!.AddNext(slot);
        return slot;
    }

    // The order of a position's orders is never seen: they are added up, each with the same sign, or go all at once.
    private int TakeOrder(int position)
    {
        int slot = _orders.Take();
        ref Order taken = ref _orders[slot];
        taken.Position = position;
        taken.PreviousOfPosition = -1;
        taken.NextOfPosition = _positions[position].FirstOrder;
        if (taken.NextOfPosition >= 0)
        {
            _orders[taken.NextOfPosition].PreviousOfPosition = slot;
        }

        _positions[position].FirstOrder = slot;
        return slot;
    }
}
