// A comparison as JSON: decimals as strings; the profit surface and payoffs, which are no margin figures, as plain numbers of USD.
using System.Text.Json;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Compare;

internal static class ComparisonJson
{
    public static void Write(Terminal terminal, ModelComparison comparison)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteString("valuationTime", Times.Text(comparison.Portfolio.ValuationTime));
        writer.WriteNumber("account", comparison.Portfolio.AccountId);
        writer.WriteStartArray("models");
        foreach (ModelColumn column in comparison.Columns) WriteModel(writer, column);
        writer.WriteEndArray();
        writer.WriteStartArray("reasons");
        foreach (string sentence in Reasons.Headline(comparison)) writer.WriteStringValue(sentence);
        writer.WriteEndArray();
        writer.WriteStartArray("underlyings");
        foreach (UnderlyingPicture picture in comparison.Picture.Underlyings) WritePicture(writer, picture);
        writer.WriteEndArray();
        writer.WriteStartArray("notes");
        foreach (string note in comparison.Portfolio.Notes) writer.WriteStringValue(note);
        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    private static void WriteModel(Utf8JsonWriter writer, ModelColumn column)
    {
        writer.WriteStartObject();
        writer.WriteString("model", column.Name);
        writer.WriteNumber("modelVersion", column.Version);
        writer.WriteString("note", column.Note);
        if (column.Answer is { } answer) WriteAnswer(writer, answer);
        else writer.WriteString("refused", column.Refusal);
        writer.WriteEndObject();
    }

    private static void WriteAnswer(Utf8JsonWriter writer, ModelAnswer answer)
    {
        writer.WriteString("state", answer.State);
        Amount(writer, "equity", answer.Equity);
        Amount(writer, "initialMargin", answer.Initial);
        Amount(writer, "maintenanceMargin", answer.Maintenance);
        if (answer.Ratio is decimal ratio) Amount(writer, "ratio", ratio);
        else writer.WriteNull("ratio");
        Amount(writer, "buyingPower", answer.BuyingPower);
        writer.WriteString("worstRow", Reasons.WorstRow(answer));
        WriteComponents(writer, answer.Components);
        writer.WriteStartArray("units");
        foreach (UnitColumn unit in answer.Units) WriteUnit(writer, unit);
        writer.WriteEndArray();
    }

    private static void WriteUnit(Utf8JsonWriter writer, UnitColumn unit)
    {
        writer.WriteStartObject();
        writer.WriteString("underlying", unit.Underlying);
        writer.WriteString("currency", unit.Currency);
        Amount(writer, "priceUsd", unit.PriceUsd);
        WriteComponents(writer, unit.Components);
        if (unit.WorstIndex >= 0) writer.WriteNumber("worstRow", unit.WorstIndex);
        writer.WriteStartArray("rows");
        foreach (ScenarioRow row in unit.Rows)
        {
            writer.WriteStartObject();
            writer.WriteString("label", row.Label);
            Amount(writer, "profit", row.Profit);
            Amount(writer, "counted", row.Counted);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter writer, IReadOnlyList<ComponentAmount> components)
    {
        writer.WriteStartArray("components");
        foreach (ComponentAmount part in components)
        {
            writer.WriteStartObject();
            writer.WriteString("name", part.Name);
            Amount(writer, "initial", part.Initial);
            Amount(writer, "maintenance", part.Maintenance);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WritePicture(Utf8JsonWriter writer, UnderlyingPicture picture)
    {
        writer.WriteStartObject();
        writer.WriteString("underlying", picture.Code);
        writer.WriteStartObject("surface");
        Numbers(writer, "spotShocks", picture.Surface.SpotShocks);
        Numbers(writer, "volatilityShocks", picture.Surface.VolatilityShocks);
        writer.WriteStartArray("profitUsd");
        foreach (double[] row in picture.Surface.ProfitUsd) Numbers(writer, null, row);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteStartObject("payoff");
        Numbers(writer, "prices", picture.Payoff.Prices);
        writer.WriteStartObject("profitUsd");
        foreach (PayoffCurve curve in picture.Payoff.Curves) Numbers(writer, curve.Label, curve.ProfitUsd);
        writer.WriteEndObject();
        Numbers(writer, "breakEvens", picture.Payoff.BreakEvens);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Numbers(Utf8JsonWriter writer, string? name, IEnumerable<double> values)
    {
        if (name is null) writer.WriteStartArray();
        else writer.WriteStartArray(name);
        foreach (double value in values)
        {
            if (double.IsFinite(value)) writer.WriteNumberValue(Math.Round(value, 4));
            else writer.WriteNullValue();
        }

        writer.WriteEndArray();
    }

    private static void Amount(Utf8JsonWriter writer, string name, decimal value) => writer.WriteString(name, JsonOutput.Text(value));
}
