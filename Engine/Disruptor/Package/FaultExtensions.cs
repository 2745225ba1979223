// Gives the package's ring the names of our fault handling, so that one pipeline compiles over both. The package cannot
// release a blocked producer or a waiting peer: the owner must end the process when Completion or Faulted faults.

using System.Runtime.CompilerServices;
using Disruptor.Dsl;

namespace Disruptor;

public static class FaultExtensions
{
    private static readonly ConditionalWeakTable<object, TaskCompletionSource> Ends = [];

    extension<T>(UnmanagedRingBuffer<T> ring)
        where T : unmanaged
    {
        public Task Faulted => EndOf(ring).Task;

        public RingFaultedException? Fault => EndOf(ring).Task.Exception?.InnerException as RingFaultedException;

        public void Fail(RingFaultedException fault) => EndOf(ring).TrySetException(fault);
    }

    extension<T>(UnmanagedDisruptor<T> disruptor)
        where T : unmanaged
    {
        /// <summary>To be read before the handlers are added: it installs the exception handler that records a failure.</summary>
        public Task Completion
        {
            get
            {
                TaskCompletionSource end = EndOf(disruptor.RingBuffer);
                disruptor.SetDefaultExceptionHandler(new Recorder<T>(end));
                return end.Task;
            }
        }
    }

    private static TaskCompletionSource EndOf(object ring) =>
        Ends.GetValue(ring, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class Recorder<T>(TaskCompletionSource end) : IValueExceptionHandler<T>
        where T : struct
    {
        public void HandleEventException(Exception ex, long sequence, ref T evt) => Record(ex, sequence);

        public void HandleOnTimeoutException(Exception ex, long sequence) => Record(ex, sequence);

        public void HandleOnStartException(Exception ex) => Record(ex, Sequence.InitialCursorValue);

        public void HandleOnShutdownException(Exception ex) => Record(ex, Sequence.InitialCursorValue);

        private void Record(Exception ex, long sequence)
        {
            var fault = new RingFaultedException(ex.TargetSite?.DeclaringType?.Name ?? "handler", sequence, ex);
            end.TrySetException(fault);
            throw fault;
        }
    }
}
