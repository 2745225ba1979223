// The path bench: a whole node in this process, driven over loopback sockets from the market's end to the subscribers' end. Open loop: what a tick decides
// is timed from when the tick was due. `path` prints throughput and latency for a few placements; options choose rates, accounts and settings.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Bench;

public static class PathBench
{
    /// <summary>Reads the options and runs; 1 for a wrong option, else 0.</summary>
    public static int Command(ReadOnlySpan<string> options, TextWriter output, TextWriter errors)
    {
        var settings = new PathSettings([1_000, 10_000, 100_000, 1_000_000]);
        for (int i = 0; i < options.Length; i++)
        {
            string name = options[i];
            if (name == "--standby")
            {
                settings = settings with { Standby = true };
                continue;
            }

            string value = ++i < options.Length ? options[i] : "";
            if (PathSettings.TryApply(name, value, ref settings))
                continue;
            errors.WriteLine($"path: cannot use {name} {value}");
            errors.WriteLine(PathSettings.Usage);
            return 1;
        }

        IReadOnlyList<PathLine> lines = Run(settings, output);
        if (settings.Results is { } file)
        {
            List<ReportSection> sections = ReportData.Read(file);
            ReportCommand.Put(sections, ReportSections.OfPath(lines, $"dotnet run -c Release --project Bench -- path {string.Join(" ", options.ToArray())}"));
            ReportData.Write(file, sections);
        }

        return 0;
    }

    public static IReadOnlyList<PathLine> Run(PathSettings settings, TextWriter output)
    {
        RingBench.WriteMachine(output);
        output.WriteLine(Invariant(
            $"path: {settings.Positions} positions an account, {PathScript.Pins} accounts pinned, {PathMarket.Parts} messages a tick and a check with every tenth, ")
            + Invariant($"{(settings.Standby ? "with" : "without")} standby, spin {settings.SpinMicros?.ToString() ?? "default"} us, refresh {settings.RefreshMilliseconds?.ToString() ?? "as shipped"} ms; ")
            + "driver, node and subscriber share this machine's processors");
        output.WriteLine("latency in microseconds from the time a tick was due at its source to the decision heard by a subscriber");
        var lines = new List<PathLine>();
        foreach (int accounts in settings.Accounts)
        {
            foreach ((Placement placement, bool syncs, bool waits) in Cases(settings))
                lines.Add(Measure(settings, accounts, placement, syncs, waits, output));
        }

        return lines;
    }

    private static IEnumerable<(Placement Placement, bool Syncs, bool Waits)> Cases(PathSettings settings)
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

    private static PathLine Measure(PathSettings settings, int accounts, Placement placement, bool syncs, bool waits, TextWriter output)
    {
        using var folder = new TemporaryFolder(settings.Directory, "path-bench-");
        long wallNanos = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        var script = new PathScript(new PathMarket(settings.RefreshMilliseconds, wallNanos), accounts, settings.Positions);
        NodeOptions primary = Options(Path.Combine(folder.Path, "primary"), placement, syncs, waits, settings, script);
        using Node? standby = settings.Standby ? StartStandby(primary, folder.Path) : null;
        using var node = new Node(primary);
        node.Start();
        using var driver = new PathDriver(primary, script, node);
        driver.Connect();
        long start = Stopwatch.GetTimestamp();
        driver.Open();
        double load = Stopwatch.GetElapsedTime(start).TotalSeconds;
        driver.Flood(settings.FloodTicks / 4); // compiles the hot loops
        long nanos = driver.Flood(settings.FloodTicks);
        double fastest = settings.FloodTicks * 1e9 / nanos;
        output.WriteLine(Invariant($"{accounts:N0} accounts, {placement}, sync {(syncs ? "on" : "off")}, decider {(waits ? "waits for" : "ahead of")} the disk: loaded in {load:F1} s"));
        output.WriteLine(Invariant($"  at most {fastest:N0} ticks/s, {fastest * PathMarket.Parts:N0} messages/s"));
        var runs = new List<PathRun>();
        foreach (long rate in settings.Rates)
        {
            PathRun run = Drive(driver, rate, settings.Seconds);
            runs.Add(run);
            Print(run, output);
            Save(settings, Invariant($"path-{accounts}-{placement}-{(syncs ? "sync" : "nosync")}-{(waits ? "waits" : "ahead")}-{rate}"), driver);
            if (!run.IsKept)
                break; // what is faster is not kept either
        }

        return new PathLine(placement, syncs, waits, accounts, load, fastest, runs);
    }

    private static PathRun Drive(PathDriver driver, long rate, double seconds)
    {
        var load = new OtherLoad();
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        int collections = GC.CollectionCount(0);
        (double sustained, bool isKept) = driver.Drive(rate, seconds);
        collections = GC.CollectionCount(0) - collections;
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        double? others = load.Processors;
        using Process self = Process.GetCurrentProcess();
        return new PathRun(
            rate, sustained, isKept, LatencyFigures.Of(driver.Liquidations), LatencyFigures.Of(driver.Calls), LatencyFigures.Of(driver.Answers),
            LatencyFigures.Of(driver.Margins), bytes, collections, self.WorkingSet64, others);
    }

    private static NodeOptions Options(string journal, Placement placement, bool syncs, bool waits, PathSettings settings, PathScript script)
    {
        var options = new NodeOptions
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
            Limits = script.Capacities,
            Placement = placement,
            DeciderWaitsForJournal = waits,
        };
        options.ConflatedAccounts = Math.Max(options.ConflatedAccounts, script.Capacities.Accounts);
        options.IdleSpinMicros = settings.SpinMicros ?? options.IdleSpinMicros;
        return options;
    }

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

    private static void Save(PathSettings settings, string name, PathDriver driver)
    {
        if (settings.Histograms is not { } folder)
            return;
        foreach ((string what, LatencyHistogram histogram) in new[] { ("liquidations", driver.Liquidations), ("answers", driver.Answers) })
        {
            using var writer = new StreamWriter(Path.Combine(folder, $"{name}-{what}.hgrm".ToLowerInvariant()));
            HgrmWriter.Write(histogram, writer);
        }
    }

    private static void Print(PathRun run, TextWriter output)
    {
        string kept = run.IsKept ? "" : Invariant($" NOT KEPT: {run.TicksPerSecond:N0}/s sustained");
        output.WriteLine(Invariant(
            $"  {run.Rate,9:N0} ticks/s{kept}; {run.AllocatedBytes} bytes allocated, {run.Collections} collections, {run.ResidentBytes >> 20} MiB resident; others used {run.OtherProcessors:F2} processors"));
        output.WriteLine($"            liquidations {Figures(run.Liquidations)}");
        output.WriteLine($"            margin calls {Figures(run.Calls)}");
        output.WriteLine($"            answers      {Figures(run.Answers)}");
        output.WriteLine($"            margins      {Figures(run.Margins)}");
    }

    private static string Figures(LatencyFigures f) => Invariant(
        $"n {f.Count,8:N0}  p50 {f.P50 / 1e3,9:F1}  p99 {f.P99 / 1e3,9:F1}  p99.9 {f.P999 / 1e3,9:F1}  max {f.Max / 1e3,9:F1}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
