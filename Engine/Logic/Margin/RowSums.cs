using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MarginEngine.Logic;

/// <summary>
/// Sums of lots x row over positions, exact in whole atoms: each product is rounded once, half to even, then integers are added, so that
/// neither the order of positions nor the width of the vector nor an update by difference can change a bit.
/// </summary>
public static partial class RowSums
{
    // Adding 1.5 * 2^52 leaves the rounded integer in the low mantissa bits; exact half-to-even for |x| < 2^51.
    internal const double Magic = 6755399441055744.0;
    internal const long MagicBits = 0x4338_0000_0000_0000;
    internal const double Range = 2251799813685248.0;

    /// <summary>sums[i] += round(lots * row[i]) for whole padded rows; false when a product leaves the exact range and was saturated.</summary>
    public static bool Add(ReadOnlySpan<double> row, double lots, double largestRow, Span<long> sums)
    {
        Check.That(row.Length >= sums.Length && sums.Length % 8 == 0);
        if (Math.Abs(lots) * largestRow >= Range)
        {
            AddSaturating(row, lots, sums);
            return false;
        }

        ref double from = ref MemoryMarshal.GetReference(row);
        ref long to = ref MemoryMarshal.GetReference(sums);
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            Add512(ref from, lots, ref to, sums.Length);
        }
        else if (Fma.IsSupported && Avx2.IsSupported)
        {
            Add256(ref from, lots, ref to, sums.Length);
        }
        else
        {
            AddScalar(ref from, lots, ref to, sums.Length);
        }

        return true;
    }

    /// <summary>One product as <see cref="Add(ReadOnlySpan{double}, double, double, Span{long})"/> rounds it.</summary>
    public static long Product(double lots, double value) =>
        Math.Abs(lots * value) < Range
            ? BitConverter.DoubleToInt64Bits(Math.FusedMultiplyAdd(lots, value, Magic)) - MagicBits
            : Fixed.ToAtoms(lots * value);

    internal static void Add512(ref double from, double lots, ref long to, int count)
    {
        Vector512<double> quantity = Vector512.Create(lots);
        Vector512<double> magic = Vector512.Create(Magic);
        Vector512<long> bits = Vector512.Create(MagicBits);
        for (nuint index = 0; index < (nuint)count; index += 8)
        {
            Vector512<double> product = Avx512F.FusedMultiplyAdd(quantity, Vector512.LoadUnsafe(ref from, index), magic);
            (Vector512.LoadUnsafe(ref to, index) + (product.AsInt64() - bits)).StoreUnsafe(ref to, index);
        }
    }

    internal static void Add256(ref double from, double lots, ref long to, int count)
    {
        Vector256<double> quantity = Vector256.Create(lots);
        Vector256<double> magic = Vector256.Create(Magic);
        Vector256<long> bits = Vector256.Create(MagicBits);

        // Two at a time: counts are multiples of 8.
        unchecked
        {
            for (nuint index = 0; index < (nuint)count; index += 8)
            {
                Vector256<long> first = Fma.MultiplyAdd(quantity, Vector256.LoadUnsafe(ref from, index), magic).AsInt64() - bits;
                Vector256<long> second = Fma.MultiplyAdd(quantity, Vector256.LoadUnsafe(ref from, index + 4), magic).AsInt64() - bits;
                (Vector256.LoadUnsafe(ref to, index) + first).StoreUnsafe(ref to, index);
                (Vector256.LoadUnsafe(ref to, index + 4) + second).StoreUnsafe(ref to, index + 4);
            }
        }
    }

    internal static void AddScalar(ref double from, double lots, ref long to, int count)
    {
        for (int index = 0; index < count; index++)
        {
            double product = Math.FusedMultiplyAdd(lots, Unsafe.Add(ref from, index), Magic);
            ref long sum = ref Unsafe.Add(ref to, index);
            unchecked
            {
                sum += BitConverter.DoubleToInt64Bits(product) - MagicBits;
            }
        }
    }

    private static void AddSaturating(ReadOnlySpan<double> row, double lots, Span<long> sums)
    {
        for (int index = 0; index < sums.Length; index++)
        {
            sums[index] = Fixed.Add(sums[index], Fixed.ToAtoms(lots * row[index]));
        }
    }
}
