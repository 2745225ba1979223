// The commodities of a parameter file as underlyings of the engine. What cannot be said there is left out and named with the reason.
using System.Globalization;
using MarginEngine.Tool.Calc;

namespace MarginEngine.Tool.Span;

/// <summary>A contract under the name that calc documents know it by.</summary>
internal sealed record SpanInstrument(string Name, string Day, SpanContract Contract);

/// <summary>
/// A combined commodity as an underlying: amounts are for a base unit, so that one scan range and one spread hold for all of its contracts.
/// </summary>
/// <param name="ScanRange">Money a base unit.</param>
/// <param name="VolatilityScan">Part of the volatility.</param>
/// <param name="BasePerDelta">Base units of one delta as spreads count them.</param>
internal sealed record SpanUnderlying(
    SpanCommodity Commodity, decimal Index, decimal ScanRange, decimal VolatilityScan, decimal BasePerDelta, IReadOnlyList<SpanInstrument> Instruments);

/// <summary>Something of the file that model and market do not carry.</summary>
internal sealed record SpanException(string Name, string Reason);

/// <summary>
/// The money of the file stands for USD, the engine's money of account. One underlying has one price that its options hang on, one scan range a base unit
/// and one volatility scan range; contracts of a commodity that differ from its first ones are exceptions.
/// </summary>
internal sealed class SpanMarket
{
    private const decimal YearsTolerance = 0.0000015m;

    // Bounds inside which no product of figures of a file overflows; the engine's own on rates.
    private const decimal SmallestScale = 0.00000001m;
    private const decimal LargestScale = 1_000_000_000_000m;
    private const decimal LargestRate = 2m;
    private const int LongestDays = 10 * 365;

    private readonly SpanParameters _file;
    private readonly List<SpanUnderlying> _underlyings = [];
    private readonly List<SpanException> _exceptions = [];

    private SpanMarket(SpanParameters file) => _file = file;

    public SpanParameters File => _file;

    public IReadOnlyList<SpanUnderlying> Underlyings => _underlyings;

    public IReadOnlyList<SpanException> Exceptions => _exceptions;

    /// <summary>Spreads whose every leg is among the underlyings.</summary>
    public IReadOnlyList<SpanSpread> Spreads => [.. _file.Inter.Where(spread => spread.Legs.All(leg => Find(leg.Commodity) is not null))];

    /// <param name="file">The file.</param>
    /// <param name="chosen">Codes of commodities; empty: all that have contracts.</param>
    public static SpanMarket Of(SpanParameters file, IReadOnlyCollection<string> chosen)
    {
        SpanMarket market = new(file);
        foreach (SpanCommodity commodity in file.Commodities.Where(commodity => chosen.Count == 0 || chosen.Contains(commodity.Code)))
            market.Add(commodity, [.. file.Contracts.Where(contract => contract.Commodity == commodity.Code)]);
        return market;
    }

    public SpanUnderlying? Find(string commodity) => _underlyings.Find(underlying => underlying.Commodity.Code == commodity);

    private void Add(SpanCommodity commodity, IReadOnlyList<SpanContract> contracts)
    {
        if (contracts.Count == 0) return;
        if (!InstrumentName.IsCode(commodity.Code) || commodity.Code == "USD")
        {
            Except(commodity.Code, "is no code of an underlying (1 to 8 capital letters or digits, not USD)");
            return;
        }

        if (commodity.Currency != _file.Currency)
        {
            Except(commodity.Code, $"counts in {commodity.Currency}, the file in {_file.Currency}");
            return;
        }

        SpanContract first = contracts.FirstOrDefault(contract => contract.IsOption && Fault(contract) is null)
            ?? contracts.FirstOrDefault(contract => Fault(contract) is null) ?? contracts[0];
        decimal index = first.IsOption ? first.Price : commodity.UnderlyingPrice is > 0m and decimal price ? price : first.Price;
        Dictionary<string, SpanInstrument> instruments = [];
        foreach (SpanContract contract in contracts)
        {
            SpanInstrument instrument = Named(contract);
            string? fault = Fault(contract) ?? Difference(contract, first) ?? (instruments.ContainsKey(instrument.Name) ? $"is {instrument.Name} once more" : null);
            if (fault is null) instruments.Add(instrument.Name, instrument);
            else Except(contract.ToString(), fault);
        }

        if (instruments.Count == 0) return;
        NoteSimplifications(commodity, instruments.Values);
        _underlyings.Add(new SpanUnderlying(
            commodity, index, Rounded(first.PriceScan / first.Size), first.VolatilityScan ?? 0m, first.Size / first.DeltaScale, [.. instruments.Values]));
    }

