// Two `margin run` processes that are each other's standby, with a lease in a file, each with its own ports.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tool.Audit;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

internal sealed class Pair : IDisposable
{
    private static readonly string[] Names = ["left", "right"];
    private readonly TestDirectory _directory = new();
    private readonly MemberProcess?[] _nodes = new MemberProcess?[2];
    private readonly List<MemberProcess> _all = [];

    public Pair(Gate gate, int leaseMillis, string? witness = null, bool hasWitness = true)
    {
        (NodeOptions first, _) = TestNode.Pair(_directory, gate);
        StreamOptions[] records = [Hearing(30), Hearing(30)], acks = [Hearing(31), Hearing(31)]; // where each node hears
        Options = [.. Names.Select((name, index) => first with
        {
            Role = index == 0 ? NodeRole.Primary : NodeRole.Standby,
            Input = new StreamOptions { Channel = Ports.Channel(), Stream = 10 },
            Replication = records[1 - index],
            Acks = acks[index],
            AsStandby = new ReplicaOptions { Replication = records[index], Acks = acks[1 - index] },
            Output = new OutputOptions { Channel = Ports.Channel() },
            Journal = TestNode.SmallJournal(_directory.Journal(name)),
            SubscriberGraceMillis = 20_000,
            RepublishMillis = 100_000,
            Lease = hasWitness ? new LeaseOptions { Witness = witness ?? _directory.Journal("lease"), Node = name, TtlMillis = leaseMillis } : null,
        })];
    }

    private static StreamOptions Hearing(int stream) => new() { Channel = Ports.Channel(), Stream = stream };

    public NodeOptions[] Options { get; }

    public string Messages => string.Join("\n", _nodes.Select(node => $"{node?.Messages} [{node?.Status("role")} {node?.Status("epoch")} received {node?.Status("received")} published {node?.Status("published")} takes input {node?.Status("takesInput")} alone {node?.Status("alone")} {node?.Status("lease")}]"));

    public MemberProcess[] Start() => [Restart(0), Restart(1)];

    public MemberProcess Restart(int side)
    {
        MemberProcess process = new(Names[side], Options[side], _directory.Journal($"{Names[side]}.json"));
        _nodes[side] = process;
        _all.Add(process);
        return process;
    }

    /// <summary>The node that takes input; waits for one.</summary>
    public MemberProcess Primary(PairClient client)
    {
        client.WorkUntil(() => _nodes.Any(node => node is { HasExited: false, TakesInput: true, IsPrimary: true }), () => Messages);
        return _nodes.Single(node => node is { HasExited: false, TakesInput: true, IsPrimary: true })!;
    }

    /// <summary>This standby could take over now: the primary no longer does without one, and digests were compared in this run.</summary>
    public bool IsReady(MemberProcess standby) =>
        HasComparedDigests(standby) && _nodes.Single(node => node != standby) is { } primary && primary.Status("alone") == "False" && primary.Status("standbyConnected") == "True";

    public bool HasComparedDigests(MemberProcess standby) => standby.Status("role") == "standby" && standby.Status("events").Contains("DigestEqual", StringComparison.Ordinal);

    /// <summary>Ends the primary in order, with a standby that confirms everything to the last and does not take over.</summary>
    public void StopAll(PairClient client, MemberProcess primary)
    {
        foreach (MemberProcess node in _nodes.OfType<MemberProcess>().Where(node => node != primary && !node.HasExited))
        {
            node.Tell(Tool.Running.NodeRun.StayStandby);
            client.WorkUntil(() => node.Status("staysStandby") == "True", () => Messages);
        }

        Task<int> ending = Task.Run(primary.Stop);
        client.WorkBusily(() => ending.IsCompleted, () => Messages);
        for (int i = 0; i < 300; i++)
            client.Work(0);
    }

    /// <summary>The journals agree as far as both reach, everything sent is in them once, and the client heard what they decide and nothing else.</summary>
    public void AssertOneHistory(PairClient client, List<byte[]> script)
    {
        foreach (MemberProcess process in _all.Where(process => !process.HasExited))
            process.Kill();
        Reference left = Reference.Of(Options[0]), right = Reference.Of(Options[1]);
        int common = Math.Min(left.Inputs.Count, right.Inputs.Count);
        Assert.That(Records(left, common), Is.EqualTo(Records(right, common)));
        Reference longest = left.Inputs.Count > right.Inputs.Count ? left : right;
        Assert.That(longest.InputsOf(Script.Source), Is.EqualTo(script), "every input once, in order");
        Successor.AssertNothingMissing(longest, client.Margins, client.Replies);
    }

    public void Dispose()
    {
        foreach (MemberProcess process in _all)
            process.Dispose();
        _directory.Dispose();
    }

    private static IEnumerable<string> Records(Reference reference, int count) =>
        reference.Inputs.Take(count).Select(input => $"{input.Sequence} {input.TimestampNanos} {input.Epoch} {Reference.Key(input.Message)}");
}
