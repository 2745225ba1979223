// Emits what the generated code of a schema shares: the error codes and the accessors of the wire, with the schema's byte order built in.

using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Emit;

internal static class WireEmitter
{
    private static readonly Primitive[] All =
    {
        Primitive.Int8, Primitive.UInt8, Primitive.Int16, Primitive.UInt16, Primitive.Int32, Primitive.UInt32, Primitive.Int64,
        Primitive.UInt64, Primitive.Float, Primitive.Double,
    };

    public static void EmitError(CodeWriter writer)
    {
        writer.Doc("What is wrong with a message.");
        writer.Open("public enum SbeError : byte");
        string[] codes =
        {
            "None", "", "TooShort", "The span ends within the header or the root block.",
            "WrongTemplate", "The template id is of another message, or of none.",
            "WrongSchema", "The schema id is another.",
            "BlockTooShort", "The root block or a group's entries lack fields that the sender's version of the schema has.",
            "GroupOverrun", "A group's entries reach beyond the span.",
            "CountOutOfRange", "A group has more entries, or fewer, than the schema allows.",
            "DataOverrun", "A var data field reaches beyond the span.",
            "LengthOutOfRange", "A var data field is longer than the schema allows.",
            "TrailingOctets", "The span is longer than the message.",
            "NullInRequired", "A required field has its null value.",
            "BelowMinimum", "A field is below its minValue.",
            "AboveMaximum", "A field is above its maxValue.",
            "UnknownEnumValue", "An enum field has a code that its schema version does not know.",
            "UnknownChoice", "A set field has a bit that its schema version does not know.",
            "InvalidText", "A text has octets that are no characters of its encoding.",
        };
        for (int i = 0; i < codes.Length; i += 2)
        {
            writer.Doc(codes[i + 1]);
            writer.Line($"{codes[i]} = {Text.Digits(i / 2)},");
        }

        writer.Close();
    }

    public static void EmitWire(CodeWriter writer, bool bigEndian)
    {
        writer.Open("internal static class SbeWire");
        foreach (Primitive primitive in All)
            EmitPair(writer, primitive, bigEndian);
        writer.Line(Shared.Replace("#NATIVE#", (bigEndian ? "!" : "") + "global::System.BitConverter.IsLittleEndian").Replace("\r", "").Replace("\n", "\n    "));
        writer.Close();
    }

    private static void EmitPair(CodeWriter writer, Primitive primitive, bool bigEndian)
    {
        string cs = primitive.CSharp();
        string name = primitive.Accessor();
        string place = $"ref {Text.Unsafe}.Add(ref at, offset)";
        string native = bigEndian ? "!global::System.BitConverter.IsLittleEndian" : "global::System.BitConverter.IsLittleEndian";
        string bits = primitive == Primitive.Float ? "uint" : primitive == Primitive.Double ? "ulong" : cs;
        string toBits = primitive == Primitive.Float ? "global::System.BitConverter.SingleToUInt32Bits(value)"
            : primitive == Primitive.Double ? "global::System.BitConverter.DoubleToUInt64Bits(value)" : "value";
        string fromBits = primitive == Primitive.Float ? "global::System.BitConverter.UInt32BitsToSingle(bits)"
            : primitive == Primitive.Double ? "global::System.BitConverter.UInt64BitsToDouble(bits)" : "bits";
        string read = $"{Text.Unsafe}.ReadUnaligned<{bits}>({place})";
        string reversed = "global::System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(bits)";
        writer.Line(Text.Inline);
        writer.Open($"internal static {cs} Get{name}(ref byte at, int offset)");
        writer.Line($"{bits} bits = {read};");
        if (primitive.Size() > 1)
        {
            writer.Line($"if (!({native}))");
            writer.Line($"    bits = {reversed};");
        }

        writer.Line($"return {fromBits};");
        writer.Close();
        writer.Line();
        writer.Line(Text.Inline);
        writer.Open($"internal static void Put{name}(ref byte at, int offset, {cs} value)");
        writer.Line($"{bits} bits = {toBits};");
        if (primitive.Size() > 1)
        {
            writer.Line($"if (!({native}))");
            writer.Line($"    bits = {reversed};");
        }

        writer.Line($"{Text.Unsafe}.WriteUnaligned({place}, bits);");
        writer.Close();
        writer.Line();
    }

