namespace MarginEngine.Logic;

/// <summary>
/// How far from its mark a leg of a liquidation may be closed: the less is left of an account, the farther, so that somebody takes it before nothing is left.
/// <code>
/// rating   = clamp(adjustment (1 - equity / maintenance margin), 0, 1)
/// price    = mark -+ rating * spread * maintenance margin of the position alone / what the position gains a unit of price     - where it is sold, + where it is bought
/// </code>
/// Adjustment and spread are the model's. Called by <see cref="MarginMachine"/> behind an instruction, once the book is as it was before planning.
/// </summary>
public sealed class FillablePrice
{
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly UnitCalculator _units;

    public FillablePrice(MarketState market, Book book, UnitCalculator units)
    {
        _market = market;
        _book = book;
        _units = units;
    }

    /// <summary>0: equity is the maintenance margin; 1: there is none.</summary>
    public static double Rating(CompiledModel rules, in AccountMargin margin) =>
        Math.Clamp(rules.BankruptcyAdjustment * (1.0 - (margin.Maintenance > 0 ? (double)margin.Equity / margin.Maintenance : 1.0)), 0.0, 1.0);

    /// <summary>Price in the contract's quote, exponent -8, at least one unit; the mark where a unit of price is worth nothing.</summary>
    public long PriceE8(CompiledModel rules, int model, in Leg leg, double rating, long nowNanos)
    {
        ref readonly Instrument contract = ref _market.InstrumentAt(leg.Instrument);
        double scale = Fixed.Power10(_market.CurrencyAt(contract.Currency).Decimals);
        double maintenance = _units.MaintenanceAlone(model, leg.Position, nowNanos) / scale;
        double size = _book.PositionAt(leg.Position).Lots * Fixed.ToDouble(contract.SizeE8);

        // Of an inverse future in coin: a unit of price moves size / price^2 of it.
        double mark = Fixed.ToDouble(leg.MarkE8);
        double perPoint = contract.IsInverse && !contract.IsOption ? mark > 0.0 ? size / (mark * mark) : 0.0 : size;
        return perPoint == 0.0 ? leg.MarkE8 : Math.Max(1, Fixed.ToAtoms((mark - (rating * rules.SpreadToMaintenance * maintenance / perPoint)) * Fixed.One));
    }
}
