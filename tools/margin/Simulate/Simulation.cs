// One seed, start to end: a whole system in one thread on a simulated clock, network and disk, an operator that keeps it going, faults as the
// seed has them, and the checks of everything the engine promises.
using System.Runtime.CompilerServices;
using System.Text;
using MarginEngine.Journal;
using MarginEngine.Pipeline;

namespace MarginEngine.Tool.Simulate;

/// <summary>
/// <code>
/// market (source, subscriber) ==simulated network== node 0, node 1 (real nodes, polled) --simulated disks
/// </code>
/// Runs until the market's script is confirmed, heals everything, lets the system settle, then checks. The same seed runs the same way.
/// </summary>
internal sealed partial class Simulation : IDisposable
{
    private const long Second = 1_000_000_000;
    private const long Patience = 120 * Second;
    private const int MostTurns = 1_500_000;
    private readonly Random _random;
    private readonly Scenario _scenario;
    private readonly SimulatedWorld _world;
    private readonly SimulatedNode[] _nodes;
    private readonly Workload _workload;
    private readonly SimulatedSource _market;
    private readonly SimulatedWitness? _witness;
    private readonly Dictionary<uint, string> _publisherOf = [];
    private readonly Queue<string> _log = new();
    private readonly long _startedAt;
    private bool _isHealed;
    private uint _publishedEpoch;
    private int _turns;

    public Simulation(int seed, Scenario? scenario = null)
    {
        _random = new Random(seed);
        _scenario = scenario ?? Scenario.Of(_random);
        _world = new SimulatedWorld(_random.Next()) { Faults = _scenario.Network };
        _world.Watch = NotePublisher;
        _workload = new Workload(new Random(_random.Next()), _scenario.Accounts, _scenario.Model);
        _nodes = [.. Enumerable.Range(0, _scenario.HasStandby ? 2 : 1).Select(number => new SimulatedNode(number, _world, _scenario, new Random(_random.Next())))];
        _market = new SimulatedSource(_world, [Topology.Input(0), Topology.Input(1)], Topology.Output, _workload, new Random(_random.Next()))
        {
            EventsLeft = _scenario.Events,
        };
        foreach (SimulatedNode node in _nodes)
            node.WhileWaiting = MoveTheRest;
        if (_scenario.HasWitness)
            _witness = new SimulatedWitness(_world, new Random(_random.Next()));
        _startedAt = _world.Clock.Now;
        _nextFaultAt = _startedAt + _random.NextInt64(_scenario.FaultEveryNanos);
    }

    public SimulationCounts Counts { get; } = new();

    /// <exception cref="SimulationFailure">A promise was broken, or the system did not come to rest.</exception>
    public void Run()
    {
        try
        {
            _primary = 0;
            Begin();
            while (!_market.IsDone)
            {
                Turn();
                if (_isRefused)
                    return;
                if (!_isHealed && (_world.Clock.Now - _startedAt > Patience / 2 || _market.EventsLeft == 0))
                    Heal();
                Require(_world.Clock.Now - _startedAt < Patience, $"the market is not done: {_market.Confirmed} of {_workload.Messages.Count} confirmed; {State()}");
            }

            Heal();
            Settle();
            if (!_isRefused)
                CheckAll();
        }
        catch (Exception failure) when (failure is not SimulationFailure)
        {
            throw new SimulationFailure($"{failure.GetType().Name}: {failure.Message}; {State()}\n{failure.StackTrace}");
        }
        finally
        {
            Counts.Add(_world.Counts);
            Counts.Messages += _market.Heard.Count + _workload.Messages.Count;
            Counts.RecordsCut += _nodes.Sum(node => node.RecordsCut);
            Counts.SimulatedNanos += _world.Clock.Now - _startedAt;
        }
    }

    private void Begin()
    {
        _epoch = _witness is null ? 1u : 0;
        foreach (SimulatedNode node in _nodes)
        {
            if (_witness is not null)
                node.Join(_witness);
            else
                Require(node.Start(node.Number == 0 ? NodeRole.Primary : NodeRole.Standby, 1), $"{node.Host} would not start: {node.Failure}");
        }
    }

    /// <summary>What happened last, for a failing seed.</summary>
    public IEnumerable<string> Log => _log;

    public void Dispose()
    {
        foreach (SimulatedNode node in _nodes)
            node.Dispose();
        _market.Dispose();
    }

    private void Turn()
    {
        if (!_isHealed && _world.Clock.Now >= _nextFaultAt)
            Inject();
        MoveTheRest();
    }

