using System.Text;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>A margin model's document as the messages the engine takes. Cold code.</summary>
internal static class ModelMessages
{
    // 8 + 20 + 56 bytes before the group, 16 a parameter: below the largest message.
    private const int ParametersAPart = 480;
    private const int ParameterBytes = 16;

    /// <summary>What stands on every message.</summary>
    public readonly record struct Header(
        ushort ModelId, ulong OriginSequence, ulong EventTime, ushort Source, OriginFlags Flags, ulong Activation, bool IsCompared,
        string Author = "", string Reason = "");

    private readonly record struct Entry(ModelSection Section, byte Key, ushort First, ushort Second, ushort Third, long Value);

    public static IReadOnlyList<byte[]> Write(
        ModelDocument document, Header header, IReadOnlyList<(ushort Id, string Code)> underlyings, IReadOnlyList<(ushort Id, string Code)> currencies)
    {
        List<Entry> entries = Resolve(document, underlyings, currencies);
        byte[] reason = Encoding.UTF8.GetBytes(header.Reason);

        // The first part has the reason, and so many parameters less.
        int missing = (reason.Length + ParameterBytes - 1) / ParameterBytes;
        int parts = Math.Max(1, (entries.Count + missing + ParametersAPart - 1) / ParametersAPart);
        List<byte[]> messages = [];
        byte[] buffer = new byte[Limits.MessageBytes];
        for (int part = 0; part < parts; part++)
        {
            int from = part == 0 ? 0 : (part * ParametersAPart) - missing;
            List<Entry> some = entries.GetRange(from, Math.Min(((part + 1) * ParametersAPart) - missing, entries.Count) - from);
            MarginModelPartEncoder message = MarginModelPartEncoder.Wrap(buffer);
            message.SetOrigin(
                header.OriginSequence + (ulong)part, header.EventTime, header.Source, part + 1 == parts ? header.Flags : header.Flags & ~OriginFlags.EndOfEvent);
            message.ModelId = header.ModelId;
            message.ModelVersion = document.Version;
            message.Part = (ushort)(part + 1);
            message.Parts = (ushort)parts;
            message.Activation = header.Activation;
            message.IsCompared = (byte)(header.IsCompared ? 1 : 0);
            message.SetName(document.Name);
            message.SetOperator(header.Author);
            MarginModelPartEncoder.ParametersEncoder group = message.ParametersCount(some.Count);
            for (int index = 0; index < some.Count; index++)
            {
                MarginModelPartEncoder.ParametersEncoder.Entry entry = group[index];
                entry.Section = some[index].Section;
                entry.Key = some[index].Key;
                entry.First = some[index].First;
                entry.Second = some[index].Second;
                entry.Third = some[index].Third;
                entry.Value = some[index].Value;
            }

            if (part == 0)
            {
                message.SetReason(reason);
            }

            messages.Add(buffer[..message.EncodedLength]);
        }

        return messages;
    }

    // Codes become ids; "*" becomes every id that is not named; what the market does not have is left out.
    private static List<Entry> Resolve(
        ModelDocument document, IReadOnlyList<(ushort Id, string Code)> underlyings, IReadOnlyList<(ushort Id, string Code)> currencies)
    {
        List<Entry> entries = [];
        foreach (DocumentParameter parameter in document.Parameters)
        {
            long value = parameter.Value;
            if (parameter.ValueCode is string code)
            {
                value = underlyings.FirstOrDefault(underlying => underlying.Code == code).Id;
            }

            // A spread is between all of its legs: without one of them the others hedge nothing, and no credit is due.
            if (parameter.Section == ModelSection.SpreadLeg && parameter.Code.Length > 0 && !HasEveryLeg(document, parameter.First, underlyings))
            {
                continue;
            }

            bool ofCurrency = parameter.Section is ModelSection.Currency or ModelSection.HaircutTier;
            foreach (ushort id in Ids(document, parameter, ofCurrency ? currencies : underlyings))
            {
                entries.Add(new Entry(parameter.Section, parameter.Key, parameter.First, id, parameter.Third, value));
            }
        }

        return entries;
    }

    private static bool HasEveryLeg(ModelDocument document, ushort spread, IReadOnlyList<(ushort Id, string Code)> underlyings) => document.Parameters
        .Where(leg => leg.Section == ModelSection.SpreadLeg && leg.First == spread && leg.Code.Length > 0)
        .All(leg => underlyings.Any(underlying => underlying.Code == leg.Code));

    private static IEnumerable<ushort> Ids(ModelDocument document, DocumentParameter parameter, IReadOnlyList<(ushort Id, string Code)> known)
    {
        if (parameter.Code.Length == 0)
        {
            return [0];
        }

        return parameter.Code == "*"
            ? known.Where(one => !document.Parameters.Any(other => other.Section == parameter.Section && other.First == parameter.First && other.Code == one.Code)).Select(one => one.Id)
            : known.Where(one => one.Code == parameter.Code).Select(one => one.Id);
    }
}
