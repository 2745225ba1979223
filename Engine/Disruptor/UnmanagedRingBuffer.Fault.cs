// Stopping a ring from outside its processors: an addition to Disruptor-net's ring, for consumers that poll on a thread of their own.

namespace Disruptor;

public abstract unsafe partial class UnmanagedRingBuffer
{
    /// <summary>The first failure of a consumer, or null.</summary>
    public RingFaultedException? Fault => _sequencer.Fault;

    /// <summary>Faults as soon as a consumer fails; never completes otherwise.</summary>
    public Task Faulted => _sequencer.Faulted;

    /// <summary>Stops the ring with a failure: producers and waiting consumers are released with it. Only the first one counts.</summary>
    public void Fail(RingFaultedException fault) => _sequencer.Fail(fault);

    /// <summary>
    /// Refuses every later claim and publication. Returns the last sequence a consumer must handle: a publication that came
    /// later threw.
    /// </summary>
    public long Close(string reason) => _sequencer.Close(reason);
}
