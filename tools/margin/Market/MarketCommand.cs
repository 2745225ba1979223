// Body of the verb `market`: a matching engine's stand-in that feeds an engine elsewhere. Called by the verb and by the demo's child
// process.

using System.Text.Json;
using MarginEngine.Aeron;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Market;

public static class MarketCommand
{
    /// <summary>Runs a market and prints its summary to <paramref name="output"/>; returns an exit code.</summary>
    /// <param name="json">The summary as one JSON document instead of text.</param>
    /// <param name="onStatus">Called about four times a second, and once at the end.</param>
    /// <exception cref="CommandFailure">Wrong options, unreadable data, no engine, or an engine that refuses the source.</exception>
    internal static int Run(
        MarketOptions options, CancellationToken stop, TextWriter? output = null, bool json = false, Action<MarketSummary>? onStatus = null)
    {
        MarketSummary summary = Play(options, onStatus, stop);
        output ??= Console.Out;
        if (json)
        {
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
                summary.WriteJson(writer);
            output.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
        }
        else
        {
            summary.WriteText(output);
        }
        output.Flush();
        // A market that was told to stop is done; one whose end was never confirmed has found a difference.
        return summary.IsConfirmed || stop.IsCancellationRequested ? ExitCode.Done : ExitCode.Difference;
    }

    private static MarketSummary Play(MarketOptions options, Action<MarketSummary>? onStatus, CancellationToken stop)
    {
        try
        {
            using MarketScript script = MarketScript.Open(options);
            using var engine = new MatchingEngine(options, script);
            return engine.Run(onStatus, stop);
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw CommandFailure.Usage(error.Message);
        }
        catch (ChannelException error)
        {
            throw CommandFailure.Usage(error.Message);
        }
        catch (IOException error)
        {
            throw CommandFailure.Unreachable(error.Message);
        }
    }
}
