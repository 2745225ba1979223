using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Journal;

/// <summary>
/// CRC32C (Castagnoli, reflected, initial value and final inversion of all ones), eight bytes at a step.
/// Every structure of the journal carries its own checksum in its first four bytes.
/// </summary>
public static class Checksum
{
    /// <summary>The standard CRC32C of <paramref name="bytes"/>; "123456789" gives 0xE3069283.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Continue(uint.MaxValue, bytes);

    /// <summary>
    /// The CRC32C of a structure whose first four bytes hold this very checksum: they are taken as zero.
    /// </summary>
    public static uint OfStructure(ReadOnlySpan<byte> structure)
    {
        ulong firstWord = BinaryPrimitives.ReadUInt64LittleEndian(structure) & 0xFFFF_FFFF_0000_0000UL;
        return ~Continue(BitOperations.Crc32C(uint.MaxValue, firstWord), structure[8..]);
    }

    static uint Continue(uint checksum, ReadOnlySpan<byte> bytes)
    {
        unchecked
        {
            ref byte start = ref MemoryMarshal.GetReference(bytes);
            int wordEnd = bytes.Length & ~7;
            int index = 0;
            for (; index < wordEnd; index += 8)
                checksum = BitOperations.Crc32C(checksum, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, index)));
            for (; index < bytes.Length; index++)
                checksum = BitOperations.Crc32C(checksum, Unsafe.Add(ref start, index));
            return checksum;
        }
    }
}
