// A configuration is read whole or refused with the key that is wrong.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

public sealed class NodeOptionsTests
{
    private static readonly string Complete = """
        {
          "role": "Primary",
          "epoch": 3,
          "input": { "channel": "aeron:udp?endpoint=127.0.0.1:40100", "stream": 10 },
          "output": { "channel": "aeron:udp?endpoint=127.0.0.1:40101", "marginStream": 20, "replyStream": 21 },
          "replication": { "channel": "aeron:udp?endpoint=127.0.0.1:40102", "stream": 30 },
          "acks": { "channel": "aeron:udp?endpoint=127.0.0.1:40103", "stream": 31 },
          "journal": { "directory": "/tmp/journal", "syncMode": "FileSync", "segmentBytes": 1048576, "batchBytes": 65536 },
          "placement": "Merged",
          "gate": "Both",
          "idleSpinMicros": 7
        }
        """;

    [Test]
    public void A_complete_configuration_is_read_and_written_back_the_same()
    {
        NodeOptions options = NodeOptions.Parse(Complete);
        Assert.That(options.Epoch, Is.EqualTo(3));
        Assert.That(options.Journal.SyncMode, Is.EqualTo(SyncMode.FileSync));
        Assert.That(options.Gate, Is.EqualTo(Gate.Both));
        Assert.That(options.IdleSpinMicros, Is.EqualTo(7));
        Assert.That(options.TimeTickMillis, Is.EqualTo(50), "a default");
        Assert.That(NodeOptions.Parse(options.ToJson()), Is.EqualTo(options));
    }

    [TestCase("\"epoch\": 3", "\"epock\": 3", "epock", TestName = "A_misspelt_key")]
    [TestCase("\"epoch\": 3", "\"epoch\": 0", "epoch is 0: it must be between 1 and 4294967295", TestName = "An_epoch_of_zero")]
    [TestCase("\"epoch\": 3", "\"epoch\": \"three\"", "$.epoch", TestName = "A_word_for_a_number")]
    [TestCase("\"gate\": \"Both\"", "\"gate\": \"Perhaps\"", "$.gate", TestName = "An_unknown_gate")]
    [TestCase("\"idleSpinMicros\": 7", "\"idleSpinMicros\": -1", "idleSpinMicros is -1: it must be between 0", TestName = "A_negative_time")]
    [TestCase("\"idleSpinMicros\": 7", "\"inputRingSlots\": 1000", "inputRingSlots is 1000: it must be a power of two", TestName = "An_odd_ring")]
    [TestCase("\"idleSpinMicros\": 7", "\"inputRingSlots\": 64", "inputRingSlots (twice the longest message) is 64: it must be between 66",
        TestName = "A_ring_too_small_for_a_message")]
    [TestCase("\"segmentBytes\": 1048576", "\"segmentBytes\": 1000", "SegmentBytes 1000", TestName = "A_segment_that_is_no_multiple_of_a_block")]
    [TestCase("\"replyStream\": 21", "\"replyStream\": 20", "output.marginStream and output.replyStream are both 20",
        TestName = "One_stream_for_two_things")]
    [TestCase("\"directory\": \"/tmp/journal\", ", "", "directory", TestName = "A_journal_without_a_directory")]
    [TestCase("\"input\": { \"channel\": \"aeron:udp?endpoint=127.0.0.1:40100\", \"stream\": 10 },", "",
        "input is missing: a Primary needs it", TestName = "A_primary_without_input")]
    [TestCase("\"acks\": { \"channel\": \"aeron:udp?endpoint=127.0.0.1:40103\", \"stream\": 31 },", "",
        "replication and acks belong together", TestName = "Replication_without_acknowledgements")]
    public void A_mistake_is_refused_by_name(string correct, string mistake, string message)
    {
        Assert.That(Complete, Does.Contain(correct));
        Assert.That(
            () => NodeOptions.Parse(Complete.Replace(correct, mistake, StringComparison.Ordinal)),
            Throws.InstanceOf<NodeOptionsException>().With.Message.Contains(message));
    }

