// Start, drain and stop. Completion tells the owner how it ended; it is an addition to Disruptor-net's disruptor.

using Disruptor.Processing;

namespace Disruptor.Dsl;

public abstract partial class ValueTypeDisruptor<T>
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Faults with a <see cref="RingFaultedException"/> as soon as a handler fails; ends normally after Halt or Shutdown.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts every processor; the task ends when every OnStart has run, and faults if one of them threw.</summary>
    public Task Start()
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
            throw new InvalidOperationException("the disruptor was started before");
        return Task.WhenAll(_consumers.ConvertAll(consumer => consumer.Processor.Start(_taskScheduler)));
    }

    /// <summary>
    /// Stops every processor after its current batch, whatever is still in the ring, and refuses later publications. The task
    /// ends when every OnShutdown has run.
    /// </summary>
    public async Task Halt()
    {
        _ring.Close("the disruptor was halted");
        await StopProcessors().ConfigureAwait(false);
        _completion.TrySetResult();
    }

    /// <inheritdoc cref="Shutdown(TimeSpan)"/>
    public Task Shutdown() => Shutdown(Timeout.InfiniteTimeSpan);

    /// <summary>
    /// Refuses later publications, lets the consumers finish everything that was published, then stops them.
    /// </summary>
    /// <exception cref="TimeoutException">They did not finish in time; they go on.</exception>
    /// <exception cref="InvalidOperationException">Events are left and no consumer runs.</exception>
    /// <exception cref="RingFaultedException">A handler failed: events behind it stay unhandled.</exception>
    public async Task Shutdown(TimeSpan timeout)
    {
        long last = _ring.Close("the disruptor was shut down");
        using var deadline = new CancellationTokenSource(timeout);
        while (SlowestConsumer() < last && _ring.Fault is null)
        {
            bool nobodyLeft = !_consumers.Exists(consumer => consumer.Processor.IsRunning);
            if (nobodyLeft && SlowestConsumer() < last && _ring.Fault is null)
                throw new InvalidOperationException($"no consumer runs: {Backlog(last)}");
            if (deadline.IsCancellationRequested)
                throw new TimeoutException($"not drained in {timeout}: {Backlog(last)}");
            await Task.Delay(1, CancellationToken.None).ConfigureAwait(false);
        }

        try
        {
            await StopProcessors().WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"drained, but not every OnShutdown has returned in {timeout}");
        }

        if (_ring.Fault is { } fault)
            throw SingleProducerSequencer.Copy(fault);
        _completion.TrySetResult();
    }

    /// <summary>Halts, waits for the processors to end, and frees their barriers. Not to be called by a handler.</summary>
    public void Dispose()
    {
        Halt().GetAwaiter().GetResult();
        foreach (Consumer consumer in _consumers)
            consumer.Processor.Dispose();
        GC.SuppressFinalize(this);
    }

    private Task StopProcessors() => Task.WhenAll(_consumers.ConvertAll(consumer => consumer.Processor.Halt()));

    private string Backlog(long last) => FormattableString.Invariant($"handled up to sequence {SlowestConsumer()} of {last}");

    /// <summary>Of the consumers of this graph and of pollers that gate the ring by themselves.</summary>
    private long SlowestConsumer()
    {
        long slowest = _ring.GetMinimumGatingSequence();
        foreach (Consumer consumer in _consumers)
            slowest = Math.Min(slowest, consumer.Processor.Sequence.Value);
        return slowest;
    }

    private void ForwardFault() => _ring.Faulted.ContinueWith(
        static (faulted, completion) => ((TaskCompletionSource)completion!).TrySetException(faulted.Exception!.InnerExceptions),
        _completion,
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
