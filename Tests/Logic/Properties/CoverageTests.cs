using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>Initial margin covers maintenance margin, whatever is held and whatever rests in the book.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class CoverageTests
{
    private static readonly BookStyle Style = new() { HasOrders = true, HasDoubt = true, HasFunding = true, HasOptionMarks = true };

    [Test]
    public void Initial_margin_is_never_below_maintenance_margin_under_any_model_with_orders_and_without()
    {
        Property property = new("initial and maintenance");
        Property.ForAll(150, Style, stage =>
        {
            foreach (string model in stage.Models)
            {
                MarginReport held = stage.Report(stage.Hold(model, withOrders: false));
                Covers(property, held, stage.Book);
                if (stage.Book.Orders.Count > 0)
                {
                    MarginReport resting = stage.Report(stage.Hold(model));
                    Covers(property, resting, stage.Book);
                    property.That(
                        resting.Margin.Maintenance == held.Margin.Maintenance,
                        () => $"{model}: orders moved maintenance margin from {held.Margin.Maintenance} to {resting.Margin.Maintenance}: {stage.Book}");
                }
            }
        });
        property.Finish(atLeast: 4_000);
    }

    private static void Covers(Property property, MarginReport report, RandomBook book)
    {
        property.That(
            report.Margin.Initial >= report.Margin.Maintenance && report.Margin.Maintenance >= 0, () => $"{report.Model}: {Property.Text(report.Margin)}: {book}");
        foreach (UnitReport unit in report.Units)
        {
            property.That(
                unit.Margin.Initial >= unit.Margin.Maintenance && unit.Margin.Maintenance >= 0,
                () => $"{report.Model}: unit {unit.Underlying} in {unit.Currency} {unit.Margin.Initial} below {unit.Margin.Maintenance}: {book}");
        }
    }
}
