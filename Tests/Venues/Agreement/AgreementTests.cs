using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// The engine against an independent, slow, obvious implementation of each shipped model, on random books. One line per model; MARGIN_BOOKS sets the number
/// of books.
/// </summary>
[TestFixture]
internal sealed class AgreementTests
{
    private static readonly int Books = int.TryParse(Environment.GetEnvironmentVariable("MARGIN_BOOKS"), out int books) ? books : 10_000;

    [TestCase("matrix")]
    public void The_engine_agrees_with_an_independent_implementation_to_its_own_rounding(string model) =>
        new Agreement(ReferenceModels.Of(model), new DeskEngine(document: Document)).Run(Books);

    [Test]
    public void Every_position_agrees_in_every_row_to_half_an_atom()
    {
        var engine = new DeskEngine(document: Document);
        double largest = 0.0;
        long cells = 0;
        for (int seed = 1; seed <= Math.Min(Books, 2_000); seed++)
        {
            RandomBook book = BookMaker.Make(seed, new PortfolioModel().Style);
            MarginReport report = engine.Report(book, "matrix");
            foreach (BookUnit unit in book.Units())
            {
                UnitReport actual = report.Units.First(each => each.Underlying == unit.Underlying.Code && each.Currency == unit.Currency.Code);
                var rows = new DeribitUnit(book, unit, AgreementParameters.Portfolio(unit.Underlying.Code));
                foreach (BookPosition position in unit.Positions)
                {
                    IReadOnlyList<long> profits = actual.Positions.First(each => each.InstrumentId == position.Instrument.Id).RowProfits;
                    double[] expected = rows.Vector(position.Instrument, position.Lots);
                    double allowed = RoundingBound.AtomsOfRow(book, unit, position);
                    Assert.That(profits, Has.Count.EqualTo(expected.Length));
                    for (int row = 0; row < expected.Length; row++)
                    {
                        double difference = Math.Abs(profits[row] - (expected[row] / (double)unit.Currency.Atom));
                        Assert.That(difference, Is.LessThanOrEqualTo(allowed), $"row {row} of {position}: {book}");
                        largest = Math.Max(largest, difference - allowed + 0.5);
                        cells++;
                    }
                }
            }
        }

        TestContext.Out.WriteLine($"matrix: {cells} cells, largest difference {largest:f6} atoms after what doubles may be off");
    }

    [Test]
    public void Every_shipped_model_has_an_independent_implementation() =>
        Assert.That(ModelDocument.ShippedNames, Is.SubsetOf(ReferenceModels.Names));

    [Test]
    public void A_document_that_differs_in_one_number_is_found_out()
    {
        var change = new Dictionary<string, (string Path, JsonNode Value)>
        {
            ["volatility down"] = ("underlyings.BTC.volatilityDown", 0.2501m),
            ["price range"] = ("underlyings.BTC.priceRange", 0.1601m),
            ["annualised move"] = ("addOns", Roll(0.0751m)),
            ["dampener"] = ("underlyings.BTC.tailDampener", 100_000.01m),
        };
        foreach ((string name, (string path, JsonNode value)) in change)
        {
            var agreement = new Agreement(new PortfolioModel(), new DeskEngine(document: _ => TestModels.Matrix.With(path, value)));
            for (int seed = 1; seed <= 100; seed++)
            {
                agreement.Compare(BookMaker.Make(seed, new PortfolioModel().Style));
            }

            Assert.That(agreement.Misses, Is.Not.Empty, name);
        }
    }

    [TestCaseSource(typeof(ReferenceModels), nameof(ReferenceModels.Names))]
    public void A_difference_above_the_bound_is_reported_and_one_below_it_is_not(string name)
    {
        IReferenceModel model = ReferenceModels.Of(name);
        foreach ((double share, int missed) in new[] { (0.5, 0), (2.0, 60) })
        {
            var agreement = new Agreement(model, new Shifted(model, share));
            for (int seed = 1; seed <= 20; seed++)
            {
                agreement.Compare(BookMaker.Make(seed, model.Style));
            }

            Assert.That(agreement.Misses, Has.Count.EqualTo(missed), $"{model.Name} shifted by {share} of the bound");
        }
    }

    private static ModelDocument Document(string name) => name == "matrix" ? TestModels.Matrix : ModelDocument.Shipped(name);

    private static JsonNode Roll(decimal moveRisk)
    {
        JsonNode addOns = TestModels.Matrix["addOns"]!;
        addOns[0]!["moveRisk"]!["BTC"] = moveRisk;
        return addOns;
    }

    /// <summary>An engine that is off by a share of what it may be off.</summary>
    private sealed class Shifted(IReferenceModel model, double share) : IEngineUnderTest
    {
        public (decimal Equity, decimal Initial, decimal Maintenance) Margin(RandomBook book, string name)
        {
            ReferenceMargin margin = model.Margin(book);
            double requirement = share * margin.AllowedRequirement;
            return (Exact(margin.Equity!.Value, share * margin.AllowedEquity), Exact(margin.Initial, requirement), Exact(margin.Maintenance, -requirement));
        }

        // A double as a decimal keeps 15 digits; the sum of two keeps the shift.
        private static decimal Exact(double value, double shift) => decimal.Parse(value.ToString("f9")) + (decimal)shift;
    }
}
