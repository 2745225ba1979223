// The operator and the bad luck: faults as the seed has them, and what somebody on duty does about a node that is down.
using MarginEngine.Journal;
using MarginEngine.Pipeline;

namespace MarginEngine.Tool.Simulate;

/// <content>Faults come one after the other; a second copy is never damaged while the first one is.</content>
internal sealed partial class Simulation
{
    private int _primary;
    private uint _epoch;
    private long _nextFaultAt;
    private long _partitionEndsAt;
    private long _diskEndsAt;
    private SimulatedNode? _troubledDisk;
    private const long LeaderlessNanos = 6 * Second;
    private long _leaderlessSince;
    private SimulatedNode? _forgotten;
    private long _forgottenUntil;
    private bool _mustPromote;
    private bool _isRefused;
    private bool _expectsDivergence;

    private SimulatedNode Any => _nodes[_random.Next(_nodes.Length)];

    private bool AllRun => Array.TrueForAll(_nodes, node => node.Node is not null && !node.IsPaused);

    /// <summary>Both nodes run, hold the same, and nothing is under way that could take one of them down.</summary>
    private bool IsWhole => _scenario.HasStandby && AllRun && _nodes[_primary].Node is { } primary && _nodes[1 - _primary].Node is { } standby
        && standby.Options.Role == NodeRole.Standby && primary.Gauges.StandbyConnected.Value != 0 && primary.Gauges.Diverged.Value == 0
        && primary.Gauges.Received.Value - standby.Gauges.Journalled.Value < 8 && primary.Gauges.ReplicaReceived.Value >= primary.Gauges.Published.Value
        && Array.TrueForAll(_nodes, node => !node.IsFlipped && !node.Disk.HasTroubleAhead) && _world.Severed.Count == 0
        && (_witness is null || (standby.Gauges.PrimaryFeedsLive.Value != 0 && primary.Gauges.Alone.Value == 0));

    private void Inject()
    {
        _nextFaultAt = _world.Clock.Now + 1 + _random.NextInt64(2 * _scenario.FaultEveryNanos);
        if (_scenario.Repertoire.Length == 0)
            return;
        Fault fault = _scenario.Repertoire[_random.Next(_scenario.Repertoire.Length)];
        if (!TryInject(fault))
            return;
        Counts.Faults[(int)fault]++;
    }

    private bool TryInject(Fault fault)
    {
        SimulatedNode node = Any;
        if (_forgotten is not null || node.Node is null || (fault == Fault.OldPrimary && _nodes[_primary].Node is null))
            return false;
        // The other copy must be whole before this one is put at risk; where a standby's memory is a copy, whatever ends a process does that.
        bool endsProcess = fault is Fault.Kill or Fault.PowerCut or Fault.CrashInCall or Fault.FailedSync or Fault.FullDisk;
        bool risksCopy = (endsProcess && _scenario.Gate == Gate.Replica)
            || fault is Fault.LyingSync or Fault.LostWrite or Fault.MisdirectedWrite or Fault.CorruptWrite or Fault.Promotion or Fault.OldPrimary;
        bool movesRoles = _witness is not null && fault is not Fault.ClockStep;
        bool isAtRisk = _troubledDisk is not null || Array.Exists(_nodes, one => one.IsFlipped);
        if ((risksCopy && _scenario.HasStandby && !IsWhole) || (isAtRisk && (risksCopy || endsProcess || movesRoles)))
            return false;
        switch (fault)
        {
            case Fault.Kill:
                Say($"kill {node.Host}");
                node.Kill();
                OnStopped(node);
                return true;
            case Fault.PowerCut:
                Say($"power cut of {node.Host}");
                node.CutPower();
                OnStopped(node);
                return true;
            case Fault.CrashInCall:
                Say($"{node.Host} will die inside a call");
                node.CrashSoon();
                return true;
            case Fault.FailedSync:
                Say($"a call of {node.Host} to its disk will fail");
                node.FailSoon();
                return true;
            case Fault.SlowDisk:
                node.DiskNanos = _random.NextInt64(100_000, 60_000_000);
                Say($"disk of {node.Host} takes {node.DiskNanos} ns");
                _diskEndsAt = _world.Clock.Now + _random.NextInt64(Second);
                return true;
            case Fault.FullDisk:
                Say($"disk of {node.Host} is full");
                node.Disk.CapacityBytes = node.Disk.Paths.Sum(path => (long)node.Disk.BytesOf(path).Length) + _random.NextInt64(600 << 10);
                _diskEndsAt = _world.Clock.Now + _random.NextInt64(Second);
                return true;
            case Fault.Pause:
                Say($"{node.Host} is stopped for a while");
                node.Pause(_random.NextInt64(1_000_000, 4 * Second));
                return true;
            case Fault.ClockStep:
                node.StepClock(_random.NextInt64(-500_000_000, 2 * Second));
                Say($"clock of {node.Host} was stepped");
                return true;
            case Fault.Partition:
                Sever(node.Host, _random.Next(2) == 0 ? _nodes[1 - node.Number].Host : "market");
                return true;
            case Fault.MemoryFlip:
                return FlipStandby();
            case Fault.Promotion:
                return TryPromote();
            case Fault.OldPrimary when _witness is null:
                return TryForgetOldPrimary();
            case Fault.OldPrimary:
                Say($"{_nodes[_primary].Host} is stopped for longer than its lease");
                _nodes[_primary].Pause(_random.NextInt64(SimulatedLease.Ttl, 4 * SimulatedLease.Ttl));
                return true;
            case Fault.WitnessAway:
                Sever(node.Host, SimulatedWitness.Host);
                return true;
            default:
                return SpoilDisk(node, fault);
        }
    }

