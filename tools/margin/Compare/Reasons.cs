// Why a model asks what it asks, in sentences: what the numbers of a comparison say by themselves.
using System.Globalization;

namespace MarginEngine.Tool.Compare;

internal static class Reasons
{
    private const int NamedDifferences = 3;

    /// <summary>Who asks most and least, and the components that make the difference. Empty with fewer than two answers.</summary>
    public static IReadOnlyList<string> Headline(ModelComparison comparison)
    {
        List<(ModelColumn Column, ModelAnswer Answer)> answers = [.. comparison.Answers.OrderBy(entry => entry.Answer.Initial)];
        if (answers.Count < 2) return [];
        (ModelColumn leastColumn, ModelAnswer least) = answers[0];
        (ModelColumn mostColumn, ModelAnswer most) = answers[^1];
        if (least.Initial == most.Initial) return [$"Every model asks {Amounts.Usd(most.Initial)} USD of initial margin."];
        string times = least.Initial > 0 ? string.Create(CultureInfo.InvariantCulture, $", {most.Initial / least.Initial:0.00} times as much") : "";
        List<string> sentences =
        [
            $"Initial margin: {leastColumn.Name} asks least, {Amounts.Usd(least.Initial)} USD; {mostColumn.Name} asks most, {Amounts.Usd(most.Initial)} USD{times}.",
        ];
        string[] differences = [.. Differences(most, least).Take(NamedDifferences).Select(part => $"{part.Name} {Signed(part.Initial)}")];
        if (differences.Length > 0) sentences.Add($"The difference of {Amounts.Usd(most.Initial - least.Initial)} USD: {string.Join(", ", differences)}.");
        string[] uncovered = [.. answers.Where(entry => entry.Answer.BuyingPower < 0).Select(entry => entry.Column.Name)];
        if (uncovered.Length > 0) sentences.Add($"Equity does not cover the initial margin of {string.Join(", ", uncovered)}.");
        return sentences;
    }

    /// <summary>The largest component and the worst row of one model.</summary>
    public static string Why(ModelAnswer answer)
    {
        List<string> parts = [];
        if (answer.Largest is { } largest) parts.Add($"{Amounts.Share(largest.Initial, answer.Initial)} {largest.Name}");
        parts.Add(WorstRow(answer));
        return string.Join("; ", parts);
    }

    /// <summary>Underlying, shocks and loss in USD of the row that loses most.</summary>
    public static string WorstRow(ModelAnswer answer) => answer.WorstUnit is { } unit
        ? $"{unit.Underlying} {unit.Worst!.Label}: {Amounts.Usd(unit.Worst.Counted * unit.PriceUsd)}" : "no row loses";

    // Largest difference first, in either direction.
    private static IEnumerable<ComponentAmount> Differences(ModelAnswer most, ModelAnswer least) =>
        most.Components.Concat(least.Components.Select(part => new ComponentAmount(part.Name, -part.Initial, -part.Maintenance)))
            .GroupBy(part => part.Name)
            .Select(group => new ComponentAmount(group.Key, group.Sum(part => part.Initial), group.Sum(part => part.Maintenance)))
            .Where(part => Math.Abs(part.Initial) >= 0.005m)
            .OrderByDescending(part => Math.Abs(part.Initial));

    private static string Signed(decimal amount) => amount > 0 ? $"+{Amounts.Usd(amount)}" : Amounts.Usd(amount);
}
