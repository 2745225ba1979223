// A directory in shared memory, removed with all that is in it when the test ends, however it ends.

namespace MarginEngine.Tests.AeronTests;

internal sealed class TemporaryDirectory : IDisposable
{
    private static int Made;

    public TemporaryDirectory()
    {
        string root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        Root = Path.Combine(root, $"margin-aeron-{Environment.ProcessId}-{Interlocked.Increment(ref Made)}");
        Directory.CreateDirectory(Root);
    }

    private string Root { get; }

    /// <summary>A path in it, where nothing is yet.</summary>
    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
