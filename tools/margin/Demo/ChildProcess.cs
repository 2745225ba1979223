// Another process of this same program, started by the demo. It never outlives its parent: it ends when its standard input does, and
// Dispose kills what has not ended by then.
using System.Diagnostics;
using System.Text;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Demo;

/// <summary>Status lines come from its standard output, messages from its standard error.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const int LinesKept = 40;

    private readonly Process _process;
    private readonly Queue<string> _messages = [];
    private readonly Thread _output;
    private readonly Thread _error;
    private bool _inputClosed;

    /// <param name="name">What it is, for messages: primary, standby, market, market maker.</param>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="environment">Variables besides those of this process.</param>
    /// <param name="onLine">Called by a thread of this object with every line of standard output.</param>
    public ChildProcess(string name, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, Action<string> onLine)
    {
        Name = name;
        _process = Process.Start(StartInfo(arguments, environment)) ?? throw CommandFailure.Unreachable($"the {name} did not start");
        _output = Read(_process.StandardOutput, onLine);
        _error = Read(_process.StandardError, Keep);
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Valid once it has exited.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The last lines of its standard error.</summary>
    public string Messages
    {
        get
        {
            lock (_messages) return string.Join('\n', _messages);
        }
    }

    /// <summary>Writes a line to its standard input; nothing happens where it has gone.</summary>
    public void Tell(string line)
    {
        if (_inputClosed) return;
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // Its exit code tells.
        }
    }

    /// <summary>Asks it to end in order.</summary>
    public void Stop()
    {
        if (_inputClosed) return;
        _inputClosed = true;
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has gone already; its exit code tells.
        }
    }

    /// <summary>Ends it at once, without a word.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <summary>True when it has ended within the time and every line of it was read.</summary>
    public bool WaitForEnd(TimeSpan patience) => _process.WaitForExit(patience) && _output.Join(patience) && _error.Join(patience);

    public void Dispose()
    {
        if (!_process.HasExited) Kill();

        _process.Dispose();
    }

    // Under `dotnet margin.dll` the process is the host and needs the program's path; a published executable is itself the program.
    private static ProcessStartInfo StartInfo(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        string executable = Environment.ProcessPath ?? "dotnet";
        ProcessStartInfo start = new(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        if (Path.GetFileNameWithoutExtension(executable) == "dotnet") start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "margin.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return start;
    }

    private static Thread Read(StreamReader reader, Action<string> onLine)
    {
        Thread thread = new(() =>
        {
            while (reader.ReadLine() is string line) onLine(line);
        })
        {
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }

    private void Keep(string line)
    {
        lock (_messages)
        {
            if (_messages.Count == LinesKept) _messages.Dequeue();
            _messages.Enqueue(line);
        }
    }
}
