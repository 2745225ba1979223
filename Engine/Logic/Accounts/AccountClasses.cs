using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>What accounts of one kind may do: their margin model and the policy of whoever regulates them. Made from the message of that name.</summary>
public struct AccountClass
{
    public ushort Id;
    public uint Version;

    /// <summary>Slot of the margin model of the accounts that have none of their own.</summary>
    public int Model;

    /// <summary>Largest exposure / equity, exponent -8; 0: no limit.</summary>
    public long MaximumLeverageE8;

    /// <summary>Micro-USD of equity without which no risk is opened.</summary>
    public long MinimumEquity;

    public InstrumentKinds Kinds;
    public Settlements Settlements;

    /// <summary>False: only the underlyings named in <see cref="AccountClasses"/>.</summary>
    public bool HasEveryUnderlying;

    /// <summary>Digest of the message it was made from, origin left out.</summary>
    public ulong Digest;
}

/// <summary>Every class in force, preallocated. An index stays the same over all versions of a class.</summary>
public sealed partial class AccountClasses
{
    public const int NameBytes = 16;

    private readonly AccountClass[] _classes = new AccountClass[Limits.AccountClasses];
    private readonly byte[] _names = new byte[Limits.AccountClasses * NameBytes];
    private readonly bool[] _named;
    private readonly int _underlyings;
    private readonly IdMap _ids = new(Limits.AccountClasses);

    public AccountClasses(Limits limits)
    {
        _underlyings = limits.Underlyings;
        _named = new bool[Limits.AccountClasses * limits.Underlyings];
    }

    public int Count { get; private set; }

    public ref AccountClass At(int index) => ref _classes[index];

    public Span<byte> NameAt(int index) => _names.AsSpan(index * NameBytes, NameBytes);

    /// <summary>By underlying: may contracts on it be opened? Counts only where the class does not have every underlying.</summary>
    public Span<bool> UnderlyingsAt(int index) => _named.AsSpan(index * _underlyings, _underlyings);

    public bool TryFind(ushort id, out int index) => _ids.TryGet(id, out index);

    /// <summary>Index of a new class; -1: no room.</summary>
    public int Add(ushort id)
    {
        if (!_ids.TryAdd(id, Count))
        {
            return -1;
        }

        _classes[Count].Id = id;
        return Count++;
    }

    /// <summary>May accounts of the class open this contract?</summary>
    public bool Permits(int index, in Instrument contract)
    {
        ref readonly AccountClass rules = ref _classes[index];
        return (rules.Kinds & (InstrumentKinds)(1 << ((int)contract.Kind - 1))) != 0
            && (rules.Settlements & (Settlements)(1 << ((int)contract.Settlement - 1))) != 0
            && (rules.HasEveryUnderlying || UnderlyingsAt(index)[contract.Underlying]);
    }
}