    private const string Shared = """
        internal static float NaN32 => global::System.BitConverter.UInt32BitsToSingle(0x7FC00000U);

        internal static double NaN64 => global::System.BitConverter.UInt64BitsToDouble(0x7FF8000000000000UL);

        internal static int ToInt(ulong value) => value > int.MaxValue ? int.MaxValue : (int)value;

        [global::System.Runtime.CompilerServices.MethodImpl(global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
        internal static void Copy(global::System.ReadOnlySpan<byte> from, ref byte to) =>
            global::System.Runtime.CompilerServices.Unsafe.CopyBlockUnaligned(
                ref to, ref global::System.Runtime.InteropServices.MemoryMarshal.GetReference(from), unchecked((uint)from.Length));

        internal static bool Holds(ref byte at, int room, global::System.ReadOnlySpan<byte> wanted) =>
            room >= wanted.Length
            && global::System.MemoryExtensions.SequenceEqual(
                global::System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(ref at, wanted.Length), wanted);

        internal static global::System.ReadOnlySpan<byte> Text(ref byte at, int length)
        {
            global::System.ReadOnlySpan<byte> text = global::System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(ref at, length);
            int end = global::System.MemoryExtensions.IndexOf(text, (byte)0);
            return end < 0 ? text : text.Slice(0, end);
        }

        [global::System.Runtime.CompilerServices.MethodImpl(global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
        internal static global::System.ReadOnlySpan<T> Elements<T>(ref byte at, int length)
            where T : unmanaged
        {
            if (!global::System.BitConverter.IsLittleEndian && global::System.Runtime.CompilerServices.Unsafe.SizeOf<T>() > 1)
                throw new global::System.PlatformNotSupportedException();
            return global::System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(
                ref global::System.Runtime.CompilerServices.Unsafe.As<byte, T>(ref at), length);
        }

        internal static void PutElements<T>(ref byte at, int length, global::System.ReadOnlySpan<T> value)
            where T : unmanaged
        {
            if (value.Length > length)
                throw new global::System.ArgumentException($"{value.Length} elements do not fit {length}.", nameof(value));
            int size = global::System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
            global::System.Span<byte> to = global::System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref at, length * size);
            global::System.ReadOnlySpan<byte> from = global::System.Runtime.InteropServices.MemoryMarshal.AsBytes(value);
            from.CopyTo(to);
            to.Slice(from.Length).Clear();
            if (size == 1 || #NATIVE#)
                return;
            for (int i = 0; i < from.Length; i += size)
                global::System.MemoryExtensions.Reverse(to.Slice(i, size));
        }

        internal static void PutText(ref byte at, int length, string value, global::System.Text.Encoding encoding)
        {
            int written = Encode(ref at, length, value, encoding);
            global::System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref global::System.Runtime.CompilerServices.Unsafe.Add(ref at, written), length - written).Clear();
        }

        internal static int Encode(ref byte at, int room, string value, global::System.Text.Encoding encoding)
        {
            global::System.ArgumentNullException.ThrowIfNull(value);
            global::System.Span<byte> to = global::System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref at, global::System.Math.Max(0, room));
            if (encoding == global::System.Text.Encoding.ASCII)
            {
                if (!global::System.Text.Ascii.IsValid(value))
                    throw new global::System.ArgumentException("The text is not ASCII.", nameof(value));
            }

            if (!encoding.TryGetBytes(value, to, out int written))
                throw new global::System.ArgumentException($"The text does not fit {room} octets.", nameof(value));
            return written;
        }

        [global::System.Runtime.CompilerServices.MethodImpl(global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
        internal static void CheckIndex(int index, int count)
        {
            if (unchecked((uint)index >= (uint)count))
                ThrowIndex();
        }

        [global::System.Diagnostics.CodeAnalysis.DoesNotReturn]
        internal static void ThrowIndex() => throw new global::System.IndexOutOfRangeException();

        [global::System.Diagnostics.CodeAnalysis.DoesNotReturn]
        internal static void ThrowTooSmall(long needed, long room) =>
            throw new global::System.ArgumentException($"The buffer is too small: {needed} octets do not fit {room}.");

        [global::System.Diagnostics.CodeAnalysis.DoesNotReturn]
        internal static void ThrowCount(string name, int count) =>
            throw new global::System.ArgumentOutOfRangeException(name, count, "Outside the range of the schema.");

        [global::System.Diagnostics.CodeAnalysis.DoesNotReturn]
        internal static void ThrowOrder(string name) =>
            throw new global::System.InvalidOperationException($"'{name}' is out of order: it, or something behind it, is already written.");

        [global::System.Diagnostics.CodeAnalysis.DoesNotReturn]
        internal static void ThrowOverwritten() =>
            throw new global::System.InvalidOperationException("The buffer no longer holds the message that was begun in it.");
        """;
}
