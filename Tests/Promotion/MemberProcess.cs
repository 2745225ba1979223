// One node of a pair as a real process, `margin run` with its control in this test's hand. It ends with its standard input, so it cannot
// outlive the test.
using System.Diagnostics;
using System.Text.Json;
using MarginEngine.Pipeline;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tests.PipelineTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

internal sealed class MemberProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _messages = [];
    private int _streamsRead;
    private JsonElement? _status;

    public MemberProcess(string name, NodeOptions options, string configuration)
    {
        Name = name;
        File.WriteAllText(configuration, options.ToJson());
        _process = MarginCommand.Start(
            Environment.CurrentDirectory, [], "run", "--config", configuration, "--json", "--status-millis", "40", "--with-parent");
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
                Interlocked.Increment(ref _streamsRead);
            Keep(line.Data);
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                Interlocked.Increment(ref _streamsRead);
            lock (_messages)
                _messages.Add(line.Data ?? "");
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    /// <summary>It has ended, and every line it said is here: those come by threads of the runtime, after the end is known.</summary>
    public bool HasExited => _process.HasExited && Volatile.Read(ref _streamsRead) == 2;

    public int ExitCode => _process.ExitCode;

    /// <summary>Everything it said on its standard error.</summary>
    public string Messages
    {
        get
        {
            lock (_messages)
                return $"{Name}: {string.Join('\n', _messages)}";
        }
    }

    /// <summary>A field of the newest status line; empty before the first.</summary>
    public string Status(string field)
    {
        lock (_messages)
            return _status is { } status && status.TryGetProperty(field, out JsonElement value) ? value.ToString() : "";
    }

    public bool IsPrimary => Status("role") == "primary";

    public bool TakesInput => Status("takesInput") == "True";

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
        Assert.That(kill.ExitCode, Is.Zero, $"kill -{name}");
    }

    /// <summary>A line for its standard input.</summary>
    public void Tell(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Ends it in order; its exit code.</summary>
    public int Stop()
    {
        _process.StandardInput.Close();
        Assert.That(WaitForExit(), Is.True, Messages);
        return _process.ExitCode;
    }

    /// <summary>True when it has ended within the patience of a test; every line it said is here then.</summary>
    public bool WaitForExit() => ChildEnd.Await(_process);

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (string.IsNullOrEmpty(line))
            return;
        try
        {
            JsonElement status = JsonDocument.Parse(line).RootElement.Clone();
            lock (_messages)
                _status = status;
        }
        catch (JsonException)
        {
            // Killed in the middle of a line.
        }
    }
}
