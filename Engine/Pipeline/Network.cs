// The transport as the pipeline sees it: an agent as a stage, its sleep as a loop's parking, and its clock.
using MarginEngine.Aeron;
using MarginEngine.Promotion;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>Gives the transport the engine's clock.</summary>
internal sealed class TransportClock(IClock clock) : INanoClock, IEpochClock
{
    public long EpochMillis => clock.WallNanos / 1_000_000;

    public long NanoTime() => clock.MonotonicNanos;
}

/// <summary>An agent's duty cycle, polled like any stage. It may stand in a loop twice: before and after what it carries.</summary>
internal sealed class NetworkStage(AeronAgent agent, GaugeCounters? report = null, LeaseKeeper? lease = null) : IStage
{
    public string Name => "network";

    public long Sequence => 0;

    public bool HasWork => false;

    public AeronAgent Agent => agent;

    public int Poll()
    {
        lease?.Check();
        report?.Update();
        return agent.DoWork();
    }
}

/// <summary>Sleeps until a datagram arrives, a timer of the transport is due, or a peer has work.</summary>
internal sealed class NetworkParking(AeronAgent agent) : IParking
{
    public void Sleep(long nanos) => agent.WaitForInput(checked((int)(nanos / 1_000)));

    public void Wake() => agent.Wake();
}
