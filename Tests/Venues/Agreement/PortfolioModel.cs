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
    private const decimal StableHaircut = 0.01m;

    public string Name => "portfolio";

    public BookStyle Style { get; } = new() { HasOrders = true, HasDoubt = true, HasExpiryFeeds = true, HasFunding = true, HasStableDeposits = true };

    /// <summary>Liquidation costs and concentration weigh on size, but dampeners draw gains too, so that a doubled gain can offset more than double.</summary>
    public BookGrowth Growth => BookGrowth.Neither;

    public bool HasTieredHaircuts => true;

    /// <summary>USD of every row over all units, positions alone.</summary>
    public static decimal[] Rows(RandomBook book)
    {
        decimal[] rows = new decimal[PortfolioRow.Count];
        foreach (PortfolioUnit unit in book.Units().Select(unit => new PortfolioUnit(book, unit)))
        {
            rows = [.. rows.Zip(unit.CountedUsd([.. unit.Unit.Positions.Select(position => unit.Vector(position.Instrument, position.Lots))]), (sum, cell) => sum + cell)];
        }

        return rows;
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal[] held = new decimal[PortfolioRow.Count];
        decimal[] filled = new decimal[PortfolioRow.Count];
        decimal before = 0m;
        decimal after = 0m;
        decimal initialOnly = DoubtOfBalances(book);
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            var rows = new PortfolioUnit(book, unit);
            decimal[][] vectors = [.. unit.Positions.Select(position => rows.Vector(position.Instrument, position.Lots))];
            held = [.. held.Zip(rows.CountedUsd(vectors), (sum, cell) => sum + cell)];
            filled = [.. filled.Zip(rows.CountedUsd([.. vectors, .. book.WorstFills(unit, rows.Vector)]), (sum, cell) => sum + cell)];
            before += rows.RollUsd + rows.ConcentrationUsd;
            after += rows.DelayUsd + rows.ShortVegaUsd + rows.FundingUsd + rows.LiquidationUsd + (PortfolioUnit.NakedMaintenance * rows.NakedUsd);
            initialOnly += rows.DoubtUsd + ((PortfolioUnit.NakedInitial - PortfolioUnit.NakedMaintenance) * rows.NakedUsd) + (unit.UsdPerUnit * book.Gaps(unit));

            // Rounded up: two of each position, each expiry, five of the unit, the dampener; vega is kept in micro-USD and charged ten times.
            int expiries = unit.Positions.Select(position => position.Instrument.Expiry).Distinct().Count();
            bound.Rows(unit).Orders(unit).NetDelta(book, unit, rows.UsdPerDelta).AddOns(unit, (3 * unit.Positions.Count) + expiries + 6).Conversion(6)
                .Money(0.5e-6m * PortfolioUnit.VegaPoints * unit.Positions.Count);
        }

        decimal initial = Worst(filled) + before + after + initialOnly;
        decimal maintenance = (PortfolioUnit.MaintenanceFactor * (Worst(held) + before)) + after;
        decimal allowed = bound.Conversion(2 * book.Currencies.Count).Doubles(book).Usd;
        return new ReferenceMargin(initial, maintenance, Equity(book), allowed, RoundingBound.Equity(book) + (6e-6m * book.Currencies.Count));
    }

    private static decimal Worst(decimal[] rows) => Math.Max(0m, -rows.Min());

    private static decimal Equity(RandomBook book) => book.Totals(book.OptionUsd).Sum(total =>
    {
        decimal price = Price(book, total.Currency, total.Price);
        decimal units = total.Usd / total.Price;
        return units * price > 0m ? Counted(total.Currency.Code, units) * price : units * price;
    });

    private static decimal Price(RandomBook book, BookCurrency currency, decimal index) =>
        currency.Id == RandomBook.StableId ? Math.Max(0.9m + (0.1m * book.Stable), 0.97m) : index;

    /// <summary>Units that count of a positive amount.</summary>
    private static decimal Counted(string currency, decimal units)
    {
        decimal Slice(decimal from, decimal to, decimal haircut) => Math.Max(0m, Math.Min(units, to) - from) * (1m - haircut);
        return currency switch
        {
            "USD" => units,
            "USDC" => units * (1m - StableHaircut),
            "BTC" => Slice(0, 200, 0.05m) + Slice(200, 1_000, 0.1m) + Slice(1_000, decimal.MaxValue, 0.2m),
            "ETH" => Slice(0, 5_000, 0.08m) + Slice(5_000, 25_000, 0.15m) + Slice(25_000, decimal.MaxValue, 0.3m),
            _ => 0m,
        };
    }

    // A balance is doubted with its own index: a position on a doubtful one does not make another coin doubtful.
    private static decimal DoubtOfBalances(RandomBook book)
    {
        return book.Totals(book.OptionUsd).Where(total => total.Usd > 0m && total.Currency.Id != RandomBook.UsdId).Sum(total =>
        {
            decimal own = book.Underlyings.FirstOrDefault(underlying => underlying.CoinId == total.Currency.Id)?.Confidence ?? 1m;
            return PortfolioUnit.Doubt(own) * total.Usd / total.Price * Price(book, total.Currency, total.Price);
        });
    }
}

