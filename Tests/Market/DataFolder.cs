// Finds the folder of real market data for the tests of importers and scripts: $MARGIN_DATA, or shared/data beside the repository.

using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

internal static class DataFolder
{
    /// <summary>The folder, or null when there is none on this machine.</summary>
    public static string? Path { get; } = Find();

    /// <summary>The folder; skips the running test with a reason where it is absent.</summary>
    public static string Require()
    {
        if (Path is null)
            Assert.Ignore("no market data: $MARGIN_DATA is not set and no ../shared/data stands beside the repository");
        return Path!;
    }

    /// <summary>All files below a part of the folder; one null when the folder is absent, so that a table of cases shows one skipped test.</summary>
    public static IEnumerable<string?> Files(string part)
    {
        string? folder = Path is null ? null : System.IO.Path.Combine(Path, part);
        return folder is null || !Directory.Exists(folder)
            ? [null]
            : Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
    }

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable("MARGIN_DATA");
        if (!string.IsNullOrEmpty(named))
            return Directory.Exists(named) ? named : null;
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(at.FullName, "MarginEngine.sln")))
                continue;
            string beside = System.IO.Path.GetFullPath(System.IO.Path.Combine(at.FullName, "..", "shared", "data"));
            return Directory.Exists(beside) ? beside : null;
        }
        return null;
    }
}
