using NUnit.Framework;

namespace MarginEngine.Tests;

/// <summary>
/// The folder of real market and margin data: <c>$MARGIN_DATA</c>, else <c>../shared/data</c> beside the repository. Tests take whatever
/// files of a known format they find in it; where it is absent they are skipped and say so.
/// </summary>
internal static class MarginData
{
    public static string? Folder { get; } = Find();

    /// <summary>Files below a sub-folder, in ordinal order of their names. Ends the test as skipped where there is no data.</summary>
    public static IReadOnlyList<string> Files(string subfolder, string pattern)
    {
        string? folder = Folder is null ? null : Path.Combine(Folder, subfolder);
        if (folder is null || !Directory.Exists(folder))
        {
            Assert.Ignore($"no data: neither $MARGIN_DATA nor ../shared/data has a folder '{subfolder}'");
        }

        string[] files = Directory.GetFiles(folder!, pattern, SearchOption.AllDirectories);
        Array.Sort(files, StringComparer.Ordinal);
        if (files.Length == 0)
        {
            Assert.Ignore($"no data: no {pattern} below '{subfolder}'");
        }

        return files;
    }

    /// <summary>The folder that holds MarginEngine.sln.</summary>
    public static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MarginEngine.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("MarginEngine.sln is in no folder above the tests");
    }

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable("MARGIN_DATA");
        string folder = string.IsNullOrEmpty(named) ? Path.Combine(RepositoryRoot(), "..", "shared", "data") : named;
        return Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
    }
}
