// `margin run`: one node of the engine, primary or standby, until Ctrl-C or SIGTERM.
using System.CommandLine;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class RunVerb
{
    private const int DefaultStatusMillis = 1_000;

    public static Verb Create(Terminal terminal)
    {
        Option<string?> config = Text("--config", "FILE", "Configuration, a JSON document; --print-config shows one with every key.");
        Option<string?> role = Text("--role", "ROLE", "primary or standby.");
        Option<string?> epoch = Text("--epoch", "N", "Generation of the primary; raised by a promotion.");
        Option<string?> journal = Text("--journal", "DIR", "Directory of the journal.");
        Option<string?> placement = Text("--placement", "WHICH", "auto, merged, paired or dedicated: which thread polls which stage.");
        Option<string?> mode = Text("--mode", "WHICH", "alone, durable (a heard decision is on this disk and at the standby) or fast (at the standby). Default: durable with a standby, else alone.");
        Option<string?> gate = Text("--gate", "WHICH", "journal, replica or both: the same as what must have confirmed an input; journal lets a standby follow that is not waited for.");
        Option<string?> input = Text("--input", "URI", "Aeron channel of the sources.");
        Option<string?> output = Text("--output", "URI", "Aeron channel of the decisions.");
        Option<string?> replication = Text("--replication", "URI", "Aeron channel from primary to standby.");
        Option<string?> acks = Text("--acks", "URI", "Aeron channel from standby to primary.");
        Option<string?> lease = Text("--lease", "WITNESS", "A file that both nodes reach, or etcd:http://HOST:PORT: says which node is the primary, and lets a standby take over by itself.");
        Option<string?> node = Text("--node", "NAME", "This node's name at the witness; the two of a pair need different ones.");
        Option<string?> leaseMillis = Text("--lease-millis", "N", "How long a lease lasts: the longest time without a primary before the standby may take over.");
        Option<bool> acceptLoss = new("--accept-loss") { Description = "Take over by itself also where the primary's gate did not wait for this standby." };
        Option<string?> signKey = Text("--sign-key", "FILE", "Sign the journal with the keys of this PEM file, or of a device (pkcs11:..); see margin key.");
        Option<string?> peerJournal = Text("--peer-journal", "DIR", "The other node's journal, where it can be read from here: after a divergence the first field that differs is named.");
        Option<bool> printConfig = new("--print-config") { Description = "Print the effective configuration and stop." };
        Option<int> status = Options.Count("--status-millis", "Print a status line this often; 0: only at the end.", DefaultStatusMillis, 0, 3_600_000);
        Option<bool> json = Options.Json();
        Option<bool> withParent = Options.WithParent();
        Verb verb = new("run", "Runs a node: primary or standby.",
            "margin run --journal ./journal", "margin run --config margin.json --role standby --json", "margin run --config margin.json --mode fast --lease /run/margin.lease --node left", "margin run --print-config > margin.json")
        {
            config, role, epoch, journal, placement, mode, gate, input, output, replication, acks, lease, node, leaseMillis, acceptLoss, signKey, peerJournal, printConfig, status, json, withParent,
        };
        return verb.Does(line =>
        {
            RunOverrides overrides = new()
            {
                Config = line.GetValue(config),
                Role = line.GetValue(role),
                Epoch = line.GetValue(epoch),
                Journal = line.GetValue(journal),
                Placement = line.GetValue(placement),
                Mode = line.GetValue(mode),
                Gate = line.GetValue(gate),
                Input = line.GetValue(input),
                Output = line.GetValue(output),
                Replication = line.GetValue(replication),
                Acks = line.GetValue(acks),
                Lease = line.GetValue(lease),
                Node = line.GetValue(node),
                LeaseMillis = line.GetValue(leaseMillis),
                AcceptLoss = line.GetValue(acceptLoss),
                SignKey = line.GetValue(signKey),
                PeerJournal = line.GetValue(peerJournal),
            };
            NodeOptions options = RunSettings.Resolve(overrides);
            if (line.GetValue(printConfig)) return Print(terminal, options);
            NodeRun run = new(terminal, options, line.GetValue(json), line.GetValue(status));
            if (line.GetValue(withParent)) terminal.FollowParent(run.Hear);
            else terminal.Say($"effective settings: {options.ToJson()}");
            return run.Run();
        });
    }

    private static int Print(Terminal terminal, NodeOptions options)
    {
        terminal.Out.WriteLine(options.ToJson());
        return ExitCode.Done;
    }

    private static Option<string?> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };
}
