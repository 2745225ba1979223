// The four processes of a demo and the newest status line of each: standby, primary, market maker, market; all over loopback.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Verbs;

namespace MarginEngine.Tool.Demo;

/// <summary>Starts them in the order that each finds its peer; dispose ends all of them, whatever happened.</summary>
internal sealed class DemoProcesses : IDisposable
{
    private const int StatusMillis = 250;
    private const int MarginStream = 1001;
    private const int LeaseMillis = 1_000;

    // Cold threads of the nodes (status lines) then collect seldom. It only works from the environment.
    private const string NurserySize = "DOTNET_GCgen0size";
    private const string NurseryBytes = "0x4000000";

    private readonly DemoOptions _options;
    private readonly DemoFolder _folder;
    private readonly List<ChildProcess> _children = [];
    private readonly string _input;
    private readonly string _output;
    private readonly string _replication;
    private readonly string _acks;
    private readonly NodeLine?[] _nodeLines = new NodeLine?[2];
    private readonly ChildProcess?[] _nodes = new ChildProcess?[2];
    private int _primary;
    private ListenerLine? _listenerLine;
    private MarketLine? _marketLine;

    public DemoProcesses(DemoOptions options, DemoFolder folder)
    {
        _options = options;
        _folder = folder;
        int[] ports = FreePorts.Take(4);
        _input = Unicast(ports[0]);
        _replication = Unicast(ports[1]);
        _acks = Unicast(ports[2]);
        _output = $"aeron:udp?endpoint=224.20.30.41:{ports[3]}|interface=localhost";
    }

    public ChildProcess? Market { get; private set; }

    public ChildProcess? Primary => _nodes[_primary];

    public ChildProcess? Standby => _nodes[1 - _primary];

    /// <summary>The journal of the node that is the primary now, and of its standby.</summary>
    public string PrimaryJournal => JournalOf(_primary);

    public string StandbyJournal => JournalOf(1 - _primary);

    /// <summary>The primary was killed and the standby has its place.</summary>
    public bool HasFailedOver => _primary != 0;

    public ChildProcess? Listener { get; private set; }

    public NodeLine? PrimaryLine => Volatile.Read(ref _nodeLines[_primary]);

    public NodeLine? StandbyLine => Volatile.Read(ref _nodeLines[1 - _primary]);

    public ListenerLine? ListenerLine => Volatile.Read(ref _listenerLine);

    public MarketLine? MarketLine => Volatile.Read(ref _marketLine);

    /// <summary>What the market maker told since the last call, oldest first.</summary>
    public List<string> TakeEvents()
    {
        lock (_events)
        {
            List<string> taken = [.. _events];
            _events.Clear();
            return taken;
        }
    }

    private readonly List<string> _events = [];

    public void StartEngine()
    {
        StartNode(1, "standby");
        StartNode(0, "primary");
        Listener = Start("market maker",
            [ListenVerb.Name, "--channel", _output, "--stream", Text(MarginStream), "--record", _folder.Published, "--latencies", _folder.Latencies, "--with-parent"],
            OnListenerLine);
    }

    /// <summary>Kills the primary as `kill -9` does and starts it again. Whoever takes its place does so by the lease, not by a word of ours.</summary>
    public void KillPrimary()
    {
        Primary!.Kill();
        _nodeLines[0] = null;
        _primary = 1;
        StartNode(0, "standby");
    }

    public void StartMarket()
    {
        List<string> arguments =
        [
            "market", "--input", _input, "--output", _output, "--accounts", Text(_options.Accounts), "--seconds", Text(_options.Seconds),
            "--rate", Text(_options.Rate), "--seed", _options.Seed.ToString(CultureInfo.InvariantCulture), "--model", _options.Model, "--messages", _options.Messages, "--with-parent",
        ];
        if (_options.Data is not null) arguments.AddRange(["--data", _options.Data]);
        if (_options.Source is not null) arguments.AddRange(["--source", _options.Source]);
        Market = Start("market", arguments, line => Keep(line, DemoJson.Default.MarketLine, ref _marketLine));
    }

    /// <exception cref="CommandFailure">Unreachable: one that should be running has gone; the message has its last words.</exception>
    public static void CheckAlive(params ReadOnlySpan<ChildProcess?> wanted)
    {
        foreach (ChildProcess? child in wanted)
            if (child is { HasExited: true })
                throw Failed(child);
    }

    /// <exception cref="CommandFailure">It did not end in time, or not with 0.</exception>
    public static void WaitForEnd(ChildProcess child, TimeSpan patience)
    {
        if (!child.WaitForEnd(patience)) throw CommandFailure.Unreachable($"the {child.Name} did not end within {patience.TotalSeconds:F0} s\n{child.Messages}");
        if (child.ExitCode != ExitCode.Done) throw Failed(child);
    }

    public void Dispose()
    {
        for (int index = _children.Count - 1; index >= 0; index--) _children[index].Dispose();
    }

    private static CommandFailure Failed(ChildProcess child)
    {
        child.WaitForEnd(TimeSpan.FromSeconds(1));
        int code = child.ExitCode is ExitCode.Usage or ExitCode.Difference or ExitCode.Refused ? child.ExitCode : ExitCode.Unreachable;
        return new CommandFailure(code, $"the {child.Name} ended with {child.ExitCode}:\n{child.Messages}");
    }

    private static string Unicast(int port) => $"aeron:udp?endpoint=127.0.0.1:{port}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private string JournalOf(int node) => node == 0 ? _folder.Primary : _folder.Standby;

    private void StartNode(int node, string role)
    {
        // The latency shown is the engine's: without a witness the standby follows and is not waited for.
        string[] mode = _options.Failover
            ? ["--mode", "durable", "--lease", _folder.Lease, "--node", node == 0 ? "left" : "right", "--lease-millis", Text(LeaseMillis)] : ["--gate", "journal"];
        _nodes[node] = Start(role, [.. Node(role, JournalOf(node)), .. mode], line => Keep(line, DemoJson.Default.NodeLine, ref _nodeLines[node]));
    }

    private IEnumerable<string> Node(string role, string journal) =>
    [
        "run", "--role", role, "--journal", journal, "--peer-journal", journal == _folder.Primary ? _folder.Standby : _folder.Primary,
        "--input", _input, "--output", _output, "--replication", _replication, "--acks", _acks,
        "--status-millis", Text(StatusMillis), "--json", "--with-parent",
    ];

    private ChildProcess Start(string name, IReadOnlyList<string> arguments, Action<string> onLine)
    {
        ChildProcess child = new(name, arguments, new Dictionary<string, string> { [NurserySize] = NurseryBytes }, onLine);
        _children.Add(child);
        return child;
    }

    private static void Keep<T>(string line, JsonTypeInfo<T> type, ref T? into)
        where T : class
    {
        // A process that is killed in the middle of a line leaves half of one.
        try
        {
            Volatile.Write(ref into, JsonSerializer.Deserialize(line, type));
        }
        catch (JsonException)
        {
        }
    }

    private void OnListenerLine(string line)
    {
        Keep(line, DemoJson.Default.ListenerLine, ref _listenerLine);
        lock (_events) _events.AddRange(ListenerLine?.Events ?? []);
    }
}
