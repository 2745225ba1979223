namespace MarginEngine.Logic;

/// <summary>The last sequence taken from every source. What a source sends next must be one more: nothing is lost, nothing is taken twice.</summary>
public sealed partial class SourceTable
{
    private readonly ulong[] _last = new ulong[ushort.MaxValue + 1];
    private readonly ushort[] _sources;

    public SourceTable(int capacity) => _sources = new ushort[capacity];

    /// <summary>Sources that were ever heard.</summary>
    public int Count { get; private set; }

    public ushort SourceAt(int index) => _sources[index];

    /// <summary>0: nothing was ever taken from it.</summary>
    public ulong Last(ushort source) => _last[source];

    /// <summary>False when a new source finds no room.</summary>
    public bool TryAdvance(ushort source, ulong sequence)
    {
        if (_last[source] == 0)
        {
            if (Count == _sources.Length)
            {
                return false;
            }

            _sources[Count++] = source;
        }

        _last[source] = sequence;
        return true;
    }
}
