// Profit against the price, curve by curve; the area under the final one is tinted, break-evens and strikes are marked.
using System.Globalization;
using System.Text;
using System.Xml.Linq;
using static MarginEngine.Tool.Compare.Page.Html;

namespace MarginEngine.Tool.Compare.Page;

internal static class PayoffChart
{
    private const double Width = 1076;
    private const double Height = 330;
    private const double Left = 70;
    private const double Right = 16;
    private const double Top = 22;
    private const double Bottom = 50;
    private const int MostBreakEvens = 6;

    private static readonly string[] CurveClasses = ["today", "middle-date", "final"];

    public static XElement Draw(UnderlyingPicture picture)
    {
        Payoff payoff = picture.Payoff;
        Axis prices = new(payoff.Prices[0], payoff.Prices[^1], Left, Width - Right);
        double low = payoff.Curves.Min(curve => curve.ProfitUsd.Min()), high = payoff.Curves.Max(curve => curve.ProfitUsd.Max());
        double room = Math.Max((high - low) * 0.06, 1e-9);
        Axis profits = new(Math.Min(low, 0) - room, Math.Max(high, 0) + room, Height - Bottom, Top);
        List<XElement> parts = [.. Grid(payoff, prices, profits), .. Area(payoff, prices, profits)];
        for (int curve = 0; curve < payoff.Curves.Count; curve++)
            parts.Add(Tag("polyline", At("class", $"curve {CurveClass(payoff, curve)}"), At("points", Points(payoff.Prices, payoff.Curves[curve].ProfitUsd, prices, profits))));
        foreach (double crossing in payoff.BreakEvens.Take(MostBreakEvens))
        {
            parts.Add(Tag("circle", At("class", "crossing"), At("cx", prices.At(crossing)), At("cy", profits.At(0)), At("r", 4), Hint($"break-even {Amounts.Price(crossing)}")));
            parts.Add(Label("tick middle bold halo", prices.At(crossing), profits.At(0) - 9, Amounts.Price(crossing)));
        }

        parts.Add(Tag("g", At("class", "probe")));
        XElement svg = Svg(Width, Height, $"Profit of {picture.Code} positions against the price", parts);
        svg.Add(At("class", "payoff"), At("data-curves", Data(payoff, prices, profits)));
        return svg;
    }

    /// <summary>Curve names with their colours, for a line above the chart.</summary>
    public static IEnumerable<XElement> Legend(Payoff payoff) =>
        payoff.Curves.Select((curve, index) => Block("span", $"key {CurveClass(payoff, index)}", CurveName(payoff, index)));

    private static string CurveClass(Payoff payoff, int curve) => curve == 0 ? CurveClasses[0] : curve == payoff.Curves.Count - 1 ? CurveClasses[2] : CurveClasses[1];

    private static string CurveName(Payoff payoff, int curve) => curve == 0 ? "today"
        : curve == payoff.Curves.Count - 1 ? $"all settled, {payoff.Curves[curve].Label}" : $"at the first expiry, {payoff.Curves[curve].Label}";

    private static IEnumerable<XElement> Grid(Payoff payoff, Axis prices, Axis profits)
    {
        double bottom = Height - Bottom;
        foreach (double tick in profits.Ticks(6))
        {
            yield return Line("grid", Left, profits.At(tick), Width - Right, profits.At(tick));
            yield return Label("tick end", Left - 8, profits.At(tick) + 4, Amounts.Compact(tick));
        }

        foreach (double tick in prices.Ticks(9))
        {
            yield return Line("grid", prices.At(tick), Top, prices.At(tick), bottom);
            yield return Label("tick middle", prices.At(tick), bottom + 18, Amounts.Price(tick));
        }

        yield return Line("zero", Left, profits.At(0), Width - Right, profits.At(0));
        yield return Line("now", prices.At(payoff.Index), Top - 4, prices.At(payoff.Index), bottom);
        yield return Label("tick middle now", prices.At(payoff.Index), Top - 8, $"now {Amounts.Price(payoff.Index)}");
        foreach (double strike in payoff.Strikes)
            yield return Tag("path", At("class", "strike"), At("d", $"M{Number(prices.At(strike))} {Number(bottom)} l-4 7 h8 z"), Hint($"strike {Amounts.Price(strike)}"));
        yield return Label("axis middle", (Left + Width - Right) / 2, Height - 8, "price, USD (triangles: strikes)");
    }

    // Clipped at zero twice: what is above it in the tone of gain, what is below in the tone of loss.
    private static IEnumerable<XElement> Area(Payoff payoff, Axis prices, Axis profits)
    {
        foreach ((string tone, Func<double, double> cut) in ((string, Func<double, double>)[])[("gain", profit => Math.Max(profit, 0)), ("loss", profit => Math.Min(profit, 0))])
        {
            string edge = Points(payoff.Prices, [.. payoff.Last.ProfitUsd.Select(cut)], prices, profits);
            string zero = Number(profits.At(0));
            yield return Tag("polygon", At("class", $"area {tone}"), At("points", $"{Number(Left)},{zero} {edge} {Number(Width - Right)},{zero}"));
        }
    }

    private static string Points(double[] horizontal, double[] vertical, Axis x, Axis y)
    {
        StringBuilder points = new();
        for (int at = 0; at < horizontal.Length; at++)
            points.Append(at == 0 ? "" : " ").Append(Number(x.At(horizontal[at]))).Append(',').Append(Number(y.At(vertical[at])));
        return points.ToString();
    }

    // What the pointer reads: x, price, then y and profit of each curve.
    private static string Data(Payoff payoff, Axis prices, Axis profits)
    {
        StringBuilder data = new("[");
        for (int at = 0; at < payoff.Prices.Length; at++)
        {
            data.Append(at == 0 ? "[" : ",[").Append(Number(prices.At(payoff.Prices[at]))).Append(CultureInfo.InvariantCulture, $",\"{Amounts.Price(payoff.Prices[at])}\"");
            foreach (PayoffCurve curve in payoff.Curves)
                data.Append(',').Append(Number(profits.At(curve.ProfitUsd[at]))).Append(CultureInfo.InvariantCulture, $",\"{Amounts.Compact(curve.ProfitUsd[at])}\"");
            data.Append(']');
        }

        return data.Append(']').ToString();
    }
}
