// Runs each processor on a thread made by the program's own thread starter, named after its handler.

namespace Disruptor;

/// <summary>
/// A TaskScheduler for a disruptor: `new HandlerThreadScheduler((body, name) => StartThread(body, name))`. The starter must run
/// the body on a new thread.
/// </summary>
public sealed class HandlerThreadScheduler(Action<Action, string> startThread) : TaskScheduler
{
    private int _count;

    protected override void QueueTask(Task task)
    {
        int number = Interlocked.Increment(ref _count);
        startThread(() => TryExecuteTask(task), task.AsyncState?.ToString() ?? $"consumer {number}");
    }

    /// <summary>Never on the caller's thread: a processor does not end.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
