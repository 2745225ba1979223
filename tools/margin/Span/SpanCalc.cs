// The market of a parameter file as a calc document with an empty portfolio: the user adds positions and asks `margin calc`.
using System.Text.Json;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Span;

internal static class SpanCalc
{
    private const int PriceDecimals = 8;

    // Contracts of calc documents expire at this hour: valued at the same hour, a day counts as a day.
    private const int Hour = 8;

    private static readonly CalcJson Pretty = new(new JsonSerializerOptions(CalcJson.Default.Options)
    {
        WriteIndented = true,
        NewLine = "\n",
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    });

    public static string Text(SpanMarket market, bool withArrays) => JsonSerializer.Serialize(Of(market, withArrays), Pretty.CalcDocument) + "\n";

    /// <summary>
    /// A lot is a contract. The forward of an expiry is the underlying's price grown at rate less yield, where it has options; its rate stands with it where
    /// it is not the rate of most.
    /// </summary>
    /// <exception cref="CommandFailure">Refused: a contract has no array to take.</exception>
    public static CalcDocument Of(SpanMarket market, bool withArrays = false)
    {
        IEnumerable<SpanInstrument> all = market.Underlyings.SelectMany(underlying => underlying.Instruments);
        decimal usual = all.Where(each => each.Contract.IsOption).GroupBy(each => each.Contract.Rate).OrderByDescending(group => group.Count())
            .Select(group => group.Key).FirstOrDefault();
        SpanParameters file = market.File;
        CalcDocument document = new()
        {
            Schema = "calc.schema.json",
            Description = $"SPAN {file.Format} of {file.Clearing}, {file.Date:yyyy-MM-dd} ({file.File}). USD stands for {file.Currency}.",
            ValuationTime = new DateTimeOffset(file.Date.ToDateTime(new TimeOnly(Hour, 0)), TimeSpan.Zero),
            Underlyings = market.Underlyings.ToDictionary(underlying => underlying.Commodity.Code, underlying => Underlying(underlying, file.Date, usual)),
            Account = new AccountDocument { Collateral = { ["USD"] = 0m } },
        };
        if (usual != 0m) document.Rates["USD"] = decimal.Round(usual, PriceDecimals);
        foreach (SpanInstrument instrument in all)
        {
            SpanContract contract = instrument.Contract;
            document.Contracts[instrument.Name] = new ContractDocument { Size = decimal.Round(contract.Size, PriceDecimals), Lot = decimal.Round(contract.Size, PriceDecimals) };
            if (contract.IsOption) document.Volatilities[instrument.Name] = decimal.Round(contract.Volatility, PriceDecimals);
            else document.Marks[instrument.Name] = decimal.Round(contract.Price, PriceDecimals);
            if (withArrays) document.Arrays[instrument.Name] = Array(contract, file);
        }

        return document;
    }

    private static ArrayDocument Array(SpanContract contract, SpanParameters file) => contract.Losses is { } losses && losses.Count == file.Points.Count
        ? new ArrayDocument { Delta = decimal.Round(contract.CompositeDelta * contract.Size, PriceDecimals), Profits = [.. losses.Select(loss => -decimal.Round(loss, PriceDecimals))] }
        : throw CommandFailure.Refused($"{file.File}: {contract} has no array of {file.Points.Count} points to take");

    private static UnderlyingDocument Underlying(SpanUnderlying underlying, DateOnly date, decimal usual)
    {
        UnderlyingDocument document = new() { Index = decimal.Round(underlying.Index, PriceDecimals) };
        foreach (IGrouping<string, SpanInstrument> expiry in underlying.Instruments.GroupBy(instrument => instrument.Day))
        {
            SpanContract contract = (expiry.FirstOrDefault(each => each.Contract.IsOption) ?? expiry.First()).Contract;
            double years = (contract.Expiry.DayNumber - date.DayNumber) / 365.0;
            double growth = contract.IsOption ? Math.Exp((double)(contract.Rate - contract.Yield) * years) : 1.0;
            document.Expiries[expiry.Key] = new ExpiryDocument
            {
                Forward = decimal.Round(contract.Price * (decimal)growth, PriceDecimals),
                Rate = contract.IsOption && contract.Rate != usual ? decimal.Round(contract.Rate, PriceDecimals) : null,
            };
        }

        return document;
    }
}
