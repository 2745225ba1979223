using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Compare;
using MarginEngine.Tool.Compare.Page;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests.Compare;

/// <summary>The page as a document: well-formed, by itself, escaped, and showing what it says it shows.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed partial class PageTests
{
    private const string Hostile = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">&amp;'\u0001\ud800]]>";

    private static ModelComparison Example(string file, params ModelColumn[] more)
    {
        Portfolio portfolio = PortfolioReader.Read(file);
        ModelDocument model = ModelDocument.Portfolio;
        return ModelComparison.Of(file, portfolio, [ReportColumn.Of(model.Name, model, Calculation.Run(portfolio, model, file), portfolio), .. more]);
    }

    private static XElement Parse(string page)
    {
        const string doctype = "<!DOCTYPE html>\n";
        Assert.That(page, Does.StartWith(doctype));
        return XElement.Parse(page[doctype.Length..]);
    }

    private static IEnumerable<XElement> Classed(XElement page, string cssClass) =>
        page.Descendants().Where(element => ((string?)element.Attribute("class"))?.Split(' ').Contains(cssClass) == true);

    private static ModelColumn Made(string name, params UnitColumn[] units) => new(name, 1, "", new ModelAnswer
    {
        State = "liquidation", Equity = 1_000, Initial = 1_800, Maintenance = 900, Ratio = null, BuyingPower = -800, Units = units,
        Components = [new ComponentAmount("scan risk", 2_000, 1_000), new ComponentAmount("spread credit", -200, -100)],
    }, "");

    [TestCaseSource(typeof(Books), nameof(Books.ExampleFiles))]
    public void The_page_is_well_formed_and_draws_every_part_for_every_underlying(string file)
    {
        ModelComparison comparison = Example(file);
        XElement page = Parse(ComparisonPage.Text(comparison));
        int underlyings = comparison.Picture.Underlyings.Count, units = comparison.Columns[0].Answer!.Units.Count;
        Assert.That(page.Descendants("svg").Count(), Is.EqualTo(1 + (2 * underlyings) + units), "requirement; surface and payoff each; rows of each unit");
        Assert.That(Classed(page, "cell").Count(), Is.EqualTo(underlyings * 15 * 7));
        Assert.That(Classed(page, "bar").Count(), Is.EqualTo(comparison.Columns[0].Answer!.Units.Sum(unit => unit.Rows.Count)));
        Assert.That(Classed(page, "worst-row").Count(), Is.EqualTo(comparison.Columns[0].Answer!.Units.Count(unit => unit.WorstIndex >= 0)));
        Assert.That(Classed(page, "final").Count(element => element.Name == "polyline"),
            Is.EqualTo(comparison.Picture.Underlyings.Count(picture => picture.Payoff.Curves.Count > 1)), "what never expires has no final profit");
        foreach (XAttribute coordinate in page.Descendants("svg").Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "x" or "y" or "width" or "height" or "x1" or "y1"))
            Assert.That(double.IsFinite(double.Parse(coordinate.Value, CultureInfo.InvariantCulture)), coordinate.Parent!.ToString());
    }

    [Test]
    public void The_worst_cell_is_framed_once_and_carries_its_figure()
    {
        ModelComparison comparison = Example(Books.ExampleFiles().First());
        XElement page = Parse(ComparisonPage.Text(comparison));
        XElement[] frames = [.. Classed(page, "frame").Where(element => element.Attribute("class")!.Value == "frame worst")];
        Assert.That(frames, Has.Length.EqualTo(comparison.Picture.Underlyings.Count));
        for (int index = 0; index < frames.Length; index++)
        {
            XElement cell = frames[index].Parent!.Elements("rect").First(element => element.Attribute("x")!.Value == frames[index].Attribute("x")!.Value
                && element.Attribute("y")!.Value == frames[index].Attribute("y")!.Value);
            Assert.That(cell.Element("title")!.Value, Does.EndWith($": {Amounts.Usd(comparison.Picture.Underlyings[index].Surface.WorstProfitUsd)} USD"));
        }
    }

    [Test]
    public void The_page_refers_to_nothing_outside()
    {
        string page = ComparisonPage.Text(Example(Books.ExampleFiles().First()));
        Assert.That(page, Does.Not.Match(@"https?:|\bsrc\s*=|\bhref\s*=|url\(|@import|<link|//[a-z0-9]+\.[a-z]"));
        Assert.That(page, Does.Contain("default-src 'none'").And.Contain("prefers-color-scheme: dark").And.Contain("@media print"));
    }

    [Test]
    public void Style_and_script_need_no_escaping_and_no_block_closes_itself()
    {
        string page = ComparisonPage.Text(Example(Books.ExampleFiles().First()));
        foreach (string element in (string[])["style", "script"])
        {
            Match raw = Regex.Match(page, $"<{element}>(.*?)</{element}>", RegexOptions.Singleline);
            Assert.That(raw.Groups[1].Value, Has.Length.GreaterThan(500).And.Not.Contain("&"), element);
        }

        Assert.That(SelfClosedBlock().Matches(page).Select(match => match.Value), Is.Empty, "browsers take <div/> for an opening tag");
    }

    [Test]
    public void Hostile_names_are_text_wherever_they_stand()
    {
        UnitColumn unit = new(Hostile, Hostile, 1, [], [new ScenarioRow(Hostile, -5, -5)], 0);
        ModelColumn answered = Made(Hostile, unit with { Underlying = "BTC" }) with { Note = Hostile };
        answered = answered with { Answer = answered.Answer! with { State = Hostile, Components = [new ComponentAmount(Hostile, 1_800, 900)] } };
        ModelColumn refused = new($"2{Hostile}", 1, Hostile, null, Hostile);
        ModelComparison comparison = Example(Books.ExampleFiles().First(), answered, refused) with { Name = Hostile };
        XElement page = Parse(ComparisonPage.Text(comparison));
        Assert.That(page.Descendants("script").Count(), Is.EqualTo(1));
        Assert.That(page.Descendants("img"), Is.Empty);
        Assert.That(page.DescendantsAndSelf().Attributes().Where(attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal)), Is.Empty);
        string shown = Hostile.Replace('\u0001', '\uFFFD').Replace('\ud800', '\uFFFD');
        Assert.That(page.Descendants("h1").Single().Value, Is.EqualTo($"Margin of {shown}"));
        Assert.That(page.Descendants("th").Select(header => header.Value), Has.Some.StartsWith(shown).And.Some.StartsWith($"2{shown}"));
    }

    [Test]
    public void Credits_lie_left_of_zero_and_charges_right_of_it()
    {
        XElement page = Parse(ComparisonPage.Text(Example(Books.ExampleFiles().First(), Made("with a credit"))));
        XElement chart = page.Descendants("svg").First();
        double zero = double.Parse(chart.Elements("line").Single(line => line.Attribute("class")!.Value == "zero").Attribute("x1")!.Value, CultureInfo.InvariantCulture);
        XElement[] credits = [.. chart.Elements("rect").Where(part => part.Element("title")!.Value.StartsWith("spread credit", StringComparison.Ordinal))];
        Assert.That(credits, Has.Length.EqualTo(2), "initial and maintenance");
        foreach (XElement part in chart.Elements("rect"))
        {
            double x = double.Parse(part.Attribute("x")!.Value, CultureInfo.InvariantCulture);
            bool isCredit = credits.Contains(part) || part.Element("title")!.Value.Contains(": -", StringComparison.Ordinal);
            Assert.That(x, isCredit ? Is.LessThan(zero) : Is.GreaterThanOrEqualTo(zero - 0.01), part.ToString());
        }
    }

    [Test]
    public void Hundreds_of_rows_and_a_dozen_models_stay_one_page()
    {
        ScenarioRow[] rows = [.. Enumerable.Range(0, 400).Select(day => new ScenarioRow($"day {day}", (day * 37 % 400) - 300, (day * 37 % 400) - 300))];
        int worst = Array.FindIndex(rows, row => row.Counted == rows.Min(other => other.Counted));
        ModelColumn[] columns = [.. Enumerable.Range(0, 13).Select(index => Made($"model {index}", new UnitColumn("BTC", "USD", 1, [], rows, worst)))];
        XElement page = Parse(ComparisonPage.Text(Example(Books.ExampleFiles().First(), columns)));
        Assert.That(Classed(page, "bar").Count(), Is.GreaterThanOrEqualTo(13 * 400));
        Assert.That(page.Descendants("figcaption").Count(caption => caption.Value.Contains($"day {worst}", StringComparison.Ordinal)), Is.EqualTo(13));
        Assert.That(page.Descendants("h1").Single().Parent!.Value, Does.Contain("Equity does not cover the initial margin of model 0"));
    }

    [Test]
    public void A_comparison_in_which_every_model_is_refused_still_shows_the_portfolio()
    {
        Portfolio portfolio = PortfolioReader.Read(Books.ExampleFiles().First());
        XElement page = Parse(ComparisonPage.Text(ModelComparison.Of("book", portfolio, [new ModelColumn("a", 1, "", null, "the reason")])));
        Assert.That(page.Value, Does.Contain("the reason"));
        Assert.That(Classed(page, "cell").Count(), Is.EqualTo(2 * 15 * 7));
    }

    [Test]
    public void An_account_without_positions_has_a_page_too()
    {
        Portfolio portfolio = Books.Of("", marks: "\"BTC_USD-27FEB26\": \"60000\", \"BTC_USD-27MAR26\": \"60000\"");
        ModelDocument model = ModelDocument.Portfolio;
        ModelColumn column = ReportColumn.Of(model.Name, model, Calculation.Run(portfolio, model, "book"), portfolio);
        XElement page = Parse(ComparisonPage.Text(ModelComparison.Of("book", portfolio, [column])));
        Assert.That(page.Value, Does.Contain("100,000.00").And.Contain("no row loses"));
        Assert.That(Classed(page, "cell"), Is.Empty);
    }

    [Test]
    public void What_units_leave_of_the_requirement_is_a_component_of_the_account()
    {
        UnitColumn unit = new("BTC", "BTC", 50_000, [new ComponentAmount("worst case", 0.1m, 0.08m)], [], -1);
        Assert.That(ReportColumn.Account([unit], 5_000.000001m, 4_000m), Is.EqualTo(new[] { new ComponentAmount("worst case", 5_000.000001m, 4_000m) }), "rounding");
        Assert.That(ReportColumn.Account([unit], 5_300, 4_100).Last(), Is.EqualTo(new ComponentAmount("netting and collateral", 300, 100)));
    }

    [TestCase(0, "0")]
    [TestCase(-0.4, "0")]
    [TestCase(950, "950")]
    [TestCase(-12_345, "−12.3k")]
    [TestCase(123_456, "123k")]
    [TestCase(-1_254_000, "−1.25M")]
    [TestCase(999_600, "1.00M")]
    [TestCase(2.5e9, "2.50G")]
    public void Figures_in_charts_have_three_or_four_digits(double amount, string text) => Assert.That(Amounts.Compact(amount), Is.EqualTo(text));

    [Test]
    public void Amounts_beyond_any_currency_stay_at_a_bound()
    {
        Assert.That(Amounts.Usd(double.NegativeInfinity), Is.EqualTo("-1,000,000,000,000,000,000,000,000.00"));
        Assert.That(Amounts.Usd(-1234.567), Is.EqualTo("-1,234.57"));
        Assert.That(Amounts.Usd(double.NaN), Is.EqualTo("?"));
    }

    [TestCase(-3.0, 117.0, 7)]
    [TestCase(-255_000.0, 100_000.0, 6)]
    [TestCase(0.0, 1.0, 5)]
    public void Ticks_are_round_in_range_and_about_as_many_as_asked(double low, double high, int count)
    {
        double[] ticks = [.. new Axis(low, high, 0, 100).Ticks(count)];
        Assert.That(ticks, Has.Length.InRange(count / 2, count + 1));
        Assert.That(ticks, Is.All.InRange(low, high));
        Assert.That(ticks, Is.Ordered.And.Some.EqualTo(0));
    }

    [GeneratedRegex(@"<(div|span|p|table|tr|td|th|section|figure|figcaption|header|main|ul|li|h[1-6]|style|script|b|body|title)\b[^>]*/>")]
    private static partial Regex SelfClosedBlock();
}
