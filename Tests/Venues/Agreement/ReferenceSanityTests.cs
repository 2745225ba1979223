using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// What every reference must keep on random books, within the rounding it allows an engine: the references are judged before they judge. MARGIN_BOOKS sets
/// the number of books, 100 a model by default.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ReferenceSanityTests
{
    private static readonly int Books = int.TryParse(Environment.GetEnvironmentVariable("MARGIN_BOOKS"), out int books) ? books : 100;

    [TestCaseSource(typeof(ReferenceModels), nameof(ReferenceModels.Names))]
    public void Neither_the_order_of_positions_nor_where_one_is_split_matters(string name) => ForBooks(name, (model, book) =>
    {
        var random = new Random(book.Seed);
        ReferenceMargin margin = model.Margin(book);
        RandomBook shuffled = book with
        {
            Fills = Shuffled(book.Fills, random),
            Orders = Shuffled(book.Orders, random),
            Instruments = Shuffled(book.Instruments, random),
            Expiries = Shuffled(book.Expiries, random),
        };
        RandomBook split = book with { Fills = [.. book.Fills.SelectMany(fill => Halves(fill, random))] };
        AssertSame(model.Margin(shuffled), margin, 0m, $"shuffled {book}");
        AssertSame(model.Margin(split), margin, RoundingBound.Costs(split) + RoundingBound.Costs(book), $"split {book}");
    });

    [TestCaseSource(typeof(ReferenceModels), nameof(ReferenceModels.Names))]
    public void Initial_is_never_below_maintenance_and_neither_is_negative(string name) => ForBooks(name, (model, book) =>
    {
        ReferenceMargin margin = model.Margin(book);
        Assert.That(margin.Initial, Is.GreaterThanOrEqualTo(margin.Maintenance - margin.AllowedRequirement), book.ToString());
        Assert.That(margin.Maintenance, Is.GreaterThanOrEqualTo(-margin.AllowedRequirement), book.ToString());
    });

    [TestCaseSource(typeof(ReferenceModels), nameof(ReferenceModels.Names))]
    public void A_doubled_book_owes_double_and_where_size_weighs_not_less(string name) => ForBooks(name, (model, book) =>
    {
        RandomBook doubled = book with
        {
            Fills = [.. book.Fills.Select(fill => fill with { Lots = 2 * fill.Lots })],
            Orders = [.. book.Orders.Select(order => order with { Lots = 2 * order.Lots })],
            Currencies = [.. book.Currencies.Select(currency => currency with { Deposit = 2m * currency.Deposit })],
        };
        ReferenceMargin once = model.Margin(book);
        ReferenceMargin twice = model.Margin(doubled);
        decimal within = twice.AllowedRequirement;
        decimal equity = 2m * once.Equity!.Value;
        decimal withinEquity = twice.AllowedEquity + (3m * RoundingBound.Costs(book));
        Assert.That(twice.Equity!.Value, Is.LessThanOrEqualTo(equity + withinEquity), $"equity {book}");
        Assert.That(model.HasTieredHaircuts || twice.Equity.Value >= equity - withinEquity, $"equity {twice.Equity} of {book}");
        if (model.Growth == BookGrowth.Proportional)
        {
            Assert.That(twice.Initial, Is.EqualTo(2m * once.Initial).Within(within), $"initial {book}");
            Assert.That(twice.Maintenance, Is.EqualTo(2m * once.Maintenance).Within(within), $"maintenance {book}");
        }
        else if (model.Growth == BookGrowth.Progressive)
        {
            Assert.That(twice.Initial, Is.GreaterThanOrEqualTo((2m * once.Initial) - within), $"initial {book}");
            Assert.That(twice.Maintenance, Is.GreaterThanOrEqualTo((2m * once.Maintenance) - within), $"maintenance {book}");
        }
    });

    private static void ForBooks(string name, Action<IReferenceModel, RandomBook> check)
    {
        IReferenceModel model = ReferenceModels.Of(name);
        for (int seed = 1; seed <= Books; seed++)
        {
            check(model, BookMaker.Make(seed, model.Style));
        }
    }

    private static void AssertSame(ReferenceMargin actual, ReferenceMargin expected, decimal costs, string what)
    {
        Assert.That(actual.Initial, Is.EqualTo(expected.Initial).Within(expected.AllowedRequirement), $"initial {what}");
        Assert.That(actual.Maintenance, Is.EqualTo(expected.Maintenance).Within(expected.AllowedRequirement), $"maintenance {what}");
        Assert.That(actual.Equity!.Value, Is.EqualTo(expected.Equity!.Value).Within(expected.AllowedEquity + costs), $"equity {what}");
    }

    private static T[] Shuffled<T>(IEnumerable<T> items, Random random)
    {
        T[] shuffled = [.. items];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static BookFill[] Halves(BookFill fill, Random random)
    {
        long part = random.NextInt64(Math.Abs(fill.Lots)) * Math.Sign(fill.Lots);
        return part == 0 ? [fill] : [fill with { Lots = part }, fill with { Lots = fill.Lots - part }];
    }
}
