// Each bench as a section of the report: what is run, with which settings, and which of its figures are drawn.
using System.Globalization;
using MarginEngine.Journal;
using MarginEngine.Pipeline;

namespace MarginEngine.Bench;

/// <param name="IsQuick">Fewer samples, so that all sections together take less than three minutes on two cores.</param>
/// <param name="Directory">On the disk to measure.</param>
public sealed record ReportSettings(bool IsQuick, string Directory);

public static class ReportSections
{
    private const string Run = "dotnet run -c Release --project Bench -- ";
    private static readonly IReadOnlyList<(string Name, Func<ReportSettings, TextWriter, ReportSection> Measure)> Sections =
    [
        ("kernels", Kernels), ("codec", Codec), ("ring", Ring), ("wire", Wire), ("journal", JournalAndDevice), ("ticks", Ticks), ("path", Path), ("replay", Replay),
    ];

    /// <summary>In the order of the report.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Sections.Select(section => section.Name)];

    public static ReportSection Measure(string name, ReportSettings settings, TextWriter output) => Sections.Single(section => section.Name == name).Measure(settings, output);

    /// <summary>The path section of lines that were measured by the verb itself.</summary>
    public static ReportSection OfPath(IReadOnlyList<PathLine> lines, string command)
    {
        var pictures = new List<ReportPicture>();
        foreach (IGrouping<(Placement Placement, bool Syncs, bool Waits), PathLine> set in lines.GroupBy(line => (line.Placement, line.Syncs, line.DeciderWaits)))
        {
            string setting = Invariant($"{set.Key.Placement.ToString().ToLowerInvariant()}, sync {(set.Key.Syncs ? "on" : "off")}{(set.Key.Waits ? ", decider waits" : "")}");
            pictures.Add(ReportData.Picture($"Tick due to liquidation heard, p50 and p99, {setting}", "us", "ticks/s due", PictureKind.Lines, [.. Latencies(set), .. Asked(set.Key.Syncs, set)]));
        }

        foreach (IGrouping<Placement, PathLine> set in lines.GroupBy(line => line.Placement))
            pictures.Add(ReportData.Picture(
                $"Ticks a second at most, {set.Key.ToString().ToLowerInvariant()}", "ticks/s", "accounts", PictureKind.LogarithmicBars,
                set.Select(line => ($"sync {(line.Syncs ? "on" : "off")}{(line.DeciderWaits ? ", decider waits" : "")}", Invariant($"{line.Accounts:N0} accounts"), line.TicksPerSecond))));
        pictures.Add(ReportData.Picture(
            "Memory of the process, driver included", "MiB", "accounts", PictureKind.LogarithmicBars,
            lines.Where(line => line.Runs.Count > 0).GroupBy(line => line.Accounts)
                .Select(line => ("resident", Invariant($"{line.Key:N0} accounts"), line.Max(one => one.Runs[^1].ResidentBytes) / 1048576.0))));
        long bytes = lines.SelectMany(line => line.Runs).Where(run => run.IsKept).Select(run => run.AllocatedBytes).DefaultIfEmpty(0).Max();
        int collections = lines.SelectMany(line => line.Runs).Select(run => run.Collections).DefaultIfEmpty(0).Max();
        string note = Invariant($"Open loop: counted from when a tick was due. Rates that were not kept are left out of the latencies; at most {bytes:N0} bytes allocated and ")
            + Invariant($"{collections} collections in a run. A tick is {PathMarket.Parts} messages; every {PathScript.Cycle / PathScript.Pins}th liquidates an account.");
        return ReportData.Section("path", "Whole path: tick in at the socket to liquidation out at the socket", command, note, [.. pictures]);
    }

    private static IEnumerable<(string Series, string Label, double Value)> Latencies(IEnumerable<PathLine> lines)
    {
        foreach (PathLine line in lines)
        {
            foreach (PathRun run in line.Runs.Where(run => run.IsKept && run.Liquidations.Count > 0))
            {
                string label = run.Rate.ToString(CultureInfo.InvariantCulture);
                yield return (Invariant($"{line.Accounts:N0} accounts p50"), label, run.Liquidations.P50 / 1e3);
                yield return (Invariant($"{line.Accounts:N0} accounts p99"), label, run.Liquidations.P99 / 1e3);
            }
        }
    }

