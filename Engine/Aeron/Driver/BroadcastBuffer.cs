// The buffer in which the driver tells all clients what happened: one transmitter, any number of receivers, each of which takes care to
// keep up. Records overwrite the oldest; nobody waits.
//
//   | capacity, a power of two | trailer: 0 tail intent · 8 tail · 16 latest record |
//   record: i32 length (8 + payload) · i32 type (-1 padding) · payload, aligned to 8

namespace MarginEngine.Aeron;

internal static class BroadcastBuffer
{
    public const int TrailerLength = 128;
    public const int TailIntentOffset = 0;
    public const int TailOffset = 8;
    public const int LatestOffset = 16;
    public const int HeaderLength = 8;
    public const int PaddingType = -1;

    public static bool IsSound(int length) =>
        length > TrailerLength && int.IsPow2(length - TrailerLength) && length - TrailerLength >= 1024;

    public static int Align(int length) => unchecked(length + 7) & ~7;
}

/// <summary>The driver's side.</summary>
internal sealed unsafe class BroadcastTransmitter
{
    private readonly byte* _buffer;
    private readonly int _capacity;
    private long _tail;

    public BroadcastTransmitter(byte* memory, int length)
    {
        Check.That(BroadcastBuffer.IsSound(length));
        _buffer = memory;
        _capacity = length - BroadcastBuffer.TrailerLength;
    }

    public int MaxEventLength => _capacity / 8;

    public void Transmit(int type, ReadOnlySpan<byte> payload)
    {
        Check.That(type > 0 && payload.Length <= MaxEventLength);
        int length = BroadcastBuffer.HeaderLength + payload.Length;
        int aligned = BroadcastBuffer.Align(length);
        int index = (int)(_tail & (_capacity - 1));
        int padding = aligned > _capacity - index ? _capacity - index : 0;

        // A receiver that reads what is about to be overwritten must find out: the intent is visible before the first byte is.
        Volatile.Write(ref Word(BroadcastBuffer.TailIntentOffset), _tail + padding + aligned);
        Interlocked.MemoryBarrier();
        if (padding > 0)
        {
            *(int*)(_buffer + index) = padding;
            *(int*)(_buffer + index + 4) = BroadcastBuffer.PaddingType;
            _tail += padding;
            index = 0;
        }
        *(int*)(_buffer + index) = length;
        *(int*)(_buffer + index + 4) = type;
        payload.CopyTo(new Span<byte>(_buffer + index + BroadcastBuffer.HeaderLength, payload.Length));
        Volatile.Write(ref Word(BroadcastBuffer.LatestOffset), _tail);
        _tail += aligned;
        Volatile.Write(ref Word(BroadcastBuffer.TailOffset), _tail);
    }

    private ref long Word(int offset) => ref *(long*)(_buffer + _capacity + offset);
}

/// <summary>A client's side.</summary>
internal sealed unsafe class BroadcastReceiver
{
    private readonly byte* _buffer;
    private readonly int _capacity;
    private readonly byte[] _copy;
    private long _cursor;

    public BroadcastReceiver(byte* memory, int length)
    {
        Check.That(BroadcastBuffer.IsSound(length));
        _buffer = memory;
        _capacity = length - BroadcastBuffer.TrailerLength;
        _copy = new byte[_capacity / 8];
        _cursor = Volatile.Read(ref Word(BroadcastBuffer.TailOffset));
    }

    /// <summary>The driver overtook this receiver; events are lost.</summary>
    public bool IsLapped { get; private set; }

    /// <summary>The next event, copied; false when there is none.</summary>
    public bool TryReceive(out int type, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        type = 0;
        while (!IsLapped && Volatile.Read(ref Word(BroadcastBuffer.TailOffset)) > _cursor)
        {
            int index = (int)(_cursor & (_capacity - 1)) & ~7;
            int length = Volatile.Read(ref *(int*)(_buffer + index));
            type = *(int*)(_buffer + index + 4);
            bool isSound = length >= BroadcastBuffer.HeaderLength && length <= _capacity - index;
            bool isPadding = type == BroadcastBuffer.PaddingType;
            int payloadLength = length - BroadcastBuffer.HeaderLength;
            if (isSound && !isPadding && payloadLength <= _copy.Length)
                new ReadOnlySpan<byte>(_buffer + index + BroadcastBuffer.HeaderLength, payloadLength).CopyTo(_copy);
            Interlocked.MemoryBarrier();
            if (!isSound || (!isPadding && payloadLength > _copy.Length)
                || Volatile.Read(ref Word(BroadcastBuffer.TailIntentOffset)) - _cursor > _capacity)
            {
                IsLapped = true;
                return false;
            }
            _cursor += BroadcastBuffer.Align(length);
            if (isPadding)
                continue;
            payload = _copy.AsSpan(0, payloadLength);
            return true;
        }
        return false;
    }

    private ref long Word(int offset) => ref *(long*)(_buffer + _capacity + offset);
}
