using System.Globalization;

namespace MarginEngine.Journal;

/// <summary>
/// The snapshots of a directory, named by their sequences; usually that of the journal they belong to. One process at a time writes there: it holds
/// <c>snapshot.lock</c>, so what it finds under the name of an unfinished one is left from a crash.
/// </summary>
public static class SnapshotFolder
{
    const string Suffix = ".snapshot";
    const string WritingSuffix = ".snapshot-writing";
    const string LockName = "snapshot.lock";

    public static string PathOf(string directory, long sequence) => Path.Combine(directory, Name(sequence, Suffix));

    /// <summary>Sequences of the snapshots, oldest first. Whether they can be used is not looked at.</summary>
    public static List<long> List(IStorage storage, string directory)
    {
        var sequences = new List<long>();
        foreach (string name in storage.List(directory))
        {
            if (name.EndsWith(Suffix, StringComparison.Ordinal)
                && long.TryParse(name.AsSpan(0, name.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long sequence)
                && name == Name(sequence, Suffix))
                sequences.Add(sequence);
        }
        sequences.Sort();
        return sequences;
    }

    /// <summary>
    /// Writes a snapshot, reads it back from the disk, and only then deletes older ones than the newest <paramref name="keep"/> (0: none). Where there is
    /// a whole one of that sequence it stays. After a crash at any point the directory holds the snapshots of before or of after.
    /// </summary>
    /// <exception cref="StorageException">The disk refused; what was there before is still there.</exception>
    /// <exception cref="JournalLockedException">Another process is writing a snapshot here.</exception>
    public static SnapshotHeader Write(IStorage storage, string directory, in SnapshotHeader header, ISnapshotContent content, int keep)
    {
        storage.CreateDirectory(directory);
        using IDisposable held = storage.Lock(Path.Combine(directory, LockName));
        foreach (string name in storage.List(directory))
        {
            if (name.EndsWith(WritingSuffix, StringComparison.Ordinal))
                storage.Delete(Path.Combine(directory, name));
        }
        string path = PathOf(directory, header.Sequence);
        if (!IsWhole(storage, directory, header.Sequence))
        {
            string writing = Path.Combine(directory, Name(header.Sequence, WritingSuffix));
            _ = SnapshotFile.Write(storage, writing, header, content);
            storage.Rename(writing, path);
            storage.SyncDirectory(directory);
        }
        SnapshotHeader written = SnapshotFile.Read(storage, path, target: null);
        if (keep > 0)
            Retain(storage, directory, keep);
        return written;
    }

    static bool IsWhole(IStorage storage, string directory, long sequence)
    {
        if (!List(storage, directory).Contains(sequence))
            return false;
        try
        {
            _ = SnapshotFile.Read(storage, PathOf(directory, sequence), target: null);
            return true;
        }
        catch (SnapshotUnusableException)
        {
            return false;
        }
    }

    // Oldest first, one after the other, also after a power cut.
    static void Retain(IStorage storage, string directory, int keep)
    {
        List<long> sequences = List(storage, directory);
        for (int index = 0; index < sequences.Count - keep; index++)
        {
            storage.Delete(PathOf(directory, sequences[index]));
            storage.SyncDirectory(directory);
        }
    }

    static string Name(long sequence, string suffix) => sequence.ToString("D16", CultureInfo.InvariantCulture) + suffix;
}
