// Enumerations by the names that schema.xml gives them, so that reports and decoded messages say the same.
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Reports;

internal static class Names
{
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    public static IEnumerable<string> Of(MarginFlags flags) =>
        Enum.GetValues<MarginFlags>().Where(flag => flag != 0 && (flags & flag) == flag).Select(flag => Of<MarginFlags>(flag));
}
