// A former primary that comes back: what it has and its successor never had is kept beside its journal, cut, and told; then it follows.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class RejoinTests
{
    private static readonly List<byte[]> Script = PipelineTests.Script.Messages(ticks: 200);

    [Test]
    public void Records_that_its_successor_never_had_are_kept_beside_and_cut_and_it_follows()
    {
        using var directory = new TestDirectory();
        (NodeOptions old, NodeOptions standby) = TestNode.Pair(directory);
        RestartTests.WriteJournal(old, Script.Take(120));
        RestartTests.WriteJournal(standby, Script.Take(100));
        using TestNode.Running successor = TakeOver(standby, epoch: 2);
        Follow(old, successor, (101, 120));
        string side = Path.Combine(old.Journal.Directory, "unreplicated-epoch-1-sequences-101-120");
        Assert.That(Reference.Of(old).Inputs, Has.Count.GreaterThan(100));
        using JournalReader reader = JournalReader.Open(new Storage(), side, EngineIdentity.Current);
        foreach (byte[] expected in Script.Skip(100).Take(20))
        {
            Assert.That(reader.TryRead(out JournalRecord record), Is.True);
            Assert.That(record.Message.ToArray(), Is.EqualTo(expected));
        }

        CommandTests.CommandResult shown = CommandTests.MarginCommand.Run("inspect", side);
        Assert.That(shown.Code, Is.Zero, shown.ToString());
        Assert.That(shown.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(20));
        AssertSameStart(old, standby);
    }

    [Test]
    public void The_place_is_that_where_its_own_epoch_ended_also_after_later_promotions()
    {
        using var directory = new TestDirectory();
        (NodeOptions old, NodeOptions standby) = TestNode.Pair(directory);
        RestartTests.WriteJournal(old, Script.Take(120));
        RestartTests.WriteJournal(standby, Script.Take(100));
        using (TestNode.Running second = TakeOver(standby, epoch: 2))
            Until.True(() => second.Node.Gauges.Journalled.Value > 140, () => { }, () => $"{second.Node.Status()}");
        using TestNode.Running third = TestNode.Start(Successor.Of(standby, epoch: 3));
        Follow(old, third, (101, 120));
        AssertSameStart(old, standby);
    }

    [Test]
    public void A_former_primary_that_had_replicated_everything_cuts_nothing()
    {
        using var directory = new TestDirectory();
        (NodeOptions old, NodeOptions standby) = TestNode.Pair(directory);
        RestartTests.WriteJournal(old, Script.Take(90));
        RestartTests.WriteJournal(standby, Script.Take(100));
        using TestNode.Running successor = TakeOver(standby, epoch: 2);
        Follow(old, successor, null);
        AssertSameStart(old, standby);
    }

    [Test]
    public void Another_history_is_refused_and_named_wherever_the_two_part([Values(120, 90)] int records)
    {
        using var directory = new TestDirectory();
        (NodeOptions old, NodeOptions standby) = TestNode.Pair(directory);
        List<byte[]> forged = [.. Script.Take(records).Select(message => message.ToArray())];
        byte[] deposit = forged.First(message => Reference.Template(message) == CollateralTransferDecoder.TemplateId);
        deposit[Frame.OriginEnd + 10]++;
        RestartTests.WriteJournal(old, forged);
        RestartTests.WriteJournal(standby, Script.Take(100));
        using TestNode.Running successor = TakeOver(standby, epoch: 2);
        using var member = new PairMember(old with { Role = NodeRole.Standby }, lease: null);
        HistoryDivergedException? refusal = null;
        Until.True(
            () =>
            {
                try
                {
                    if (member.Poll() == MemberChange.Ended)
                        refusal = member.Node!.Fault!.Cause as HistoryDivergedException;
                }
                catch (HistoryDivergedException error)
                {
                    refusal = error;
                }

                return refusal is not null;
            },
            () => { },
            () => $"{successor.Node.Status()} {member.Node?.Fault}");
        Assert.That(refusal!.Message, Does.Contain("the histories part before sequence 101"));
        member.Dispose();
        Assert.That(Reference.Of(old).Inputs, Has.Count.EqualTo(Math.Max(100, records)), "nothing was cut, and nothing followed behind the place");
        Assert.That(successor.Node.Fault, Is.Null, "the primary goes on");
    }

    [Test]
    public void A_promoted_primary_goes_on_alone_and_its_gate_closes_when_a_standby_has_caught_up()
    {
        using var directory = new TestDirectory();
        (NodeOptions old, NodeOptions standby) = TestNode.Pair(directory);
        RestartTests.WriteJournal(old, Script.Take(100));
        RestartTests.WriteJournal(standby, Script.Take(100));
        using TestNode.Running successor = TakeOver(standby, epoch: 2, Gate.Both);
        NodeGauges gauges = successor.Node.Gauges;
        Until.True(() => gauges.Published.Value > 110, () => { }, () => $"{successor.Node.Status()}");
        Assert.That(gauges.Alone.Value, Is.EqualTo(1));
        using (var follower = new PairMember(old with { Role = NodeRole.Standby }, lease: null))
        {
            Until.True(() => follower.Poll() != MemberChange.Ended && gauges.Alone.Value == 0, () => { }, () => $"{successor.Node.Status()}");
            Until.True(() => Candidacy.IsInGate(follower.Node!.Gauges), () => { }, () => $"{follower.Node!.Status()}");
            Until.True(() => gauges.ReplicaReceived.Value >= follower.Node!.Gauges.GatedFrom.Value, () => { }, () => $"{successor.Node.Status()}");
            Assert.That(follower.Node!.Gauges.PrimaryEpoch.Value, Is.EqualTo(2));
        }

        Until.True(() => gauges.StandbyConnected.Value == 0 && gauges.Received.Value > gauges.ReplicaReceived.Value, () => { }, () => $"{successor.Node.Status()}");
        long confirmed = gauges.ReplicaReceived.Value;
        Until.True(() => gauges.Journalled.Value > confirmed, () => { }, () => $"{successor.Node.Status()}");
        Assert.That(gauges.Published.Value, Is.LessThanOrEqualTo(confirmed), "the gate stays closed: its standby is gone");
    }

    private static TestNode.Running TakeOver(NodeOptions standby, uint epoch, Gate gate = Gate.Journal)
    {
        using var node = new Node(standby);
        node.Start();
        using Handover handover = node.HandOver(Until.Patience);
        return TestNode.Run(new Node(Successor.Of(standby, epoch) with { Gate = gate, TimeTickMillis = 10 }, handover));
    }

    /// <summary>Runs the old primary as a standby until digests agree, and checks what was cut.</summary>
    private static void Follow(NodeOptions old, TestNode.Running successor, (long First, long Last)? cut)
    {
        List<long> told = [];
        using var member = new PairMember(old with { Role = NodeRole.Standby }, lease: null);
        Until.True(
            () =>
            {
                Assert.That(member.Poll(told.Add), Is.Not.EqualTo(MemberChange.Ended), () => $"{member.Node?.Fault}");
                successor.Check();
                return member.Node?.Gauges.Events(NodeEvent.DigestEqual) > 0;
            },
            () => { },
            () => $"{successor.Node.Status()} {member.Node?.Status()}");
        Assert.That(member.Tail is { Records: > 0 } tail ? (tail.First, tail.Last) : ((long, long)?)null, Is.EqualTo(cut));
        Assert.That(told, Is.EqualTo(cut is { } place ? new[] { place.First } : []), "whoever keeps notes beside the journal was told");
        Assert.That(member.RecordsCut, Is.EqualTo(cut is { } range ? range.Last - range.First + 1 : 0));
        Assert.That(successor.Node.Gauges.Events(NodeEvent.UnreplicatedTail), cut is null ? Is.Zero : Is.GreaterThan(0));
    }

    private static void AssertSameStart(NodeOptions old, NodeOptions standby)
    {
        Reference ours = Reference.Of(old), theirs = Reference.Of(standby);
        int common = Math.Min(ours.Inputs.Count, theirs.Inputs.Count);
        Assert.That(common, Is.GreaterThan(100));
        Assert.That(
            ours.Inputs.Take(common).Select(input => $"{input.Sequence} {input.TimestampNanos} {input.Epoch} {Reference.Key(input.Message)}"),
            Is.EqualTo(theirs.Inputs.Take(common).Select(input => $"{input.Sequence} {input.TimestampNanos} {input.Epoch} {Reference.Key(input.Message)}")));
    }
}
