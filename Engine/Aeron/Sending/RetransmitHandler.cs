// Remembers which ranges were just sent again, so that the NAKs of several receivers, or of one impatient one, are served once.

namespace MarginEngine.Aeron;

internal sealed class RetransmitHandler
{
    private readonly Served[] _served;
    private readonly long _lingerNanos;

    /// <param name="ranges">how many may be under way at a time</param>
    public RetransmitHandler(int ranges, long lingerNanos)
    {
        _served = new Served[ranges];
        _lingerNanos = lingerNanos;
    }

    /// <summary>
    /// False when the range lies inside one that was served within the linger time, or when all slots of a multicast stream are taken.
    /// A unicast stream has one slot, which a new range takes over.
    /// </summary>
    public bool TryBegin(long position, int length, long now, out int slot)
    {
        slot = -1;
        for (int i = 0; i < _served.Length; i++)
        {
            ref Served served = ref _served[i];
            if (served.Length == 0 || now - served.UntilNanos >= 0)
            {
                served.Length = 0;
                slot = slot < 0 ? i : slot;
            }
            else if (position >= served.Position && position + length <= served.Position + served.Length)
            {
                return false;
            }
        }
        if (slot < 0 && _served.Length > 1)
            return false;
        slot = Math.Max(slot, 0);
        _served[slot] = new Served { Position = position, Length = length, UntilNanos = now + _lingerNanos };
        return true;
    }

    /// <summary>What was really sent; the rest of the range may be asked for again at once.</summary>
    public void Complete(int slot, int sentLength) => _served[slot].Length = sentLength;

    private struct Served
    {
        public long Position;
        public int Length;
        public long UntilNanos;
    }
}
