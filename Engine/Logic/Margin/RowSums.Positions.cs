using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MarginEngine.Logic;

/// <summary>A position as <see cref="RowSums"/> sees it.</summary>
/// <param name="Row">Which row of the table its instrument has.</param>
/// <param name="Lots">Signed quantity.</param>
public readonly record struct RowLots(int Row, double Lots);

/// <content>
/// Many positions at once: a part of the sums stays in registers while all positions pass, so that a product costs one fused operation and
/// one addition and the sums are loaded and stored once.
/// </content>
public static partial class RowSums
{
    /// <summary>
    /// What <see cref="Add(ReadOnlySpan{double}, double, double, Span{long})"/> gives for one position after the other, to the bit.
    /// </summary>
    /// <param name="table">Rows one after the other, each <paramref name="stride"/> values.</param>
    /// <param name="stride">Values a row, padding included; at least as many as there are sums.</param>
    /// <param name="largest">The largest absolute value of each row.</param>
    /// <param name="sums">A multiple of 8.</param>
    /// <returns>False when a product left the exact range and was saturated.</returns>
    public static bool Add(
        ReadOnlySpan<double> table, int stride, ReadOnlySpan<double> largest, ReadOnlySpan<RowLots> positions, Span<long> sums)
    {
        Check.That(stride >= sums.Length && sums.Length % 8 == 0 && table.Length >= (long)largest.Length * stride);
        bool isExact = AreExact(positions, largest);
        ref double from = ref MemoryMarshal.GetReference(table);
        ref long to = ref MemoryMarshal.GetReference(sums);
        if (isExact && Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            AddAll512(ref from, stride, positions, ref to, sums.Length);
        }
        else if (isExact && Fma.IsSupported && Avx2.IsSupported)
        {
            AddAll256(ref from, stride, positions, ref to, sums.Length);
        }
        else
        {
            foreach (ref readonly RowLots position in positions)
                Add(table.Slice(position.Row * stride, sums.Length), position.Lots, largest[position.Row], sums);
        }

        return isExact;
    }