    // The median that is asked of a node without a standby.
    private static IEnumerable<(string Series, string Label, double Value)> Asked(bool syncs, IEnumerable<PathLine> lines) =>
        lines.SelectMany(line => line.Runs).Where(run => run.IsKept).Select(run => run.Rate).Distinct().Order()
            .Select(rate => ("asked of p50", rate.ToString(CultureInfo.InvariantCulture), syncs ? 300.0 : 40.0));

    private static ReportSection Kernels(ReportSettings settings, TextWriter output)
    {
        IReadOnlyList<PricingBench.Line> lines = PricingBench.Run(new PricingBench.Settings(settings.IsQuick ? 80 : 400, settings.IsQuick ? 100_000 : 1_000_000), output);
        (string Work, string Title, string Unit)[] works =
        [
            ("columns", "Call and put, every option its own terms", "ns a call and put"), ("rows", "Scenario grid", "ns a call and put in a row"),
            ("greeks", "Values and Greeks", "ns an option"), ("implied", "Implied volatility", "ns"), ("aggregation", "64 exact sums over positions", "ns a position"),
        ];
        return ReportData.Section(
            "kernels", "Kernels against what a user would pick instead", Run + "pricing", "Least of interleaved samples.",
            [.. works.Select(work => ReportData.Picture(
                work.Title, work.Unit, "", PictureKind.LogarithmicBars, lines.Where(line => line.Work == work.Work).Select(line => ("least", line.Candidate, line.LeastNanos))))]);
    }

    private static ReportSection Codec(ReportSettings _, TextWriter output)
    {
        IReadOnlyList<CodecBench.Line> lines = CodecBench.Run(rounds: 200, passes: 200, output);
        return ReportData.Section(
            "codec", "Generated codecs against a packed struct laid over the bytes", Run + "codec", "",
            ReportData.Picture("A message", "ns", "", PictureKind.Bars, lines.SelectMany(line => new[] { ("packed struct", line.Work, line.OverlayLeast), ("codec", line.Work, line.CodecLeast) })));
    }

    private static ReportSection Ring(ReportSettings settings, TextWriter output)
    {
        IReadOnlyList<RingBench.Line> lines = RingBench.Run(new RingBench.Settings(settings.IsQuick ? 1_000_000 : 5_000_000, settings.IsQuick ? 3 : 5), output);
        bool IsTrip(RingBench.Line line) => line.Name.StartsWith("round trip", StringComparison.Ordinal);
        long bytes = lines.Max(line => line.AllocatedBytes);
        return ReportData.Section(
            "ring", "Ring: one to one, three stages in a chain, diamond", Run + "ring",
            Invariant($"Median of runs; at most {bytes:N0} bytes allocated and {lines.Max(line => line.Collections)} collections in a run. Against another build or Disruptor-net: ring --against."),
            ReportData.Picture("Throughput", "M events/s", "", PictureKind.LogarithmicBars, lines.Where(line => !IsTrip(line)).Select(line => ("median", line.Name, 1e3 / line.MedianNanos))),
            ReportData.Picture("Round trip over two rings", "ns", "", PictureKind.LogarithmicBars, lines.Where(IsTrip).Select(line => ("median", line.Name["round trip, ".Length..], line.MedianNanos))));
    }

    private static ReportSection Wire(ReportSettings settings, TextWriter output)
    {
        int trips = settings.IsQuick ? 20_000 : 200_000, messages = settings.IsQuick ? 500_000 : 5_000_000;
        var setup = new WireSetup { Messages = trips, Length = 64 };
        var latencies = new List<(string, string, double)>();
        foreach ((string name, WireSetup one) in new[] { ("bare UDP sockets", setup with { Raw = true }), ("unicast", setup), ("multicast", setup with { Multicast = true }), ("aeron:ipc", setup with { Ipc = true }) })
        {
            if (WireBench.RoundTrip(one, output) is { } trip)
                latencies.AddRange([("p50", name, trip.ValueAtPercentile(50) / 1e3), ("p99", name, trip.ValueAtPercentile(99) / 1e3)]);
        }

        setup = setup with { Throughput = true, Messages = messages };
        var rates = new List<(string, string, double)>();
        foreach ((string name, WireSetup one) in new[] { ("unicast", setup), ("multicast", setup with { Multicast = true }), ("aeron:ipc", setup with { Ipc = true }) })
        {
            if (WireBench.Throughput(one, output) is { } rate)
                rates.Add(("throughput", name, rate / 1e6));
        }

        return ReportData.Section(
            "wire", "Transport between two processes, 64-byte messages", Run + "wire round-trip|throughput", "",
            ReportData.Picture("Round trip", "us", "", PictureKind.LogarithmicBars, latencies), ReportData.Picture("Throughput", "M messages/s", "", PictureKind.LogarithmicBars, rates));
    }

