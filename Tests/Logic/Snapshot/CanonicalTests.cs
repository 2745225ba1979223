using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>Equal books give equal bytes, in whatever slots their records lie and however they came about.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class CanonicalTests
{
    private const int Accounts = 5, Instruments = 12;

    [Test]
    public void Books_that_came_about_differently_and_hold_the_same_are_written_alike_but_for_the_order_of_their_lists()
    {
        int orderSeen = 0;
        for (int seed = 1; seed <= 20; seed++)
        {
            (Book first, MarketState market) = Build(seed, detour: false);
            (Book second, MarketState otherMarket) = Build(seed, detour: true);
            StateBlocks ours = new(), theirs = new();
            StateStream stream = StateStream.Writer(ours), other = StateStream.Writer(theirs);
            first.Describe(stream);
            second.Describe(other);
            stream.Finish();
            other.Finish();
            Assert.That(Bytes(theirs), Is.EqualTo(Bytes(ours)), $"seed {seed}");

            StateBlocks links = new(), otherLinks = new();
            StateStream linked = StateStream.Writer(links), otherLinked = StateStream.Writer(otherLinks);
            first.DescribeLinks(linked);
            second.DescribeLinks(otherLinked);
            linked.Finish();
            otherLinked.Finish();
            orderSeen += Bytes(links).AsSpan().SequenceEqual(Bytes(otherLinks)) ? 0 : 1;
            Assert.That(market.InstrumentCount, Is.EqualTo(otherMarket.InstrumentCount));
        }

        Assert.That(orderSeen, Is.GreaterThan(10), "they did come about differently");
    }

    private static byte[] Bytes(StateBlocks blocks) => [.. Enumerable.Range(0, blocks.Count).SelectMany(block => blocks[block].ToArray())];

    // The same holdings; with a detour others come and go before, and everything comes in the opposite order.
    private static (Book Book, MarketState Market) Build(int seed, bool detour)
    {
        Random random = new(seed);
        MarketState market = new(Limits.Small);
        market.TryAddCurrency(Desk.Usd, 6, "USD"u8);
        market.TryAddCurrency(Desk.Btc, 10, "BTC"u8);
        market.TryAddUnderlying(1, 1, "BTC"u8);
        market.TryAddUnderlying(2, 1, "ETH"u8);
        for (uint id = 1; id <= Instruments; id++)
        {
            market.TryAddInstrument(
                new Instrument { Id = id, Underlying = (int)(id % 2), Currency = (int)(id % 3 / 2), Expiry = -1, Kind = InstrumentKind.Perpetual, SizeE8 = 1 }, "X"u8);
        }

        Book book = new(Limits.Small, market);
        for (ulong account = 1; account <= Accounts; account++)
        {
            book.TryAddAccount(account, 0);

            // A currency once held stays known to the account, and that is state.
            book.Credit((int)account - 1, 0, 0);
            book.Credit((int)account - 1, 1, 0);
        }

        List<(int Account, int Instrument, long Lots, ulong Order)> holdings = [];
        for (int account = 0; account < Accounts; account++)
        {
            for (int instrument = 0; instrument < Instruments; instrument++)
            {
                if (random.Next(3) > 0)
                {
                    holdings.Add((account, instrument, random.Next(1, 100), (ulong)random.Next(1, 1_000_000)));
                }
            }
        }

        if (detour)
        {
            Pass(book, random, holdings.Count);
            holdings.Reverse();
        }

        foreach ((int account, int instrument, long lots, ulong order) in holdings)
        {
            int position = book.PositionOrAdd(account, instrument);
            book.ChangePosition(position).Lots = lots;
            foreach (ulong id in detour ? new[] { order, order + 2_000_000 } : [order + 2_000_000, order])
            {
                Assert.That(book.TryAddOrder(id, position, Side.Buy, 3, 100, (long)(id % 7)), Is.True);
            }
        }

        for (int account = 0; account < Accounts; account++)
        {
            book.TouchAccount(account);
        }

        return (book, market);
    }

    // Positions that come and go leave the free slots in another order.
    private static void Pass(Book book, Random random, int count)
    {
        List<int> taken = [];
        for (int index = 0; index < count; index++)
        {
            taken.Add(book.PositionOrAdd(random.Next(Accounts), random.Next(Instruments)));
        }

        foreach (int position in taken.Distinct().OrderBy(_ => random.Next()))
        {
            book.RemoveIfEmpty(position);
        }
    }
}
