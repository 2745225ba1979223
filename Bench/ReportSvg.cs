// Pictures of a report as inline SVG: horizontal bars, and lines over two logarithmic axes. Nothing from outside the page.
using System.Globalization;
using System.Net;
using System.Text;

namespace MarginEngine.Bench;

/// <summary>Draws one picture at a fixed width; text is escaped, values are printed beside what they draw.</summary>
internal static class ReportSvg
{
    private const int Width = 720;
    private const int LabelWidth = 250;
    private const int ValueWidth = 90;
    private const int BarHeight = 13;
    private const int BarGap = 7;
    private const int Top = 22;
    private const int LineHeight = 300;
    private const int Left = 60;
    private const int Right = 190;

    // Told apart by people who see red and green alike.
    private static readonly string[] Colours = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#666666", "#a6761d"];

    public static string Draw(ReportPicture picture) => picture.Kind == PictureKind.Lines ? Lines(picture) : Bars(picture);

    private static string Bars(ReportPicture picture)
    {
        string[] labels = [.. picture.Series.SelectMany(series => series.Points).Select(point => point.Label).Distinct()];
        double[] values = [.. picture.Series.SelectMany(series => series.Points).Select(point => point.Value).Where(value => value > 0)];
        bool isLogarithmic = picture.Kind == PictureKind.LogarithmicBars;
        double highest = values.DefaultIfEmpty(1).Max();
        double lowest = isLogarithmic ? Decade(values.DefaultIfEmpty(1).Min()) : 0.0;
        double room = Width - LabelWidth - ValueWidth;
        double Length(double value) => value <= lowest ? 0.0 : room * (isLogarithmic ? Logarithm(value / lowest) / Math.Max(Logarithm(highest / lowest), 1e-9) : value / highest);

        var body = new StringBuilder();
        double y = Top + (picture.Series.Count > 1 ? 18 : 0);
        if (picture.Series.Count > 1)
            Legend(picture, body);
        foreach (string label in labels)
        {
            ReportSeries[] present = [.. picture.Series.Where(series => series.Points.Any(point => point.Label == label))];
            Text(body, LabelWidth - 8, y + (present.Length * BarHeight / 2.0) + 4, "end", label);
            foreach (ReportSeries series in present)
            {
                double value = series.Points.First(point => point.Label == label).Value;
                double length = Math.Max(1.0, Length(value));
                string colour = ColourOf(picture, series);
                body.Append(Invariant($"<rect x=\"{LabelWidth}\" y=\"{y:F1}\" width=\"{length:F1}\" height=\"{BarHeight - 2}\" fill=\"{colour}\"/>"));
                Text(body, LabelWidth + length + 5, y + BarHeight - 3, "start", Number(value));
                y += BarHeight;
            }

            y += BarGap;
        }

        return Frame(picture, (int)y + 4, body);
    }

