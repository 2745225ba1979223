// What `margin calibrate` says: a table a chain and one line over all, or the same as one JSON document.

using System.Globalization;
using System.Text.Json;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using MarginEngine.Tool.Shell;
using Spectre.Console;

namespace MarginEngine.Tool.Calibrate;

internal static class CalibrationReport
{
    private static readonly string[] Columns =
        ["expiry", "forward", "years", "quotes", "a", "b", "rho", "m", "sigma", "p50", "p90", "max", "vega rms", "arbitrage"];

    public static void WriteText(Terminal terminal, IReadOnlyList<ChainCalibration> chains)
    {
        foreach (ChainCalibration chain in chains)
        {
            terminal.Out.WriteLine($"{chain.Asset} {UnixTime.Show(chain.TimeNanos)} {chain.File}");
            Table table = new Table().NoBorder();
            foreach (string column in Columns)
                table.AddColumn(new TableColumn(column) { Alignment = column is "expiry" or "arbitrage" ? Justify.Left : Justify.Right, NoWrap = true });
            foreach (ExpiryCalibration expiry in chain.Expiries)
                table.AddRow(Cells(expiry));
            terminal.Show(table);
            terminal.Out.WriteLine();
        }
        terminal.Out.WriteLine(Summary(chains));
    }

    public static void WriteJson(Terminal terminal, IReadOnlyList<ChainCalibration> chains)
    {
        using Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteStartArray("chains");
        foreach (ChainCalibration chain in chains)
        {
            writer.WriteStartObject();
            writer.WriteString("file", chain.File);
            writer.WriteString("asset", chain.Asset);
            writer.WriteString("time", Times.Text(chain.TimeNanos));
            writer.WriteStartArray("expiries");
            foreach (ExpiryCalibration expiry in chain.Expiries)
                WriteExpiry(writer, expiry);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteNumber("expiries", chains.Sum(chain => chain.Expiries.Count));
        writer.WriteNumber("failed", chains.Sum(chain => chain.Expiries.Count(expiry => !expiry.IsSound)));
        WriteResiduals(writer, ResidualFigures.Of(Residuals(chains)));
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    /// <summary>Counts and residuals over all chains, one line.</summary>
    public static string Summary(IReadOnlyList<ChainCalibration> chains)
    {
        ResidualFigures figures = ResidualFigures.Of(Residuals(chains));
        ResidualFigures weighted = ResidualFigures.Of(chains.SelectMany(chain => chain.Expiries).Select(expiry => expiry.WeightedResidual));
        int expiries = chains.Sum(chain => chain.Expiries.Count), failed = chains.Sum(chain => chain.Expiries.Count(expiry => !expiry.IsSound));
        string quotes = string.Create(CultureInfo.InvariantCulture,
            $"residual in volatility p50 {figures.Median:P3}, p90 {figures.Percentile90:P3}, max {figures.Largest:P2}");
        string smiles = string.Create(CultureInfo.InvariantCulture,
            $"vega-weighted, by expiry, p50 {weighted.Median:P3}, p90 {weighted.Percentile90:P3}, max {weighted.Largest:P2}");
        string verdict = failed == 0 ? "all free of arbitrage" : $"{failed} expiries failed";
        return $"{chains.Count} chains, {expiries} expiries, {figures.Count} quotes; {quotes}; {smiles}; {verdict}";
    }

    private static IEnumerable<double> Residuals(IEnumerable<ChainCalibration> chains) =>
        chains.SelectMany(chain => chain.Expiries).SelectMany(expiry => expiry.Residuals);

    private static string[] Cells(ExpiryCalibration expiry)
    {
        ResidualFigures figures = ResidualFigures.Of(expiry.Residuals);
        string[] slice = expiry.Slice is { } fitted
            ? [Number(fitted.A, 9), Number(fitted.B, 9), Number(fitted.Rho, 6), Number(fitted.M, 6), Number(fitted.Sigma, 6),
                Percent(figures.Median), Percent(figures.Percentile90), Percent(figures.Largest), Percent(expiry.WeightedResidual)]
            : ["-", "-", "-", "-", "-", "-", "-", "-", "-"];
        return
        [
            UnixTime.ShowDay(expiry.Nanos), Number(expiry.Forward, 2) + (expiry.IsListedForward ? "*" : ""), Number(expiry.Years, 5),
            $"{expiry.Used}/{expiry.Listed}", .. slice, Verdict(expiry.Fault),
        ];
    }

    private static void WriteExpiry(Utf8JsonWriter writer, ExpiryCalibration expiry)
    {
        writer.WriteStartObject();
        writer.WriteString("expiry", Times.Text(expiry.Nanos));
        writer.WriteString("forward", Number(expiry.Forward, 8));
        writer.WriteString("forwardFrom", expiry.IsListedForward ? "listed" : "parity");
        writer.WriteString("years", Number(expiry.Years, 12));
        writer.WriteNumber("quotes", expiry.Listed);
        writer.WriteNumber("used", expiry.Used);
        if (expiry.Slice is { } slice)
        {
            writer.WriteStartObject("svi");
            writer.WriteString("a", Number(slice.A, 12));
            writer.WriteString("b", Number(slice.B, 12));
            writer.WriteString("rho", Number(slice.Rho, 12));
            writer.WriteString("m", Number(slice.M, 12));
            writer.WriteString("sigma", Number(slice.Sigma, 12));
            writer.WriteEndObject();
            WriteResiduals(writer, ResidualFigures.Of(expiry.Residuals));
            writer.WriteString("vegaWeightedResidual", Number(expiry.WeightedResidual, 8));
        }
        writer.WriteBoolean("sound", expiry.IsSound);
        if (!expiry.IsSound) writer.WriteString("fault", Verdict(expiry.Fault));
        writer.WriteEndObject();
    }

    private static void WriteResiduals(Utf8JsonWriter writer, ResidualFigures figures)
    {
        writer.WriteStartObject("residuals");
        writer.WriteNumber("count", figures.Count);
        writer.WriteString("p50", Number(figures.Median, 8));
        writer.WriteString("p90", Number(figures.Percentile90, 8));
        writer.WriteString("max", Number(figures.Largest, 8));
        writer.WriteEndObject();
    }

    private static string Verdict(SviFault? fault) => fault switch
    {
        null => "no fit",
        SviFault.None => "none",
        SviFault.Calendar => "calendar",
        _ => "butterfly",
    };

    private static string Number(double value, int decimals) => Math.Round(value, decimals).ToString("0.############", CultureInfo.InvariantCulture);

    private static string Percent(double value) => string.Create(CultureInfo.InvariantCulture, $"{value * 100.0:F3}%");
}
