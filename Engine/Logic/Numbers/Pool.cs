namespace MarginEngine.Logic;

/// <summary>Preallocated slots of <typeparamref name="T"/> handed out by index. Which index is handed out never shows in a result.</summary>
public sealed class Pool<T>
    where T : unmanaged
{
    private readonly T[] _slots;
    private readonly int[] _free;
    private int _freeCount;

    public Pool(int capacity)
    {
        _slots = new T[capacity];
        _free = new int[capacity];
        for (int index = 0; index < capacity; index++)
        {
            _free[index] = capacity - 1 - index;
        }

        _freeCount = capacity;
    }

    /// <summary>Memory of a slot with its place among the free ones.</summary>
    internal static int BytesEach => System.Runtime.CompilerServices.Unsafe.SizeOf<T>() + sizeof(int);

    public int Capacity => _slots.Length;

    public int Count => _slots.Length - _freeCount;

    public bool IsFull => _freeCount == 0;

    public ref T this[int index] => ref _slots[index];

    /// <summary>Index of a zeroed slot; the caller has checked <see cref="IsFull"/>.</summary>
    public int Take()
    {
        Check.That(_freeCount > 0);
        int index = _free[--_freeCount];
        _slots[index] = default;
        return index;
    }

    public void Return(int index)
    {
        _slots[index] = default;
        _free[_freeCount++] = index;
    }
}
