namespace MarginEngine.Logic;

/// <summary>
/// Every capacity of the engine. All of it is allocated and touched at start; what does not fit is refused with a coded reject.
/// </summary>
public sealed record Limits
{
    /// <summary>Accounts, the insurance fund included.</summary>
    public int Accounts { get; init; } = 16_384;

    /// <summary>(account, underlying, settlement currency) triples with a position or an order.</summary>
    public int Units { get; init; } = 65_536;

    /// <summary>(account, instrument) pairs with a position or an order.</summary>
    public int Positions { get; init; } = 524_288;

    /// <summary>Resting orders.</summary>
    public int Orders { get; init; } = 262_144;

    /// <summary>Contracts ever defined.</summary>
    public int Instruments { get; init; } = 8_192;

    public int Underlyings { get; init; } = 64;

    /// <summary>Expiries over all underlyings.</summary>
    public int Expiries { get; init; } = 2_048;

    /// <summary>Volatility grids in force, and those replaced within one market event, which may stand again at its end.</summary>
    public int Grids { get; init; } = 1_024;

    public int Currencies { get; init; } = 32;

    /// <summary>Margin models in force at one time.</summary>
    public int Models { get; init; } = 4;

    /// <summary>Positions that one liquidation instruction may name.</summary>
    public int Legs { get; init; } = 128;

    /// <summary>Market messages without an end-of-event flag after which margins are evaluated all the same.</summary>
    public int EventMessages { get; init; } = 16_384;

    /// <summary>Senders of input.</summary>
    public int Sources { get; init; } = 64;

    /// <summary>Accounts looked at for an overdue refresh in each evaluation.</summary>
    public int RefreshSlice { get; init; } = 32;

    /// <summary>
    /// Positions that an evaluation computes for refreshes at the most, at least one account in any case, so that no tick waits for many: an account counts as
    /// <see cref="RefreshOverhead"/> positions besides its own.
    /// </summary>
    public int RefreshPositions { get; init; } = 32;

    /// <summary>How the state digest takes the accounts: 1 one after the other, as journals of before have it; 2 each by itself.</summary>
    public int Digest { get; init; } = 2;

    /// <summary>Rows of a scenario table after padding; a multiple of the widest vector.</summary>
    public const int Rows = 256;

    /// <summary>Rows a scenario table may name.</summary>
    public const int NamedRows = 256;

    /// <summary>Add-ons of one margin model.</summary>
    public const int AddOns = 24;

    /// <summary>Tiers of one add-on.</summary>
    public const int Tiers = 16;

    /// <summary>Tiers of one currency's haircut.</summary>
    public const int HaircutTiers = 8;

    /// <summary>Spreads between underlyings that one margin model may name.</summary>
    public const int Spreads = 64;

    /// <summary>Largest message, in bytes, header included.</summary>
    public const int MessageBytes = 8_192;

    /// <summary>Nanoseconds of stamped time between two heartbeats.</summary>
    public const long HeartbeatNanos = 1_000_000_000;

    /// <summary>Nanoseconds of stamped time between two published risk arrays.</summary>
    public const long RiskArrayNanos = 10_000_000;

    /// <summary>A margin ratio is never shown above this (10,000 times the requirement): equity is gone.</summary>
    public const long RatioCeiling = 1_000_000_000_000;

    /// <summary>Largest <see cref="RefreshPositions"/>: as good as no bound.</summary>
    public const int MostRefreshPositions = 999_999;

    /// <summary>What an account costs to compute besides its positions, in positions.</summary>
    public const int RefreshOverhead = 4;

    /// <summary>Accounts that one deleveraging event may name.</summary>
    public const int DeleveragingShares = 16;

    /// <summary>Account classes in force at one time.</summary>
    public const int AccountClasses = 64;

    /// <summary>The account number of the insurance fund.</summary>
    public const ulong FundAccount = 0;

    /// <summary>The currency number of USD, the money of account.</summary>
    public const ushort MoneyCurrency = 1;

    /// <summary>Decimals of the money of account: micro-USD.</summary>
    public const int MoneyDecimals = 6;

    /// <summary>Small enough for tests and one-shot calculations: a few megabytes.</summary>
    public static Limits Small { get; } = new()
    {
        Accounts = 256,
        Units = 512,
        Positions = 4_096,
        Orders = 4_096,
        Instruments = 1_024,
        Underlyings = 16,
        Expiries = 256,
        Grids = 128,
        Currencies = 16,
        Models = 4,
    };

    /// <summary>Relations between the capacities that the code relies on.</summary>
    public void Validate()
    {
        Check.That(Rows % 8 == 0 && NamedRows <= Rows);
        Check.That(Accounts is > 0 and <= 16_777_216);
        Check.That(Units >= Accounts || Units > 0);
        Check.That(Positions > 0 && Orders > 0 && Instruments > 0);
        Check.That(Underlyings is > 0 and <= 1_024 && Expiries is > 0 and <= 1_048_576);
        Check.That(Grids is > 0 and <= 1_048_576);
        Check.That(Currencies is > 0 and <= 64);
        Check.That(Models is > 0 and <= 16);
        Check.That(Legs is > 0 and <= 256);
        Check.That(RefreshSlice is > 0 and <= 999_999 && RefreshPositions is > 0 and <= MostRefreshPositions && EventMessages is > 0 and <= 9_999_999);
        Check.That(Digest is 1 or 2);
        Check.That(Sources is > 0 and <= 65_536);
    }
}
