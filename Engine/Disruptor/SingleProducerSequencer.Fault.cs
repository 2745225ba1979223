// Stopping a ring for good: after a consumer's failure or a shutdown, everyone who waits or comes later gets an exception.

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Disruptor;

public sealed partial class SingleProducerSequencer
{
    /// <summary>The first failure of a consumer, or null.</summary>
    public RingFaultedException? Fault => Volatile.Read(ref _stop) as RingFaultedException;

    /// <summary>Faults as soon as a consumer fails; never completes otherwise.</summary>
    public Task Faulted => _faulted.Task;

    /// <summary>Stops the ring: producers and waiting consumers are released with the fault. Only the first one counts.</summary>
    public void Fail(RingFaultedException fault)
    {
        if (!TryStop(fault))
            return;
        _faulted.TrySetException(fault);
        foreach (SequenceBarrier barrier in Volatile.Read(ref _barriers))
            barrier.CancelProcessing();
    }

    /// <summary>Refuses every later claim and publication. Returns the last sequence that was published without an exception.</summary>
    public long Close(string reason)
    {
        TryStop(new RingClosedException(reason));

        // Publish stores the cursor and then looks at the stop word without a fence between. This barrier runs on all
        // processors: a publication either is in the cursor read below or throws.
        Interlocked.MemoryBarrierProcessWide();
        return _cursor.Value;
    }

    internal void AddBarrier(SequenceBarrier barrier)
    {
        lock (_registration)
            Volatile.Write(ref _barriers, [.. _barriers, barrier]);
        if (Fault is not null)
            barrier.CancelProcessing();
    }

    internal void RemoveBarrier(SequenceBarrier barrier)
    {
        lock (_registration)
            Volatile.Write(ref _barriers, Array.FindAll(_barriers, other => !ReferenceEquals(other, barrier)));
    }

    /// <summary>A new exception for each thread, so that their stack traces do not mix.</summary>
    internal static RingFaultedException Copy(RingFaultedException fault) =>
        new(fault.HandlerName, fault.Sequence, fault.InnerException!);

    private bool TryStop(Exception reason)
    {
        // A fault outranks a close: whoever is blocked on a closing ring should learn of the failure.
        Exception? current = Volatile.Read(ref _stop);
        while (current is null or RingClosedException && !ReferenceEquals(current, reason))
        {
            if (current is RingClosedException && reason is RingClosedException)
                return false;
            Exception? seen = Interlocked.CompareExchange(ref _stop, reason, current);
            if (ReferenceEquals(seen, current))
                return true;
            current = seen;
        }

        return false;
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowStopped() => throw (_stop switch
    {
        RingFaultedException fault => Copy(fault),
        Exception closed => new RingClosedException(closed.Message),
        null => new InvalidOperationException("the ring is not stopped"),
    });
}
