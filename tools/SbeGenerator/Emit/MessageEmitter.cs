// Emits the decoder and the encoder of a message.

using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class MessageEmitter
{
    private readonly Schema _schema;
    private readonly Image _image;
    private readonly string _error;

    public MessageEmitter(Schema schema)
    {
        _schema = schema;
        _image = new Image(schema);
        _error = Global(schema, "SbeError");
    }

    public void EmitDecoder(CodeWriter writer, Message message)
    {
        Block block = message.Block;
        string name = message.CsName + "Decoder";
        var blocks = new BlockDecoder(_schema, writer);
        writer.Doc(message.Description);
        writer.Open($"public readonly ref struct {name}");
        EmitConstants(writer, message);
        blocks.EmitFieldIds(block);
        writer.Line("private readonly ref byte _at;");
        blocks.EmitPartFields(block);
        writer.Line();
        string room = Layout.NeedsRoom(block) ? ", int room" : "";
        writer.Open($"internal {name}(ref byte at{room}{BlockDecoder.PartList(block, "int ")})");
        writer.Line("_at = ref at;");
        blocks.EmitPartAssignments(block);
        writer.Close();
        writer.Line();
        EmitTryWrap(writer, message, name);
        if (!block.IsFlat)
            blocks.EmitTryLocate(block, name, (room.Length > 0 ? ", length" : "") + BlockDecoder.PartList(block, ""));
        EmitActing(writer, block);
        blocks.EmitAccessors(block, new Reach(block.Since, VersionOf(), "ActingBlockLength"));
        writer.Close();
    }

    private void EmitConstants(CodeWriter writer, Message message)
    {
        Header header = _schema.Header;
        writer.Line($"public const {Layout.NumberType(header.TemplateId)} TemplateId = {message.Id};");
        writer.Line($"public const {Layout.NumberType(header.SchemaId)} SchemaId = {_schema.Id};");
        writer.Line($"public const {Layout.NumberType(header.Version)} SchemaVersion = {Digits(_schema.Version)};");
        writer.Line();
        writer.Line("/// <summary>Octets of the header.</summary>");
        writer.Line($"public const int HeaderLength = {Digits(header.Size)};");
        writer.Line();
        writer.Line("/// <summary>Octets of the root block in this version of the schema.</summary>");
        writer.Line($"public const int BlockLength = {Digits(message.Block.Length)};");
        writer.Line();
    }

    // The version as an int: what is above an int is above every version a schema can have.
    private string VersionOf() =>
        Layout.NumberType(_schema.Header.Version) == "ushort" ? "ActingVersion" : $"{Wire(_schema)}.ToInt(ActingVersion)";

    private void EmitTryWrap(CodeWriter writer, Message message, string name)
    {
        string inline = message.Block.IsFlat ? Inline : "";
        writer.Line("/// <summary>");
        writer.Line("/// Views a message that begins at its header; the span may be longer. False where it is another message or damaged.");
        writer.Line("/// </summary>");
        if (inline.Length > 0)
            writer.Line(inline);
        writer.Line($"public static bool TryWrap({ReadOnlySpan}<byte> message, out {name} decoder) => TryWrap(message, out decoder, out _, out _);");
        writer.Line();
        writer.Line("/// <summary>As the other, and says what is wrong.</summary>");
        writer.Line($"public static bool TryWrap({ReadOnlySpan}<byte> message, out {name} decoder, out {_error} error) =>");
        writer.Line("    TryWrap(message, out decoder, out error, out _);");
        writer.Line();
        writer.Line("/// <summary>As the other, and names the group or var data by its id; 0 stands for the header and the root block.</summary>");
        if (inline.Length > 0)
            writer.Line(inline);
        writer.Open($"public static bool TryWrap({ReadOnlySpan}<byte> message, out {name} decoder, out {_error} error, out ushort fieldId)");
        writer.Open("unchecked");
        writer.Line("decoder = default;");
        writer.Line("fieldId = 0;");
        EmitHeaderChecks(writer, message.Block);
        string body = $"ref {Unsafe}.Add(ref header, HeaderLength)";
        if (message.Block.IsFlat)
        {
            writer.Line($"decoder = new {name}({body});");
            writer.Line($"error = {_error}.None;");
            writer.Line("return true;");
        }
        else
        {
            writer.Line(
                $"return TryLocate({body}, message.Length - HeaderLength, {VersionArgument()}, (int)block, out decoder, out error, out fieldId);");
        }

        writer.Close();
        writer.Close();
        writer.Line();
    }

    private string VersionArgument() => Layout.NumberType(_schema.Header.Version) == "ushort" ? "(int)version" : $"{Wire(_schema)}.ToInt(version)";

    private void EmitHeaderChecks(CodeWriter writer, Block block)
    {
        Header header = _schema.Header;
        Fail(writer, "message.Length < HeaderLength", "TooShort");
        writer.Line($"ref byte header = ref {Marshal}.GetReference(message);");
        if (header.TemplateId.Constant is null)
            Fail(writer, $"{GetMember(_schema, header.TemplateId, "header", 0)} != TemplateId", "WrongTemplate");
        if (header.SchemaId.Constant is null)
            Fail(writer, $"{GetMember(_schema, header.SchemaId, "header", 0)} != SchemaId", "WrongSchema");
        writer.Line($"ulong version = {GetMember(_schema, header.Version, "header", 0)};");
        writer.Line($"ulong block = {GetMember(_schema, header.BlockLength, "header", 0)};");
        Fail(writer, "block > (ulong)(message.Length - HeaderLength)", "TooShort");
        if (Layout.Required(block) is { } required)
            Fail(writer, $"block < (ulong)({required})", "BlockTooShort");
    }

    private void Fail(CodeWriter writer, string condition, string error)
    {
        writer.Open($"if ({condition})");
        writer.Line($"error = {_error}.{error};");
        writer.Line("return false;");
        writer.Close();
        writer.Line();
    }

    private void EmitActing(CodeWriter writer, Block block)
    {
        Header header = _schema.Header;
        string headerAt = $"{Unsafe}.Add(ref _at, -HeaderLength)";
        writer.Line("/// <summary>Version of the schema that the sender used.</summary>");
        writer.Line($"public {Layout.NumberType(header.Version)} ActingVersion => {GetMember(_schema, header.Version, headerAt, 0)};");
        writer.Line();
        writer.Line("/// <summary>Octets of the root block on the wire.</summary>");
        writer.Line($"public int ActingBlockLength => unchecked((int){GetMember(_schema, header.BlockLength, headerAt, 0)});");
        writer.Line();
        writer.Line("/// <summary>Octets of the whole message: header, block, groups and var data that this version of the schema knows.</summary>");
        writer.Line($"public int EncodedLength => unchecked(HeaderLength + {(block.IsFlat ? "ActingBlockLength" : "_end")});");
        writer.Line();
    }

    public void EmitEncoder(CodeWriter writer, Message message)
    {
        Block block = message.Block;
        string name = message.CsName + "Encoder";
        writer.Doc(message.Description);
        writer.Open($"public readonly ref struct {name}");
        EmitConstants(writer, message);
        writer.Line("private readonly ref byte _at;");
        if (!block.IsFlat)
            writer.Line("private readonly int _room;");
        writer.Line();
        writer.Open($"private {name}(ref byte at{(block.IsFlat ? "" : ", int room")})");
        writer.Line("_at = ref at;");
        if (!block.IsFlat)
            writer.Line("_room = room;");
        writer.Close();
        writer.Line();
        Image.EmitPut(writer, Wire(_schema), "_blank", _image.Message(message));
        EmitWrap(writer, block, name);
        EmitEncodedLength(writer, message);
        new BlockEncoder(_schema, writer).EmitMembers(block, Nesting.Root(Global(_schema, message.CsName + "Decoder")));
        writer.Close();
    }

    private void EmitWrap(CodeWriter writer, Block block, string name)
    {
        writer.Line("/// <summary>");
        writer.Line("/// Writes an empty message: header, zeroed block with optional fields null, every group and var data empty.");
        writer.Line("/// The octets are a whole, valid message from here on, after every call.");
        writer.Line("/// </summary>");
        writer.Line("/// <exception cref=\"global::System.ArgumentException\">The buffer is too small.</exception>");
        writer.Line(Inline);
        writer.Open($"public static {name} Wrap({Span}<byte> buffer)");
        writer.Line("if (buffer.Length < _blankLength)");
        writer.Line($"    {Wire(_schema)}.ThrowTooSmall(_blankLength, buffer.Length);");
        writer.Line($"ref byte to = ref {Marshal}.GetReference(buffer);");
        writer.Line("_blank(ref to);");
        string room = block.IsFlat ? "" : ", unchecked(buffer.Length - HeaderLength)";
        writer.Line($"return new {name}(ref {Unsafe}.Add(ref to, HeaderLength){room});");
        writer.Close();
        writer.Line();
    }

    private static void EmitEncodedLength(CodeWriter writer, Message message)
    {
        writer.Line("/// <summary>Octets of the message so far, header included.</summary>");
        if (message.Block.IsFlat)
        {
            writer.Line("public int EncodedLength => _blankLength;");
            writer.Line();
            return;
        }

        writer.Line("public int EncodedLength => unchecked(HeaderLength + _locate()._end);");
        writer.Line();
    }
}
