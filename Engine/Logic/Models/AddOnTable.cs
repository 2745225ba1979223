namespace MarginEngine.Logic;

/// <summary>One number of an add-on: its name in the document, decimals, bounds (as stored), and the words of an enumeration or set.</summary>
public readonly record struct AddOnSlot(
    string Name, int Decimals, long Minimum, long Maximum, long Default, string[]? Words = null, bool IsSet = false, string Text = "");

/// <summary>
/// The formulas that add-ons can have, with their numbers in the order of their slots. What each computes stands in <c>UnitCalculator.AddOns.cs</c>.
/// Document, message, bounds, error texts and JSON schema are all made from this table.
/// </summary>
public static class AddOnTable
{
    public const int Slots = 12;

    private const long One = Fixed.One;

    private static readonly string[] Measures = ["notional", "atIndex", "lots", "nakedShort", "netDelta"];

    private static readonly string[] ContractWords = ["perpetual", "future", "longOption", "shortOption", "collateral"];

    private static readonly AddOnSlot Measure = new("measure", 0, 0, 4, 0, Measures, Text: "What the rate is applied to.");

    private static readonly AddOnSlot Of = new("of", 0, 1, 31, (long)Contracts.All, ContractWords, IsSet: true, Text: "Which positions count.");

    private static readonly AddOnSlot[][] ByKind =
    [
        [],
        [Measure, Of, Rate("initial", 0, 1_000_000, "Added to initial margin; USD a lot where the measure is lots."), Rate("maintenance", 0, 1_000_000, "Added to maintenance margin.")],
        [
            Measure, Of, new("initialBy", 0, 0, 1, 0, ["slices", "whole"], Text: "Whether the tier's initial rate counts for its slice or the whole amount."),
            new("scope", 0, 0, 1, 0, ["position", "unit"], Text: "Whether each position has its tiers or the unit's sum."),
        ],
        [Measure, Of, Rate("rate", 0, 10, "Multiplied by the tier's multiple, for the whole amount.")],
        [Rate("minimumMove", 0, 1, "Least relative move of an expiry against the index."), Rate("moveRisk", 0, 1, "Growth of the move a year.")],
        [Rate("add", 0, 100, "Part of the loss in the basis rows, by expiry."), Rate("multiple", 0, 100, "Further part for each year to expiry.")],
        [Usd("threshold", "Delta in USD that is free."), new("increment", 12, 0, 1_000_000_000_000, 0, Text: "USD for each USD beyond the threshold and base unit of delta."), Rate("maximum", 0, 1, "Bound as a part of the delta in USD.")],
        [Rate("unhedged", 0, 1, "Part of unhedged delta in USD."), Rate("hedged", 0, 1, "Part of the delta in USD that is hedged.")],
        [Usd("amount", "USD for each base unit that is long in one expiry and short in others.")],
        [
            Rate("threshold", 0, 1, "Confidence below which there is a charge."), Rate("margin", 0, 100, "Part of (1 - confidence) * notional."), Of,
            new("rateFeed", 0, 0, 1, 1, ["ignored", "asked"], Text: "Whether the confidence of the expiry's rate counts."),
            new("balances", 0, 0, 1, 0, ["own", "account"], Text: "Whether a balance is doubted with its own index alone or with those of the account's units too."),
        ],
        [Rate("threshold", 0, 10, "Price of the peg below which there is a charge."), Rate("factor", 0, 100, "Charge a unit of shortfall, part of notional at index."), Of],
        [
            Rate("spotMaximum", 0, 10, "Part of spot less the amount out of the money."), Rate("spotMinimum", 0, 10, "Least part of spot."), Rate("callMaintenance", 0, 10, "Part of spot."),
            Rate("putMaintenance", 0, 10, "Part of spot."), Rate("putMaintenanceOfMark", 0, 10, "Part of the mark."), Rate("putInitialOverMaintenance", 0, 10, "Least initial margin of a put as a multiple of its maintenance margin."),
            new("maximumLoss", 0, 0, 1, 0, ["off", "on"], Text: "Whether an expiry never needs more than the largest loss at its settlement."),
            Rate("unpairedInitial", 0, 10, "Charge of calls short beyond those long, part of the forward."), Rate("unpairedMaintenance", 0, 10, "The same for maintenance margin."),
        ],
        [Rate("periods", 0, 1000, "Funding periods to provide for."), new("orders", 0, 0, 1, 0, ["ignored", "opposite"], Text: "Whether resting orders enter initial margin, with the sign of their opposite side.")],
        [Rate("linearRate", 0, 1, "Part of notional of perpetuals and futures."), Rate("optionRate", 0, 1, "Part of the index, a base unit."), Rate("optionCap", 0, 10, "Bound as a part of the option's mark.")],
        [Rate("points", 0, 1000, "Volatility points that are charged."), Rate("normalVolatility", 0, 10, "Volatility from which nothing is charged.")],
        [Rate("hours", 0, 10_000, "Time until a liquidation is final."), Rate("volatility", 0, 10, "Annual volatility of the underlying."), Rate("deviations", 0, 10, "Standard deviations to cover.")],
        [Rate("rate", 0, 10, "Part of notional for each multiple of the model's stale-price time beyond the first."), Rate("maximum", 0, 10, "Largest part of notional.")],
        [
            new("of", 0, 1, 3, 3, ["perpetual", "future"], IsSet: true, Text: "Which positions count."), Rate("initial", 0, 1, "Initial rate up to the lower open interest; from there it grows to 1."),
            Rate("maintenance", 0, 1, "Maintenance rate, whatever the open interest."), Usd("lower", "USD of open interest from which the initial rate grows."),
            Usd("upper", "USD of open interest from which the initial rate is 1; 0: it never grows."),
        ],
    ];

    private static readonly string[] KindWords =
    [
        "none", "percentOf", "tieredRate", "tieredMultiple", "expiryMove", "expiryReprice", "deltaLiquidity", "hedgedDelta", "calendarSpread", "confidence",
        "depeg", "isolatedOption", "funding", "fees", "shortVega", "settlementDelay", "staleness", "openInterest",
    ];

    public static IReadOnlyList<string> Kinds => KindWords;

    public static IReadOnlyList<string> Places { get; } = ["alternative", "before", "floor", "after"];

    public static ReadOnlySpan<AddOnSlot> SlotsOf(AddOnKind kind) => ByKind[(int)kind];

    public static bool HasTiers(AddOnKind kind) => kind is AddOnKind.TieredRate or AddOnKind.TieredMultiple;

    private static AddOnSlot Rate(string name, long minimum, long maximum, string text) => new(name, 8, minimum * One, maximum * One, 0, Text: text);

    private static AddOnSlot Usd(string name, string text) => new(name, 6, 0, 1_000_000_000_000_000_000, 0, Text: text);
}
