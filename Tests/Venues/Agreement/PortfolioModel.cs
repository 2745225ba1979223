using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// The engine's own `portfolio`, version 2, once more: rows netted over units with a share of every gain, add-ons of each unit added up, collateral by
/// quantity and redemption.
/// <code>
/// measure      worst over rows of sum over units of counted(damped(sum of profits))     counted: a loss in full, a gain by its share
/// before       roll shock + concentration
/// after        settlement delay + short vega + naked shorts + funding + liquidation; initial besides: doubt of positions and of balances, gaps of orders
/// IM           measure with every order filled where that hurts + before + after         MM   0.8 (measure + before) + after
/// equity       USD; coins at the index after haircuts by quantity; the stable coin at max(0.9 + 0.1 price, 0.97) less 1 %
/// </code>
/// Prices of a book are never stale, so the charge of staleness is 0.
/// </summary>
internal sealed class PortfolioModel : IReferenceModel
{
    private const double StableHaircut = 0.01;

    public string Name => "portfolio";

    public BookStyle Style { get; } = new() { HasOrders = true, HasDoubt = true, HasExpiryFeeds = true, HasFunding = true, HasStableDeposits = true };

    /// <summary>Liquidation costs and concentration weigh on size, but dampeners draw gains too, so that a doubled gain can offset more than double.</summary>
    public BookGrowth Growth => BookGrowth.Neither;

    public bool HasTieredHaircuts => true;

    /// <summary>USD of every row over all units, positions alone.</summary>
    public static double[] Rows(RandomBook book)
    {
        double[] rows = new double[PortfolioRow.Count];
        foreach (PortfolioUnit unit in book.Units().Select(unit => new PortfolioUnit(book, unit)))
        {
            rows = [.. rows.Zip(unit.CountedUsd([.. unit.Unit.Positions.Select(position => unit.Vector(position.Instrument, position.Lots))]), (sum, cell) => sum + cell)];
        }

        return rows;
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        double[] held = new double[PortfolioRow.Count];
        double[] filled = new double[PortfolioRow.Count];
        double before = 0.0;
        double after = 0.0;
        double initialOnly = DoubtOfBalances(book);
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            var rows = new PortfolioUnit(book, unit);
            double[][] vectors = [.. unit.Positions.Select(position => rows.Vector(position.Instrument, position.Lots))];
            held = [.. held.Zip(rows.CountedUsd(vectors), (sum, cell) => sum + cell)];
            filled = [.. filled.Zip(rows.CountedUsd([.. vectors, .. book.WorstFills(unit, rows.Vector)]), (sum, cell) => sum + cell)];
            before += rows.RollUsd + rows.ConcentrationUsd;
            after += rows.DelayUsd + rows.ShortVegaUsd + rows.FundingUsd + rows.LiquidationUsd + (PortfolioUnit.NakedMaintenance * rows.NakedUsd);
            initialOnly += rows.DoubtUsd + ((PortfolioUnit.NakedInitial - PortfolioUnit.NakedMaintenance) * rows.NakedUsd) + (unit.UsdPerUnit * book.Gaps(unit));

            // Rounded up: two of each position, each expiry, five of the unit, the dampener; vega is kept in micro-USD and charged ten times.
            int expiries = unit.Positions.Select(position => position.Instrument.Expiry).Distinct().Count();
            bound.Rows(unit).Orders(unit).NetDelta(unit, rows.UsdPerDelta).AddOns(unit, (3 * unit.Positions.Count) + expiries + 6).Conversion(6)
                .Money(0.5e-6 * PortfolioUnit.VegaPoints * unit.Positions.Count);
        }

