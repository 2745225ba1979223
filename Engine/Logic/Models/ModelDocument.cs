using System.Text.Json;
using System.Text.Json.Serialization;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// A margin model as people write it: a JSON document. Cold code, used by tools and tests to make the <c>MarginModel</c> message that the
/// engine journals and compiles. An unknown key is an error.
/// </summary>
public sealed record ModelDocument
{
    public required string Name { get; init; }

    public required uint Version { get; init; }

    public string? Note { get; init; }

    public required decimal MaintenanceFactor { get; init; }

    public required decimal ShortTermPower { get; init; }

    public required decimal LongTermPower { get; init; }

    public required decimal TermFloorDays { get; init; }

    public required decimal LiquidationFee { get; init; }

    public required decimal LiquidationSlippage { get; init; }

    public required decimal WarningRatio { get; init; }

    public required decimal MarginCallRatio { get; init; }

    public required decimal ReduceOnlyRatio { get; init; }

    public required decimal LiquidationRatio { get; init; }

    public required decimal Hysteresis { get; init; }

    public required decimal TargetRatio { get; init; }

    public required decimal StalePriceSeconds { get; init; }

    public required decimal StaleVolatilitySeconds { get; init; }

    public required decimal RepriceSeconds { get; init; }

    public required decimal PublishRatioStep { get; init; }

    public required decimal RefreshMilliseconds { get; init; }

    public required decimal LiquidationRetryMilliseconds { get; init; }

    public required ScenarioDocument Scenarios { get; init; }

    /// <summary>By code; "*" stands for every underlying not named.</summary>
    public required Dictionary<string, UnderlyingDocument> Underlyings { get; init; }

    /// <summary>Haircut by currency code; a currency not named counts nothing.</summary>
    public required Dictionary<string, decimal> Collaterals { get; init; }

    /// <summary>The recommended model that ships with the engine.</summary>
    public static ModelDocument Portfolio => Shipped("portfolio");

    public static IReadOnlyList<string> ShippedNames { get; } = ["portfolio"];

