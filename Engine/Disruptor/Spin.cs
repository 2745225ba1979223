// The pause between two looks at a sequence, used by every spinning wait of the ring.

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Disruptor;

internal static class Spin
{
    /// <summary>
    /// One processor pause: gives the other hardware thread the core and spares the line being watched.
    /// Thread.SpinWait(1) is several times longer, because the runtime normalises it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Pause()
    {
        if (X86Base.IsSupported)
            X86Base.Pause();
        else if (ArmBase.IsSupported)
            ArmBase.Yield();
        else
            Thread.SpinWait(1);
    }
}