        double initial = Worst(filled) + before + after + initialOnly;
        double maintenance = (PortfolioUnit.MaintenanceFactor * (Worst(held) + before)) + after;
        double allowed = bound.Conversion(2 * book.Currencies.Count).Doubles(book).Usd;
        return new ReferenceMargin(initial, maintenance, Equity(book), allowed, RoundingBound.Equity(book) + (6e-6 * book.Currencies.Count));
    }

    private static double Worst(double[] rows) => Math.Max(0.0, -rows.Min());

    private static double Equity(RandomBook book) => book.Totals(book.OptionUsd).Sum(total =>
    {
        double price = Price(book, total.Currency, total.Price);
        double units = total.Usd / total.Price;
        return units * price > 0.0 ? Counted(total.Currency.Code, units) * price : units * price;
    });

    private static double Price(RandomBook book, BookCurrency currency, double index) =>
        currency.Id == RandomBook.StableId ? Math.Max(0.9 + (0.1 * (double)book.Stable), 0.97) : index;

    /// <summary>Units that count of a positive amount.</summary>
    private static double Counted(string currency, double units)
    {
        double Slice(double from, double to, double haircut) => Math.Max(0.0, Math.Min(units, to) - from) * (1.0 - haircut);
        return currency switch
        {
            "USD" => units,
            "USDC" => units * (1.0 - StableHaircut),
            "BTC" => Slice(0, 200, 0.05) + Slice(200, 1_000, 0.1) + Slice(1_000, double.PositiveInfinity, 0.2),
            "ETH" => Slice(0, 5_000, 0.08) + Slice(5_000, 25_000, 0.15) + Slice(25_000, double.PositiveInfinity, 0.3),
            _ => 0.0,
        };
    }

    // A balance is doubted with its own index: a position on a doubtful one does not make another coin doubtful.
    private static double DoubtOfBalances(RandomBook book)
    {
        return book.Totals(book.OptionUsd).Where(total => total.Usd > 0.0 && total.Currency.Id != RandomBook.UsdId).Sum(total =>
        {
            double own = (double)(book.Underlyings.FirstOrDefault(underlying => underlying.CoinId == total.Currency.Id)?.Confidence ?? 1m);
            return PortfolioUnit.Doubt(own) * total.Usd / total.Price * Price(book, total.Currency, total.Price);
        });
    }
}

/// <summary>A row: relative move, and for volatility one of up, down, none, or a move of the surface in level, slope, curvature and twist.</summary>
internal sealed record PortfolioRow(double Move, char Volatility, bool IsTail = false, double Level = 0, double Slope = 0, double Curvature = 0, double Twist = 0)
{
    public const int Count = 47;

    public static IReadOnlyList<PortfolioRow> Of(string underlying)
    {
        double range = AgreementParameters.Portfolio(underlying).PriceRange;
        double apart = underlying == "BTC" ? 0.08 : -0.12;
        return
        [
            .. Enumerable.Range(-4, 9).SelectMany(step => "dnu".Select(volatility => new PortfolioRow(range * step / 4.0, volatility))),
            .. DeribitPortfolioMargin.ExtendedMoves.Select(move => new PortfolioRow(move, 'u', IsTail: true)),
            new(0, 's', Slope: 0.5), new(0, 's', Slope: -0.5), new(0, 's', Curvature: 0.5), new(0, 's', Curvature: -0.3), new(0, 's', Twist: 0.6), new(0, 's', Twist: -0.6),
            new(-range, 's', Level: 1, Slope: -0.4, Twist: 0.5),
            new(-0.5 * range, 's', Level: 0.5, Slope: -0.4, Curvature: 0.3, Twist: 0.5),
            new(0.5 * range, 's', Level: 0.3, Slope: 0.4, Curvature: 0.3, Twist: 0.3),
            new(range, 's', Level: 0.6, Slope: 0.4, Twist: 0.3),
            new(apart, 'u'), new(-apart, 'u'),
        ];
    }
}

/// <summary>A unit under `portfolio`: its vectors in units of the settlement currency, its add-ons in USD, everything one position at a time.</summary>
internal sealed class PortfolioUnit(RandomBook book, BookUnit unit)
{
    public const double MaintenanceFactor = 0.8;
    public const double NakedInitial = 0.005;
    public const double NakedMaintenance = 0.003;
    public const double VegaPoints = 10.0;
    private const double ConfidenceThreshold = 0.55;
    private const double DelayHours = 0.1667;
    private const double DelayDeviations = 2.0;
    private const double FundingPeriods = 3.0;

