using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>TIMS ranges and historical rows have no published requirement: these cases can be told by hand.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ClearingHouseReferenceTests
{
    [Test]
    public void A_share_position_owes_the_end_of_its_range_and_ten_points_span_it()
    {
        var tally = new Reproduction("TIMS ranges [S]", 1e-12);
        foreach (ReferenceDocument group in ReferenceData.Groups("tims_ranges"))
        {
            foreach (JsonProperty range in group.Root.GetProperty("ranges").EnumerateObject())
            {
                (decimal low, decimal high) = (range.Value[0].AsNumber(), range.Value[1].AsNumber());
                decimal[] points = TimsMargin.Points(low, high);
                tally.Case();
                tally.Absolute(points.Distinct().Count(), 10m, $"{range.Name} points");
                tally.Absolute(points.Min(), low, $"{range.Name} low");
                tally.Absolute(points.Max(), high, $"{range.Name} high");
                tally.Absolute(TimsMargin.Requirement([new TimsClass(move => 5_000m * move, 1)], low, high, 0.9m, 0m), -5_000m * low, $"{range.Name} long");
                tally.Absolute(TimsMargin.Requirement([new TimsClass(move => -5_000m * move, 1)], low, high, 0.9m, 0m), 5_000m * high, $"{range.Name} short");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Gains_of_one_class_offset_losses_of_another_only_in_part_and_the_minimum_stays()
    {
        var up = new TimsClass(move => 10_000m * move, 2m);
        var down = new TimsClass(move => -10_000m * move, 3m);
        Assert.Multiple(() =>
        {
            Assert.That(TimsMargin.Requirement([up, down], -0.10m, 0.10m, 0.9m, 0m), Is.EqualTo(100m).Within(1e-9m));
            Assert.That(TimsMargin.Requirement([up, down], -0.10m, 0.10m, 1m, 37.5m), Is.EqualTo(187.5m).Within(1e-9m));
        });
    }

    [TestCase(100, 0.99, 100.0, 100.0)]
    [TestCase(200, 0.99, 199.0, 199.5)]
    [TestCase(250, 0.99, 248.0, 249.0)]
    [TestCase(1000, 0.975, 976.0, 988.0)]
    public void Value_at_risk_is_the_last_of_the_tail_and_the_shortfall_its_mean(int rows, decimal confidence, decimal valueAtRisk, decimal shortfall)
    {
        (decimal var, decimal es) = HistoricalMargin.Margin(Enumerable.Range(1, rows).Select(row => -(decimal)row), confidence);
        Assert.Multiple(() =>
        {
            Assert.That(var, Is.EqualTo(valueAtRisk));
            Assert.That(es, Is.EqualTo(shortfall).Within(1e-9m));
        });
    }

    [Test]
    public void A_book_that_never_loses_owes_nothing() => Assert.That(HistoricalMargin.Margin([3m, 1m, 2m], 0.99m), Is.EqualTo((0m, 0m)));

    [Test]
    public void Returns_of_constant_size_are_left_alone_and_calm_days_grow_before_a_storm()
    {
        decimal[] constant = [.. HistoricalMargin.Filtered([0.01m, -0.01m, 0.01m, -0.01m], 0.94m)];
        Assert.That(constant, Is.EqualTo(new[] { 0.01m, -0.01m, 0.01m, -0.01m }).Within(1e-15m));
        decimal[] storm = HistoricalMargin.Filtered([.. Enumerable.Repeat(0.01m, 200), .. Enumerable.Repeat(0.05m, 50)], 0.94m);
        Assert.Multiple(() =>
        {
            Assert.That(storm[150], Is.GreaterThan(0.04m), "a calm day at the storm's volatility");
            Assert.That(storm[^1], Is.EqualTo(0.05m).Within(0.002m), "a day of the storm");
        });
    }
}
