// The files in which Linux says how it is set: /proc and /sys, or a tree like them in a test. A container may show only some of them.
namespace MarginEngine.Tool.Doctor;

/// <param name="root">Directory in which <c>proc</c> and <c>sys</c> stand.</param>
internal sealed class SystemFiles(string root = "/")
{
    /// <summary>First line, blanks around it cut; null where there is no such file or it cannot be read.</summary>
    public string? Line(string path) => Lines(path) is { } lines ? lines.FirstOrDefault()?.Trim() ?? "" : null;

    /// <summary>Null where there is no such file or it cannot be read.</summary>
    public string[]? Lines(string path)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(root, path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>First word behind the prefix, of the first line that begins with it; null where there is none.</summary>
    public string? Field(string path, string prefix)
    {
        string? line = Array.Find(Lines(path) ?? [], candidate => candidate.StartsWith(prefix, StringComparison.Ordinal));
        return line?[prefix.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
    }

    /// <summary>Names of the directories in one, in the order of the numbers they end with.</summary>
    public string[] Directories(string path, string pattern)
    {
        string full = Path.Combine(root, path);
        return Directory.Exists(full)
            ? [.. Directory.GetDirectories(full, pattern).Select(each => Path.GetFileName(each)!).OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal)]
            : [];
    }
}
