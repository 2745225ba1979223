// The transport over real sockets on loopback: unicast and multicast, between agents of one process. Every wait has a deadline.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class LoopbackTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private AeronAgent _sender = null!;
    private AeronAgent _receiver = null!;

    [SetUp]
    public void OpenAgents()
    {
        _sender = new AeronAgent(new AeronOptions(new MachineClock()));
        _receiver = new AeronAgent(new AeronOptions(new MachineClock()));
    }

    [TearDown]
    public void CloseAgents()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Test]
    public void A_unicast_message_arrives_as_it_was_offered()
    {
        (Publication publication, Subscription subscription) = ConnectUnicast("term-length=64k");
        var received = new Collecting();
        byte[] message = Payload.Of(1, 100);

        long position = publication.Offer(message);
        Work(() => { subscription.Poll(ref received, 10); return received.Messages.Count == 1; });

        Assert.That(position, Is.EqualTo(160));
        Assert.That(received.Messages[0], Is.EqualTo(message));
        Assert.That(received.Positions[0], Is.EqualTo(position));
        Assert.That(received.Sessions[0], Is.EqualTo(publication.SessionId));
    }

    [Test]
    public void Messages_of_all_lengths_arrive_in_order_through_many_terms([Values("mtu=1408", "mtu=8k", "mtu=65504")] string mtu)
    {
        (Publication publication, Subscription subscription) = ConnectUnicast("term-length=64k|" + mtu.Replace("65504", "32k"));
        var received = new Collecting();
        const int Count = 2_000;
        byte[][] messages = [.. Enumerable.Range(0, Count).Select(i => Payload.Of(i, Length(i, publication.MaxMessageLength)))];
        int offered = 0;
        Work(() =>
        {
            while (offered < Count && publication.Offer(messages[offered]) > 0)
                offered++;
            subscription.Poll(ref received, 100);
            return received.Messages.Count == Count;
        });

        for (int i = 0; i < Count; i++)
            Assert.That(received.Messages[i].AsSpan().SequenceEqual(messages[i]), $"message {i} differs");
        Assert.That(publication.Position, Is.GreaterThan(3 * 65536));
        Assert.That(received.Positions[^1], Is.EqualTo(publication.Position));
    }

    private static int Length(int number, int longest) => (int)(unchecked((uint)number * 2654435761u) % (uint)(longest + 1));

    private (Publication, Subscription) ConnectUnicast(string parameters)
    {
        Subscription subscription = _receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", 1001);
        Publication publication = _sender.AddPublication($"aeron:udp?endpoint={subscription.LocalEndpoint}|{parameters}", 1001);
        Work(() => publication.IsConnected && subscription.IsConnected);
        return (publication, subscription);
    }

    private void Work(Func<bool> done)
    {
        long start = Environment.TickCount64;
        while (!done())
        {
            if (_sender.DoWork() + _receiver.DoWork() == 0)
                _receiver.WaitForInput(100);
            Assert.That(Environment.TickCount64 - start, Is.LessThan(Patience.TotalMilliseconds), "gave up waiting");
        }
    }
}