    private string? Fault(SpanContract contract) =>
        contract.Expiry <= _file.Date ? "has expired on the day of the file"
        : contract.Price <= 0m ? "has no price"
        : contract.DeltaScale < SmallestScale || contract.Size / contract.DeltaScale is < SmallestScale or > LargestScale ? "has no sensible delta scale"
        : !contract.IsOption ? null
        : contract.IsAmerican ? "may be exercised early, which the engine does not price"
        : contract.Strike <= 0m || contract.Volatility <= 0m ? "has no strike or no volatility"
        : Math.Abs(contract.Rate) > LargestRate || Math.Abs(contract.Yield) > LargestRate || contract.Expiry.DayNumber - _file.Date.DayNumber > LongestDays
            ? "has a rate or a life beyond the engine's bounds"
        : contract.VolatilityScan is null ? "has a volatility scan range that is no part of the volatility"
        : InstrumentName.Parse(Named(contract).Name) is null ? "has a name that is too long"
        : null;

    // Rows net inside one underlying only where one price, one scan range and one size of a delta hold for all.
    private static string? Difference(SpanContract contract, SpanContract first) =>
        contract.PriceScan / contract.Size != first.PriceScan / first.Size ? "has another scan range a base unit than the commodity's first contracts"
        : contract.Size / contract.DeltaScale != first.Size / first.DeltaScale ? "has another size of a delta than the commodity's first contracts"
        : !contract.IsOption ? null
        : contract.Price != first.Price ? "hangs on another price than the commodity's first options"
        : contract.VolatilityScan != first.VolatilityScan ? "has another volatility scan range than the commodity's first options"
        : null;

    private void NoteSimplifications(SpanCommodity commodity, IEnumerable<SpanInstrument> instruments)
    {
        if (commodity.Intra.Count > 1) Except(commodity.Code, $"has {commodity.Intra.Count} calendar spreads, of which the first holds for all periods");
        if (commodity.ShortOptionMethod is not ("" or "GROSS")) Except(commodity.Code, $"counts short options by {commodity.ShortOptionMethod}, here each counts");
        foreach (SpanInstrument instrument in instruments.DistinctBy(each => each.Day))
        {
            decimal years = (instrument.Contract.Expiry.DayNumber - _file.Date.DayNumber) / 365m;
            if (Math.Abs(years - instrument.Contract.Years) > YearsTolerance)
                Except($"{commodity.Code} {instrument.Contract.Period}", $"is priced with {instrument.Contract.Years} years, its day is {years:0.######} away");
        }
    }

    private static SpanInstrument Named(SpanContract contract)
    {
        string day = contract.Expiry.ToString("dMMMyy", CultureInfo.InvariantCulture).ToUpperInvariant();
        string option = contract.IsOption ? $"-{Text(contract.Strike!.Value).Replace('.', 'd')}-{(contract.IsCall ? 'C' : 'P')}" : "";
        return new SpanInstrument($"{contract.Commodity}_USD-{day}{option}", day, contract);
    }

    private void Except(string name, string reason) => _exceptions.Add(new SpanException(name, reason));

    private static string Text(decimal value) => value.ToString("0.########", CultureInfo.InvariantCulture);

    /// <summary>To the eight decimals that parameters have.</summary>
    public static decimal Rounded(decimal value) => decimal.Round(value, 8);
}
