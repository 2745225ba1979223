// The simulated market side: a source that gets its input into the journal exactly once, and subscribers that keep all they hear.
using MarginEngine.Aeron;
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Simulate;

/// <summary>
/// Sends its messages in order to whichever node listens, goes back to where a reject of sequence says, and after silence to behind the
/// last message that a heartbeat confirmed. Carries liquidations out. Keeps every message published, on both streams.
/// </summary>
internal sealed class SimulatedSource : IMessageHandler, IDisposable
{
    private const long SilenceNanos = 700_000_000;
    private const long LongestPauseNanos = 250_000_000;
    private readonly SimulatedTime _time;
    private readonly Random _random;
    private readonly Workload _workload;
    private readonly AeronAgent _agent;
    private readonly Publication[] _inputs;
    private readonly Subscription[] _outputs;
    private readonly HashSet<ulong> _carriedOut = [];
    private readonly Dictionary<(int Session, int Stream), Ear> _ears = [];
    private int _next;
    private int _budget;
    private long _quietSince;
    private long _burstAt;

    /// <param name="world">Network and time.</param>
    /// <param name="inputs">Where nodes listen, one channel a node.</param>
    /// <param name="output">Where a primary publishes.</param>
    /// <param name="workload">What to send.</param>
    /// <param name="random">Decides how much is sent when.</param>
    public SimulatedSource(SimulatedWorld world, string[] inputs, string output, Workload workload, Random random)
    {
        _time = world.Clock;
        _random = random;
        _workload = workload;
        _agent = new AeronAgent(world.Options(network: new SimulatedNetwork(world) { Host = "market" }));
        _inputs = [.. inputs.Select(channel => _agent.AddPublication(channel, Topology.InputStream))];
        _outputs = [_agent.AddSubscription(output, Topology.MarginStream), _agent.AddSubscription(output, Topology.ReplyStream)];
    }

    /// <summary>Everything heard, in order, on either stream.</summary>
    public List<byte[]> Heard { get; } = [];

    /// <summary>
    /// Where a publisher was silent for longer than an image lives, and the same publication was joined again further on: what lay between was sent
    /// into the void. First and last sequence, those heard on either side, of which a part may be missing too.
    /// </summary>
    public List<(long From, long To)> Holes { get; } = [];

    /// <summary>Messages the newest heartbeat says are taken.</summary>
    public int Confirmed { get; private set; }

    /// <summary>Events still to be made.</summary>
    public int EventsLeft { get; set; }

    public int Rewinds { get; private set; }

    public bool IsDone => EventsLeft == 0 && Confirmed == _workload.Messages.Count;

    public bool HearsSomebody => Array.Exists(_outputs, output => output.IsConnected);

    public int Step()
    {
        int work = _agent.DoWork();
        SimulatedSource handler = this;
        foreach (Subscription output in _outputs)
            work += output.Poll(ref handler, 64);
        work += Send();
        if (_next == _workload.Messages.Count && Confirmed < _next && _time.Now - _quietSince > SilenceNanos)
            GoBack(Confirmed);
        return work + _agent.DoWork();
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        Heard.Add(message.ToArray());
        NoteHole(BitConverter.ToInt64(message[8..]), context);
        if (HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat))
            OnHeartbeat(heartbeat);
        else if (RejectDecoder.TryWrap(message, out RejectDecoder reject))
            OnReject(reject);
        else if (LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder instruction) && _carriedOut.Add(instruction.LiquidationId))
            _workload.Liquidate(instruction);
        return PollAction.Continue;
    }

    public void Dispose() => _agent.Dispose();

    // An image that ends in silence takes along what it had not received, and the publisher has done its part: only the positions tell.
    private void NoteHole(long sequence, in MessageContext context)
    {
        (int, int) place = (context.SessionId, context.StreamId);
        if (_ears.TryGetValue(place, out Ear ear) && ear.Image != context.Image && context.Image.JoinPosition > ear.Position)
            Holes.Add((ear.Sequence, sequence));
        _ears[place] = new Ear(context.Image, context.Position, sequence);
    }

    private int Send()
    {
        if (_budget == 0 && _time.Now >= _burstAt)
        {
            _budget = _random.Next(1, 40);
            _burstAt = _time.Now + _random.NextInt64(LongestPauseNanos);
        }

        int sent = 0;
        while (_budget > 0 && TryHaveNext())
        {
            bool taken = false;
            foreach (Publication input in _inputs)
                taken |= input.IsConnected && input.Offer(_workload.Messages[_next]) > 0;
            if (!taken)
                break;
            _next++;
            _budget--;
            sent++;
            _quietSince = _time.Now;
        }

        return sent;
    }

    private bool TryHaveNext()
    {
        while (_next == _workload.Messages.Count && EventsLeft > 0)
        {
            _workload.Act();
            EventsLeft--;
        }

        return _next < _workload.Messages.Count;
    }

    private void OnHeartbeat(in HeartbeatDecoder heartbeat)
    {
        foreach (HeartbeatDecoder.SourcesDecoder.Entry entry in heartbeat.Sources)
        {
            if (entry.Source != Workload.Source || (int)entry.LastSequence <= Confirmed)
                continue;
            Confirmed = (int)entry.LastSequence;
            _next = Math.Max(_next, Confirmed);
        }
    }

    private void OnReject(in RejectDecoder reject)
    {
        if (reject.Source != Workload.Source)
            return;
        if (reject.Code is RejectCode.SequenceGap or RejectCode.Capacity && reject.Expected > 0)
            GoBack((int)reject.Expected - 1);
    }

    private void GoBack(int to)
    {
        _quietSince = _time.Now;
        if (to >= _next || to < Confirmed)
            return;
        _next = to;
        Rewinds++;
    }

    /// <summary>How far a publication was heard, and in which image.</summary>
    private readonly record struct Ear(Image Image, long Position, long Sequence);
}
