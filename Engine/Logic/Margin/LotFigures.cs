using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MarginEngine.Logic;

/// <summary>What one lot is worth and how it moves: eight doubles in a row, which are multiplied by lots together.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct LotFigures
{
    /// <summary>Value of one lot, atoms; for futures and perpetuals the amount that entry cost is compared with.</summary>
    public double Value;

    /// <summary>Base units by which one lot follows the underlying.</summary>
    public double DeltaBase;

    // USD a lot; units as in Greeks.
    public double DeltaUsd;
    public double GammaUsd;
    public double VegaUsd;
    public double ThetaUsd;
    public double RhoUsd;

    /// <summary>Notional that fees and slippage are a part of, atoms.</summary>
    public double Notional;

    /// <summary>
    /// Lots times each figure, rounded as <see cref="Fixed.ToAtoms"/> rounds lots * figure * scale: value in atoms, delta in nano base units | delta, gamma USD in
    /// micro-USD, then vega, theta, rho and nothing. False where one of them is too large for it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryProducts(in LotFigures lot, double lots, out Vector256<long> first, out Vector256<long> second)
    {
        ref double from = ref Unsafe.AsRef(in lot.Value);
        Vector256<double> quantity = Vector256.Create(lots);
        Vector256<double> one = quantity * Vector256.LoadUnsafe(ref from) * Vector256.Create(1.0, 1e9, 1e6, 1e6);
        Vector256<double> two = quantity * Vector256.LoadUnsafe(ref from, 4) * Vector256.Create(1e6, 1e6, 1e6, 0.0);
        Vector256<double> range = Vector256.Create(RowSums.Range), magic = Vector256.Create(RowSums.Magic);
        first = unchecked((one + magic).AsInt64() - Vector256.Create(RowSums.MagicBits));
        second = unchecked((two + magic).AsInt64() - Vector256.Create(RowSums.MagicBits));
        return Vector256.LessThanAll(Vector256.Max(Vector256.Abs(one), Vector256.Abs(two)), range);
    }
}
