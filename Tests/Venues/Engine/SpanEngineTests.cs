using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.EngineTests;

/// <summary>
/// Real SPAN parameter files through the engine: every cell of every risk array, every composite delta, and random portfolios against the reference.
/// </summary>
[TestFixture]
internal sealed class SpanEngineTests
{
    private const double FutureTolerance = 1e-6;
    private const double OptionTolerance = 2.5e-4;
    private const double Atoms = 1e6;
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
            var deltas = new ErrorDistribution("deltas", "contracts");
            foreach (SpanContract contract in desk.Contracts)
            {
                PositionReport position = desk.PositionIn(report, contract);
                for (int point = 0; point < desk.File.Points.Count; point++)
                {
                    double loss = -position.RowProfits[point] / Atoms * desk.File.Points[point].Weight / contract.PriceScan;
                    ErrorDistribution errors = contract.Strike is null ? futures : options;
                    errors.Add(loss, contract.RiskArray[point] / contract.PriceScan, $"{contract.Name} point {point + 1}");
                    if (contract.Strike is not null && contract.Yield != 0.0)
                        carried.Add(loss, contract.RiskArray[point] / contract.PriceScan, $"{contract.Name} point {point + 1}");
                }

                deltas.Add(position.DeltaBaseE9 / 1e9 / contract.ContractValueFactor, contract.CompositeDelta, contract.Name);
            }

            TestContext.Out.WriteLine($"{desk.File.Name}: {desk.Contracts.Count} of {desk.File.Contracts.Count} contracts; differences in scan ranges, deltas in contracts");
            foreach (Tool.Span.SpanException exception in desk.Market.Exceptions)
                TestContext.Out.WriteLine($"  except {exception.Name}: {exception.Reason}");
            foreach (ErrorDistribution errors in new[] { futures, options, carried, deltas }.Where(errors => errors.Count > 0))
                errors.Print();
            Assert.Multiple(() =>
            {
                Assert.That(futures.Count + options.Count, Is.GreaterThan(0), desk.File.Name);
                Assert.That(Largest(futures), Is.LessThanOrEqualTo(FutureTolerance), $"{desk.File.Name}: futures");
                Assert.That(Largest(options), Is.LessThanOrEqualTo(OptionTolerance), $"{desk.File.Name}: options");
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
            var exact = new SpanComparison("the reference's arrays", 1e-6);
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

    private static double Largest(ErrorDistribution errors) => errors.Count == 0 ? 0.0 : errors.Worst.Error;

    private static SpanContract Computed(SpanFile file, SpanContract contract) => contract with
    {
        RiskArray = SpanReference.RiskArray(contract, file.Points),
        CompositeDelta = SpanReference.CompositeDelta(contract, file.DeltaPoints),
    };
}
