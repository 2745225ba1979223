// Keeps the newest margin update of each account while the subscribers are slower than the engine. Used by an outlet.
using System.Numerics;
using System.Runtime.InteropServices;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// An open-addressing table from account to waiting update, and the order in which accounts began to wait. A newer update takes
/// the place of the older one and keeps its turn, so every account is heard. Everything is allocated at start.
/// </summary>
internal sealed class Conflater
{
    /// <summary>A margin update with its header fits a slot's payload.</summary>
    public const int MaximumUpdateBytes = MessageSlot.SlotBytes - MessageSlot.HeaderBytes;

    private const int Free = -1;
    private readonly MessageSlot[] _updates;
    private readonly ulong[] _accounts;
    private readonly int[] _table; // index into _updates, or Free
    private readonly int[] _turn;  // circular: indices in the order of waiting
    private readonly int[] _spare; // stack of unused indices
    private readonly int _mask;
    private int _spareCount;
    private int _firstTurn;

    /// <param name="accounts">Accounts that can wait at the same time.</param>
    public Conflater(int accounts)
    {
        int tableSize = (int)BitOperations.RoundUpToPowerOf2((uint)accounts * 2);
        _updates = new MessageSlot[accounts];
        _accounts = new ulong[accounts];
        _turn = new int[accounts];
        _spare = new int[accounts];
        _table = new int[tableSize];
        _mask = tableSize - 1;
        _spareCount = accounts;
        for (int i = 0; i < accounts; i++)
            _spare[i] = accounts - 1 - i;
        Array.Fill(_table, Free);
    }

    public int Count { get; private set; }

    /// <summary>True where an update of this account could be kept.</summary>
    public bool HasRoomFor(ulong account) => _spareCount > 0 || _table[PlaceOf(account)] != Free;

    /// <summary>Keeps an update; true when it replaced an older one of the account. Needs room.</summary>
    public bool Put(ulong account, long sequence, long timestampNanos, ReadOnlySpan<byte> update)
    {
        Check.That(update.Length <= MaximumUpdateBytes);
        int place = PlaceOf(account);
        bool replaces = _table[place] != Free;
        if (!replaces)
            Begin(account, place);
        ref MessageSlot slot = ref _updates[_table[place]];
        slot.Sequence = sequence;
        slot.TimestampNanos = timestampNanos;
        slot.Length = update.Length;
        update.CopyTo(PayloadOf(ref slot));
        return replaces;
    }

    /// <summary>The update of the account whose turn is the n-th from now.</summary>
    public SlotMessage At(int number)
    {
        Check.That((uint)number < (uint)Count);
        return new SlotMessage(ref _updates[_turn[(_firstTurn + number) % _turn.Length]]);
    }

    /// <summary>The update that has waited longest; false when none waits.</summary>
    public bool TryPeek(out SlotMessage update)
    {
        if (Count == 0)
        {
            update = default;
            return false;
        }

        update = new SlotMessage(ref _updates[_turn[_firstTurn]]);
        return true;
    }

    /// <summary>Forgets the update that <see cref="TryPeek"/> showed.</summary>
    public void Remove()
    {
        int index = _turn[_firstTurn];
        _firstTurn = _firstTurn + 1 == _turn.Length ? 0 : _firstTurn + 1;
        Count--;
        CloseGap(PlaceOf(_accounts[index]));
        _spare[_spareCount++] = index;
    }

    /// <summary>Removes the update that has waited longest and gives a copy of it. Needs one.</summary>
    public MessageSlot Take()
    {
        Check.That(Count > 0);
        MessageSlot update = _updates[_turn[_firstTurn]];
        Remove();
        return update;
    }

    private void Begin(ulong account, int place)
    {
        Check.That(_spareCount > 0);
        int index = _spare[--_spareCount];
        _accounts[index] = account;
        _table[place] = index;
        int last = _firstTurn + Count;
        _turn[last >= _turn.Length ? last - _turn.Length : last] = index;
        Count++;
    }

    private static Span<byte> PayloadOf(ref MessageSlot slot) =>
        MemoryMarshal.AsBytes(new Span<MessageSlot>(ref slot))[MessageSlot.HeaderBytes..];

    /// <summary>Where the account stands in the table, or the free place where it would.</summary>
    private int PlaceOf(ulong account)
    {
        int place = Home(account);
        while (_table[place] != Free && _accounts[_table[place]] != account)
            place = (place + 1) & _mask;
        return place;
    }

    // Account numbers are often consecutive: the multiplication spreads them over the table.
    private int Home(ulong account) => unchecked((int)((account * 0x9E37_79B9_7F4A_7C15) >> 32)) & _mask;

    /// <summary>Empties a place and moves up the entries behind it that could no longer be found over the gap.</summary>
    private void CloseGap(int gap)
    {
        for (int place = (gap + 1) & _mask; _table[place] != Free; place = (place + 1) & _mask)
        {
            int home = Home(_accounts[_table[place]]);
            if (((place - home) & _mask) < ((place - gap) & _mask))
                continue;
            _table[gap] = _table[place];
            gap = place;
        }

        _table[gap] = Free;
    }
}
