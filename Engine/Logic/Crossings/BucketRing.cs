namespace MarginEngine.Logic;

/// <summary>
/// Entries waiting for a clock to reach their level, one clock a lane: lists in buckets of equal width on a ring, so that putting, moving and taking
/// out cost the same whatever their number. A level is rounded down to its bucket: an entry comes early, never late.
/// </summary>
public sealed class BucketRing
{
    /// <summary>Buckets of a lane. No entry may lie further ahead than <see cref="Reach"/>.</summary>
    public const int Buckets = 16_384;

    /// <summary>Of an entry: two links and its bucket.</summary>
    internal const int BytesPerEntry = 3 * sizeof(int);

    // Entries are counted from 1 in the lists, so that untouched memory is an empty ring.
    private const int Nowhere = 0;

    private readonly double _width;
    private readonly int[] _heads;
    private readonly int[] _next;
    private readonly int[] _previous;
    private readonly int[] _place;
    private readonly long[] _lowest;

    /// <param name="lanes">Clocks.</param>
    /// <param name="entries">Entries over all lanes.</param>
    /// <param name="width">Width of a bucket in units of the clock.</param>
    public BucketRing(int lanes, int entries, double width)
    {
        _width = width;
        _heads = new int[lanes * Buckets];
        _next = new int[entries];
        _previous = new int[entries];
        _place = new int[entries];
        _lowest = new long[lanes];
        Array.Fill(_lowest, long.MaxValue);
    }

    /// <summary>Furthest an entry may be put ahead of its clock, in units of the clock: half of the ring, as a clock may go back.</summary>
    public double Reach => _width * (Buckets / 2 - 2);

    /// <summary>Puts an entry, taken out of where it was. False: its level is already reached, or no number, and it was not put.</summary>
    public bool TryPut(int lane, int entry, double clock, double level)
    {
        Take(entry);
        if (!(level < clock + Reach) || !(level > clock) || BucketOf(level) <= BucketOf(clock))
        {
            return false;
        }

        long bucket = BucketOf(level);
        int place = (lane * Buckets) + (int)(bucket & (Buckets - 1));
        int head = _heads[place];
        _next[entry] = head;
        _previous[entry] = Nowhere;
        if (head != Nowhere)
        {
            _previous[head - 1] = entry + 1;
        }

        _heads[place] = entry + 1;
        _place[entry] = place + 1;
        _lowest[lane] = Math.Min(_lowest[lane], bucket);
        return true;
    }

    public void Take(int entry)
    {
        int place = _place[entry];
        if (place == Nowhere)
        {
            return;
        }

        if (_previous[entry] != Nowhere)
        {
            _next[_previous[entry] - 1] = _next[entry];
        }
        else
        {
            _heads[place - 1] = _next[entry];
        }

        if (_next[entry] != Nowhere)
        {
            _previous[_next[entry] - 1] = _previous[entry];
        }

        _place[entry] = Nowhere;
    }

    /// <summary>Takes one entry whose level the clock has reached; -1: there is none left.</summary>
    public int TakeReached(int lane, double clock)
    {
        long reached = BucketOf(clock);
        long bucket = Math.Max(_lowest[lane], reached - Buckets + 1);
        for (; bucket <= reached; bucket++)
        {
            int entry = _heads[(lane * Buckets) + (int)(bucket & (Buckets - 1))];
            if (entry != Nowhere)
            {
                _lowest[lane] = bucket;
                Take(entry - 1);
                return entry - 1;
            }
        }

        _lowest[lane] = Math.Max(_lowest[lane], bucket);
        return -1;
    }

    // Far from the range of a long: clocks are logarithms, deviations and seconds.
    private long BucketOf(double level) => (long)Math.Floor(level / _width);
}
