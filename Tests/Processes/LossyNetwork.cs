// A loopback interface that loses datagrams, in a network namespace of its own: the calling thread steps into it, and sockets opened and
// processes started meanwhile stay there. Loss is the kernel's: netem where it has that, else a short queue in front of a slow link.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace MarginEngine.Tests.ProcessTests;

internal sealed partial class LossyNetwork : IDisposable
{
    private const int ReadOnly = 0;
    private const int NetworkNamespace = 0x4000_0000;
    private static readonly string[] Losses =
    [
        "netem loss 5% delay 200us 100us reorder 5% duplicate 1%",
        "tbf rate 100mbit burst 8k limit 12k",
    ];

    private readonly Process _holder;
    private readonly int _own;

    private LossyNetwork(Process holder, string loss)
    {
        _holder = holder;
        Loss = loss;
        _own = open("/proc/thread-self/ns/net", ReadOnly);
        int other = open($"/proc/{holder.Id}/ns/net", ReadOnly);
        int result = setns(other, NetworkNamespace);
        _ = close(other);
        Assert.That(result, Is.Zero, $"setns: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>What tc was told.</summary>
    public string Loss { get; }

    /// <summary>Datagrams that the kernel has thrown away so far.</summary>
    public long Dropped => long.Parse(DroppedPattern().Match(Shell("tc", "-s", "qdisc", "show", "dev", "lo")).Groups[1].Value);

    /// <summary>Steps into a lossy network; skips the test, with the reasons, where that is not permitted or the kernel has no such queue.</summary>
    public static LossyNetwork Enter()
    {
        List<string> reasons = [];
        foreach (string loss in Losses)
        {
            (Process holder, string reason) = Holder.Start("-n", $"ip link set lo up && tc qdisc add dev lo root {loss}");
            if (reason.Length == 0)
                return new LossyNetwork(holder, loss);
            reasons.Add($"{loss}: {reason}");
        }

        Assert.Ignore($"no lossy network here: {string.Join("; ", reasons)}");
        throw new InvalidOperationException();
    }

    public void Dispose()
    {
        int result = setns(_own, NetworkNamespace);
        _ = close(_own);
        Holder.End(_holder);
        // A thread that stays in there would take other tests with it.
        if (result != 0)
            Environment.FailFast("the test's thread cannot leave its network namespace");
    }

    private static string Shell(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text;
    }

    [GeneratedRegex(@"dropped (\d+)")]
    private static partial Regex DroppedPattern();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int descriptor, int kind);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
