// What a running demo looks like: a live picture on a terminal, a line a second elsewhere.
using System.Diagnostics;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MarginEngine.Tool.Demo;

internal abstract class DemoScreen : IDisposable
{
    public static DemoScreen Open(Terminal terminal, DemoOptions options) =>
        Terminal.OutIsTerminal && !options.Json ? new LivePicture(terminal) : new PlainLines(terminal, options.Json);

    /// <summary>Called about ten times a second by the demo's thread.</summary>
    public abstract void Show(DemoProcesses processes);

    public abstract void Dispose();

    /// <summary>One line a second; to standard error where standard output is for JSON.</summary>
    private sealed class PlainLines(Terminal terminal, bool json) : DemoScreen
    {
        private readonly TextWriter _output = json ? terminal.Error : terminal.Out;
        private readonly long _begin = Stopwatch.GetTimestamp();
        private int _nextSecond = 1;
        private bool _sourceShown;

        public override void Show(DemoProcesses processes)
        {
            if (!_sourceShown && processes.MarketLine is { } market)
            {
                _sourceShown = true;
                _output.WriteLine(market.Source);
                _output.WriteLine($"margin model {market.Model}");
            }

            double seconds = Stopwatch.GetElapsedTime(_begin).TotalSeconds;
            if (seconds < _nextSecond) return;
            _nextSecond = (int)seconds + 1;
            _output.WriteLine($"{(int)seconds,4} s  {DemoFigures.Line(processes)}");
            foreach (string happened in processes.TakeEvents().TakeLast(3)) _output.WriteLine($"        {happened}");
            _output.Flush();
        }

        public override void Dispose() => _output.Flush();
    }

    /// <summary>Redraws in place four times a second. Spectre's live display wants the thread, so it is driven from one of its own.</summary>
    private sealed class LivePicture : DemoScreen
    {
        private const int RedrawMillis = 250;
        private const int EventsShown = 8;

        private readonly Thread _thread;
        private readonly Queue<string> _events = [];
        private readonly ManualResetEventSlim _ended = new();
        private DemoProcesses? _processes;

        public LivePicture(Terminal terminal)
        {
            IAnsiConsole console = terminal.Picture();
            _thread = new Thread(() => console.Live(new Text("starting ..")).AutoClear(false).Start(Redraw)) { IsBackground = true, Name = "screen" };
            _thread.Start();
        }

        public override void Show(DemoProcesses processes) => Volatile.Write(ref _processes, processes);

        public override void Dispose()
        {
            _ended.Set();
            _thread.Join();
            _ended.Dispose();
        }

        private void Redraw(LiveDisplayContext context)
        {
            bool isLast;
            do
            {
                isLast = _ended.Wait(RedrawMillis);
                if (Volatile.Read(ref _processes) is { } processes) context.UpdateTarget(Picture(processes));
                context.Refresh();
            }
            while (!isLast);
        }

        private Rows Picture(DemoProcesses processes)
        {
            foreach (string happened in processes.TakeEvents())
            {
                if (_events.Count == EventsShown) _events.Dequeue();
                _events.Enqueue(happened);
            }

            List<IRenderable> parts = [.. DemoFigures.Head(processes).Select(line => new Text(line)), Text.Empty, Accounts(processes.ListenerLine), Text.Empty];
            parts.AddRange(_events.Select(happened => new Text(happened)));
            return new Rows(parts);
        }

        private static Table Accounts(ListenerLine? line)
        {
            Table table = new Table().RoundedBorder().Title("accounts nearest to liquidation");
            table.AddColumn("account").AddColumn("state");
            foreach (string column in (string[])["ratio", "equity USD", "maintenance USD", "buying power USD"]) table.AddColumn(new TableColumn(column).RightAligned());
            table.AddColumn("flags");
            foreach (AccountLine account in line?.Nearest ?? [])
            {
                string colour = account.State switch { "healthy" => "green", "warning" => "yellow", "marginCall" => "orange1", _ => "red" };
                table.AddRow($"{account.Account}", $"[{colour}]{account.State}[/]", DemoText.Ratio(account.Ratio), DemoText.Usd(account.Equity),
                    DemoText.Usd(account.Maintenance), DemoText.Usd(account.BuyingPower), account.Flags);
            }

            return table;
        }
    }
}

/// <summary>Status lines of all processes in words.</summary>
internal static class DemoFigures
{
    public static string Line(DemoProcesses processes)
    {
        ListenerLine? listener = processes.ListenerLine;
        NodeLine? primary = processes.PrimaryLine;
        string nearest = listener?.Nearest is [AccountLine first, ..] ? $", nearest {first.Account} {DemoText.Ratio(first.Ratio)} {first.State}" : "";
        return $"{Market(processes.MarketLine)}, received {DemoText.Count(primary?.Received ?? 0)}, journalled {DemoText.Count(primary?.Journalled ?? 0)}, "
            + $"standby {DemoText.Count(processes.StandbyLine?.Applied ?? 0)}, published {DemoText.Count(primary?.Published ?? 0)}, {Out(listener)}, {Latency(listener)}{nearest}";
    }

    public static IEnumerable<string> Head(DemoProcesses processes)
    {
        NodeLine? primary = processes.PrimaryLine;
        NodeLine? standby = processes.StandbyLine;
        if (processes.MarketLine is { } market)
        {
            yield return market.Source;
            yield return $"model       {market.Model}";
        }

        yield return Market(processes.MarketLine);
        yield return $"sequences   received {DemoText.Count(primary?.Received ?? 0)}  journalled {DemoText.Count(primary?.Journalled ?? 0)}  "
            + $"applied {DemoText.Count(primary?.Applied ?? 0)}  published {DemoText.Count(primary?.Published ?? 0)}";
        yield return $"standby     {(primary is { Diverged: true } ? "DIVERGED" : primary is { StandbyConnected: true } ? "follows" : "not heard")}  "
            + $"journalled {DemoText.Count(standby?.Journalled ?? 0)}  applied {DemoText.Count(standby?.Applied ?? 0)}  "
            + $"digest at {standby?.HeartbeatSequence} {standby?.StateDigest}";
        yield return $"out         {Out(processes.ListenerLine)}";
        yield return $"latency     {Latency(processes.ListenerLine)}";
    }

    private static string Market(MarketLine? market) =>
        market is null ? "market starts" : $"{market.Phase} {market.MarketTime} ({DemoText.Count(market.Events)} of {DemoText.Count(market.EventsOfAll)} events)";

    private static string Out(ListenerLine? line) =>
        $"updates {DemoText.Count(line?.Received.GetValueOrDefault("MarginUpdate") ?? 0)}, margin calls {DemoText.Count(line?.States.GetValueOrDefault("marginCall") ?? 0)}, "
        + $"liquidations {DemoText.Count(line?.Received.GetValueOrDefault("LiquidationInstruction") ?? 0)}";

    private static string Latency(ListenerLine? line) => line is null || line.TickToMargin.Count == 0
        ? "tick-to-margin -"
        : $"tick-to-margin p50 {DemoText.Duration(line.TickToMargin.P50)} p99 {DemoText.Duration(line.TickToMargin.P99)} max {DemoText.Duration(line.TickToMargin.Max)}";
}
