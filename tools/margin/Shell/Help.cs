// `--help` with the verb's examples and the exit codes below what the parser library prints, and `--version` with the build id.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Runtime.InteropServices;

namespace MarginEngine.Tool.Shell;

/// <summary>Adds the examples of a <see cref="Verb"/> to its help.</summary>
internal sealed class HelpWithExamples(HelpAction library) : SynchronousCommandLineAction
{
    private const string ExitCodes =
        "Exit codes:\n  0 done, 1 usage, 2 cannot read or reach, 3 difference or damage found, 4 refused\n";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        library.MaxWidth = 120;
        library.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is Verb verb)
        {
            output.Write("Examples:\n");
            foreach (string example in verb.Examples) output.Write($"  {example}\n");
            output.Write("\n");
        }

        output.Write(ExitCodes);
        return ExitCode.Done;
    }
}

/// <summary>Prints version, build id, runtime and platform.</summary>
internal sealed class BuildVersion : SynchronousCommandLineAction
{
    /// <summary>Version and source revision, for example <c>0.1.0+c39d3e2651c3</c>.</summary>
    public static string Id { get; } = Shorten(typeof(BuildVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.Write(
            $"margin {Id} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})\n");
        return ExitCode.Done;
    }

    private static string Shorten(string version)
    {
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus >= 0 && version.Length > plus + 13 ? version[..(plus + 13)] : version;
    }
}
