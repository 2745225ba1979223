// What the ring's tests share: slots that carry their own proof, threads that report what they threw, waits with a deadline.

using System.Diagnostics;
using System.Runtime.InteropServices;
using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>A slot of one cache line: the producer writes the first two words, each stage of a chain one more.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct Stamp
{
    internal long Sequence;
    internal ulong Proof;
    internal ulong First;
    internal ulong Second;
    internal ulong Third;

    internal void Write(long sequence)
    {
        Sequence = sequence;
        Proof = ProofOf(sequence, 0);
    }

    internal readonly bool IsFrom(long sequence) => Sequence == sequence && Proof == ProofOf(sequence, 0);

    /// <summary>A word that depends on every bit of the sequence and on the stage that writes it.</summary>
    internal static ulong ProofOf(long sequence, ulong stage)
    {
        unchecked
        {
            ulong mixed = ((ulong)sequence + stage * 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
            return mixed ^ (mixed >> 29);
        }
    }
}

/// <summary>A slot of four cache lines.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct WideStamp
{
    internal Stamp Head;
}

internal static class Deadline
{
    private const int Seconds = 30;

    internal static void Until(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed.TotalSeconds > Seconds)
                Assert.Fail($"not within {Seconds} s: {what}");
            Thread.Yield();
        }
    }

    internal static void Of(Task task, string what)
    {
        if (!Task.WhenAny(task, Task.Delay(TimeSpan.FromSeconds(Seconds))).GetAwaiter().GetResult().Equals(task))
            Assert.Fail($"not within {Seconds} s: {what}");
        task.GetAwaiter().GetResult();
    }

    /// <summary>Waits for a task that must fault, and returns what it faulted with.</summary>
    internal static TException FaultOf<TException>(Task task)
        where TException : Exception =>
        Assert.Throws<TException>(() => Of(task, $"a {typeof(TException).Name}"))!;
}

/// <summary>A test's thread: keeps what its body threw, never outlives the process.</summary>
internal sealed class Worker
{
    private readonly Thread _thread;

    private Worker(string name, Action body)
    {
        _thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception ex)
            {
                Failure = ex;
            }
        }) { Name = name, IsBackground = true };
        _thread.Start();
    }

    internal Exception? Failure { get; private set; }

    internal bool IsAlive => _thread.IsAlive;

    internal bool IsAsleep => (_thread.ThreadState & System.Threading.ThreadState.WaitSleepJoin) != 0;

    internal static Worker Start(string name, Action body) => new(name, body);

    /// <summary>Waits for the end and throws what the body threw.</summary>
    internal void Join()
    {
        End();
        if (Failure is not null)
            throw new InvalidOperationException($"{_thread.Name} threw {Failure.Message}", Failure);
    }

    /// <summary>Waits for the end and returns what the body threw.</summary>
    internal Exception? End()
    {
        Deadline.Until(() => !_thread.IsAlive, $"the end of thread {_thread.Name}");
        return Failure;
    }
}

/// <summary>A ring with its memory.</summary>
internal sealed class TestRing<T> : IDisposable
    where T : unmanaged
{
    private readonly UnmanagedRingBufferMemory _memory;

    internal unsafe TestRing(int size, IWaitStrategy? strategy = null, int? slotBytes = null)
    {
        _memory = UnmanagedRingBufferMemory.Allocate(size, slotBytes ?? sizeof(T));
        Ring = new UnmanagedRingBuffer<T>(_memory, ProducerType.Single, strategy ?? new YieldingWaitStrategy());
    }

    internal UnmanagedRingBuffer<T> Ring { get; }

    public void Dispose() => _memory.Dispose();
}

/// <summary>A disruptor with its memory; its threads are background threads, so that a hanging test ends with the process.</summary>
internal sealed class TestDisruptor : IDisposable
{
    private readonly UnmanagedRingBufferMemory _memory;

    internal TestDisruptor(int size, IWaitStrategy? strategy = null)
    {
        _memory = UnmanagedRingBufferMemory.Allocate(size, 64);
        var scheduler = new HandlerThreadScheduler((body, name) => new Thread(() => body()) { Name = name, IsBackground = true }.Start());
        Disruptor = new UnmanagedDisruptor<Stamp>(
            _memory.PointerToFirstEvent, 64, size, scheduler, ProducerType.Single, strategy ?? new YieldingWaitStrategy());
    }

    internal UnmanagedDisruptor<Stamp> Disruptor { get; }

    internal UnmanagedRingBuffer<Stamp> Ring => Disruptor.RingBuffer;

    internal void Start() => Deadline.Of(Disruptor.Start(), "every OnStart");

    internal void Publish(int count)
    {
        for (int i = 0; i < count; i++)
        {
            long sequence = Ring.Next();
            Ring[sequence].Write(sequence);
            Ring.Publish(sequence);
        }
    }

    public void Dispose()
    {
        Task halted = Disruptor.Halt();
        Deadline.Until(() => halted.IsCompleted, "the halt of every processor");
        _memory.Dispose(); // only now: a handler may have been in its last batch
    }
}

/// <summary>A handler made of what the test needs of it.</summary>
internal class ProbeHandler : IValueEventHandler<Stamp>, IEventProcessorSequenceAware
{
    private long _handled = -1;

    internal Action<long, bool>? OnEach { get; init; }

    internal Action? Starting { get; init; }

    internal Action? ShuttingDown { get; init; }

    internal Action<long>? TimingOut { get; init; }

    internal int? BatchLimit { get; init; }

    internal List<long> Seen { get; } = [];

    internal List<long> BatchSizes { get; } = [];

    internal List<long> BatchEnds { get; } = [];

    internal Sequence? Callback { get; private set; }

    /// <summary>The last sequence handled.</summary>
    internal long Handled => Volatile.Read(ref _handled);

    public int? MaxBatchSize => BatchLimit;

    public void OnStart() => Starting?.Invoke();

    public void OnShutdown() => ShuttingDown?.Invoke();

    public void OnTimeout(long sequence) => TimingOut?.Invoke(sequence);

    public void OnBatchStart(long batchSize) => BatchSizes.Add(batchSize);

    public void SetSequenceCallback(Sequence sequenceCallback) => Callback = sequenceCallback;

    public void OnEvent(ref Stamp data, long sequence, bool endOfBatch)
    {
        OnEach?.Invoke(sequence, endOfBatch);
        Assert.That(data.IsFrom(sequence), Is.True, $"slot of {sequence} holds {data.Sequence}");
        Seen.Add(sequence);
        if (endOfBatch)
            BatchEnds.Add(sequence);
        Volatile.Write(ref _handled, sequence);
    }
}

internal static class Strategies
{
    internal static readonly string[] Names = ["busy spin", "yielding", "sleeping", "blocking", "parking"];

    internal static IWaitStrategy Make(string name) => name switch
    {
        "busy spin" => new BusySpinWaitStrategy(),
        "yielding" => new YieldingWaitStrategy(),
        "sleeping" => new SleepingWaitStrategy(),
        "blocking" => new BlockingWaitStrategy(),
        "parking" => new ParkingWaitStrategy(),
        _ => throw new ArgumentException(name),
    };
}
