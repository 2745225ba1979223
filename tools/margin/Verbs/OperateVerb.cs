// `margin operate`: an operator's command to a running node, journalled with who and why.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using MarginEngine.Signing;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Market;
using MarginEngine.Tool.Operate;
using MarginEngine.Tool.Shell;
using Command = MarginEngine.Codecs.Command;

namespace MarginEngine.Tool.Verbs;

internal static class OperateVerb
{
    private const int DefaultSource = 9_000;
    private const int NameBytes = 16;
    private const int ReasonBytes = 1_024;

    private static readonly (string Option, Command Command, string Does)[] Commands =
    [
        ("--halt", Command.Halt, "Deny every order; liquidations pause."),
        ("--resume", Command.Resume, "End a halt or a restriction."),
        ("--reduce-only", Command.ReduceOnly, "Deny orders that add risk, on every account."),
        ("--snapshot", Command.Snapshot, "Ask the node for a snapshot of its state."),
        ("--promote", Command.Promote, "Note in the journal that the standby is to be promoted; the node that has the command tells whoever runs it."),
    ];

    public static Verb Create(Terminal terminal)
    {
        MarketOptions defaults = new();
        Option<bool>[] commands = [.. Commands.Select(known => new Option<bool>(known.Option) { Description = known.Does })];
        Option<string?> model = new("--model") { Description = "Put a version of a margin model in force: a shipped name or a JSON file. Needs --journal.", HelpName = "NAME|FILE" };
        Option<int> modelId = Options.Count("--model-id", "Number of the model at the node.", 1, 1, ushort.MaxValue - 1);
        Option<string?> activation = new("--activation") { Description = "Sequence from which the model counts, or +N from the node's now; without it at once.", HelpName = "N|+N" };
        Option<bool> compared = new("--compared") { Description = "Until its activation publish both versions' margins." };
        Option<string?> journal = new("--journal") { Description = "The node's journal, for the numbers of underlyings and currencies.", HelpName = "DIR" };
        Option<string?> signingKey = new("--signing-key") { Description = "Sign the journal with another key from here on: its PEM file, public or private. Needs --signed-by.", HelpName = "FILE" };
        Option<string?> signedBy = new("--signed-by") { Description = "PEM file with the private key in force.", HelpName = "FILE" };
        Option<string> who = new("--who") { Description = "Who commands it, at most 16 letters.", HelpName = "NAME", Required = true };
        Option<string> why = new("--why") { Description = "The reason.", HelpName = "TEXT", Required = true };
        Option<string> input = new("--input") { Description = "Aeron channel the node listens to.", HelpName = "URI", DefaultValueFactory = _ => defaults.InputChannel };
        Option<int> inputStream = Options.Count("--input-stream", "Its stream.", defaults.InputStream, 1, int.MaxValue);
        Option<string> output = new("--output") { Description = "Aeron channel the node publishes to.", HelpName = "URI", DefaultValueFactory = _ => defaults.OutputChannel };
        Option<int> replyStream = Options.Count("--reply-stream", "Stream of its replies.", defaults.ReplyStream, 1, int.MaxValue);
        Option<int> source = Options.Count("--source", "Number of this source; every operator's desk has its own.", DefaultSource, 1, ushort.MaxValue - 1);
        Option<int> patience = Options.Count("--patience", "Seconds to wait for the node.", 15, 1, 3_600);
        who.Validators.Add(result => Length(result, NameBytes));
        why.Validators.Add(result => Length(result, ReasonBytes));
        Verb verb = new("operate", "Sends an operator's command to a node, with who and why; it stands in the journal (margin inspect --operators).",
            "margin operate --halt --who night-desk --why index-feed-is-down", "margin operate --resume --who night-desk --why feed-is-back",
            "margin operate --model portfolio-3.json --activation +50000 --compared --journal ./journal --who risk --why wider-BTC-range",
            "margin operate --signing-key signing.pem --signed-by signing-2025.pem --who security --why yearly-change")
        {
            model, modelId, activation, compared, journal, signingKey, signedBy, who, why, input, inputStream, output, replyStream, source, patience,
        };
        foreach (Option<bool> command in commands) verb.Add(command);
        verb.Validators.Add(result =>
        {
            int asked = commands.Count(command => result.GetValue(command)) + (result.GetValue(model) is null ? 0 : 1) + (result.GetValue(signingKey) is null ? 0 : 1);
            if (asked != 1) result.AddError($"one of {string.Join(", ", Commands.Select(known => known.Option))}, --model and --signing-key is needed.");
            if (result.GetValue(model) is not null && result.GetValue(journal) is null) result.AddError("--model needs --journal.");
            if (result.GetValue(signingKey) is not null && result.GetValue(signedBy) is null) result.AddError("--signing-key needs --signed-by.");
        });
        return verb.Does(line =>
        {
            OperatorLink link = new(line.GetValue(input)!, line.GetValue(inputStream), line.GetValue(output)!, line.GetValue(replyStream), (ushort)line.GetValue(source), line.GetValue(patience));
            string name = line.GetValue(who)!, reason = line.GetValue(why)!;
            if (line.GetValue(model) is string choice)
            {
                Logic.ModelDocument document = ModelChoice.Load(choice);
                return Run(terminal, link, name, reason, (place, origin) => OperatorMessages.Of(
                    document, (ushort)line.GetValue(modelId), Activation(line.GetValue(activation), place), line.GetValue(compared), line.GetValue(journal)!, origin));
            }

            if (line.GetValue(signingKey) is string file) return ChangeKey(terminal, link, name, reason, file, line.GetValue(signedBy)!);
            Command command = Commands[Array.FindIndex(commands, option => line.GetValue(option))].Command;
            return Run(terminal, link, name, reason, (_, origin) => OperatorMessages.Of(command, origin));
        });
    }

