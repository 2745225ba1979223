using System.Globalization;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>
/// Prints what the pricing kernel computes, as digests: run in child processes under different processor settings, which must all print
/// the same. Called by the bench program (verb <c>kernel-digest</c>) and by tests in this process.
/// </summary>
public static class KernelDigestCommand
{
    /// <summary>Goes on where there is no fused multiply-add, as the settings of some tests have it.</summary>
    public const string AcceptSoftware = "--accept-software-fma";

    /// <returns>0, or 4 where the processor is refused.</returns>
    public static int Run(ReadOnlySpan<string> arguments, TextWriter output, TextWriter messages)
    {
        bool acceptSoftware = false;
        foreach (string argument in arguments)
        {
            if (argument != AcceptSoftware)
            {
                messages.WriteLine($"unknown option {argument}");
                return 1;
            }

            acceptSoftware = true;
        }

        try
        {
            Kernel.CheckProcessor(acceptSoftware);
        }
        catch (PlatformNotSupportedException error)
        {
            messages.WriteLine(error.Message);
            return 4;
        }

        messages.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lanes {Kernel.LaneWidth}, fused multiply-add {Kernel.HasFusedMultiplyAdd}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"known answers {Kernel.KnownAnswerDigest():x16}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"random 100000 {Kernel.RandomDigest():x16}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"columns 20000 {Kernel.ColumnDigest():x16}"));
        return 0;
    }
}
