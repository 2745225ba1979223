namespace MarginEngine.Logic;

/// <content>The only ways to change what the state digest counts: each marks the account, whose digest is then taken anew.</content>
public sealed partial class Book
{
    private readonly AccountDigests _digests;

    internal AccountDigests Digests => _digests;

    /// <summary>An account to be changed, at once: by the end of the event its digest is taken.</summary>
    public ref Account ChangeAccount(int index)
    {
        _digests.Changed(index);
        return ref _accounts[index];
    }

    /// <summary>A position to be changed, its lots or what they cost.</summary>
    public ref Position ChangePosition(int index)
    {
        ref Position position = ref _positions[index];
        _digests.PositionsChanged(_units[position.Unit].Account);
        return ref position;
    }

    /// <summary>Balances to be changed, one a currency, in atoms.</summary>
    public Span<long> ChangeBalances(int account)
    {
        _digests.Changed(account);
        return _balances.AsSpan(account * _currencies, _currencies);
    }
}
