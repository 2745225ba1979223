// A disk of a few megabytes that no one else sees: memory mounted in a namespace of its own, held by a child process. It is gone with that
// process, and that process ends with this one's pipe to it, so nothing is left behind in any case.
using System.Diagnostics;
using NUnit.Framework;

namespace MarginEngine.Tests.ProcessTests;

internal sealed class SmallDisk : IDisposable
{
    private const string MountPoint = "/mnt";
    private readonly Process _holder;

    private SmallDisk(Process holder) => _holder = holder;

    /// <summary>Where every process of this machine that may look into the holder finds the disk.</summary>
    public string Path => $"/proc/{_holder.Id}/root{MountPoint}";

    /// <summary>Skips the test, with the reason, where mounting is not permitted.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        (Process holder, string reason) = Holder.Start("-m", $"mount -t tmpfs -o size={megabytes}m margin {MountPoint}");
        if (reason.Length > 0)
            Assert.Ignore($"no small disk can be mounted here: {reason}");
        return new SmallDisk(holder);
    }

    /// <summary>Somebody else uses up what is free, to the last byte.</summary>
    public void FillUp()
    {
        using var other = new FileStream(System.IO.Path.Combine(Path, "other"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                other.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>The operator makes room.</summary>
    public void Grow(int megabytes)
    {
        using Process remount = Process.Start("nsenter", ["-t", $"{_holder.Id}", "-m", "mount", "-o", $"remount,size={megabytes}m", MountPoint]);
        remount.WaitForExit();
        Assert.That(remount.ExitCode, Is.Zero, "remount");
    }

    public void Dispose() => Holder.End(_holder);
}

/// <summary>A child that keeps namespaces alive until its standard input ends.</summary>
internal static class Holder
{
    /// <param name="namespaces">Options of unshare.</param>
    /// <param name="setUp">A shell command to run in them.</param>
    /// <returns>The holder, or why it could not be set up.</returns>
    public static (Process Holder, string Reason) Start(string namespaces, string setUp)
    {
        var start = new ProcessStartInfo("unshare", [namespaces, "sh", "-c", $"{setUp} && echo ready && exec cat"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process holder = Process.Start(start)!;
        if (holder.StandardOutput.ReadLine() == "ready")
            return (holder, "");
        string reason = holder.StandardError.ReadToEnd().Trim();
        End(holder);
        return (holder, reason.Length > 0 ? reason : "unshare refused without a reason");
    }

    public static void End(Process holder)
    {
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
    }
}
