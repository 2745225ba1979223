// The parts of a node that need more than one line, and which thread polls which stage.
using Disruptor;
using MarginEngine.Aeron;
using MarginEngine.Journal;

namespace MarginEngine.Pipeline;

/// <content>Builders called from the wiring in Node.cs.</content>
public sealed partial class Node
{
    private const int RejectRingSlots = 1024;
    private const int HeartbeatsKept = 8192;
    private const int TermBytes = 2 << 20;
    private const int CoresForDedicated = 6;
    private const long NanosPerMilli = 1_000_000;
    private const long StandbySilenceNanos = 2_000 * NanosPerMilli;

    /// <summary>The configured placement, or the default for this machine's cores.</summary>
    private Placement PlacementInForce => _options.Placement != Placement.Auto ? _options.Placement
        : Environment.ProcessorCount >= CoresForDedicated ? Placement.Dedicated
        : Placement.Paired;

    /// <summary>Every loop has a core of its own: it never parks and stays there.</summary>
    private bool Spins { get; set; }

    private T Own<T>(T part)
        where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }

    private void CheckEpoch(RecoveryReport recovered, bool isTakeover)
    {
        if (isTakeover && (_options.Role != NodeRole.Primary || recovered.LastEpoch >= _options.Epoch))
            throw new NodeOptionsException(
                $"a {_options.Role} of epoch {_options.Epoch} cannot take over: it takes a primary of a newer epoch than {recovered.LastEpoch}");
        if (_options.Role == NodeRole.Primary && recovered.LastEpoch > _options.Epoch)
            throw new NodeOptionsException($"epoch is {_options.Epoch}, but the journal ends in epoch {recovered.LastEpoch}: a primary never goes back");
    }

    private void CheckLength(string key, Publication publication)
    {
        const int RecordOverhead = 64;
        if (publication.MaxMessageLength < _options.MaximumMessageBytes + (key == "replication" ? RecordOverhead : 0))
            throw new NodeOptionsException(
                $"{key}.channel carries messages up to {publication.MaxMessageLength} bytes, an eighth of its term-length: "
                + $"maximumMessageBytes is {_options.MaximumMessageBytes}");
    }

    private NetworkStage NewNetwork()
    {
        // Smaller terms than Aeron's default: what waits in a term is margin that grows stale, and nothing here is that far ahead.
        var clock = new TransportClock(_clock);
        AeronAgent agent = Own(new AeronAgent(_transport?.Invoke(clock) ?? new AeronOptions(clock)
        {
            TermLength = TermBytes,
            MaySend = _lease is { } lease ? () => lease.IsHeld : null,
            // One agent serves the directory: the first, which is the input's.
            Driver = (_networks.Count == 0 || DriverOptions.TakesManyAgents) && _options.AeronDirectory is { } directory
                ? new DriverOptions(directory, clock) { IpcTermLength = TermBytes }
                : null,
        }));
        var network = new NetworkStage(
            agent, _networks.Count == 0 && _options.AeronDirectory is not null ? new GaugeCounters(agent, Gauges, _options.Role, _clock) : null, _lease);
        _networks.Add(network);
        return network;
    }

    private Outlet NewOutlet(NetworkStage network, int stream, int conflatedAccounts)
    {
        Publication publication = network.Agent.AddPublication(_options.Output!.Channel, stream);
        CheckLength("output", publication);
        return new Outlet(
            publication, Rings.Create(_options.OutputRingSlots, _rings), _options.MaximumMessageBytes, conflatedAccounts,
            _options.SubscriberGraceMillis * NanosPerMilli, _clock, Gauges);
    }

    /// <summary>Applies what is too old to be published again; the decider gets the rest. Null where there is nothing.</summary>
    private Replay? ReplayOldPart(Plan plan, Outlet margins)
    {
        RecoveryReport recovered = plan.Recovered;
        Gauges.Published.Set(recovered.LastSequence);
        if (recovered.LastSequence == 0)
            return null;
        _start.GiveMargins(margins);
        var replay = Own(new Replay(plan.Storage, _options.Journal.Directory, EngineIdentity.Of(_options.Limits), recovered, _start.Sequence));
        long from = recovered.LastTimestampNanos - _options.RepublishMillis * NanosPerMilli;
        replay.ApplyBefore(_machine, Planted.Is(Defect.RepublishNothing) ? long.MaxValue : from, Gauges, margins);
        margins.MeasureAfter(recovered.LastSequence);
        return replay;
    }

    private Gateway BuildGateway(NetworkStage network, UnmanagedRingBuffer<MessageSlot> rejectRing, RecoveryReport recovered)
    {
        var intake = new Intake(
            new SlotWriter(_inputRing, _options.MaximumMessageBytes), new SlotWriter(rejectRing, MessageSlot.SlotBytes),
            _options.Limits.Sources, _options.RepublishMillis * NanosPerMilli / 2, _clock, Gauges,
            _options.Journal.ReserveBytes > 0 ? _options.Journal.ReserveBytes / 4 : long.MaxValue);
        Gauges.Received.Set(recovered.LastSequence);
        return new Gateway(
            network.Agent.AddSubscription(_options.Input!.Channel, _options.Input.Stream, _options.Input.Senders()), intake,
            _options.TimeTickMillis * NanosPerMilli, _clock, Gauges, _lease)
        {
            TryOpen = () =>
            {
                // The decider stands still at the end of the replay until there is input: its machine can be read here.
                bool lacksStandby = _options.GateInForce != Gate.Journal && Gauges.Alone.Value == 0 && Gauges.StandbyConnected.Value == 0;
                if (Gauges.Applied.Value < recovered.LastSequence || lacksStandby)
                    return false;
                intake.Resume(recovered.LastSequence, recovered.LastTimestampNanos, _machine.LastSourceSequence);
                return true;
            },
        };
    }

    private Replicator BuildReplicator(NetworkStage network, Plan plan)
    {
        // Where the journal is the gate, the standby gets nothing that a crash here could still lose.
        SlotReader input = _options.GateInForce == Gate.Journal
            ? new SlotReader(_inputRing, plan.Journaller.Durable)
            : new SlotReader(_inputRing);
        _inputRing.AddGatingSequences(input.Released);
        Publication records = network.Agent.AddPublication(_options.Replication!.Channel, _options.Replication.Stream);
        CheckLength("replication", records);
        return new Replicator(
            input,
            Own(new CatchUp(plan.Storage, _options.Journal.Directory)),
            records,
            network.Agent.AddSubscription(_options.Acks!.Channel, _options.Acks.Stream, _options.Acks.Senders()),
            new ReplicatorOptions(_options.Epoch, _options.MaximumMessageBytes, _options.InputRingSlots, StandbySilenceNanos)
            {
                HasStandbyInGate = _options.GateInForce != Gate.Journal,
                Led = LedEpochs.Add(plan.Storage, _options.Journal.Directory, _options.Epoch),
                Beginning = new EpochBoundary(_options.Epoch, plan.Recovered.LastSequence + 1, plan.Recovered.LastChecksum),
            },
            _clock, Gauges);
    }

    /// <summary>
    /// Groups of stages, a thread each. The replicator's records go on the wire before the disk is asked, the publisher comes right
    /// behind the disk.
    /// </summary>
    private IStage[][] PlacePrimary(
        NetworkStage input, NetworkStage output, Gateway gateway, NetworkStage? replica, Replicator? replicator, Journaller journaller,
        Decider decider, Publisher publisher)
    {
        IStage[] replication = replicator is null ? [] : [replicator, replica!];
        return PlacementInForce switch
        {
            Placement.Merged => [[input, gateway, .. replication, decider, journaller, publisher]],
            Placement.Paired => [[input, gateway, .. replication, journaller, publisher], [decider]],
            _ when replicator is null => [[input, gateway], [journaller], [decider], [output, publisher]],
            _ => [[input, gateway], [journaller], [replica!, replicator], [decider], [output, publisher]],
        };
    }

    private IStage[][] PlaceStandby(NetworkStage network, IStage follower, Journaller journaller, Decider decider, IStage acknowledger) =>
        PlacementInForce switch
        {
            Placement.Merged => [[network, follower, decider, journaller, acknowledger]],
            Placement.Paired => [[network, follower, journaller, acknowledger], [decider]],
            _ => [[network, follower, acknowledger], [journaller], [decider]],
        };

    private StageLoop[] BuildLoops(IStage[][] groups, Decider decider)
    {
        Spins = PlacementInForce == Placement.Dedicated && Environment.ProcessorCount > groups.Length;
        long spinNanos = Spins ? long.MaxValue : _options.IdleSpinMicros * 1_000L;
        StageLoop[] loops = [.. groups.Select(group => NewLoop(group, spinNanos))];
        foreach (StageLoop loop in loops)
        {
            loop.Connect(loops);
            if (loop.Stages.Contains(decider))
                decider.RelieveWith(NewRelief(loop, decider));
        }

        return loops;
    }

    private StageLoop NewLoop(IStage[] stages, long spinNanos)
    {
        const long NetworkParkNanos = 10 * NanosPerMilli;
        const long EventParkNanos = 100 * NanosPerMilli;
        NetworkStage? network = stages.OfType<NetworkStage>().FirstOrDefault();
        if (network is not null)
            return new StageLoop(stages, new NetworkParking(network.Agent), _clock, spinNanos, NetworkParkNanos, OnStageFault);
        return new StageLoop(stages, Own(new EventParking()), _clock, spinNanos, EventParkNanos, OnStageFault);
    }

    private IRelief NewRelief(StageLoop loop, Decider decider)
    {
        IStage[] downstream = [.. loop.Stages.Where(stage => stage != decider && stage is not Gateway and not Standby.Follower)];
        return downstream.Length > 0 ? new PollingRelief(loop, downstream, this) : new WaitingRelief(loop);
    }
}
