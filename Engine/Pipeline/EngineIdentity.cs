// Who writes a journal here: message schema, digest of the arithmetic, build, runtime, processor and the machine's capacities. Node, replay and verify use it.
using System.Reflection;
using System.Runtime.Intrinsics.X86;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;

namespace MarginEngine.Pipeline;

public static class EngineIdentity
{
    /// <summary>The identity of this program on this machine, for reading: a journal of another schema or other arithmetic is refused with it.</summary>
    public static JournalIdentity Current { get; } = new(
        (ushort)Schema.Id,
        (ushort)Schema.Version,
        Kernel.KnownAnswerDigest(),
        Build(),
        System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
        Processor(),
        Configuration: "");

    /// <summary>The same for a node with these capacities: a journal written under others is refused as well.</summary>
    public static JournalIdentity Of(Limits limits) => Current with { Configuration = LimitsText.Of(limits) };

    /// <summary>The capacities of the node that wrote a journal; null where its first segment tells none.</summary>
    public static Limits? LimitsOf(in JournalIdentity? written) => written is { } identity ? LimitsText.Parse(identity.Configuration) : null;

    private static string Processor() =>
        $"{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture} lanes {Kernel.LaneWidth}"
        + $" fma {Fma.IsSupported} avx2 {Avx2.IsSupported} avx512 {Avx512F.IsSupported}";

    /// <summary>Version and, where the build knows it, the commit.</summary>
    private static string Build() =>
        typeof(EngineIdentity).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
