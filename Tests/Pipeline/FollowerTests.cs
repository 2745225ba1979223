// What a standby does with records that are not the next one: a primary made by hand sends it gaps, repeats and old epochs.
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class FollowerTests
{
    private const long Start = 1_770_000_000_000_000_000;

    [Test]
    public void A_gap_is_never_applied_and_the_missing_records_are_asked_for()
    {
        using var bench = new HandMadePrimary();
        bench.SendRecords(1, 3);
        bench.WaitForReceived(3);
        bench.SendRecords(5, 8);
        bench.WorkUntil(() => bench.Acks.Exists(ack => ack.Received == 3 && (ack.Flags & ReplicaFlags.Resend) != 0), "a request to send again");

        // The request may follow the first of the four; the others are on their way.
        bench.WorkUntil(() => bench.Gauges.Events(NodeEvent.RecordAfterGap) >= 4, "all records behind the gap");
        Assert.That(bench.Gauges.Received.Value, Is.EqualTo(3));
        Assert.That(bench.Gauges.Events(NodeEvent.RecordAfterGap), Is.EqualTo(4));
        bench.SendRecords(4, 8);
        bench.WaitForReceived(8);
        Assert.That(bench.JournalAfterStop().Select(input => input.Sequence), Is.EqualTo(Enumerable.Range(1, 8).Select(i => (long)i)));
    }

    [Test]
    public void Records_that_come_twice_are_taken_once()
    {
        using var bench = new HandMadePrimary();
        bench.SendRecords(1, 6);
        bench.SendRecords(2, 9);
        bench.WaitForReceived(9);
        Assert.That(bench.Gauges.Events(NodeEvent.RecordDuplicate), Is.EqualTo(5));
        Assert.That(bench.JournalAfterStop(), Has.Count.EqualTo(9));
    }

    [Test]
    public void A_new_epoch_begins_where_the_primary_says_and_an_older_one_is_refused()
    {
        using var bench = new HandMadePrimary();
        bench.SendRecords(1, 4, epoch: 1);
        bench.SendRecords(5, 7, epoch: 3);
        bench.WaitForReceived(7);
        bench.SendRecords(8, 8, epoch: 2);
        bench.WorkUntil(() => bench.Gauges.Events(NodeEvent.RecordOfOldEpoch) == 1, "the old record to be refused");
        Assert.That(bench.Gauges.Received.Value, Is.EqualTo(7));
        Assert.That(bench.JournalAfterStop().Select(input => input.Epoch), Is.EqualTo(new long[] { 1, 1, 1, 1, 3, 3, 3 }));
    }

    [Test]
    public void An_acknowledgement_says_what_is_received_durable_and_applied_with_the_newest_digest()
    {
        using var bench = new HandMadePrimary();
        bench.SendRecords(1, 5, nanosApart: 400_000_000);
        bench.WorkUntil(() => bench.Acks.Exists(ack => ack is { Received: 5, Durable: 5, Applied: 5 }), "everything confirmed");
        Ack last = bench.Acks[^1];
        Reference reference = Reference.Of(bench.Options);
        HeartbeatDecoder.TryWrap(reference.Decisions.Last(message => Reference.Template(message) == HeartbeatDecoder.TemplateId), out HeartbeatDecoder heartbeat);
        Assert.That((last.DigestSequence, last.State, last.Decisions), Is.EqualTo((heartbeat.Sequence, heartbeat.StateDigest, heartbeat.DecisionDigest)));
        Assert.That(last.Flags, Is.EqualTo((ReplicaFlags)0));
    }

    private sealed record Ack(
        uint Epoch, ulong Received, ulong Durable, ulong Applied, ulong DigestSequence, ulong State, ulong Decisions, ReplicaFlags Flags);

    private sealed class HandMadePrimary : IMessageHandler, IDisposable
    {
        private readonly TestDirectory _directory = new();
        private readonly AeronAgent _agent = new(new AeronOptions(new WireClock()) { TermLength = 1 << 20 });
        private readonly Publication _records;
        private readonly Subscription _acks;
        private readonly TestNode.Running _standby;
        private readonly List<byte[]> _script = Script.Messages(ticks: 10);
        private readonly byte[] _frame = new byte[16_384];

        public HandMadePrimary()
        {
            (_, Options) = TestNode.Pair(_directory);
            _standby = TestNode.Start(Options);
            _records = _agent.AddPublication(Options.Replication!.Channel, Options.Replication.Stream);
            _acks = _agent.AddSubscription(Options.Acks!.Channel, Options.Acks.Stream);
            WorkUntil(() => _records.IsConnected && _acks.IsConnected, "a connection");
        }

        public NodeOptions Options { get; }

        public List<Ack> Acks { get; } = [];

        public NodeGauges Gauges => _standby.Node.Gauges;

        public void SendRecords(int first, int last, uint epoch = 1, long nanosApart = 1_000_000)
        {
            for (int sequence = first; sequence <= last; sequence++)
            {
                ReplicaRecordEncoder record = ReplicaRecordEncoder.Wrap(_frame);
                record.Epoch = epoch;
                record.Sequence = (ulong)sequence;
                record.Time = (ulong)(Start + sequence * nanosApart);
                record.SetMessage(_script[sequence - 1]);
                int length = record.EncodedLength;
                WorkUntil(() => _records.Offer(_frame.AsSpan(0, length)) > 0, "room for a record");
            }
        }

        public void WaitForReceived(long sequence) =>
            WorkUntil(() => Gauges.Received.Value == sequence && Gauges.Journalled.Value == sequence, $"sequence {sequence}");

        public void WorkUntil(Func<bool> condition, string what) => Until.True(
            condition,
            () =>
            {
                _standby.Check();
                _agent.DoWork();
                HandMadePrimary handler = this;
                _acks.Poll(ref handler, 64);
            },
            () => $"waited for {what}: {_standby.Node.Status()}");

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            if (ReplicaAckDecoder.TryWrap(message, out ReplicaAckDecoder ack))
                Acks.Add(new Ack(ack.Epoch, ack.Received, ack.Durable, ack.Applied, ack.DigestSequence, ack.StateDigest, ack.DecisionDigest, ack.Flags));
            return PollAction.Continue;
        }

        public List<(long Sequence, long TimestampNanos, long Epoch, byte[] Message)> JournalAfterStop()
        {
            Assert.That(_standby.Node.Stop(Until.Patience), Is.True);
            return Reference.Of(Options).Inputs;
        }

        public void Dispose()
        {
            _standby.Dispose();
            _agent.Dispose();
            _directory.Dispose();
        }
    }
}
