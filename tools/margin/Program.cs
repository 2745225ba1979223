// The one command `margin`: parses, runs a verb, and turns every way to end into an exit code.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Verbs;

namespace MarginEngine.Tool;

internal static class Program
{
    public static int Main(string[] args)
    {
        using Terminal terminal = new();
        int code = Run(args, terminal);
        try
        {
            terminal.Out.Flush();
        }
        catch (BrokenPipe)
        {
            // The reader has seen enough.
        }

        return code;
    }

    /// <summary>The whole command line; used by help and parsing alike.</summary>
    internal static RootCommand CommandLine(Terminal terminal)
    {
        RootCommand root = new("MarginEngine: real-time portfolio margin for a derivatives exchange.")
        {
            DemoVerb.Create(terminal),
            RunVerb.Create(terminal),
            PromoteVerb.Create(terminal),
            MarketVerb.Create(terminal),
            WatchVerb.Create(terminal),
            TopVerb.Create(terminal),
            CalcVerb.Create(terminal),
            ModelVerb.Create(terminal),
            CalibrateVerb.Create(terminal),
            SpanVerb.Create(terminal),
            ReplayVerb.Create(terminal),
            VerifyVerb.Create(terminal),
            InspectVerb.Create(terminal),
            SnapshotVerb.Create(terminal),
            DiffVerb.Create(terminal),
            ExportVerb.Create(terminal),
            KeyVerb.Create(terminal),
            OperateVerb.Create(terminal),
            DoctorVerb.Create(terminal),
#if !AERON_PACKAGE
            SimulateVerb.Create(terminal),
#endif
            ListenVerb.Create(terminal),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction library } help) help.Action = new HelpWithExamples(library);
            if (option is VersionOption version) version.Action = new BuildVersion();
        }

        return root;
    }

    private static int Run(string[] args, Terminal terminal)
    {
        // No @file expansion and no bundled letters: every option here is a whole word.
        ParserConfiguration parser = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
        ParseResult line = CommandLine(terminal).Parse(args, parser);
        if (line.Action is ParseErrorAction) return RefuseLine(line, terminal);
        try
        {
            return line.Invoke(new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (BrokenPipe)
        {
            return ExitCode.Done;
        }
        catch (CommandFailure failure)
        {
            return End(terminal, failure, failure.Code);
        }
        catch (NodeOptionsException wrong)
        {
            return End(terminal, wrong, ExitCode.Usage);
        }
        catch (Exception damage) when (damage is JournalDamagedException or HistoryDivergedException)
        {
            return End(terminal, damage, ExitCode.Difference);
        }
        catch (Exception refusal) when (refusal is JournalRefusedException or JournalLockedException or PlatformNotSupportedException)
        {
            return End(terminal, refusal, ExitCode.Refused);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return End(terminal, failure, ExitCode.Unreachable);
        }
        catch (OperationCanceledException) when (terminal.Interrupted.IsCancellationRequested)
        {
            return End(terminal, CommandFailure.Unreachable("interrupted before it was done"), ExitCode.Unreachable);
        }
        catch (Exception failure)
        {
            terminal.Say($"margin: internal error in {BuildVersion.Id}\n{failure}");
            return ExitCode.Internal;
        }
    }

    private static int End(Terminal terminal, Exception reason, int code)
    {
        terminal.Say($"margin: {reason.Message}");
        return code;
    }

    private static int RefuseLine(ParseResult line, Terminal terminal)
    {
        if (line.CommandResult.Command is Verb verb)
        {
            foreach (string message in line.Errors.Select(error => error.Message).Distinct()) terminal.Say($"margin: {message}");
            terminal.Say($"Try 'margin {verb.Name} --help'.");
            return ExitCode.Usage;
        }

        terminal.Say(line.UnmatchedTokens is [string unknown, ..] ? $"margin: '{unknown}' is not one of its verbs." : "margin: which verb?");
        IEnumerable<string> verbs = line.RootCommandResult.Command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name);
        terminal.Say($"One of: {string.Join(", ", verbs)}. Try 'margin --help'.");
        return ExitCode.Usage;
    }
}