    private readonly DeribitParameters _parameters = AgreementParameters.Portfolio(unit.Underlying.Code);
    private readonly IReadOnlyList<PortfolioRow> _rows = PortfolioRow.Of(unit.Underlying.Code);

    public BookUnit Unit => unit;

    public double RollUsd => unit.Positions.GroupBy(position => position.Instrument.Expiry).Sum(expiry => Index * RollRate(expiry.First().Instrument) * Math.Abs(expiry.Sum(Delta)));

    public double ConcentrationUsd
    {
        get
        {
            double delta = Math.Abs(unit.Positions.Sum(Delta));
            return Math.Min(
                Math.Max((delta * Index) - _parameters.DeltaThreshold, 0.0) * delta * _parameters.DeltaIncrement, _parameters.MaximumDeltaShock * Index * delta);
        }
    }

    public double DelayUsd => Index * DelayRate * Math.Abs(unit.Positions.Sum(Delta));

    /// <summary>Ten points of the vega that is short, by as much as each option's volatility is below normal.</summary>
    public double ShortVegaUsd => VegaPoints * Math.Max(0.0, -unit.Positions.Where(position => position.Instrument.IsOption).Sum(position =>
        position.Amount * VegaPerPoint(position.Instrument) * Math.Max(0.0, 1.0 - ((double)position.Instrument.Volatility / Normal))));

    public double FundingUsd => Math.Max(0.0, FundingPeriods * Index * (double)unit.Underlying.Funding
        * unit.Positions.Where(position => position.Instrument.Kind == Codecs.InstrumentKind.Perpetual).Sum(position => position.BaseUnits()));

    /// <summary>Fee, slippage and the impact of a position as a part of five million USD.</summary>
    public double LiquidationUsd => unit.Positions.Sum(position =>
        book.NotionalUsd(position) * Math.Min(1.0, AgreementParameters.LiquidationCost + (0.01 * Math.Sqrt(book.NotionalUsd(position) / 5e6))));

    /// <summary>Short options that no long of the other right at their strike makes a forward of, at the index.</summary>
    public double NakedUsd => Index * unit.Positions.Where(position => position.Instrument.IsOption)
        .GroupBy(position => (position.Instrument.Expiry, position.Instrument.Strike)).Sum(strike =>
        {
            double calls = strike.Where(position => position.Instrument.IsCall).Sum(position => position.Amount);
            double puts = strike.Where(position => !position.Instrument.IsCall).Sum(position => position.Amount);
            return calls * puts < 0.0 ? Math.Max(0.0, -(calls + puts)) : Math.Max(0.0, -calls) + Math.Max(0.0, -puts);
        });

    public double DoubtUsd => unit.Positions.Sum(position =>
    {
        BookInstrument instrument = position.Instrument;
        decimal own = instrument.IsOption ? book.Expiry(instrument).Confidence : instrument.Confidence;
        return Doubt((double)Math.Min(own, unit.Underlying.Confidence)) * Index * Math.Abs(position.BaseUnits());
    });

    /// <summary>USD that one base unit of net delta can cost.</summary>
    public double UsdPerDelta => (Index * (DelayRate + unit.Positions.Select(position => RollRate(position.Instrument)).DefaultIfEmpty(0.0).Max()))
        + (2.0 * _parameters.MaximumDeltaShock * Index) + (_parameters.DeltaIncrement * _parameters.DeltaThreshold);

    private double Index => (double)unit.Underlying.Index;

    private double Normal => unit.Underlying.Code switch { "BTC" => 0.45, "ETH" => 0.6, _ => 0.8 };

    private double DelayRate => DelayDeviations * (unit.Underlying.Code switch { "BTC" => 0.6, "ETH" => 0.8, _ => 1.2 }) * Math.Sqrt(DelayHours / 8_760.0);

    public static double Doubt(double confidence) => confidence < ConfidenceThreshold ? 1.0 - confidence : 0.0;

    /// <summary>P&amp;L of lots in every row, before dampeners.</summary>
    public double[] Vector(BookInstrument instrument, long lots) => [.. _rows.Select(row => (double)(lots * instrument.Size) * Profit(instrument, row))];

