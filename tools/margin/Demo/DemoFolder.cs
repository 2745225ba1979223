// Where a demo keeps its journals: a temporary folder that goes at the end, or the one the user named.
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Demo;

internal sealed class DemoFolder : IDisposable
{
    private readonly bool _isKept;

    /// <exception cref="CommandFailure">Refused: the named folder has something in it.</exception>
    public DemoFolder(string? keep)
    {
        _isKept = keep is not null;
        if (keep is null)
        {
            Path = Directory.CreateTempSubdirectory("margin-demo-").FullName;
            return;
        }

        Path = System.IO.Path.GetFullPath(keep);
        Directory.CreateDirectory(Path);
        if (Directory.EnumerateFileSystemEntries(Path).Any()) throw CommandFailure.Refused($"--keep: {Path} is not empty");
    }

    public string Path { get; }

    /// <summary>Journals of the node that begins as the primary, and of the other.</summary>
    public string Primary => System.IO.Path.Combine(Path, "primary");

    public string Standby => System.IO.Path.Combine(Path, "standby");

    /// <summary>What the nodes of a failover agree on.</summary>
    public string Lease => System.IO.Path.Combine(Path, "lease");

    public string Published => System.IO.Path.Combine(Path, "published.log");

    public string Latencies => System.IO.Path.Combine(Path, "tick-to-margin.hgrm");

    public void Dispose()
    {
        if (!_isKept) Directory.Delete(Path, recursive: true);
    }
}
