// `--report PAGE`: runs the benches, stores what they measured beside the page, draws it. Stored sections that are not run again stay as they are: the long
// ones are measured by themselves, and a page is drawn from the store alone by --draw.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MarginEngine.Bench;

public static class ReportCommand
{
    private const string Usage = "--report PAGE.html [--results FILE.json] [--only SECTION,SECTION | --draw] [--quick] [--directory DIR]";

    /// <summary>0 done, 1 usage, 2 the store cannot be read.</summary>
    public static int Run(ReadOnlySpan<string> options, TextWriter output, TextWriter errors)
    {
        string? page = options.Length > 0 && !options[0].StartsWith("--", StringComparison.Ordinal) ? options[0] : null;
        string? results = null, wrong = page is null ? "no page" : null;
        string directory = ".";
        string[] names = [.. ReportSections.Names];
        bool isQuick = false;
        for (int i = 1; i < options.Length && wrong is null; i++)
        {
            string value = i + 1 < options.Length ? options[i + 1] : "";
            switch (options[i])
            {
                case "--quick": isQuick = true; continue;
                case "--draw": names = []; continue;
                case "--results" when value.Length > 0: results = value; break;
                case "--directory" when Directory.Exists(value): directory = value; break;
                case "--only" when value.Split(',').All(ReportSections.Names.Contains): names = value.Split(','); break;
                default: wrong = $"{options[i]} {value}"; break;
            }

            i++;
        }

        if (wrong is not null)
        {
            errors.WriteLine($"--report: cannot use {wrong}");
            errors.WriteLine(Usage);
            errors.WriteLine($"sections: {string.Join(", ", ReportSections.Names)}");
            return 1;
        }

        results ??= Path.ChangeExtension(page!, ".json");
        List<ReportSection> sections;
        try
        {
            sections = ReportData.Read(results);
        }
        catch (JsonException error)
        {
            errors.WriteLine($"--report: {results}: {error.Message}");
            return 2;
        }

        foreach (string name in names)
        {
            long start = Stopwatch.GetTimestamp();
            Put(sections, ReportSections.Measure(name, new ReportSettings(isQuick, directory), TextWriter.Null));
            ReportData.Write(results, sections); // after each, so that one that fails takes no other with it
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} measured in {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s"));
        }

        File.WriteAllText(page!, ReportPage.Write(sections));
        output.WriteLine($"{page} drawn from {results}: {string.Join(", ", sections.Select(section => section.Name))}");
        return 0;
    }

    /// <summary>In place of the section of its name, or where the report has its place.</summary>
    public static void Put(List<ReportSection> sections, ReportSection section)
    {
        sections.RemoveAll(other => other.Name == section.Name);
        sections.Add(section);
        sections.Sort((left, right) => Place(left).CompareTo(Place(right)));

        static int Place(ReportSection one)
        {
            int place = ReportSections.Names.ToList().IndexOf(one.Name);
            return place < 0 ? int.MaxValue : place;
        }
    }
}
