// What the engine's tables take under given limits, by what they hold, and whether this machine has it.
using System.Globalization;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Doctor;

internal static class BookMemory
{
    /// <summary>The default limits with those that are named, for example <c>accounts=1000000,positions=10000000</c>.</summary>
    /// <exception cref="CommandFailure">There is no such limit, or it cannot be that.</exception>
    public static Limits Read(string text)
    {
        string[] words = LimitsText.Of(new Limits()).Split(' ');
        foreach (string given in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int name = given.Split('=') is [string named, _] ? Array.IndexOf(words, named) : -1;
            if (name < 0) throw CommandFailure.Usage($"--limits: no limit and number in '{given}'; by default {LimitsText.Of(new Limits())}");
            words[name + 1] = given[(given.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }

        return LimitsText.Parse(string.Join(' ', words)) ?? throw CommandFailure.Usage($"--limits: {text} cannot be");
    }

    /// <summary>One finding for each kind of record, in bytes, and one for all together against what is free.</summary>
    public static IEnumerable<Finding> Of(Limits limits, SystemFiles files)
    {
        foreach (MemoryPart part in MemoryNeed.Of(limits))
            yield return new Finding($"memory, one {part.Of}",
                string.Create(CultureInfo.InvariantCulture, $"{part.BytesEach} bytes; {part.Bytes >> 20} MiB for {part.Count}"));
        long needed = MemoryNeed.TotalOf(limits);
        string? free = files.Field("proc/meminfo", "MemAvailable:");
        bool isEnough = long.TryParse(free, CultureInfo.InvariantCulture, out long kibibytes) && needed < kibibytes << 10;
        yield return Finding.OfSetting("memory of the book", free is null ? null : $"{needed >> 20} MiB of {kibibytes >> 10} MiB available", isEnough,
            new($"{needed >> 20} MiB", "everything is taken and touched at the start, so that nothing runs out later", "lower the limits, or give the engine more memory"));
    }
}
