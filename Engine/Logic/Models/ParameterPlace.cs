using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Where a parameter stands: section, key and its three indices, as in <c>MarginModelPart</c>.</summary>
public readonly record struct ParameterPlace(ModelSection Section, byte Key, ushort First, ushort Second, ushort Third)
{
    /// <summary>All of it in one word, as a reject carries it in <c>expected</c>.</summary>
    public ulong Packed => ((ulong)Section << 56) | ((ulong)Key << 48) | ((ulong)First << 32) | ((ulong)Second << 16) | Third;

    /// <summary>The place a reject names.</summary>
    public static ParameterPlace Unpack(ulong packed) =>
        unchecked(new((ModelSection)(byte)(packed >> 56), (byte)(packed >> 48), (ushort)(packed >> 32), (ushort)(packed >> 16), (ushort)packed));

    /// <summary>The path in the document, with ids where it has codes: <c>underlyings.1.priceRange</c>.</summary>
    public override string ToString()
    {
        string name = ParameterTable.Find(Section, Key)?.Path ?? $"key {Key}";
        return Section switch
        {
            ModelSection.Model => name,
            ModelSection.Row => $"rows[{First}].{name}",
            ModelSection.RowUnderlying => $"rows[{First}].joint.{Second}.{name}",
            ModelSection.Underlying => $"underlyings.{Second}.{name}",
            ModelSection.Currency => $"currencies.{Second}.{name}",
            ModelSection.HaircutTier => $"currencies.{Second}.tiers[{Third}].{name}",
            ModelSection.AddOn => $"addOns[{First}].{(Key == (byte)AddOnKey.Kind ? "kind" : Key == (byte)AddOnKey.Place ? "place" : $"number {Key - (int)AddOnKey.FirstSlot}")}",
            ModelSection.AddOnTier => $"addOns[{First}].tiers[{Third}].{name}",
            ModelSection.SpreadLeg => $"spreads[{First}].{name}",
            _ => name,
        };
    }
}
