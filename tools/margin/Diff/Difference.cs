// Where two histories part: the first record and in it the first field, by the names of schema.xml. Written by `margin diff` and by the demo.
using System.Globalization;
using System.Text.Json;

namespace MarginEngine.Tool.Diff;

/// <summary>How two histories compare.</summary>
internal enum DiffOutcome
{
    Same,

    /// <summary>One is the beginning of the other.</summary>
    Longer,

    Different,
}

/// <summary>What was compared and what was found.</summary>
internal sealed record Difference
{
    public required DiffOutcome Outcome { get; init; }

    /// <summary>In place of a message's name where two states were compared.</summary>
    public const string StateTemplate = "state";

    /// <summary>Records that are equal, from the first compared on.</summary>
    public required long Equal { get; init; }

    /// <summary>Sequence of the first record compared; 0: there was none.</summary>
    public long From { get; init; }

    /// <summary>Sequence of the last equal record; 0: none is.</summary>
    public long LastEqual { get; init; }

    /// <summary>Of the first record that differs, or of the first that only the longer one has.</summary>
    public long Sequence { get; init; }

    /// <summary>Which one goes on, as it was named, and how many records it has more.</summary>
    public string? LongerName { get; init; }

    public long More { get; init; }

    /// <summary>Message of the record that differs; both where the two are of different templates.</summary>
    public string? Template { get; init; }

    /// <summary>Path of the first field that differs, for example <c>message.legs[1].quantity</c>.</summary>
    public string? Field { get; init; }

    /// <summary>What the two have there.</summary>
    public string? Left { get; init; }

    public string? Right { get; init; }

    /// <summary>In a sentence.</summary>
    public string Words => Outcome switch
    {
        DiffOutcome.Same when Template == StateTemplate => string.Create(CultureInfo.InvariantCulture, $"the same: the states after sequence {Sequence}"),
        DiffOutcome.Different when Template == StateTemplate => string.Create(CultureInfo.InvariantCulture,
            $"the states after sequence {Sequence} differ in {Field}: {Left} against {Right}"),
        DiffOutcome.Same => string.Create(CultureInfo.InvariantCulture, $"the same: {Equal} records{(Equal > 0 ? $", sequences {From} to {LastEqual}" : "")}"),
        DiffOutcome.Longer => string.Create(CultureInfo.InvariantCulture,
            $"equal up to sequence {LastEqual} ({Equal} records), then {LongerName} goes on: {More} records more, from sequence {Sequence}"),
        _ => string.Create(CultureInfo.InvariantCulture,
            $"the records of sequence {Sequence} differ in {Field} of {Template}: {Left} against {Right} ({Equal} records before are equal)"),
    };

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("outcome", Reports.Names.Of(Outcome));
        writer.WriteNumber("equalRecords", Equal);
        writer.WriteNumber("from", From);
        writer.WriteNumber("lastEqual", LastEqual);
        if (Outcome != DiffOutcome.Same) writer.WriteNumber("sequence", Sequence);
        if (Outcome == DiffOutcome.Longer)
        {
            writer.WriteString("longer", LongerName);
            writer.WriteNumber("more", More);
        }

        if (Outcome == DiffOutcome.Different)
        {
            writer.WriteString("template", Template);
            writer.WriteString("field", Field);
            writer.WriteString("left", Left);
            writer.WriteString("right", Right);
        }

        writer.WriteEndObject();
    }
}

/// <summary>A field in which two JSON values part.</summary>
internal readonly record struct FieldDifference(string Path, string Left, string Right)
{
    private const string Absent = "nothing";

    /// <summary>The first in the order of the left one's members; null: none.</summary>
    public static FieldDifference? First(JsonElement left, JsonElement right, string path)
    {
        if (left.ValueKind != right.ValueKind) return new FieldDifference(path, Text(left), Text(right));
        return left.ValueKind switch
        {
            JsonValueKind.Object => FirstMember(left, right, path),
            JsonValueKind.Array => FirstEntry(left, right, path),
            _ => left.GetRawText() == right.GetRawText() ? null : new FieldDifference(path, Text(left), Text(right)),
        };
    }

    private static FieldDifference? FirstMember(JsonElement left, JsonElement right, string path)
    {
        foreach (JsonProperty member in left.EnumerateObject())
        {
            string name = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            if (!right.TryGetProperty(member.Name, out JsonElement other)) return new FieldDifference(name, Text(member.Value), Absent);
            if (First(member.Value, other, name) is FieldDifference found) return found;
        }

        foreach (JsonProperty member in right.EnumerateObject())
            if (!left.TryGetProperty(member.Name, out _))
                return new FieldDifference(path.Length == 0 ? member.Name : $"{path}.{member.Name}", Absent, Text(member.Value));
        return null;
    }

    private static FieldDifference? FirstEntry(JsonElement left, JsonElement right, string path)
    {
        int both = Math.Min(left.GetArrayLength(), right.GetArrayLength());
        for (int index = 0; index < both; index++)
            if (First(left[index], right[index], string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]")) is FieldDifference found)
                return found;
        if (left.GetArrayLength() == right.GetArrayLength()) return null;
        string next = string.Create(CultureInfo.InvariantCulture, $"{path}[{both}]");
        return left.GetArrayLength() > both ? new FieldDifference(next, Text(left[both]), Absent) : new FieldDifference(next, Absent, Text(right[both]));
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
