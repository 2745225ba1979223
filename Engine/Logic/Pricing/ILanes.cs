namespace MarginEngine.Logic;

/// <summary>
/// One or more doubles that every formula of this folder is written over, once. Implementations differ in width only: each operation
/// is one correctly rounded IEEE 754 operation (or a move of bits) in each lane, so that any width gives the same bits.
/// </summary>
/// <remarks>
/// What is missing is missing on purpose: estimates, native minimum and maximum, horizontal sums and conversions that differ between
/// processors. <c>a * b + c</c> is never contracted; a fused product is asked for by name.
/// </remarks>
internal interface ILanes<TSelf> where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Lanes side by side.</summary>
    static abstract int Count { get; }

    static abstract TSelf Broadcast(double value);

    static abstract TSelf Load(ref readonly double origin, nuint index);

    void Store(ref double origin, nuint index);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary><c>left * right + addend</c>, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf addend);

    /// <summary><c>from - left * right</c>, rounded once.</summary>
    static abstract TSelf SubtractProduct(TSelf from, TSelf left, TSelf right);

    static abstract TSelf Sqrt(TSelf value);

    static abstract TSelf Abs(TSelf value);

    /// <summary><c>left &gt; right ? chosen : otherwise</c> in each lane; a NaN on either side chooses <paramref name="otherwise"/>.</summary>
    static abstract TSelf WhereGreater(TSelf left, TSelf right, TSelf chosen, TSelf otherwise);

    /// <summary><c>left &lt; right ? left : right</c> in each lane: <paramref name="right"/> where one is a NaN or both are zeros.</summary>
    static abstract TSelf Least(TSelf left, TSelf right);

    /// <summary><c>left &gt; right ? left : right</c> in each lane: <paramref name="right"/> where one is a NaN or both are zeros.</summary>
    static abstract TSelf Greatest(TSelf left, TSelf right);

    /// <summary>The bit patterns as 64-bit integers, added with wrap-around.</summary>
    static abstract TSelf AddBits(TSelf value, long amount);

    static abstract TSelf AndBits(TSelf value, long mask);

    static abstract TSelf OrBits(TSelf value, long mask);

    static abstract TSelf ShiftBitsLeft(TSelf value, int count);

    /// <summary>Logical: zeros enter at the top.</summary>
    static abstract TSelf ShiftBitsRight(TSelf value, int count);
}
