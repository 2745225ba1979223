// One simulated machine: a disk that outlives its processes, a clock of its own, and now and then a node running on it.
using System.Reflection;
using System.Runtime.InteropServices;
using MarginEngine.Aeron;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Simulate;

/// <summary>Starts, steps, stops and crashes a node. The real one: only its disk, network and clock are simulated.</summary>
internal sealed class SimulatedNode(int number, SimulatedWorld world, Scenario scenario, Random random) : IDisposable
{
    private readonly NodeClock _clock = new(world.Clock, random.Next(-20_000, 20_001));
    private long _notBefore;
    private long _houseAt;
    private Node? _node;
    private PairMember? _member;
    private LeaseKeeper? _keeper;
    private SimulatedLease? _lease;
    private bool _isStepping;
    private long _flippedAt;
    private long _lookAt;

    public int Number => number;

    public string Host { get; } = Topology.Name(number);

    public FaultyStorage Disk { get; private set; } = new() { Chance = new Random(random.Next()) };

    /// <summary>The running node, or null.</summary>
    public Node? Node => _member?.Node ?? _node;

    /// <summary>No process runs on this machine.</summary>
    public bool IsDown => _member is null && _node is null;

    /// <summary>Records it wrote as a primary that no successor ever had, cut on its way back.</summary>
    public long RecordsCut { get; private set; }

    public bool IsPrimary => Node?.Options.Role == NodeRole.Primary;

    /// <summary>The newest epoch this machine was started in or has followed.</summary>
    public uint Epoch { get; private set; } = 1;

    /// <summary>Why the node stopped or would not start; null while all is well.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>When the operator should look at it again.</summary>
    public long RestartAt { get; set; }

    /// <summary>Moves the rest of the world while this node waits inside a step.</summary>
    public Action? WhileWaiting { get; set; }

    /// <summary>Inside a step: it can be neither killed nor looked at.</summary>
    public bool IsStepping => _isStepping;

    /// <summary>Simulated time that each write and sync takes; 0 none.</summary>
    public long DiskNanos { get; set; }

    /// <summary>A balance was changed behind the machine's back, and nobody has noticed yet.</summary>
    public bool IsFlipped { get; private set; }

    /// <summary>A flipped memory passed a comparison that was made after the flip.</summary>
    public bool PassedWithFlip => IsFlipped && Node is not null && Node.Gauges.Agreed.Value > _flippedAt;

    public bool IsPaused => world.Clock.Now < _notBefore;

    /// <summary>Opens the journal and builds a node; false where it refused, see <see cref="Failure"/>.</summary>
    public bool Start(NodeRole role, uint epoch)
    {
        Failure = null;
        Disk.OnWaited = () => _notBefore = Math.Max(_notBefore, world.Clock.Now) + DiskNanos;
        try
        {
            _node = new Node(Topology.Options(number, role, epoch, scenario), _clock, Disk, Transport) { WhileWaiting = WaitInside };
            Epoch = (uint)_node.Gauges.Epoch.Value;
            return true;
        }
        catch (Exception refusal) when (refusal is not SimulationFailure)
        {
            Failure = refusal;
            RiseAgain();
            return false;
        }
    }

    /// <summary>Starts a member of a pair: the witness decides what it becomes.</summary>
    public void Join(SimulatedWitness witness)
    {
        Failure = null;
        Disk.OnWaited = () => _notBefore = Math.Max(_notBefore, world.Clock.Now) + DiskNanos;
        _lease = new SimulatedLease(witness, world.Clock, Host);
        _keeper = new LeaseKeeper(_lease, _clock);
        _member = new PairMember(Topology.PairOptions(number, scenario), _keeper, _clock, Disk, Transport);
    }

    public int Step()
    {
        if (IsDown || IsPaused || _isStepping)
            return 0;
        _isStepping = true;
        try
        {
            LookAround();
            if (Node is { } node)
                return Step(node);
        }
        catch (Exception refusal) when (refusal is not SimulationFailure)
        {
            Failure = refusal;
            Drop();
            RiseAgain();
        }
        finally
        {
            _isStepping = false;
        }

        return 0;
    }

    // The lease is kept by a thread of its own.
    private void WaitInside()
    {
        _keeper?.Poll();
        WhileWaiting?.Invoke();
    }

    // What `margin run` does every now and then: ask the witness, change roles.
    private void LookAround()
    {
        if (_member is null)
            return;
        _keeper!.Poll();
        if (world.Clock.Now < _lookAt && _member.Node is { Fault: null })
            return;
        _lookAt = world.Clock.Now + 5_000_000;
        long cut = _member.RecordsCut;
        if (_member.Poll() == MemberChange.None)
            return;
        RecordsCut += _member.RecordsCut - cut;
        if (_member.Node is { } node)
            node.WhileWaiting = WaitInside;
    }

