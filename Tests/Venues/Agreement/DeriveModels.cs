using MarginEngine.Codecs;
using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// What Derive's three managers share: equity is mark to market, a requirement is mark to market less the venue's margin, each underlying is a manager of its
/// own whose requirements add up (cash cancels in each). Perpetuals and options settle in USD; a deposit of the underlying's coin is collateral.
/// </summary>
internal static class DeriveBooks
{
    /// <summary>Derive's contracts, with feeds in doubt.</summary>
    public static BookStyle Style { get; } = new()
    {
        Family = BookFamily.Linear,
        Underlyings = 2,
        HasFutures = false,
        HasDoubt = true,
        HasExpiryFeeds = true,
    };

    /// <summary>Positions and coin of one underlying, without cash.</summary>
    public static DeriveAccount Account(RandomBook book, BookUnderlying underlying)
    {
        BookPosition[] positions = [.. book.Positions().Where(position => position.Instrument.UnderlyingId == underlying.Id)];
        BookPosition? perpetual = positions.FirstOrDefault(position => position.Instrument.Kind == InstrumentKind.Perpetual);
        BookPosition[] options = [.. positions.Where(position => position.Instrument.IsOption)];
        decimal coins = book.Currency(underlying.CoinId).Deposit;
        return new DeriveAccount
        {
            Spot = underlying.Index,
            SpotConfidence = underlying.Confidence,
            Stable = book.Stable,
            Perpetuals = perpetual?.Amount ?? 0m,
            PerpetualPrice = perpetual?.Instrument.Mark ?? underlying.Index,
            PerpetualConfidence = perpetual?.Instrument.Confidence ?? 1m,
            PerpetualPnl = book.OpenProfit(book.Currency(RandomBook.UsdId), underlying.Id),
            Options = [.. options.Select(option => new DeriveOption(
                book.Seconds(option.Instrument), option.Instrument.Strike, option.Instrument.IsCall, option.Amount, option.Instrument.Volatility))],
            Expiries = [.. options.Select(option => book.Expiry(option.Instrument)).Distinct().Select(expiry => Expiry(book, expiry))],
            Collaterals = coins == 0m
                ? []
                : [new DeriveCollateral(
                    coins, underlying.Index, 1m, true, AgreementParameters.DeriveMaintenanceHaircut, AgreementParameters.DeriveInitialHaircut)],
        };
    }

    public static IEnumerable<BookUnderlying> Underlyings(RandomBook book) => book.Underlyings.Where(underlying =>
        book.Currency(underlying.CoinId).Deposit != 0m || book.Positions().Any(position => position.Instrument.UnderlyingId == underlying.Id));

    /// <summary>Equity is cash and what everything is marked at; an underlying needs its mark to market less the venue's margin.</summary>
    /// <param name="factor">What the worst row counts in initial margin.</param>
    /// <param name="basisOf">What a basis row counts beside it, by years.</param>
    /// <param name="margin">Mark to market and Derive's two margins of an underlying, without cash.</param>
    public static ReferenceMargin Sum(
        RandomBook book, decimal factor, Func<decimal, decimal> basisOf, Func<BookUnderlying, (decimal MarkToMarket, decimal Initial, decimal Maintenance)> margin)
    {
        decimal equity = book.Cash(book.Currency(RandomBook.UsdId));
        decimal initial = 0m;
        decimal maintenance = 0m;
        foreach (BookUnderlying underlying in Underlyings(book))
        {
            (decimal MarkToMarket, decimal Initial, decimal Maintenance) part = margin(underlying);
            equity += part.MarkToMarket;
            initial += part.MarkToMarket - part.Initial;
            maintenance += part.MarkToMarket - part.Maintenance;
        }

        decimal weight = factor * Math.Max(1m, book.Instruments.Max(instrument => basisOf(book.Years(instrument))));
        return new ReferenceMargin(initial, maintenance, equity, Allowed(book, weight), RoundingBound.Equity(book));
    }

    // An atom for each position and the collateral in a row, one for each add-on: perpetual, naked shorts, haircut, oracle of each feed, basis and peg.
    private static decimal Allowed(RandomBook book, decimal weight)
    {
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            bound.Rows(unit, 2m * weight).AddOns(unit, 8 + (2 * unit.Positions.Count)).Conversion();
        }

        return bound.Conversion(4 * book.Underlyings.Count).Doubles(book, weight).Money(weight * RoundingBound.Coins(book)).Usd;
    }

    private static DeriveExpiry Expiry(RandomBook book, BookExpiry expiry)
    {
        decimal settled = expiry.Fixed(book.Now);
        return new DeriveExpiry((expiry.Time - book.Now) / 1e9m, settled, expiry.Forward - settled, expiry.Rate, expiry.Confidence);
    }
}

