// The path bench: a whole node in this process, driven over loopback sockets from the sources' end to the subscribers' end.
// `path` prints throughput and open-loop latency for a few placements; options choose one.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Bench;

public static class PathBench
{
    /// <param name="Rates">Messages a second of the open-loop runs.</param>
    /// <param name="Seconds">Length of each.</param>
    /// <param name="FloodMessages">Messages of the throughput run.</param>
    public sealed record Settings(IReadOnlyList<long> Rates, double Seconds = 5, long FloodMessages = 200_000)
    {
        public int Accounts { get; init; } = 100;

        /// <summary>Null: merged and paired.</summary>
        public Placement? Placement { get; init; }

        /// <summary>Null: with and without the journal's sync.</summary>
        public bool? Syncs { get; init; }

        /// <summary>Null: both for the paired placement with sync, else ahead.</summary>
        public bool? DeciderWaits { get; init; }

        public bool Standby { get; init; }

        /// <summary>Where to put the journals; null: the current directory's disk.</summary>
        public string? Directory { get; init; }

        /// <summary>Folder for one .hgrm file a run; null: none.</summary>
        public string? Histograms { get; init; }
    }

    public sealed record Line(
        Placement Placement, bool Syncs, bool DeciderWaits, double ThroughputPerSecond, IReadOnlyList<(long Rate, LatencyFigures Answers, LatencyFigures Margins)> Latencies,
        long AllocatedBytes, int Collections);

    /// <summary>Reads the options and runs; 1 for a wrong option, else 0.</summary>
    public static int Command(ReadOnlySpan<string> options, TextWriter output, TextWriter errors)
    {
        var settings = new Settings([1_000, 10_000, 50_000]);
        for (int i = 0; i < options.Length; i++)
        {
            string name = options[i];
            if (name == "--standby")
            {
                settings = settings with { Standby = true };
                continue;
            }

            string value = ++i < options.Length ? options[i] : "";
            if (TryApply(name, value, ref settings))
                continue;
            errors.WriteLine($"path: cannot use {name} {value}");
            errors.WriteLine(
                "path [--rates N,N] [--seconds S] [--flood N] [--accounts N] [--placement merged|paired|dedicated] [--sync on|off]"
                + " [--decider ahead|waits] [--standby] [--directory DIR] [--hgrm DIR]");
            return 1;
        }

        Run(settings, output);
        return 0;
    }

    public static IReadOnlyList<Line> Run(Settings settings, TextWriter output)
    {
        RingBench.WriteMachine(output);
        output.WriteLine(Invariant(
            $"path: {settings.Accounts} accounts, {(settings.Standby ? "with" : "without")} standby; driver, node and subscriber share this machine's processors"));
        output.WriteLine("latency in microseconds from the time a message was due at its source to the decision heard by a subscriber");
        var lines = new List<Line>();
        foreach ((Placement placement, bool syncs, bool waits) in Cases(settings))
        {
            Line line = Measure(settings, placement, syncs, waits);
            lines.Add(line);
            Print(line, output);
        }

        return lines;
    }

