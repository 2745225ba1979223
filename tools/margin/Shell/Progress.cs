// A progress bar on standard error for work that may take longer than a second. Silent when that is no terminal or the work is quick.
using System.Diagnostics;
using System.Globalization;

namespace MarginEngine.Tool.Shell;

/// <summary>Draws one line; the worker calls <see cref="Report"/> as often as it likes and disposes this at the end.</summary>
internal sealed class Progress(Terminal terminal, string what) : IDisposable
{
    private const int BarLetters = 40;
    private const int FirstMillis = 1_000;
    private const int RedrawMillis = 100;
    private const int CallsBetweenLooks = 1_024;

    private readonly long _begin = Stopwatch.GetTimestamp();
    private long _nextMillis = FirstMillis;
    private int _calls;
    private bool _drawn;

    /// <param name="part">Done so far, 0 to 1.</param>
    /// <param name="always">The caller calls seldom; look at the time on every call.</param>
    public void Report(double part, bool always = false)
    {
        if (!Terminal.ErrorIsTerminal || (++_calls % CallsBetweenLooks != 0 && !always)) return;
        long millis = (long)Stopwatch.GetElapsedTime(_begin).TotalMilliseconds;
        if (millis < _nextMillis) return;
        _nextMillis = millis + RedrawMillis;
        _drawn = true;
        part = Math.Clamp(part, 0, 1);
        int full = (int)(part * BarLetters);
        terminal.Error.Write(string.Create(CultureInfo.InvariantCulture,
            $"\r{what} [{new string('#', full)}{new string('.', BarLetters - full)}] {part * 100,3:F0} % {Remaining(millis, part)}\u001b[K"));
    }

    public void Dispose()
    {
        if (_drawn) terminal.Error.Write("\r\u001b[K");
    }

    private static string Remaining(long millis, double part) =>
        part < 0.02 ? "" : string.Create(CultureInfo.InvariantCulture, $"{millis / part * (1 - part) / 1000:F0} s left");
}
