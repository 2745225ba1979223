// Slots of units and positions in canonical order: accounts as they were opened, units by underlying and currency, positions by instrument.
namespace MarginEngine.Logic;

/// <summary>Scratch of one snapshot, kept for the next. Slots are where a record lies; ordinals count records in canonical order.</summary>
internal sealed class BookOrdinals
{
    private readonly int[] _slots;
    private readonly int[] _ordinals;
    private ulong[] _keys = new ulong[64];

    /// <param name="capacity">Records there can be.</param>
    public BookOrdinals(int capacity)
    {
        _slots = new int[capacity];
        _ordinals = new int[capacity];
    }

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    public int SlotOf(int ordinal) => _slots[ordinal];

    public int OrdinalOf(int slot) => _ordinals[slot];

    public void Add(int slot, ulong key)
    {
        if (Count - _first == _keys.Length)
        {
            Array.Resize(ref _keys, _keys.Length * 2);
        }

        _keys[Count - _first] = key;
        _slots[Count++] = slot;
    }

    private int _first;

    /// <summary>Those that are added from here on belong together.</summary>
    public void Begin() => _first = Count;

    /// <summary>Puts those that belong together into the order of their keys; returns how many they are.</summary>
    public int Sort()
    {
        int added = Count - _first;
        _keys.AsSpan(0, added).Sort(_slots.AsSpan(_first, added));
        for (int ordinal = _first; ordinal < Count; ordinal++)
        {
            _ordinals[_slots[ordinal]] = ordinal;
        }

        return added;
    }

    /// <summary>Adds a record whose place is known.</summary>
    public void AddNext(int slot)
    {
        _ordinals[slot] = Count;
        _slots[Count++] = slot;
    }
}
