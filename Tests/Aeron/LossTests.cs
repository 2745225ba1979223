// Both ends on a network that loses, doubles, delays, cuts and damages datagrams: everything arrives, once and in order.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class LossTests
{
    private const string Unicast = "aeron:udp?endpoint=127.0.0.1:40100";
    private const string Multicast = "aeron:udp?endpoint=224.20.30.41:40101|interface=127.0.0.1";

    [Test]
    public void A_stream_survives_every_mixture_of_faults([Range(0, 9)] int block)
    {
        for (int seed = block * 30; seed < (block + 1) * 30; seed++)
            Run(seed, isMulticast: seed % 3 == 2);
    }

    /// <summary>One publication, one receiver or two; every message checked, then the end of the stream.</summary>
    private static void Run(int seed, bool isMulticast)
    {
        var random = new Random(seed);
        var world = new SimulatedWorld(seed);
        int mtu = 32 * random.Next(2, 100);
        int longest = random.Next(8192);
        // A lost datagram costs milliseconds of the simulated time, so a run has some hundred datagrams whatever their length.
        int count = Math.Clamp(400 * mtu / (longest + 1), 5, 300);
        string channel = isMulticast ? Multicast : Unicast;
        using var sender = new AeronAgent(world.Options(mtu, 64 * 1024 << random.Next(2)));
        Publication publication = sender.AddPublication(channel, 7);
        var receivers = new List<Receiver>();
        for (int i = 0; i < (isMulticast ? 2 : 1); i++)
            receivers.Add(new Receiver(new AeronAgent(world.Options()), channel, new Random(seed + i)));
        world.Faults = Faults.Mixed(random, worst: 30);
        string what = $"seed {seed}, {(isMulticast ? "multicast" : "unicast")}, mtu {mtu}, longest {longest}, {world.Faults}";

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
            while (connected && offered < count && (!isMulticast || publication.Position - Slowest(receivers) < 16 * 1024)
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
}
