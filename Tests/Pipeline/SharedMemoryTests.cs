// A node that serves an Aeron directory: a source on the same machine publishes to it and hears it through shared memory.
using System.Diagnostics;
using MarginEngine.Aeron;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[NonParallelizable]
public sealed class SharedMemoryTests
{
    [Test]
    public void A_source_on_the_same_machine_needs_no_network()
    {
        const int Seed = 11;
        List<byte[]> script = Script.Messages(ticks: 500, seed: Seed);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with
        {
            AeronDirectory = directory.Journal("aeron"),
            Input = new StreamOptions { Channel = "aeron:ipc", Stream = 10 },
            Output = new OutputOptions { Channel = "aeron:ipc" },
        };
        var heard = new Heard();
        using (TestNode.Running running = TestNode.Start(options))
        {
            var clock = new Time();
            using var client = new AeronClient(new AeronClientOptions(options.AeronDirectory!, clock, clock));
            Subscription margins = client.AddSubscription("aeron:ipc", options.Output!.MarginStream);
            Subscription replies = client.AddSubscription("aeron:ipc", options.Output.ReplyStream);
            Publication input = client.AddPublication("aeron:ipc", options.Input!.Stream);
            int sent = 0;
            long start = Stopwatch.GetTimestamp();
            while (sent < script.Count || running.Node.Gauges.Published.Value < script.Count)
            {
                running.Check();
                Assert.That(Stopwatch.GetElapsedTime(start).TotalSeconds, Is.LessThan(60), $"sent {sent} of {script.Count}, published {running.Node.Gauges.Published.Value}, seed {Seed}");
                client.DoWork();
                if (sent < script.Count && input.Offer(script[sent]) > 0)
                    sent++;
                margins.Poll(ref heard, 100);
                replies.Poll(ref heard, 100);
            }
        }
        Assert.That(Reference.Of(options).InputsOf(Script.Source), Is.EqualTo(script), "every input once, in order");
        Assert.That(heard.Messages, Is.Positive);
        Assert.That(Directory.Exists(options.AeronDirectory), Is.False, "the node has taken its directory away");
    }

    [Test]
    public void A_directory_that_another_serves_is_refused()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with { AeronDirectory = directory.Journal("aeron") };
        NodeOptions other = TestNode.Primary(directory.Journal("other")) with { AeronDirectory = directory.Journal("aeron") };
        using TestNode.Running running = TestNode.Start(options);
        Assert.That(() => new Node(other), Throws.InstanceOf<IOException>().With.Message.Contains("live driver"));
    }

    private struct Heard : IMessageHandler
    {
        public int Messages;

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            Messages++;
            return PollAction.Continue;
        }
    }

    private sealed class Time : INanoClock, IEpochClock
    {
        public long EpochMillis => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        public long NanoTime() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
    }
}
