// Settings of `margin run`: file, then environment (MARGIN_..), then options; what none of them says has a default that works on one machine.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Signing;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Running;

/// <summary>What the command line says; null where it says nothing.</summary>
internal sealed record RunOverrides
{
    public string? Config { get; init; }

    public string? Role { get; init; }

    public string? Epoch { get; init; }

    public string? Journal { get; init; }

    public string? Placement { get; init; }

    public string? Mode { get; init; }

    public string? Gate { get; init; }

    public string? Input { get; init; }

    public string? Output { get; init; }

    public string? Replication { get; init; }

    public string? Acks { get; init; }

    public string? Lease { get; init; }

    public string? Node { get; init; }

    public string? LeaseMillis { get; init; }

    public bool AcceptLoss { get; init; }

    public string? SignKey { get; init; }

    public string? PeerJournal { get; init; }
}

internal static class RunSettings
{
    private const int InputStream = 1000;
    private const int ReplicationStream = 1003;
    private const int AcksStream = 1004;

    /// <summary>Without a file: a primary without a standby on this machine, journal in ./journal.</summary>
    public static NodeOptions Default => new()
    {
        Role = NodeRole.Primary,
        Input = new StreamOptions { Channel = "aeron:udp?endpoint=127.0.0.1:40100", Stream = InputStream },
        Output = new OutputOptions { Channel = "aeron:udp?endpoint=224.20.30.41:40456|interface=localhost" },
        Journal = new JournalOptions { Directory = "journal" },
    };

    /// <exception cref="CommandFailure">Usage: a value is wrong, the message names it; unreachable: the file cannot be read.</exception>
    public static NodeOptions Resolve(RunOverrides overrides)
    {
        string? config = Choose(overrides.Config, "CONFIG");
        NodeOptions options = config is null ? Default : Read(config);
        if (Choose(overrides.Role, "ROLE") is string role) options.Role = Parse<NodeRole>(role, "--role");
        if (Choose(overrides.Epoch, "EPOCH") is string epoch)
            options.Epoch = uint.TryParse(epoch, out uint number) ? number : throw CommandFailure.Usage($"--epoch: '{epoch}' is no whole number");
        if (Choose(overrides.Journal, "JOURNAL") is string journal) options.Journal = options.Journal with { Directory = journal };
        if (Choose(overrides.Placement, "PLACEMENT") is string placement) options.Placement = Parse<Placement>(placement, "--placement");
        ResolveMode(options, overrides);
        if (Choose(overrides.Input, "INPUT") is string input) options.Input = Stream(options.Input, input, InputStream);
        if (Choose(overrides.Output, "OUTPUT") is string output)
            options.Output = options.Output is null ? new OutputOptions { Channel = output } : options.Output with { Channel = output };
        if (Choose(overrides.Replication, "REPLICATION") is string replication) options.Replication = Stream(options.Replication, replication, ReplicationStream);
        if (Choose(overrides.Acks, "ACKS") is string acks) options.Acks = Stream(options.Acks, acks, AcksStream);
        if (Choose(overrides.PeerJournal, "PEER_JOURNAL") is string peer) options.PeerJournal = peer;
        ResolveLease(options, overrides);
        if (Choose(overrides.SignKey, "SIGN_KEY") is string key)
            options.Signing = options.Signing is null ? new SigningOptions { KeyFile = key } : options.Signing with { KeyFile = key };
        try
        {
            options.Check();
            options.Mode ??= options.ModeInForce; // whoever asks what the settings are is to see it
        }
        catch (NodeOptionsException failure)
        {
            throw CommandFailure.Usage(failure.Message);
        }

        return options;
    }

    // One word for both: whoever names a mode or a gate on the line means it, whatever the file says of either.
    private static void ResolveMode(NodeOptions options, RunOverrides overrides)
    {
        string? mode = Choose(overrides.Mode, "MODE"), gate = Choose(overrides.Gate, "GATE");
        if (mode is null && gate is null) return;
        options.Mode = mode is null ? null : Parse<Mode>(mode, "--mode");
        options.Gate = gate is null ? null : Parse<Gate>(gate, "--gate");
    }

    private static void ResolveLease(NodeOptions options, RunOverrides overrides)
    {
        string? witness = Choose(overrides.Lease, "LEASE"), node = Choose(overrides.Node, "NODE"), millis = Choose(overrides.LeaseMillis, "LEASE_MILLIS");
        if (options.Lease is null && witness is null)
        {
            if (node is not null || millis is not null || overrides.AcceptLoss) throw CommandFailure.Usage("--node, --lease-millis and --accept-loss need --lease");
            return;
        }

        LeaseOptions lease = options.Lease ?? new LeaseOptions { Witness = "", Node = "" };
        if (witness is not null) lease.Witness = witness;
        if (node is not null) lease.Node = node;
        if (millis is not null)
            lease.TtlMillis = int.TryParse(millis, out int number) ? number : throw CommandFailure.Usage($"--lease-millis: '{millis}' is no whole number");
        lease.AcceptLoss |= overrides.AcceptLoss;
        options.Lease = lease;
    }

    private static NodeOptions Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Unreachable($"cannot read {path}: {failure.Message}");
        }

        try
        {
            return NodeOptions.Parse(text);
        }
        catch (NodeOptionsException failure)
        {
            throw CommandFailure.Usage($"{path}: {JsonDocumentFile.Words(failure.Message)}");
        }
    }

    private static string? Choose(string? option, string name)
    {
        string? environment = Environment.GetEnvironmentVariable($"MARGIN_{name}");
        return option ?? (string.IsNullOrEmpty(environment) ? null : environment);
    }

    private static StreamOptions Stream(StreamOptions? given, string channel, int stream) =>
        given is null ? new StreamOptions { Channel = channel, Stream = stream } : given with { Channel = channel };

    private static T Parse<T>(string text, string option)
        where T : struct, Enum =>
        Enum.TryParse(text, ignoreCase: true, out T value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0])
            ? value
            : throw CommandFailure.Usage($"{option}: '{text}' is none of {string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}");
}