    [TestCase(null, null, true, Gate.Both, Mode.Durable)]
    [TestCase(null, null, false, Gate.Journal, Mode.Alone)]
    [TestCase(Mode.Alone, null, false, Gate.Journal, Mode.Alone)]
    [TestCase(Mode.Durable, null, true, Gate.Both, Mode.Durable)]
    [TestCase(Mode.Fast, null, true, Gate.Replica, Mode.Fast)]
    [TestCase(Mode.Fast, Gate.Replica, true, Gate.Replica, Mode.Fast)]
    [TestCase(null, Gate.Both, true, Gate.Both, Mode.Durable)]
    [TestCase(null, Gate.Replica, true, Gate.Replica, Mode.Fast)]
    [TestCase(null, Gate.Journal, true, Gate.Journal, null)]
    [TestCase(null, Gate.Journal, false, Gate.Journal, Mode.Alone)]
    public void A_mode_stands_for_its_gate_and_durable_is_the_default_with_a_standby(Mode? mode, Gate? gate, bool hasStandby, Gate inForce, Mode? modeInForce)
    {
        NodeOptions options = NodeOptions.Parse(Complete) with { Mode = mode, Gate = gate };
        if (!hasStandby)
            options = options with { Replication = null, Acks = null };
        options.Check();
        Assert.That((options.GateInForce, options.ModeInForce), Is.EqualTo((inForce, modeInForce)));
        NodeOptions read = NodeOptions.Parse(options.ToJson());
        Assert.That((read, read.GateInForce), Is.EqualTo((options, inForce)));
    }

    [TestCase(Mode.Durable, Gate.Journal, "mode Durable and gate Journal contradict each other: its gate is Both")]
    [TestCase(Mode.Durable, Gate.Replica, "mode Durable and gate Replica contradict")]
    [TestCase(Mode.Fast, Gate.Both, "mode Fast and gate Both contradict")]
    [TestCase(Mode.Alone, Gate.Both, "mode Alone and gate Both contradict")]
    [TestCase(Mode.Alone, null, "mode Alone and replication contradict")]
    public void A_mode_and_what_contradicts_it_are_refused_by_name(Mode mode, Gate? gate, string message)
    {
        NodeOptions options = NodeOptions.Parse(Complete) with { Mode = mode, Gate = gate };
        Assert.That(options.Check, Throws.InstanceOf<NodeOptionsException>().With.Message.Contains(message));
    }

    [Test]
    public void A_mode_is_refused_where_the_disk_would_not_keep_its_promise_or_be_waited_for([Values] Mode mode)
    {
        NodeOptions options = NodeOptions.Parse(Complete) with { Mode = mode, Gate = null };
        if (mode == Mode.Alone)
            options = options with { Replication = null, Acks = null };
        NodeOptions unsynced = options with { Journal = options.Journal with { SyncMode = SyncMode.NoneLosesDataOnPowerCut } };
        Assert.That(unsynced.Check, Throws.InstanceOf<NodeOptionsException>().With.Message.Contains($"mode {mode} and journal.syncMode NoneLosesDataOnPowerCut contradict"));
        Assert.That((unsynced with { Mode = null, Gate = Gate.Journal }).Check, Throws.Nothing, "a bench says gate, not mode");
        NodeOptions waiting = options with { DeciderWaitsForJournal = true };
        if (mode == Mode.Fast)
            Assert.That(waiting.Check, Throws.InstanceOf<NodeOptionsException>().With.Message.Contains("mode Fast and deciderWaitsForJournal contradict"));
        else
            Assert.That(waiting.Check, Throws.Nothing);
    }

    [TestCase(Mode.Durable)]
    [TestCase(Mode.Fast)]
    public void A_mode_that_needs_a_standby_is_refused_without_one(Mode mode)
    {
        NodeOptions alone = NodeOptions.Parse(Complete) with { Mode = mode, Gate = null, Replication = null, Acks = null };
        Assert.That(alone.Check, Throws.InstanceOf<NodeOptionsException>().With.Message.Contains($"mode {mode} needs replication"));
    }

    [Test]
    public void A_gate_that_needs_a_standby_is_refused_without_one()
    {
        NodeOptions alone = NodeOptions.Parse(Complete) with { Replication = null, Acks = null };
        Assert.That(alone.Check, Throws.InstanceOf<NodeOptionsException>().With.Message.Contains("gate Both needs replication"));
    }
}