    /// <summary>The same where the caller has made sure that every |lots| * largest of a row is <see cref="IsExact"/>.</summary>
    public static void AddExact(ref readonly double table, int stride, ReadOnlySpan<RowLots> positions, Span<long> sums)
    {
        Check.That(stride >= sums.Length && sums.Length % 8 == 0);
        ref double from = ref Unsafe.AsRef(in table);
        ref long to = ref MemoryMarshal.GetReference(sums);
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            AddAll512(ref from, stride, positions, ref to, sums.Length);
        }
        else if (Fma.IsSupported && Avx2.IsSupported)
        {
            AddAll256(ref from, stride, positions, ref to, sums.Length);
        }
        else
        {
            foreach (ref readonly RowLots position in positions)
                AddScalar(ref Unsafe.Add(ref from, (nint)position.Row * stride), position.Lots, ref to, sums.Length);
        }
    }

    /// <summary>Products of a row up to <paramref name="largestRow"/> with these lots are rounded exactly; not for what is no number.</summary>
    public static bool IsExact(double lots, double largestRow) => Math.Abs(lots) * largestRow < Range;

    /// <summary>No product of the positions leaves the exact range. A sum of them all that stays inside shows it without a decision for each.</summary>
    private static bool AreExact(ReadOnlySpan<RowLots> positions, ReadOnlySpan<double> largest)
    {
        double together = 0.0;
        foreach (ref readonly RowLots position in positions)
            together += Math.Abs(position.Lots) * largest[position.Row];
        if (together < Range)
            return true;
        foreach (ref readonly RowLots position in positions)
        {
            if (!IsExact(position.Lots, largest[position.Row]))
                return false;
        }

        return true;
    }

    internal static void AddAll512(ref double from, int stride, ReadOnlySpan<RowLots> positions, ref long to, int count)
    {
        Vector512<double> magic = Vector512.Create(Magic);
        unchecked
        {
            Vector512<long> excess = Vector512.Create(MagicBits * positions.Length);
            nuint at = 0;
            for (; at + 32 <= (nuint)count; at += 32)
            {
                ref double part = ref Unsafe.Add(ref from, at);
                Vector512<long> a = Vector512.LoadUnsafe(ref to, at) - excess, b = Vector512.LoadUnsafe(ref to, at + 8) - excess;
                Vector512<long> c = Vector512.LoadUnsafe(ref to, at + 16) - excess, d = Vector512.LoadUnsafe(ref to, at + 24) - excess;
                foreach (ref readonly RowLots position in positions)
                {
                    ref double row = ref Unsafe.Add(ref part, (nint)position.Row * stride);
                    Vector512<double> lots = Vector512.Create(position.Lots);
                    a += Avx512F.FusedMultiplyAdd(lots, Vector512.LoadUnsafe(ref row), magic).AsInt64();
                    b += Avx512F.FusedMultiplyAdd(lots, Vector512.LoadUnsafe(ref row, 8), magic).AsInt64();
                    c += Avx512F.FusedMultiplyAdd(lots, Vector512.LoadUnsafe(ref row, 16), magic).AsInt64();
                    d += Avx512F.FusedMultiplyAdd(lots, Vector512.LoadUnsafe(ref row, 24), magic).AsInt64();
                }

                a.StoreUnsafe(ref to, at);
                b.StoreUnsafe(ref to, at + 8);
                c.StoreUnsafe(ref to, at + 16);
                d.StoreUnsafe(ref to, at + 24);
            }

            for (; at < (nuint)count; at += 8)
            {
                Vector512<long> a = Vector512.LoadUnsafe(ref to, at) - excess;
                foreach (ref readonly RowLots position in positions)
                {
                    ref double row = ref Unsafe.Add(ref from, (nint)position.Row * stride + (nint)at);
                    a += Avx512F.FusedMultiplyAdd(Vector512.Create(position.Lots), Vector512.LoadUnsafe(ref row), magic).AsInt64();
                }

                a.StoreUnsafe(ref to, at);
            }
        }
    }

    internal static void AddAll256(ref double from, int stride, ReadOnlySpan<RowLots> positions, ref long to, int count)
    {
        Vector256<double> magic = Vector256.Create(Magic);
        unchecked
        {
            Vector256<long> excess = Vector256.Create(MagicBits * positions.Length);
            nuint at = 0;
            for (; at + 32 <= (nuint)count; at += 32)
            {
                ref double part = ref Unsafe.Add(ref from, at);
                Vector256<long> a = Vector256.LoadUnsafe(ref to, at) - excess, b = Vector256.LoadUnsafe(ref to, at + 4) - excess;
                Vector256<long> c = Vector256.LoadUnsafe(ref to, at + 8) - excess, d = Vector256.LoadUnsafe(ref to, at + 12) - excess;
                Vector256<long> e = Vector256.LoadUnsafe(ref to, at + 16) - excess, f = Vector256.LoadUnsafe(ref to, at + 20) - excess;
                Vector256<long> g = Vector256.LoadUnsafe(ref to, at + 24) - excess, h = Vector256.LoadUnsafe(ref to, at + 28) - excess;
                foreach (ref readonly RowLots position in positions)
                {
                    ref double row = ref Unsafe.Add(ref part, (nint)position.Row * stride);
                    Vector256<double> lots = Vector256.Create(position.Lots);
                    a += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row), magic).AsInt64();
                    b += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 4), magic).AsInt64();
                    c += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 8), magic).AsInt64();
                    d += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 12), magic).AsInt64();
                    e += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 16), magic).AsInt64();
                    f += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 20), magic).AsInt64();
                    g += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 24), magic).AsInt64();
                    h += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 28), magic).AsInt64();
                }

                a.StoreUnsafe(ref to, at);
                b.StoreUnsafe(ref to, at + 4);
                c.StoreUnsafe(ref to, at + 8);
                d.StoreUnsafe(ref to, at + 12);
                e.StoreUnsafe(ref to, at + 16);
                f.StoreUnsafe(ref to, at + 20);
                g.StoreUnsafe(ref to, at + 24);
                h.StoreUnsafe(ref to, at + 28);
            }

            for (; at < (nuint)count; at += 8)
            {
                Vector256<long> a = Vector256.LoadUnsafe(ref to, at) - excess, b = Vector256.LoadUnsafe(ref to, at + 4) - excess;
                foreach (ref readonly RowLots position in positions)
                {
                    ref double row = ref Unsafe.Add(ref from, (nint)position.Row * stride + (nint)at);
                    Vector256<double> lots = Vector256.Create(position.Lots);
                    a += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row), magic).AsInt64();
                    b += Fma.MultiplyAdd(lots, Vector256.LoadUnsafe(ref row, 4), magic).AsInt64();
                }

                a.StoreUnsafe(ref to, at);
                b.StoreUnsafe(ref to, at + 4);
            }
        }
    }
}
