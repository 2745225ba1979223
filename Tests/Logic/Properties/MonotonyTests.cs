using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>More risk asks for no less margin: more of a position, a higher factor, a wider range, a larger haircut; ten times the account, ten times the margin.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class MonotonyTests
{
    private static readonly BookStyle Style = new() { HasDoubt = true, HasFunding = true, LargestNotional = 1e7 };

    // Tiers, dampeners, concentration, impact: not proportional on purpose.
    private static readonly string[] Proportional = ["deribit-standard", "derive-pmrm1", "derive-pmrm2", "derive-standard", "hvar", "paradex-pm", "span", "tims"];

    [Test]
    public void More_of_one_position_in_an_otherwise_empty_account_never_lowers_a_requirement_under_any_model()
    {
        Property property = new("more of one");
        Property.ForAll(80, Style, stage =>
        {
            Random random = new(stage.Book.Seed);
            BookInstrument contract = stage.Book.Instruments[random.Next(stage.Book.Instruments.Count)];
            double lot = (double)contract.Size * (contract.IsInverse && !contract.IsOption ? 1.0 : (double)stage.Book.Underlying(contract.UnderlyingId).Index);
            long first = random.NextInt64(1, 2 + (long)(2e6 / lot)) * ((random.Next(2) * 2) - 1);
            foreach (string model in stage.Models)
            {
                decimal mark = stage.MarkOf(model, contract);
                ulong account = stage.Open(model);
                AccountMargin before = default;
                for (int step = 0; step < 5; step++)
                {
                    stage.Fill(account, new BookFill(contract.Id, first, mark));
                    AccountMargin after = stage.Report(account).Margin;

                    // Coin that a mark of eight decimals leaves over may be charged as collateral.
                    long crumbs = contract.IsInverse && model.StartsWith("derive", StringComparison.Ordinal) ? Crumbs(stage, contract, first * (step + 1)) : 0;
                    property.That(
                        after.Initial + crumbs >= before.Initial && after.Maintenance + crumbs >= before.Maintenance,
                        () => $"{model}: {first} more of {contract}: {Property.Text(before)} then {Property.Text(after)}: {stage.Book}");
                    before = after;
                }
            }
        });
        property.Finish(atLeast: 4_000);
    }

    [Test]
    public void A_higher_factor_and_a_larger_haircut_never_lower_what_an_account_must_cover_under_any_model()
    {
        Property property = new("factor and haircut");
        for (int seed = 1; seed <= 40; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style);
            using Stage shipped = new(book);
            using Stage factor = new(book, documents: Changed(document => document
                .With("requirement.initialFactor", document.Number("requirement.initialFactor") + 0.1m)
                .With("requirement.maintenanceFactor", document.Number("requirement.maintenanceFactor") + 0.1m)));
            using Stage haircut = new(book, documents: Changed(document => More(document, "haircut")));
            using Stage charge = new(book, documents: Changed(document => More(document, "maintenanceHaircut")));
            foreach (string model in shipped.Models)
            {
                AccountMargin plain = shipped.Report(shipped.Hold(model)).Margin;
                AccountMargin dearer = factor.Report(factor.Hold(model)).Margin;
                AccountMargin thinner = haircut.Report(haircut.Hold(model)).Margin;
                AccountMargin charged = charge.Report(charge.Hold(model)).Margin;
                property.That(
                    dearer.Initial >= plain.Initial && dearer.Maintenance >= plain.Maintenance && dearer.Equity == plain.Equity,
                    () => $"{model}, factors 0.1 higher: {Property.Text(plain)} then {Property.Text(dearer)}: {book}");
                property.That(
                    thinner.Equity <= plain.Equity && thinner.BuyingPower <= plain.BuyingPower && thinner.Initial == plain.Initial,
                    () => $"{model}, haircuts larger: {Property.Text(plain)} then {Property.Text(thinner)}: {book}");
                property.That(
                    charged.Initial >= plain.Initial && charged.Maintenance >= plain.Maintenance && charged.Equity == plain.Equity,
                    () => $"{model}, charges larger: {Property.Text(plain)} then {Property.Text(charged)}: {book}");
            }
        }

        property.Finish(atLeast: 1_500);
    }

    [Test]
    public void A_wider_price_range_never_lowers_what_one_position_alone_asks_and_may_lower_a_book_whose_loss_lies_between_the_prices()
    {
        Property property = new("price range");
        string[] names = ["portfolio", "deribit-pm", "tims"];
        int lowered = 0;
        for (int seed = 1; seed <= 80; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style);
            ModelDocument[] documents = [.. names.Select(ModelDocument.Shipped)];
            using Stage narrow = new(book, documents: documents);
            using Stage wide = new(book, documents: [.. documents.Select(document => Wider(document))]);
            foreach (string model in names)
            {
                foreach (BookFill fill in book.Fills)
                {
                    ulong first = narrow.Open(model);
                    ulong second = wide.Open(model);
                    narrow.Fill(first, fill);
                    wide.Fill(second, fill);
                    AccountMargin before = narrow.Report(first).Margin;
                    AccountMargin after = wide.Report(second).Margin;
                    property.That(
                        after.Initial >= before.Initial && after.Maintenance >= before.Maintenance,
                        () => $"{model}: {fill} {Property.Text(before)} then {Property.Text(after)} with a range a quarter wider: {book}");
                }

                lowered += wide.Report(wide.Hold(model)).Margin.Maintenance < narrow.Report(narrow.Hold(model)).Margin.Maintenance ? 1 : 0;
            }
        }

        TestContext.Out.WriteLine($"a wider range lowered the requirement of {lowered} of 240 whole books");
        property.Finish(atLeast: 500);
    }

    [Test]
    public void Ten_times_the_account_asks_ten_times_the_margin_within_rounding_under_models_without_tiers()
    {
        Property property = new("tenfold");
        for (int seed = 1; seed <= 80; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style with { HasOrders = true });
            using Stage stage = new(book);
            foreach (string model in stage.Models.Where(model => Proportional.Contains(model)))
            {
                MarginReport one = stage.Report(stage.Hold(model));
                ulong account = stage.Open(model);
                foreach (BookCurrency currency in book.Currencies.Where(currency => currency.Deposit != 0m))
                {
                    stage.Desk.Transfer(account, currency.Id, currency.Deposit * 10m);
                }

                stage.Fill(account, book.Fills.Select(fill => fill with { Lots = fill.Lots * 10 }));
                foreach (BookOrder order in book.Orders)
                {
                    stage.Order(account, order with { Lots = order.Lots * 10 });
                }

                MarginReport ten = stage.Report(account);
                double atoms = one.Units.Sum(unit => (unit.Positions.Count + unit.Components.Count + Usd.AtomsOfRounding) * Usd.PerAtom(book, unit));
                double allowed = (atoms * 1e6 * 11.0) + (11.0 * Usd.MicrosOfRounding * (one.Units.Count + book.Currencies.Count));
                property.That(
                    Math.Abs(ten.Margin.Initial - (10.0 * one.Margin.Initial)) <= allowed && Math.Abs(ten.Margin.Maintenance - (10.0 * one.Margin.Maintenance)) <= allowed,
                    () => $"{model}: {Property.Text(one.Margin)} then {Property.Text(ten.Margin)}, allowed {allowed}: {book}");
            }
        }

        property.Finish(atLeast: 500);
    }

    private static ModelDocument[] Changed(Func<ModelDocument, ModelDocument> change) => [.. ModelDocument.ShippedNames.Select(name => change(ModelDocument.Shipped(name)))];

    // Every flat haircut of the document a tenth larger.
    private static ModelDocument More(ModelDocument document, string haircut)
    {
        JsonObject currencies = (JsonObject)document["currencies"]!;
        foreach ((string code, JsonNode? terms) in currencies.ToList())
        {
            if (terms!["tiers"] is null || haircut != "haircut")
            {
                terms[haircut] = (terms[haircut]?.GetValue<decimal>() ?? 0m) + 0.1m;
            }
        }

        return document.With("currencies", currencies);
    }

    private static ModelDocument Wider(ModelDocument document)
    {
        JsonObject underlyings = (JsonObject)document["underlyings"]!;
        foreach ((string code, JsonNode? terms) in underlyings.ToList())
        {
            terms!["priceRange"] = terms["priceRange"]!.GetValue<decimal>() * 1.25m;
        }

        return document.With("underlyings", underlyings);
    }

    private static long Crumbs(Stage stage, BookInstrument contract, long lots)
    {
        double coin = (double)stage.Book.Underlying(contract.UnderlyingId).Index;
        return (long)Math.Ceiling(Math.Abs((double)(lots * (contract.IsOption ? contract.Size : 1m))) * 1e-8 * coin * 1e6 * 2.0) + 10;
    }
}
