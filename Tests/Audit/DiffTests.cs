using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>`margin diff` names record and field, tells a longer tail as such, and ends with 3 for both.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class DiffTests
{
    private const int Records = 500;

    private static byte[] Fill(int sequence, long price = 64_000_00000000, ushort version = FillDecoder.SchemaVersion)
    {
        byte[] buffer = new byte[256];
        FillEncoder fill = FillEncoder.Wrap(buffer);
        fill.SetOrigin((ulong)sequence, 7, 1, OriginFlags.None);
        fill.AccountId = 42;
        fill.InstrumentId = 3;
        fill.Side = Side.Buy;
        fill.Quantity = 5;
        fill.SetPrice(price);
        fill.SetFee(0, -6);
        BitConverter.TryWriteBytes(buffer.AsSpan(6), version);
        return buffer[..fill.EncodedLength];
    }

    private static byte[] Slice(int sequence, params long[] nodes)
    {
        byte[] buffer = new byte[512];
        VolatilityGridEncoder grid = VolatilityGridEncoder.Wrap(buffer);
        grid.SetOrigin((ulong)sequence, 7, 1, OriginFlags.None);
        grid.UnderlyingId = 1;
        grid.Expiry = 99;
        var group = grid.NodesCount(nodes.Length);
        for (int node = 0; node < nodes.Length; node++)
        {
            var entry = group[node];
            entry.SetLogMoneyness(node);
            entry.SetVolatility(nodes[node]);
        }

        return buffer[..grid.EncodedLength];
    }

    private sealed record Change(Func<int, byte[]>? Message = null, long Time = 0, long Epoch = 1, int Records = Records);

    private static string Write(ScratchFolder scratch, string name, Change change, int segmentBytes = 256 << 10)
    {
        JournalOptions options = new() { Directory = scratch.File(name), SegmentBytes = segmentBytes, BatchBytes = 16 << 10, ReserveBytes = 0, SyncMode = SyncMode.FileSync };
        using JournalWriter writer = JournalWriter.Open(options, EngineIdentity.Current, new Storage());
        for (int sequence = 1; sequence <= change.Records; sequence++)
        {
            bool isChanged = sequence == 321;
            byte[] message = isChanged && change.Message is not null ? change.Message(sequence) : Fill(sequence);
            long epoch = sequence >= 321 ? change.Epoch : 1, time = 1_000L * sequence + (isChanged ? change.Time : 0);
            if (!writer.TryAppend(1, epoch, sequence, time, message))
            {
                writer.Commit();
                Assert.That(writer.TryAppend(1, epoch, sequence, time, message), Is.True);
            }
        }

        writer.Commit();
        return options.Directory;
    }

    private static IEnumerable<TestCaseData> Changes()
    {
        static TestCaseData Case(string name, Change change, string field, string left, string right) => new TestCaseData(change, field, left, right).SetArgDisplayNames(name);
        yield return Case("a price", new Change(sequence => Fill(sequence, 64_000_50000000)), "message.price", "64000", "64000.5");
        yield return Case("another message", new Change(sequence => Slice(sequence, 1)), "message.template", "Fill", "VolatilityGrid");
        yield return Case("a time", new Change(Time: 1), "time", "321000", "321001");
        yield return Case("an epoch", new Change(Epoch: 2), "epoch", "1", "2");
        yield return Case("a version", new Change(sequence => Fill(sequence, version: 2)), "message.schemaVersion", $"{FillDecoder.SchemaVersion}", "2");
        yield return Case("a length", new Change(sequence => [.. Fill(sequence), 0]), $"byte {Fill(1).Length}", "nothing", "0x00");
    }

    [TestCaseSource(nameof(Changes))]
    public void The_first_difference_is_named_by_record_and_field(object change, string field, string left, string right)
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.Run("diff", Write(scratch, "a", new Change()), Write(scratch, "b", (Change)change), "--json");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        JsonElement found = JsonDocument.Parse(result.Out).RootElement;
        Assert.That(
            (found.GetProperty("outcome").GetString(), found.GetProperty("sequence").GetInt64(), found.GetProperty("equalRecords").GetInt64()),
            Is.EqualTo(("different", 321L, 320L)), result.Out);
        Assert.That(
            (found.GetProperty("field").GetString(), found.GetProperty("left").GetString(), found.GetProperty("right").GetString()),
            Is.EqualTo((field, left, right)), result.Out);
    }

    [Test]
    public void An_entry_of_a_group_is_named_by_its_place()
    {
        using ScratchFolder scratch = new();
        string left = Write(scratch, "a", new Change(sequence => Slice(sequence, 10, 20, 30))), right = Write(scratch, "b", new Change(sequence => Slice(sequence, 10, 21, 30)));
        Assert.That(MarginCommand.Run("diff", left, right).Out, Does.Contain("message.nodes[1].volatility of VolatilityGrid"));
    }

    [Test]
    public void The_same_history_in_other_segments_is_the_same_and_a_longer_one_is_told_as_longer()
    {
        using ScratchFolder scratch = new();
        string left = Write(scratch, "a", new Change()), other = Write(scratch, "b", new Change(), segmentBytes: 64 << 10), shorter = Write(scratch, "c", new Change(Records: 450));
        CommandResult same = MarginCommand.Run("diff", left, other), longer = MarginCommand.Run("diff", shorter, left);
        Assert.That(same.Code, Is.Zero, same.ToString());
        Assert.That(same.Out, Does.Contain($"the same: {Records} records, sequences 1 to {Records}"));
        Assert.That(longer.Code, Is.EqualTo(ExitCode.Difference), longer.ToString());
        Assert.That(longer.Out, Does.Contain("equal up to sequence 450").And.Contain($"{left} goes on: 50 records more, from sequence 451"));
    }

    [Test]
    public void Streams_that_two_subscribers_kept_are_compared_field_by_field()
    {
        using ScratchFolder scratch = new();
        static string Line(int sequence, string ratio) => "{\"message\":{\"template\":\"MarginUpdate\",\"sequence\":" + sequence + ",\"ratio\":\"" + ratio + "\"}}\n";
        string left = scratch.Write("a.jsonl", Line(1, "0.1") + Line(2, "0.2") + Line(2, "0.2") + Line(3, "0.3"));
        string right = scratch.Write("b.jsonl", Line(1, "0.1") + Line(2, "0.25") + Line(3, "0.3"));
        CommandResult result = MarginCommand.Run("diff", left, right);
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Out, Does.Contain("the records of sequence 2 differ in message.ratio of MarginUpdate: 0.2 against 0.25"));
        string longer = scratch.Write("c.jsonl", Line(1, "0.1") + Line(2, "0.2") + Line(3, "0.3") + Line(4, "0.4"));
        Assert.That(MarginCommand.Run("diff", left, longer).Out, Does.Contain("equal up to sequence 3 (3 records)").And.Contain("1 records more"), "what was heard twice counts once");
    }

    [Test]
    public void Things_that_cannot_be_compared_are_refused()
    {
        using ScratchFolder scratch = new();
        string journal = Write(scratch, "a", new Change(Records: 3)), text = scratch.Write("t", "rubbish\n");
        Assert.That(MarginCommand.Run("diff", journal, text).Code, Is.EqualTo(ExitCode.Unreachable));
        Assert.That(MarginCommand.Run("diff", text, text).Code, Is.EqualTo(ExitCode.Unreachable));
        Assert.That(MarginCommand.Run("diff", journal, scratch.File("nothing")).Code, Is.EqualTo(ExitCode.Unreachable));
    }
}
