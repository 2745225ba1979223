// Operators' commands that the machine took, on their way from the decider to whoever acts on them outside the book.
using System.Collections.Concurrent;
using MarginEngine.Codecs;

namespace MarginEngine.Pipeline;

/// <summary>
/// The decider's side notes what was applied and not refused; the cold side takes it once its record is on disk, because a crash
/// could still take back what is not. What a replay applies is not noted: it was acted on, or not, by the process of that time.
/// </summary>
internal sealed class CommandWatch
{
    private readonly ConcurrentQueue<OperatorEntry> _applied = new();
    private MessageOrigin _origin;
    private bool _isOpen;
    private bool _isRefused;

    /// <summary>Before the machine gets an input.</summary>
    public void Before(ReadOnlySpan<byte> message)
    {
        _isOpen = OperatorEntry.Is(Frame.TemplateId(message)) && Frame.TryReadOrigin(message, out _origin);
        _isRefused = false;
    }

    /// <summary>A reject came out; it may be of an earlier message of the same market event.</summary>
    public void OnReject(ReadOnlySpan<byte> message)
    {
        if (_isOpen && RejectDecoder.TryWrap(message, out RejectDecoder reject))
            _isRefused |= reject.Source == _origin.Source && reject.SourceSequence == _origin.Sequence;
    }

    /// <summary>After the machine has applied it.</summary>
    public void After(long sequence, long timeNanos, ReadOnlySpan<byte> message)
    {
        if (_isOpen && !_isRefused && OperatorEntry.Of(sequence, timeNanos, message) is { } entry)
            _applied.Enqueue(entry);
        _isOpen = false;
    }

    /// <summary>The next command whose record is on disk. One thread.</summary>
    public bool TryTake(long durable, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out OperatorEntry? entry) =>
        _applied.TryPeek(out entry) && entry.Sequence <= durable && _applied.TryDequeue(out entry);
}
