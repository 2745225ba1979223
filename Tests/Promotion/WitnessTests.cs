// Two nodes of this process and a witness: cut from each other, the witness decides; cut from the witness, a primary stops by itself.
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tool.Demo;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class WitnessTests
{
    [Test]
    public void Cut_from_each_other_the_primary_stays_and_the_standby_stays_and_nothing_leaves_that_only_one_has()
    {
        using var directory = new TestDirectory();
        (NodeOptions first, _) = TestNode.Pair(directory, Gate.Both);
        int[] ports = FreePorts.Take(4);
        using var records = new UdpRelay(ports[0], ports[1]);
        using var acks = new UdpRelay(ports[2], ports[3]);
        NodeOptions left = Member(first, directory, "left", NodeRole.Primary, ports[0], ports[3]);
        NodeOptions right = Member(first, directory, "right", NodeRole.Standby, ports[1], ports[2]) with
        {
            Input = new StreamOptions { Channel = Ports.Channel(), Stream = 10 },
            Output = new OutputOptions { Channel = Ports.Channel() },
        };
        List<byte[]> script = Script.Messages(ticks: 400, seed: 8);
        using Running primary = new(left), standby = new(right);
        using var client = new PairClient(script, left, right);
        void Poll()
        {
            client.Work(4);
            Assert.That(primary.Member.Poll(), Is.Not.EqualTo(MemberChange.Ended), () => $"{primary.Member.Node?.Fault}");
            Assert.That(standby.Member.Poll(), Is.Not.EqualTo(MemberChange.Ended), () => $"{standby.Member.Node?.Fault}");
        }

        string Picture() => $"{primary.Member.Node?.Status()} {primary.Member.Lease} {standby.Member.Node?.Status()} {standby.Member.Lease} {standby.Member.Objection}";
        Until.True(() => client.Confirmed >= 100 && standby.Member.Node?.Gauges.Events(NodeEvent.DigestEqual) > 0, Poll, Picture);

        records.IsCut = acks.IsCut = true;
        NodeGauges gauges = primary.Member.Node!.Gauges;
        Until.True(() => gauges.StandbyConnected.Value == 0 && gauges.Journalled.Value > gauges.ReplicaReceived.Value, Poll, Picture);
        long confirmed = gauges.ReplicaReceived.Value;
        long heard = standby.Member.Node!.Gauges.PrimaryHeardNanos.Value;
        for (int i = 0; i < 2_000; i++)
            Poll();
        Assert.That(standby.Member.Node!.Gauges.PrimaryHeardNanos.Value, Is.EqualTo(heard), "the wire is cut");
        Assert.That((primary.Member.Node.Options.Role, standby.Member.Node.Options.Role), Is.EqualTo((NodeRole.Primary, NodeRole.Standby)));
        Assert.That(primary.Member.Lease!.State, Is.EqualTo(LeaseState.Mine));
        Assert.That(standby.Member.Objection, Does.Contain("the lease is not free: held by left, epoch 1"));
        Assert.That(client.DecisionsOf(0).Max(message => BitConverter.ToInt64(message, 8)), Is.LessThanOrEqualTo(confirmed));
        Assert.That(client.Heard(1), Is.Zero, "the standby is silent");

        records.IsCut = acks.IsCut = false;
        Until.True(() => client.IsDone, Poll, Picture);
        Assert.That(gauges.Diverged.Value, Is.Zero);
    }

    [Test]
    public void A_primary_that_cannot_reach_its_witness_stops_by_itself_and_says_so()
    {
        using var directory = new TestDirectory();
        string witness = directory.Journal("witness");
        Directory.CreateDirectory(witness);
        (NodeOptions first, _) = TestNode.Pair(directory, Gate.Journal);
        NodeOptions options = first with { Lease = new LeaseOptions { Witness = Path.Combine(witness, "lease"), Node = "left", TtlMillis = 1_000 } };
        List<byte[]> script = Script.Messages(ticks: 400, seed: 9);
        using Running primary = new(options);
        using var client = new PairClient(script, options);
        Until.True(
            () => client.Confirmed >= 50,
            () =>
            {
                client.Work(4);
                primary.Member.Poll();
            },
            () => $"{primary.Member.Node?.Status()}");
        Directory.Move(witness, witness + ".away");
        client.WorkUntil(() => primary.Member.Poll() == MemberChange.Ended, () => $"it goes on: {primary.Member.Lease}", 1);
        NodeFault fault = primary.Member.Node!.Fault!;
        Assert.That(fault.Cause, Is.InstanceOf<LeaseLostException>().With.Message.Contains("the lease of 1000 ms is not held any more"));
        for (int i = 0; i < 100; i++)
            client.Work(0);
        int heard = client.Heard(0);
        for (int i = 0; i < 500; i++)
            client.Work(1);
        Assert.That(client.Heard(0), Is.EqualTo(heard), "said without a lease");
        Directory.Move(witness + ".away", witness);
    }

    private static NodeOptions Member(NodeOptions options, TestDirectory directory, string name, NodeRole role, int records, int acks) => options with
    {
        Role = role,
        Journal = TestNode.SmallJournal(directory.Journal(name)),
        Replication = new StreamOptions { Channel = $"aeron:udp?endpoint=127.0.0.1:{records}", Stream = 30 },
        Acks = new StreamOptions { Channel = $"aeron:udp?endpoint=127.0.0.1:{acks}", Stream = 31 },
        SubscriberGraceMillis = 20_000,
        RepublishMillis = 100_000,
        Lease = new LeaseOptions { Witness = directory.Journal("lease"), Node = name, TtlMillis = 5_000 },
    };

    private sealed class Running : IDisposable
    {
        private readonly LeaseKeeper _keeper;

        public Running(NodeOptions options)
        {
            _keeper = new LeaseKeeper(options.Lease!.Open(), new Clock());
            _keeper.Start();
            Member = new PairMember(options, _keeper);
        }

        public PairMember Member { get; }

        public void Dispose()
        {
            Member.Dispose();
            _keeper.Dispose();
        }
    }
}
