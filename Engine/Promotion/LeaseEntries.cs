// What stands behind LeaseFile: a row of numbered files, of which only the next can be added. No lock: a process that is stopped between any two
// of these steps keeps nobody out.
using System.Globalization;
using System.Runtime.InteropServices;

namespace MarginEngine.Promotion;

/// <summary>One line: the five values, with blanks between.</summary>
/// <param name="Count">Number of the entry, and of its file; 0: nothing was ever written.</param>
internal readonly record struct LeaseEntry(uint Epoch, long Count, long TtlNanos, bool IsHeld, string Holder);

/// <summary>
/// Entry n is the file PATH.n; the greatest n says how it is. Whoever has read n adds n+1 by giving a whole file that name (<c>link(2)</c>,
/// which fails where the name is taken): a comparison and a change in one step.
/// </summary>
/// <param name="path">An absolute path that the numbers are appended to; its directory must exist.</param>
/// <param name="node">Name of who writes here.</param>
internal sealed partial class LeaseEntries(string path, string node)
{
    /// <summary>Old entries are removed late, so that one that a listing has found can nearly always be read.</summary>
    public const int Kept = 16;

    private const int NameTaken = 17;
    private readonly string _directory = Path.GetDirectoryName(path)!;
    private readonly string _prefix = Path.GetFileName(path) + ".";
    private readonly string _preparing = string.Create(CultureInfo.InvariantCulture, $"{path}.{node}.{Environment.ProcessId}.new");

    /// <summary>The newest.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    /// <exception cref="FormatException">The newest file is none of ours.</exception>
    public LeaseEntry Read()
    {
        while (true)
        {
            long newest = Newest();
            if (newest == 0)
                return new LeaseEntry(0, 0, 0, false, "");
            try
            {
                return Parse(Name(newest));
            }
            catch (FileNotFoundException)
            {
                // Removed between the listing and the reading: there are newer ones.
            }
        }
    }

    /// <summary>Adds it, if the one before it is the newest: true. False where others went on.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public bool TryAdd(LeaseEntry next)
    {
        string line = string.Create(CultureInfo.InvariantCulture, $"{next.Epoch} {next.Count} {next.TtlNanos} {(next.IsHeld ? "held" : "free")} {next.Holder}\n");
        // A process killed behind the link below left two names of one entry: written anew, not over.
        File.Delete(_preparing);
        using (FileStream file = new(_preparing, FileMode.CreateNew))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(line));
            file.Flush(flushToDisk: true);
        }

        bool isNamed = Link(_preparing, Name(next.Count)) == 0;
        int error = Marshal.GetLastPInvokeError();
        File.Delete(_preparing);
        if (!isNamed)
            return error == NameTaken ? false : throw new IOException($"{Name(next.Count)}: {Marshal.GetPInvokeErrorMessage(error)}");
        // The name can be free because its entry is long gone: whoever slept that long finds here that others went on.
        bool isNewest = Newest() == next.Count;
        File.Delete(Name(isNewest ? next.Count - Kept : next.Count));
        return isNewest;
    }

    private string Name(long count) => string.Create(CultureInfo.InvariantCulture, $"{path}.{count}");

    private long Newest()
    {
        long newest = 0;
        foreach (string found in Directory.EnumerateFiles(_directory, _prefix + "*"))
        {
            if (long.TryParse(Path.GetFileName(found.AsSpan())[_prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long count))
                newest = Math.Max(newest, count);
        }

        return newest;
    }

    private static LeaseEntry Parse(string name)
    {
        string text = File.ReadAllText(name);
        string[] fields = text.TrimEnd('\n').Split(' ');
        return fields.Length == 5 && uint.TryParse(fields[0], CultureInfo.InvariantCulture, out uint epoch)
            && long.TryParse(fields[1], CultureInfo.InvariantCulture, out long count) && long.TryParse(fields[2], CultureInfo.InvariantCulture, out long ttl)
            ? new LeaseEntry(epoch, count, ttl, fields[3] == "held", fields[4])
            : throw new FormatException($"{name} is no lease: {text}");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string existing, string added);
}