    /// <summary>The sum of vectors in USD: tail rows damped, then gains by their share.</summary>
    public double[] CountedUsd(IEnumerable<double[]> vectors)
    {
        double[] usd = [.. _rows.Select((row, place) => Damped(unit.UsdPerUnit * vectors.Sum(vector => vector[place]), row))];
        return [.. usd.Select(pnl => pnl > 0.0 ? pnl * _parameters.PnlOffset : pnl)];
    }

    private double Delta(BookPosition position) => position.BaseUnits() * book.Delta(position.Instrument);

    private double RollRate(BookInstrument instrument) =>
        Math.Max(_parameters.MinimumAnnualisedMove, Math.Exp(_parameters.AnnualisedMoveRisk * book.Years(instrument)) - 1.0);

    private double VegaPerPoint(BookInstrument option)
    {
        double root = Math.Sqrt(book.Years(option));
        double deviation = (double)option.Volatility * root;
        double d1 = (Math.Log(book.Forward(option) / (double)option.Strike) / deviation) + (deviation / 2.0);
        return 0.01 * book.Discount(option) * book.Forward(option) * root * Math.Exp(-d1 * d1 / 2.0) / Math.Sqrt(2.0 * Math.PI);
    }

    private double Damped(double usd, PortfolioRow row)
    {
        if (!row.IsTail)
            return usd;
        double draw = ((Math.Abs(row.Move) / _parameters.PriceRange) - 1.0) * _parameters.ExtendedDampener / (1.0 + Clamp(row));
        return usd - (Math.Sign(usd) * Math.Min(draw, Math.Abs(usd)));
    }

    private double Clamp(PortfolioRow row) => Math.Sign(row.Move) * _parameters.PriceRange;

    // Of one unit of size, in the settlement currency. A tail row holds futures at the range and scales options.
    private double Profit(BookInstrument instrument, PortfolioRow row)
    {
        if (instrument.IsOption)
        {
            decimal settled = book.Expiry(instrument).Fixed(book.Now);
            double shocked = (double)settled + ((double)(book.Expiry(instrument).Forward - settled) * (1.0 + row.Move));
            double worth = Worth(instrument, shocked, Volatility(instrument, row)) - Worth(instrument, book.Forward(instrument), (double)instrument.Volatility);
            return worth * (row.IsTail ? _parameters.PriceRange / Math.Abs(row.Move) * (1.0 + row.Move) / (1.0 + Clamp(row)) : 1.0);
        }

        double move = row.IsTail ? Clamp(row) : row.Move;
        return instrument.IsInverse ? (1.0 - (1.0 / (1.0 + move))) / (double)instrument.Mark : (double)instrument.Mark * move;
    }

    private double Worth(BookInstrument option, double forward, double volatility) =>
        book.OptionUsd(option, forward, volatility) / (option.IsInverse ? forward : 1.0);

    private double Volatility(BookInstrument option, PortfolioRow row)
    {
        double volatility = (double)option.Volatility;
        double years = book.Years(option);
        double days = Math.Max(years * 365.0, 1.0);
        double term = Math.Pow(30.0 / days, days <= 30.0 ? _parameters.ShortTermPower : _parameters.LongTermPower);
        double wing = Math.Clamp(Math.Log((double)option.Strike / book.Forward(option)) / Math.Max(0.05, 1.2 * Math.Sqrt(years)), -1.0, 1.0);
        double age = Math.Clamp(1.0 - (years / (90.0 / 365.0)), -1.0, 1.0);
        return row.Volatility switch
        {
            'u' => Math.Max(volatility * (1.0 + (_parameters.VolatilityUp * term)), _parameters.MinimumVolatilityUp),
            'd' => Math.Max(volatility * (1.0 - (_parameters.VolatilityDown * term)), 0.0),
            's' => Math.Max(
                volatility * (1.0 + (_parameters.VolatilityUp * ((row.Level * term) + (row.Slope * wing) + (row.Curvature * wing * wing) + (row.Twist * age)))), 0.0),
            _ => volatility,
        };
    }
}
