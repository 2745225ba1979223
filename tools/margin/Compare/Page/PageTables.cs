// The tables of the page: models, their components, positions.
using System.Globalization;
using System.Xml.Linq;
using static MarginEngine.Tool.Compare.Page.Html;

namespace MarginEngine.Tool.Compare.Page;

internal static class PageTables
{
    /// <summary>Longer names may break over lines.</summary>
    private const int LongestUnbroken = 20;

    private const int MostBesideEachOther = 7;

    public static XElement Models(ModelComparison comparison)
    {
        // Of one model there is nothing to set it against.
        decimal least = comparison.Answers.Count() < 2 ? 0 : comparison.Answers.Min(entry => entry.Answer.Initial);
        return Wide(Head(["model", "state"], ["initial margin", least > 0 ? "of the least" : "", "maintenance margin", "equity", "ratio", "buying power"], ["largest part; worst row (USD)"]),
            comparison.Columns.Select(column => column.Answer is { } answer ? Row(column, answer, least) : Refused(column)));
    }

    /// <summary>Components by models; with more models than fit beside each other, one below the other.</summary>
    public static XElement Components(ModelComparison comparison)
    {
        List<(ModelColumn Column, ModelAnswer Answer)> answers = [.. comparison.Answers];
        return answers.Count <= MostBesideEachOther ? ComponentsBeside(comparison, answers) : ComponentsBelow(comparison, answers);
    }

    private static XElement ComponentsBeside(ModelComparison comparison, List<(ModelColumn Column, ModelAnswer Answer)> answers) =>
        Wide(Head(["component, USD: initial, maintenance below"], answers.Select(entry => entry.Column.Name), []),
            RequirementChart.ComponentNames(comparison)
                .Select((name, index) => Tag("tr", Component(name, index), answers.Select(entry => Pair(entry.Answer.Components.FirstOrDefault(part => part.Name == name)))))
                .Append(Tag("tr", At("class", "total"), Tag("th", "requirement"), answers.Select(entry => Pair(new ComponentAmount("", entry.Answer.Initial, entry.Answer.Maintenance))))));

    private static XElement ComponentsBelow(ModelComparison comparison, List<(ModelColumn Column, ModelAnswer Answer)> answers)
    {
        List<string> names = RequirementChart.ComponentNames(comparison);
        return Wide(Head(["component, USD", "model"], ["initial", "of its initial margin", "maintenance"], []),
            names.SelectMany((name, index) => answers
                .Select(entry => (entry.Column, entry.Answer, Part: entry.Answer.Components.FirstOrDefault(part => part.Name == name)))
                .Where(entry => entry.Part is not null && (entry.Part.Initial != 0 || entry.Part.Maintenance != 0))
                .OrderByDescending(entry => entry.Part!.Initial)
                .Select((entry, place) => Tag("tr", place == 0 ? Component(name, index) : Tag("th", ""), Tag("td", entry.Column.Name),
                    Figure(Amounts.Usd(entry.Part!.Initial)), Figure(Amounts.Share(entry.Part.Initial, entry.Answer.Initial), "muted"), Figure(Amounts.Usd(entry.Part.Maintenance))))));
    }

    private static XElement Component(string name, int index) =>
        Tag("th", Block("span", $"key tone{Math.Min(index, RequirementChart.Tones - 1)}", name));

    public static XElement Positions(UnderlyingPicture picture) =>
        Wide(Head(["position"], ["contracts", "price −10 %", "price +10 %", "volatility +25 %", "in the worst cell"], []),
            picture.Positions.Select(line => Tag("tr", Tag("th", line.Symbol), Figure(line.Contracts.ToString("#,0.########", CultureInfo.InvariantCulture)),
                Profit(line.Down), Profit(line.Up), Profit(line.VolatilityUp), Profit(line.AtWorst)))
            .Append(Tag("tr", At("class", "total"), Tag("th", "together"), Figure(""), Profit(picture.Positions.Sum(line => line.Down)), Profit(picture.Positions.Sum(line => line.Up)),
                Profit(picture.Positions.Sum(line => line.VolatilityUp)), Profit(picture.Positions.Sum(line => line.AtWorst)))));

    /// <summary>How far the price can move until the loss passes the initial margin of the underlying's units.</summary>
    public static XElement Reach(ModelComparison comparison, UnderlyingPicture picture) =>
        Wide(Head(["model"], ["initial margin", "price down", "price up", "down, volatility +50 %", "up, volatility +50 %"], []),
            comparison.Answers.Select(entry => ReachRow(entry.Column.Name, entry.Answer.InitialOf(picture.Code), picture)));

    private static XElement ReachRow(string name, decimal initial, UnderlyingPicture picture)
    {
        XElement Move(PriceProfile profile, int direction) => Figure(Beyond(profile.FirstBeyond((double)initial, direction)));
        return Tag("tr", Tag("th", name), Figure(Amounts.Usd(initial)), Move(picture.Calm, -1), Move(picture.Calm, +1), Move(picture.Stressed, -1), Move(picture.Stressed, +1));
    }

    private static string Beyond(double? move) => move switch { null => "not reached", 0.0 => "at once", double part => Amounts.Shift(part) };

    private static XElement Row(ModelColumn column, ModelAnswer answer, decimal least) => Tag("tr",
        Name(column), Tag("td", Block("span", $"state {StateClass(answer.State)}", answer.State)),
        Figure(Amounts.Usd(answer.Initial), "bold"),
        Figure(least > 0 ? string.Create(CultureInfo.InvariantCulture, $"{answer.Initial / least:0.00} ×") : "", "muted"),
        Figure(Amounts.Usd(answer.Maintenance)), Figure(Amounts.Usd(answer.Equity)), Figure(Amounts.Ratio(answer.Ratio)),
        Figure(Amounts.Usd(answer.BuyingPower), answer.BuyingPower < 0 ? "negative" : ""), Tag("td", At("class", "reason"), Reasons.Why(answer)));

    private static XElement Refused(ModelColumn column) => Tag("tr", Name(column), Tag("td", Block("span", "state bad", "refused")),
        Tag("td", At("class", "reason"), At("colspan", 7), column.Refusal));

    private static XElement Name(ModelColumn column) =>
        Tag("th", At("class", column.Name.Length <= LongestUnbroken ? "short" : "long"), column.Name,
            Block("span", "version", string.Create(CultureInfo.InvariantCulture, $" version {column.Version}")));

    private static string StateClass(string state) => state switch { "healthy" => "good", "warning" => "warn", _ => "bad" };

    private static XElement Pair(ComponentAmount? part) => part is null || (part.Initial == 0 && part.Maintenance == 0)
        ? Tag("td", At("class", "number muted"), "–")
        : Tag("td", At("class", "number"), Amounts.Usd(part.Initial), Block("span", "under", Amounts.Usd(part.Maintenance)));

    private static XElement Profit(double amount) => Figure(Amounts.Usd(amount), Math.Round(amount, 2) < 0 ? "negative" : "");

    private static XElement Figure(string text, string cssClass = "") => Tag("td", At("class", $"number {cssClass}".TrimEnd()), text);

    private static XElement Head(IEnumerable<string> words, IEnumerable<string> numbers, IEnumerable<string> more) => Tag("tr",
        words.Select(word => Tag("th", word)), numbers.Select(word => Tag("th", At("class", "number"), word)), more.Select(word => Tag("th", word)));

    private static XElement Wide(XElement head, IEnumerable<XElement> rows) =>
        Block("div", "wide", Tag("table", Tag("thead", head), Tag("tbody", rows)));
}
