// The exit codes that every verb keeps to; scripts rely on them.
namespace MarginEngine.Tool.Shell;

/// <summary>What the process says to its caller when it ends.</summary>
internal static class ExitCode
{
    /// <summary>Done, and nothing wrong was found.</summary>
    public const int Done = 0;

    /// <summary>The command line or a configuration file is wrong.</summary>
    public const int Usage = 1;

    /// <summary>A file, directory, channel or process cannot be read or reached.</summary>
    public const int Unreachable = 2;

    /// <summary>A difference or damage was found.</summary>
    public const int Difference = 3;

    /// <summary>Refused: wrong machine, wrong version, or an input that the engine rejects.</summary>
    public const int Refused = 4;

    /// <summary>A bug in this program; the report on standard error is for its makers.</summary>
    public const int Internal = 70;
}
