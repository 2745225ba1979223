// The end of a child process whose lines are read by threads of the runtime.
using System.Diagnostics;

namespace MarginEngine.Tests.PipelineTests;

internal static class ChildEnd
{
    /// <summary>True when it has ended within the patience of a test and all that it said was handed to the readers.</summary>
    public static bool Await(Process process)
    {
        if (!process.WaitForExit(Until.Patience))
            return false;
        // A wait with a limit ends with the process; its last lines may still be on their way. Only a wait without one reads to their end.
        process.WaitForExit();
        return true;
    }
}
