using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <summary>
/// 64-bit digest of a sequence of words: finds differences between replicas and replays, not forgeries.
/// Each word passes two multiply-xorshift rounds (the finaliser of MurmurHash3, public constants), so order and value both count.
/// </summary>
public struct Digest64
{
    private ulong _state;

    public Digest64(ulong seed) => _state = seed ^ 0x9E3779B97F4A7C15UL;

    public readonly ulong Value => Mix(_state);

    internal void Describe(StateStream stream, string name) => stream.Field(ref _state, name);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong word)
    {
        unchecked
        {
            _state = (Mix(_state ^ word) * 5) + 0x52DCE729UL;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(long word) => Add(unchecked((ulong)word));

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Add(unchecked((ulong)bytes.Length));
        while (bytes.Length >= 8)
        {
            Add(MemoryMarshal.Read<ulong>(bytes));
            bytes = bytes[8..];
        }

        ulong tail = 0;
        for (int index = 0; index < bytes.Length; index++)
        {
            tail |= (ulong)bytes[index] << (8 * index);
        }

        Add(tail);
    }

    private static ulong Mix(ulong word)
    {
        unchecked
        {
            word ^= word >> 33;
            word *= 0xFF51AFD7ED558CCDUL;
            word ^= word >> 33;
            word *= 0xC4CEB9FE1A85EC53UL;
            return word ^ (word >> 33);
        }
    }
}
