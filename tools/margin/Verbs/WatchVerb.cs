// `margin watch`: any Aeron stream of this schema, decoded, a line a message; with --record also fingerprints for an audit.
using System.CommandLine;
using MarginEngine.Aeron;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Verbs;

internal static class WatchVerb
{
    private const int WaitMicros = 20_000;

    private sealed record Arguments(string Channel, int Stream, ulong? Account, string? Record, bool Json);

    public static Verb Create(Terminal terminal)
    {
        Option<string> channel = new("--channel") { Description = "Aeron channel, unicast or multicast.", HelpName = "URI", Required = true };
        Option<int> stream = new("--stream") { Description = "Stream in the channel.", HelpName = "N", Required = true };
        Option<ulong?> account = new("--account") { Description = "Only messages about this account.", HelpName = "A" };
        Option<string?> record = new("--record") { Description = "Also write fingerprints of all messages, for replay --published.", HelpName = "FILE" };
        Option<bool> json = Options.Json();
        Verb verb = new("watch", "Listens to an Aeron stream and decodes it, one message a line, until the sender closes it or Ctrl-C.",
            "margin watch --channel 'aeron:udp?endpoint=224.20.30.41:40456|interface=localhost' --stream 1001",
            "margin watch --channel 'aeron:udp?endpoint=127.0.0.1:40456' --stream 1001 --json --record received.log")
        {
            channel, stream, account, record, json,
        };
        return verb.Does(line => Run(terminal, new Arguments(
            line.GetValue(channel)!, line.GetValue(stream), line.GetValue(account), line.GetValue(record), line.GetValue(json))));
    }

    private static int Run(Terminal terminal, Arguments arguments)
    {
        using StreamListener listener = new(arguments.Channel, arguments.Stream, new Clock());
        using MessageLines lines = new(terminal, arguments.Json);
        using PublishedLogWriter? log = arguments.Record is null ? null : new PublishedLogWriter(arguments.Record);
        terminal.Say($"listening to {arguments.Channel}, stream {arguments.Stream}");
        Printer printer = new(lines, log, arguments.Account);
        while (!terminal.Interrupted.IsCancellationRequested && !listener.HasEnded)
        {
            if (listener.Poll(ref printer, WaitMicros) == 0) terminal.Out.Flush();
        }

        terminal.Say(listener.HasEnded ? $"the sender has gone: {Words(listener.EndReason)}" : "stopped");
        return ExitCode.Done;
    }

    private static string Words(ImageEnd reason) => reason switch
    {
        ImageEnd.EndOfStream => "it closed the stream",
        ImageEnd.Silent => "nothing was heard from it any more",
        ImageEnd.Revoked => "it withdrew the stream",
        _ => reason.ToString(),
    };

    private sealed class Printer(MessageLines lines, PublishedLogWriter? log, ulong? account) : IMessageHandler
    {
        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            if (log is not null && message.Length >= PublishedEntry.ShortestMessage) log.Add(PublishedEntry.Of(message));
            if (account is null || MessageAccount.Of(message) == account) lines.Write(message);
            return PollAction.Continue;
        }
    }
}
