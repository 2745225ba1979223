// A journal opened for audit: by verify, inspect, replay and the end of the demo. Says clearly where there is none.
using MarginEngine.Journal;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Audit;

/// <summary>Reads records forward and tells how far it is; damage and refusal come as the journal's own exceptions.</summary>
internal sealed class JournalInput : IDisposable
{
    private readonly JournalReader _reader;
    private readonly long _firstSegment;
    private readonly int _segments;
    private readonly long _segmentBytes;

    /// <param name="directory">Where the journal is kept.</param>
    /// <param name="identity">Where given, a journal of another schema or arithmetic is refused.</param>
    /// <param name="follow">A node may be writing it: its end is not proved.</param>
    /// <exception cref="CommandFailure">Unreachable: there is no journal.</exception>
    public JournalInput(string directory, JournalIdentity? identity, bool follow = false)
    {
        if (!Directory.Exists(directory)) throw CommandFailure.Unreachable($"no directory {directory}");
        string[] segments = Directory.GetFiles(directory, "*.segment");
        if (segments.Length == 0) throw CommandFailure.Unreachable($"no journal in {directory}: it has no .segment file");
        Array.Sort(segments, StringComparer.Ordinal);
        _segments = segments.Length;
        _segmentBytes = Math.Max(1, new FileInfo(segments[0]).Length);
        _ = long.TryParse(Path.GetFileNameWithoutExtension(segments[0]), out _firstSegment);
        Bytes = segments.Sum(segment => new FileInfo(segment).Length);
        _reader = JournalReader.Open(new Storage(), directory, identity, follow);
    }

    /// <summary>Size of all segment files, the empty end of the last included.</summary>
    public long Bytes { get; }

    public int Segments => _segments;

    /// <summary>Bytes of history read so far, group headers and padding included.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Part of the files read, 0 to 1.</summary>
    public double Part => (double)BytesRead / Math.Max(1, Bytes);

    public JournalIdentity? Identity => _reader.Identity;

    /// <summary>Where the history ends; known once <see cref="TryRead"/> was false.</summary>
    public JournalTail Tail => _reader.Tail;

    /// <summary>The next record; valid until the next call.</summary>
    public bool TryRead(out JournalRecord record)
    {
        if (!_reader.TryRead(out record)) return false;
        BytesRead = (record.Segment - _firstSegment) * _segmentBytes + record.Offset + record.Message.Length;
        return true;
    }

    /// <summary>Moves so that the next record is this one; false where the journal does not hold it.</summary>
    public bool SeekTo(long sequence) => _reader.SeekTo(sequence);

    public void Dispose() => _reader.Dispose();
}
