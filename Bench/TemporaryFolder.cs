using System.Runtime.InteropServices;

namespace MarginEngine.Bench;

/// <summary>A folder of a bench's own, gone with everything in it when the bench ends, also by SIGTERM or Ctrl-C.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    /// <param name="parent">On the disk to measure; null: the system's folder for such things.</param>
    public TemporaryFolder(string? parent, string prefix)
    {
        Path = System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), $"{prefix}{Environment.ProcessId}");
        Directory.CreateDirectory(Path);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Remove);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Remove);
    }

    public string Path { get; }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        Remove(null);
    }

    private void Remove(PosixSignalContext? signal)
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
