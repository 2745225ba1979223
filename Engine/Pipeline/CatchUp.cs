// Reads older records back from the journal that is being written, for a standby that lacks them. Used by the replicator.
using MarginEngine.Journal;

namespace MarginEngine.Pipeline;

/// <summary>A reader behind the live writer: it never hands out what is not yet durable. Opens files, so it allocates; not for the hot path.</summary>
internal sealed class CatchUp : IDisposable
{
    private readonly IStorage _storage;
    private readonly string _directory;
    private JournalReader? _reader;
    private bool _positioned;

    public CatchUp(IStorage storage, string directory)
    {
        _storage = storage;
        _directory = directory;
    }

    /// <summary>First sequence of the current catch-up.</summary>
    public long From { get; private set; }

    /// <summary>Epoch of the record last read.</summary>
    public long Epoch { get; private set; }

    /// <summary>Retention has deleted what is asked for: the standby must be started from a copy of the journal.</summary>
    public bool IsGone { get; private set; }

    public void StartAt(long sequence)
    {
        _reader?.Dispose();
        _reader = JournalReader.Open(_storage, _directory, follow: true);
        _positioned = false;
        IsGone = false;
        From = sequence;
    }

    /// <summary>The next record up to a sequence; false when there is none yet. The message is valid until the next call.</summary>
    public bool TryRead(long limit, out long sequence, out long timestampNanos, out ReadOnlySpan<byte> message)
    {
        sequence = 0;
        timestampNanos = 0;
        message = default;
        if (_reader is null || From > limit)
            return false;
        _reader.Limit = limit;
        if (!_positioned)
        {
            _positioned = _reader.SeekTo(From);
            IsGone = !_positioned;
        }

        if (IsGone || !_reader.TryRead(out JournalRecord record))
            return false;
        sequence = record.Sequence;
        timestampNanos = record.TimestampNanos;
        Epoch = record.Epoch;
        message = record.Message;
        return true;
    }

    /// <summary>
    /// Where the epoch behind the given one began in this journal; null where the journal has no such record. Reads up to a segment: for when a
    /// standby is found.
    /// </summary>
    /// <param name="epoch">The epoch whose end is looked for.</param>
    /// <param name="limit">Last durable sequence.</param>
    /// <param name="isGone">Retention has deleted the place.</param>
    public EpochBoundary? FindBoundary(long epoch, long limit, out bool isGone)
    {
        using JournalReader reader = JournalReader.Open(_storage, _directory, follow: true);
        reader.Limit = limit;
        bool isFound = reader.TryFindEpochAfter(epoch, out long sequence, out bool isKept);
        isGone = !isKept && limit > 0;
        if (isFound)
        {
            reader.SeekTo(sequence);
            Check.That(reader.TryRead(out JournalRecord record));
            return new EpochBoundary(checked((uint)record.Epoch), record.Sequence, record.PreviousChecksum);
        }

        return null;
    }

    public void Dispose() => _reader?.Dispose();
}