    private static int ChangeKey(Terminal terminal, OperatorLink link, string who, string why, string file, string signedBy)
    {
        try
        {
            using SigningKey next = SigningKeys.ReadPublic(file);
            IReadOnlyList<SigningKey> old = SigningKeys.ReadPrivate(signedBy);
            // A file that has the new key as well: the one before it is in force.
            SigningKey inForce = old.Last(key => key.Name != next.Name);
            terminal.Say($"key {inForce.Name} gives way to key {next.Name}");
            return Run(terminal, link, who, why, (_, origin) => OperatorMessages.Of(next, inForce, origin));
        }
        catch (SigningKeyException failure)
        {
            throw CommandFailure.Refused(failure.Message);
        }
        catch (InvalidOperationException)
        {
            throw CommandFailure.Refused($"{signedBy} holds no other key than the new one");
        }
    }

    private static int Run(Terminal terminal, OperatorLink link, string who, string why, Func<NodePlace, OperatorOrigin, IReadOnlyList<byte[]>> messages)
    {
        using OperatorClient client = new(terminal, link);
        NodePlace place = client.FindNode();
        OperatorOrigin origin = new(link.Source, place.LastOfSource + 1, client.Now, who, why);
        long taken = client.Send(messages(place, origin));
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"taken by sequence {taken}, as message {origin.Sequence} of source {link.Source}"));
        return ExitCode.Done;
    }

    private static ulong Activation(string? text, NodePlace place)
    {
        if (text is null) return 0;
        if (!ulong.TryParse(text.TrimStart('+'), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)) throw CommandFailure.Usage($"--activation: '{text}' is no sequence");
        return text[0] == '+' ? (ulong)place.Sequence + number : number;
    }

    private static void Length(OptionResult result, int most)
    {
        if (result.Tokens is not [{ Value: string text }]) return;
        if (string.IsNullOrWhiteSpace(text)) result.AddError($"{result.Option.Name} is empty.");
        else if (Encoding.UTF8.GetByteCount(text) > most) result.AddError($"{result.Option.Name} has more than {most} bytes.");
        else if (most == NameBytes && !Ascii.IsValid(text)) result.AddError($"{result.Option.Name} takes ASCII letters.");
    }
}
