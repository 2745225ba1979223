// A margin report as JSON: every decimal a string, amounts of a unit in its currency, account figures in USD. Used by calc and replay.
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Reports;

internal static class ReportJson
{
    private const int RatioExponent = -8;
    private const int MoneyExponent = -6;
    private const int FactorExponent = -16;
    private const int BaseExponent = -9;

    /// <summary>Writes the members of an object that the caller has begun.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, MarginReport report)
    {
        AccountMargin margin = report.Margin;
        writer.WriteNumber("account", report.AccountId);
        writer.WriteNumber("asOfSequence", report.Sequence);
        writer.WriteString("model", report.Model);
        writer.WriteNumber("modelVersion", report.ModelVersion);
        writer.WriteString("state", Names.Of(report.State));
        Money(writer, "equity", margin.Equity);
        Money(writer, "grossEquity", margin.GrossEquity);
        Money(writer, "initialMargin", margin.Initial);
        Money(writer, "maintenanceMargin", margin.Maintenance);
        writer.WriteString("ratio", JsonOutput.Decimal(margin.RatioE8, RatioExponent));
        Money(writer, "buyingPower", margin.BuyingPower);
        Money(writer, "worstLoss", margin.WorstLoss);
        writer.WriteString("worstUnderlying", report.WorstUnderlying);
        WriteFlags(writer, margin.Flags);
        WriteGreeks(writer, margin.Greeks);
        writer.WriteStartArray("balances");
        foreach (BalanceReport balance in report.Balances) WriteBalance(writer, balance);
        writer.WriteEndArray();
        writer.WriteStartArray("units");
        foreach (UnitReport unit in report.Units) WriteUnit(writer, unit);
        writer.WriteEndArray();
        Money(writer, "acrossInitial", report.AcrossInitial);
        Money(writer, "acrossMaintenance", report.AcrossMaintenance);
    }

    private static void WriteBalance(Utf8JsonWriter writer, BalanceReport balance)
    {
        writer.WriteStartObject();
        writer.WriteString("currency", balance.Currency);
        writer.WriteString("balance", JsonOutput.Decimal(balance.Balance, -balance.Decimals));
        writer.WriteString("priceUsd", JsonOutput.Decimal(balance.PriceE8, RatioExponent));
        writer.WriteString("haircut", JsonOutput.Decimal(balance.HaircutE8, RatioExponent));
        writer.WriteEndObject();
    }

    private static void WriteUnit(Utf8JsonWriter writer, UnitReport unit)
    {
        int exponent = -unit.Decimals;
        UnitMargin margin = unit.Margin;
        void Amount(string name, long atoms) => writer.WriteString(name, JsonOutput.Decimal(atoms, exponent));
        writer.WriteStartObject();
        writer.WriteString("underlying", unit.Underlying);
        writer.WriteString("currency", unit.Currency);
        Amount("value", margin.Value);
        Amount("initialMargin", margin.Initial);
        Amount("maintenanceMargin", margin.Maintenance);
        writer.WriteString("initialFactor", JsonOutput.Decimal(unit.InitialFactorE16, FactorExponent));
        writer.WriteString("maintenanceFactor", JsonOutput.Decimal(unit.MaintenanceFactorE16, FactorExponent));
        WriteComponents(writer, unit, exponent);
        if (margin.WorstRow >= 0) writer.WriteNumber("worstRow", margin.WorstRow);
        WriteFlags(writer, margin.Flags);
        WriteGreeks(writer, margin.Greeks);
        WriteRows(writer, unit, exponent);
        writer.WriteStartArray("positions");
        foreach (PositionReport position in unit.Positions) WritePosition(writer, position, exponent);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter writer, UnitReport unit, int exponent)
    {
        writer.WriteStartArray("components");
        foreach (ComponentReport component in unit.Components)
        {
            writer.WriteStartObject();
            writer.WriteString("name", component.Name);
            if (component.Place is AddOnPlace place) writer.WriteString("place", Names.Of(place));
            writer.WriteString("initial", JsonOutput.Decimal(component.Initial, exponent));
            writer.WriteString("maintenance", JsonOutput.Decimal(component.Maintenance, exponent));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteRows(Utf8JsonWriter writer, UnitReport unit, int exponent)
    {
        writer.WriteStartArray("rows");
        foreach (RowReport row in unit.Rows)
        {
            writer.WriteStartObject();
            writer.WriteNumber("row", row.Index);
            writer.WriteString("spotShock", JsonOutput.Decimal(row.SpotShockE8, RatioExponent));
            writer.WriteString("volatilityShock", Names.Of(row.Volatility));
            writer.WriteBoolean("tail", row.IsTail);
            writer.WriteBoolean("measured", row.IsMeasured);
            writer.WriteString("profit", JsonOutput.Decimal(row.Profit, exponent));
            writer.WriteString("counted", JsonOutput.Decimal(row.Counted, exponent));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WritePosition(Utf8JsonWriter writer, PositionReport position, int exponent)
    {
        writer.WriteStartObject();
        writer.WriteString("instrument", position.Symbol);
        writer.WriteNumber("lots", position.Lots);
        writer.WriteBoolean("priced", position.IsPriced);
        writer.WriteString("value", JsonOutput.Decimal(position.Value, exponent));
        writer.WriteString("openProfit", JsonOutput.Decimal(position.UnrealisedProfit, exponent));
        writer.WriteString("deltaBase", JsonOutput.Decimal(position.DeltaBaseE9, BaseExponent));
        writer.WriteString("liquidationCost", JsonOutput.Decimal(position.LiquidationCost, exponent));
        writer.WriteNumber("buyOrderLots", position.BuyOrderLots);
        writer.WriteNumber("sellOrderLots", position.SellOrderLots);
        WriteGreeks(writer, position.Greeks);
        writer.WriteStartArray("rowProfits");
        foreach (long profit in position.RowProfits) writer.WriteStringValue(JsonOutput.Decimal(profit, exponent));
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteGreeks(Utf8JsonWriter writer, in Greeks greeks)
    {
        writer.WriteStartObject("greeks");
        Money(writer, "delta", greeks.Delta);
        Money(writer, "gamma", greeks.Gamma);
        Money(writer, "vega", greeks.Vega);
        Money(writer, "theta", greeks.Theta);
        Money(writer, "rho", greeks.Rho);
        writer.WriteEndObject();
    }

    private static void WriteFlags(Utf8JsonWriter writer, MarginFlags flags)
    {
        writer.WriteStartArray("flags");
        foreach (string name in Names.Of(flags)) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    private static void Money(Utf8JsonWriter writer, string name, long micros) => writer.WriteString(name, JsonOutput.Decimal(micros, MoneyExponent));
}
