using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>A trader. Balances stand beside it in <see cref="Book"/>; the margins are those of its last evaluation.</summary>
public struct Account
{
    public ulong Id;
    public int Model;
    public int FirstUnit;

    /// <summary>Whose it is; 0: nobody's. Collateral moves freely between the accounts of one owner.</summary>
    public ulong OwnerId;

    /// <summary>One more than the index of its class in <see cref="AccountClasses"/>; 0: none.</summary>
    public int Class;

    /// <summary>It has no margin model of its own: <see cref="Model"/> is that of its class, whatever that will be.</summary>
    public bool FollowsClass;

    public AccountState State;
    public AccountMargin Margin;

    /// <summary>Something of it changed since its last evaluation.</summary>
    public bool IsDirty;

    /// <summary>Its own trade, transfer or order changed it: the next update is published whatever the size of the change.</summary>
    public bool IsChangedByOwner;

    /// <summary>Bit c: it holds or owes currency c, as balance or through a unit.</summary>
    public ulong Currencies;

    public long PublishedRatioE8;
    public long PublishedTime;

    /// <summary>When a version of its model to come was last compared with the one in force; 0: never.</summary>
    public long ComparedTime;
    public MarginFlags PublishedFlags;

    /// <summary>The liquidation instruction in force: the sequence it was decided on; 0: none.</summary>
    public long LiquidationId;
    public long LiquidationTime;
    public int LiquidationAttempt;

    /// <summary>Legs' lots of the instruction in force that are not filled yet.</summary>
    public long LiquidationLots;
}

/// <summary>What the margin of an account is, in micro-USD.</summary>
public struct AccountMargin
{
    public long Equity;
    public long GrossEquity;
    public long Initial;
    public long Maintenance;
    public long RatioE8;
    public long WorstLoss;
    public int WorstRow;
    public int WorstUnderlying;
    public MarginFlags Flags;
    public Greeks Greeks;

    /// <summary>What is left for new risk; negative: none.</summary>
    public readonly long BuyingPower => Fixed.Add(Equity, -Initial);
}

/// <summary>Sensitivities in micro-USD, each rounded once a position: delta a 100 % move, gamma change of delta a 1 % move, vega a volatility point, theta a day, rho a rate point.</summary>
public struct Greeks
{
    public long Delta;
    public long Gamma;
    public long Vega;
    public long Theta;
    public long Rho;

    public void Add(in Greeks other)
    {
        Delta = Fixed.Add(Delta, other.Delta);
        Gamma = Fixed.Add(Gamma, other.Gamma);
        Vega = Fixed.Add(Vega, other.Vega);
        Theta = Fixed.Add(Theta, other.Theta);
        Rho = Fixed.Add(Rho, other.Rho);
    }
}

/// <summary>Risk unit: the positions of one account on one underlying that settle in one currency. Inside it everything nets.</summary>
public struct RiskUnit
{
    public int Account;
    public int Underlying;
    public int Currency;
    public int NextOfAccount;
    public int FirstPosition;
    public bool IsDirty;
    public UnitMargin Margin;
}

/// <summary>
/// What a requirement is made of, in atoms or micro-USD:
/// <c>factor * max(max(measure, alternative) + before, floor) + after</c>.
/// </summary>
public struct RequirementParts
{
    /// <summary>What the rows say, not negative.</summary>
    public long Measure;
    public long Alternative;
    public long Before;
    public long Floor;
    public long After;

    /// <summary>What the factor multiplies.</summary>
    public readonly long Risk => Math.Max(Fixed.Add(Math.Max(Measure, Alternative), Before), Floor);

    /// <param name="factorE16">The factor, exponent -16.</param>
    public readonly long Total(long factorE16) => Fixed.Add(Fixed.MultiplyCeiling(Risk, factorE16, 10_000_000_000_000_000), After);
}

/// <summary>The margin of a risk unit, in atoms of its currency (greeks in micro-USD).</summary>
public struct UnitMargin
{
    /// <summary>Open profit of linear and inverse contracts plus value of options.</summary>
    public long Value;

    /// <summary>Loss by the rows, resting orders left out; not negative.</summary>
    public long WorstCase;

    /// <summary>Row with the largest loss; -1: no row loses.</summary>
    public int WorstRow;

    /// <summary>Fees and slippage of closing everything, where the model charges them.</summary>
    public long LiquidationCost;

    /// <summary>What resting orders could add.</summary>
    public long OpenOrders;
    public RequirementParts InitialParts;
    public RequirementParts MaintenanceParts;
    public long Initial;
    public long Maintenance;

    /// <summary>Net delta in nano base units.</summary>
    public long NetDelta;

    /// <summary>Loss of the worst row that comes from price alone, for spreads between underlyings.</summary>
    public long PriceRisk;
    public MarginFlags Flags;
    public Greeks Greeks;
}

/// <summary>Net lots of one account in one instrument, with its resting orders. It lives while either is not zero.</summary>
public struct Position
{
    public int Unit;
    public int Instrument;
    public long Lots;

    /// <summary>Atoms at which the open lots of a linear or inverse contract were entered; options are paid in cash and have none.</summary>
    public long EntryCost;

    /// <summary>Lots of resting buy and sell orders, and their value at their own prices in atoms.</summary>
    public long BuyLots;
    public long SellLots;
    public long BuyCost;
    public long SellCost;

    public int FirstOrder;
    public int NextOfUnit;
    public int NextHolder;
    public int PreviousHolder;

    public readonly bool IsEmpty => Lots == 0 && FirstOrder < 0;
}

/// <summary>A resting order.</summary>
public struct Order
{
    public ulong Id;
    public int Position;
    public Side Side;
    public long Lots;
    public long PriceE8;
    public long Cost;
    public int NextOfPosition;
    public int PreviousOfPosition;
}
