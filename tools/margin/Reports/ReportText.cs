// A margin report for people: the account, then each risk unit with its components, rows and positions. Used by calc and replay.
using System.Globalization;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;
using Spectre.Console;

namespace MarginEngine.Tool.Reports;

internal static class ReportText
{
    private const decimal Micro = 1_000_000m;
    private const decimal E8 = 100_000_000m;
    private const decimal E9 = 1_000_000_000m;

    public static void Write(Terminal terminal, MarginReport report)
    {
        AccountMargin margin = report.Margin;
        TextWriter output = terminal.Out;
        void Line(string name, string value, string note = "") => output.WriteLine($"  {name,-26}{value,22}{(note.Length > 0 ? "  " : "")}{note}");
        output.WriteLine(Invariant($"account {report.AccountId}: {Names.Of(report.State)}, by model {report.Model} version {report.ModelVersion}"));
        Line("equity", Usd(margin.Equity), $"USD after haircuts; {Usd(margin.GrossEquity)} before");
        Line("initial margin", Usd(margin.Initial), "USD");
        Line("maintenance margin", Usd(margin.Maintenance), "USD");
        Line("ratio", Ratio(margin.RatioE8), "maintenance margin / equity");
        Line("buying power", Usd(margin.BuyingPower), "USD");
        if (report.WorstUnderlying.Length > 0) Line("worst loss", Usd(margin.WorstLoss), $"USD, {report.WorstUnderlying}");
        Greeks greeks = margin.Greeks;
        Line("delta", Usd(greeks.Delta), "USD a move of 100 %");
        Line("gamma", Usd(greeks.Gamma), "change of delta a move of 1 %");
        Line("vega", Usd(greeks.Vega), "USD a volatility point");
        Line("theta", Usd(greeks.Theta), "USD a day");
        Line("rho", Usd(greeks.Rho), "USD a rate point");
        string flags = string.Join(", ", Names.Of(margin.Flags));
        if (flags.Length > 0) Line("flags", flags);
        foreach (BalanceReport balance in report.Balances)
            Line($"balance {balance.Currency}", Amount(balance.Balance, balance.Decimals),
                Invariant($"at {balance.PriceE8 / E8:#,0.####} USD, haircut {balance.HaircutE8 / E8:P1}"));
        if (report.AcrossInitial != 0) Line("across units, initial", Usd(report.AcrossInitial), "USD: netting, spreads, charges of collateral");
        if (report.AcrossMaintenance != 0) Line("maintenance", Usd(report.AcrossMaintenance), "USD of the same");
        foreach (UnitReport unit in report.Units) WriteUnit(terminal, unit);
    }

    private static void WriteUnit(Terminal terminal, UnitReport unit)
    {
        UnitMargin margin = unit.Margin;
        TextWriter output = terminal.Out;
        void Line(string name, long atoms, string note = "") =>
            output.WriteLine($"  {name,-26}{Amount(atoms, unit.Decimals),22}{(note.Length > 0 ? "  " : "")}{note}");
        output.WriteLine();
        output.WriteLine($"{unit.Underlying} settled in {unit.Currency} (amounts in {unit.Currency})");
        Line("value", margin.Value);
        foreach (ComponentReport part in unit.Components) Component(output, unit, part);
        Line("initial margin", margin.Initial, $"factor {Factor(unit.InitialFactorE16)} x (rows + what stands before it) + what stands after it");
        Line("maintenance margin", margin.Maintenance, $"factor {Factor(unit.MaintenanceFactorE16)}");
        output.WriteLine();
        terminal.Show(Positions(unit));
        output.WriteLine();
        terminal.Show(Rows(unit));
    }

    private static void Component(TextWriter output, UnitReport unit, ComponentReport part)
    {
        string note = part.Place is AddOnPlace place ? Names.Of(place)
            : unit.Margin.WorstRow < 0 ? "no row loses" : $"row {unit.Margin.WorstRow}: {Shocks(unit.Rows[unit.Margin.WorstRow])}";
        string maintenance = part.Initial == part.Maintenance ? "" : $" ({Amount(part.Maintenance, unit.Decimals)} in maintenance margin)";
        output.WriteLine($"  {part.Name,-26}{Amount(part.Initial, unit.Decimals),22}  {note}{maintenance}");
    }

    private static string Factor(long factorE16) => Invariant($"{factorE16 / 1e16m:0.####}");

    private static Table Positions(UnitReport unit)
    {
        Table table = new Table().NoBorder();
        table.AddColumn("position");
        foreach (string column in (string[])["lots", "value", "open profit", "delta base", "delta", "gamma", "vega", "theta", "rho", "in worst row"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (PositionReport position in unit.Positions)
        {
            Greeks greeks = position.Greeks;
            string worst = unit.Margin.WorstRow < 0 ? "-" : Amount(position.RowProfits[unit.Margin.WorstRow], unit.Decimals);
            table.AddRow(position.Symbol, Lots(position), position.IsPriced ? Amount(position.Value, unit.Decimals) : "no price",
                Amount(position.UnrealisedProfit, unit.Decimals), Invariant($"{position.DeltaBaseE9 / E9:0.####}"),
                Usd(greeks.Delta), Usd(greeks.Gamma), Usd(greeks.Vega), Usd(greeks.Theta), Usd(greeks.Rho), worst);
        }

        return table;
    }

    private static string Lots(PositionReport position)
    {
        string orders = position.BuyOrderLots == 0 && position.SellOrderLots == 0 ? "" : $" (orders +{position.BuyOrderLots} -{position.SellOrderLots})";
        return position.Lots.ToString(CultureInfo.InvariantCulture) + orders;
    }

    private static Table Rows(UnitReport unit)
    {
        Table table = new Table().NoBorder();
        foreach (string column in (string[])["row", "spot", "volatility", "profit", "counted"]) table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("");
        foreach (RowReport row in unit.Rows)
            table.AddRow(row.Index.ToString(CultureInfo.InvariantCulture), Percent(row.SpotShockE8), Names.Of(row.Volatility),
                Amount(row.Profit, unit.Decimals), Amount(row.Counted, unit.Decimals),
                (row.IsTail ? "tail" : "") + (row.IsMeasured ? "" : "not measured") + (row.Index == unit.Margin.WorstRow ? " <- worst" : ""));
        return table;
    }

    private static string Shocks(RowReport row) => $"spot {Percent(row.SpotShockE8)}, volatility {Names.Of(row.Volatility)}{(row.IsTail ? ", tail" : "")}";

    private static string Percent(long shockE8) => Invariant($"{shockE8 * 100 / E8:+0.##;-0.##;0} %");

    private static string Usd(long micros) => Invariant($"{micros / Micro:#,0.00}");

    private static string Ratio(long ratioE8) => ratioE8 >= Limits.RatioCeiling ? "no equity" : Invariant($"{ratioE8 / E8:0.0000}");

    private static string Amount(long atoms, int decimals) =>
        decimal.Parse(JsonOutput.Decimal(atoms, -decimals), CultureInfo.InvariantCulture).ToString($"#,0.{new string('0', Math.Min(decimals, 8))}", CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
