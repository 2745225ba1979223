// `margin listen`: the demo's market maker as a process. Hidden: people use `watch`.
using System.CommandLine;
using MarginEngine.Tool.Demo;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class ListenVerb
{
    public const string Name = "listen";

    public static Verb Create(Terminal terminal)
    {
        Option<string> channel = new("--channel") { Description = "Aeron channel of the decisions.", HelpName = "URI", Required = true };
        Option<int> stream = new("--stream") { Description = "Stream of the margins.", HelpName = "N", Required = true };
        Option<string?> record = new("--record") { Description = "Write fingerprints of all messages.", HelpName = "FILE" };
        Option<string?> latencies = new("--latencies") { Description = "Write the distribution of tick-to-margin, in microseconds.", HelpName = "FILE" };
        Option<bool> withParent = Options.WithParent();
        Verb verb = new(Name, "Follows the margin stream for the demo.", "margin listen --channel 'aeron:udp?endpoint=127.0.0.1:40456' --stream 1001")
        {
            channel, stream, record, latencies, withParent,
        };
        verb.Hidden = true;
        return verb.Does(line =>
        {
            if (line.GetValue(withParent)) terminal.FollowParent();
            return MarketMaker.Run(terminal, line.GetValue(channel)!, line.GetValue(stream), line.GetValue(record), line.GetValue(latencies));
        });
    }
}
