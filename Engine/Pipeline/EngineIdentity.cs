// Who writes a journal here: message schema, digest of the arithmetic, build, runtime and processor. Node, replay and verify use it.
using System.Reflection;
using System.Runtime.Intrinsics.X86;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;

namespace MarginEngine.Pipeline;

public static class EngineIdentity
{
    /// <summary>The identity of this program on this machine; a journal of another schema or other arithmetic is refused with it.</summary>
    public static JournalIdentity Current { get; } = new(
        (ushort)Schema.Id,
        (ushort)Schema.Version,
        Kernel.KnownAnswerDigest(),
        Build(),
        System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
        Processor());

    private static string Processor() =>
        $"{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture} lanes {Kernel.LaneWidth}"
        + $" fma {Fma.IsSupported} avx2 {Avx2.IsSupported} avx512 {Avx512F.IsSupported}";

    /// <summary>Version and, where the build knows it, the commit.</summary>
    private static string Build() =>
        typeof(EngineIdentity).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