    private void MoveTheRest()
    {
        Require(++_turns < MostTurns, $"no end after {MostTurns} turns; {State()}");
        LiftFaults();
        _witness?.Work();
        int work = 0;
        foreach (SimulatedNode node in _nodes)
        {
            bool wasRunning = !node.IsDown;
            work |= node.Step();
            if (wasRunning && node.IsDown)
                OnStopped(node);
            Require(!node.PassedWithFlip, $"{node.Host} passes the comparison of digests with a balance that its primary does not have");
        }

        NotePrimary();
        work |= _market.Step();
        Operate();
        _world.Clock.Now += work != 0 ? _random.NextInt64(1_000, 30_000) : _random.NextInt64(50_000, 1_500_000);
    }

    // Everything works from here on: what is still missing has to come.
    private void Heal()
    {
        if (_isHealed)
            return;
        _isHealed = true;
        Say("healed");
        _world.Faults = Faults.None;
        _world.Severed.Clear();
        foreach (SimulatedNode node in _nodes)
            Mend(node);
    }

    private void Settle()
    {
        long since = _world.Clock.Now;
        while (!IsSettled())
        {
            Turn();
            if (_isRefused)
                return;
            Require(_world.Clock.Now - since < Patience, $"the system does not come to rest; {State()}");
        }

        // What was published last is still on its way; and a memory that flipped may only now be found out.
        for (int i = 0; i < 3_000; i++)
            Turn();
        if (!IsSettled())
            Settle();
    }

    private bool IsSettled()
    {
        if (_forgotten is not null || _nodes[_primary].Node is not { } primary || primary.Gauges.Published.Value < primary.Gauges.Received.Value)
            return false;
        return !_scenario.HasStandby || _nodes[1 - _primary].Node is { } standby && standby.Gauges.Applied.Value >= primary.Gauges.Received.Value - 2
            && !standby.Options.Role.Equals(NodeRole.Primary);
    }

    // Where a witness decides, the operator looks who it is.
    private void NotePrimary()
    {
        if (_witness is null)
            return;
        foreach (SimulatedNode node in _nodes)
        {
            if (!node.IsPrimary || node.Node!.Options.Epoch <= _epoch)
                continue;
            _epoch = node.Node.Options.Epoch;
            if (node.Number != _primary)
                Counts.Faults[(int)Fault.Promotion]++;
            Say($"{node.Host} is the primary in epoch {_epoch}");
            _primary = node.Number;
        }
    }

    // Data frames to the subscriber: one node an epoch may send any.
    private void NotePublisher(SimulatedNetwork network, Aeron.Ipv4Endpoint to, byte[] datagram)
    {
        const int DataFrame = 1, HeaderBytes = 32;
        if (to.Port != 40200 || datagram.Length <= HeaderBytes || BitConverter.ToInt16(datagram, 6) != DataFrame || BitConverter.ToInt32(datagram, 0) <= HeaderBytes)
            return;
        SimulatedNode node = Array.Find(_nodes, candidate => candidate.Host == network.Host)!;
        if (node.Node is null)
            return;
        uint epoch = node.Node.Options.Epoch;
        Require(epoch >= _publishedEpoch || _witness is null, $"{node.Host} publishes in epoch {epoch}, after epoch {_publishedEpoch} has begun");
        _publishedEpoch = epoch;
        if (!_publisherOf.TryGetValue(epoch, out string? publisher))
            _publisherOf.Add(epoch, node.Host);
        else
            Require(publisher == node.Host, $"{node.Host} publishes in epoch {epoch}, which is {publisher}'s");
    }

    private void Say(string what)
    {
        _log.Enqueue($"{(_world.Clock.Now - _startedAt) / 1e6,12:F3} ms  {what}");
        if (_log.Count > 60)
            _log.Dequeue();
    }

    private string State() => $"{_scenario.Gate}, witness {_scenario.HasWitness}; " + string.Join("; ", _nodes.Select(node => node.Node is { } running
        ? $"{node.Host} {running.Options.Role} epoch {running.Gauges.Epoch.Value} received {running.Gauges.Received.Value} journalled {running.Gauges.Journalled.Value}"
            + $" applied {running.Gauges.Applied.Value} published {running.Gauges.Published.Value} replica {running.Gauges.ReplicaReceived.Value}"
            + $" connected {running.Gauges.StandbyConnected.Value} diverged {running.Gauges.Diverged.Value} full {running.Gauges.DiskNearlyFull.Value}"
        : $"{node.Host} down ({node.Failure?.Message})"));

    private static void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] BrokenPromise promise)
    {
        if (!holds)
            throw new SimulationFailure(promise.ToString());
    }

    // Asked some million times a seed: the words are put together only where they are needed.
    [InterpolatedStringHandler]
    private readonly ref struct BrokenPromise(int literalLength, int formattedCount, bool holds, out bool isNeeded)
    {
        private readonly StringBuilder? _words = (isNeeded = !holds) ? new(literalLength + (16 * formattedCount)) : null;

        public void AppendLiteral(string words) => _words!.Append(words);

        public void AppendFormatted<T>(T value) => _words!.Append(value);

        public override string ToString() => _words!.ToString();
    }
}
