// A real primary on a disk that gets full: it refuses and beats on, it keeps everything it said, also through kill -9, and it goes on by itself
// when there is room.
using System.Diagnostics;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tests.PromotionTests;
using MarginEngine.Tool.Audit;
using NUnit.Framework;

namespace MarginEngine.Tests.ProcessTests;

[NonParallelizable]
public sealed class FullDiskTests
{
    private const int Segment = 256 << 10;

    // A commit takes a block of 4 KiB whatever is in it: at the rate of the watch the script needs far more than its bytes.
    private const int EnoughMegabytes = 256;

    [Test]
    public void A_full_disk_refuses_input_keeps_what_it_said_through_kill_9_and_goes_on_when_there_is_room()
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 3);
        using var directory = new TestDirectory();
        string journal = Path.Combine(disk.Path, "journal");
        NodeOptions options = OnSmallDisk(journal);
        List<byte[]> script = Script.Messages(ticks: 20_000, seed: 12);
        using var client = new PairClient(script, options);
        var watch = new DecisionWatch(client, sides: 1);
        var refusals = new Refusals(client);
        MemberProcess node = new("node", options, directory.Journal("node.json"));
        try
        {
            client.WorkUntil(() => refusals.Count > 0, () => $"the disk does not get full: confirmed {client.Confirmed} of {script.Count}; {node.Messages}");
            Assert.That(node.HasExited, Is.False, node.Messages);
            watch.WorkFor(TimeSpan.FromMilliseconds(300));
            long taken = watch.Newest;
            Assert.That(taken, Is.InRange(100, script.Count - 100));
            node.Kill();
            watch.WorkUntil(() => !client.WorldOf(0).IsConnected, () => "the dead node's streams go on");
            node.Dispose();
            long before = watch.Newest;
            watch.Begin();
            disk.Grow(EnoughMegabytes);
            node = new MemberProcess("node", options, directory.Journal("node.json"));
            watch.WorkUntil(() => watch.Newest > before + 100, () => $"heard up to {watch.Newest}; {node.Messages}");
            client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed} of {script.Count}, {refusals.Count} refusals, heard up to {watch.Newest}, received {node.Status("received")}, published {node.Status("published")}, {node.Status("events")}; {node.Messages}");
            TestContext.Out.WriteLine(
                $"full disk: {taken} of {script.Count} inputs taken, {refusals.Count} refusals, kill -9, room, start:"
                + $" first new decision after {watch.LongestSilence.TotalMilliseconds:F0} ms");
            Assert.That(node.Stop(), Is.Zero, node.Messages);
            watch.WorkFor(TimeSpan.FromMilliseconds(100));
            Reference reference = Reference.Of(options);
            Assert.That(reference.InputsOf(Script.Source), Is.EqualTo(script), "every input once, in order");
            Successor.AssertNothingMissing(reference, client.Margins, client.Replies);
        }
        finally
        {
            node.Dispose();
        }
    }

    [Test]
    public void A_running_primary_beats_on_while_its_disk_is_full_to_the_last_byte_and_goes_on_by_itself_when_there_is_room()
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 3);
        using var directory = new TestDirectory();
        string journal = Path.Combine(disk.Path, "journal");
        NodeOptions options = OnSmallDisk(journal);
        List<byte[]> script = Script.Messages(ticks: 20_000, seed: 13);
        using var client = new PairClient(script, options);
        var watch = new DecisionWatch(client, sides: 1);
        var refusals = new Refusals(client);
        using MemberProcess node = new("node", options, directory.Journal("node.json"));
        client.WorkUntil(() => refusals.Count > 0, () => $"the disk does not get full: confirmed {client.Confirmed} of {script.Count}; {node.Messages}");
        watch.WorkFor(TimeSpan.FromMilliseconds(500)); // the segment for time is filled by the next look of housekeeping
        disk.FillUp();
        int beats = Heartbeats(client), refused = refusals.Count;
        watch.WorkUntil(
            () => Heartbeats(client) > beats + 2 && refusals.Count > refused && node.Messages.Contains("disk is nearly full", StringComparison.Ordinal),
            () => $"{Heartbeats(client) - beats} heartbeats, {refusals.Count - refused} refusals; {node.Messages}");
        Assert.That((node.HasExited, node.Status("diskNearlyFull"), node.Status("timeStands")), Is.EqualTo((false, "True", "False")), node.Messages);
        int confirmed = client.Confirmed;
        long before = watch.Newest, begin = Stopwatch.GetTimestamp();
        disk.Grow(EnoughMegabytes);
        watch.WorkUntil(() => watch.Newest > before + 100, () => $"heard up to {watch.Newest}; {node.Messages}");
        TestContext.Out.WriteLine(
            $"full disk under a running primary: {confirmed} of {script.Count} inputs taken, {refusals.Count} refusals, {Heartbeats(client) - beats} heartbeats meanwhile;"
            + $" decisions on 100 more inputs {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms after there was room");
        client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed} of {script.Count}, {refusals.Count} refusals, heard up to {watch.Newest}; {node.Messages}");
        Assert.That(node.Stop(), Is.Zero, node.Messages);
        Assert.That(node.Messages, Does.Contain("the disk has room again"));
        watch.WorkFor(TimeSpan.FromMilliseconds(100));
        Reference reference = Reference.Of(options);
        Assert.That(reference.InputsOf(Script.Source), Is.EqualTo(script), "every input once, in order");
        Successor.AssertNothingMissing(reference, client.Margins, client.Replies);
        Assert.That(HeartbeatLog.Read(journal)!.Select(entry => entry.Sequence), Is.EqualTo(
            reference.Decisions.Where(decision => Reference.Template(decision) == HeartbeatDecoder.TemplateId).Select(decision => BitConverter.ToInt64(decision, 8))));
    }

    private static int Heartbeats(PairClient client) => client.WorldOf(0).Margins.Of(HeartbeatDecoder.TemplateId).Count();

    private static NodeOptions OnSmallDisk(string journal) => TestNode.Primary(journal) with
    {
        Journal = new JournalOptions { Directory = journal, SegmentBytes = Segment, BatchBytes = Segment / 4, ReserveBytes = 3 * Segment },
        SubscriberGraceMillis = 20_000,
        RepublishMillis = 100_000,
    };

    /// <summary>Counts what was refused for lack of room.</summary>
    private sealed class Refusals(PairClient client)
    {
        private int _seen;
        private int _count;

        public int Count
        {
            get
            {
                List<byte[]> heard = client.WorldOf(0).Replies.Heard;
                for (; _seen < heard.Count; _seen++)
                {
                    if (RejectDecoder.TryWrap(heard[_seen], out RejectDecoder reject) && reject.Code == RejectCode.Capacity)
                        _count++;
                }

                return _count;
            }
        }
    }
}
