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
    private THandler _handler;
    private IValueExceptionHandler<T>? _exceptionHandler;
    private TaskCompletionSource _started = new();
    private TaskCompletionSource _stopped = new();
    private int _state;
    private long _next;

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
        if (Interlocked.CompareExchange(ref _state, Running, Idle) != Idle)
            throw new InvalidOperationException($"{_name} is running");
        _barrier.Reset();
        _started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task.Factory.StartNew(
            static processor => ((ValueEventProcessor<T, THandler>)processor!).Run(),
            this,
            CancellationToken.None,
            TaskCreationOptions.DenyChildAttach | TaskCreationOptions.LongRunning,
            taskScheduler);
        return _started.Task;
    }

    public Task Halt()
    {
        if (Interlocked.CompareExchange(ref _state, Halting, Running) == Running)
            _barrier.CancelProcessing();
        return _stopped.Task;
    }

    public void Dispose() => _barrier.Dispose();

    /// <summary>The root of the consumer's thread: nothing escapes it.</summary>
    private void Run()
    {
        _next = unchecked(_sequence.Value + 1);
        if (Guarded(Stage.Start))
        {
            _started.TrySetResult();
            ProcessEvents();
        }

        Guarded(Stage.Shutdown);
        if (_barrier.Sequencer.Fault is { } fault)
            _started.TrySetException(SingleProducerSequencer.Copy(fault));
        Volatile.Write(ref _state, Idle);
        _stopped.TrySetResult();
    }

    private void ProcessEvents()
    {
        while (true)
        {
            try
            {
                while (!_barrier.IsCancelled)
                    ProcessBatch();
                return;
            }
            catch (Exception) when (_barrier.IsCancelled && !_handling)
            {
                return; // released from its wait by a halt or by a peer's fault
            }
            catch (Exception ex)
            {
                if (!SkipFailed(ex))
                    return;
            }
        }
    }

    private bool _handling;

    private void ProcessBatch()
    {
        unchecked
        {
            SequenceWaitResult result = _barrier.WaitFor(_next);
            if (result.IsTimeout)
            {
                Guarded(Stage.Timeout);
                return;
            }

            long available = result.UnsafeAvailableSequence;
            if (available - _next >= _maxBatchSize)
                available = _next + _maxBatchSize - 1;
            _handling = true;
            _handler.OnBatchStart(available - _next + 1);
            for (long sequence = _next; sequence <= available; sequence++)
            {
                _next = sequence;
                _handler.OnEvent(ref _ring[sequence], sequence, sequence == available);
            }

            _handling = false;
            _next = available + 1;
            _sequence.SetValue(available);
        }
    }

    /// <summary>True when the exception handler decided to go on behind the failed event.</summary>
    private bool SkipFailed(Exception exception)
    {
        _handling = false;
        if (_exceptionHandler is null)
            return Fail(exception);
        try
        {
            _exceptionHandler.HandleEventException(exception, _next, ref _ring[_next]);
        }
        catch (Exception)
        {
            return Fail(exception);
        }

        _sequence.SetValue(_next);
        _next = unchecked(_next + 1);
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
    private bool Guarded(Stage stage)
    {
        try
        {
            switch (stage)
            {
                case Stage.Start: _handler.OnStart(); break;
                case Stage.Timeout: _handler.OnTimeout(unchecked(_next - 1)); break;
                default: _handler.OnShutdown(); break;
            }

            return true;
        }
        catch (Exception ex)
        {
            if (_exceptionHandler is null)
                return Fail(ex);
            try
            {
                switch (stage)
                {
                    case Stage.Start: _exceptionHandler.HandleOnStartException(ex); break;
                    case Stage.Timeout: _exceptionHandler.HandleOnTimeoutException(ex, unchecked(_next - 1)); break;
                    default: _exceptionHandler.HandleOnShutdownException(ex); break;
                }

                return true;
            }
            catch (Exception)
            {
                return Fail(ex);
            }
        }
    }

    private bool Fail(Exception exception)
    {
        _barrier.Sequencer.Fail(new RingFaultedException(_name, _next, exception));
        return false;
    }
}
