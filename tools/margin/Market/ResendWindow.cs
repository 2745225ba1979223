// What was sent and is not yet confirmed, in bounded memory: after a gap or a restart of the engine the sender goes on from the first
// message that it lacks. Owned by MatchingCore.

namespace MarginEngine.Tool.Market;

/// <summary>Messages 1, 2, 3 .. of one source: appended at the end, sent at <see cref="Next"/>, released from the front.</summary>
public sealed class ResendWindow
{
    private readonly byte[] _bytes;
    private readonly (int Offset, int Length)[] _places;
    private int _head;

    /// <param name="messages">A power of two.</param>
    public ResendWindow(int messages, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(int.IsPow2(messages), true, nameof(messages));
        _places = new (int, int)[messages];
        _bytes = new byte[bytes];
    }

    /// <summary>The oldest message still held; one above <see cref="Last"/> when there is none.</summary>
    public ulong First { get; private set; } = 1;

    public ulong Last { get; private set; }

    /// <summary>The message that is sent next; one above <see cref="Last"/> when all are.</summary>
    public ulong Next { get; private set; } = 1;

    public bool IsAllSent => Next > Last;

    public bool IsAllConfirmed => First > Last;

    /// <summary>Whether that many messages of that many bytes in all fit now, wherever the buffer's end falls.</summary>
    public bool HasRoom(int messages, int bytes, int longest)
    {
        if (Last + 1 - First + (ulong)messages > (ulong)_places.Length)
            return false;
        if (IsAllConfirmed)
            return bytes + longest <= _bytes.Length;
        int tail = _places[Slot(First)].Offset;
        int free = tail > _head ? tail - _head : _bytes.Length - _head + tail;
        // A message is never split, so up to one message is lost at the buffer's end; one byte keeps full and empty apart.
        return bytes + longest < free;
    }

    /// <summary>Takes a copy. The caller has asked <see cref="HasRoom"/>.</summary>
    public void Append(ReadOnlySpan<byte> message)
    {
        if (message.Length > _bytes.Length - _head)
            _head = 0;
        message.CopyTo(_bytes.AsSpan(_head));
        Last++;
        _places[Slot(Last)] = (_head, message.Length);
        _head += message.Length;
    }

    /// <summary>The message at <see cref="Next"/>.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        (int offset, int length) = _places[Slot(Next)];
        return _bytes.AsSpan(offset, length);
    }

    public void MarkSent() => Next++;

    /// <summary>The engine has everything up to that sequence.</summary>
    public void Release(ulong upTo)
    {
        if (upTo >= First)
            First = Math.Min(upTo, Last) + 1;
        if (Next < First)
            Next = First;
    }

    /// <summary>
    /// Goes back to send again from a sequence; returns how many messages that repeats. Confirmed ones are not held any more: they are not
    /// repeated.
    /// </summary>
    public ulong Rewind(ulong to)
    {
        ulong from = Math.Max(to, First);
        if (from >= Next)
            return 0;
        ulong repeated = Next - from;
        Next = from;
        return repeated;
    }

    private int Slot(ulong sequence) => (int)(sequence & (ulong)(_places.Length - 1));
}
