// One agent on a thread of its own: the loop that drives it, the commands that other threads hand it, and its sleep.

using System.Collections.Concurrent;

namespace MarginEngine.Aeron;

/// <summary>
/// Runs an agent until it is disposed. A failure of the agent stops the thread and is thrown at whoever asks it for something next.
/// </summary>
internal sealed class AgentThread : IDisposable
{
    private const int StopPatienceMillis = 10_000;

    private readonly ConcurrentQueue<Command> _commands = new();
    private readonly Thread _thread;
    private readonly int _idleMicros;
    private readonly Action<Exception>? _onFailure;
    private volatile Exception? _failure;
    private volatile bool _stop;

    public AgentThread(AeronOptions options, string name, int idleMicros, Action<Exception>? onFailure)
    {
        Agent = new AeronAgent(options) { Home = this };
        _idleMicros = idleMicros;
        _onFailure = onFailure;
        _thread = new Thread(Loop) { Name = name, IsBackground = true };
        _thread.Start();
    }

    public AeronAgent Agent { get; }

    /// <summary>Runs something on the agent's thread and waits for it; on that thread itself, at once.</summary>
    /// <exception cref="ObjectDisposedException">the thread has ended</exception>
    public T Run<T>(Func<AeronAgent, T> action)
    {
        if (Thread.CurrentThread == _thread)
            return action(Agent);
        T result = default!;
        using var command = new Command(() => result = action(Agent));
        _commands.Enqueue(command);
        Agent.Wake();
        // The loop may have ended between the look and the command.
        while (!command.Wait(millis: 100))
        {
            if (!_thread.IsAlive)
                throw new ObjectDisposedException("the transport's thread has ended", _failure);
        }
        command.ThrowIfFailed();
        return result;
    }

    public void Dispose()
    {
        if (Thread.CurrentThread == _thread)
            throw new InvalidOperationException("a callback of the transport's thread cannot end it");
        _stop = true;
        if (_thread.IsAlive)
            Agent.Wake();
        if (!_thread.Join(StopPatienceMillis))
            throw new TimeoutException("the transport's thread does not end: a callback keeps it");
    }

    private void Loop()
    {
        try
        {
            while (!_stop)
            {
                while (_commands.TryDequeue(out Command? command))
                    command.Execute();
                if (Agent.DoWork() > 0)
                    continue;
                if (_idleMicros > 0)
                    Agent.WaitForInput(_idleMicros);
                else
                    Thread.SpinWait(1);
            }
        }
        catch (Exception failure)
        {
            _failure = failure;
            _onFailure?.Invoke(failure);
        }
        finally
        {
            Agent.Home = null;
            Agent.Dispose();
        }
    }

    private sealed class Command(Action action) : IDisposable
    {
        private readonly ManualResetEventSlim _done = new();
        private Exception? _failure;

        public void Execute()
        {
            try
            {
                action();
            }
            catch (Exception failure)
            {
                // Whoever asked gets it.
                _failure = failure;
            }
            _done.Set();
        }

        public bool Wait(int millis) => _done.Wait(millis);

        public void ThrowIfFailed()
        {
            if (_failure is not null)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
        }

        public void Dispose() => _done.Dispose();
    }
}
