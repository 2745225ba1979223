// What a comparison shows of one margin model: plain records between the engine's report and the table, the JSON and the page.
// ReportColumn.cs makes them; nothing behind them knows how the engine computes.
namespace MarginEngine.Tool.Compare;

/// <summary>One model on the portfolio: its answer, or why it gives none.</summary>
/// <param name="Name">Unique in a comparison.</param>
/// <param name="Note">Where shape and parameters are from, as the model says.</param>
/// <param name="Answer">Null: refused.</param>
/// <param name="Refusal">The engine's reason; empty where there is an answer.</param>
internal sealed record ModelColumn(string Name, uint Version, string Note, ModelAnswer? Answer, string Refusal);

/// <summary>All amounts in USD.</summary>
internal sealed record ModelAnswer
{
    public required string State { get; init; }

    /// <summary>After the model's haircuts, so it differs between models.</summary>
    public required decimal Equity { get; init; }

    public required decimal Initial { get; init; }

    public required decimal Maintenance { get; init; }

    /// <summary>Maintenance margin / equity; null: there is no equity.</summary>
    public required decimal? Ratio { get; init; }

    public required decimal BuyingPower { get; init; }

    /// <summary>Of the whole account; they add up to <see cref="Initial"/> and <see cref="Maintenance"/>.</summary>
    public required IReadOnlyList<ComponentAmount> Components { get; init; }

    public required IReadOnlyList<UnitColumn> Units { get; init; }

    /// <summary>The unit whose worst row loses most in USD; null: no row loses.</summary>
    public UnitColumn? WorstUnit => Units.Where(unit => unit.Worst is not null).MinBy(unit => unit.Worst!.Counted * unit.PriceUsd);

    /// <summary>Initial margin of the units of an underlying.</summary>
    public decimal InitialOf(string underlying) =>
        Units.Where(unit => unit.Underlying == underlying).Sum(unit => unit.PriceUsd * unit.Components.Sum(component => component.Initial));

    /// <summary>The largest component of the initial margin; null: nothing is asked.</summary>
    public ComponentAmount? Largest => Components.Where(component => component.Initial > 0).MaxBy(component => component.Initial);
}

/// <summary>A named part of a requirement; a credit is negative.</summary>
internal sealed record ComponentAmount(string Name, decimal Initial, decimal Maintenance);

/// <summary>A risk unit; amounts in its currency.</summary>
/// <param name="PriceUsd">USD a unit of the currency, now.</param>
/// <param name="WorstIndex">Position in <paramref name="Rows"/>; -1: no row loses.</param>
internal sealed record UnitColumn(
    string Underlying, string Currency, decimal PriceUsd, IReadOnlyList<ComponentAmount> Components, IReadOnlyList<ScenarioRow> Rows, int WorstIndex)
{
    public string Title => $"{Underlying} settled in {Currency}";

    public ScenarioRow? Worst => WorstIndex < 0 ? null : Rows[WorstIndex];
}

/// <summary>A row of the model's scenario table.</summary>
/// <param name="Label">Its shocks, in words.</param>
/// <param name="Profit">As the row has it.</param>
/// <param name="Counted">What of it the model counts (tail rows are drawn toward zero).</param>
internal sealed record ScenarioRow(string Label, decimal Profit, decimal Counted);
