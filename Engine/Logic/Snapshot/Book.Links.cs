namespace MarginEngine.Logic;

/// <content>
/// In which order the units of an account, the positions of a unit and the holders of an instrument are walked. It is the order in which they
/// came, newest first, and it can be seen: a risk array is published under the model of an instrument's first holder, two units whose worst rows cost
/// the same leave the first one's, and sums that reach the ceiling depend on what came before. So it is state, told apart from the rest at the
/// end of a snapshot: two books that hold the same are equal up to here, however they came about.
/// </content>
public sealed partial class Book
{
    internal void DescribeLinks(StateStream stream)
    {
        stream.Enter("order in which lists are walked");
        int first = 0;
        for (int account = 0; account < AccountCount; account++)
        {
            first += DescribeUnitLinks(stream, account, first);
        }

        first = 0;
        for (int unit = 0; unit < _unitOrdinals!.Count; unit++)
        {
            first += DescribePositionLinks(stream, _unitOrdinals.SlotOf(unit), first);
        }

        for (int instrument = 0; instrument < _market.InstrumentCount; instrument++)
        {
            DescribeHolders(stream, instrument);
        }

        stream.Leave();
    }

    private int DescribeUnitLinks(StateStream stream, int account, int first)
    {
        int last = first;
        while (last < _unitOrdinals!.Count && _units[_unitOrdinals.SlotOf(last)].Account == account)
        {
            last++;
        }

        stream.Enter("units of account", _accounts[account].Id);
        ref int link = ref _accounts[account].FirstUnit;
        for (int unit = first; unit < last; unit++)
        {
            link = Link(stream, _unitOrdinals, link, first, last);
            link = ref _units[link].NextOfAccount;
        }

        stream.Leave();
        return last - first;
    }

    private int DescribePositionLinks(StateStream stream, int unit, int first)
    {
        int last = first;
        while (last < _positionOrdinals!.Count && _positions[_positionOrdinals.SlotOf(last)].Unit == unit)
        {
            last++;
        }

        stream.Enter("positions of account", _accounts[_units[unit].Account].Id);
        ref int link = ref _units[unit].FirstPosition;
        for (int position = first; position < last; position++)
        {
            link = Link(stream, _positionOrdinals, link, first, last);
            link = ref _positions[link].NextOfUnit;
        }

        stream.Leave();
        return last - first;
    }

    private void DescribeHolders(StateStream stream, int instrument)
    {
        ref int link = ref _market.InstrumentAt(instrument).FirstHolder;
        int count = 0;
        for (int holder = link; holder >= 0; holder = _positions[holder].NextHolder)
        {
            count++;
        }

        stream.Enter("holders of", _market.SymbolAt(instrument));
        count = stream.Count(count, _positionOrdinals!.Count, "holders");
        int previous = -1;
        for (int holder = 0; holder < count; holder++)
        {
            link = Link(stream, _positionOrdinals, link, 0, _positionOrdinals.Count);
            _positions[link].PreviousHolder = previous;
            previous = link;
            link = ref _positions[link].NextHolder;
        }

        stream.Leave();
    }

    // Writes the ordinal of the slot that a link leads to; or reads one and returns its slot.
    private static int Link(StateStream stream, BookOrdinals ordinals, int slot, int first, int last)
    {
        int ordinal = stream.IsReading ? 0 : ordinals.OrdinalOf(slot);
        stream.Field(ref ordinal, "next");
        if (ordinal < first || ordinal >= last)
        {
            throw new StateFormatException($"the snapshot links record {ordinal} where there are {first} to {last - 1}");
        }

        return ordinals.SlotOf(ordinal);
    }
}
