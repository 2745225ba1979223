// What a report is drawn from: sections, one a bench, each with the machine, the time and the command that measured it. Kept as JSON, so that benches that
// take minutes or a night are measured once, one by one, and drawn as often as somebody likes.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MarginEngine.Bench;

/// <param name="Name">Unique in a report; the word for <c>--only</c>.</param>
/// <param name="Command">What was run, for a shell in the repository's root.</param>
public sealed record ReportSection(string Name, string Title, string Machine, string Date, string Command, string Note, IReadOnlyList<ReportPicture> Pictures);

public enum PictureKind
{
    /// <summary>A bar for each label and series, with its value.</summary>
    Bars,

    /// <summary>The same on a logarithmic scale.</summary>
    LogarithmicBars,

    /// <summary>A line for each series; labels are numbers, both axes logarithmic.</summary>
    Lines,
}

/// <param name="Unit">Of the values.</param>
/// <param name="Along">Unit of the labels, where they are numbers.</param>
public sealed record ReportPicture(string Title, string Unit, string Along, PictureKind Kind, IReadOnlyList<ReportSeries> Series);

public sealed record ReportSeries(string Name, IReadOnlyList<ReportPoint> Points);

/// <summary>A value and what it belongs to; series of one picture share labels, and may lack some.</summary>
public sealed record ReportPoint(string Label, double Value);

/// <summary>The stored results of a report.</summary>
public static class ReportData
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new JsonStringEnumConverter() } };

    /// <summary>A section measured now, here.</summary>
    public static ReportSection Section(string name, string title, string command, string note, params ReportPicture[] pictures)
    {
        string machine = string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        string date = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
        return new ReportSection(name, title, machine, date, command, note, pictures);
    }

    /// <summary>Sections in their stored order; none where there is no file.</summary>
    /// <exception cref="JsonException">The file is not what <see cref="Write"/> writes.</exception>
    public static List<ReportSection> Read(string file)
    {
        if (!File.Exists(file))
            return [];
        List<ReportSection> sections = JsonSerializer.Deserialize<List<ReportSection>>(File.ReadAllText(file), Format) ?? [];
        return sections.All(section => section is { Name: not null, Pictures: not null }) ? sections : throw new JsonException($"{file} has a section without name or pictures");
    }

    public static void Write(string file, IEnumerable<ReportSection> sections) => File.WriteAllText(file, JsonSerializer.Serialize(sections.ToList(), Format) + "\n");

    /// <summary>A picture of series given as (name, label, value), in the order in which names and labels come.</summary>
    public static ReportPicture Picture(string title, string unit, string along, PictureKind kind, IEnumerable<(string Series, string Label, double Value)> values) => new(
        title, unit, along, kind,
        [.. values.GroupBy(value => value.Series).Select(series => new ReportSeries(series.Key, [.. series.Select(value => new ReportPoint(value.Label, value.Value))]))]);
}