    private static string Lines(ReportPicture picture)
    {
        (double X, double Y)[] points = [.. picture.Series.SelectMany(Points).Where(point => point.X > 0 && point.Y > 0)];
        double lowX = Decade(points.Select(point => point.X).DefaultIfEmpty(1).Min()), highX = NextDecade(points.Select(point => point.X).DefaultIfEmpty(10).Max(), lowX);
        double lowY = Decade(points.Select(point => point.Y).DefaultIfEmpty(1).Min()), highY = NextDecade(points.Select(point => point.Y).DefaultIfEmpty(10).Max(), lowY);
        double AtX(double value) => Left + ((Width - Left - Right) * Logarithm(value / lowX) / Logarithm(highX / lowX));
        double AtY(double value) => Top + LineHeight - (LineHeight * Logarithm(value / lowY) / Logarithm(highY / lowY));

        var body = new StringBuilder();
        for (double decade = lowX; decade <= highX * 1.001; decade *= 10)
        {
            body.Append(Invariant($"<line x1=\"{AtX(decade):F1}\" y1=\"{Top}\" x2=\"{AtX(decade):F1}\" y2=\"{Top + LineHeight}\" class=\"grid\"/>"));
            Text(body, AtX(decade), Top + LineHeight + 15, "middle", Number(decade));
        }

        for (double decade = lowY; decade <= highY * 1.001; decade *= 10)
        {
            body.Append(Invariant($"<line x1=\"{Left}\" y1=\"{AtY(decade):F1}\" x2=\"{Width - Right}\" y2=\"{AtY(decade):F1}\" class=\"grid\"/>"));
            Text(body, Left - 6, AtY(decade) + 4, "end", Number(decade));
        }

        Text(body, (Left + Width - Right) / 2.0, Top + LineHeight + 31, "middle", picture.Along);
        double nextName = double.NegativeInfinity;
        foreach (ReportSeries series in picture.Series.OrderBy(series => Points(series).Where(point => point.Y > 0).Select(point => AtY(point.Y)).LastOrDefault()))
        {
            (double X, double Y)[] own = [.. Points(series).Where(point => point.X > 0 && point.Y > 0)];
            if (own.Length == 0)
                continue;
            string colour = ColourOf(picture, series);
            string path = string.Join(' ', own.Select(point => Invariant($"{AtX(point.X):F1},{AtY(point.Y):F1}")));
            body.Append(Invariant($"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>"));
            foreach ((double x, double value) in own)
                body.Append(Invariant($"<circle cx=\"{AtX(x):F1}\" cy=\"{AtY(value):F1}\" r=\"3\" fill=\"{colour}\"/>"));
            // Names stand right of the picture, beside the end of their line and never over each other.
            nextName = Math.Max(nextName + 13, AtY(own[^1].Y) + 4);
            body.Append(Invariant($"<text x=\"{Width - Right + 8}\" y=\"{nextName:F1}\" fill=\"{colour}\">{Escape($"{series.Name}: {Number(own[^1].Y)}")}</text>"));
        }

        return Frame(picture, Math.Max(Top + LineHeight + 40, (int)Math.Max(nextName, 0) + 8), body);
    }

    private static IEnumerable<(double X, double Y)> Points(ReportSeries series) => series.Points.Select(point =>
        (double.TryParse(point.Label, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out double x) ? x : 0.0, point.Value));

    private static string Frame(ReportPicture picture, int height, StringBuilder body) => Invariant(
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Escape(picture.Title)}\">")
        + $"<text x=\"0\" y=\"13\" class=\"title\">{Escape($"{picture.Title}, {picture.Unit}{(picture.Kind == PictureKind.LogarithmicBars ? ", logarithmic" : "")}")}</text>{body}</svg>";

    private static void Legend(ReportPicture picture, StringBuilder body)
    {
        double x = LabelWidth;
        foreach (ReportSeries series in picture.Series)
        {
            body.Append(Invariant($"<rect x=\"{x:F0}\" y=\"{Top}\" width=\"10\" height=\"10\" fill=\"{ColourOf(picture, series)}\"/>"));
            Text(body, x + 14, Top + 9, "start", series.Name);
            x += 34 + (6.2 * series.Name.Length);
        }
    }

    private static void Text(StringBuilder body, double x, double y, string anchor, string text) =>
        body.Append(Invariant($"<text x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\">{Escape(text)}</text>"));

    private static string ColourOf(ReportPicture picture, ReportSeries series) => Colours[picture.Series.ToList().IndexOf(series) % Colours.Length];

    /// <summary>Three digits, thousands grouped.</summary>
    internal static string Number(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    internal static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static double Logarithm(double value) => Math.Log10(value);

    private static double Decade(double value) => Math.Pow(10, Math.Floor(Logarithm(value) + 1e-9));

    private static double NextDecade(double value, double low) => Math.Max(low * 10, Math.Pow(10, Math.Ceiling(Logarithm(value) - 1e-9)));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
