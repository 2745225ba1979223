// The widths behind ILanes: one double, and two, four and eight in a vector register. Kernel chooses one at start. Where the hardware
// lacks a width the runtime computes it in pieces, slower and with the same bits. The instructions named are those that choose as ILanes
// says; elsewhere the choice is a comparison and a selection.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MarginEngine.Logic;

/// <summary>One double.</summary>
internal readonly struct Lanes1 : ILanes<Lanes1>
{
    private readonly double _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes1(double value) => _value = value;

    public static int Count => 1;

    /// <summary>The lane itself.</summary>
    public double Value => _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Broadcast(double value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Load(ref readonly double origin, nuint index) => new(Unsafe.Add(ref Unsafe.AsRef(in origin), index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double origin, nuint index) => Unsafe.Add(ref origin, index) = _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator +(Lanes1 left, Lanes1 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator -(Lanes1 left, Lanes1 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator *(Lanes1 left, Lanes1 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator /(Lanes1 left, Lanes1 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 MultiplyAdd(Lanes1 left, Lanes1 right, Lanes1 addend) =>
        new(Math.FusedMultiplyAdd(left._value, right._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 SubtractProduct(Lanes1 from, Lanes1 left, Lanes1 right) =>
        new(Math.FusedMultiplyAdd(-left._value, right._value, from._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Sqrt(Lanes1 value) => new(Math.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Abs(Lanes1 value) => new(Math.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 WhereGreater(Lanes1 left, Lanes1 right, Lanes1 chosen, Lanes1 otherwise) =>
        Sse2.IsSupported
            ? new(Vector128.ConditionalSelect(Sse2.CompareScalarLessThan(right.Wide, left.Wide), chosen.Wide, otherwise.Wide).ToScalar())
            : left._value > right._value ? chosen : otherwise;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Least(Lanes1 left, Lanes1 right) =>
        Sse2.IsSupported ? new(Sse2.MinScalar(left.Wide, right.Wide).ToScalar()) : left._value < right._value ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 Greatest(Lanes1 left, Lanes1 right) =>
        Sse2.IsSupported ? new(Sse2.MaxScalar(left.Wide, right.Wide).ToScalar()) : left._value > right._value ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 AddBits(Lanes1 value, long amount) => FromBits(unchecked(Bits(value) + amount));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 AndBits(Lanes1 value, long mask) => FromBits(Bits(value) & mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 OrBits(Lanes1 value, long mask) => FromBits(Bits(value) | mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 ShiftBitsLeft(Lanes1 value, int count) => FromBits(Bits(value) << count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 ShiftBitsRight(Lanes1 value, int count) => FromBits(Bits(value) >>> count);

    /// <summary>The lane at the bottom of a register; what stands above it is never looked at.</summary>
    private Vector128<double> Wide => Vector128.CreateScalarUnsafe(_value);

    private static long Bits(Lanes1 value) => BitConverter.DoubleToInt64Bits(value._value);

    private static Lanes1 FromBits(long bits) => new(BitConverter.Int64BitsToDouble(bits));
}

/// <summary>2 doubles in one 128-bit register.</summary>
internal readonly struct Lanes2 : ILanes<Lanes2>
{
    private readonly Vector128<double> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes2(Vector128<double> value) => _value = value;

    public static int Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 Broadcast(double value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 Load(ref readonly double origin, nuint index) => new(Vector128.LoadUnsafe(in origin, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double origin, nuint index) => _value.StoreUnsafe(ref origin, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 operator +(Lanes2 left, Lanes2 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 operator -(Lanes2 left, Lanes2 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 operator *(Lanes2 left, Lanes2 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 operator /(Lanes2 left, Lanes2 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 MultiplyAdd(Lanes2 left, Lanes2 right, Lanes2 addend) =>
        new(Vector128.FusedMultiplyAdd(left._value, right._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 SubtractProduct(Lanes2 from, Lanes2 left, Lanes2 right) =>
        Fma.IsSupported
            ? new(Fma.MultiplyAddNegated(left._value, right._value, from._value))
            : new(Vector128.FusedMultiplyAdd(-left._value, right._value, from._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 Sqrt(Lanes2 value) => new(Vector128.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 Abs(Lanes2 value) => new(Vector128.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 WhereGreater(Lanes2 left, Lanes2 right, Lanes2 chosen, Lanes2 otherwise) =>
        new(Vector128.ConditionalSelect(Vector128.GreaterThan(left._value, right._value), chosen._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 Least(Lanes2 left, Lanes2 right) =>
        Sse2.IsSupported ? new(Sse2.Min(left._value, right._value)) : WhereGreater(right, left, left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 Greatest(Lanes2 left, Lanes2 right) =>
        Sse2.IsSupported ? new(Sse2.Max(left._value, right._value)) : WhereGreater(left, right, left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 AddBits(Lanes2 value, long amount) => new((value._value.AsInt64() + Vector128.Create(amount)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 AndBits(Lanes2 value, long mask) => new((value._value.AsInt64() & Vector128.Create(mask)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 OrBits(Lanes2 value, long mask) => new((value._value.AsInt64() | Vector128.Create(mask)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 ShiftBitsLeft(Lanes2 value, int count) => new((value._value.AsInt64() << count).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes2 ShiftBitsRight(Lanes2 value, int count) => new((value._value.AsInt64() >>> count).AsDouble());
}

/// <summary>4 doubles in one 256-bit register.</summary>
internal readonly struct Lanes4 : ILanes<Lanes4>
{
    private readonly Vector256<double> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes4(Vector256<double> value) => _value = value;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Broadcast(double value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Load(ref readonly double origin, nuint index) => new(Vector256.LoadUnsafe(in origin, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double origin, nuint index) => _value.StoreUnsafe(ref origin, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator +(Lanes4 left, Lanes4 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator -(Lanes4 left, Lanes4 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator *(Lanes4 left, Lanes4 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator /(Lanes4 left, Lanes4 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 MultiplyAdd(Lanes4 left, Lanes4 right, Lanes4 addend) =>
        new(Vector256.FusedMultiplyAdd(left._value, right._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 SubtractProduct(Lanes4 from, Lanes4 left, Lanes4 right) =>
        Fma.IsSupported
            ? new(Fma.MultiplyAddNegated(left._value, right._value, from._value))
            : new(Vector256.FusedMultiplyAdd(-left._value, right._value, from._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Sqrt(Lanes4 value) => new(Vector256.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Abs(Lanes4 value) => new(Vector256.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 WhereGreater(Lanes4 left, Lanes4 right, Lanes4 chosen, Lanes4 otherwise) =>
        new(Vector256.ConditionalSelect(Vector256.GreaterThan(left._value, right._value), chosen._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Least(Lanes4 left, Lanes4 right) =>
        Avx.IsSupported ? new(Avx.Min(left._value, right._value)) : WhereGreater(right, left, left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Greatest(Lanes4 left, Lanes4 right) =>
        Avx.IsSupported ? new(Avx.Max(left._value, right._value)) : WhereGreater(left, right, left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 AddBits(Lanes4 value, long amount) => new((value._value.AsInt64() + Vector256.Create(amount)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 AndBits(Lanes4 value, long mask) => new((value._value.AsInt64() & Vector256.Create(mask)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 OrBits(Lanes4 value, long mask) => new((value._value.AsInt64() | Vector256.Create(mask)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 ShiftBitsLeft(Lanes4 value, int count) => new((value._value.AsInt64() << count).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 ShiftBitsRight(Lanes4 value, int count) => new((value._value.AsInt64() >>> count).AsDouble());
}

/// <summary>8 doubles in one 512-bit register.</summary>
internal readonly struct Lanes8 : ILanes<Lanes8>
{
    private readonly Vector512<double> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes8(Vector512<double> value) => _value = value;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Broadcast(double value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Load(ref readonly double origin, nuint index) => new(Vector512.LoadUnsafe(in origin, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double origin, nuint index) => _value.StoreUnsafe(ref origin, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator +(Lanes8 left, Lanes8 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator -(Lanes8 left, Lanes8 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator *(Lanes8 left, Lanes8 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator /(Lanes8 left, Lanes8 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 MultiplyAdd(Lanes8 left, Lanes8 right, Lanes8 addend) =>
        new(Vector512.FusedMultiplyAdd(left._value, right._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 SubtractProduct(Lanes8 from, Lanes8 left, Lanes8 right) =>
        Avx512F.IsSupported
            ? new(Avx512F.FusedMultiplyAddNegated(left._value, right._value, from._value))
            : new(Vector512.FusedMultiplyAdd(-left._value, right._value, from._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Sqrt(Lanes8 value) => new(Vector512.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Abs(Lanes8 value) => new(Vector512.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 WhereGreater(Lanes8 left, Lanes8 right, Lanes8 chosen, Lanes8 otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.GreaterThan(left._value, right._value), chosen._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Least(Lanes8 left, Lanes8 right) =>
        Avx512F.IsSupported ? new(Avx512F.Min(left._value, right._value)) : WhereGreater(right, left, left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Greatest(Lanes8 left, Lanes8 right) =>
        Avx512F.IsSupported ? new(Avx512F.Max(left._value, right._value)) : WhereGreater(left, right, left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 AddBits(Lanes8 value, long amount) => new((value._value.AsInt64() + Vector512.Create(amount)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 AndBits(Lanes8 value, long mask) => new((value._value.AsInt64() & Vector512.Create(mask)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 OrBits(Lanes8 value, long mask) => new((value._value.AsInt64() | Vector512.Create(mask)).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 ShiftBitsLeft(Lanes8 value, int count) => new((value._value.AsInt64() << count).AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 ShiftBitsRight(Lanes8 value, int count) => new((value._value.AsInt64() >>> count).AsDouble());
}
