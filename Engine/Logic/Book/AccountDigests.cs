namespace MarginEngine.Logic;

/// <summary>
/// The digest of every account, each by itself, and their sum; and which of them are out of date. What a heartbeat says of the whole book need not walk through
/// it: accounts are taken anew as they change. A cache: it follows from the book, and a new one holds every account for changed.
/// </summary>
internal sealed class AccountDigests
{
    private readonly ulong[] _digests;
    private readonly ulong[] _positions;
    private readonly ulong[] _isChanged;
    private readonly ulong[] _hasChangedPositions;
    private readonly int[] _changed;
    private int _count;

    public AccountDigests(int accounts)
    {
        _digests = new ulong[accounts];
        _positions = new ulong[accounts];
        _isChanged = new ulong[(accounts + 63) / 64];
        _hasChangedPositions = new ulong[_isChanged.Length];
        _changed = new int[accounts];
    }

    /// <summary>Of an account, besides two bits.</summary>
    public static int BytesPerAccount => (2 * sizeof(ulong)) + sizeof(int);

    /// <summary>Of those that are not out of date as they are, of the others as they were.</summary>
    public ulong Sum { get; private set; }

    public void Changed(int account)
    {
        ref ulong word = ref _isChanged[account >> 6];
        ulong bit = 1UL << (account & 63);
        if ((word & bit) == 0)
        {
            word |= bit;
            _changed[_count++] = account;
        }
    }

    /// <summary>Positions or orders of an account, which count apart: they are many, and change seldom.</summary>
    public void PositionsChanged(int account)
    {
        _hasChangedPositions[account >> 6] |= 1UL << (account & 63);
        Changed(account);
    }

    /// <summary>An account that is out of date, once; the last that changed first.</summary>
    public bool TryTake(out int account)
    {
        account = _count > 0 ? _changed[--_count] : -1;
        if (account < 0)
        {
            return false;
        }

        _isChanged[account >> 6] &= ~(1UL << (account & 63));
        return true;
    }

    public void Set(int account, ulong digest)
    {
        unchecked
        {
            Sum += digest - _digests[account];
        }

        _digests[account] = digest;
    }

    /// <summary>Sum over the positions of an account, where they did not change since it was set.</summary>
    public bool TryPositions(int account, out ulong sum)
    {
        sum = _positions[account];
        return (_hasChangedPositions[account >> 6] & (1UL << (account & 63))) == 0;
    }

    public void SetPositions(int account, ulong sum)
    {
        _positions[account] = sum;
        _hasChangedPositions[account >> 6] &= ~(1UL << (account & 63));
    }

    /// <summary>Every account is out of date.</summary>
    public void Forget(int accounts)
    {
        for (int account = 0; account < accounts; account++)
        {
            PositionsChanged(account);
        }
    }
}
