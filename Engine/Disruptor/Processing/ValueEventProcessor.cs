// The loop that feeds a handler: wait, hand over a batch, release it. A handler that throws stops the whole ring, by name.

using System.Runtime.CompilerServices;

namespace Disruptor.Processing;

/// <summary>
/// Processor of one handler. With a struct for <typeparamref name="THandler"/> the loop is compiled for that handler alone and
/// calls it directly.
/// </summary>
public sealed class ValueEventProcessor<T, THandler> : IValueEventProcessor<T>
    where T : unmanaged
    where THandler : IValueEventHandler<T>
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Halting = 2;

    private readonly Sequence _sequence = new();
    private readonly UnmanagedRingBuffer<T> _ring;
    private readonly SequenceBarrier _barrier;
    private readonly string _name;
    private readonly long _maxBatchSize;
    private readonly bool _hearsBatchStart;
    private THandler _handler;
    private IValueExceptionHandler<T>? _exceptionHandler;
    private TaskCompletionSource _started = new();
    private TaskCompletionSource _stopped = new();
    private readonly Lock _transition = new();
    private int _state;

    /// <exception cref="ArgumentOutOfRangeException">The handler's MaxBatchSize is below 1.</exception>
    public ValueEventProcessor(UnmanagedRingBuffer<T> ringBuffer, SequenceBarrier sequenceBarrier, THandler eventHandler)
    {
        ArgumentNullException.ThrowIfNull(ringBuffer);
        ArgumentNullException.ThrowIfNull(sequenceBarrier);
        _ring = ringBuffer;
        _barrier = sequenceBarrier;
        _handler = eventHandler;
        _name = eventHandler.GetType().Name;
        int? maxBatchSize = eventHandler.MaxBatchSize;
        if (maxBatchSize <= 0)
            throw new ArgumentOutOfRangeException(nameof(eventHandler), maxBatchSize, $"{_name}.MaxBatchSize must be at least 1");
        _maxBatchSize = maxBatchSize ?? long.MaxValue;
        _hearsBatchStart = BatchStart.IsImplementedBy<T>(eventHandler.GetType());
        if (_handler is IEventProcessorSequenceAware aware)
        {
            aware.SetSequenceCallback(_sequence);
            _handler = (THandler)aware; // a struct was boxed for the call
        }

        _stopped.SetResult();
    }

    public Sequence Sequence => _sequence;

    public bool IsRunning => Volatile.Read(ref _state) != Idle;

    /// <summary>The name of the handler's type: a thread starter names its thread by it.</summary>
    public override string ToString() => _name;

    public void SetExceptionHandler(IValueExceptionHandler<T> exceptionHandler)
    {
        ArgumentNullException.ThrowIfNull(exceptionHandler);
        _exceptionHandler = exceptionHandler;
    }

    public Task Start(TaskScheduler taskScheduler)
    {
        lock (_transition)
        {
            if (Interlocked.CompareExchange(ref _state, Running, Idle) != Idle)
                throw new InvalidOperationException($"{_name} is running");
            _barrier.Reset();
            _started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        try
        {
            Task.Factory.StartNew(
                static processor => ((ValueEventProcessor<T, THandler>)processor!).Run(),
                this,
                CancellationToken.None,
                TaskCreationOptions.DenyChildAttach | TaskCreationOptions.LongRunning,
                taskScheduler);
        }
        catch
        {
            End(); // no thread, nothing to halt
            throw;
        }

        return _started.Task;
    }

    public Task Halt()
    {
        lock (_transition)
        {
            if (Interlocked.CompareExchange(ref _state, Halting, Running) == Running)
                _barrier.CancelProcessing();
            return _stopped.Task;
        }
    }

    public void Dispose() => _barrier.Dispose();

    /// <summary>The root of the consumer's thread: nothing escapes it.</summary>
    private void Run()
    {
        long next = unchecked(_sequence.Value + 1);
        if (CallLifecycle(Stage.Start, next))
        {
            _started.TrySetResult();
            next = ProcessEvents(next);
        }

        CallLifecycle(Stage.Shutdown, next);
        if (_barrier.Sequencer.Fault is { } fault)
            _started.TrySetException(SingleProducerSequencer.Copy(fault));
        End();
    }

    private void End()
    {
        lock (_transition)
        {
            Volatile.Write(ref _state, Idle);
            _stopped.TrySetResult();
        }
    }

    /// <summary>Handles events until the barrier is cancelled or a handler fails; returns the sequence it stopped at.</summary>
    private long ProcessEvents(long next)
    {
        // Locals, not fields: they live on this thread's stack, where nobody shares their cache line.
        bool handling = false;
        while (!_barrier.IsCancelled)
        {
            try
            {
                unchecked
                {
                    SequenceWaitResult result = _barrier.WaitFor(next);
                    long available = result.UnsafeAvailableSequence;
                    if (available < next)
                    {
                        if (!CallLifecycle(Stage.Timeout, next))
                            return next;
                        continue;
                    }

                    if (available - next >= _maxBatchSize)
                        available = next + _maxBatchSize - 1;
                    handling = true;
                    if (_hearsBatchStart)
                        _handler.OnBatchStart(available - next + 1);
                    for (; next <= available; next++)
                        _handler.OnEvent(ref _ring[next], next, next == available);
                    handling = false;
                    _sequence.SetValue(available);
                }
            }
            catch (Exception) when (!handling && _barrier.IsCancelled)
            {
                return next; // released from its wait by a halt or by a peer's fault
            }
            catch (Exception ex)
            {
                bool skipped = handling ? SkipFailed(ex, next) : Fail(ex, next);
                if (!skipped)
                    return next;
                handling = false;
                next = unchecked(next + 1);
            }
        }

        return next;
    }

    /// <summary>True when the exception handler decided to go on behind the failed event.</summary>
    private bool SkipFailed(Exception exception, long sequence)
    {
        if (_exceptionHandler is null)
            return Fail(exception, sequence);
        try
        {
            _exceptionHandler.HandleEventException(exception, sequence, ref _ring[sequence]);
        }
        catch (Exception)
        {
            return Fail(exception, sequence);
        }

        _sequence.SetValue(sequence);
        return true;
    }

    private enum Stage
    {
        Start,
        Timeout,
        Shutdown,
    }

    /// <summary>Calls one of the handler's life-cycle members; false when the ring must stop.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool CallLifecycle(Stage stage, long next)
    {
        try
        {
            switch (stage)
            {
                case Stage.Start: _handler.OnStart(); break;
                case Stage.Timeout: _handler.OnTimeout(unchecked(next - 1)); break;
                default: _handler.OnShutdown(); break;
            }

            return true;
        }
        catch (Exception ex)
        {
            if (_exceptionHandler is null)
                return Fail(ex, next);
            try
            {
                switch (stage)
                {
                    case Stage.Start: _exceptionHandler.HandleOnStartException(ex); break;
                    case Stage.Timeout: _exceptionHandler.HandleOnTimeoutException(ex, unchecked(next - 1)); break;
                    default: _exceptionHandler.HandleOnShutdownException(ex); break;
                }

                return true;
            }
            catch (Exception)
            {
                return Fail(ex, next);
            }
        }
    }

    private bool Fail(Exception exception, long sequence)
    {
        _barrier.Sequencer.Fail(new RingFaultedException(_name, sequence, exception));
        return false;
    }
}
