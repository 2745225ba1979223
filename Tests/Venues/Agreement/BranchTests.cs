using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// An agreement is worth what its books reach: every part that can decide a requirement decides it in some of them. The counts are printed.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class BranchTests
{
    private const int Books = 1_000;

    [Test]
    public void Books_reach_the_branches_of_the_portfolio_models()
    {
        var portfolio = new MatrixModel();
        var counts = new SortedDictionary<string, int>();
        for (int seed = 1; seed <= Books; seed++)
        {
            RandomBook book = BookMaker.Make(seed, portfolio.Style);
            foreach (BookUnit unit in book.Units())
            {
                var rows = new DeribitUnit(book, unit, AgreementParameters.Matrix(unit.Underlying.Code));
                decimal[] cells = rows.DampedUsd(rows.Vectors);
                int worst = Array.IndexOf(cells, cells.Min());
                Count(counts, cells[worst] >= 0m ? "no row loses" : worst >= cells.Length - 8 ? "extended row" : $"volatility {worst % 3}");
                Count(counts, rows.DeltaShock > 0m ? "delta shock" : "no delta shock");
            }

            Count(counts, book.Orders.Count > 0 ? "orders" : "no orders");
        }

        TestContext.Out.WriteLine(string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}")));
        Assert.That(counts.Keys, Is.SupersetOf(new[] { "volatility 0", "volatility 1", "volatility 2", "extended row", "delta shock", "orders", "no row loses" }));
        Assert.That(counts.Values.Min(), Is.GreaterThanOrEqualTo(5));
    }

    [Test]
    public void Books_reach_the_branches_of_portfolio()
    {
        var counts = new SortedDictionary<string, int>();
        foreach (RandomBook book in Drawn(new PortfolioModel()))
        {
            decimal[] rows = PortfolioModel.Rows(book);
            int worst = Array.IndexOf(rows, rows.Min());
            Count(counts, rows[worst] >= 0m ? "no row loses" : worst < 27 ? "grid row" : worst < 35 ? "tail row" : worst < 45 ? "surface row" : "joint row");
            foreach (PortfolioUnit unit in book.Units().Select(unit => new PortfolioUnit(book, unit)))
            {
                Count(counts, unit.ShortVegaUsd > 0m ? "short vega in calm" : "no short vega");
                Count(counts, unit.NakedUsd > 0m ? "naked" : "covered");
                Count(counts, unit.DoubtUsd > 0m ? "doubt" : "no doubt");
                Count(counts, unit.ConcentrationUsd > 0m ? "concentration" : "no concentration");
                Count(counts, unit.FundingUsd > 0m ? "funding" : "no funding");
            }

            Count(counts, book.Instruments.Select(instrument => instrument.Settlement).Distinct().Count() > 1 ? "mixed settlement" : "one settlement");
            Count(counts, book.Currency(RandomBook.StableId).Deposit > 0m ? "stable deposit" : "no stable deposit");
            Count(counts, book.Currency(2).Deposit > 200m ? "second tier of a haircut" : "first tier");
        }

        AssertReached(
            counts, "grid row", "tail row", "surface row", "joint row", "short vega in calm", "naked", "doubt", "concentration", "funding", "mixed settlement",
            "stable deposit", "second tier of a haircut");
    }

    [Test]
    public void Books_reach_the_branches_of_derives_managers()
    {
        var counts = new SortedDictionary<string, int>();
        for (int seed = 1; seed <= Books; seed++)
        {
            RandomBook book = BookMaker.Make(seed, DeriveBooks.Style);
            foreach (BookUnderlying underlying in DeriveBooks.Underlyings(book))
            {
                DeriveAccount account = DeriveBooks.Account(book, underlying);
                DerivePmrm2Result margin = DerivePmrm2.Margin(account, AgreementParameters.DerivePmrm2);
                decimal worst = margin.RowPnl.Min();
                int row = margin.RowPnl.ToList().IndexOf(worst);
                Count(counts, margin.BasisContingency < worst ? "basis" : row >= 35 ? "skew row" : row >= 27 ? "tail row" : "grid row");
                Count(counts, margin.OracleContingency > 0m ? "oracle" : "no oracle");
                Count(counts, account.Stable < 0.99m ? "depeg" : "peg");
                Count(counts, account.NakedShorts() > 0m ? "naked" : "covered");
            }
        }

        TestContext.Out.WriteLine(string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}")));
        Assert.That(counts.Keys, Is.SupersetOf(new[] { "basis", "skew row", "tail row", "grid row", "oracle", "depeg", "naked" }));
    }

    [Test]
    public void Books_reach_the_branches_of_derives_standard_manager()
    {
        var counts = new SortedDictionary<string, int>();
        foreach (RandomBook book in Drawn(new DeriveStandardModel()))
        {
            foreach (BookUnderlying underlying in DeriveBooks.Underlyings(book))
            {
                StandardAccount account = DeriveStandardModel.Account(book, underlying);
                StandardResult all = DeriveStandardMargin.Margin(account, AgreementParameters.DeriveStandard);
                StandardResult each = DeriveStandardMargin.Margin(account with { Options = [.. Apart(account.Options)] }, AgreementParameters.DeriveStandard);
                Count(counts, all.OptionInitial == 0m ? "no short" : all.OptionInitial > each.OptionInitial * (1m - 1e-12m) ? "less than its parts" : "isolated");
                Count(counts, all.Oracle < 0m ? "oracle" : "no oracle");
                Count(counts, all.Depeg < 0m ? "depeg" : "peg");
            }
        }

        AssertReached(counts, "less than its parts", "isolated", "no short", "oracle", "depeg");
    }

    [Test]
    public void Books_reach_the_branches_of_paradex()
    {
        var counts = new SortedDictionary<string, int>();
        var model = new ParadexModel();
        foreach (RandomBook book in Drawn(model))
        {
            foreach (BookUnit unit in book.Units())
            {
                ParadexResult margin = ParadexModel.Result(book, unit);
                Count(counts, margin.MinimumDelta > margin.WorstLoss ? "minimum delta" : margin.WorstIndex >= 16 ? "tail row" : "grid row");
                Count(counts, margin.Funding > 0m ? "funding" : "no funding");
            }
        }

        AssertReached(counts, "minimum delta", "tail row", "grid row", "funding");
    }

    [Test]
    public void Books_reach_the_branches_of_OKX()
    {
        var counts = new SortedDictionary<string, int>();
        foreach (RandomBook book in Drawn(new OkxModel()))
        {
            foreach (OkxResult margin in book.Units().Select(unit => OkxModel.Result(book, unit)))
            {
                Count(counts, margin.Maintenance == margin.Mr7 ? "MR7" : margin.Mr6 > margin.Mr1 ? "MR6" : "MR1");
            }
        }

        AssertReached(counts, "MR1", "MR6", "MR7");
    }

    [Test]
    public void Books_reach_the_branches_of_SPAN()
    {
        var counts = new SortedDictionary<string, int>();
        foreach (RandomBook book in Drawn(new SpanModel()))
        {
            foreach (SpanRequirement requirement in new SpanModel().Requirements(book))
            {
                Count(counts, requirement.Total == requirement.ShortOptionMinimum ? "short option minimum" : "scan");
                Count(counts, requirement.InterCredit > 0m ? "credit" : "no credit");
                Count(counts, requirement.IntraCharge > 0m ? "spread charge" : "no spread charge");
                Count(counts, requirement.ActivePoint > 14 ? "extreme point" : "grid point");
            }
        }

        AssertReached(counts, "short option minimum", "credit", "spread charge", "extreme point", "grid point");
    }

    [Test]
    public void Books_reach_what_nets_across_underlyings()
    {
        var counts = new SortedDictionary<string, int>();
        foreach (IReferenceModel model in new IReferenceModel[] { new DeribitPmModel(), new TimsModel(), new HistoricalModel(), new SpanModel() })
        {
            foreach (RandomBook book in Drawn(model).Where(book => book.Positions().Select(position => position.Instrument.UnderlyingId).Distinct().Count() > 1).Take(100))
            {
                decimal apart = book.Underlyings.Sum(underlying => model.Margin(Only(book, underlying)).Initial);
                Count(counts, model.Margin(book).Initial < apart * (1m - 1e-9m) ? $"{model.Name} nets" : $"{model.Name} adds up");
            }
        }

        AssertReached(counts, "deribit-pm nets", "deribit-pm adds up", "tims nets", "hvar nets", "span nets", "span adds up");
    }

    private static IEnumerable<RandomBook> Drawn(IReferenceModel model) => Enumerable.Range(1, Books).Select(seed => BookMaker.Make(seed, model.Style));

    // Every option in an expiry of its own, so that nothing bounds its loss.
    private static IEnumerable<StandardOption> Apart(IReadOnlyList<StandardOption> options) =>
        options.Select((option, place) => option with { Seconds = option.Seconds + place });

    private static RandomBook Only(RandomBook book, BookUnderlying underlying) =>
        book with { Fills = [.. book.Fills.Where(fill => book.Instrument(fill.InstrumentId).UnderlyingId == underlying.Id)], Orders = [] };

    private static void AssertReached(SortedDictionary<string, int> counts, params string[] branches)
    {
        TestContext.Out.WriteLine(string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}")));
        Assert.That(counts.Keys, Is.SupersetOf(branches));
    }

    private static void Count(SortedDictionary<string, int> counts, string what) => counts[what] = counts.GetValueOrDefault(what) + 1;
}
