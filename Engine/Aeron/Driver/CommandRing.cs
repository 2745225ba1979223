// The ring that clients write their commands to and the driver reads: many producers, one consumer, in shared memory. Whatever stands in
// it was written by another process: no length in it is believed before it is compared with the ring, and a command is copied before
// it is looked at.
//
//   | capacity, a power of two | trailer: 128 tail · 256 head cache · 384 head · 512 correlation ids · 640 consumer heartbeat |
//   record: i32 length (8 + payload), negative while written · i32 type (-1 padding) · payload, aligned to 8

namespace MarginEngine.Aeron;

internal interface ICommandHandler
{
    /// <param name="type">as written by the client</param>
    /// <param name="command">a private copy; valid during the call</param>
    void OnCommand(int type, ReadOnlySpan<byte> command);

    /// <summary>Something stood in the ring that is no record.</summary>
    void OnBrokenRecord();
}

internal sealed unsafe class CommandRing
{
    public const int TrailerLength = 768;

    private const int TailOffset = 128;
    private const int HeadCacheOffset = 256;
    private const int HeadOffset = 384;
    private const int CorrelationOffset = 512;
    private const int HeartbeatOffset = 640;
    private const int HeaderLength = 8;
    private const int PaddingType = -1;

    private readonly byte* _ring;
    private readonly int _capacity;
    private readonly byte[] _copy;

    // The consumer's own: what stands in the file others can overwrite.
    private long _head;

    /// <param name="memory">the ring and its trailer</param>
    /// <param name="length">a power of two, and the trailer's length</param>
    public CommandRing(byte* memory, int length)
    {
        Check.That(IsSound(length));
        _ring = memory;
        _capacity = length - TrailerLength;
        _copy = new byte[MaxCommandLength];
    }

    public int MaxCommandLength => _capacity / 8;

    /// <summary>Milliseconds since 1970; 0 before the driver is ready, -1 after it has gone.</summary>
    public long ConsumerHeartbeat
    {
        get => Volatile.Read(ref Word(HeartbeatOffset));
        set => Volatile.Write(ref Word(HeartbeatOffset), value);
    }

    public bool HasCommand => Volatile.Read(ref *(int*)At(_head)) > 0;

    /// <summary>How far the consumer has come.</summary>
    public long Head => _head;

    public long Tail => Volatile.Read(ref Word(TailOffset));

    public static bool IsSound(int length) => length > TrailerLength && int.IsPow2(length - TrailerLength) && length - TrailerLength >= 1024;

    /// <summary>A number no other client of this driver has.</summary>
    public long NextCorrelationId() => unchecked(Interlocked.Increment(ref Word(CorrelationOffset)) - 1);

    /// <summary>Appends a command; false when the ring is full.</summary>
    public bool TryWrite(int type, ReadOnlySpan<byte> command)
    {
        Check.That(type > 0 && command.Length <= MaxCommandLength);
        int length = HeaderLength + command.Length;
        int aligned = Align(length);
        byte* record = TryClaim(aligned);
        if (record == null)
            return false;
        Volatile.Write(ref *(int*)record, -length);
        command.CopyTo(new Span<byte>(record + HeaderLength, command.Length));
        *(int*)(record + 4) = type;
        Volatile.Write(ref *(int*)record, length);
        return true;
    }

    /// <summary>Hands on what has been written, at most to the end of the ring; returns the records taken.</summary>
    public int Read<THandler>(ref THandler handler, int limit)
        where THandler : ICommandHandler
    {
        int begin = Index(_head);
        int contiguous = _capacity - begin;
        int consumed = 0;
        int taken = 0;
        while (consumed < contiguous && taken < limit)
        {
            byte* record = _ring + begin + consumed;
            int length = Volatile.Read(ref *(int*)record);
            if (length <= 0)
                break;
            int left = contiguous - consumed;
            if (length < HeaderLength || length > left || Align(length) > left || length - HeaderLength > _copy.Length && *(int*)(record + 4) != PaddingType)
            {
                Discard();
                handler.OnBrokenRecord();
                return taken + 1;
            }
            int type = *(int*)(record + 4);
            if (type != PaddingType)
                new ReadOnlySpan<byte>(record + HeaderLength, length - HeaderLength).CopyTo(_copy);
            // The record is given back before it is obeyed, so that one which throws is not met again.
            int aligned = Align(length);
            new Span<byte>(record, aligned).Clear();
            consumed += aligned;
            StoreHead(_head + aligned);
            taken++;
            if (type != PaddingType)
                handler.OnCommand(type, _copy.AsSpan(0, length - HeaderLength));
        }
        return taken;
    }

    /// <summary>
    /// Steps over the record at the head that a client claimed and never finished. To be called when the head stood still for the
    /// clients' time-out although there is more behind it.
    /// </summary>
    public bool Unblock()
    {
        long ahead = unchecked(Tail - _head);
        if (ahead == 0)
            return false;
        if (ahead < 0 || ahead > _capacity)
        {
            Discard();
            return true;
        }
        int begin = Index(_head);
        int end = (int)Math.Min(_capacity, begin + ahead);
        byte* record = _ring + begin;
        int length = Volatile.Read(ref *(int*)record);
        if (length > 0)
            return false;
        int gap = length == int.MinValue ? 0 : Align(-length);
        if (length == 0)
        {
            gap = 8;
            while (begin + gap < end && Volatile.Read(ref *(int*)(record + gap)) == 0)
                gap += 8;
        }
        if (gap < HeaderLength || gap > end - begin)
        {
            Discard();
            return true;
        }
        *(int*)(record + 4) = PaddingType;
        Volatile.Write(ref *(int*)record, gap);
        return true;
    }

    /// <summary>What follows cannot be read as records: all of it goes, up to the tail where that makes sense.</summary>
    private void Discard()
    {
        new Span<byte>(_ring, _capacity).Clear();
        long tail = Tail;
        long ahead = unchecked(tail - _head);
        long next = ahead >= 0 && ahead <= _capacity && ahead % 8 == 0 ? tail : _head;
        Volatile.Write(ref Word(HeadCacheOffset), next);
        StoreHead(next);
        if (next != tail)
            Volatile.Write(ref Word(TailOffset), next);
    }

    private void StoreHead(long head)
    {
        _head = head;
        Volatile.Write(ref Word(HeadOffset), head);
    }

    private byte* TryClaim(int length)
    {
        ref long tailWord = ref Word(TailOffset);
        while (true)
        {
            long head = Volatile.Read(ref Word(HeadOffset));
            long tail = Volatile.Read(ref tailWord);
            int index = Index(tail);
            int toEnd = _capacity - index;
            int padding = length > toEnd ? toEnd : 0;
            if (length + padding > _capacity - (tail - head))
                return null;
            if (Interlocked.CompareExchange(ref tailWord, tail + length + padding, tail) != tail)
                continue;
            if (padding == 0)
                return _ring + index;
            byte* pad = _ring + index;
            Volatile.Write(ref *(int*)pad, -padding);
            *(int*)(pad + 4) = PaddingType;
            Volatile.Write(ref *(int*)pad, padding);
            return _ring;
        }
    }

    private int Index(long position) => (int)(position & (_capacity - 1)) & ~7;

    private byte* At(long position) => _ring + Index(position);

    private ref long Word(int offset) => ref *(long*)(_ring + _capacity + offset);

    private static int Align(int length) => unchecked(length + 7) & ~7;
}
