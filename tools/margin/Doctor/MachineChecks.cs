// Processor, cores, runtime, clock, governor, memory and network limits: what `margin doctor` reads from the runtime, /proc and /sys.
// A file that does not exist on this system gives the value "unknown", never an error.
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MarginEngine.Tool.Doctor;

internal static class MachineChecks
{
    private const string Unknown = "unknown";

    public static IEnumerable<Finding> All()
    {
        yield return Processor();
        yield return Features();
        yield return Cores();
        yield return Runtime();
        yield return NurseryBudget();
        yield return ClockSource();
        yield return ClockSynchronisation();
        yield return Governor();
        yield return HugePages();
        yield return LockedMemory();
        yield return SocketBuffer("receive buffer limit", "/proc/sys/net/core/rmem_max", "net.core.rmem_max");
        yield return SocketBuffer("send buffer limit", "/proc/sys/net/core/wmem_max", "net.core.wmem_max");
    }

    private static Finding Processor()
    {
        string? model = ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        string name = model is null ? Unknown : model[(model.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        return new("processor", $"{name}, {RuntimeInformation.ProcessArchitecture}");
    }

    private static Finding Features()
    {
        (string Name, bool Present)[] features =
        [
            ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("BMI2", Bmi2.IsSupported),
            ("SSE4.2", Sse42.IsSupported), ("AVX-512", Avx512F.IsSupported && Avx512DQ.IsSupported),
        ];
        string present = string.Join(' ', features.Where(feature => feature.Present).Select(feature => feature.Name));
        string lanes = Vector512.IsHardwareAccelerated ? "8 doubles" : Vector256.IsHardwareAccelerated ? "4 doubles" : "2 doubles";
        string value = $"{(present.Length == 0 ? "none" : present)}; kernel width {lanes}";
        if (!Fma.IsSupported)
            return new("features", value, Severity.Problem, "a processor with fused multiply-add (x86-64-v3) is needed for equal results");
        return Finding.Judge("features", value, Avx2.IsSupported, "without AVX2 pricing runs two lanes wide");
    }

    private static Finding Cores()
    {
        int cores = Environment.ProcessorCount;
        string placement = cores >= 6 ? "dedicated" : "paired";
        return Finding.Judge("cores", $"{cores}; stage placement {placement}", cores >= 2,
            "one core runs every stage in turn; give the engine two or more");
    }

    private static Finding Runtime()
    {
        string collector = GCSettings.IsServerGC ? "server" : "workstation";
        return Finding.Judge("runtime", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {collector} GC",
            !GCSettings.IsServerGC, "unset DOTNET_gcServer: one heap is enough and pauses less");
    }

    private static Finding NurseryBudget()
    {
        string? budget = Environment.GetEnvironmentVariable("DOTNET_GCgen0size");
        return Finding.Judge("gen-0 budget", budget ?? "default", budget is not null,
            "export DOTNET_GCgen0size=0x10000000 (256 MB): cold threads then collect ten times less often");
    }

    private static Finding ClockSource()
    {
        string source = Read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
        bool fast = source is Unknown or "tsc" or "kvm-clock" or "hyperv_clocksource_tsc_page" or "arch_sys_counter";
        return Finding.Judge("clock source", source, fast, "each time stamp costs a system call: boot with clocksource=tsc if the TSC is stable");
    }

    private static Finding ClockSynchronisation()
    {
        if (!OperatingSystem.IsLinux()) return new("clock synchronisation", Unknown);
        byte[] state = new byte[256];
        int result = ReadClockState(state);
        const int statusOffset = 40, maximumErrorOffset = 24, unsynchronised = 0x40;
        long maximumErrorMicros = BitConverter.ToInt64(state, maximumErrorOffset);
        bool synchronised = result >= 0 && (BitConverter.ToInt32(state, statusOffset) & unsynchronised) == 0;
        string value = synchronised ? $"yes, within {maximumErrorMicros} us" : "no";
        return Finding.Judge("clock synchronisation", value, synchronised,
            "run chrony or ptp4l: times of causes from other hosts are compared with this clock");
    }

    private static Finding Governor()
    {
        string governor = Read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        return Finding.Judge("frequency governor", governor, governor is Unknown or "performance", "cpupower frequency-set -g performance");
    }

    private static Finding HugePages()
    {
        string setting = Read("/sys/kernel/mm/transparent_hugepage/enabled");
        int open = setting.IndexOf('[', StringComparison.Ordinal), close = setting.IndexOf(']', StringComparison.Ordinal);
        string chosen = open >= 0 && close > open ? setting[(open + 1)..close] : setting;
        string reserved = Field("/proc/meminfo", "HugePages_Total:");
        return Finding.Judge("huge pages", $"transparent: {chosen}; reserved: {reserved}", chosen is not "never",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
    }

    private static Finding LockedMemory()
    {
        string limit = Field("/proc/self/limits", "Max locked memory");
        bool enough = limit is Unknown or "unlimited" || (long.TryParse(limit, CultureInfo.InvariantCulture, out long bytes) && bytes >= 1L << 30);
        return Finding.Judge("locked memory limit", limit is Unknown or "unlimited" ? limit : $"{limit} bytes", enough,
            "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit: pages of the engine may be swapped out");
    }

    private static Finding SocketBuffer(string subject, string file, string setting)
    {
        const long wanted = 4L << 20;
        string value = Read(file);
        bool enough = !long.TryParse(value, CultureInfo.InvariantCulture, out long bytes) || bytes >= wanted;
        return Finding.Judge(subject, value is Unknown ? value : $"{value} bytes", enough,
            $"sysctl -w {setting}={wanted}: bursts overflow a smaller socket buffer and must be sent again");
    }

    private static string Field(string file, string prefix)
    {
        string? line = ReadLines(file).FirstOrDefault(candidate => candidate.StartsWith(prefix, StringComparison.Ordinal));
        return line?[prefix.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? Unknown;
    }

    private static string Read(string file) => ReadLines(file).FirstOrDefault()?.Trim() ?? Unknown;

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [DllImport("libc", EntryPoint = "ntp_adjtime")]
    private static extern int ReadClockState(byte[] timex);
}
