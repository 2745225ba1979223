using System.Globalization;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.EngineTests;

/// <summary>
/// Compares reports with <see cref="SpanReference.Margin"/>, part by part. A portfolio may differ by a share of what its contracts scan for each alone: the share
/// that cells and deltas may differ by, and for a credit as often as the net delta, which it is divided by, goes into the deltas it is the sum of.
/// </summary>
internal sealed class SpanComparison(string against, decimal share)
{
    private const decimal Atoms = 1e6m;

    // Every position and row is rounded to an atom, every charge up to one.
    private const decimal Rounding = 1e-4m;

    private readonly List<(decimal Used, string What)> _differences = [];
    private int _books;
    private int _charged;
    private int _credited;
    private int _floored;

    public void Compare(SpanFile file, (SpanContract Contract, long Number)[] positions, MarginReport report, string name)
    {
        _books++;
        IReadOnlyList<SpanRequirement> expected = SpanReference.Margin(file, [.. positions.Select(position => (position.Contract, position.Number))]);
        _charged += expected.Any(each => each.IntraCharge > 0m) ? 1 : 0;
        _credited += expected.Any(each => each.InterCredit > 0m) ? 1 : 0;
        _floored += expected.Any(each => each.ShortOptionMinimum > each.ScanRisk + each.IntraCharge - each.InterCredit) ? 1 : 0;
        decimal allAllowed = 0m;
        foreach (SpanRequirement requirement in expected)
        {
            UnitReport unit = report.Units.Single(unit => unit.Underlying == requirement.Commodity);
            (SpanContract Contract, long Number)[] held = [.. positions.Where(position => position.Contract.Commodity == requirement.Commodity)];
            decimal gross = held.Sum(position => Math.Abs(position.Number) * position.Contract.PriceScan);
            decimal allowed = (share * gross) + Rounding;
            decimal charge = held.Sum(position => Math.Abs(position.Number)) * file.Commodities[requirement.Commodity].IntraSpreads.Sum(spread => spread.Rate);
            Add(unit.Margin.WorstCase / Atoms, requirement.ScanRisk, allowed, $"{name} {requirement.Commodity} scan");
            Add(unit.Components[1].Maintenance / Atoms, requirement.IntraCharge, (share * charge) + Rounding, $"{name} {requirement.Commodity} calendar");
            Add(unit.Components[2].Maintenance / Atoms, requirement.ShortOptionMinimum, Rounding, $"{name} {requirement.Commodity} minimum");
            decimal deltas = held.Sum(position => Math.Abs(position.Number));
            decimal net = Math.Abs(held.Sum(position => position.Number * position.Contract.CompositeDelta));
            allAllowed += allowed + (share * charge) + (requirement.InterCredit == 0m ? 0m : requirement.ScanRisk * share * deltas / net);
        }

        Add(report.Margin.Maintenance / Atoms, expected.Sum(each => each.Total), 3m * allAllowed, $"{name} requirement");
    }

    public void Finish()
    {
        (decimal used, string what) = _differences.MaxBy(each => each.Used);
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"against {against}: {_books} portfolios ({_charged} charged for calendars, {_credited} credited, {_floored} at their minimum), {_differences.Count} figures; largest share of what is allowed {used:p2}: {what}"));
        Assert.Multiple(() =>
        {
            Assert.That(_charged, Is.GreaterThan(_books / 10), "portfolios with a calendar charge");
            Assert.That(_credited, Is.GreaterThan(_books / 10), "portfolios with a credit");
            Assert.That(_floored, Is.GreaterThan(_books / 50), "portfolios at a short option minimum");
            Assert.That(_differences.Where(each => !(each.Used <= 1m)).OrderByDescending(each => each.Used).Take(10).Select(each => each.What), Is.Empty, against);
        });
    }

    private void Add(decimal actual, decimal expected, decimal allowed, string what) => _differences.Add((
        Math.Abs(actual - expected) / allowed,
        string.Create(CultureInfo.InvariantCulture, $"{what}: {actual} instead of {expected}, allowed {allowed:e2}")));
}