    private void Sever(string one, string other)
    {
        Say($"{one} and {other} are apart");
        _world.Severed.Add((one, other));
        if (_random.Next(3) != 0)
            _world.Severed.Add((other, one));
        _partitionEndsAt = _world.Clock.Now + _random.NextInt64(10_000_000, 3 * Second);
    }

    // A disk that reports success: it goes on for a while, then the machine loses power, and only then it shows.
    private bool SpoilDisk(SimulatedNode node, Fault fault)
    {
        Say($"{fault} on {node.Host}");
        _troubledDisk = node;
        _diskEndsAt = _world.Clock.Now + _random.NextInt64(200_000_000);
        if (fault == Fault.LyingSync)
        {
            node.Disk.Lies = true;
            return true;
        }

        WriteFault kind = fault switch
        {
            Fault.LostWrite => WriteFault.Lose,
            Fault.MisdirectedWrite => WriteFault.Misdirect,
            _ => WriteFault.Corrupt,
        };
        int left = 1;
        node.Disk.OnWrite = () => left-- == 1 ? kind : WriteFault.None;
        return true;
    }

    private bool FlipStandby()
    {
        SimulatedNode standby = _nodes[1 - _primary];
        if (!IsWhole || standby.Node!.Gauges.Applied.Value < standby.Node.Gauges.Received.Value)
            return false;
        Say($"a bit of {standby.Host}'s memory flips");
        _expectsDivergence = standby.FlipMemory();
        return _expectsDivergence;
    }

    private void LiftFaults()
    {
        if (_partitionEndsAt != 0 && _world.Clock.Now >= _partitionEndsAt)
        {
            _partitionEndsAt = 0;
            _world.Severed.Clear();
        }

        if (_troubledDisk is not null && _diskEndsAt == 0 && IsWhole)
            _troubledDisk = null;
        if (_diskEndsAt == 0 || _world.Clock.Now < _diskEndsAt)
            return;
        _diskEndsAt = 0;
        foreach (SimulatedNode node in _nodes)
            Mend(node);
    }

    private void Mend(SimulatedNode node)
    {
        if (node.IsStepping)
            return;
        bool loses = node == _troubledDisk;
        node.DiskNanos = 0;
        node.Disk.CapacityBytes = long.MaxValue;
        node.Disk.FailAt = node.Disk.CrashAt = 0;
        if (!loses || (!node.Disk.Lies && node.Disk.OnWrite is null))
            return;
        // The spoilt disk shows what it is worth.
        Say($"power cut of {node.Host} with the spoilt disk");
        if (node.Node is not null)
        {
            node.CutPower();
            OnStopped(node);
        }
    }

    private void OnStopped(SimulatedNode node)
    {
        if (node.Failure is { } failure)
            Say($"{node.Host} stopped: {failure.GetType().Name}: {failure.Message}");
        if (node.Failure is StandbyAheadException && _witness is null)
            _mustPromote = true;
        // A restarted standby computes its state anew from the journal: the flip is gone with the process.
        if (node.Failure is not DivergenceException && node.Number != _primary)
            _expectsDivergence = false;
        CheckFailure(node);
        node.RestartAt = _world.Clock.Now + _random.NextInt64(1_000_000, 300_000_000);
    }

    private void Operate()
    {
        foreach (SimulatedNode node in _nodes)
        {
            if (node.IsDown && node != _forgotten && _world.Clock.Now >= node.RestartAt)
                Restart(node);
        }

        ForceWhenNobodyLeads();
        UndoForgottenPrimary();
    }

    // A pair without a primary and without a candidate says why and waits for a word: the one that was whole gets it.
    private void ForceWhenNobodyLeads()
    {
        if (_witness is null || Array.Exists(_nodes, node => node.IsPrimary || node.IsStepping || (node.Node is null && !IsBehind(node))))
        {
            _leaderlessSince = _world.Clock.Now;
            return;
        }

        if (_world.Clock.Now - _leaderlessSince < LeaderlessNanos)
            return;
        _leaderlessSince = _world.Clock.Now;
        SimulatedNode best = _nodes.MaxBy(node => node.Node?.Gauges.Journalled.Value ?? -1)!;
        if (best.Promote("the other one has lost its disk") is not null)
            return;
        Say($"{best.Host} is told to take over");
        Counts.Faults[(int)Fault.ForcedPromotion]++;
    }

