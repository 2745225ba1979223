// The folder of real market data as the tests of importers and scripts use it: as tables of cases, one a file.

using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

internal static class DataFolder
{
    /// <summary>The folder, or null when there is none on this machine.</summary>
    public static string? Path => MarginData.Folder;

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
}
