// Claims and publishes sequences for one producer thread, and keeps it from overtaking the slowest consumer.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Disruptor;

/// <summary>Sequencer for exactly one producer thread; consumers may be added and removed while it runs.</summary>
/// <remarks>
/// The producer's own two words stand apart from what consumers read:
/// <code>
/// |0 method table |8 cursor, gating, stop, size ... |200 next |208 cached gating |216 padding ... |352
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Explicit)]
public sealed partial class SingleProducerSequencer : ISequencer
{
    private const int PrivateOffset = 192;

    [FieldOffset(0)] private readonly Sequence _cursor = new();
    [FieldOffset(8)] private Sequence[] _gatingSequences = [];
    [FieldOffset(16)] private Exception? _stop;
    [FieldOffset(24)] private readonly IWaitStrategy _waitStrategy;
    [FieldOffset(32)] private readonly Lock _registration = new();
    [FieldOffset(40)] private SequenceBarrier[] _barriers = [];
    [FieldOffset(48)] private readonly TaskCompletionSource _faulted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    [FieldOffset(56)] private readonly int _bufferSize;

    // Written and read by the producer alone.
    [FieldOffset(PrivateOffset)] private long _nextValue = Sequence.InitialCursorValue;
    [FieldOffset(PrivateOffset + 8)] private long _cachedGating = Sequence.InitialCursorValue;

    // As in Sequence: keeps the room behind.
    [FieldOffset(PrivateOffset + 16 + Sequence.Padding)] internal readonly long End;

    public SingleProducerSequencer(int bufferSize)
        : this(bufferSize, new BlockingWaitStrategy())
    {
    }

    /// <exception cref="ArgumentException"><paramref name="bufferSize"/> is not a positive power of two.</exception>
    public SingleProducerSequencer(int bufferSize, IWaitStrategy waitStrategy)
    {
        if (bufferSize < 1 || !System.Numerics.BitOperations.IsPow2(bufferSize))
            throw new ArgumentException($"bufferSize must be a positive power of two, not {bufferSize}", nameof(bufferSize));
        ArgumentNullException.ThrowIfNull(waitStrategy);
        _bufferSize = bufferSize;
        _waitStrategy = waitStrategy;
    }

    public int BufferSize => _bufferSize;

    public long Cursor => _cursor.Value;

    public long Next() => ClaimOrWait(1);

    public long Next(int n)
    {
        CheckCount(n);
        return ClaimOrWait(n);
    }

    public bool TryNext(out long sequence) => TryClaim(1, out sequence);

    public bool TryNext(int n, out long sequence)
    {
        CheckCount(n);
        return TryClaim(n, out sequence);
    }

    public bool HasAvailableCapacity(int requiredCapacity) => HasRoomFor(requiredCapacity);

    public long GetRemainingCapacity()
    {
        long claimed = Volatile.Read(ref _nextValue);
        long consumed = Minimum(Volatile.Read(ref _gatingSequences), claimed);
        return unchecked(_bufferSize - (claimed - consumed));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Publish(long sequence)
    {
        _cursor.SetValue(sequence);
        if (Volatile.Read(ref _stop) is not null)
            ThrowStopped();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Publish(long lo, long hi) => Publish(hi);

    public void Claim(long sequence)
    {
        _nextValue = sequence;
        _cachedGating = long.MinValue; // look at the consumers again before the next claim
    }

    public bool IsAvailable(long sequence)
    {
        long cursor = _cursor.Value;
        return sequence <= cursor && sequence > unchecked(cursor - _bufferSize);
    }

    public long GetHighestPublishedSequence(long nextSequence, long availableSequence) => availableSequence;

    public long GetMinimumSequence() => Minimum(Volatile.Read(ref _gatingSequences), _cursor.Value);

    public void AddGatingSequences(params Sequence[] gatingSequences)
    {
        lock (_registration)
        {
            foreach (Sequence added in gatingSequences)
                added.SetValue(_cursor.Value);
            Interlocked.Exchange(ref _gatingSequences, [.. _gatingSequences, .. gatingSequences]);

            // The producer may have moved on between the two lines above; from here on it waits for the new ones.
            foreach (Sequence added in gatingSequences)
                added.SetValue(_cursor.Value);
        }
    }

    public bool RemoveGatingSequence(Sequence sequence)
    {
        lock (_registration)
        {
            Sequence[] kept = Array.FindAll(_gatingSequences, other => !ReferenceEquals(other, sequence));
            bool removed = kept.Length != _gatingSequences.Length;
            Interlocked.Exchange(ref _gatingSequences, kept);
            return removed;
        }
    }

    public SequenceBarrier NewBarrier(SequenceWaiterOwner owner, params Sequence[] sequencesToTrack)
    {
        var group = new DependentSequenceGroup(_cursor, sequencesToTrack);
        return new SequenceBarrier(this, _waitStrategy.NewSequenceWaiter(owner, group), group);
    }

    public ValueEventPoller<T> NewPoller<T>(IValueDataProvider<T> provider, params Sequence[] gatingSequences)
        where T : struct =>
        new(provider, this, new Sequence(), new DependentSequenceGroup(_cursor, gatingSequences));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long ClaimOrWait(int n)
    {
        unchecked
        {
            long next = _nextValue + n;
            long wrapPoint = next - _bufferSize;
            if (wrapPoint > _cachedGating || Volatile.Read(ref _stop) is not null)
                WaitForRoom(wrapPoint);
            _nextValue = next;
            return next;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryClaim(int n, out long sequence)
    {
        if (Volatile.Read(ref _stop) is not null)
            ThrowStopped();
        if (!HasRoomFor(n))
        {
            sequence = default;
            return false;
        }

        sequence = _nextValue = unchecked(_nextValue + n);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool HasRoomFor(int n)
    {
        long wrapPoint = unchecked(_nextValue + n - _bufferSize);
        return wrapPoint <= _cachedGating || LookForRoom(wrapPoint);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WaitForRoom(long wrapPoint)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (Volatile.Read(ref _stop) is not null)
                ThrowStopped();
            if (LookForRoom(wrapPoint))
                return;
            PauseProducer(attempt);
        }
    }

    private bool LookForRoom(long wrapPoint)
    {
        // Orders the published cursor before the read of the consumers: a consumer that is being added starts at
        // a cursor at least as new as the consumers that were counted here.
        Interlocked.MemoryBarrier();
        _cachedGating = Minimum(Volatile.Read(ref _gatingSequences), _nextValue);
        return wrapPoint <= _cachedGating;
    }

    /// <summary>A full ring frees slots within a batch: spin first, then let the consumers have the processor.</summary>
    private static void PauseProducer(int attempt)
    {
        const int Spins = 200;
        const int Yields = 20_000;
        if (attempt < Spins)
            Spin.Pause();
        else if (attempt < Spins + Yields)
            Thread.Yield();
        else
            Thread.Sleep(1);
    }

    private static long Minimum(Sequence[] sequences, long minimum)
    {
        foreach (Sequence sequence in sequences)
            minimum = Math.Min(minimum, sequence.Value);
        return minimum;
    }

    private void CheckCount(int n)
    {
        if (unchecked((uint)(n - 1) >= (uint)_bufferSize))
            ThrowCount(n);
    }

    private void ThrowCount(int n) =>
        throw new ArgumentOutOfRangeException(nameof(n), n, $"a claim is of 1 to {_bufferSize} slots");
}
