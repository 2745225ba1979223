// Which messages a subscriber has had: after a failover the new primary says again what the old one may not have, in the same bytes.
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Demo;

/// <summary>Remembers the last half million messages at least: minutes, where a new primary repeats seconds.</summary>
internal sealed class HeardBefore
{
    private const int Generation = 500_000;
    private HashSet<PublishedEntry> _young = [];
    private HashSet<PublishedEntry> _old = [];

    /// <summary>False for one that was had; from the first call on it is.</summary>
    public bool IsNew(in PublishedEntry entry)
    {
        if (_old.Contains(entry) || !_young.Add(entry)) return false;
        if (_young.Count >= Generation) (_old, _young) = (_young, []);
        return true;
    }
}
