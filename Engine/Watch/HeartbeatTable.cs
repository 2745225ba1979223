// The digests of the newest heartbeats: written by the decider, looked up by the stages that compare two nodes.
namespace MarginEngine.Watch;

/// <summary>State and decisions of the whole engine at a sequence, as two digests.</summary>
public readonly record struct HeartbeatDigest(long Sequence, ulong State, ulong Decisions);

/// <summary>
/// The last few thousand heartbeats, one a second. One writer; readers on other threads never see half an entry, because an
/// entry's sequence is taken away before its digests change and put back after.
/// </summary>
public sealed class HeartbeatTable
{
    private const long Changing = -1;
    private readonly long[] _sequences;
    private readonly ulong[] _states;
    private readonly ulong[] _decisions;
    private long _count;

    /// <param name="capacity">Heartbeats kept; 8,192 are more than two hours.</param>
    public HeartbeatTable(int capacity = 8192)
    {
        _sequences = new long[capacity];
        _states = new ulong[capacity];
        _decisions = new ulong[capacity];
    }

    /// <summary>Heartbeats added so far.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Number of the oldest heartbeat that is still kept.</summary>
    public long First => Math.Max(0, Count - _sequences.Length);

    public void Add(in HeartbeatDigest heartbeat)
    {
        long index = _count % _sequences.Length;
        Volatile.Write(ref _sequences[index], Changing);
        Interlocked.MemoryBarrier();
        _states[index] = heartbeat.State;
        _decisions[index] = heartbeat.Decisions;
        Volatile.Write(ref _sequences[index], heartbeat.Sequence);
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>The heartbeat of a number counted from 0; false when it is not there (yet, or no longer).</summary>
    public bool TryGet(long number, out HeartbeatDigest heartbeat)
    {
        heartbeat = default;
        long count = Count;
        return number >= First && number < count && TryRead(number, out heartbeat);
    }

    /// <summary>The heartbeat at exactly this sequence; false when it is not there (yet, or no longer).</summary>
    public bool TryFind(long sequence, out HeartbeatDigest heartbeat)
    {
        long count = Count;
        for (long number = count - 1; number >= First; number--)
        {
            if (TryRead(number, out heartbeat) && heartbeat.Sequence <= sequence)
                return heartbeat.Sequence == sequence;
        }

        heartbeat = default;
        return false;
    }

    /// <summary>The newest heartbeat; false before the first.</summary>
    public bool TryNewest(out HeartbeatDigest heartbeat)
    {
        // Two tries: the writer may be replacing the one that was newest only after it has gone round the whole table.
        for (int attempt = 0; attempt < 2; attempt++)
        {
            long count = Count;
            if (count > 0 && TryRead(count - 1, out heartbeat))
                return true;
        }

        heartbeat = default;
        return false;
    }

    private bool TryRead(long number, out HeartbeatDigest heartbeat)
    {
        long index = number % _sequences.Length;
        long before = Volatile.Read(ref _sequences[index]);
        heartbeat = new HeartbeatDigest(before, Volatile.Read(ref _states[index]), Volatile.Read(ref _decisions[index]));
        return before != Changing && Volatile.Read(ref _sequences[index]) == before;
    }
}
