// A journal so small that everything that can be done to it can be tried: two used segments and a prepared one, four groups and what
// may stand behind them. Also the read-only disk it is tried on, and the judge of what came out.
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>How the small journal ended.</summary>
public enum Ending
{
    /// <summary>Closed in order: a seal stands behind the last group.</summary>
    Sealed,

    /// <summary>The process died after its last commit.</summary>
    Crashed,

    /// <summary>The process died in a commit, which lacks a sector.</summary>
    Torn,
}

/// <summary>Bytes of a journal's files, changed in place and read by the journal's own readers. It cannot be written through them.</summary>
internal sealed class ReadOnlyDisk : IStorage
{
    private readonly Dictionary<string, byte[]> _files;
    private readonly string[] _names;

    public ReadOnlyDisk(IEnumerable<(string Path, byte[] Bytes)> files)
    {
        _files = files.ToDictionary(file => file.Path, file => file.Bytes);
        _names = [.. _files.Keys.Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
    }

    public byte[] this[string path]
    {
        get => _files[path];
        set => _files[path] = value;
    }

    public string[] List(string directory) => _names;

    public IStorageFile OpenToRead(string path) => new File(_files[path]);

    public void CreateDirectory(string directory) => throw Refused();

    public IDisposable Lock(string path) => throw Refused();

    public IStorageFile OpenToWrite(string path, SyncMode mode) => throw Refused();

    public IStorageFile Create(string path, long bytes) => throw Refused();

    public void Rename(string from, string to) => throw Refused();

    public void Delete(string path) => throw Refused();

    public void SyncDirectory(string directory) => throw Refused();

    public long FreeBytes(string directory) => throw Refused();

    public SyncMode Supported(string directory, SyncMode wanted) => throw Refused();

    private static InvalidOperationException Refused() => new("reading changes nothing");

    private sealed class File(byte[] bytes) : IStorageFile
    {
        public long Length => bytes.Length;

        public int Read(long offset, Span<byte> target)
        {
            int count = (int)Math.Clamp(bytes.Length - offset, 0, target.Length);
            if (count > 0)
                bytes.AsSpan((int)offset, count).CopyTo(target);
            return count;
        }

        public void Write(long offset, ReadOnlySpan<byte> source) => throw Refused();

        public void Sync() => throw Refused();

        public void DropCache() => throw Refused();

        public void Dispose()
        {
        }
    }
}

/// <summary>One thing on the disk that is written whole: a segment's header or a group. Records is 0 for a header, a seal and a torn group.</summary>
/// <param name="Start">Place in the whole journal, the segments laid one behind the other.</param>
/// <param name="End">Place behind it.</param>
/// <param name="Next">Sequence that is expected at its start.</param>
/// <param name="Records">Records in it that were reported durable.</param>
internal sealed record Piece(int Start, int End, long Next, int Records);

/// <summary>The bytes, what they mean, and what a reader may make of them.</summary>
internal sealed class SmallJournal
{
    public const string Folder = "/journal";
    public const int SegmentBytes = 4 * Format.BlockBytes;
    public const int Segments = 3;
    public const int Bytes = Segments * SegmentBytes;

    public static readonly JournalOptions Options = TestJournals.SmallOptions(Folder) with { SegmentBytes = SegmentBytes, BatchBytes = 2 * Format.BlockBytes };

    private readonly List<byte[]> _messages = [];
    private readonly List<Piece> _pieces = [];

    public SmallJournal(Ending ending)
    {
        var disk = new FaultyStorage();
        JournalWriter writer = JournalWriter.Open(Options, TestJournals.Identity, disk);
        var random = new Random(17);
        Commit(writer, random, 300, 1700);              // one block: most of its sectors
        Commit(writer, random, 2500, 0, -2000, 1200);   // two blocks, the third message zeros: sectors that were never anything else
        writer.PrepareNext();
        Commit(writer, random, 900, 40);
        Commit(writer, random, 1500, 700, 3);
        writer.PrepareNext();
        Disk = disk.Copy();
        if (ending == Ending.Sealed)
        {
            writer.Dispose();
            Disk = disk.Copy();
        }
        else if (ending == Ending.Torn)
        {
            int durable = _messages.Count;
            Commit(writer, random, 2000, 600);
            _messages.RemoveRange(durable, _messages.Count - durable);
            _pieces[^1] = _pieces[^1] with { Records = 0 };
            Disk = disk.Copy();
            Disk.Damage(Paths[1], bytes =>
            {
                bytes.AsSpan(3 * Format.BlockBytes + 2 * Format.SectorBytes, Format.SectorBytes).Clear();
                return bytes;
            });
        }

        Ending = ending;
        Whole = [.. Paths.SelectMany(Disk.BytesOf)];
        Assert.That(Whole, Has.Length.EqualTo(Bytes));
        Assert.That(_pieces.Select(piece => piece.Start), Is.EqualTo(new[] { 0, 4096, 8192, 16384, 20480, 24576 }.Concat(ending == Ending.Torn ? [28672] : [])));
        int end = 28672;
        if (ending != Ending.Torn)
            _pieces.Add(new Piece(end, end + Format.BlockBytes, Count + 1, 0));
        _pieces.Add(new Piece(2 * SegmentBytes, Bytes, Count + 1, 0));
        LastGroup = _pieces.Last(piece => piece.Records > 0);
    }

    public Ending Ending { get; }

    public FaultyStorage Disk { get; }

    /// <summary>All files, one behind the other.</summary>
    public byte[] Whole { get; }

    /// <summary>Records that were reported durable.</summary>
    public int Count => _messages.Count;

    public Piece LastGroup { get; }

    public static string[] Paths { get; } = [.. Enumerable.Range(0, Segments).Select(number => $"{Folder}/{SegmentNames.Segment(number)}")];

    public ReadOnlySpan<byte> Message(long sequence) => _messages[(int)sequence - 1];

    /// <summary>What stands at a place of the whole journal.</summary>
    public Piece PieceAt(int place) => _pieces.Last(piece => piece.Start <= place);

    /// <summary>Records of the groups whose bytes all stand before a place: what is durable when the writer got so far.</summary>
    public int RecordsBefore(int place, byte[] bytes) => _pieces.TakeWhile(piece => piece.End <= place || IsAsWritten(piece, bytes)).Sum(piece => piece.Records);

    public bool IsAsWritten(Piece piece, byte[] bytes) => bytes.AsSpan(piece.Start, piece.End - piece.Start).SequenceEqual(Whole.AsSpan(piece.Start, piece.End - piece.Start));

    private void Commit(JournalWriter writer, Random random, params int[] messages)
    {
        long next = writer.LastSequence + 1;
        foreach (int length in messages)
        {
            byte[] message = new byte[Math.Abs(length)];
            if (length > 0)
                random.NextBytes(message);
            _messages.Add(message);
            Assert.That(writer.TryAppend(1, 1, writer.LastSequence + 1, _messages.Count, message), Is.True);
        }

        long written = writer.BytesWritten;
        writer.Commit();
        int bytes = (int)(writer.BytesWritten - written);
        int start = _pieces.Count == 0 ? 0 : _pieces[^1].End;
        bool isFirst = start % SegmentBytes == 0;
        if (isFirst)
            _pieces.Add(new Piece(start, start + Format.BlockBytes, next, 0));
        _pieces.Add(new Piece(start + (isFirst ? Format.BlockBytes : 0), start + bytes, next, messages.Length));
    }
}
