// Both ends on a network that loses, doubles, delays, cuts and damages datagrams: everything arrives, once and in order.

using System.Globalization;
using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class LossTests
{
    // What kinds of channel the seeds go round: the sender's, the receivers', how many, and whether the sender waits for the slowest.
    private static readonly (string Sender, string Receiver, int Receivers, bool Waits)[] Kinds =
    [
        ("aeron:udp?endpoint=127.0.0.1:40100", "aeron:udp?endpoint=127.0.0.1:40100", 1, true),
        (Multicast, Multicast, 2, false),
        (Multicast + "|fc=min,g:/2", Multicast, 2, true),
        (Multicast + "|fc=tagged,g:5/2|max-resend=4", Multicast + "|gtag=5", 2, true),
        ("aeron:udp?control=127.0.0.1:40102|control-mode=dynamic|fc=min,g:/2",
            "aeron:udp?endpoint=127.0.0.1:0|control=127.0.0.1:40102|control-mode=dynamic", 2, true),
    ];

    private const string Multicast = "aeron:udp?endpoint=224.20.30.41:40101|interface=127.0.0.1";

    [Test]
    public void A_stream_survives_every_mixture_of_faults([Range(0, 19)] int block)
    {
        for (int seed = block * 50; seed < (block + 1) * 50; seed++)
            Run(seed);
    }

    /// <summary>
    /// Long and bad: every datagram holds one message and up to 30 % of them meet each fault. The count is small here; set
    /// MARGIN_LOSS_MESSAGES to 1000000 for a run by hand.
    /// </summary>
    [Test]
    public void A_long_stream_survives_the_worst_network([Values(10, 20, 30)] int percent)
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("MARGIN_LOSS_MESSAGES") ?? "3000", CultureInfo.InvariantCulture);
        var world = new SimulatedWorld(percent)
        {
            Faults = new Faults
            {
                Drop = percent, Duplicate = percent, Delay = percent, LongestDelayNanos = 300_000, Reorder = percent, Truncate = percent,
                Corrupt = percent,
            },
        };
        using var sender = new AeronAgent(world.Options(mtu: 96, termLength: 1 << 20));
        using var receiver = new AeronAgent(world.Options());
        Publication publication = sender.AddPublication(Kinds[0].Sender, 7);
        Subscription subscription = receiver.AddSubscription(Kinds[0].Receiver, 7);
        var ends = new List<ImageEnd>();
        subscription.ImageUnavailable = image => ends.Add(image.EndReason);
        var handler = new Counting();
        var message = new byte[64];
        int offered = 0;
        long begin = world.Clock.Now;
        while (handler.Next < count && ends.Count == 0)
        {
            while (offered < count)
            {
                BitConverter.TryWriteBytes(message, offered);
                if (publication.Offer(message) < 0)
                    break;
                offered++;
            }
            int work = sender.DoWork() + receiver.DoWork() + subscription.Poll(ref handler, 1000);
            world.Clock.Now += work == 0 ? 100_000 : 10_000;
        }
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{handler.Next:N0} messages, {percent} % of each fault, {(world.Clock.Now - begin) / 1e9:F1} s of the simulation's time, "
            + $"{sender.Counters.DatagramsSent:N0} datagrams sent, {sender.Counters.Retransmits:N0} again, "
            + $"{receiver.Counters.NaksSent:N0} NAKs, {receiver.Counters.MalformedFrames:N0} malformed, "
            + $"{receiver.Counters.DuplicateDatagrams:N0} duplicates, ends: {string.Join(',', ends)}"));
        Assert.That(handler.Next, Is.EqualTo(count), $"ended: {string.Join(',', ends)}");
        Assert.That(handler.Wrong, Is.Zero);
    }

    /// <summary>One publication and its receivers; every message checked, then the end of the stream.</summary>
    private static void Run(int seed)
    {
        var random = new Random(seed);
        var world = new SimulatedWorld(seed);
        (string channel, string receiverChannel, int receiverCount, bool waits) = Kinds[seed % Kinds.Length];
        int mtu = 32 * random.Next(2, 100);
        int longest = random.Next(8192);
        // A lost datagram costs milliseconds of the simulated time, so a run has some hundred datagrams whatever their length.
        int count = Math.Clamp(250 * mtu / (longest + 1), 5, 150);
        using var sender = new AeronAgent(world.Options(mtu, 64 * 1024 << random.Next(2)));
        Publication publication = sender.AddPublication(channel, 7);
        var receivers = new List<Receiver>();
        for (int i = 0; i < receiverCount; i++)
            receivers.Add(new Receiver(new AeronAgent(world.Options()), receiverChannel, new Random(seed + i)));
        world.Faults = Faults.Mixed(random, worst: 30);
        string what = $"seed {seed}, {channel}, mtu {mtu}, longest {longest}, {world.Faults}";

        int offered = 0;
        var messages = new byte[count][];
        for (int i = 0; i < count; i++)
            messages[i] = Payload.Of(i, random.Next(longest + 1));
        bool connected = false;
        for (int step = 0; receivers.Exists(receiver => receiver.Handler.Messages.Count < count); step++)
        {
            if (step == 400_000)
                Assert.Fail($"stuck at {offered} offered, {receivers[0].Handler.Messages.Count} taken; {what}");
            connected |= publication.IsConnected && receivers.TrueForAll(receiver => receiver.Subscription.IsConnected);
            // With fc=max a sender does not wait for its slowest receiver; here the application does.
            while (connected && offered < count && (waits || publication.Position - Slowest(receivers) < 16 * 1024)
                && publication.Offer(messages[offered]) > 0)
                offered++;
            int work = sender.DoWork();
            foreach (Receiver receiver in receivers)
                work += receiver.Work();
            world.Clock.Now += work == 0 ? 500_000 : random.Next(1_000, 100_000);
        }

        foreach (Receiver receiver in receivers)
        {
            for (int i = 0; i < count; i++)
                Assert.That(receiver.Handler.Messages[i].AsSpan().SequenceEqual(messages[i]), $"message {i} differs; {what}");
            Assert.That(receiver.Handler.Positions[^1], Is.EqualTo(publication.Position), what);
        }

        publication.Close();
        long end = world.Clock.Now + 30_000_000_000;
        while (world.Clock.Now < end && receivers.Exists(receiver => receiver.Ended == ImageEnd.None))
        {
            sender.DoWork();
            foreach (Receiver receiver in receivers)
                receiver.Work();
            world.Clock.Now += 10_000_000;
        }
        foreach (Receiver receiver in receivers)
        {
            Assert.That(receiver.Ended, Is.EqualTo(ImageEnd.EndOfStream), what);
            Assert.That(receiver.Handler.Messages, Has.Count.EqualTo(count), what);
            receiver.Agent.Dispose();
        }
    }

    private static long Slowest(List<Receiver> receivers) =>
        receivers.Min(receiver => receiver.Handler.Positions.Count == 0 ? 0 : receiver.Handler.Positions[^1]);

    private sealed class Receiver
    {
        private readonly Random _random;
        private Collecting _handler = new();

        public Receiver(AeronAgent agent, string channel, Random random)
        {
            Agent = agent;
            _random = random;
            Subscription = agent.AddSubscription(channel, 7);
            Subscription.ImageUnavailable = image => Ended = image.EndReason;
            // A handler that now and then has no room: the same message comes again.
            _handler.Answer = _ => (PollAction)_random.Next(4);
        }

        public AeronAgent Agent { get; }

        public Subscription Subscription { get; }

        public Collecting Handler => _handler;

        public ImageEnd Ended { get; private set; }

        public int Work() => Agent.DoWork() + Subscription.Poll(ref _handler, _random.Next(10));
    }

    private sealed class Counting : IMessageHandler
    {
        public int Next { get; private set; }

        public int Wrong { get; private set; }

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            if (message.Length != 64 || BitConverter.ToInt32(message) != Next)
                Wrong++;
            Next++;
            return PollAction.Continue;
        }
    }
}
