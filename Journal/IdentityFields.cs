using System.Buffers.Binary;
using System.Text;

namespace MarginEngine.Journal;

/// <summary>
/// Where the writer's identity stands in the first sector of a segment and of a snapshot: schema id at 52, its version at 54, arithmetic at 56, and from
/// 80 on the texts of build, runtime, processor and configuration, each one byte of length, then UTF-8, then zeros.
/// </summary>
internal static class IdentityFields
{
    const int SchemaOffset = 52;
    const int ArithmeticOffset = 56;
    const int BuildOffset = 80;
    const int RuntimeOffset = 136;
    const int ProcessorOffset = 176;
    const int ConfigurationOffset = 256;

    public static void Write(Span<byte> sector, in JournalIdentity identity)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(sector[SchemaOffset..], identity.SchemaId);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[(SchemaOffset + 2)..], identity.SchemaVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[ArithmeticOffset..], identity.ArithmeticDigest);
        WriteText(sector[BuildOffset..RuntimeOffset], identity.BuildId);
        WriteText(sector[RuntimeOffset..ProcessorOffset], identity.Runtime);
        WriteText(sector[ProcessorOffset..ConfigurationOffset], identity.Processor);
        WriteText(sector[ConfigurationOffset..Format.SectorBytes], identity.Configuration);
    }

    public static JournalIdentity Read(ReadOnlySpan<byte> sector) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(sector[SchemaOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(sector[(SchemaOffset + 2)..]),
        BinaryPrimitives.ReadUInt64LittleEndian(sector[ArithmeticOffset..]),
        ReadText(sector[BuildOffset..RuntimeOffset]),
        ReadText(sector[RuntimeOffset..ProcessorOffset]),
        ReadText(sector[ProcessorOffset..ConfigurationOffset]),
        ReadText(sector[ConfigurationOffset..Format.SectorBytes]));

    /// <summary>Throws where a text of the identity does not fit its field.</summary>
    public static void CheckTexts(in JournalIdentity identity)
    {
        CheckText(nameof(identity.BuildId), identity.BuildId, RuntimeOffset - BuildOffset - 1);
        CheckText(nameof(identity.Runtime), identity.Runtime, ProcessorOffset - RuntimeOffset - 1);
        CheckText(nameof(identity.Processor), identity.Processor, ConfigurationOffset - ProcessorOffset - 1);
        CheckText(nameof(identity.Configuration), identity.Configuration, Format.SectorBytes - ConfigurationOffset - 1);
    }

    static void CheckText(string name, string text, int limitBytes)
    {
        if (text is null || Encoding.UTF8.GetByteCount(text) > limitBytes)
            throw new ArgumentException($"The journal identity's {name} must be given and hold at most {limitBytes} bytes of UTF-8.", name);
    }

    static void WriteText(Span<byte> field, string text) => field[0] = (byte)Encoding.UTF8.GetBytes(text, field[1..]);

    static string ReadText(ReadOnlySpan<byte> field) => Encoding.UTF8.GetString(field.Slice(1, Math.Min((int)field[0], field.Length - 1)));
}
