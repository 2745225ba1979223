// Settings of the kernel that decide how late a single message can be: frequency governor, huge pages, isolated cores, clock source. What a
// container does not show is said to be not visible, never to be right.
namespace MarginEngine.Tool.Doctor;

internal static class KernelChecks
{
    /// <summary>From so many cores on each stage has one of its own, and is pinned to it: cores 1 to 5.</summary>
    private const int DedicatedCores = 6;

    private const string StageCores = "1-5";

    /// <param name="files">/proc and /sys.</param>
    /// <param name="cores">Cores this process may use.</param>
    public static IEnumerable<Finding> All(SystemFiles files, int cores)
    {
        yield return Governor(files);
        yield return TransparentHugePages(files);
        yield return ReservedHugePages(files);
        yield return IsolatedCores(files, cores, "isolated cores", "isolated", "isolcpus", "the scheduler puts other work onto a core that spins for the next message, and that message waits behind it");
        yield return IsolatedCores(files, cores, "tickless cores", "nohz_full", "nohz_full", "the timer interrupts each stage at least a hundred times a second");
        yield return ClockSource(files);
    }

    private static Finding Governor(SystemFiles files)
    {
        const string cpu = "sys/devices/system/cpu";
        (string Core, string Governor)[] governors = [.. files.Directories(cpu, "cpu*")
            .Select(core => (core, files.Line($"{cpu}/{core}/cpufreq/scaling_governor")!)).Where(each => each.Item2 is not null)];
        var advice = new Recommendation("performance", "a core that was slowed down while nothing came answers the next message late", "cpupower frequency-set -g performance");
        string[] others = [.. governors.Where(each => each.Governor != "performance").Select(each => each.Core)];
        string value = string.Join(", ", governors.GroupBy(each => each.Governor)
            .Select(group => group.Count() == governors.Length ? group.Key : $"{group.Key} on {string.Join(' ', group.Select(each => each.Core))}"));
        return Finding.OfSetting("frequency governor", governors.Length == 0 ? null : value, others.Length == 0, advice);
    }

    private static Finding TransparentHugePages(SystemFiles files)
    {
        const string file = "sys/kernel/mm/transparent_hugepage/enabled";
        string? setting = files.Line(file);
        string? chosen = setting is null ? null : Chosen(setting);
        const string why = "with always a fault may wait until memory is compacted; the engine touches its tables at start and asks for no huge pages, which gained it nothing where they were tried";
        return Finding.OfSetting("transparent huge pages", chosen, chosen is "madvise" or "never", new("madvise", why, $"echo madvise > /{file}"));
    }

    private static Finding ReservedHugePages(SystemFiles files)
    {
        const string directory = "sys/kernel/mm/hugepages/hugepages-2048kB";
        string? free = files.Line($"{directory}/free_hugepages"), all = files.Line($"{directory}/nr_hugepages");
        return Finding.OfSetting("reserved huge pages", free is null || all is null ? null : $"{free} free of {all}, 2 MiB each", free == "0",
            new("0 free", "the engine uses none; what is reserved and not used is lost to everybody", $"echo 0 > /{directory}/nr_hugepages, or leave them to whom they were reserved for"));
    }

    private static Finding IsolatedCores(SystemFiles files, int cores, string subject, string file, string parameter, string why)
    {
        string? list = files.Line($"sys/devices/system/cpu/{file}");
        bool isNone = list is "" or "(null)";
        Recommendation advice = cores >= DedicatedCores
            ? new(StageCores, why, $"boot with {parameter}={StageCores}: the cores that the stages are pinned to")
            : new("none", $"with fewer than {DedicatedCores} cores stages are not pinned, and would never run on such a core", $"boot without {parameter}");
        return Finding.OfSetting(subject, isNone ? "none" : list, isNone == cores < DedicatedCores, advice);
    }

    private static Finding ClockSource(SystemFiles files)
    {
        string? source = files.Line("sys/devices/system/clocksource/clocksource0/current_clocksource");
        // A guest's clock page is read without a system call too.
        bool fast = source is "tsc" or "kvm-clock" or "hyperv_clocksource_tsc_page" or "arch_sys_counter";
        return Finding.OfSetting("clock source", source, fast,
            new("tsc", "any other, a guest's clock page aside, makes each time stamp a system call", "boot with clocksource=tsc if the TSC is stable"));
    }

    // "always [madvise] never": the one in brackets.
    private static string Chosen(string setting)
    {
        int open = setting.IndexOf('[', StringComparison.Ordinal), close = setting.IndexOf(']', StringComparison.Ordinal);
        return open >= 0 && close > open ? setting[(open + 1)..close] : setting;
    }
}