    private void Restart(SimulatedNode node)
    {
        if (_witness is not null)
        {
            if (IsBehind(node) && !_nodes[1 - node.Number].IsPrimary)
                return;
            if (node.Failure is JournalDamagedException && node == _troubledDisk)
                Rebuild(node);
            Say($"start {node.Host}");
            Counts.Restarts++;
            node.Join(_witness);
            return;
        }

        Counts.Restarts++;
        if (node.Number == _primary && _mustPromote)
        {
            TryPromote();
            return;
        }

        bool isPrimary = node.Number == _primary;
        Say($"start {node.Host} as {(isPrimary ? "primary" : "standby")} in epoch {_epoch}");
        if (node.Start(isPrimary ? NodeRole.Primary : NodeRole.Standby, isPrimary ? _epoch : 1))
            return;

        Say($"{node.Host} would not start: {node.Failure!.GetType().Name}: {node.Failure.Message}");
        node.RestartAt = _world.Clock.Now + _random.NextInt64(1_000_000, 300_000_000);
        if (node.Failure is StorageException { IsOutOfSpace: true } or SimulatedCrashException || IsTold(node.Failure))
            return;
        if (node.Failure is JournalDamagedException && node == _troubledDisk)
        {
            if (!_scenario.HasStandby)
            {
                Counts.Faults[(int)Fault.Refusal]++;
                _isRefused = true;
                return;
            }

            Rebuild(node);
            return;
        }

        throw new SimulationFailure($"{node.Host} refuses to start without a reason we gave it: {node.Failure}");
    }

    // An operator's two mistakes in a row, without a witness: the old primary is stopped but not ended, and later its successor is started as a
    // standby. The old one wakes and sends its records: the successor must refuse them, and the old one must stop.
    private bool TryForgetOldPrimary()
    {
        SimulatedNode old = _nodes[_primary], successor = _nodes[1 - _primary];
        Say($"{old.Host} is stopped and forgotten, {successor.Host} is promoted to epoch {_epoch + 1}");
        if (!successor.Stop())
            return false;
        old.Pause(Second * 9 / 10);
        _epoch++;
        Require(successor.Start(NodeRole.Primary, _epoch), $"{successor.Host} would not start: {successor.Failure}");
        (_forgotten, _primary, _forgottenUntil) = (old, successor.Number, _world.Clock.Now + (Second / 2));
        return true;
    }

    private void UndoForgottenPrimary()
    {
        SimulatedNode successor = _nodes[_primary];
        if (_forgotten is null || _world.Clock.Now < _forgottenUntil || successor.IsStepping)
            return;
        if (successor.IsPrimary)
        {
            Require(successor.Stop() && successor.Start(NodeRole.Standby, _epoch), $"{successor.Host} would not start: {successor.Failure}");
            _forgottenUntil = _world.Clock.Now + Second;
            return;
        }

        if (_forgotten.IsDown)
        {
            Say($"{_forgotten.Host} was fenced");
            _epoch++;
            Require(successor.Stop() && successor.Start(NodeRole.Primary, _epoch), $"{successor.Host} would not start: {successor.Failure}");
            _forgotten.ReplaceDisk();
            _forgotten.RestartAt = _world.Clock.Now;
            _forgotten = null;
            return;
        }

        Require(_world.Clock.Now - _forgottenUntil < 10 * Second, $"an old primary goes on, its successor follows it; {State()}");
    }

    /// <summary>It has lost what the other one has: it is not to lead again.</summary>
    private static bool IsBehind(SimulatedNode node) => node.IsDown && node.Failure is StandbyAheadException;

    // The damaged copy is put away, and the machine starts from nothing behind the other one.
    private void Rebuild(SimulatedNode node)
    {
        Say($"{node.Host} gets a new disk");
        Counts.Faults[(int)Fault.Rebuild]++;
        if (_witness is null && node.Number == _primary && !TryPromote())
            return;
        node.ReplaceDisk();
        // What it held as a primary it holds no more: the lease that it had must not be its own again.
        _witness?.Forget(node.Host);
    }

    /// <summary>The standby takes over in the next epoch; the machine that was primary is rebuilt behind it.</summary>
    private bool TryPromote()
    {
        SimulatedNode standby = _nodes[1 - _primary], old = _nodes[_primary];
        if (standby.Node is null || standby.IsFlipped || standby.IsStepping || old.IsStepping)
            return false;
        if (old.Node is not null)
        {
            old.Kill();
            OnStopped(old);
        }

        Say($"{standby.Host} is promoted to epoch {_epoch + 1}");
        if (!standby.Stop())
            return false;
        _mustPromote = false;
        _epoch++;
        _primary = standby.Number;
        old.ReplaceDisk();
        standby.RestartAt = _world.Clock.Now;
        return true;
    }

    private static bool IsTold(Exception failure) => failure is StorageException && failure.Message.EndsWith("as told", StringComparison.Ordinal)
        || failure.InnerException is { } inner && IsTold(inner);
}