    private static ReportSection JournalAndDevice(ReportSettings settings, TextWriter output)
    {
        var journal = new JournalBench.Settings(settings.Directory, settings.IsQuick ? 100 : 1_000) { MessagesPerCommit = [1, 100, 1_000] };
        IReadOnlyList<JournalBench.Line> lines = JournalBench.Run(journal, output);
        string Label(JournalBench.Line line) => Invariant($"{line.MessagesPerCommit} messages, {line.Mode}");
        return ReportData.Section(
            "journal", "Journal against the raw device", Run + "journal", "Writes of the same size, each made durable, in turns. A log that costs nothing takes as long as its device.",
            ReportData.Picture("A commit, p50", "us", "", PictureKind.LogarithmicBars, lines.SelectMany(line => new[] { ("device", Label(line), line.Device.P50 / 1e3), ("log", Label(line), line.Log.P50 / 1e3) })),
            ReportData.Picture("A commit, p99", "us", "", PictureKind.LogarithmicBars, lines.SelectMany(line => new[] { ("device", Label(line), line.Device.P99 / 1e3), ("log", Label(line), line.Log.P99 / 1e3) })));
    }

    private static ReportSection Ticks(ReportSettings settings, TextWriter output)
    {
        int[] accounts = settings.IsQuick ? [100, 1_000, 5_000] : [100, 1_000, 10_000, 100_000];
        var values = new List<(string, string, double)>();
        foreach (int count in accounts)
        {
            TickBench.Result result = TickBench.Run(new TickBench.Settings(count, Ticks: settings.IsQuick ? 500 : 10_000, Exhaustive: settings.IsQuick ? 3 : 20), output);
            string label = count.ToString(CultureInfo.InvariantCulture);
            values.AddRange(
            [
                ("p50", label, result.Nanos.ValueAtPercentile(50) / 1e3), ("p99", label, result.Nanos.ValueAtPercentile(99) / 1e3), ("the whole book", label, result.ExhaustiveNanos / 1e3),
            ]);
        }

        return ReportData.Section(
            "ticks", "Decider: a tick of one basis point, by accounts", Run + "ticks --accounts N", "Twenty positions an account, 1,000 options. The whole book: every account computed, which decides the same bytes.",
            ReportData.Picture("Tick to last decision", "us", "accounts", PictureKind.Lines, values));
    }

    private static ReportSection Path(ReportSettings settings, TextWriter output)
    {
        var path = new PathSettings(settings.IsQuick ? [500, 1_000] : [1_000, 10_000, 100_000, 1_000_000], settings.IsQuick ? 2 : 5, settings.IsQuick ? 2_000 : 50_000)
        {
            Accounts = settings.IsQuick ? [1_000] : [1_000, 10_000, 100_000, 1_000_000], Placement = Placement.Merged, Directory = settings.Directory,
        };
        return OfPath(PathBench.Run(path, output), Run + Invariant($"path --placement merged --accounts {string.Join(',', path.Accounts)} --rate {string.Join(',', path.Rates)}"));
    }

    private static ReportSection Replay(ReportSettings settings, TextWriter output)
    {
        using var folder = new TemporaryFolder(null, "margin-replay-");
        string quiet = System.IO.Path.Combine(folder.Path, "quiet"), ticks = System.IO.Path.Combine(folder.Path, "ticks");
        Directory.CreateDirectory(quiet);
        Directory.CreateDirectory(ticks);
        ReplayBench.Make(quiet, settings.IsQuick ? 100_000 : 1_000_000);
        ReplayBench.MakeTicks(ticks, accounts: 1_000, settings.IsQuick ? 2_000 : 100_000);
        return ReportData.Section(
            "replay", "Replay of a journal, which is how long a restart takes", Run + "replay", "The second replay in a process. Ticks: the accounts of the path bench, a tick of four messages a millisecond.",
            ReportData.Picture(
                "Records a second", "1/s", "", PictureKind.LogarithmicBars,
                [("warm", "orders, cancels, deposits", ReplayBench.Replay(quiet, output)), ("warm", "ticks over 1,000 accounts", ReplayBench.Replay(ticks, output))]));
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