/// <summary>A row: relative move, and for volatility one of up, down, none, or a move of the surface in level, slope, curvature and twist.</summary>
internal sealed record PortfolioRow(decimal Move, char Volatility, bool IsTail = false, decimal Level = 0, decimal Slope = 0, decimal Curvature = 0, decimal Twist = 0)
{
    public const int Count = 47;

    public static IReadOnlyList<PortfolioRow> Of(string underlying)
    {
        decimal range = AgreementParameters.Portfolio(underlying).PriceRange;
        decimal apart = underlying == "BTC" ? 0.08m : -0.12m;
        return
        [
            .. Enumerable.Range(-4, 9).SelectMany(step => "dnu".Select(volatility => new PortfolioRow(range * step / 4m, volatility))),
            .. DeribitPortfolioMargin.ExtendedMoves.Select(move => new PortfolioRow(move, 'u', IsTail: true)),
            new(0, 's', Slope: 0.5m), new(0, 's', Slope: -0.5m), new(0, 's', Curvature: 0.5m), new(0, 's', Curvature: -0.3m), new(0, 's', Twist: 0.6m), new(0, 's', Twist: -0.6m),
            new(-range, 's', Level: 1, Slope: -0.4m, Twist: 0.5m),
            new(-0.5m * range, 's', Level: 0.5m, Slope: -0.4m, Curvature: 0.3m, Twist: 0.5m),
            new(0.5m * range, 's', Level: 0.3m, Slope: 0.4m, Curvature: 0.3m, Twist: 0.3m),
            new(range, 's', Level: 0.6m, Slope: 0.4m, Twist: 0.3m),
            new(apart, 'u'), new(-apart, 'u'),
        ];
    }
}

/// <summary>A unit under `portfolio`: its vectors in units of the settlement currency, its add-ons in USD, everything one position at a time.</summary>
internal sealed class PortfolioUnit(RandomBook book, BookUnit unit)
{
    public const decimal MaintenanceFactor = 0.8m;
    public const decimal NakedInitial = 0.005m;
    public const decimal NakedMaintenance = 0.003m;
    public const decimal VegaPoints = 10m;
    private const decimal ConfidenceThreshold = 0.55m;
    private const decimal DelayHours = 0.1667m;
    private const decimal DelayDeviations = 2m;
    private const decimal FundingPeriods = 3m;

    private readonly DeribitParameters _parameters = AgreementParameters.Portfolio(unit.Underlying.Code);
    private readonly IReadOnlyList<PortfolioRow> _rows = PortfolioRow.Of(unit.Underlying.Code);

    public BookUnit Unit => unit;

