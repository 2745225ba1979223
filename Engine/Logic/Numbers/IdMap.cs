namespace MarginEngine.Logic;

/// <summary>
/// Preallocated map from an outside 64-bit id to a dense index: open addressing, linear probing, backward-shift deletion.
/// Its order is never enumerated, so it cannot leak into a result.
/// </summary>
public sealed class IdMap
{
    private const int Empty = -1;
    private readonly ulong[] _keys;
    private readonly int[] _values;
    private readonly int _mask;

    public IdMap(int capacity)
    {
        int size = SlotsOf(capacity);
        Capacity = capacity;
        _keys = new ulong[size];
        _values = new int[size];
        _mask = size - 1;
        Array.Fill(_values, Empty);
    }

    public int Capacity { get; }

    /// <summary>Memory of a map, in bytes.</summary>
    internal static long BytesOf(int capacity) => (long)SlotsOf(capacity) * (sizeof(ulong) + sizeof(int));

    private static int SlotsOf(int capacity)
    {
        int size = 16;
        while (size < capacity * 2)
        {
            size *= 2;
        }

        return size;
    }

    public int Count { get; private set; }

    public bool TryGet(ulong key, out int value)
    {
        for (int slot = Slot(key); ; slot = (slot + 1) & _mask)
        {
            value = _values[slot];
            if (value == Empty)
            {
                return false;
            }

            if (_keys[slot] == key)
            {
                return true;
            }
        }
    }

    /// <summary>False when the map is full or holds the key already.</summary>
    public bool TryAdd(ulong key, int value)
    {
        Check.That(value >= 0);
        if (Count >= Capacity)
        {
            return false;
        }

        int slot = Slot(key);
        while (_values[slot] != Empty)
        {
            if (_keys[slot] == key)
            {
                return false;
            }

            slot = (slot + 1) & _mask;
        }

        _keys[slot] = key;
        _values[slot] = value;
        Count++;
        return true;
    }

    public bool Remove(ulong key)
    {
        int slot = Slot(key);
        while (true)
        {
            if (_values[slot] == Empty)
            {
                return false;
            }

            if (_keys[slot] == key)
            {
                break;
            }

            slot = (slot + 1) & _mask;
        }

        // Close the hole: an entry moves back unless its home lies after the hole (cyclically).
        int hole = slot;
        for (int next = (hole + 1) & _mask; _values[next] != Empty; next = (next + 1) & _mask)
        {
            int home = Slot(_keys[next]);
            if (((next - home) & _mask) >= ((next - hole) & _mask))
            {
                _keys[hole] = _keys[next];
                _values[hole] = _values[next];
                hole = next;
            }
        }

        _values[hole] = Empty;
        _keys[hole] = 0;
        Count--;
        return true;
    }

    private int Slot(ulong key)
    {
        unchecked
        {
            ulong hash = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15UL;
            return (int)(hash >> 33) & _mask;
        }
    }
}
