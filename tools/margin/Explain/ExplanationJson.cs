// An explanation as one JSON object: decimals as strings, times as text and nanoseconds.
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Explain;

internal static class ExplanationJson
{
    private const int Ratio = -8;
    private const int Money = -6;

    public static void Write(Utf8JsonWriter writer, Explanation explanation)
    {
        writer.WriteStartObject();
        writer.WriteString("answer", explanation.Answer);
        writer.WriteNumber("sequence", explanation.Sequence);
        Time(writer, "time", explanation.TimeNanos);
        Time(writer, "priceTime", explanation.PriceTimeNanos);
        writer.WriteStartObject("report");
        ReportJson.WriteMembers(writer, explanation.Report);
        writer.WriteEndObject();
        WriteWorst(writer, explanation.Report);
        WriteRules(writer, explanation.Rules);
        writer.WriteStartArray("prices");
        foreach (SourcedPrice price in explanation.Prices) WritePrice(writer, price);
        writer.WriteEndArray();
        writer.WriteNumber("pathLength", explanation.PathLength);
        writer.WriteStartArray("path");
        foreach (PathPoint point in explanation.Path) WritePoint(writer, point);
        writer.WriteEndArray();
        writer.WriteNumber("inputCount", explanation.InputCount);
        WriteMessages(writer, "inputs", explanation.Inputs);
        writer.WriteNumber("decisionCount", explanation.DecisionCount);
        WriteMessages(writer, "decisions", explanation.Decisions);
        writer.WriteEndObject();
    }

    private static void WriteWorst(Utf8JsonWriter writer, MarginReport report)
    {
        if (Explainer.WorstRow(report) is not (UnitReport unit, RowReport row)) return;
        writer.WriteStartObject("worst");
        writer.WriteString("underlying", unit.Underlying);
        writer.WriteString("currency", unit.Currency);
        writer.WriteNumber("row", row.Index);
        writer.WriteString("spotShock", JsonOutput.Decimal(row.SpotShockE8, Ratio));
        writer.WriteString("volatilityShock", Names.Of(row.Volatility));
        writer.WriteString("counted", JsonOutput.Decimal(row.Counted, -unit.Decimals));
        writer.WriteStartArray("contributions");
        foreach (PositionReport position in unit.Positions.OrderBy(position => position.RowProfits[row.Index]))
        {
            writer.WriteStartObject();
            writer.WriteString("instrument", position.Symbol);
            writer.WriteNumber("lots", position.Lots);
            writer.WriteString("profit", JsonOutput.Decimal(position.RowProfits[row.Index], -unit.Decimals));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("adjustment", JsonOutput.Decimal(row.Adjustment, -unit.Decimals));
        writer.WriteEndObject();
    }

    private static void WriteRules(Utf8JsonWriter writer, RulesReport rules)
    {
        writer.WriteStartObject("rules");
        writer.WriteNumber("modelId", rules.ModelId);
        writer.WriteString("model", rules.Model);
        writer.WriteNumber("version", rules.Version);
        writer.WriteStartObject("thresholds");
        for (AccountState state = AccountState.Warning; state <= AccountState.Liquidation; state++)
            writer.WriteString(Names.Of(state), JsonOutput.Decimal(rules.ThresholdE8[(int)state], Ratio));
        writer.WriteEndObject();
        writer.WriteString("hysteresis", JsonOutput.Decimal(rules.HysteresisE8, Ratio));
        writer.WriteString("targetRatio", JsonOutput.Decimal(rules.TargetRatioE8, Ratio));
        writer.WriteNumber("stalePriceNanos", rules.StalePriceNanos);
        writer.WriteNumber("staleVolatilityNanos", rules.StaleVolatilityNanos);
        writer.WriteNumber("liquidationRetryNanos", rules.LiquidationRetryNanos);
        writer.WriteEndObject();
    }

    private static void WritePrice(Utf8JsonWriter writer, SourcedPrice sourced)
    {
        PriceReport price = sourced.Price;
        writer.WriteStartObject();
        writer.WriteString("kind", Names.Of(price.Key.Kind));
        writer.WriteString("name", price.Name);
        if (price.Value is decimal value) writer.WriteString("value", Exact(value));
        if (sourced.Place is RecordPlace place)
        {
            writer.WriteNumber("sequence", place.Sequence);
            Time(writer, "taken", place.TimeNanos);
        }

        if (price.AgeNanos is long age) writer.WriteNumber("ageNanos", age);
        if (price.LimitNanos > 0) writer.WriteNumber("staleAfterNanos", price.LimitNanos);
        writer.WriteBoolean("stale", price.IsStale);
        writer.WriteString("confidence", Exact(price.Confidence));
        writer.WriteEndObject();
    }

    private static void WritePoint(Utf8JsonWriter writer, PathPoint point)
    {
        writer.WriteStartObject();
        writer.WriteNumber("sequence", point.Sequence);
        Time(writer, "time", point.TimeNanos);
        writer.WriteString("equity", JsonOutput.Decimal(point.Equity, Money));
        writer.WriteString("maintenanceMargin", JsonOutput.Decimal(point.Maintenance, Money));
        writer.WriteString("ratio", JsonOutput.Decimal(point.RatioE8, Ratio));
        writer.WriteString("state", Names.Of(point.State));
        writer.WriteEndObject();
    }

    private static void WriteMessages(Utf8JsonWriter writer, string name, IReadOnlyList<ToldMessage> messages)
    {
        writer.WriteStartArray(name);
        foreach (ToldMessage told in messages)
        {
            writer.WriteStartObject();
            writer.WriteNumber("sequence", told.Sequence);
            Time(writer, "time", told.TimeNanos);
            writer.WritePropertyName("message");
            writer.WriteRawValue(told.Json);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>All digits, without superfluous zeros.</summary>
    public static string Exact(decimal value) => value.ToString("0.################", System.Globalization.CultureInfo.InvariantCulture);

    private static void Time(Utf8JsonWriter writer, string name, long nanos)
    {
        writer.WriteString(name, Times.Text(nanos));
        writer.WriteNumber(name + "Nanos", nanos);
    }
}
