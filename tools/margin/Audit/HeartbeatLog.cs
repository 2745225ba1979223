// The digests of a running node's heartbeats, a text line each, beside its journal: `margin replay --verify` compares with them.
// Written by `margin run` from a cold thread; only heartbeats whose input is on disk are noted, so that a crash leaves no orphan.
using System.Globalization;
using System.Text;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Audit;

/// <summary>State and decisions of the whole engine at a sequence.</summary>
internal readonly record struct HeartbeatEntry(long Sequence, ulong State, ulong Decisions)
{
    public string Digests => $"state 0x{State:x16} decisions 0x{Decisions:x16}";
}

internal static class HeartbeatLog
{
    public const string FileName = "heartbeats.log";

    public static string PathIn(string journal) => Path.Combine(journal, FileName);

    /// <summary>Null where there is no such file. A last line without its end is the trace of a crash and is left out.</summary>
    /// <exception cref="InvalidDataException">A line is no heartbeat.</exception>
    public static List<HeartbeatEntry>? Read(string journal)
    {
        string path = PathIn(journal);
        if (!File.Exists(path)) return null;
        string text = File.ReadAllText(path);
        List<HeartbeatEntry> entries = [];
        int end = text.LastIndexOf('\n');
        foreach (string line in text[..(end + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split(' ');
            if (fields.Length != 3 || !long.TryParse(fields[0], CultureInfo.InvariantCulture, out long sequence)
                || !TryDigest(fields[1], out ulong state) || !TryDigest(fields[2], out ulong decisions))
                throw new InvalidDataException($"{path}: not a heartbeat: {line}");
            // A restarted node replays and notes again what it noted before.
            if (entries.Count == 0 || entries[^1].Sequence < sequence) entries.Add(new HeartbeatEntry(sequence, state, decisions));
            else if (!entries.Contains(new HeartbeatEntry(sequence, state, decisions)))
                throw new InvalidDataException($"{path}: heartbeat {sequence} stands there twice with different digests");
        }

        return entries;
    }

    /// <summary>Forgets heartbeats from a sequence on: the records are about to be cut from the journal. Crash-safe, because fewer notes are never wrong.</summary>
    public static void CutFrom(string journal, long sequence)
    {
        List<HeartbeatEntry>? entries = Read(journal);
        if (entries is null) return;
        string preparing = PathIn(journal) + ".preparing";
        File.WriteAllLines(preparing, entries.Where(entry => entry.Sequence < sequence).Select(Line));
        File.Move(preparing, PathIn(journal), overwrite: true);
    }

    public static string Line(HeartbeatEntry entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Sequence} {entry.State:x16} {entry.Decisions:x16}");

    private static bool TryDigest(string text, out ulong digest) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out digest);
}

/// <summary>Appends heartbeats as they become durable. Where the disk has no room they wait: this log is no reason to end a node. One thread.</summary>
internal sealed class HeartbeatLogWriter(string journal) : IDisposable
{
    private readonly FileStream _file = new(HeartbeatLog.PathIn(journal), FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    private readonly Queue<HeartbeatDigest> _waiting = [];
    private long _newest;

    /// <param name="newest">The node's newest heartbeat.</param>
    /// <param name="durable">Last sequence on disk.</param>
    public void Note(HeartbeatDigest? newest, long durable)
    {
        if (newest is HeartbeatDigest heartbeat && heartbeat.Sequence > _newest)
        {
            _newest = heartbeat.Sequence;
            _waiting.Enqueue(heartbeat);
        }

        while (_waiting.TryPeek(out HeartbeatDigest waiting) && waiting.Sequence <= durable
            && TryAppend(HeartbeatLog.Line(new HeartbeatEntry(waiting.Sequence, waiting.State, waiting.Decisions))))
            _waiting.Dequeue();
    }

    private bool TryAppend(string line)
    {
        long whole = _file.Position;
        try
        {
            _file.Write(Encoding.ASCII.GetBytes(line + "\n"));
            return true;
        }
        catch (IOException)
        {
            // Half a line must not stand before the next one; a disk that is full can always take a file's end away.
            _file.SetLength(whole);
            _file.Position = whole;
            return false;
        }
    }

    public void Dispose() => _file.Dispose();
}
