// Where a verb writes and how it is told to stop: data to Out, messages to Error, colours and live tables only on a terminal.
// Program makes one and hands it to every verb.
using System.Runtime.InteropServices;
using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MarginEngine.Tool.Shell;

/// <summary>The surroundings of one invocation of the command.</summary>
internal sealed class Terminal : IDisposable
{
    private readonly CancellationTokenSource _interrupted = new();
    private readonly CancellationTokenSource _atOnce = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _interruptions;
    private volatile bool _followsParent;

    public Terminal()
    {
        Out = new StreamWriter(StandardOutput.Open(), new UTF8Encoding(false), 1 << 16) { NewLine = "\n", AutoFlush = false };
        Error = Console.Error;
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            _signals.Add(PosixSignalRegistration.Create(signal, Interrupt));
    }

    /// <summary>Data. Buffered: a verb that prints as it goes flushes.</summary>
    public StreamWriter Out { get; }

    /// <summary>Messages.</summary>
    public TextWriter Error { get; }

    /// <summary>Standard output is a terminal, so a live picture makes sense.</summary>
    public static bool OutIsTerminal => !Console.IsOutputRedirected;

    /// <summary>Standard error is a terminal, so progress may be drawn.</summary>
    public static bool ErrorIsTerminal => !Console.IsErrorRedirected;

    /// <summary>The user has not asked for plain text (https://no-color.org).</summary>
    public static bool ColourAllowed => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Cancelled by Ctrl-C, SIGTERM or SIGHUP, or by <see cref="Interrupt()"/>.</summary>
    public CancellationToken Interrupted => _interrupted.Token;

    /// <summary>Cancelled when the user asks a second time: what an orderly end still wanted to do is left undone.</summary>
    public CancellationToken AtOnce => _atOnce.Token;

    /// <summary>Asks the running verb to stop, as Ctrl-C does.</summary>
    public void Interrupt()
    {
        if (Interlocked.Increment(ref _interruptions) > 1) _atOnce.Cancel();
        _interrupted.Cancel();
    }

    /// <summary>
    /// For a process that another one started: it stops when standard input ends, which also happens when the parent dies in whatever
    /// way. Ctrl-C reaches all processes of a terminal at once, so it is left to the parent.
    /// </summary>
    /// <param name="onLine">Called by a thread of its own with every line that the parent writes.</param>
    public void FollowParent(Action<string>? onLine = null)
    {
        _followsParent = true;
        Thread watcher = new(() =>
        {
            while (System.Console.In.ReadLine() is string line) onLine?.Invoke(line);
            Interrupt();
        })
        {
            IsBackground = true,
            Name = "parent",
        };
        watcher.Start();
    }

    /// <summary>A message to the user, not data.</summary>
    public void Say(string message) => Error.WriteLine(message);

    /// <summary>A Spectre console on standard output that keeps to <see cref="ColourAllowed"/>; for live pictures.</summary>
    public IAnsiConsole Picture() => Spectre(Out, OutIsTerminal);

    /// <summary>Prints a table to standard output; redirected, its lines end without blanks.</summary>
    public void Show(IRenderable picture)
    {
        if (OutIsTerminal)
        {
            Picture().Write(picture);
            return;
        }

        using StringWriter text = new();
        Spectre(text, false).Write(picture);
        foreach (string line in text.ToString().TrimEnd().Split('\n')) Out.WriteLine(line.TrimEnd());
    }

    /// <summary>A Spectre console on standard error (progress).</summary>
    public IAnsiConsole Messages() => Spectre(Error, ErrorIsTerminal);

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals) signal.Dispose();
        _interrupted.Dispose();
        _atOnce.Dispose();
    }

    private static IAnsiConsole Spectre(TextWriter writer, bool terminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal && ColourAllowed ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        // Redirected tables keep their columns: nothing is wrapped for a width that nobody looks at.
        if (!terminal) console.Profile.Width = 200;
        return console;
    }

    private void Interrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        if (!_followsParent || context.Signal == PosixSignal.SIGTERM) Interrupt();
    }
}
