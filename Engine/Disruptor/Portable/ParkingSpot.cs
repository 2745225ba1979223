// Puts one thread to sleep until another wakes it. On Linux by the kernel's futex, whose wake-up costs both sides a fraction of
// what a monitor's does; elsewhere by a monitor.

using System.Runtime.InteropServices;

namespace Disruptor;

/// <summary>
/// One thread arms the spot, looks once more at what it waits for, and waits; any thread releases it. Between arming and looking,
/// and between changing what is looked at and releasing, a full fence is the caller's business.
/// </summary>
public sealed unsafe class ParkingSpot
{
    /// <summary>Bytes on each side of the word: two cache lines.</summary>
    private const int Padding = 128;

    private const int Released = 0;
    private const int Armed = 1;

    private const int FutexWaitPrivate = 128;
    private const int FutexWakePrivate = 129;
    private const int TimedOut = 110; // ETIMEDOUT

    private static readonly nint FutexNumber = !OperatingSystem.IsLinux() ? 0 : RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        _ => 0,
    };

    // The kernel is given the address of the word: it must not move. Alone on its lines, as the thread that wakes reads it.
    private readonly int[] _lines = GC.AllocateArray<int>(2 * Padding / sizeof(int), pinned: true);
    private readonly int* _word;
    private readonly object? _gate;

    public ParkingSpot()
        : this(useMonitor: false)
    {
    }

    /// <param name="useMonitor">True to sleep on a monitor although the futex is there.</param>
    internal ParkingSpot(bool useMonitor)
    {
        _word = (int*)Marshal.UnsafeAddrOfPinnedArrayElement(_lines, Padding / sizeof(int));
        if (useMonitor || FutexNumber == 0)
            _gate = new object();
        else
            Futex(FutexNumber, _word, FutexWakePrivate, 1, null, null, 0); // wakes nobody: the first call of all allocates
    }

    /// <summary>True from <see cref="Arm"/> until a release, or <see cref="Disarm"/>.</summary>
    public bool IsArmed => Volatile.Read(ref *_word) == Armed;

    public void Arm() => Volatile.Write(ref *_word, Armed);

    /// <summary>Takes the announcement back without having slept.</summary>
    public void Disarm() => Volatile.Write(ref *_word, Released);

    /// <summary>Sleeps until the spot is released. False when the timeout passed first.</summary>
    public bool Wait(TimeSpan timeout) => _gate is null ? WaitFutex(timeout) : WaitMonitor(timeout);

    /// <summary>Wakes the thread if it is armed.</summary>
    public void Release()
    {
        if (Interlocked.CompareExchange(ref *_word, Released, Armed) != Armed)
            return;
        if (_gate is null)
        {
            Futex(FutexNumber, _word, FutexWakePrivate, 1, null, null, 0);
        }
        else
        {
            lock (_gate)
                Monitor.Pulse(_gate);
        }
    }

    private bool WaitFutex(TimeSpan timeout)
    {
        Timespec limit = new(timeout);
        Timespec* limitOrNone = timeout == Timeout.InfiniteTimeSpan ? null : &limit;
        while (IsArmed)
        {
            // Comes back at once when the word is no longer Armed, and without a reason on a signal.
            if (Futex(FutexNumber, _word, FutexWaitPrivate, Armed, limitOrNone, null, 0) != 0 && Marshal.GetLastPInvokeError() == TimedOut)
                return !IsArmed;
        }

        return true;
    }

    private bool WaitMonitor(TimeSpan timeout)
    {
        lock (_gate!)
        {
            while (IsArmed)
            {
                if (!Monitor.Wait(_gate, timeout))
                    return !IsArmed;
            }

            return true;
        }
    }

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static extern nint Futex(nint number, int* word, nint operation, nint value, Timespec* timeout, int* word2, nint value3);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timespec(TimeSpan time)
    {
        private readonly long _seconds = time.Ticks / TimeSpan.TicksPerSecond;
        private readonly long _nanoseconds = time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
    }
}
