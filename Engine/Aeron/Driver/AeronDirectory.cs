// The directory of a driver: claimed at its start, emptied of a dead driver's files, removed at its end. Only files whose names an Aeron
// driver gives are ever deleted.

namespace MarginEngine.Aeron;

internal sealed class AeronDirectory : IDisposable
{
    private const string LockName = "driver.lock";
    private const string PublicationsName = "publications";
    private const string ImagesName = "images";
    private const long HeartbeatFreshMillis = 10_000;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    /// <exception cref="IOException">a live driver serves it, or it cannot be made</exception>
    public AeronDirectory(string path, long nowMillis)
    {
        Path = path;
        Make(path);
        // Held for life and let go by the system when the process dies: tells our own drivers apart without any waiting.
        try
        {
            _lock = new FileStream(InPath(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new IOException($"{path} is served by a live driver", error);
        }
        try
        {
            if (IsAlive(nowMillis))
                throw new IOException($"{path} is served by a live driver");
            Empty();
            Make(InPath(PublicationsName));
            Make(InPath(ImagesName));
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public string PublicationFile(long id) => FormattableString.Invariant($"{Path}/{PublicationsName}/{id}.logbuffer");

    public string ImageFile(long id) => FormattableString.Invariant($"{Path}/{ImagesName}/{id}.logbuffer");

    public void Dispose()
    {
        Empty();
        foreach (string name in (string[])[PublicationsName, ImagesName])
            RemoveIfEmpty(InPath(name));
        _ = MappedFile.TryDelete(InPath(LockName));
        _lock.Dispose();
        RemoveIfEmpty(Path);
    }

    private string InPath(string name) => System.IO.Path.Combine(Path, name);

    private static void Make(string path)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("an Aeron directory needs Linux");
        Directory.CreateDirectory(path, OwnerOnly);
        File.SetUnixFileMode(path, OwnerOnly);
    }

    /// <summary>
    /// A heartbeat says that a driver lived ten seconds ago; its process id says whether it still does. A driver in another process
    /// namespace cannot be seen that way and is protected by its lock if it is one of ours.
    /// </summary>
    private bool IsAlive(long nowMillis)
    {
        try
        {
            using CncFile found = CncFile.Open(Path);
            long heartbeat = found.ToDriver().ConsumerHeartbeat;
            return heartbeat > 0 && nowMillis - heartbeat < HeartbeatFreshMillis && Directory.Exists($"/proc/{found.ProcessId}");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Empty()
    {
        foreach (string name in (string[])[CncFile.FileName, "loss-report.dat"])
            _ = MappedFile.TryDelete(InPath(name));
        foreach (string name in (string[])[PublicationsName, ImagesName])
        {
            if (!Directory.Exists(InPath(name)))
                continue;
            foreach (string log in Directory.EnumerateFiles(InPath(name), "*.logbuffer"))
                _ = MappedFile.TryDelete(log);
        }
    }

    private static void RemoveIfEmpty(string path)
    {
        if (Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            Directory.Delete(path);
    }
}
