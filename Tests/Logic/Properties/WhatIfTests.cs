using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>The answer to "would this order be covered?" is the account with the order in it, to the unit, and a bound of the account after its fill.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class WhatIfTests
{
    private static readonly BookStyle Style = new() { HasOrders = true, HasDoubt = true, HasFunding = true, HasOptionMarks = true };

    // Add-ons that resting orders are not counted in: what they charge comes with the fill. Fees and minimum delta count orders.
    private static readonly HashSet<AddOnKind> PositionsOnly = [
        AddOnKind.PercentOf, AddOnKind.TieredRate, AddOnKind.TieredMultiple, AddOnKind.ExpiryMove, AddOnKind.ExpiryReprice, AddOnKind.DeltaLiquidity,
        AddOnKind.CalendarSpread, AddOnKind.Confidence, AddOnKind.Depeg, AddOnKind.Funding, AddOnKind.ShortVega, AddOnKind.SettlementDelay, AddOnKind.Staleness, AddOnKind.OpenInterest];

    [Test]
    public void The_answer_before_a_trade_is_the_account_with_the_order_open_to_the_unit_under_every_model()
    {
        Property property = new("answer and order");
        Property.ForAll(150, Style, stage =>
        {
            Random random = new(stage.Book.Seed);
            foreach (string model in stage.Models)
            {
                ulong account = random.Next(8) == 0 ? stage.Open(model, withDeposits: true) : stage.Hold(model);
                BookOrder order = Order(stage, random);
                Answer answer = Ask(stage, account, order);
                stage.Order(account, order);
                AccountMargin after = stage.Report(account).Margin;
                property.That(
                    answer == new Answer(after.Initial, after.Maintenance, after.BuyingPower),
                    () => $"{model}: answered {answer}, then {Property.Text(after)}; order {order}: {stage.Book}");
            }
        });
        property.Finish(atLeast: 2_000);
    }

    [Test]
    public void Asking_twice_and_asking_about_something_else_between_changes_no_answer_and_no_account()
    {
        Property property = new("asking changes nothing");
        Property.ForAll(40, Style, stage =>
        {
            Random random = new(stage.Book.Seed);
            foreach (string model in stage.Models)
            {
                ulong account = stage.Hold(model);
                AccountMargin before = stage.Report(account).Margin;
                BookOrder order = Order(stage, random);
                Answer first = Ask(stage, account, order);
                Ask(stage, account, Order(stage, random));
                Answer second = Ask(stage, account, order);
                property.That(first == second && stage.Report(account).Margin.Equals(before), () => $"{model}: {first} then {second}, order {order}: {stage.Book}");
            }
        });
        property.Finish(atLeast: 500);
    }

    [Test]
    public void A_fill_at_the_mark_asks_no_more_than_was_answered_but_for_add_ons_that_count_positions_only_sums_by_expiry_and_charges_of_collateral()
    {
        Property property = new("fill at the mark");
        int more = 0;
        Property.ForAll(120, Style with { HasOrders = false }, stage =>
        {
            Random random = new(stage.Book.Seed);
            foreach (string model in stage.Models)
            {
                ModelDocument document = ModelDocument.Shipped(model);
                ulong account = stage.Hold(model);
                BookOrder order = Order(stage, random);
                order = order with { Price = stage.MarkOf(model, stage.Book.Instrument(order.InstrumentId)) };
                ulong resting = stage.Order(account, order);
                MarginReport asked = stage.Report(account);
                stage.Desk.Fill(account, order.InstrumentId, order.Lots, order.Price, order: resting);
                MarginReport filled = stage.Report(account);
                long excess = filled.Margin.Initial - asked.Margin.Initial;
                long allowed = Allowed(stage, document, asked, filled, order);
                more += excess > 0 ? 1 : 0;
                property.That(
                    excess <= allowed,
                    () => $"{model}: {filled.Margin.Initial} asked after {asked.Margin.Initial} was answered, {excess} more, explained {allowed}; order {order}: {stage.Book}");
                property.That(
                    document["requirement"]?["openOrders"]?.GetValue<string>() != "filled" || model == "derive-standard" || excess <= 0,
                    () => $"{model} fills every order in its answer: {excess} more; order {order}: {stage.Book}");
            }
        });
        TestContext.Out.WriteLine($"in {more} cases more was asked after the fill, by add-ons that count positions only");
        property.Finish(atLeast: 3_000);
    }

    // factor * (what before-add-ons, alternatives and floors rise + what happens to sums by expiry) + what after-add-ons rise, unit by unit in USD.
    private static long Allowed(Stage stage, ModelDocument document, MarginReport asked, MarginReport filled, BookOrder order)
    {
        BookInstrument contract = stage.Book.Instrument(order.InstrumentId);
        UnitReport? after = filled.Units.SingleOrDefault(unit => Is(stage, unit, contract));
        if (after is null)
        {
            return Usd.MicrosOfRounding; // The fill closed the last of it.
        }

        UnitReport before = asked.Units.Single(unit => Is(stage, unit, contract));
        double inside = ExpirySumTerms.Excess(stage, document, after, order);

        // A fill moves the delta that spreads between underlyings were formed with: what credit it costs is told across units.
        double outside = 0.0;
        long credit = document["spreads"] is null ? 0 : Math.Max(0, filled.AcrossInitial - asked.AcrossInitial);
        foreach (ComponentReport part in after.Components.Where(part => part.AddOn >= 0 || part.Name == "liquidationCost"))
        {
            ComponentReport then = before.Components.Single(each => each.Name == part.Name && each.AddOn == part.AddOn);
            bool mayRise = part.AddOn < 0 || PositionsOnly.Contains((AddOnKind)AddOnTable.Kinds.ToList().IndexOf(part.Name));
            double rise = mayRise ? Math.Max(0, part.Initial - then.Initial) : 0.0;
            inside += part.Place == AddOnPlace.After ? 0.0 : rise;
            outside += part.Place == AddOnPlace.After ? rise : 0.0;
        }

        // A price has eight decimals, so that a fill at the mark is one beside it by up to one of them.
        double coin = contract.CurrencyId == RandomBook.UsdId ? 1.0 : (double)stage.Book.Underlying(contract.UnderlyingId).Index;
        double step = Math.Abs((double)(order.Lots * contract.Size)) * 1e-8 * coin * 2.0;

        // Where options are no equity, the premium of one that is sold becomes a balance, and balances of coin may be charged a part of their value.
        bool isCharged = contract.IsOption && document["equity"]?["optionValue"] is not null && order.Lots < 0;
        double charge = isCharged ? Charge(document, after.Currency) * Math.Abs((double)(order.Lots * contract.Size * order.Price)) * coin : 0.0;
        double atoms = (after.InitialFactorE16 / 1e16 * inside) + outside + Usd.AtomsOfRounding;
        return (long)Math.Ceiling(((atoms * Usd.PerAtom(stage.Book, after)) + step + charge) * 1e6) + Usd.MicrosOfRounding + credit;
    }

    private static double Charge(ModelDocument document, string currency) =>
        (document["currencies"]?[currency]?["initialHaircut"]?.GetValue<double>() ?? 0.0) + (document["currencies"]?[currency]?["maintenanceHaircut"]?.GetValue<double>() ?? 0.0);

    private static bool Is(Stage stage, UnitReport unit, BookInstrument contract) =>
        unit.Underlying == stage.Book.Underlying(contract.UnderlyingId).Code && unit.Currency == stage.Book.Currency(contract.CurrencyId).Code;

    private static BookOrder Order(Stage stage, Random random)
    {
        BookInstrument contract = stage.Book.Instruments[random.Next(stage.Book.Instruments.Count)];
        decimal price = contract.Mark * (decimal)(0.8 + (0.4 * random.NextDouble()));
        price = contract.IsOption && contract.IsInverse ? price / stage.Book.Underlying(contract.UnderlyingId).Index : price;
        BookFill? held = stage.Book.Fills.FirstOrDefault(fill => fill.InstrumentId == contract.Id);
        long most = held is null ? 1_000 : 2 * Math.Abs(held.Lots);
        return new BookOrder(contract.Id, random.NextInt64(1, most + 1) * ((random.Next(2) * 2) - 1), Math.Max(decimal.Round(price, 8), 0.00000001m));
    }

    private static Answer Ask(Stage stage, ulong account, BookOrder order)
    {
        stage.Desk.Ask(account, stage.IdOf(order.InstrumentId), order.Lots, order.Price);
        PreTradeAnswerDecoder.TryWrap(stage.Desk.Of(PreTradeAnswerDecoder.TemplateId).Single(), out PreTradeAnswerDecoder answer);
        return new Answer(answer.InitialMarginAfter.Mantissa, answer.MaintenanceMarginAfter.Mantissa, answer.BuyingPowerAfter.Mantissa);
    }

    private readonly record struct Answer(long Initial, long Maintenance, long BuyingPower);
}
