// The one place that knows both the engine's report and the records of a comparison.
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Reports;

namespace MarginEngine.Tool.Compare;

internal static class ReportColumn
{
    private const decimal Micro = 1_000_000m;
    private const decimal E8 = 100_000_000m;

    /// <summary>A difference below this is the rounding of units to micro-USD, not a component.</summary>
    private const decimal RoundingUsd = 0.01m;

    public static ModelColumn Of(string name, ModelDocument model, MarginReport report, Portfolio portfolio)
    {
        AccountMargin margin = report.Margin;
        List<UnitColumn> units = [.. report.Units.Select(unit => Unit(unit, portfolio))];
        ModelAnswer answer = new()
        {
            State = Names.Of(report.State),
            Equity = margin.Equity / Micro,
            Initial = margin.Initial / Micro,
            Maintenance = margin.Maintenance / Micro,
            Ratio = margin.RatioE8 >= Limits.RatioCeiling ? null : margin.RatioE8 / E8,
            BuyingPower = margin.BuyingPower / Micro,
            Components = Account(units, margin.Initial / Micro, margin.Maintenance / Micro),
            Units = units,
        };
        return new ModelColumn(name, report.ModelVersion, model.Note, answer, "");
    }

    private static UnitColumn Unit(UnitReport unit, Portfolio portfolio)
    {
        decimal Amount(long atoms) => atoms / (decimal)Fixed.LongPower10(unit.Decimals);
        List<ScenarioRow> rows = [.. unit.Rows.Select(row => new ScenarioRow(Shocks(row), Amount(row.Profit), Amount(row.Counted)))];
        decimal price = unit.Currency == "USD" ? 1 : portfolio.Coins.First(coin => coin.Code == unit.Currency).Index;
        return new UnitColumn(unit.Underlying, unit.Currency, price, Components(unit, Amount), rows, unit.Margin.WorstRow);
    }

    // What the factor multiplies counts as often as the factor says; an alternative or a floor counts as far as it lifts what it is compared with.
    private static List<ComponentAmount> Components(UnitReport unit, Func<long, decimal> amount)
    {
        List<ComponentAmount> parts = [];
        foreach (ComponentReport part in unit.Components)
        {
            decimal initial = Share(part.Place, part.Initial, unit.Margin.InitialParts, unit.InitialFactorE16);
            decimal maintenance = Share(part.Place, part.Maintenance, unit.Margin.MaintenanceParts, unit.MaintenanceFactorE16);
            parts.Add(new ComponentAmount(part.Name == "liquidationCost" ? "liquidation cost" : part.Name, amount(1) * initial, amount(1) * maintenance));
        }

        // Orders enter through the rows: they are what the other parts leave.
        int orders = parts.FindIndex(part => part.Name == "openOrders");
        if (orders >= 0)
        {
            decimal others = parts.Where((_, index) => index != orders).Sum(part => part.Initial);
            parts[orders] = new ComponentAmount("open orders", amount(unit.Margin.Initial) - others, 0);
        }

        return parts;
    }

    private static decimal Share(AddOnPlace? place, long atoms, RequirementParts parts, long factorE16)
    {
        decimal factor = factorE16 / 1e16m;
        return place switch
        {
            null or AddOnPlace.Before => factor * atoms,
            AddOnPlace.Alternative => factor * Math.Max(0, atoms - parts.Measure),
            AddOnPlace.Floor => factor * Math.Max(0, atoms - (Math.Max(parts.Measure, parts.Alternative) + parts.Before)),
            _ => atoms,
        };
    }

    private static string Shocks(RowReport row) =>
        FormattableString.Invariant($"spot {row.SpotShockE8 * 100 / E8:+0.##;-0.##;0} %, volatility {Names.Of(row.Volatility)}")
        + (row.IsTail ? ", tail" : "") + (row.Weight != 1.0 ? FormattableString.Invariant($", weight {row.Weight:0.####}") : "")
        + (row.IsMeasured ? "" : ", not measured");

    /// <summary>Components of the units in USD by name; what they leave of the account's requirement is a component of its own.</summary>
    internal static List<ComponentAmount> Account(IEnumerable<UnitColumn> units, decimal initial, decimal maintenance)
    {
        List<ComponentAmount> sums =
        [
            .. units.SelectMany(unit => unit.Components.Select(part => part with { Initial = part.Initial * unit.PriceUsd, Maintenance = part.Maintenance * unit.PriceUsd }))
                .GroupBy(part => part.Name)
                .Select(group => new ComponentAmount(group.Key, group.Sum(part => part.Initial), group.Sum(part => part.Maintenance))),
        ];
        decimal initialLeft = initial - sums.Sum(part => part.Initial), maintenanceLeft = maintenance - sums.Sum(part => part.Maintenance);
        if (initialLeft == 0 && maintenanceLeft == 0) return sums;
        if (sums.Count == 0 || Math.Abs(initialLeft) > RoundingUsd || Math.Abs(maintenanceLeft) > RoundingUsd)
            return [.. sums, new ComponentAmount("netting and collateral", initialLeft, maintenanceLeft)];
        ComponentAmount largest = sums.MaxBy(part => part.Initial)!;
        sums[sums.IndexOf(largest)] = largest with { Initial = largest.Initial + initialLeft, Maintenance = largest.Maintenance + maintenanceLeft };
        return sums;
    }
}