    public decimal RollUsd => unit.Positions.GroupBy(position => position.Instrument.Expiry).Sum(expiry => Index * RollRate(expiry.First().Instrument) * Math.Abs(expiry.Sum(Delta)));

    public decimal ConcentrationUsd
    {
        get
        {
            decimal delta = Math.Abs(unit.Positions.Sum(Delta));
            return Math.Min(
                Math.Max((delta * Index) - _parameters.DeltaThreshold, 0m) * delta * _parameters.DeltaIncrement, _parameters.MaximumDeltaShock * Index * delta);
        }
    }

    public decimal DelayUsd => Index * DelayRate * Math.Abs(unit.Positions.Sum(Delta));

    /// <summary>Ten points of the vega that is short, by as much as each option's volatility is below normal.</summary>
    public decimal ShortVegaUsd => VegaPoints * Math.Max(0m, -unit.Positions.Where(position => position.Instrument.IsOption).Sum(position =>
        position.Amount * VegaPerPoint(position.Instrument) * Math.Max(0m, 1m - (position.Instrument.Volatility / Normal))));

    public decimal FundingUsd => Math.Max(0m, FundingPeriods * Index * unit.Underlying.Funding
        * unit.Positions.Where(position => position.Instrument.Kind == Codecs.InstrumentKind.Perpetual).Sum(position => position.BaseUnits()));

    /// <summary>Fee, slippage and the impact of a position as a part of five million USD.</summary>
    public decimal LiquidationUsd => unit.Positions.Sum(position =>
        book.NotionalUsd(position) * Math.Min(1m, AgreementParameters.LiquidationCost + (0.01m * DecimalMath.Sqrt(book.NotionalUsd(position) / 5e6m))));

    /// <summary>Short options that no long of the other right at their strike makes a forward of, at the index.</summary>
    public decimal NakedUsd => Index * unit.Positions.Where(position => position.Instrument.IsOption)
        .GroupBy(position => (position.Instrument.Expiry, position.Instrument.Strike)).Sum(strike =>
        {
            decimal calls = strike.Where(position => position.Instrument.IsCall).Sum(position => position.Amount);
            decimal puts = strike.Where(position => !position.Instrument.IsCall).Sum(position => position.Amount);
            return calls * puts < 0m ? Math.Max(0m, -(calls + puts)) : Math.Max(0m, -calls) + Math.Max(0m, -puts);
        });

    public decimal DoubtUsd => unit.Positions.Sum(position =>
    {
        BookInstrument instrument = position.Instrument;
        decimal own = instrument.IsOption ? book.Expiry(instrument).Confidence : instrument.Confidence;
        return Doubt(Math.Min(own, unit.Underlying.Confidence)) * Index * Math.Abs(position.BaseUnits());
    });

    /// <summary>USD that one base unit of net delta can cost.</summary>
    public decimal UsdPerDelta => (Index * (DelayRate + unit.Positions.Select(position => RollRate(position.Instrument)).DefaultIfEmpty(0m).Max()))
        + (2m * _parameters.MaximumDeltaShock * Index) + (_parameters.DeltaIncrement * _parameters.DeltaThreshold);

    private decimal Index => unit.Underlying.Index;

    private decimal Normal => unit.Underlying.Code switch { "BTC" => 0.45m, "ETH" => 0.6m, _ => 0.8m };

    private decimal DelayRate => DelayDeviations * (unit.Underlying.Code switch { "BTC" => 0.6m, "ETH" => 0.8m, _ => 1.2m }) * DecimalMath.Sqrt(DelayHours / 8_760m);

    public static decimal Doubt(decimal confidence) => confidence < ConfidenceThreshold ? 1m - confidence : 0m;

    /// <summary>P&amp;L of lots in every row, before dampeners.</summary>
    public decimal[] Vector(BookInstrument instrument, long lots) => [.. _rows.Select(row => lots * instrument.Size * Profit(instrument, row))];

