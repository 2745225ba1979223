using System.Text.RegularExpressions;
using System.Xml.Linq;
using MarginEngine.Bench;
using MarginEngine.Tests.CommandTests;
using NUnit.Framework;

namespace MarginEngine.Tests.BenchSuiteTests;

/// <summary>The report is one whole page with every picture, drawn from the results that are stored in the repository.</summary>
public sealed partial class ReportTests
{
    private static readonly string Stored = Path.Combine(Repository.Root, "Bench", "results.json");
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("margin-report-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Every_section_and_every_stored_value_stands_in_the_page()
    {
        (XElement page, string text) = Draw(Stored);
        List<ReportSection> sections = ReportData.Read(Stored);
        Assert.That(sections.Select(section => section.Name), Is.EqualTo(ReportSections.Names));
        XElement[] drawn = [.. page.Descendants("section")];
        Assert.That(drawn.Select(section => section.Attribute("id")!.Value), Is.EqualTo(ReportSections.Names));
        foreach ((ReportSection section, XElement element) in sections.Zip(drawn))
        {
            Assert.That(element.Value, Does.Contain(section.Machine).And.Contain(section.Date).And.Contain(section.Command));
            XElement[] pictures = [.. element.Elements(Svg + "svg")];
            Assert.That(pictures, Has.Length.EqualTo(section.Pictures.Count).And.Not.Empty, section.Name);
            foreach ((ReportPicture picture, XElement svg) in section.Pictures.Zip(pictures))
            {
                int marks = svg.Descendants(Svg + (picture.Kind == PictureKind.Lines ? "circle" : "rect")).Count() - (picture.Kind != PictureKind.Lines && picture.Series.Count > 1 ? picture.Series.Count : 0);
                Assert.That(marks, Is.EqualTo(picture.Series.Sum(series => series.Points.Count)).And.Positive, picture.Title);
                string[] words = [.. svg.Descendants(Svg + "text").Select(word => word.Value)];
                Assert.That(words, Has.Some.StartsWith(picture.Title));
                foreach (ReportSeries series in picture.Series)
                    Assert.That(words, Has.Some.Contains(picture.Kind == PictureKind.Lines ? series.Name : series.Points[0].Label), picture.Title);
            }
        }

        // One file: nothing is fetched from anywhere, nothing runs.
        Assert.That(OutsidePattern().Matches(text), Is.Empty);
    }

    [Test]
    public void Marks_lie_inside_their_picture()
    {
        (XElement page, _) = Draw(Stored);
        foreach (XElement svg in page.Descendants(Svg + "svg"))
        {
            double[] box = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(double.Parse)];
            foreach (XElement mark in svg.Descendants().Where(mark => mark.Name.LocalName is "circle" or "rect"))
            {
                double Of(params string[] names) => names.Sum(name => mark.Attribute(name) is { } value ? double.Parse(value.Value) : 0.0);
                Assert.That(Of("x", "cx"), Is.InRange(0.0, box[2]), mark.ToString());
                Assert.That(Of("x", "cx", "width", "r"), Is.InRange(0.0, box[2]), mark.ToString());
                Assert.That(Of("y", "cy", "height", "r"), Is.InRange(0.0, box[3]), mark.ToString());
            }
        }
    }

    [Test]
    public void Names_with_markup_in_them_stay_text()
    {
        string store = Path.Combine(_folder, "store.json");
        const string Name = "a < b & \"c\"</svg>";
        ReportPicture Picture(PictureKind kind) => ReportData.Picture(Name, "us", Name, kind, [(Name, "10", 3.0), (Name, "100", 0.0), ("other", "10", 5_000.0)]);
        ReportData.Write(store, [ReportData.Section("replay", Name, Name, Name, Picture(PictureKind.Bars), Picture(PictureKind.LogarithmicBars), Picture(PictureKind.Lines))]);
        (XElement page, _) = Draw(store);
        Assert.That(page.Descendants(Svg + "svg").Count(), Is.EqualTo(3));
        Assert.That(page.Descendants("h2").Single().Value, Is.EqualTo(Name));
    }

    [Test]
    public void A_section_that_is_measured_replaces_the_stored_one_and_no_other()
    {
        string store = Path.Combine(_folder, "store.json");
        ReportData.Write(store, [ReportData.Section("kernels", "old", "", ""), ReportData.Section("replay", "kept", "", "")]);
        StringWriter errors = new();
        Assert.That(ReportCommand.Run([Path.Combine(_folder, "page.html"), "--results", store, "--only", "codec", "--quick"], TextWriter.Null, errors), Is.Zero, errors.ToString());
        List<ReportSection> sections = ReportData.Read(store);
        Assert.That(sections.Select(section => section.Name), Is.EqualTo(new[] { "kernels", "codec", "replay" }));
        Assert.That(sections[1].Pictures.SelectMany(picture => picture.Series).SelectMany(series => series.Points).Select(point => point.Value), Is.All.Positive);
        Assert.That((sections[0].Title, sections[2].Title), Is.EqualTo(("old", "kept")));
    }

    [TestCase("")]
    [TestCase("--quick")]
    [TestCase("page.html --only nothing")]
    [TestCase("page.html --fast")]
    [TestCase("page.html --directory /nowhere/at/all")]
    public void Options_that_make_no_sense_are_refused(string options)
    {
        StringWriter errors = new();
        Assert.That(ReportCommand.Run(options.Split(' ', StringSplitOptions.RemoveEmptyEntries), TextWriter.Null, errors), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain("--report PAGE.html"));
    }

    [Test]
    public void A_store_that_is_none_is_refused()
    {
        string store = Path.Combine(_folder, "store.json");
        StringWriter errors = new();
        foreach (string text in new[] { "{", "[{}]", "{\"a\":1}" })
        {
            File.WriteAllText(store, text);
            Assert.That(ReportCommand.Run([Path.Combine(_folder, "page.html"), "--results", store, "--draw"], TextWriter.Null, errors), Is.EqualTo(2), text);
        }
    }

    private (XElement Page, string Text) Draw(string store)
    {
        string file = Path.Combine(_folder, "page.html");
        StringWriter errors = new();
        Assert.That(ReportCommand.Run([file, "--results", store, "--draw"], TextWriter.Null, errors), Is.Zero, errors.ToString());
        string text = File.ReadAllText(file);
        Assert.That(text, Does.StartWith("<!DOCTYPE html>\n"));
        return (XElement.Parse(text["<!DOCTYPE html>\n".Length..]), text);
    }

    [GeneratedRegex("<script|<link|<img|<iframe|src=|url\\(|@import|href=\"(?!#)")]
    private static partial Regex OutsidePattern();
}
