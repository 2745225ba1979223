// What an operator did, read from a message: who, what and why. Used by the node's observer of commands, by inspect and by the audit export.
using System.Globalization;
using System.Text;
using MarginEngine.Codecs;
using MarginEngine.Signing;

namespace MarginEngine.Pipeline;

/// <summary>What kind of operator's message it is.</summary>
public enum OperatorAct
{
    Halt,
    Resume,
    ReduceOnly,
    Snapshot,
    Promote,

    /// <summary>A part of a version of a margin model; the version counts from its activation on.</summary>
    Model,

    /// <summary>The journal is signed with another key from here on.</summary>
    SigningKey,
}

/// <param name="Sequence">Engine sequence of the record.</param>
/// <param name="TimeNanos">When the engine took it.</param>
/// <param name="Act">What was asked for.</param>
/// <param name="Source">Who sent it, as a source of input.</param>
/// <param name="SourceSequence">The how-many-eth of that source.</param>
/// <param name="Who">The operator's name; empty where the sender gave none.</param>
/// <param name="What">The command with its particulars, for people.</param>
/// <param name="Why">The reason given.</param>
public sealed record OperatorEntry(
    long Sequence, long TimeNanos, OperatorAct Act, ushort Source, ulong SourceSequence, string Who, string What, string Why)
{
    /// <summary>Whether messages of a template are an operator's.</summary>
    public static bool Is(ushort templateId) =>
        templateId is OperatorCommandDecoder.TemplateId or SigningKeyDecoder.TemplateId or MarginModelPartDecoder.TemplateId or MarginModelDecoder.TemplateId;

    /// <summary>Null: the message is no operator's, or cannot be decoded.</summary>
    public static OperatorEntry? Of(long sequence, long timeNanos, ReadOnlySpan<byte> message)
    {
        Description? found = Frame.TemplateId(message) switch
        {
            OperatorCommandDecoder.TemplateId => OfCommand(message),
            SigningKeyDecoder.TemplateId => OfKey(message),
            MarginModelPartDecoder.TemplateId => OfPart(message),
            MarginModelDecoder.TemplateId => OfModel(message),
            _ => null,
        };
        return found is { } told && Frame.TryReadOrigin(message, out MessageOrigin origin)
            ? new OperatorEntry(sequence, timeNanos, told.Act, origin.Source, origin.Sequence, told.Who, told.What, told.Why)
            : null;
    }

    private readonly record struct Description(OperatorAct Act, string Who, string What, string Why);

    private static Description? OfCommand(ReadOnlySpan<byte> message)
    {
        if (!OperatorCommandDecoder.TryWrap(message, out OperatorCommandDecoder command))
            return null;
        (OperatorAct Act, string Name)? known = command.Command switch
        {
            Command.Halt => (OperatorAct.Halt, "halt"),
            Command.Resume => (OperatorAct.Resume, "resume"),
            Command.ReduceOnly => (OperatorAct.ReduceOnly, "reduceOnly"),
            Command.Snapshot => (OperatorAct.Snapshot, "snapshot"),
            Command.Promote => (OperatorAct.Promote, "promote"),
            _ => null,
        };
        return known is { } act ? new Description(act.Act, Text(command.Operator), act.Name, Text(command.Reason)) : null;
    }

    private static Description? OfKey(ReadOnlySpan<byte> message) =>
        SigningKeyDecoder.TryWrap(message, out SigningKeyDecoder key)
            ? new Description(OperatorAct.SigningKey, Text(key.Operator), $"signingKey {SigningKeys.NameOf(key.PublicKey)}", Text(key.Reason))
            : null;

    private static Description? OfPart(ReadOnlySpan<byte> message)
    {
        if (!MarginModelPartDecoder.TryWrap(message, out MarginModelPartDecoder part))
            return null;
        string activation = part.Activation == 0 ? "at once" : string.Create(CultureInfo.InvariantCulture, $"from sequence {part.Activation}");
        string what = string.Create(CultureInfo.InvariantCulture,
            $"model {part.ModelId} {Text(part.Name)} version {part.ModelVersion} {activation}, part {part.Part} of {part.Parts}");
        return new Description(OperatorAct.Model, Text(part.Operator), what, Text(part.Reason));
    }

    private static Description? OfModel(ReadOnlySpan<byte> message) =>
        MarginModelDecoder.TryWrap(message, out MarginModelDecoder model)
            ? new Description(
                OperatorAct.Model, "", string.Create(CultureInfo.InvariantCulture, $"model {model.ModelId} {Text(model.Name)} version {model.ModelVersion} at once"), "")
            : null;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.TrimEnd((byte)0));
}