    /// <exception cref="FormatException">No model of that name is shipped.</exception>
    public static ModelDocument Shipped(string name)
    {
        using Stream stream = typeof(ModelDocument).Assembly.GetManifestResourceStream($"models/{name}.json")
            ?? throw new FormatException($"no margin model named '{name}' is shipped (shipped: {string.Join(", ", ShippedNames)})");
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <exception cref="FormatException">The text is not a margin model; the message names the place.</exception>
    public static ModelDocument Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ModelJson.Default.ModelDocument) ?? throw new FormatException("the margin model is empty");
        }
        catch (JsonException error)
        {
            throw new FormatException($"margin model: {error.Message}", error);
        }
    }

    /// <summary>
    /// The message, ready for the engine. Underlyings and currencies are given as (id, code); what the document names beyond them is left out.
    /// </summary>
    /// <exception cref="FormatException">A number has more decimals than its field, or is too large for it.</exception>
    public byte[] ToMessage(
        ushort modelId, ulong originSequence, ulong eventTime, ushort source, OriginFlags flags,
        IReadOnlyList<(ushort Id, string Code)> underlyings, IReadOnlyList<(ushort Id, string Code)> currencies)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        MarginModelEncoder model = MarginModelEncoder.Wrap(buffer);
        model.SetOrigin(originSequence, eventTime, source, flags);
        model.ModelId = modelId;
        model.ModelVersion = Version;
        model.SetName(Name);
        model.SetMaintenanceFactor(E8(MaintenanceFactor));
        model.SetShortTermPower(E8(ShortTermPower));
        model.SetLongTermPower(E8(LongTermPower));
        model.SetTermFloorDays(E8(TermFloorDays));
        model.SetLiquidationFee(E8(LiquidationFee));
        model.SetLiquidationSlippage(E8(LiquidationSlippage));
        model.SetWarningRatio(E8(WarningRatio));
        model.SetMarginCallRatio(E8(MarginCallRatio));
        model.SetReduceOnlyRatio(E8(ReduceOnlyRatio));
        model.SetLiquidationRatio(E8(LiquidationRatio));
        model.SetHysteresis(E8(Hysteresis));
        model.SetTargetRatio(E8(TargetRatio));
        model.StalePriceNanos = (ulong)Scaled(StalePriceSeconds, 9);
        model.StaleVolatilityNanos = (ulong)Scaled(StaleVolatilitySeconds, 9);
        model.RepriceNanos = (ulong)Scaled(RepriceSeconds, 9);
        model.SetPublishRatioStep(E8(PublishRatioStep));
        model.RefreshNanos = (ulong)Scaled(RefreshMilliseconds, 6);
        model.LiquidationRetryNanos = (ulong)Scaled(LiquidationRetryMilliseconds, 6);
        WriteScenarios(model);
        WriteUnderlyings(model, underlyings);
        WriteCollaterals(model, currencies);
        return buffer[..model.EncodedLength];
    }

    private void WriteScenarios(in MarginModelEncoder model)
    {
        List<(decimal Shock, ShockScale Scale, VolatilityShock Volatility, byte Extended)> rows = [];
        foreach (decimal step in Scenarios.PriceRangeSteps)
        {
            foreach (string shock in Scenarios.VolatilityShocks)
            {
                rows.Add((step, ShockScale.PriceRange, ShockOf(shock), 0));
            }
        }

        foreach (decimal shock in Scenarios.Extended)
        {
            rows.Add((shock, ShockScale.Absolute, VolatilityShock.Up, 1));
        }

        MarginModelEncoder.ScenariosEncoder group = model.ScenariosCount(rows.Count);
        for (int index = 0; index < rows.Count; index++)
        {
            MarginModelEncoder.ScenariosEncoder.Entry row = group[index];
            row.SetSpotShock(E8(rows[index].Shock));
            row.SpotScale = rows[index].Scale;
            row.VolatilityShock = rows[index].Volatility;
            row.Extended = rows[index].Extended;
        }
    }

    private void WriteUnderlyings(in MarginModelEncoder model, IReadOnlyList<(ushort Id, string Code)> underlyings)
    {
        List<(ushort Id, UnderlyingDocument Parameters)> covered = [];
        foreach ((ushort id, string code) in underlyings)
        {
            if (Underlyings.TryGetValue(code, out UnderlyingDocument? parameters) || Underlyings.TryGetValue("*", out parameters))
            {
                covered.Add((id, parameters));
            }
        }

        MarginModelEncoder.UnderlyingsEncoder group = model.UnderlyingsCount(covered.Count);
        for (int index = 0; index < covered.Count; index++)
        {
            UnderlyingDocument parameters = covered[index].Parameters;
            MarginModelEncoder.UnderlyingsEncoder.Entry entry = group[index];
            entry.UnderlyingId = covered[index].Id;
            entry.SetPriceRange(E8(parameters.PriceRange));
            entry.SetVolatilityUp(E8(parameters.VolatilityUp));
            entry.SetVolatilityDown(E8(parameters.VolatilityDown));
            entry.SetMinimumVolatilityUp(E8(parameters.MinimumVolatilityUp));
            entry.SetExtendedFactor(E8(parameters.ExtendedFactor));
            entry.SetExtendedDampener(Scaled(parameters.ExtendedDampenerUsd, 6));
            entry.SetMinimumAnnualisedMove(E8(parameters.MinimumAnnualisedMove));
            entry.SetAnnualisedMoveRisk(E8(parameters.AnnualisedMoveRisk));
            entry.SetDeltaThreshold(Scaled(parameters.DeltaThresholdUsd, 6));
            entry.SetMaximumDeltaShock(E8(parameters.MaximumDeltaShock));
            entry.SetDeltaIncrement(Scaled(parameters.DeltaIncrement, 12));
        }
    }

    private void WriteCollaterals(in MarginModelEncoder model, IReadOnlyList<(ushort Id, string Code)> currencies)
    {
        List<(ushort Id, decimal Haircut)> covered = [];
        foreach ((ushort id, string code) in currencies)
        {
            if (Collaterals.TryGetValue(code, out decimal haircut))
            {
                covered.Add((id, haircut));
            }
        }

        MarginModelEncoder.CollateralsEncoder group = model.CollateralsCount(covered.Count);
        for (int index = 0; index < covered.Count; index++)
        {
            MarginModelEncoder.CollateralsEncoder.Entry entry = group[index];
            entry.CurrencyId = covered[index].Id;
            entry.SetHaircut(E8(covered[index].Haircut));
        }
    }

    private static VolatilityShock ShockOf(string shock) => shock switch
    {
        "none" => VolatilityShock.None,
        "up" => VolatilityShock.Up,
        "down" => VolatilityShock.Down,
        _ => throw new FormatException($"margin model: scenarios.volatilityShocks: '{shock}' is not one of none, up, down"),
    };

    private static long E8(decimal value) => Scaled(value, 8);

    private static long Scaled(decimal value, int decimals)
    {
        decimal scaled;
        try
        {
            scaled = value * Fixed.LongPower10(decimals);
        }
        catch (OverflowException)
        {
            throw new FormatException($"margin model: {value} is too large");
        }

        if (scaled != decimal.Truncate(scaled) || Math.Abs(scaled) > long.MaxValue)
        {
            throw new FormatException($"margin model: {value} does not fit into {decimals} decimals");
        }

        return (long)scaled;
    }
}

/// <summary>Rows: every step of the price range with every volatility shock, then the tails with volatility up.</summary>
public sealed record ScenarioDocument
{
    public required decimal[] PriceRangeSteps { get; init; }

    public required string[] VolatilityShocks { get; init; }

    /// <summary>Relative moves of the tail rows.</summary>
    public required decimal[] Extended { get; init; }
}

/// <summary>Parameters of one underlying; the units stand in the names.</summary>
public sealed record UnderlyingDocument
{
    public required decimal PriceRange { get; init; }

    public required decimal VolatilityUp { get; init; }

    public required decimal VolatilityDown { get; init; }

    public required decimal MinimumVolatilityUp { get; init; }

    public required decimal ExtendedFactor { get; init; }

    public required decimal ExtendedDampenerUsd { get; init; }

    public required decimal MinimumAnnualisedMove { get; init; }

    public required decimal AnnualisedMoveRisk { get; init; }

    public required decimal DeltaThresholdUsd { get; init; }

    public required decimal MaximumDeltaShock { get; init; }

    public required decimal DeltaIncrement { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    WriteIndented = true)]
[JsonSerializable(typeof(ModelDocument))]
internal sealed partial class ModelJson : JsonSerializerContext;
