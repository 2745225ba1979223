using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

[Parallelizable(ParallelScope.Self)]
public class BookFactoryTests
{
    [Test]
    public void Asked_for_more_positions_every_account_has_at_least_so_many_and_both_sides_are_equal()
    {
        const int Accounts = 50;
        const int Positions = 12;
        var book = new PositionBook();
        var held = new HashSet<(ulong, uint)>();
        foreach (byte[] message in BookMessages.Create(Accounts, Positions, seed: 3))
        {
            Assert.That(Schema.Validate(message, out _), Is.EqualTo(SbeError.None));
            book.Apply(message);
            if (FillDecoder.TryWrap(message, out FillDecoder fill))
                held.Add((fill.AccountId, fill.InstrumentId));
        }
        Assert.That(book.Imbalances(), Is.Empty);
        for (ulong account = BookPlan.FirstClient; account < BookPlan.FirstClient + Accounts; account++)
            Assert.That(held.Count(entry => entry.Item1 == account), Is.GreaterThanOrEqualTo(Positions), $"account {account}");
    }

    [Test]
    public void Books_of_all_styles_are_drawn_hedged_ones_need_less_than_naked_ones()
    {
        Population population = Draw(600, seed: 4, out Board board);
        Assert.That(population.Clients.Select(book => book.Style).Distinct().Count(), Is.EqualTo(Enum.GetValues<BookStyle>().Length - 1));
        foreach (AccountBook book in population.Clients)
        {
            Assert.That(book.Legs, Is.Not.Empty, $"{book.AccountId}");
            Assert.That(book.Legs.Select(leg => leg.Lots), Has.None.Zero, $"{book.AccountId}");
            Assert.That(book.Deposits, Is.Not.Empty, $"{book.AccountId} {book.Style}");
            Assert.That(book.Deposits.Select(deposit => deposit.Atoms), Has.All.GreaterThan(0), $"{book.AccountId}");
        }
        AccountBook[] boxes = [.. population.Clients.Where(book => book.Style == BookStyle.Box)];
        Assert.That(boxes.Select(book => book.Legs.Count), Has.All.EqualTo(4));
        Assert.That(boxes.Select(book => Math.Abs(book.Legs.Sum(leg => leg.Lots * board.DeltaOf(leg.Contract))) / book.Coins), Has.All.LessThan(0.02));
        foreach (AccountBook book in population.Clients.Where(book => book.Style == BookStyle.HedgedShortVolatility))
        {
            double delta = book.Legs.Sum(leg => leg.Lots * board.DeltaOf(leg.Contract));
            double gross = book.Legs.Sum(leg => Math.Abs(leg.Lots * board.DeltaOf(leg.Contract)));
            Assert.That(Math.Abs(delta), Is.LessThan(0.05 * gross + 0.01), $"{book.AccountId}");
        }
        Assert.That(population.Clients.SelectMany(book => book.Deposits).Select(deposit => deposit.Currency.Code).Distinct(),
            Is.SupersetOf(new[] { "USD", "BTC", "ETH" }));
    }

    [Test]
    public void The_same_seed_opens_the_same_accounts()
    {
        byte[] first = Flat(BookMessages.Create(30, 0, seed: 5));
        byte[] again = Flat(BookMessages.Create(30, 0, seed: 5));
        Assert.That(again, Is.EqualTo(first));
        Assert.That(Flat(BookMessages.Create(30, 0, seed: 6)), Is.Not.EqualTo(first));
    }

    [Test]
    public void A_stricter_model_asks_for_more_collateral()
    {
        ModelDocument strict = ModelDocument.Portfolio.With("requirement.maintenanceFactor", 1.0m);
        double usual = UsdOf(BookMessages.Create(40, 0, seed: 5));
        Assert.That(UsdOf(BookMessages.Create(40, 0, seed: 5, model: strict)), Is.GreaterThan(1.1 * usual));
    }

    private static double UsdOf(IEnumerable<byte[]> messages)
    {
        double sum = 0;
        foreach (byte[] message in messages)
        {
            if (CollateralTransferDecoder.TryWrap(message, out CollateralTransferDecoder transfer) && transfer.AccountId >= BookPlan.FirstClient
                && transfer.CurrencyId == 1)
                sum += transfer.Amount.Mantissa * 1e-6;
        }
        return sum;
    }

    private static Population Draw(int accounts, ulong seed, out Board board)
    {
        var path = new BuiltinPath(new SeededRandom(seed));
        board = new Board();
        path.Open(board);
        return BookFactory.Create(board, path, new BookPlan { Accounts = accounts, Seed = seed });
    }

    private static byte[] Flat(IEnumerable<byte[]> messages) => [.. messages.SelectMany(message => message)];
}
