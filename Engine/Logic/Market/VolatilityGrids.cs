using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Nodes of every grid in force and of those that a market event has replaced so far, preallocated: the event may still take the new ones back.
/// Which slot a grid lies in never shows in a result.
/// </summary>
public sealed partial class VolatilityGrids
{
    private readonly Pool<int> _slots;
    private readonly long[] _logMoneynessE12;
    private readonly long[] _volatilityE8;
    private readonly int _arrival;
    private int _arrived;

    public VolatilityGrids(Limits limits)
    {
        _slots = new Pool<int>(limits.Grids);
        _arrival = limits.Grids;
        _logMoneynessE12 = new long[(limits.Grids + 1) * VarianceGrid.MostNodes];
        _volatilityE8 = new long[(limits.Grids + 1) * VarianceGrid.MostNodes];
    }

    /// <summary>The grid of the message read last.</summary>
    public VarianceGrid Arrived => View(_arrival, _arrived);

    public VarianceGrid At(int slot) => View(slot, _slots[slot]);

    /// <summary>Takes the nodes of a message in; the caller has checked their number.</summary>
    public void Read(in VolatilityGridDecoder.NodesDecoder nodes)
    {
        int at = _arrival * VarianceGrid.MostNodes;
        foreach (VolatilityGridDecoder.NodesDecoder.Entry node in nodes)
        {
            _logMoneynessE12[at] = node.LogMoneyness.Mantissa;
            _volatilityE8[at] = node.Volatility.Mantissa;
            at++;
        }

        _arrived = nodes.Count;
    }

    /// <summary>Gives the grid read last a slot of its own; false where there is none.</summary>
    public bool TryKeep(out int slot)
    {
        slot = -1;
        if (_slots.IsFull)
        {
            return false;
        }

        slot = _slots.Take();
        _slots[slot] = _arrived;
        int from = _arrival * VarianceGrid.MostNodes, to = slot * VarianceGrid.MostNodes;
        _logMoneynessE12.AsSpan(from, _arrived).CopyTo(_logMoneynessE12.AsSpan(to));
        _volatilityE8.AsSpan(from, _arrived).CopyTo(_volatilityE8.AsSpan(to));
        return true;
    }

    /// <summary>Gives a slot back; -1 is none.</summary>
    public void Return(int slot)
    {
        if (slot >= 0)
        {
            _slots.Return(slot);
        }
    }

    /// <summary>Adds a grid to a digest; -1 is none.</summary>
    public void AddTo(ref Digest64 digest, int slot)
    {
        int count = slot < 0 ? 0 : _slots[slot];
        digest.Add(count);
        for (int node = 0; node < count; node++)
        {
            digest.Add(_logMoneynessE12[(slot * VarianceGrid.MostNodes) + node]);
            digest.Add(_volatilityE8[(slot * VarianceGrid.MostNodes) + node]);
        }
    }

    private VarianceGrid View(int slot, int count) => new(
        _logMoneynessE12.AsSpan(slot * VarianceGrid.MostNodes, count), _volatilityE8.AsSpan(slot * VarianceGrid.MostNodes, count));
}
