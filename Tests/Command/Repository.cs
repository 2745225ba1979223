namespace MarginEngine.Tests.CommandTests;

/// <summary>The working copy that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MarginEngine.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("MarginEngine.sln is in no folder above the tests");
    }
}
