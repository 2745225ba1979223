// Processor, cores, runtime, clock, memory and network limits: what `margin doctor` reads from the runtime, /proc and /sys.
// A file that does not exist on this system is no error.
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MarginEngine.Tool.Doctor;

internal static class MachineChecks
{
    private const string Unknown = "unknown";

    public static IEnumerable<Finding> All(SystemFiles files)
    {
        yield return Processor(files);
        yield return Features();
        yield return Cores();
        yield return Runtime();
        yield return NurseryBudget();
        yield return ClockSynchronisation();
        foreach (Finding finding in KernelChecks.All(files, Environment.ProcessorCount))
            yield return finding;
        yield return LockedMemory(files);
        yield return SocketBuffer(files, "receive buffer limit", "proc/sys/net/core/rmem_max", "net.core.rmem_max");
        yield return SocketBuffer(files, "send buffer limit", "proc/sys/net/core/wmem_max", "net.core.wmem_max");
    }

    private static Finding Processor(SystemFiles files)
    {
        string? model = Array.Find(files.Lines("proc/cpuinfo") ?? [], line => line.StartsWith("model name", StringComparison.Ordinal));
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

    private static Finding LockedMemory(SystemFiles files)
    {
        string? limit = files.Field("proc/self/limits", "Max locked memory");
        bool enough = limit is "unlimited" || (long.TryParse(limit, CultureInfo.InvariantCulture, out long bytes) && bytes >= 1L << 30);
        return Finding.OfSetting("locked memory limit", limit is null or "unlimited" ? limit : $"{limit} bytes", enough,
            new("unlimited", "pages of the engine may be swapped out", "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit"));
    }

    private static Finding SocketBuffer(SystemFiles files, string subject, string file, string setting)
    {
        const long wanted = 4L << 20;
        string? value = files.Line(file);
        bool enough = long.TryParse(value, CultureInfo.InvariantCulture, out long bytes) && bytes >= wanted;
        return Finding.OfSetting(subject, value is null ? null : $"{value} bytes", enough,
            new($"{wanted} bytes", "bursts overflow a smaller socket buffer and must be sent again", $"sysctl -w {setting}={wanted}"));
    }

    [DllImport("libc", EntryPoint = "ntp_adjtime")]
    private static extern int ReadClockState(byte[] timex);
}
