using System.Reflection;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>Looks into two machines' risk rows: what one has priced must come out of the other to the last bit.</summary>
internal static class RowCaches
{
    // Which pricing a row is of is no part of what it says.
    private static readonly FieldInfo[] Values =
        [.. typeof(LotRisk).GetFields().Where(field => field.Name is not (nameof(LotRisk.InstrumentVersion) or nameof(LotRisk.ModelGeneration)))];

    public static int Compared { get; private set; }

    public static void AssertEqual(MarginMachine original, MarginMachine restored, string where)
    {
        RiskRows rows = Part<RiskRows>(original, "_rows"), others = Part<RiskRows>(restored, "_rows");
        MarketState market = Part<MarketState>(original, "_market");
        CompiledModel[] models = Part<CompiledModel[]>(original, "_models");
        LotRisk[] risks = Part<LotRisk[]>(rows, "_risks");
        int stride = risks.Length / models.Length;
        for (int model = 0; model < models.Length; model++)
        {
            for (int instrument = 0; instrument < market.InstrumentCount && models[model].Id != 0; instrument++)
            {
                LotRisk ours = risks[(model * stride) + instrument];
                bool isValid = ours.ModelGeneration == models[model].Generation && ours.InstrumentVersion == market.VersionOf(market.InstrumentAt(instrument))
                    && (!models[model].DependsOnIndex || ours.Index == market.UnderlyingAt(market.InstrumentAt(instrument).Underlying).Price);
                if (!isValid)
                {
                    continue;
                }

                LotRisk theirs = others.Price(model, instrument);
                Compared++;
                foreach (FieldInfo field in Values)
                {
                    if (!Same(field.GetValue(ours)!, field.GetValue(theirs)!))
                    {
                        Assert.Fail($"{where}: {field.Name} of instrument {instrument} under model {model} was {field.GetValue(ours)}, is {field.GetValue(theirs)}");
                    }
                }

                ReadOnlySpan<byte> row = System.Runtime.InteropServices.MemoryMarshal.AsBytes(rows.Row(model, instrument));
                if (!row.SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes(others.Row(model, instrument))))
                {
                    Assert.Fail($"{where}: the row of instrument {instrument} under model {model} is another");
                }
            }
        }
    }

    private static bool Same(object ours, object theirs) =>
        ours is double number ? BitConverter.DoubleToInt64Bits(number) == BitConverter.DoubleToInt64Bits((double)theirs) : ours.Equals(theirs);

    private static T Part<T>(object of, string name) =>
        (T)of.GetType().GetField(name, BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(of)!;
}
