using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MarginEngine.Logic;

/// <summary>
/// The pricing kernel as a part of the machine: which lane width it uses, whether the processor is fit for it, and the digest by which two
/// nodes know that they compute alike. Read by the node at start and by whatever writes a journal header.
/// </summary>
public static partial class Kernel
{
    private static int _laneWidth = WidestLanes();

    /// <summary>Doubles computed side by side: 8, 4, 2 or 1. It changes the speed and no result.</summary>
    public static int LaneWidth => _laneWidth;

    /// <summary>Whether the processor has fused multiply-add (x86-64 FMA3, any 64-bit ARM) and the runtime may use it.</summary>
    public static bool HasFusedMultiplyAdd => Fma.IsSupported || AdvSimd.Arm64.IsSupported;

    /// <summary>32 vector registers, in which loops can have two options in work at once, where the code that uses them was measured.</summary>
    internal static bool HasManyRegisters => Avx512F.VL.IsSupported;

    /// <summary>
    /// Refuses a processor without fused multiply-add: prices would keep their bits, but the runtime's substitute is many times slower.
    /// </summary>
    /// <param name="acceptSoftware">For tests that switch instruction sets off: go on with the substitute.</param>
    /// <exception cref="PlatformNotSupportedException">There is no fused multiply-add and the substitute is not accepted.</exception>
    public static void CheckProcessor(bool acceptSoftware = false)
    {
        if (!HasFusedMultiplyAdd & !acceptSoftware)
            throw new PlatformNotSupportedException("the processor, or a DOTNET_Enable* setting, offers no fused multiply-add: pricing needs it");
    }

    /// <summary>Forces a width, wider than the hardware's included: for tests and benches. Not to be changed while another thread prices.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The width is not 1, 2, 4 or 8.</exception>
    public static void UseLaneWidth(int lanes)
    {
        if (lanes is not (1 or 2 or 4 or 8))
            throw new ArgumentOutOfRangeException(nameof(lanes), lanes, "a lane width is 1, 2, 4 or 8");
        _laneWidth = lanes;
    }

    /// <summary>The widest that the hardware computes in one piece, as DOTNET_PreferredVectorBitWidth allows.</summary>
    public static int WidestLanes() =>
        !HasFusedMultiplyAdd ? 1
        : Vector512.IsHardwareAccelerated ? 8
        : Vector256.IsHardwareAccelerated ? 4
        : Vector128.IsHardwareAccelerated ? 2
        : 1;
}
