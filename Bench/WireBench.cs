// The transport between two processes on loopback: round trip and throughput, unicast and multicast, beside bare UDP sockets.
// Program.cs hands its arguments to Run; the second process is this program again with the role of the peer.

using System.Diagnostics;
using System.Globalization;
using MarginEngine.Aeron;
using MarginEngine.Watch;

namespace MarginEngine.Bench;

internal static class WireBench
{
    // A TimeSpan counts in steps of 100 ns, half a round trip through shared memory.
    private static readonly double NanosPerTick = 1e9 / Stopwatch.Frequency;

    private const string Usage =
        "wire round-trip|throughput [--multicast|--ipc|--raw] [--messages N] [--length BYTES] [--threads]   (raw: round-trip only)";

    /// <returns>0 done, 1 wrong arguments, 2 the peer did not answer</returns>
    public static int Run(ReadOnlySpan<string> args, TextWriter? errors = null)
    {
        if (args.Length > 0 && args[0] == "peer")
            return WirePeer.Run(args[1..]);
        if (!WireSetup.TryParse(args, out WireSetup setup))
        {
            (errors ?? Console.Error).WriteLine(Usage);
            return 1;
        }
        Console.WriteLine(
            $"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {setup.Messages:N0} messages of {setup.Length} bytes, "
            + $"{(setup.Raw ? "bare UDP sockets" : setup.Ipc ? "shared memory" : setup.Multicast ? "multicast" : "unicast")}, "
            + $"{(setup.Threads ? "two threads" : "two processes")}, both spinning, a core each");
        int collections = GC.CollectionCount(0);
        bool answered = setup.Throughput ? Throughput(setup, Console.Out) is not null : RoundTrip(setup, Console.Out) is not null;
        if (!answered)
            Console.Error.WriteLine("the peer did not answer");
        Console.WriteLine($"collections in this process while measuring: {GC.CollectionCount(0) - collections}");
        return answered ? 0 : 2;
    }

    /// <summary>Round trips in nanoseconds; null: the peer did not answer.</summary>
    public static LatencyHistogram? RoundTrip(in WireSetup setup, TextWriter output)
    {
        var histogram = new LatencyHistogram();
        using IEcho echo = setup.Raw ? new RawEcho(setup) : setup.Ipc ? new IpcEnd(setup) : new AeronEcho(setup);
        using WirePeer peer = WirePeer.Start(setup, echo);
        if (!echo.TryConnect(TimeSpan.FromSeconds(20)))
            return null;
        int warmUp = Math.Min(setup.Messages, 20_000);
        for (int i = 0; i < warmUp; i++)
            echo.RoundTrip(i);
        for (int i = 0; i < setup.Messages; i++)
        {
            long start = Stopwatch.GetTimestamp();
            echo.RoundTrip(i);
            histogram.Record((long)((Stopwatch.GetTimestamp() - start) * NanosPerTick));
        }
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"round trip us: p50 {Micros(50)}  p99 {Micros(99)}  p99.9 {Micros(99.9)}  max {histogram.MaxNanos / 1e3:F1}"));
        return histogram;

        string Micros(double percentile) =>
            (histogram.ValueAtPercentile(percentile) / 1e3).ToString("F2", CultureInfo.InvariantCulture);
    }

    /// <summary>Messages a second; null: the peer did not answer.</summary>
    public static double? Throughput(in WireSetup setup, TextWriter output)
    {
        using ISource source = setup.Ipc ? new IpcEnd(setup) : new AeronSource(setup);
        using WirePeer peer = WirePeer.Start(setup, source);
        if (!source.TryConnect(TimeSpan.FromSeconds(20)))
            return null;
        source.Send(Math.Min(setup.Messages, 200_000), 0);
        long start = Stopwatch.GetTimestamp();
        source.Send(setup.Messages, Math.Min(setup.Messages, 200_000));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setup.Messages / seconds / 1e6:F2} M messages/s, {setup.Messages * (double)setup.Length / seconds / 1e6:F0} MB/s, ")
            + $"retransmitted datagrams {source.Counters.Retransmits}, NAKs {source.Counters.NaksReceived}");
        return setup.Messages / seconds;
    }
}

/// <summary>What to measure.</summary>
internal readonly record struct WireSetup
{
    public bool Throughput { get; init; }
    public bool Multicast { get; init; }
    public bool Ipc { get; init; }
    public bool Raw { get; init; }
    public bool Threads { get; init; }
    public int Messages { get; init; }
    public int Length { get; init; }

    public static bool TryParse(ReadOnlySpan<string> args, out WireSetup setup)
    {
        setup = default;
        if (args.Length == 0 || args[0] is not ("round-trip" or "throughput"))
            return false;
        bool throughput = args[0] == "throughput";
        setup = new WireSetup { Throughput = throughput, Messages = throughput ? 5_000_000 : 200_000, Length = 64 };
        for (int i = 1; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--multicast":
                    setup = setup with { Multicast = true };
                    break;
                case "--ipc":
                    setup = setup with { Ipc = true };
                    break;
                case "--raw":
                    setup = setup with { Raw = true };
                    break;
                case "--threads":
                    setup = setup with { Threads = true };
                    break;
                case "--messages" when i + 1 < args.Length && int.TryParse(args[i + 1], out int messages) && messages > 0:
                    setup = setup with { Messages = messages };
                    i++;
                    break;
                case "--length" when i + 1 < args.Length && int.TryParse(args[i + 1], out int length) && length is >= 8 and <= 8192:
                    setup = setup with { Length = length };
                    i++;
                    break;
                default:
                    return false;
            }
        }
        return !(setup.Raw && (setup.Throughput || setup.Multicast)) && !(setup.Ipc && (setup.Raw || setup.Multicast));
    }
}

internal sealed class WireClock : INanoClock, IEpochClock
{
    public long EpochMillis => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public long NanoTime() => (long)((Int128)Stopwatch.GetTimestamp() * 1_000_000_000 / Stopwatch.Frequency);
}
