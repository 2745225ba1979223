// The messages an operator sends, with who and why.
using System.Text;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Signing;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Operate;

/// <summary>Who sends, as which source, with which number, and when.</summary>
internal readonly record struct OperatorOrigin(ushort Source, ulong Sequence, ulong EventTime, string Who, string Why);

internal static class OperatorMessages
{
    private const int BufferBytes = 2048;

    public static IReadOnlyList<byte[]> Of(Command command, in OperatorOrigin origin)
    {
        byte[] buffer = new byte[BufferBytes];
        OperatorCommandEncoder message = OperatorCommandEncoder.Wrap(buffer);
        message.SetOrigin(origin.Sequence, origin.EventTime, origin.Source, OriginFlags.EndOfEvent);
        message.Command = command;
        message.SetOperator(origin.Who);
        message.SetReason(Encoding.UTF8.GetBytes(origin.Why));
        return [buffer[..message.EncodedLength]];
    }

    /// <summary>The change to a new signing key, signed by the one in force.</summary>
    public static IReadOnlyList<byte[]> Of(SigningKey next, SigningKey inForce, in OperatorOrigin origin)
    {
        byte[] buffer = new byte[BufferBytes];
        SigningKeyEncoder message = SigningKeyEncoder.Wrap(buffer);
        message.SetOrigin(origin.Sequence, origin.EventTime, origin.Source, OriginFlags.EndOfEvent);
        message.SetOperator(origin.Who);
        message.SetPublicKey(next.PublicKey);
        message.SetSignature(SigningKeys.SignChange(inForce.Key, next.PublicKey));
        message.SetReason(Encoding.UTF8.GetBytes(origin.Why));
        return [buffer[..message.EncodedLength]];
    }

    /// <summary>A version of a margin model; ids of underlyings and currencies are those that the node's journal defines.</summary>
    /// <exception cref="CommandFailure">Unreachable: there is no journal to take the ids from.</exception>
    public static IReadOnlyList<byte[]> Of(ModelDocument model, ushort modelId, ulong activation, bool isCompared, string journal, in OperatorOrigin origin)
    {
        List<(ushort, string)> underlyings = [], currencies = [];
        using (JournalInput input = new(journal, identity: null, follow: true))
        {
            while (input.TryRead(out Journal.JournalRecord record))
            {
                if (UnderlyingDefinitionDecoder.TryWrap(record.Message, out UnderlyingDefinitionDecoder underlying)) underlyings.Add((underlying.UnderlyingId, Text(underlying.Code)));
                if (CurrencyDefinitionDecoder.TryWrap(record.Message, out CurrencyDefinitionDecoder currency)) currencies.Add((currency.CurrencyId, Text(currency.Code)));
            }
        }

        return model.ToMessages(
            modelId, origin.Sequence, origin.EventTime, origin.Source, OriginFlags.EndOfEvent, [.. underlyings.Distinct()], [.. currencies.Distinct()], activation, isCompared, origin.Who, origin.Why);
    }

    private static string Text(ReadOnlySpan<byte> code) => Encoding.ASCII.GetString(code.TrimEnd((byte)0));
}
