using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.EngineTests;

/// <summary>
/// Real SPAN parameter files through the engine: every cell of every risk array, every composite delta, and random portfolios against the reference.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SpanEngineTests
{
    private const decimal FutureTolerance = 1e-6m;
    private const decimal OptionTolerance = 1e-5m;

    // What the engine's decimals leave: parameters of eight, amounts of six.
    private const decimal FormulaTolerance = 2e-7m;
    private const decimal Atoms = 1e6m;
    private const int Portfolios = 500;

    [Test]
    public void Every_array_of_a_real_file_is_the_engines_profit_of_one_lot_in_every_row()
    {
        foreach (string path in MarginData.Files("", "*.spn*"))
        {
            using var desk = new SpanDesk(path);
            MarginReport report = desk.Hold(desk.Contracts.Select(contract => (contract, 1L)));
            var futures = new ErrorDistribution("futures", "cells");
            var options = new ErrorDistribution("options", "cells");
            var carried = new ErrorDistribution("second rate", "cells");
            var formulas = new ErrorDistribution("formulas", "cells");
            var deltas = new ErrorDistribution("deltas", "contracts");
            foreach (SpanContract contract in desk.Contracts)
            {
                PositionReport position = desk.PositionIn(report, contract);
                decimal[] formula = SpanReference.RiskArray(contract, desk.File.Points);
                for (int point = 0; point < desk.File.Points.Count; point++)
                {
                    decimal loss = -position.RowProfits[point] / Atoms * desk.File.Points[point].Weight / contract.PriceScan;
                    ErrorDistribution errors = contract.Strike is null ? futures : options;
                    errors.Add(loss, contract.RiskArray[point] / contract.PriceScan, $"{contract.Name} point {point + 1}");
                    formulas.Add(loss, formula[point] / contract.PriceScan, $"{contract.Name} point {point + 1}");
                    if (contract.Strike is not null && contract.Yield != 0m)
                        carried.Add(loss, contract.RiskArray[point] / contract.PriceScan, $"{contract.Name} point {point + 1}");
                }

                deltas.Add(position.DeltaBaseE9 / 1e9m / contract.ContractValueFactor, contract.CompositeDelta, contract.Name);
            }

            TestContext.Out.WriteLine($"{desk.File.Name}: {desk.Contracts.Count} of {desk.File.Contracts.Count} contracts; differences in scan ranges, deltas in contracts");
            foreach (Tool.Span.SpanException exception in desk.Market.Exceptions)
                TestContext.Out.WriteLine($"  except {exception.Name}: {exception.Reason}");
            foreach (ErrorDistribution errors in new[] { futures, options, carried, formulas, deltas }.Where(errors => errors.Count > 0))
                errors.Print();
            Assert.Multiple(() =>
            {
                Assert.That(futures.Count + options.Count, Is.GreaterThan(0), desk.File.Name);
                Assert.That(Largest(futures), Is.LessThanOrEqualTo(FutureTolerance), $"{desk.File.Name}: futures");
                Assert.That(Largest(options), Is.LessThanOrEqualTo(OptionTolerance), $"{desk.File.Name}: options");
                Assert.That(Largest(formulas), Is.LessThanOrEqualTo(FormulaTolerance), $"{desk.File.Name}: the reference's formulas");
                Assert.That(Largest(deltas), Is.LessThanOrEqualTo(OptionTolerance), $"{desk.File.Name}: composite deltas");
            });
        }
    }

    [Test]
    public void Random_portfolios_of_a_real_file_owe_what_the_reference_says()
    {
        foreach (string path in MarginData.Files("", "*.spn*"))
        {
            using var desk = new SpanDesk(path);
            var books = new SpanBooks(desk);
            var exact = new SpanComparison("the reference's arrays", 1e-6m);
            var published = new SpanComparison("the file's arrays", OptionTolerance);
            for (int seed = 1; seed <= Portfolios; seed++)
            {
                (SpanContract Contract, long Number)[] positions = books.Make(seed);
                MarginReport report = desk.Hold(positions);
                string name = $"{desk.File.Name} seed {seed}";
                published.Compare(desk.File, positions, report, name);
                exact.Compare(desk.File, [.. positions.Select(position => (Computed(desk.File, position.Contract), position.Number))], report, name);
            }

            published.Finish();
            exact.Finish();
        }
    }

    [Test]
    public void The_arrays_of_a_real_file_can_be_taken_as_they_are_published()
    {
        foreach (string path in MarginData.Files("", "*.spn*"))
        {
            using var desk = new SpanDesk(path, takesArrays: true);
            MarginReport report = desk.Hold(desk.Contracts.Select(contract => (contract, 1L)));
            var cells = new ErrorDistribution("cells taken", "cells");
            foreach (SpanContract contract in desk.Contracts)
            {
                PositionReport position = desk.PositionIn(report, contract);
                for (int point = 0; point < desk.File.Points.Count; point++)
                    cells.Add(-position.RowProfits[point] / Atoms, contract.RiskArray[point], $"{contract.Name} point {point + 1}");
            }

            // Cells are the file's own; charges of calendars and spreads keep the decimals of a model's parameters.
            var books = new SpanBooks(desk);
            var published = new SpanComparison("the file's arrays, taken", 1e-6m);
            for (int seed = 1; seed <= Portfolios; seed++)
            {
                (SpanContract Contract, long Number)[] positions = books.Make(seed);
                published.Compare(desk.File, positions, desk.Hold(positions), $"{desk.File.Name} seed {seed}");
            }

            cells.Print();
            Assert.That(cells.Worst.Error, Is.Zero, desk.File.Name);
            published.Finish();
        }
    }

    [Test]
    public void A_scan_row_is_told_as_the_part_of_the_index_that_it_moves()
    {
        foreach (string path in MarginData.Files("", "*.spn*"))
        {
            using var desk = new SpanDesk(path);
            SpanContract future = desk.Contracts.First(contract => contract.Strike is null);
            UnitReport unit = desk.Hold([(future, -1)]).Units.Single();
            decimal part = future.PriceScan / future.ContractValueFactor / desk.Market.Find(future.Commodity)!.Index;
            Assert.Multiple(() =>
            {
                for (int point = 0; point < desk.File.Points.Count; point++)
                    Assert.That(unit.Rows[point].SpotShockE8 / 1e8m, Is.EqualTo(desk.File.Points[point].PriceMove * part).Within(3e-8m), $"{future.Name} point {point + 1}");
                Assert.That(desk.LastWorstShockE8(), Is.EqualTo(unit.Rows[unit.Margin.WorstRow].SpotShockE8).And.GreaterThan(0), "the published update of a short future");
            });
        }
    }

    private static decimal Largest(ErrorDistribution errors) => errors.Count == 0 ? 0m : (decimal)errors.Worst.Error;

    private static SpanContract Computed(SpanFile file, SpanContract contract) => contract with
    {
        RiskArray = SpanReference.RiskArray(contract, file.Points),
        CompositeDelta = SpanReference.CompositeDelta(contract, file.DeltaPoints),
    };
}
