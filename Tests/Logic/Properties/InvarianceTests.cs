using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>Margin is a function of what an account holds, not of how it came to hold it: bit for bit, under every shipped model.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class InvarianceTests
{
    private static readonly BookStyle Style = new() { HasOrders = true, HasDoubt = true, HasFunding = true, HasOptionMarks = true };

    [Test]
    public void The_order_of_fills_and_orders_does_not_show_under_any_model()
    {
        Property property = new("order of fills and orders");
        Property.ForAll(60, Style, stage =>
        {
            Random random = new(stage.Book.Seed);
            foreach (string model in stage.Models)
            {
                MarginReport straight = stage.Report(stage.Hold(model));
                ulong shuffled = stage.Open(model, withDeposits: true);
                List<Action> steps = [
                    .. stage.Book.Fills.Select(fill => (Action)(() => stage.Fill(shuffled, fill))),
                    .. stage.Book.Orders.Select(order => (Action)(() => stage.Order(shuffled, order)))];
                foreach (Action step in steps.OrderBy(_ => random.Next()))
                {
                    step();
                }

                Same(property, model, straight, stage.Report(shuffled), stage.Book);
            }
        });
        property.Finish(atLeast: 800);
    }

    [Test]
    public void Splitting_a_fill_moves_cash_by_half_an_atom_a_part_at_most_and_with_that_cash_given_back_nothing_under_any_model()
    {
        Property property = new("splitting");
        Property.ForAll(60, Style, stage =>
        {
            Random random = new(stage.Book.Seed);
            foreach (string model in stage.Models)
            {
                ulong whole = stage.Hold(model);
                ulong split = stage.Open(model, withDeposits: true);
                Dictionary<string, int> parts = [];
                foreach (BookFill fill in stage.Book.Fills)
                {
                    string currency = stage.Book.Currency(stage.Book.Instrument(fill.InstrumentId).CurrencyId).Code;
                    foreach (long lots in Split(fill.Lots, random))
                    {
                        parts[currency] = parts.GetValueOrDefault(currency) + 1;
                        stage.Fill(split, fill with { Lots = lots });
                    }
                }

                foreach (BookOrder order in stage.Book.Orders)
                {
                    stage.Order(split, order);
                }

                MarginReport one = stage.Report(whole);
                MarginReport many = stage.Report(split);
                foreach (BookCurrency currency in stage.Book.Currencies)
                {
                    long rounding = Owned(one, currency.Code) - Owned(many, currency.Code);
                    long allowed = (parts.GetValueOrDefault(currency.Code) + stage.Book.Fills.Count + 1) / 2;
                    property.That(Math.Abs(rounding) <= allowed, () => $"{model}: {rounding} atoms of {currency.Code} by splitting, allowed {allowed}: {stage.Book}");
                    if (rounding != 0)
                    {
                        stage.Give(rounding > 0 ? split : whole, currency.Id, Math.Abs(rounding));
                    }
                }

                Same(property, model, stage.Report(whole), stage.Report(split), stage.Book);
            }
        });
        property.Finish(atLeast: 3_000);
    }

    [Test]
    public void A_position_that_was_opened_larger_and_cut_back_is_the_position_under_any_model()
    {
        Property property = new("there and back");
        Property.ForAll(30, Style, stage =>
        {
            Random random = new(stage.Book.Seed);
            foreach (string model in stage.Models)
            {
                ulong plain = stage.Hold(model, withOrders: false);
                ulong detour = stage.Open(model, withDeposits: true);
                foreach (BookFill fill in stage.Book.Fills)
                {
                    long more = random.NextInt64(1, (2 * Math.Abs(fill.Lots)) + 1) * random.Next(-1, 2);
                    stage.Fill(detour, fill with { Lots = fill.Lots + more }, fill with { Lots = -more });
                }

                MarginReport one = stage.Report(plain);
                MarginReport other = stage.Report(detour);
                foreach (BookCurrency currency in stage.Book.Currencies)
                {
                    long rounding = Owned(one, currency.Code) - Owned(other, currency.Code);
                    if (rounding != 0)
                    {
                        stage.Give(rounding > 0 ? detour : plain, currency.Id, Math.Abs(rounding));
                    }
                }

                Same(property, model, stage.Report(plain), stage.Report(detour), stage.Book);
            }
        });
        property.Finish(atLeast: 400);
    }

    [Test]
    public void The_numbers_and_the_order_of_contracts_do_not_show_under_any_model()
    {
        Property property = new("numbers of contracts");
        for (int seed = 1; seed <= 60; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style);
            Random random = new(seed);
            uint[] numbers = [.. Enumerable.Range(1, book.Instruments.Count).OrderBy(_ => random.Next()).Select(number => (uint)((number * 37) + seed))];
            using Stage plain = new(book);
            using Stage renumbered = new(book, id => numbers[id - 1], book.Instruments.OrderBy(_ => random.Next()));
            foreach (string model in plain.Models)
            {
                Same(property, model, plain.Report(plain.Hold(model)), renumbered.Report(renumbered.Hold(model)), book);
            }
        }

        property.Finish(atLeast: 800);
    }

    [Test]
    public void The_order_in_which_accounts_are_opened_and_filled_does_not_show_under_any_model()
    {
        Property property = new("order of accounts");
        for (int seed = 1; seed <= 40; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style);
            using Stage forward = new(book);
            using Stage backward = new(book);
            Dictionary<string, ulong> first = forward.Models.ToDictionary(model => model, model => forward.Hold(model));

            // All of them opened before any is filled, then filled contract by contract across accounts.
            Dictionary<string, ulong> second = backward.Models.Reverse().ToDictionary(model => model, model => backward.Open(model, withDeposits: true));
            foreach (BookFill fill in book.Fills.Reverse())
            {
                foreach (ulong account in second.Values)
                {
                    backward.Fill(account, fill);
                }
            }

            foreach (ulong account in second.Values)
            {
                foreach (BookOrder order in book.Orders)
                {
                    backward.Order(account, order);
                }
            }

            foreach (string model in forward.Models)
            {
                Same(property, model, forward.Report(first[model]), backward.Report(second[model]), book);
            }
        }

        property.Finish(atLeast: 500);
    }

    [Test]
    public void A_live_account_after_many_ticks_is_the_account_that_a_fresh_machine_makes_of_its_positions_under_any_model()
    {
        Property property = new("live and fresh");
        for (int seed = 1; seed <= 30; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style);
            Random random = new(seed);
            using Stage live = new(book);
            using Stage fresh = new(book);
            Dictionary<string, ulong> held = live.Models.ToDictionary(model => model, model => live.Hold(model));
            for (int tick = 0; tick < 10; tick++)
            {
                decimal move = (decimal)(0.9 + (0.2 * random.NextDouble()));
                Tick(live, tick == 9 ? 1m : move);
            }

            foreach (string model in live.Models)
            {
                Same(property, model, fresh.Report(fresh.Hold(model)), live.Report(held[model]), book);
            }
        }

        property.Finish(atLeast: 400);
    }

    // Every price of the book times a factor.
    private static void Tick(Stage stage, decimal move)
    {
        foreach (BookUnderlying underlying in stage.Book.Underlyings)
        {
            MarketMessages.Index(stage.Desk, underlying.Id, decimal.Round(underlying.Index * move, 8), underlying.Confidence);
        }

        foreach (BookExpiry expiry in stage.Book.Expiries.Where(expiry => stage.Book.Instruments.Any(each => each.UnderlyingId == expiry.UnderlyingId && each.Expiry == expiry.Time)))
        {
            MarketMessages.Forward(stage.Desk, expiry with { Forward = decimal.Round(expiry.Forward * move, 8) });
        }

        foreach (BookInstrument contract in stage.Book.Instruments)
        {
            BookInstrument moved = contract with { Mark = Math.Max(decimal.Round(contract.Mark * move, 8), 0.00000001m) };
            MarketMessages.Price(stage.Desk, stage.IdOf(contract.Id), moved, stage.Book.HasOptionMarks);
        }

        stage.Desk.Time(stage.Book.Now);
    }

    private static void Same(Property property, string model, MarginReport one, MarginReport other, RandomBook book)
    {
        property.That(one.Margin.Equals(other.Margin), () => $"{model}: {Property.Text(one.Margin)}, then {Property.Text(other.Margin)}: {book}");
        foreach ((UnitReport left, UnitReport right) in one.Units.Zip(other.Units))
        {
            property.That(
                left.Margin.Initial == right.Margin.Initial && left.Margin.Maintenance == right.Margin.Maintenance && left.Margin.NetDelta == right.Margin.NetDelta
                    && left.Rows.Select(row => row.Counted).SequenceEqual(right.Rows.Select(row => row.Counted)),
                () => $"{model}: unit {left.Underlying} in {left.Currency} {left.Margin.Initial} then {right.Margin.Initial}: {book}");
        }
    }

    // What an account owns of a currency: balance, open profit, options.
    private static long Owned(MarginReport report, string currency) =>
        (report.Balances.FirstOrDefault(balance => balance.Currency == currency)?.Balance ?? 0)
        + report.Units.Where(unit => unit.Currency == currency).Sum(unit => unit.Margin.Value);

    private static List<long> Split(long lots, Random random)
    {
        List<long> parts = [];
        long left = Math.Abs(lots);
        while (left > 0)
        {
            long part = parts.Count == 4 ? left : random.NextInt64(1, left + 1);
            parts.Add(lots > 0 ? part : -part);
            left -= part;
        }

        return parts;
    }
}
