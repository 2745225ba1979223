// A monotonic position in the ring, alone on its cache lines. Written by one thread, read by many;
// advancing it wakes the consumers that parked on it and costs one predicted branch when none did.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Disruptor;

/// <summary>Position of a producer or consumer: the last sequence it has finished with, -1 before the first.</summary>
/// <remarks>
/// Layout in bytes from the start of the object, each side padded against the adjacent-line prefetcher:
/// <code>
/// |0 method table |8 padding ... |128 value |136 parked |144 watchers |152 padding ... |288
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Explicit)]
public sealed class Sequence
{
    /// <summary>The value before anything was published or consumed.</summary>
    public const long InitialCursorValue = -1;

    /// <summary>Bytes without other data on each side of the value: two cache lines.</summary>
    internal const int Padding = 128;

    private static readonly Lock Registration = new();

    [FieldOffset(Padding - 8)] private long _value;
    [FieldOffset(Padding)] private int _parked;
    [FieldOffset(Padding + 8)] private ParkingSequenceWaiter[] _watchers = [];

    // The runtime ignores StructLayout.Size on a class that holds references: only a last field keeps the room.
    [FieldOffset(Padding + 16 + Padding)] internal readonly long End;

    public Sequence(long initialValue = InitialCursorValue) => Volatile.Write(ref _value, initialValue);

    /// <summary>The value, read with acquire semantics.</summary>
    public long Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Volatile.Read(ref _value);
    }

    /// <summary>Writes with release semantics, then wakes whoever parked on this sequence and now has what it waits for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetValue(long value)
    {
        Volatile.Write(ref _value, value);
        if (Volatile.Read(ref _parked) != 0)
            WakeParked();
    }

    /// <summary>As <see cref="SetValue"/>, with a full fence behind the write.</summary>
    public void SetValueVolatile(long value)
    {
        Volatile.Write(ref _value, value);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _parked) != 0)
            WakeParked();
    }

    /// <summary>Atomically replaces <paramref name="expectedSequence"/>; false when the value was another.</summary>
    public bool CompareAndSet(long expectedSequence, long nextSequence)
    {
        bool replaced = Interlocked.CompareExchange(ref _value, nextSequence, expectedSequence) == expectedSequence;
        if (replaced && Volatile.Read(ref _parked) != 0)
            WakeParked();
        return replaced;
    }

    public long IncrementAndGet() => AddAndGet(1);

    /// <summary>Atomically adds and returns the sum.</summary>
    public long AddAndGet(long value)
    {
        long sum = Interlocked.Add(ref _value, value);
        if (Volatile.Read(ref _parked) != 0)
            WakeParked();
        return sum;
    }

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Registers a consumer that may park on this sequence.</summary>
    internal void AddWatcher(ParkingSequenceWaiter watcher)
    {
        lock (Registration)
            Volatile.Write(ref _watchers, [.. _watchers, watcher]);
    }

    internal void RemoveWatcher(ParkingSequenceWaiter watcher)
    {
        lock (Registration)
            Volatile.Write(ref _watchers, Array.FindAll(_watchers, other => !ReferenceEquals(other, watcher)));
    }

    /// <summary>Announces that a watcher is about to park; the caller must fence and look at the value again before it does.</summary>
    internal void BeginPark() => Interlocked.Increment(ref _parked);

    internal void EndPark() => Interlocked.Decrement(ref _parked);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WakeParked()
    {
        // A consumer of two sequences is woken by whichever advances last: each must see the other's value.
        Interlocked.MemoryBarrier();
        foreach (ParkingSequenceWaiter watcher in Volatile.Read(ref _watchers))
            watcher.WakeIfSatisfied();
    }
}
