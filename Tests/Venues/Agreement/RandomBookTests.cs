using MarginEngine.Codecs;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>Books are what they claim: the same from the same seed, exact in the engine's fields, and far enough apart to reach what methods differ on.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class RandomBookTests
{
    private const int Books = 1_000;

    private static readonly RandomBook[] Drawn = [.. Enumerable.Range(1, Books).Select(seed => BookMaker.Make(seed, new BookStyle { HasOrders = true, HasDoubt = true }))];

    [Test]
    public void The_same_seed_gives_the_same_book()
    {
        foreach (RandomBook book in Drawn.Take(100))
        {
            Assert.That(BookMaker.Make(book.Seed, new BookStyle { HasOrders = true, HasDoubt = true }).ToString(), Is.EqualTo(book.ToString()));
        }
    }

    [Test]
    public void Every_number_fits_its_field()
    {
        foreach (RandomBook book in Drawn)
        {
            IEnumerable<decimal> numbers = [
                .. book.Underlyings.Select(underlying => underlying.Index),
                .. book.Expiries.Select(expiry => expiry.Forward),
                .. book.Instruments.SelectMany(instrument => new[] { instrument.Size, instrument.Mark }),
                .. book.Instruments.Where(instrument => instrument.IsOption).SelectMany(instrument => new[] { instrument.Strike, instrument.Volatility }),
                .. book.Fills.Select(fill => fill.Price),
                .. book.Orders.Select(order => order.Price),
            ];
            foreach (decimal number in numbers)
            {
                Assert.That(number > 0m && number * 100_000_000m == decimal.Truncate(number * 100_000_000m), $"{number} in {book}");
            }

            Assert.That(book.Fills, Has.Count.InRange(1, 12), book.ToString());
            Assert.That(book.Fills.Concat(book.Orders.Select(order => new BookFill(order.InstrumentId, order.Lots, order.Price))).Select(fill => fill.Lots), Has.None.EqualTo(0L));
        }
    }

    [Test]
    public void Books_are_far_apart()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Drawn.Select(book => book.Shape).Distinct().Count(), Is.EqualTo(11));
            Seen("one, two, three underlyings", book => book.Underlyings.Count, 3);
            Seen("linear, inverse", book => book.Instruments[0].Settlement, 2);
            Seen("kinds in one book", book => book.Instruments.Select(instrument => instrument.Kind).Distinct().Count(), 3);
            Seen("positions", book => book.Fills.Count, 12);
            Seen("rates below, at and above zero", book => Math.Sign(book.Currency(RandomBook.UsdId).Rate), 3);
        });
        Assert.Multiple(() =>
        {
            Reached("an option within the hour", book => Options(book).Any(option => book.Seconds(option) < 3_600));
            Reached("an option beyond two years", book => Options(book).Any(option => book.Years(option) > 2m));
            Reached("a deep option", book => Options(book).Any(option => Math.Abs(DecimalMath.Ln(option.Strike / book.Forward(option))) > 1m));
            Reached("a position of one lot", book => book.Fills.Any(fill => Math.Abs(fill.Lots) == 1));
            Reached("fifty million USD", book => book.Positions().Any(position => Math.Abs(position.Lots) * Notional(book, position.Instrument) > 5e7m));
            Reached("only longs", book => book.Fills.All(fill => fill.Lots > 0));
            Reached("only shorts", book => book.Fills.All(fill => fill.Lots < 0));
            Reached("coin as collateral", book => book.Currencies.Skip(1).Any(currency => currency.Deposit > 0m));
            Reached("the stable coin off its peg", book => book.Stable < 0.98m);
            Reached("a feed in doubt", book => book.Expiries.Any(expiry => expiry.Confidence < 0.5m));
        });
    }

    private static void Seen<T>(string what, Func<RandomBook, T> kind, int expected) =>
        Assert.That(Drawn.Select(kind).Distinct().Count(), Is.GreaterThanOrEqualTo(expected), what);

    private static void Reached(string what, Func<RandomBook, bool> isThere) => Assert.That(Drawn.Count(isThere), Is.GreaterThanOrEqualTo(Books / 100), what);

    private static IEnumerable<BookInstrument> Options(RandomBook book) => book.Instruments.Where(instrument => instrument.IsOption);

    private static decimal Notional(RandomBook book, BookInstrument instrument) =>
        instrument.Size * (instrument.IsInverse && instrument.Kind != InstrumentKind.Option ? 1m : book.Underlying(instrument.UnderlyingId).Index);
}