    private int Step(Node node)
    {
        int work = node.Step();
        if (world.Clock.Now >= _houseAt)
        {
            node.KeepHouse();
            _houseAt = world.Clock.Now + 100_000_000;
        }

        Epoch = Math.Max(Epoch, (uint)node.Gauges.Epoch.Value);
        if (node.Fault is { } fault && !(_member is not null && fault.Cause is UnreplicatedTailException))
        {
            Failure = fault.Cause;
            Drop();
            RiseAgain();
        }

        return work;
    }

    /// <summary>An operator's word; what stands against it, or null.</summary>
    public string? Promote(string because) => _member is null ? "it is not there" : _member.Promote(because);

    /// <summary>The process is gone; the system still has what it accepted.</summary>
    public void Kill()
    {
        Disk.Stop();
        _lease?.Silence();
        Drop();
        Disk = Renewed(Disk.AfterKill());
    }

    /// <summary>The machine is gone; the disk has what was synced, and of the rest whatever it pleases.</summary>
    public void CutPower()
    {
        Disk.Stop();
        _lease?.Silence();
        Drop();
        Disk = Renewed(Disk.AfterPowerCut(random));
    }

    /// <summary>The process dies inside one of its next calls to the disk.</summary>
    public void CrashSoon()
    {
        Disk.CrashAt = Disk.Steps + random.Next(1, 12);
        Disk.CrashAfter = random.Next(2) == 0;
    }

    public void FailSoon() => Disk.FailAt = Disk.Steps + random.Next(1, 12);

    public void Pause(long nanos) => _notBefore = world.Clock.Now + nanos;

    public void StepClock(long nanos) => _clock.Offset += nanos;

    /// <summary>An orderly end: everything taken is journalled and applied first.</summary>
    public bool Stop()
    {
        for (int i = 0; i < 10_000 && Node is { Fault: null } node && Math.Min(node.Gauges.Journalled.Value, node.Gauges.Applied.Value) < node.Gauges.Received.Value; i++)
        {
            world.Clock.Now += 1_000;
            node.Step();
        }

        bool drained = Node is { Fault: null };
        _lease?.Silence();
        Drop();
        return drained;
    }

    /// <summary>A new disk, as after its replacement.</summary>
    public void ReplaceDisk() => Disk = Renewed(new FaultyStorage());

    /// <summary>Changes a balance in memory, as a cosmic ray or an undiscovered bug would.</summary>
    public bool FlipMemory()
    {
        if (Node is null || Node.Machine.AccountCount == 0)
            return false;
        var book = (Book)typeof(MarginMachine).GetField("_book", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(Node.Machine)!;
        // Of an account that nothing touches meanwhile, where there is one: there the digest alone can tell.
        int[] quiet = [.. Enumerable.Range(0, book.AccountCount).Where(index => book.AccountAt(index).FirstUnit < 0)];
        int account = quiet.Length > 0 ? quiet[random.Next(quiet.Length)] : random.Next(book.AccountCount);
        MemoryMarshal.GetReference(book.BalancesOf(account)) ^= 1L << random.Next(20);
        IsFlipped = true;
        _flippedAt = Node.Gauges.Applied.Value;
        return true;
    }

    public void Dispose() => Drop();

    // Whatever ended it inside a call took the process or the whole machine along.
    private void RiseAgain()
    {
        if (Disk.HasStopped)
            Disk = Renewed(random.Next(2) == 0 ? Disk.AfterKill() : Disk.AfterPowerCut(random));
    }

    private FaultyStorage Renewed(FaultyStorage disk)
    {
        disk.CapacityBytes = Disk.CapacityBytes;
        return disk;
    }

    private void Drop()
    {
        _member?.Dispose();
        _keeper?.Dispose();
        _node?.Dispose();
        (_member, _keeper, _node, _lease) = (null, null, null, null);
        IsFlipped = false;
        _notBefore = 0;
    }

    private AeronOptions Transport(INanoClock clock) => new(clock)
    {
        Network = () => new SimulatedNetwork(world) { Host = Host },
        TermLength = 128 << 10,
        InitialWindowLength = 32 << 10,
        SocketReceiveBufferLength = 64 << 10,
        ImageLivenessNanos = 2_000_000_000,
        ReceiverLivenessNanos = 1_000_000_000,
        MaxImages = 16,
        Seed = (ulong)random.NextInt64(),
    };

    /// <summary>Steady since the start; the wall part can be stepped.</summary>
    private sealed class NodeClock(SimulatedTime time, long partsPerMillion) : IClock
    {
        private const long Wall = 1_770_000_000_000_000_000;

        public long Offset { get; set; }

        public long MonotonicNanos => time.Now + (time.Now / 1_000_000 * partsPerMillion);

        public long WallNanos => Wall + time.Now + Offset;
    }
}

/// <summary>A run that broke a promise; the message says which.</summary>
internal sealed class SimulationFailure(string message) : Exception(message);
