// Keeps a thread on one core, so that its caches stay warm and it is not moved beside another spinning thread. Called by Node.
using System.Runtime.InteropServices;

namespace MarginEngine.Pipeline;

internal static unsafe partial class Affinity
{
    private const int Cores = 1024;
    private const int WordBits = 64;

    /// <summary>Pins the calling thread; false where the system refuses (the core does not exist, or a container forbids it).</summary>
    public static bool TryPinCurrentThread(int core)
    {
        if (!OperatingSystem.IsLinux() || (uint)core >= Cores)
            return false;
        ulong* mask = stackalloc ulong[Cores / WordBits];
        new Span<ulong>(mask, Cores / WordBits).Clear();
        mask[core / WordBits] = 1UL << (core % WordBits);
        return SetAffinity(0, Cores / 8, mask) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nuint maskBytes, ulong* mask);
}
