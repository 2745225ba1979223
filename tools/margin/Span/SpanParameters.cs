// What a SPAN parameter file says, as far as margins need it. SpanReader makes it, SpanMarket resolves it for the engine.
using System.Globalization;

namespace MarginEngine.Tool.Span;

/// <summary>A point of the scan or of the composite delta: multiple of the price scan range, multiple of the volatility scan range, weight.</summary>
internal sealed record SpanPoint(decimal PriceMove, decimal VolatilityMove, decimal Weight);

/// <summary>
/// A future, or an option where it has a strike. Money is the commodity's currency; <see cref="PriceScan"/> is for a contract, <see cref="VolatilityScan"/> a
/// part of the volatility, rates are continuously compounded.
/// </summary>
internal sealed record SpanContract
{
    public required string Code { get; init; }

    public required string Commodity { get; init; }

    public required string Period { get; init; }

    /// <summary>Day of settlement.</summary>
    public required DateOnly Expiry { get; init; }

    /// <summary>Time that the file prices with.</summary>
    public required decimal Years { get; init; }

    /// <summary>Money that a contract gains when its price rises by one (contract value factor).</summary>
    public required decimal Size { get; init; }

    /// <summary>Deltas that one contract counts for in spreads.</summary>
    public required decimal DeltaScale { get; init; }

    public required decimal PriceScan { get; init; }

    /// <summary>Price of a future; of an option the price of what it is on.</summary>
    public required decimal Price { get; init; }

    public decimal? Strike { get; init; }

    public bool IsCall { get; init; }

    public bool IsAmerican { get; init; }

    public decimal Volatility { get; init; }

    /// <summary>Null: the file gives it in another form.</summary>
    public decimal? VolatilityScan { get; init; }

    public decimal Rate { get; init; }

    public decimal Yield { get; init; }

    /// <summary>The file's own array: losses of a contract held long at each point, weights included, in money; null: it has none.</summary>
    public IReadOnlyList<decimal>? Losses { get; init; }

    /// <summary>In contracts of what it is on.</summary>
    public decimal CompositeDelta { get; init; }

    public bool IsOption => Strike is not null;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Code} {Period}{(IsOption ? $" {Strike:0.########} {(IsCall ? "call" : "put")}" : "")}");
}

/// <summary>A leg of a spread: combined commodity, side A or B, deltas in one spread.</summary>
internal sealed record SpanLeg(string Commodity, string Side, decimal Deltas);

/// <summary>In order of priority. The rate is money a spread inside a commodity, a part of the legs' price risk between commodities.</summary>
internal sealed record SpanSpread(int Priority, string Method, decimal Rate, IReadOnlyList<SpanLeg> Legs)
{
    public override string ToString() => $"spread {Priority} ({string.Join(", ", Legs.Select(leg => $"{leg.Side} {leg.Commodity}"))})";
}

/// <summary>A combined commodity. The minimum is money a short option.</summary>
/// <param name="UnderlyingPrice">Price of the first physical that has one; null: none does.</param>
internal sealed record SpanCommodity(
    string Code, string Name, string Currency, decimal? UnderlyingPrice, decimal ShortOptionMinimum, string ShortOptionMethod, IReadOnlyList<SpanSpread> Intra);

/// <summary>A whole file.</summary>
internal sealed record SpanParameters
{
    public required string File { get; init; }

    public required string Format { get; init; }

    public required string Clearing { get; init; }

    /// <summary>The day that the prices are of.</summary>
    public required DateOnly Date { get; init; }

    public required IReadOnlyList<SpanPoint> Points { get; init; }

    public required IReadOnlyList<SpanPoint> DeltaPoints { get; init; }

    public required IReadOnlyList<SpanCommodity> Commodities { get; init; }

    public required IReadOnlyList<SpanContract> Contracts { get; init; }

    public required IReadOnlyList<SpanSpread> Inter { get; init; }

    /// <summary>Money that the file counts in: that of its first commodity with contracts.</summary>
    public string Currency => Commodities.FirstOrDefault(commodity => Contracts.Any(contract => contract.Commodity == commodity.Code))?.Currency ?? "";
}
