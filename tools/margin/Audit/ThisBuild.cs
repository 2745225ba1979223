// Who this program is to a journal: the schema it speaks and the arithmetic it computes with.
using System.Runtime.InteropServices;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Audit;

internal static class ThisBuild
{
    public static JournalIdentity Identity { get; } = new(
        HeartbeatDecoder.SchemaId, HeartbeatDecoder.SchemaVersion, Kernel.KnownAnswerDigest(), BuildVersion.Id,
        RuntimeInformation.FrameworkDescription, RuntimeInformation.ProcessArchitecture.ToString());
}
