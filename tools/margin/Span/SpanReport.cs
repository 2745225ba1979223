// What `margin span` says of a file: a table of commodities, the spreads between them, exceptions; or the same as one JSON document.
using System.Text.Json;
using MarginEngine.Tool.Shell;
using Spectre.Console;

namespace MarginEngine.Tool.Span;

internal static class SpanReport
{
    private static readonly string[] Columns =
        ["commodity", "name", "futures", "options", "scan range", "volatility scan", "calendar charge", "short option min", "spreads"];

    public static void WriteText(Terminal terminal, SpanMarket market)
    {
        SpanParameters file = market.File;
        terminal.Out.WriteLine($"{file.File}: SPAN {file.Format}, {file.Clearing}, {file.Date:yyyy-MM-dd}, amounts in {file.Currency} a contract");
        Table table = new Table().NoBorder();
        foreach (string column in Columns)
            table.AddColumn(new TableColumn(column) { Alignment = column is "commodity" or "name" ? Justify.Left : Justify.Right, NoWrap = true });
        foreach (SpanUnderlying underlying in market.Underlyings) table.AddRow([.. Cells(market, underlying).Select(Markup.Escape)]);
        terminal.Show(table);
        foreach (SpanSpread spread in market.Spreads)
            terminal.Out.WriteLine($"spread {spread.Priority}: {JsonOutput.Text(spread.Rate * 100m)} % of {string.Join(", ", spread.Legs.Select(leg => $"{leg.Side} {JsonOutput.Text(leg.Deltas)} {leg.Commodity}"))}");
        foreach (SpanException exception in market.Exceptions) terminal.Out.WriteLine($"except {exception.Name}: {exception.Reason}");
        terminal.Out.WriteLine(Summary(market));
    }

    public static void WriteJson(Terminal terminal, SpanMarket market)
    {
        using Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        SpanParameters file = market.File;
        writer.WriteStartObject();
        writer.WriteString("file", file.File);
        writer.WriteString("format", file.Format);
        writer.WriteString("clearing", file.Clearing);
        writer.WriteString("date", $"{file.Date:yyyy-MM-dd}");
        writer.WriteString("currency", file.Currency);
        WritePoints(writer, "points", file.Points);
        WritePoints(writer, "deltaPoints", file.DeltaPoints);
        writer.WriteStartArray("commodities");
        foreach (SpanUnderlying underlying in market.Underlyings) WriteCommodity(writer, underlying);
        writer.WriteEndArray();
        writer.WriteStartArray("spreads");
        foreach (SpanSpread spread in market.Spreads) WriteSpread(writer, spread);
        writer.WriteEndArray();
        writer.WriteStartArray("exceptions");
        foreach (SpanException exception in market.Exceptions)
        {
            writer.WriteStartObject();
            writer.WriteString("name", exception.Name);
            writer.WriteString("reason", exception.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    private static string Summary(SpanMarket market)
    {
        int futures = market.Underlyings.Sum(Futures), options = market.Underlyings.Sum(Options);
        return $"{market.Underlyings.Count} commodities, {futures} futures, {options} options, {market.File.Points.Count} points, "
            + $"{market.Spreads.Count} spreads, {market.Exceptions.Count} exceptions";
    }

    private static string[] Cells(SpanMarket market, SpanUnderlying underlying)
    {
        SpanContract contract = underlying.Instruments[0].Contract;
        int options = Options(underlying);
        return
        [
            underlying.Commodity.Code, underlying.Commodity.Name, $"{Futures(underlying)}", $"{options}", JsonOutput.Text(contract.PriceScan),
            options == 0 ? "-" : $"{JsonOutput.Text(underlying.VolatilityScan * 100m)} %",
            underlying.Commodity.Intra.Count == 0 ? "-" : JsonOutput.Text(underlying.Commodity.Intra[0].Rate),
            options == 0 ? "-" : JsonOutput.Text(underlying.Commodity.ShortOptionMinimum),
            $"{market.Spreads.Count(spread => spread.Legs.Any(leg => leg.Commodity == underlying.Commodity.Code))}",
        ];
    }

    private static void WriteCommodity(Utf8JsonWriter writer, SpanUnderlying underlying)
    {
        SpanContract contract = underlying.Instruments[0].Contract;
        writer.WriteStartObject();
        writer.WriteString("code", underlying.Commodity.Code);
        writer.WriteString("name", underlying.Commodity.Name);
        writer.WriteString("index", JsonOutput.Text(underlying.Index));
        writer.WriteNumber("futures", Futures(underlying));
        writer.WriteNumber("options", Options(underlying));
        writer.WriteString("contractSize", JsonOutput.Text(contract.Size));
        writer.WriteString("scanRange", JsonOutput.Text(contract.PriceScan));
        writer.WriteString("scanRangePerUnit", JsonOutput.Text(underlying.ScanRange));
        writer.WriteString("volatilityScan", JsonOutput.Text(underlying.VolatilityScan));
        writer.WriteString("shortOptionMinimum", JsonOutput.Text(underlying.Commodity.ShortOptionMinimum));
        writer.WriteStartArray("calendarSpreads");
        foreach (SpanSpread spread in underlying.Commodity.Intra) WriteSpread(writer, spread);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteSpread(Utf8JsonWriter writer, SpanSpread spread)
    {
        writer.WriteStartObject();
        writer.WriteNumber("priority", spread.Priority);
        writer.WriteString("method", spread.Method);
        writer.WriteString("rate", JsonOutput.Text(spread.Rate));
        writer.WriteStartArray("legs");
        foreach (SpanLeg leg in spread.Legs)
        {
            writer.WriteStartObject();
            writer.WriteString("commodity", leg.Commodity);
            writer.WriteString("side", leg.Side);
            writer.WriteString("deltas", JsonOutput.Text(leg.Deltas));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WritePoints(Utf8JsonWriter writer, string name, IEnumerable<SpanPoint> points)
    {
        writer.WriteStartArray(name);
        foreach (SpanPoint point in points)
        {
            writer.WriteStartObject();
            writer.WriteString("price", JsonOutput.Text(point.PriceMove));
            writer.WriteString("volatility", JsonOutput.Text(point.VolatilityMove));
            writer.WriteString("weight", JsonOutput.Text(point.Weight));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static int Futures(SpanUnderlying underlying) => underlying.Instruments.Count(instrument => !instrument.Contract.IsOption);

    private static int Options(SpanUnderlying underlying) => underlying.Instruments.Count(instrument => instrument.Contract.IsOption);
}
