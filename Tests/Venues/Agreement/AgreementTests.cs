using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// The engine against an independent, slow, obvious implementation of each shipped model, on random books. MARGIN_BOOKS sets their number, 300 a model by
/// default.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class AgreementTests
{
    private static readonly object[] OtherNumbers =
    [
        new object[] { "matrix", "underlyings.BTC.volatilityDown", 0.2501m },
        new object[] { "matrix", "underlyings.BTC.priceRange", 0.1601m },
        new object[] { "matrix", "underlyings.BTC.tailDampener", 100_000.01m },
        new object[] { "portfolio", "surface.termDays", 90.01m },
        new object[] { "portfolio", "surface.width", 1.2001m },
        new object[] { "portfolio", "underlyings.ETH.gainShare", 0.5001m },
        new object[] { "portfolio", "liquidation.impact", 0.010001m },
        new object[] { "portfolio", "currencies.USDC.redemptionWeight", 0.9001m },
        new object[] { "deribit-pm", "underlyings.ETH.gainShare", 0.6001m },
        new object[] { "deribit-standard", "currencies.BTC.haircut", 0.0501m },
        new object[] { "derive-pmrm2", "policyDiscount.longRateAdd", 0.1001m },
        new object[] { "derive-pmrm2", "peg.factor", 4.001m },
        new object[] { "derive-pmrm1", "policyDiscount.longRateMultiple", 4.001m },
        new object[] { "derive-standard", "currencies.ETH.maintenanceHaircut", 0.2001m },
        new object[] { "paradex-pm", "volatility.longTermPower", 0.1301m },
        new object[] { "okx-pm", "underlyings.BTC.volatilityUp", 0.5001m },
        new object[] { "span", "underlyings.ETH.scanRange", 320.001m },
        new object[] { "tims", "underlyings.*.gainShare", 0.7501m },
        new object[] { "hvar", "history.decay", 0.9701m },
        new object[] { "brackets", "currencies.ETH.haircut", 0.0801m },
        new object[] { "isolated", "currencies.BTC.haircut", 0.0001m },
        new object[] { "cross", "currencies.BTC.haircut", 0.0501m },
    ];

    private static readonly int Books = int.TryParse(Environment.GetEnvironmentVariable("MARGIN_BOOKS"), out int books) ? books : 300;

    [TestCaseSource(typeof(ReferenceModels), nameof(ReferenceModels.Names))]
    public void The_engine_agrees_with_an_independent_implementation_to_its_own_rounding(string model) =>
        new Agreement(ReferenceModels.Of(model), new DeskEngine(Document)).Run(Books);

    [Test]
    public void Span_agrees_with_composite_deltas_too() =>
        new Agreement(new SpanModel(isComposite: true), new DeskEngine(_ => WithCompositeDeltas())).Run(Books);

    [TestCase("matrix")]
    [TestCase("portfolio")]
    public void Every_position_agrees_in_every_row_to_half_an_atom(string model)
    {
        var engine = new DeskEngine(Document);
        decimal largest = 0m;
        long cells = 0;
        for (int seed = 1; seed <= Math.Min(Books, 500); seed++)
        {
            RandomBook book = BookMaker.Make(seed, ReferenceModels.Of(model).Style);
            MarginReport report = engine.Report(book, model);
            foreach (BookUnit unit in book.Units())
            {
                UnitReport actual = report.Units.First(each => each.Underlying == unit.Underlying.Code && each.Currency == unit.Currency.Code);
                Func<BookInstrument, long, decimal[]> vector = model == "matrix"
                    ? new DeribitUnit(book, unit, AgreementParameters.Matrix(unit.Underlying.Code)).Vector
                    : new PortfolioUnit(book, unit).Vector;
                foreach (BookPosition position in unit.Positions)
                {
                    IReadOnlyList<long> profits = actual.Positions.First(each => each.InstrumentId == position.Instrument.Id).RowProfits;
                    decimal[] expected = vector(position.Instrument, position.Lots);
                    decimal allowed = RoundingBound.AtomsOfRow(book, unit, position);
                    Assert.That(profits, Has.Count.EqualTo(expected.Length));
                    for (int row = 0; row < expected.Length; row++)
                    {
                        decimal difference = Math.Abs(profits[row] - (expected[row] / unit.Currency.Atom));
                        Assert.That(difference, Is.LessThanOrEqualTo(allowed), $"row {row} of {position}: {book}");
                        largest = Math.Max(largest, difference - allowed + 0.5m);
                        cells++;
                    }
                }
            }
        }

        TestContext.Out.WriteLine($"{model}: {cells} cells, largest difference {largest:f6} atoms after what the doubles of the engine may be off");
    }

    [Test]
    public void Every_shipped_model_has_an_independent_implementation() =>
        Assert.That(ModelDocument.ShippedNames, Is.SubsetOf(ReferenceModels.Names));

    [TestCaseSource(nameof(OtherNumbers))]
    public void A_document_that_differs_in_one_number_is_found_out(string model, string path, decimal value)
    {
        IReferenceModel reference = ReferenceModels.Of(model);
        var agreement = new Agreement(reference, new DeskEngine(name => Document(name).With(path, value)));
        for (int seed = 1; seed <= 100; seed++)
        {
            agreement.Compare(BookMaker.Make(seed, reference.Style));
        }

        Assert.That(agreement.Misses, Is.Not.Empty);
    }

    [TestCaseSource(typeof(ReferenceModels), nameof(ReferenceModels.Names))]
    public void A_difference_above_the_bound_is_reported_and_one_below_it_is_not(string name)
    {
        IReferenceModel model = ReferenceModels.Of(name);
        foreach ((decimal share, int missed) in new[] { (0.5m, 0), (2m, 60) })
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

    // The delta points of a real file as rows that serve the delta alone.
    private static ModelDocument WithCompositeDeltas()
    {
        ModelDocument document = ModelDocument.Shipped("span");
        JsonArray rows = document["rows"]!.AsArray();
        foreach (SpanPoint point in AgreementParameters.SpanDeltaPoints)
        {
            rows.Add(new JsonObject
            {
                ["spot"] = point.PriceMove,
                ["scale"] = "scanRange",
                ["weight"] = point.Weight,
                ["timeStepYears"] = SpanReference.LookAheadYears,
                ["role"] = "delta",
            });
        }

        return document.With("rows", rows);
    }

    /// <summary>An engine that is off by a share of what it may be off.</summary>
    private sealed class Shifted(IReferenceModel model, decimal share) : IEngineUnderTest
    {
        public (decimal Equity, decimal Initial, decimal Maintenance) Margin(RandomBook book, string name)
        {
            ReferenceMargin margin = model.Margin(book);
            decimal requirement = share * margin.AllowedRequirement;
            return (margin.Equity!.Value + (share * margin.AllowedEquity), margin.Initial + requirement, margin.Maintenance - requirement);
        }
    }
}
