// The whole page: one file that needs nothing else. Style and script stand in page.css and page.js beside this.
using System.Globalization;
using System.Text;
using System.Xml.Linq;
using MarginEngine.Tool.Calc;
using static MarginEngine.Tool.Compare.Page.Html;

namespace MarginEngine.Tool.Compare.Page;

internal static class ComparisonPage
{
    private const string ContentPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

    /// <summary>HTML that is well-formed XML too; no reference to anything outside.</summary>
    public static string Text(ModelComparison comparison)
    {
        XElement page = Tag("html", At("lang", "en"),
            Tag("head", Tag("meta", At("charset", "utf-8")), Tag("meta", At("http-equiv", "Content-Security-Policy"), At("content", ContentPolicy)),
                Tag("meta", At("name", "viewport"), At("content", "width=device-width, initial-scale=1")), Tag("meta", At("name", "color-scheme"), At("content", "light dark")),
                Tag("title", $"Margin of {comparison.Name}"), Tag("style", Part("page.css"))),
            Tag("body", Tag("main", Heading(comparison), Requirement(comparison), comparison.Picture.Underlyings.Select(picture => Underlying(comparison, picture)),
                Foot(comparison)), Tag("script", Part("page.js"))));
        return $"<!DOCTYPE html>\n{page.ToString(SaveOptions.DisableFormatting).Replace("</section>", "</section>\n", StringComparison.Ordinal)}\n";
    }

    private static XElement Heading(ModelComparison comparison)
    {
        Portfolio portfolio = comparison.Portfolio;
        DateTime time = DateTime.UnixEpoch.AddTicks(portfolio.ValuationTime / 100);
        return Tag("header",
            Tag("h1", $"Margin of {comparison.Name}"),
            Block("p", "muted", string.Create(CultureInfo.InvariantCulture, $"Account {portfolio.AccountId}, valued {time:d MMMM yyyy HH:mm:ss} UTC. "),
                string.Join(", ", portfolio.Coins.Select(coin => $"{coin.Code} {coin.Index.ToString("#,0.########", CultureInfo.InvariantCulture)} USD")), ". All amounts are USD."),
            Reasons.Headline(comparison).Select(sentence => Block("p", "lead", sentence)));
    }

    private static XElement Requirement(ModelComparison comparison) => Section(comparison.Columns.Count > 1 ? "What each model asks" : "What the model asks",
        PageTables.Models(comparison),
        comparison.Answers.Any()
            ? new object[]
            {
                Tag("h3", "Requirement by component"),
                Caption("The upper bar is the initial margin, the lower the maintenance margin. A dashed line is the model's equity after its haircuts, where it lies within the picture."),
                Block("p", "legend", RequirementChart.Legend(comparison)), Block("div", "wide", RequirementChart.Draw(comparison)),
                Tag("h3", "Components in figures"), PageTables.Components(comparison),
            }
            : null);

    private static XElement Underlying(ModelComparison comparison, UnderlyingPicture picture)
    {
        ProfitSurface surface = picture.Surface;
        string worst = surface.WorstProfitUsd < 0
            ? $"Worst: {Amounts.Usd(surface.WorstProfitUsd)} USD at price {Amounts.Shift(surface.WorstSpotShock)}, volatility {Amounts.Shift(surface.WorstVolatilityShock)}."
            : "No cell loses.";
        return Section(picture.Code,
            Tag("h3", "Profit over price and volatility"),
            Caption($"The portfolio by itself, today, before any model: every price of {picture.Code} moves by the same part, every volatility too. {worst}"),
            Block("div", "wide", SurfaceChart.Draw(picture)),
            Covered(comparison, picture),
            Tag("h3", picture.Payoff.Curves.Count > 1 ? "Payoff at expiry, and the value today" : "Value against the price"),
            picture.HasCoinSettled ? Caption("Profit of coin-settled contracts is in coin, at the price then: a premium paid in coin costs more where the coin is worth more.") : null,
            Block("p", "legend", PayoffChart.Legend(picture.Payoff)), Block("div", "wide", PayoffChart.Draw(picture)),
            Tag("h3", "Positions"), PageTables.Positions(picture),
            Scenarios(comparison, picture.Code));
    }

    private static object?[] Covered(ModelComparison comparison, UnderlyingPicture picture) => comparison.Answers.Any()
        ?
        [
            Tag("h3", "How far each initial margin reaches"),
            Caption($"The first price move at which the loss in {picture.Code} is above what the model asks for it; moves from −{-PriceProfile.LowestPercent} to +{PriceProfile.HighestPercent} % were tried."),
            PageTables.Reach(comparison, picture),
        ]
        : [];

    private static object?[] Scenarios(ModelComparison comparison, string underlying)
    {
        var panels = comparison.Answers
            .SelectMany(entry => entry.Answer.Units.Where(unit => unit.Underlying == underlying && unit.Rows.Count > 0).Select(unit => (entry.Column, Unit: unit))).ToList();
        if (panels.Count == 0) return [];
        Axis scale = ScenarioChart.Scale(panels.Select(panel => panel.Unit));
        return
        [
            Tag("h3", "Scenario rows of each model"),
            Caption("Bars have one scale; the worst row is highlighted. Pale bars are what a tail row has before the model draws it toward zero; they are cut off at the edge."),
            Block("div", "panels", panels.Select(panel => Block("figure", "panel",
                Tag("figcaption", Tag("b", panel.Column.Name), $" {panel.Unit.Title}",
                    Block("span", "under", panel.Unit.Worst is { } worst
                        ? $"{worst.Label}: {Amounts.Usd(worst.Counted * panel.Unit.PriceUsd)} USD" : "no row loses")),
                ScenarioChart.Draw(panel.Unit, scale)))),
        ];
    }

    private static XElement Foot(ModelComparison comparison) => Section("Notes",
        Tag("ul", comparison.Columns.Where(column => column.Note.Length > 0).Select(column => Tag("li", Tag("b", column.Name), $": {column.Note}")),
            Tag("li", "Surface and payoff: options by Black-76 on the forward of their expiry, each with its own volatility moved by the same part; the basis of a forward fades to expiry. "
                + "Coin-settled profit is counted in coin and converted at the price of the cell; the coin held already (collateral, premiums) is left out, and so are resting orders."),
            Tag("li", "Scenario rows: coin-settled profit converted at the price now, as the requirement is."),
            comparison.Portfolio.Notes.Select(note => Tag("li", note))));

    private static XElement Section(string title, params object?[] content) => Tag("section", [Tag("h2", title), .. content]);

    private static XElement Caption(string text) => Block("p", "muted", text);

    private static string Part(string name)
    {
        using Stream stream = typeof(ComparisonPage).Assembly.GetManifestResourceStream($"page/{name}")
            ?? throw new InvalidOperationException($"{name} is not in the program");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
