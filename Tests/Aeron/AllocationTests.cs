// After set-up the transport allocates nothing: over real sockets, with fragments, term ends, back pressure, status messages and NAKs.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class AllocationTests
{
    [TestCase("unicast")]
    [TestCase("multicast")]
    [TestCase("destinations")]
    public void Nothing_is_allocated_per_message(string kind)
    {
        using var receiver = new AeronAgent(new AeronOptions(new CountingClock()));
        using var sender = new AeronAgent(new AeronOptions(new CountingClock()) { TermLength = 65536 });
        Publication publication;
        Subscription subscription;
        if (kind == "multicast")
        {
            (publication, subscription) = LoopbackTests.OpenMulticast(sender, receiver, 1);
        }
        else if (kind == "destinations")
        {
            subscription = receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:0|gtag=3", 1, new SourceList().Allow("127.0.0.0/8"));
            publication = sender.AddPublication("aeron:udp?control-mode=manual|fc=tagged,g:3/1", 1);
            publication.AddDestination($"aeron:udp?endpoint={subscription.LocalEndpoint}");
        }
        else
        {
            subscription = receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", 1);
            publication = sender.AddPublication($"aeron:udp?endpoint={subscription.LocalEndpoint}", 1);
        }

        var handler = new Summing();
        var message = new byte[3000];
        Pump(4_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Pump(12_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero);
        Assert.That(publication.Position, Is.GreaterThan(65536 * 10));
        Assert.That(sender.Counters.BackPressuredOffers, Is.Positive);

        void Pump(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                for (int burst = 0; burst < 4; burst++)
                    publication.Offer(message.AsSpan(0, (i * 37) % message.Length));
                if (publication.TryClaim(i % 1000, out BufferClaim claim) > 0)
                    claim.Commit();
                sender.DoWork();
                receiver.DoWork();
                subscription.Poll(ref handler, 50);
                if (i % 16 == 0)
                    receiver.WaitForInput(1);
            }
        }
    }

    [Test]
    public void Nothing_is_allocated_for_datagrams_that_are_refused()
    {
        var world = new SimulatedWorld(1);
        using var agent = new AeronAgent(world.Options());
        agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100", 1001);
        Publication publication = agent.AddPublication(
            "aeron:udp?endpoint=127.0.0.1:45000|session-id=77|init-term-id=-3|term-id=-3|term-offset=0|term-length=64k", 1001);
        agent.DoWork();
        var peer = new Ipv4Endpoint(Ipv4Endpoint.Loopback, 45000);
        var random = new Random(5);
        byte[][] seeds =
        [
            Wire.Data(77, 1001, -3, 0, 0xC0, new byte[100]), Wire.Heartbeat(77, 1001, -3, 0), Wire.Status(77, 1001, -3, 0, 4096, 1),
            Wire.Nak(77, 1001, -3, 0, 64), Wire.RoundTrip(77, 1001, 1, 2, 3, 0), Wire.Error(77, 1001, 1, 13, "text"),
        ];
        long allocated = 0;
        for (int i = 0; i < 50_000; i++)
        {
            byte[] datagram = FuzzTests.Mutated(random, seeds);
            // A SETUP that makes sense opens an image, and answers go through the simulation's queues: neither belongs here.
            if (datagram.Length >= 8 && datagram[6] is 5 or 6)
                continue;
            var to = new Ipv4Endpoint(Ipv4Endpoint.Loopback, (ushort)(i % 2 == 0 ? 40100 : 50000));
            world.Inject(peer, to, datagram);
            world.Clock.Now += 1;
            int sent = (int)agent.Counters.DatagramsSent;
            world.Settle();
            long before = GC.GetAllocatedBytesForCurrentThread();
            agent.DoWork();
            long used = GC.GetAllocatedBytesForCurrentThread() - before;
            if (agent.Counters.DatagramsSent == sent && i > 1_000)
                allocated += used;
        }
        Assert.That(allocated, Is.Zero);
        Assert.That(publication.IsClosed, Is.False);
    }

    private sealed class CountingClock : INanoClock
    {
        private long _now;

        public long NanoTime() => _now += 5_000;
    }

    private struct Summing : IMessageHandler
    {
        public long Bytes;
        private int _count;

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            if (_count++ % 7 == 0)
                return PollAction.Abort;
            Bytes += message.Length;
            return PollAction.Continue;
        }
    }
}
