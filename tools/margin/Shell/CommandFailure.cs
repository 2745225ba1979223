// The one exception that a verb throws to end with a message and an exit code; Program prints it without a stack trace.
namespace MarginEngine.Tool.Shell;

/// <summary>Ends the command with <see cref="Code"/>; the message is for the user and names what to change.</summary>
internal sealed class CommandFailure(int code, string message) : Exception(message)
{
    public int Code { get; } = code;

    public static CommandFailure Usage(string message) => new(ExitCode.Usage, message);

    public static CommandFailure Unreachable(string message) => new(ExitCode.Unreachable, message);

    public static CommandFailure Difference(string message) => new(ExitCode.Difference, message);

    public static CommandFailure Refused(string message) => new(ExitCode.Refused, message);
}
