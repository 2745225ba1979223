// Where one consumer waits for its upstream: looks at the sequences first and only then asks the wait strategy.

using System.Runtime.CompilerServices;

namespace Disruptor;

public interface ICancellableBarrier
{
    void CancelProcessing();
}

/// <summary>The coordination point of one consumer. Cancelling is sticky until the consumer is started again.</summary>
public sealed class SequenceBarrier : ICancellableBarrier, IDisposable
{
    private readonly SingleProducerSequencer _sequencer;
    private readonly ISequenceWaiter _waiter;
    private readonly DependentSequenceGroup _group;
    private CancellationTokenSource _cancellation = new();
    private bool _cancelled;

    /// <exception cref="NotSupportedException">The sequencer is not this library's single-producer one.</exception>
    public SequenceBarrier(ISequencer sequencer, ISequenceWaiter sequenceWaiter, DependentSequenceGroup dependentSequences)
    {
        _sequencer = sequencer as SingleProducerSequencer
            ?? throw new NotSupportedException($"{sequencer?.GetType().Name ?? "null"} is not a SingleProducerSequencer");
        _waiter = sequenceWaiter;
        _group = dependentSequences;
        _sequencer.AddBarrier(this);
    }

    public DependentSequenceGroup DependentSequences => _group;

    /// <summary>Waits until <paramref name="sequence"/> may be consumed; returns the highest sequence that may be, or a timeout.</summary>
    /// <exception cref="OperationCanceledException">Processing was cancelled.</exception>
    /// <exception cref="RingFaultedException">A peer failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SequenceWaitResult WaitFor(long sequence, CancellationToken cancellationToken = default)
    {
        if (!Volatile.Read(ref _cancelled))
        {
            long available = _group.Value;
            if (available >= sequence)
                return new SequenceWaitResult(available);
        }

        return Wait(sequence, cancellationToken);
    }

    /// <summary>As <see cref="WaitFor"/>: with a single producer everything up to the cursor is published.</summary>
    public SequenceWaitResult WaitForPublishedSequence(long sequence, CancellationToken cancellationToken = default) =>
        WaitFor(sequence, cancellationToken);

    /// <summary>Releases the consumer with an exception, now or at its next wait.</summary>
    public void CancelProcessing()
    {
        Volatile.Write(ref _cancelled, true);
        _cancellation.Cancel();
        _waiter.Cancel();
    }

    /// <summary>Forgets the consumer: a fault will not reach it any more.</summary>
    public void Dispose()
    {
        _sequencer.RemoveBarrier(this);
        _waiter.Dispose();
    }

    internal bool IsCancelled => Volatile.Read(ref _cancelled);

    internal SingleProducerSequencer Sequencer => _sequencer;

    /// <summary>Makes a cancelled barrier usable again, for a processor that is restarted.</summary>
    internal void Reset()
    {
        if (!_cancelled || _sequencer.Fault is not null)
            return;
        _cancellation = new CancellationTokenSource();
        Volatile.Write(ref _cancelled, false);
        Interlocked.MemoryBarrier();
        if (_sequencer.Fault is not null)
            CancelProcessing();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private SequenceWaitResult Wait(long sequence, CancellationToken cancellationToken)
    {
        // A caller's own token cancels this barrier; the consumers of the ring do not pass one.
        using CancellationTokenRegistration registration = cancellationToken.CanBeCanceled
            ? cancellationToken.UnsafeRegister(static barrier => ((SequenceBarrier)barrier!).CancelProcessing(), this)
            : default;
        try
        {
            CancellationToken token = _cancellation.Token;
            token.ThrowIfCancellationRequested();
            return _waiter.WaitFor(sequence, token);
        }
        catch (OperationCanceledException) when (_sequencer.Fault is not null)
        {
            throw SingleProducerSequencer.Copy(_sequencer.Fault);
        }
    }
}
