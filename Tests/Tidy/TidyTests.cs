using System.Text.RegularExpressions;
using NUnit.Framework;

namespace MarginEngine.Tests.TidyTests;

/// <summary>The boundaries of the code, checked as text: what may import what, who touches the disk, the clock and threads, how long things get.</summary>
[TestFixture]
internal sealed partial class TidyTests
{
    private const int LongestFile = 450;
    private const int LongestLine = 250;

    private static readonly string Root = MarginData.RepositoryRoot();

    [TestCase("Engine/Aeron", "Codecs", "Journal", "Logic", "Pipeline", "Promotion", "Signing", "Snapshots", "Standby", "Watch")]
    [TestCase("Engine/Disruptor", "Codecs", "Journal", "Aeron", "Logic", "Pipeline", "Promotion", "Signing", "Snapshots", "Standby", "Watch")]
    [TestCase("Engine/Logic", "Journal", "Aeron", "Pipeline", "Promotion", "Signing", "Snapshots", "Standby", "Watch")]
    [TestCase("Engine/Signing", "Aeron", "Logic", "Pipeline", "Promotion", "Snapshots", "Standby", "Watch")]
    [TestCase("Journal", "Aeron", "Logic", "Pipeline", "Promotion", "Signing", "Snapshots", "Standby", "Watch")]
    public void Imports_point_down_only(string folder, params string[] forbidden)
    {
        Regex pattern = new($@"\bMarginEngine\.({string.Join('|', forbidden)})\b");
        Assert.That(Offences(folder, line => pattern.IsMatch(line)), Is.Empty);
    }

    [Test]
    public void Logic_does_not_use_the_ring() =>
        Assert.That(Offences("Engine/Logic", line => line.StartsWith("using Disruptor", StringComparison.Ordinal)), Is.Empty);

    [Test]
    public void One_file_reads_the_clock() =>
        Assert.That(OffendingFiles(["Engine", "Journal", "Codecs"], ClockPattern()), Is.EquivalentTo(new[] { "Engine/Watch/Clock.cs" }));

    [Test]
    public void One_file_starts_threads() =>
        Assert.That(
            OffendingFiles(["Engine", "Journal", "Codecs"], ThreadPattern()).Where(file => !file.StartsWith("Engine/Disruptor/", StringComparison.Ordinal)),
            Is.SubsetOf(new[] { "Engine/Pipeline/Node.cs", "Engine/Aeron/AgentThread.cs" /* for those who use the transport by itself */, "Engine/Promotion/LeaseKeeper.cs" /* outlives nodes */ }));

    [Test]
    public void The_disk_of_the_journal_is_touched_in_its_storage_only() =>
        Assert.That(
            OffendingFiles(["Journal"], DiskPattern()).Where(file => !Path.GetFileName(file).Contains("Storage", StringComparison.Ordinal)),
            Is.Empty);

    [Test]
    public void Logic_touches_no_file_and_no_socket() =>
        Assert.That(OffendingFiles(["Engine/Logic"], DiskPattern()), Is.Empty);

    [Test]
    public void Files_stay_readable() =>
        Assert.Multiple(() =>
        {
            foreach (string file in Sources(""))
            {
                string[] lines = File.ReadAllLines(file);
                Assert.That(lines, Has.Length.LessThanOrEqualTo(LongestFile), Relative(file));
                if (Relative(file).StartsWith("Tests/", StringComparison.Ordinal))
                {
                    continue;
                }

                Assert.That(lines.Select(line => line.Length).DefaultIfEmpty(0).Max(), Is.LessThanOrEqualTo(LongestLine), $"longest line of {Relative(file)}");
            }
        });

    [Test]
    public void Nothing_is_left_for_later() =>
        Assert.That(
            Offences("", line => LeftoverPattern().IsMatch(line)).Where(offence => !offence.StartsWith("Tests/Tidy/", StringComparison.Ordinal)),
            Is.Empty);

    [Test]
    public void Nobody_switches_tiering_off_for_a_method() =>
        Assert.That(
            Offences("", line => line.Contains("MethodImplOptions.AggressiveOptimization", StringComparison.Ordinal))
                .Where(offence => !offence.StartsWith("Tests/", StringComparison.Ordinal)),
            Is.Empty);

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    private static string Relative(string file) => Path.GetRelativePath(Root, file).Replace(Path.DirectorySeparatorChar, '/');

    private static string[] Offences(string folder, Func<string, bool> isOffence) =>
        [.. Sources(folder).SelectMany(file => File.ReadLines(file).Select((line, index) => (file, line, index)))
            .Where(entry => isOffence(entry.line))
            .Select(entry => $"{Relative(entry.file)}:{entry.index + 1}: {entry.line.Trim()}")];

    private static string[] OffendingFiles(string[] folders, Regex pattern) =>
        [.. folders.SelectMany(Sources).Where(file => File.ReadLines(file).Any(line => !IsComment(line) && pattern.IsMatch(line))).Select(Relative).Distinct()];

    private static bool IsComment(string line) => line.TrimStart().StartsWith("//", StringComparison.Ordinal);

    [GeneratedRegex(@"\bStopwatch\.|DateTime(Offset)?\.(Utc)?Now|clock_gettime|Environment\.TickCount")]
    private static partial Regex ClockPattern();

    [GeneratedRegex(@"new Thread\(|Task\.Run\(|Task\.Factory\.StartNew|ThreadPool\.")]
    private static partial Regex ThreadPattern();

    [GeneratedRegex(@"\bFile\.(Open|Read|Write|Create|Delete|Move|Exists)|new FileStream|RandomAccess\.|Directory\.(Create|Delete|Enumerate|Get)|new Socket\(")]
    private static partial Regex DiskPattern();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b|Assert\.Pass\(")]
    private static partial Regex LeftoverPattern();
}
