// A padded 64-bit value with one writer and any number of readers: how far a stage is.
using System.Runtime.InteropServices;

namespace MarginEngine.Watch;

/// <summary>
/// One writer, many readers. 128 bytes stand on each side of the value, so that neither a neighbour's writes nor the
/// adjacent-line prefetcher slow its reader down.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 2 * PaddingBytes + sizeof(long))]
public sealed class Gauge
{
    private const int PaddingBytes = 128;

    [FieldOffset(PaddingBytes)]
    private long _value;

    public Gauge(long initial = 0) => _value = initial;

    /// <summary>The newest value; whatever the writer did before <see cref="Set"/> is visible with it.</summary>
    public long Value => Volatile.Read(ref _value);

    /// <summary>Only the owner writes.</summary>
    public void Set(long value) => Volatile.Write(ref _value, value);

    /// <summary>Only the owner writes.</summary>
    public void Add(long amount) => Volatile.Write(ref _value, unchecked(_value + amount));
}
