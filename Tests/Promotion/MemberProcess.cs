// One node of a pair as a real process, `margin run` with its control in this test's hand. It ends with its standard input, so it cannot
// outlive the test.
using System.Diagnostics;
using System.Text.Json;
using MarginEngine.Pipeline;
using MarginEngine.Tests.CommandTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

internal sealed class MemberProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _messages = [];
    private JsonElement? _status;

    public MemberProcess(string name, NodeOptions options, string configuration)
    {
        Name = name;
        File.WriteAllText(configuration, options.ToJson());
        _process = MarginCommand.Start(
            Environment.CurrentDirectory, [], "run", "--config", configuration, "--json", "--status-millis", "40", "--with-parent");
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_messages)
                _messages.Add(line.Data ?? "");
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public bool HasExited => _process.HasExited;

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
        Assert.That(_process.WaitForExit(PipelineTests.Until.Patience), Is.True, Messages);
        return _process.ExitCode;
    }

    public bool WaitForExit() => _process.WaitForExit(PipelineTests.Until.Patience);

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