    private static bool TryApply(string name, string value, ref Settings settings)
    {
        bool isNumber = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number > 0;
        switch (name)
        {
            case "--rates":
                long[] rates = [.. value.Split(',').Select(word => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long rate) ? rate : 0)];
                settings = settings with { Rates = rates };
                return rates.All(rate => rate > 0);
            case "--seconds" when isNumber: settings = settings with { Seconds = number }; return true;
            case "--flood" when isNumber: settings = settings with { FloodMessages = (long)number }; return true;
            case "--accounts" when isNumber && number <= 10_000: settings = settings with { Accounts = (int)number }; return true;
            case "--placement" when Enum.TryParse(value, ignoreCase: true, out Placement placement): settings = settings with { Placement = placement }; return true;
            case "--sync" when value is "on" or "off": settings = settings with { Syncs = value == "on" }; return true;
            case "--decider" when value is "ahead" or "waits": settings = settings with { DeciderWaits = value == "waits" }; return true;
            case "--directory" when Directory.Exists(value): settings = settings with { Directory = value }; return true;
            case "--hgrm" when Directory.Exists(value): settings = settings with { Histograms = value }; return true;
            default: return false;
        }
    }

    private static IEnumerable<(Placement Placement, bool Syncs, bool Waits)> Cases(Settings settings)
    {
        Placement[] placements = settings.Placement is { } chosen ? [chosen] : [Placement.Merged, Placement.Paired];
        bool[] syncs = settings.Syncs is { } synced ? [synced] : [true, false];
        foreach (Placement placement in placements)
        {
            foreach (bool sync in syncs)
            {
                if (settings.DeciderWaits is not { } waits)
                {
                    yield return (placement, sync, false);
                    if (sync && placement == Placement.Paired)
                        yield return (placement, sync, true);
                }
                else
                {
                    yield return (placement, sync, waits);
                }
            }
        }
    }

    private static Line Measure(Settings settings, Placement placement, bool syncs, bool waits)
    {
        string directory = Path.Combine(settings.Directory ?? Environment.CurrentDirectory, $"path-bench-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        try
        {
            NodeOptions primary = Options(Path.Combine(directory, "primary"), placement, syncs, waits, settings);
            using Node? standby = settings.Standby ? StartStandby(primary, directory) : null;
            using var node = new Node(primary);
            node.Start();
            using var driver = new PathDriver(primary, new PathScript(), settings.Accounts);
            driver.Connect();
            driver.Open(node);
            driver.Flood(node, settings.FloodMessages / 4); // compiles the hot loops
            long bytes = GC.GetTotalAllocatedBytes(precise: true);
            int collections = GC.CollectionCount(0);
            long nanos = driver.Flood(node, settings.FloodMessages);
            bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
            collections = GC.CollectionCount(0) - collections;
            var latencies = new List<(long, LatencyFigures, LatencyFigures)>();
            foreach (long rate in settings.Rates)
            {
                driver.Drive(node, rate, settings.Seconds);
                latencies.Add((rate, LatencyFigures.Of(driver.Answers), LatencyFigures.Of(driver.Margins)));
                Save(settings, placement, syncs, waits, rate, driver.Answers);
            }

            return new Line(placement, syncs, waits, settings.FloodMessages * 1e9 / nanos, latencies, bytes, collections);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static NodeOptions Options(string journal, Placement placement, bool syncs, bool waits, Settings settings) => new()
    {
        Input = new StreamOptions { Channel = FreeChannel(), Stream = 10 },
        Output = new OutputOptions { Channel = FreeChannel() },
        Replication = settings.Standby ? new StreamOptions { Channel = FreeChannel(), Stream = 30 } : null,
        Acks = settings.Standby ? new StreamOptions { Channel = FreeChannel(), Stream = 31 } : null,
        Gate = settings.Standby ? Gate.Both : Gate.Journal,
        Journal = new JournalOptions
        {
            Directory = journal,
            SyncMode = syncs ? SyncMode.DirectSync : SyncMode.NoneLosesDataOnPowerCut,
            ReserveBytes = 0,
        },
        Placement = placement,
        DeciderWaitsForJournal = waits,
    };

    private static Node StartStandby(NodeOptions primary, string directory)
    {
        var standby = new Node(primary with
        {
            Role = NodeRole.Standby,
            Gate = Gate.Journal,
            Journal = primary.Journal with { Directory = Path.Combine(directory, "standby") },
        });
        standby.Start();
        return standby;
    }

    private static string FreeChannel()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return $"aeron:udp?endpoint=127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}";
    }

    private static void Save(Settings settings, Placement placement, bool syncs, bool waits, long rate, LatencyHistogram histogram)
    {
        if (settings.Histograms is not { } folder)
            return;
        string name = Invariant($"path-{placement}-{(syncs ? "sync" : "nosync")}-{(waits ? "waits" : "ahead")}-{rate}.hgrm");
        using var writer = new StreamWriter(Path.Combine(folder, name.ToLowerInvariant()));
        HgrmWriter.Write(histogram, writer);
    }

    private static void Print(Line line, TextWriter output)
    {
        string decider = line.DeciderWaits ? "waits for the disk" : "ahead of the disk";
        output.WriteLine(Invariant($"{line.Placement}, sync {(line.Syncs ? "on" : "off")}, decider {decider}:"));
        output.WriteLine(Invariant($"  {line.ThroughputPerSecond:N0} messages/s; {line.AllocatedBytes} bytes allocated, {line.Collections} collections"));
        foreach ((long rate, LatencyFigures answers, LatencyFigures margins) in line.Latencies)
        {
            output.WriteLine(Invariant($"  {rate,8:N0}/s  answers {Figures(answers)}"));
            output.WriteLine(Invariant($"              margins {Figures(margins)}"));
        }
    }

    private static string Figures(LatencyFigures f) => Invariant(
        $"n {f.Count,8:N0}  p50 {f.P50 / 1e3,9:F1}  p99 {f.P99 / 1e3,9:F1}  p99.9 {f.P999 / 1e3,9:F1}  max {f.Max / 1e3,9:F1}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