    /// <summary>The sum of vectors in USD: tail rows damped, then gains by their share.</summary>
    public decimal[] CountedUsd(IEnumerable<decimal[]> vectors)
    {
        decimal[] usd = [.. _rows.Select((row, place) => Damped(unit.UsdPerUnit * vectors.Sum(vector => vector[place]), row))];
        return [.. usd.Select(pnl => pnl > 0m ? pnl * _parameters.PnlOffset : pnl)];
    }

    private decimal Delta(BookPosition position) => position.BaseUnits() * book.Delta(position.Instrument);

    private decimal RollRate(BookInstrument instrument) =>
        Math.Max(_parameters.MinimumAnnualisedMove, DecimalMath.Exp(_parameters.AnnualisedMoveRisk * book.Years(instrument)) - 1m);

    private decimal VegaPerPoint(BookInstrument option)
    {
        decimal root = DecimalMath.Sqrt(book.Years(option));
        decimal d1 = ReferenceOptions.D1(book.Forward(option), option.Strike, option.Volatility * root);
        return 0.01m * book.Discount(option) * book.Forward(option) * root * DecimalMath.NormalDensity(d1);
    }

    private decimal Damped(decimal usd, PortfolioRow row)
    {
        if (!row.IsTail)
            return usd;
        decimal draw = ((Math.Abs(row.Move) / _parameters.PriceRange) - 1m) * _parameters.ExtendedDampener / (1m + Clamp(row));
        return usd - (Math.Sign(usd) * Math.Min(draw, Math.Abs(usd)));
    }

    private decimal Clamp(PortfolioRow row) => Math.Sign(row.Move) * _parameters.PriceRange;

    // Of one unit of size, in the settlement currency. A tail row holds futures at the range and scales options.
    private decimal Profit(BookInstrument instrument, PortfolioRow row)
    {
        if (instrument.IsOption)
        {
            decimal settled = book.Expiry(instrument).Fixed(book.Now);
            decimal shocked = settled + ((book.Expiry(instrument).Forward - settled) * (1m + row.Move));
            decimal worth = Worth(instrument, shocked, Volatility(instrument, row)) - Worth(instrument, book.Forward(instrument), instrument.Volatility);
            return worth * (row.IsTail ? _parameters.PriceRange / Math.Abs(row.Move) * (1m + row.Move) / (1m + Clamp(row)) : 1m);
        }

        decimal move = row.IsTail ? Clamp(row) : row.Move;
        return instrument.IsInverse ? (1m - (1m / (1m + move))) / instrument.Mark : instrument.Mark * move;
    }

    private decimal Worth(BookInstrument option, decimal forward, decimal volatility) =>
        book.OptionUsd(option, forward, volatility) / (option.IsInverse ? forward : 1m);

    private decimal Volatility(BookInstrument option, PortfolioRow row)
    {
        decimal volatility = option.Volatility;
        decimal years = book.Years(option);
        decimal days = Math.Max(years * 365m, 1m);
        decimal term = DecimalMath.Pow(30m / days, days <= 30m ? _parameters.ShortTermPower : _parameters.LongTermPower);
        decimal wing = Math.Clamp(DecimalMath.Ln(option.Strike / book.Forward(option)) / Math.Max(0.05m, 1.2m * DecimalMath.Sqrt(years)), -1m, 1m);
        decimal age = Math.Clamp(1m - (years / (90m / 365m)), -1m, 1m);
        return row.Volatility switch
        {
            'u' => Math.Max(volatility * (1m + (_parameters.VolatilityUp * term)), _parameters.MinimumVolatilityUp),
            'd' => Math.Max(volatility * (1m - (_parameters.VolatilityDown * term)), 0m),
            's' => Math.Max(
                volatility * (1m + (_parameters.VolatilityUp * ((row.Level * term) + (row.Slope * wing) + (row.Curvature * wing * wing) + (row.Twist * age)))), 0m),
            _ => volatility,
        };
    }
}
