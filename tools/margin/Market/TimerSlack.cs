// Lets a sleeping thread wake when it asked to. Used by the thread that must send events when they are due.

using System.Runtime.InteropServices;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Linux delays wake-ups by up to 50 microseconds to save power; the calling thread can ask for less. Elsewhere nothing happens.
/// </summary>
internal static class TimerSlack
{
    private const int SetTimerSlack = 29;
    private const ulong ShortestNanos = 1;

    public static void Shorten()
    {
        if (OperatingSystem.IsLinux())
            _ = Prctl(SetTimerSlack, ShortestNanos, 0, 0, 0);
    }

    [DllImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Prctl(int option, ulong argument, ulong unused3, ulong unused4, ulong unused5);
}