/// <summary>Derive PMRM v2. Collateral is worth its price over the stable coin's; the coin moves inside the rows.</summary>
internal sealed class DerivePmrm2Model : IReferenceModel
{
    public string Name => "derive-pmrm2";

    public BookStyle Style => DeriveBooks.Style;

    public BookGrowth Growth => BookGrowth.Proportional;

    public ReferenceMargin Margin(RandomBook book)
    {
        DerivePmrm2Parameters parameters = AgreementParameters.DerivePmrm2;
        decimal factor = parameters.InitialFactor + (Math.Max(0m, parameters.PegThreshold - book.Stable) * parameters.PegFactor);
        return DeriveBooks.Sum(book, factor, years => parameters.BasisAdd + (parameters.BasisMultiple * years), underlying =>
        {
            DerivePmrm2Result margin = DerivePmrm2.Margin(DeriveBooks.Account(book, underlying), parameters);
            return (margin.MarkToMarket, margin.Initial, margin.Maintenance);
        });
    }
}

/// <summary>Derive PMRM v1. Marks are not discounted; the coin moves inside the rows and is charged a percentage.</summary>
internal sealed class DerivePmrm1Model : IReferenceModel
{
    public string Name => "derive-pmrm1";

    public BookStyle Style => DeriveBooks.Style;

    public BookGrowth Growth => BookGrowth.Proportional;

    public ReferenceMargin Margin(RandomBook book)
    {
        DerivePmrm1Parameters parameters = AgreementParameters.DerivePmrm1;
        decimal factor = parameters.InitialFactor + (Math.Max(0m, parameters.PegThreshold - book.Stable) * parameters.PegFactor);
        return DeriveBooks.Sum(book, factor, years => parameters.BasisAdd + (parameters.BasisMultiple * years), underlying =>
        {
            DerivePmrm1Result margin = DerivePmrm1.Margin(DeriveBooks.Account(book, underlying), parameters);
            return (margin.MarkToMarket, margin.Initial, margin.Maintenance);
        });
    }
}

/// <summary>
/// Derive's Standard Manager. Equity is cash, open profit and coin at the index; options are none of it, a short one costs its undiscounted mark inside the
/// requirement.
/// </summary>
internal sealed class DeriveStandardModel : IReferenceModel
{
    public string Name => "derive-standard";

    public BookStyle Style => DeriveBooks.Style;

    public BookGrowth Growth => BookGrowth.Proportional;

    public static StandardAccount Account(RandomBook book, BookUnderlying underlying)
    {
        DeriveAccount plain = DeriveBooks.Account(book, underlying);
        BookPosition[] options = [.. book.Positions().Where(position => position.Instrument.IsOption && position.Instrument.UnderlyingId == underlying.Id)];
        return new StandardAccount(
            0m,
            plain.Stable,
            new Dictionary<string, StandardMarket>
            {
                [underlying.Code] = new(plain.Spot, plain.SpotConfidence, plain.PerpetualPrice, plain.PerpetualConfidence),
            },
            [.. options.Select(option => Option(book, underlying, option))],
            plain.Perpetuals == 0m ? [] : [new StandardPerpetual(underlying.Code, plain.Perpetuals, plain.PerpetualPnl)],
            [.. plain.Collaterals.Select(collateral => new StandardBase(underlying.Code, collateral.Amount))]);
    }

    public ReferenceMargin Margin(RandomBook book) => DeriveBooks.Sum(book, AgreementParameters.DeriveStandard.UnpairedInitial, _ => 0m, underlying =>
    {
        StandardAccount account = Account(book, underlying);
        StandardResult margin = DeriveStandardMargin.Margin(account, AgreementParameters.DeriveStandard);
        decimal markToMarket = account.Bases.Sum(held => held.Amount * underlying.Index) + account.Perpetuals.Sum(perpetual => perpetual.Pnl);
        return (markToMarket, margin.Initial, margin.Maintenance);
    });

    private static StandardOption Option(RandomBook book, BookUnderlying underlying, BookPosition option)
    {
        BookInstrument contract = option.Instrument;
        BookExpiry expiry = book.Expiry(contract);
        decimal mark = ReferenceOptions.Black76(expiry.Forward, contract.Strike, book.Years(contract), contract.Volatility, contract.IsCall);
        return new StandardOption(
            underlying.Code, book.Seconds(contract), contract.Strike, contract.IsCall, option.Amount, mark, expiry.Forward,
            Math.Min(expiry.ConfidenceOf(BookFeed.Forward), expiry.ConfidenceOf(BookFeed.Volatility)));
    }
}
