// The demo's market played into a machine and a journal in this process: what a node would leave, quickly and the same each time.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Market;

namespace MarginEngine.Tests.AuditTests;

/// <summary>A decision with the input it was decided on.</summary>
internal sealed record Published(long Sequence, byte[] Message)
{
    public ushort Template => BitConverter.ToUInt16(Message, 2);
}

internal sealed class DemoJournal : IDecisionSink
{
    public const ushort OperatorSource = 900;
    private const long StepNanos = 1_000_000;
    private const long WallStart = 1_770_000_000_000_000_000;

    private readonly MarginMachine _machine;
    private readonly JournalWriter _writer;
    private readonly Queue<byte[]> _toCore = new();
    private readonly byte[] _buffer = new byte[512];
    private long _now;
    private ulong _operatorSequence, _tickSequence;

    private DemoJournal(string directory, Limits limits)
    {
        Directory = directory;
        _machine = new MarginMachine(limits);
        JournalOptions options = new() { Directory = directory, SegmentBytes = 1 << 20, BatchBytes = 128 << 10, ReserveBytes = 0, SyncMode = SyncMode.FileSync };
        _writer = JournalWriter.Open(options, EngineIdentity.Of(limits), new Storage());
    }

    public string Directory { get; }

    public List<Published> Decisions { get; } = [];

    public long Records { get; private set; }

    public IEnumerable<Published> Of(ushort template) => Decisions.Where(decision => decision.Template == template);

    /// <summary>A crash of 120 clients; an operator reduces, asks for a snapshot and resumes.</summary>
    public static DemoJournal Write(string directory)
    {
        MarketOptions options = new() { Source = "builtin", Accounts = 120, Seconds = 2, EventsPerSecond = 300, Seed = 7 };
        DemoJournal journal = new(directory, new Limits { Accounts = 256, Positions = 16_384, Units = 4_096 });
        using MarketScript script = MarketScript.Open(options);
        journal.Play(new MatchingCore(options, script));
        journal._writer.Commit();
        journal._writer.Dispose();
        journal._machine.Dispose();
        return journal;
    }

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        Decisions.Add(new Published(_machine.LastSequence, message.ToArray()));
        _toCore.Enqueue(Decisions[^1].Message);
    }

    private void Play(MatchingCore core)
    {
        for (; core.Phase != MarketPhase.Done && _now < 60_000 * StepNanos; _now += StepNanos)
        {
            core.Produce(_now, WallStart + _now);
            for (ReadOnlySpan<byte> message = core.Peek(); !message.IsEmpty; message = core.Peek())
            {
                Apply(message);
                core.MarkSent(_now);
            }

            if (_now % (50 * StepNanos) == 0) Tick();
            if (_now == 500 * StepNanos) Operate(Command.ReduceOnly, "night desk", "index feed looks odd");
            if (_now == 600 * StepNanos) Operate(Command.Snapshot, "night desk", "before the release");
            if (_now == 700 * StepNanos) Operate(Command.Resume, "day desk", "feed was right");
            while (_toCore.TryDequeue(out byte[]? decision)) core.OnDecision(decision, _now);
        }
    }

    private void Operate(Command command, string who, string why)
    {
        OperatorCommandEncoder message = OperatorCommandEncoder.Wrap(_buffer);
        message.SetOrigin(++_operatorSequence, (ulong)(WallStart + _now), OperatorSource, OriginFlags.EndOfEvent);
        message.Command = command;
        message.SetOperator(who);
        message.SetReason(System.Text.Encoding.UTF8.GetBytes(why));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    // As the gateway does: an idle engine still lives.
    private void Tick()
    {
        TimeTickEncoder tick = TimeTickEncoder.Wrap(_buffer);
        tick.SetOrigin(++_tickSequence, 0, ushort.MaxValue, OriginFlags.None);
        tick.Time = null;
        Apply(_buffer.AsSpan(0, tick.EncodedLength));
    }

    private void Apply(ReadOnlySpan<byte> message)
    {
        long sequence = _machine.LastSequence + 1, time = Math.Max(_machine.LastTime + 1, WallStart + _now);
        if (!_writer.TryAppend(1, 1, sequence, time, message))
        {
            _writer.Commit();
            _writer.TryAppend(1, 1, sequence, time, message);
        }

        Records++;
        _machine.Apply(sequence, time, message, this);
    }
}
