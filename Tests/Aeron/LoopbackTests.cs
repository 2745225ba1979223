// The transport over real sockets on loopback: unicast and multicast, between agents of one process. Every wait has a deadline.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class LoopbackTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static int Groups;

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

    [Test]
    public void One_multicast_publication_reaches_every_subscriber()
    {
        (Publication publication, Subscription first) = OpenMulticast(_sender, _receiver, 1001);
        Subscription second = _sender.AddSubscription(first.Channel, 1001);
        Work(() => publication.IsConnected && first.IsConnected && second.IsConnected);
        var one = new Collecting();
        var two = new Collecting();
        int offered = 0;
        Work(() =>
        {
            first.Poll(ref one, 10);
            second.Poll(ref two, 10);
            // The limit follows the faster subscriber: the slower one is waited for here.
            if (offered < 500 && offered - Math.Min(one.Messages.Count, two.Messages.Count) < 8
                && publication.Offer(Payload.Of(offered, 1 + (offered * 7 % 4000))) > 0)
                offered++;
            return one.Messages.Count == 500 && two.Messages.Count == 500;
        });
        for (int i = 0; i < 500; i++)
        {
            Assert.That(one.Messages[i].AsSpan().SequenceEqual(Payload.Of(i, 1 + (i * 7 % 4000))), $"message {i} differs at the first");
            Assert.That(two.Messages[i].AsSpan().SequenceEqual(one.Messages[i]), $"message {i} differs at the second");
        }
    }

    [Test]
    public void Several_publications_of_one_channel_are_told_apart()
    {
        Subscription subscription = _receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", 5);
        string channel = $"aeron:udp?endpoint={subscription.LocalEndpoint}|term-length=64k";
        Publication[] publications = [.. Enumerable.Range(0, 3).Select(_ => _sender.AddPublication(channel, 5))];
        Publication elsewhere = _sender.AddPublication(channel, 6);
        Work(() => Array.TrueForAll(publications, publication => publication.IsConnected));
        foreach (Publication publication in publications)
            publication.Offer(BitConverter.GetBytes(publication.SessionId));
        var received = new Collecting();
        Work(() => subscription.Poll(ref received, 10) >= 0 && received.Messages.Count == 3);
        for (int i = 0; i < 3; i++)
            Assert.That(BitConverter.ToInt32(received.Messages[i]), Is.EqualTo(received.Sessions[i]));
        Assert.That(received.Sessions, Is.EquivalentTo(publications.Select(publication => publication.SessionId)));
        Assert.That(elsewhere.IsConnected, Is.False);
    }

    [Test]
    public void A_slow_consumer_holds_the_sender_back_and_loses_nothing()
    {
        (Publication publication, Subscription subscription) = ConnectUnicast("term-length=64k");
        var received = new Collecting();
        int offered = 0;
        bool refused = false;
        Work(() =>
        {
            long result = publication.Offer(BitConverter.GetBytes(offered));
            refused |= result == Publication.BackPressured;
            offered += result > 0 ? 1 : 0;
            return refused;
        });
        Work(() => subscription.Poll(ref received, 1) >= 0 && received.Messages.Count == offered);
        Assert.That(received.Messages.Select(message => BitConverter.ToInt32(message)), Is.EqualTo(Enumerable.Range(0, offered)));
    }

    [Test]
    public void A_closed_publication_ends_the_image_and_a_disposed_agent_too([Values] bool dispose)
    {
        (Publication publication, Subscription subscription) = ConnectUnicast("term-length=64k");
        var ends = new List<ImageEnd>();
        subscription.ImageUnavailable = image => ends.Add(image.EndReason);
        var received = new Collecting();
        publication.Offer("last words"u8);
        Work(() => subscription.Poll(ref received, 10) >= 0 && received.Messages.Count == 1);
        if (dispose)
            _sender.Dispose();
        else
            publication.Close();
        Work(() => ends.Count == 1, dispose);
        Assert.That(ends[0], Is.EqualTo(ImageEnd.EndOfStream));
    }

    [Test]
    public void A_waiting_agent_wakes_for_a_datagram_and_for_a_call()
    {
        (Publication publication, Subscription subscription) = ConnectUnicast("term-length=64k");
        while (_receiver.DoWork() > 0)
        {
        }
        publication.Offer("wake"u8);
        _sender.DoWork();
        Assert.That(_receiver.WaitForInput(5_000_000), "a datagram is there");
        _receiver.DoWork();
        _receiver.Wake();
        _receiver.Wake();
        Assert.That(_receiver.WaitForInput(5_000_000), "woken before it slept");
        long start = Environment.TickCount64;
        _receiver.WaitForInput(5_000_000);
        Assert.That(Environment.TickCount64 - start, Is.LessThan(4_000), "its own timers end the sleep in time");
        Assert.That(subscription.IsConnected);
    }

    [Test]
    public void A_disposed_agent_refuses_everything()
    {
        (Publication publication, _) = ConnectUnicast("term-length=64k");
        _sender.Dispose();
        _sender.Dispose();
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.Closed));
        Assert.That(publication.IsConnected, Is.False);
        Assert.That(() => _sender.DoWork(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => _sender.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", 1), Throws.TypeOf<ObjectDisposedException>());
    }

    /// <summary>A group and port of this process, so that test runs side by side do not hear each other.</summary>
    internal static (Publication, Subscription) OpenMulticast(AeronAgent sender, AeronAgent receiver, int stream)
    {
        // Below the range that the system hands out by itself; sockets of a group share their port.
        int process = Environment.ProcessId;
        int number = Interlocked.Increment(ref Groups);
        string channel = $"aeron:udp?endpoint=239.{process % 250}.{process / 250 % 250}.{1 + (2 * (number % 100))}:"
            + $"{20_000 + (((process * 100) + number) % 10_000)}|interface=localhost";
        Subscription subscription = receiver.AddSubscription(channel, stream);
        return (sender.AddPublication(channel + "|term-length=64k", stream), subscription);
    }

    private static int Length(int number, int longest) => (int)(unchecked((uint)number * 2654435761u) % (uint)(longest + 1));

    private (Publication, Subscription) ConnectUnicast(string parameters)
    {
        Subscription subscription = _receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", 1001);
        Publication publication = _sender.AddPublication($"aeron:udp?endpoint={subscription.LocalEndpoint}|{parameters}", 1001);
        Work(() => publication.IsConnected && subscription.IsConnected);
        return (publication, subscription);
    }

    private void Work(Func<bool> done, bool receiverOnly = false)
    {
        long start = Environment.TickCount64;
        while (!done())
        {
            if ((receiverOnly ? 0 : _sender.DoWork()) + _receiver.DoWork() == 0)
                _receiver.WaitForInput(100);
            Assert.That(Environment.TickCount64 - start, Is.LessThan(Patience.TotalMilliseconds), "gave up waiting");
        }
    }
}
