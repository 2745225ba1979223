// The known-answer digest of the pricing kernel: machines that show the same digest compute the same margins.
using MarginEngine.Logic;

namespace MarginEngine.Tool.Doctor;

internal static class KernelCheck
{
    public static Finding Digest() => new("kernel digest", $"0x{Kernel.KnownAnswerDigest():x16}");
}
