// The bench program as a second process of a test: a client or a driver of a directory. It ends with the test, however that ends.

using System.Diagnostics;
using MarginEngine.Bench;

namespace MarginEngine.Tests.AeronTests;

internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    /// <param name="role">a role of <see cref="WirePeer"/></param>
    /// <param name="directory">the Aeron directory</param>
    public ChildProcess(string role, string directory)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // The test host is `dotnet`, or a copy of it that starts nothing else.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) != "dotnet")
            start.FileName = "dotnet";
        foreach (string argument in (string[])[typeof(WirePeer).Assembly.Location, "wire", "peer", role, directory, "64"])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
    }

    public bool HasEnded => _process.HasExited;

    /// <summary>What it has said about why it ended.</summary>
    public string Errors => _process.HasExited ? _process.StandardError.ReadToEnd() : "it runs";

    /// <summary>Returns when it has said that it is in place.</summary>
    public void AwaitReady() => _ = _process.StandardOutput.ReadLine();

    /// <summary>SIGKILL: it cannot say goodbye.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }
}
