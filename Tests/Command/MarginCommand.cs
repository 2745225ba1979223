using System.Diagnostics;
using System.Text;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>What a run of the command left behind.</summary>
internal sealed record CommandResult(string Line, int Code, string Out, string Error)
{
    public override string ToString() => $"`{Line}` ended with {Code}\n--- out\n{Out}\n--- error\n{Error}";
}

/// <summary>Runs the built command as a user would: a process of its own, its output read from pipes.</summary>
internal static class MarginCommand
{
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "margin.dll");

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static CommandResult Run(params string[] arguments) => RunIn(Environment.CurrentDirectory, [], arguments);

    /// <summary>Runs in a directory, with additional environment variables; kills the process when patience ends.</summary>
    public static CommandResult RunIn(string directory, Dictionary<string, string> environment, params string[] arguments)
    {
        using Process process = Start(directory, environment, arguments);
        process.StandardInput.Close();
        return Finish(process, arguments);
    }

    public static Process Start(string directory, Dictionary<string, string> environment, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet")
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.ArgumentList.Add(Program);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
    }

    public static CommandResult Finish(Process process, params string[] arguments)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        string line = "margin " + string.Join(' ', arguments);
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"`{line}` did not end within {Patience}\n{output.Result}\n{error.Result}");
        }

        return new CommandResult(line, process.ExitCode, output.Result, error.Result);
    }
}
