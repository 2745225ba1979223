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
        double coins = (double)book.Currency(underlying.CoinId).Deposit;
        return new DeriveAccount
        {
            Spot = (double)underlying.Index,
            SpotConfidence = (double)underlying.Confidence,
            Stable = (double)book.Stable,
            Perpetuals = perpetual?.Amount ?? 0.0,
            PerpetualPrice = (double)(perpetual?.Instrument.Mark ?? underlying.Index),
            PerpetualConfidence = (double)(perpetual?.Instrument.Confidence ?? 1m),
            PerpetualPnl = book.OpenProfit(book.Currency(RandomBook.UsdId), underlying.Id),
            Options = [.. options.Select(option => new DeriveOption(
                book.Seconds(option.Instrument), (double)option.Instrument.Strike, option.Instrument.IsCall, option.Amount, (double)option.Instrument.Volatility))],
            Expiries = [.. options.Select(option => book.Expiry(option.Instrument)).Distinct().Select(expiry => Expiry(book, expiry))],
            Collaterals = coins == 0.0
                ? []
                : [new DeriveCollateral(
                    coins, (double)underlying.Index, 1.0, true, AgreementParameters.DeriveMaintenanceHaircut, AgreementParameters.DeriveInitialHaircut)],
        };
    }

    public static IEnumerable<BookUnderlying> Underlyings(RandomBook book) => book.Underlyings.Where(underlying =>
        book.Currency(underlying.CoinId).Deposit != 0m || book.Positions().Any(position => position.Instrument.UnderlyingId == underlying.Id));

    /// <summary>
    /// An atom for each position and the collateral in a row, one for each add-on: perpetual, naked shorts, haircut, oracle of each feed, basis and peg.
    /// </summary>
    public static double Allowed(RandomBook book, double factor)
    {
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            bound.Rows(unit, 2.0 * factor).AddOns(unit, 8 + (2 * unit.Positions.Count)).Conversion();
        }

        return bound.Conversion(4 * book.Underlyings.Count).Doubles(book).Doubles(book).Usd + Collateral(book);
    }

    public static double Cash(RandomBook book) => (double)book.Cash(book.Currency(RandomBook.UsdId));

    private static DeriveExpiry Expiry(RandomBook book, BookExpiry expiry)
    {
        decimal settled = expiry.Fixed(book.Now);
        return new DeriveExpiry(
            (expiry.Time - book.Now) / 1e9, (double)settled, (double)(expiry.Forward - settled), (double)expiry.Rate, (double)expiry.Confidence);
    }

    private static double Collateral(RandomBook book) => book.Underlyings.Sum(underlying =>
        64.0 / (1L << 53) * (double)(book.Currency(underlying.CoinId).Deposit * underlying.Index));
}

/// <summary>Derive PMRM v2. Collateral is worth its price over the stable coin's; the coin moves inside the rows.</summary>
internal sealed class DerivePmrm2Model : IReferenceModel
{
    public string Name => "derive-pmrm2";

    public BookStyle Style => DeriveBooks.Style;

    public BookGrowth Growth => BookGrowth.Proportional;

    public ReferenceMargin Margin(RandomBook book)
    {
        double equity = DeriveBooks.Cash(book);
        double initial = 0.0;
        double maintenance = 0.0;
        foreach (BookUnderlying underlying in DeriveBooks.Underlyings(book))
        {
            DerivePmrm2Result margin = DerivePmrm2.Margin(DeriveBooks.Account(book, underlying), AgreementParameters.DerivePmrm2);
            equity += margin.MarkToMarket;
            initial += margin.MarkToMarket - margin.Initial;
            maintenance += margin.MarkToMarket - margin.Maintenance;
        }

        return new ReferenceMargin(initial, maintenance, equity, DeriveBooks.Allowed(book, 1.5), RoundingBound.Equity(book));
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
        double equity = DeriveBooks.Cash(book);
        double initial = 0.0;
        double maintenance = 0.0;
        foreach (BookUnderlying underlying in DeriveBooks.Underlyings(book))
        {
            DerivePmrm1Result margin = DerivePmrm1.Margin(DeriveBooks.Account(book, underlying), AgreementParameters.DerivePmrm1);
            equity += margin.MarkToMarket;
            initial += margin.MarkToMarket - margin.Initial;
            maintenance += margin.MarkToMarket - margin.Maintenance;
        }

        return new ReferenceMargin(initial, maintenance, equity, DeriveBooks.Allowed(book, 2.0), RoundingBound.Equity(book));
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
            0.0,
            plain.Stable,
            new Dictionary<string, StandardMarket>
            {
                [underlying.Code] = new(plain.Spot, plain.SpotConfidence, plain.PerpetualPrice, plain.PerpetualConfidence),
            },
            [.. options.Select(option => Option(book, underlying, option))],
            plain.Perpetuals == 0.0 ? [] : [new StandardPerpetual(underlying.Code, plain.Perpetuals, plain.PerpetualPnl)],
            [.. plain.Collaterals.Select(collateral => new StandardBase(underlying.Code, collateral.Amount))]);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        double equity = DeriveBooks.Cash(book) + book.OpenProfit(book.Currency(RandomBook.UsdId));
        double initial = 0.0;
        double maintenance = 0.0;
        foreach (BookUnderlying underlying in DeriveBooks.Underlyings(book))
        {
            StandardAccount account = Account(book, underlying);
            StandardResult margin = DeriveStandardMargin.Margin(account, AgreementParameters.DeriveStandard);
            double coin = account.Bases.Sum(held => held.Amount * (double)underlying.Index);
            double markToMarket = coin + account.Perpetuals.Sum(perpetual => perpetual.Pnl);
            equity += coin;
            initial += markToMarket - margin.Initial;
            maintenance += markToMarket - margin.Maintenance;
        }

        return new ReferenceMargin(initial, maintenance, equity, DeriveBooks.Allowed(book, 2.0), RoundingBound.Equity(book));
    }

    private static StandardOption Option(RandomBook book, BookUnderlying underlying, BookPosition option)
    {
        BookInstrument contract = option.Instrument;
        BookExpiry expiry = book.Expiry(contract);
        double mark = ReferenceOptions.Black76(
            (double)expiry.Forward, (double)contract.Strike, book.Years(contract), (double)contract.Volatility, contract.IsCall);
        return new StandardOption(
            underlying.Code, book.Seconds(contract), (double)contract.Strike, contract.IsCall, option.Amount, mark, (double)expiry.Forward,
            (double)Math.Min(expiry.ConfidenceOf(BookFeed.Forward), expiry.ConfidenceOf(BookFeed.Volatility)));
    }
}
