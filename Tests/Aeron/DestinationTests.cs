// Channels with a control address: destinations learned from status messages or named by hand; and channels that share by tags.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class DestinationTests
{
    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = -5;
    private const string Start = "|session-id=77|init-term-id=-5|term-id=-5|term-offset=0|term-length=64k";
    private const string Dynamic = "aeron:udp?control=127.0.0.1:40500|control-mode=dynamic" + Start;
    private static readonly Ipv4Endpoint Control = new(Ipv4Endpoint.Loopback, 40500);
    private static readonly Ipv4Endpoint Second = new(Ipv4Endpoint.Loopback, 45_001);

    private Stage _stage = null!;

    [SetUp]
    public void OpenStage() => _stage = new Stage();

    [TearDown]
    public void CloseStage() => _stage.Dispose();

    [Test]
    public void Whoever_sends_status_messages_to_the_control_address_gets_the_stream_until_it_is_silent()
    {
        Publication publication = _stage.Agent.AddPublication(Dynamic, Stream);
        _stage.Run(250);
        Assert.That(_stage.Sent, Is.Empty, "nobody is there");

        Hear(Stage.Peer, Wire.Status(0, 0, 0, 0, 0, 1, flags: 0x80));
        _stage.Run(100);
        Assert.That(_stage.Sent.Select(sent => (sent.To, Wire.Type(sent.Data))), Has.Some.EqualTo((Stage.Peer, 5)));
        Assert.That(Wire.Describe(_stage.SentOfType(5).First()), Does.Contain("flags=0x40"), "one sender, many receivers");
        Assert.That(_stage.Sent[0].From, Is.EqualTo(Control));

        Hear(Stage.Peer, Wire.Status(Session, Stream, Term, 0, 32768, 1));
        Hear(Second, Wire.Status(Session, Stream, Term, 0, 32768, 2));
        Assert.That(publication.IsConnected);
        _stage.Sent.Clear();
        publication.Offer(new byte[100]);
        _stage.Run(1);
        Assert.That(DataTo(), Is.EquivalentTo((Ipv4Endpoint[])[Stage.Peer, Second]));

        for (int i = 0; i < 60; i++)
        {
            Hear(Second, Wire.Status(Session, Stream, Term, 0, 32768, 2));
            _stage.Run(100);
        }
        _stage.Sent.Clear();
        publication.Offer(new byte[100]);
        _stage.Run(1);
        Assert.That(DataTo(), Is.EqualTo((Ipv4Endpoint[])[Second]), "the first was silent for 5 s");
    }

    [Test]
    public void A_retransmission_goes_to_every_destination_too()
    {
        Publication publication = _stage.Agent.AddPublication(Dynamic, Stream);
        Hear(Stage.Peer, Wire.Status(Session, Stream, Term, 0, 32768, 1));
        Hear(Second, Wire.Status(Session, Stream, Term, 0, 32768, 2));
        publication.Offer(new byte[32]);
        _stage.Run(1);
        _stage.Sent.Clear();
        Hear(Second, Wire.Nak(Session, Stream, Term, 0, 64));
        Assert.That(DataTo(), Is.EquivalentTo((Ipv4Endpoint[])[Stage.Peer, Second]));
    }

    [Test]
    public void Destinations_named_by_hand_come_and_go()
    {
        Publication publication = _stage.Agent.AddPublication("aeron:udp?control-mode=manual" + Start, Stream);
        _stage.Run(150);
        Assert.That(_stage.Sent, Is.Empty);
        publication.AddDestination("aeron:udp?endpoint=127.0.0.1:45000");
        publication.AddDestination("aeron:udp?endpoint=127.0.0.1:45001");
        Assert.That(() => publication.AddDestination("aeron:udp?endpoint=127.0.0.1:45001"), Throws.InvalidOperationException);
        _stage.Run(150);
        Assert.That(_stage.Sent.Select(sent => sent.To).Distinct(), Is.EquivalentTo((Ipv4Endpoint[])[Stage.Peer, Second]));
        Ipv4Endpoint sender = _stage.Sent[0].From;
        _stage.Hear(sender, Wire.Status(Session, Stream, Term, 0, 32768, 1));
        Assert.That(publication.RemoveDestination("aeron:udp?endpoint=127.0.0.1:45000"), Is.True);
        Assert.That(publication.RemoveDestination("aeron:udp?endpoint=127.0.0.1:45000"), Is.False);
        _stage.Sent.Clear();
        publication.Offer(new byte[32]);
        _stage.Run(1);
        Assert.That(DataTo(), Is.EqualTo((Ipv4Endpoint[])[Second]));
    }

    [TestCase("aeron:udp?endpoint=127.0.0.1:45000")]
    [TestCase("aeron:udp?endpoint=224.20.30.41:45000|interface=127.0.0.1")]
    [TestCase(Dynamic)]
    public void Only_a_manual_channel_takes_destinations(string channel)
    {
        Publication publication = _stage.Agent.AddPublication(channel, Stream);
        Assert.That(() => publication.AddDestination("aeron:udp?endpoint=127.0.0.1:45000"), Throws.InvalidOperationException);
    }

    [TestCase("aeron:udp?endpoint=127.0.0.1:0", "endpoint")]
    [TestCase("aeron:udp?control=127.0.0.1:5", "endpoint")]
    public void A_destination_is_an_endpoint_with_a_port(string destination, string parameter)
    {
        Publication publication = _stage.Agent.AddPublication("aeron:udp?control-mode=manual", Stream);
        Assert.That(
            () => publication.AddDestination(destination),
            Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo(parameter));
    }

    [Test]
    public void A_receiver_introduces_itself_at_the_control_address_each_second_until_it_hears_a_stream()
    {
        Subscription subscription = _stage.Agent.AddSubscription(
            "aeron:udp?endpoint=127.0.0.1:40100|control=127.0.0.1:45000|control-mode=dynamic", Stream);
        _stage.Run(2_500, step: 10);
        Assert.That(_stage.Sent.Select(sent => Math.Round(sent.Time)), Is.EqualTo((double[])[0, 1000, 2000]));
        Assert.That(_stage.Sent.Select(sent => sent.To), Is.All.EqualTo(Stage.Peer));
        Assert.That(Wire.Describe(_stage.Sent[0].Data), Is.EqualTo("SM fl=36 ver=0 flags=0x80 sess=0 str=0 consTerm=0 consOff=0 win=0"));

        _stage.Sent.Clear();
        _stage.Hear(subscription.LocalEndpoint, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408, flags: 0x40), from: Second);
        _stage.Run(150);
        Assert.That(
            _stage.Sent.Where(sent => sent.From != Second).Select(sent => sent.To), Is.Not.Empty.And.All.EqualTo(Stage.Peer),
            "answers go to the control address");
        Assert.That(_stage.SentOfType(3).Count(), Is.EqualTo(1));
    }

    [Test]
    public void Two_receivers_of_a_dynamic_channel_get_all_of_it_under_loss([Range(1, 10)] int seed)
    {
        var world = new SimulatedWorld(seed);
        using var sender = new AeronAgent(world.Options(mtu: 512));
        Publication publication = sender.AddPublication("aeron:udp?control=127.0.0.1:40500|control-mode=dynamic|fc=min,g:/2", 7);
        var agents = new AeronAgent[2];
        var subscriptions = new Subscription[2];
        var handlers = new Collecting[2];
        for (int i = 0; i < 2; i++)
        {
            agents[i] = new AeronAgent(world.Options());
            subscriptions[i] = agents[i].AddSubscription($"aeron:udp?endpoint=127.0.0.1:0|control=127.0.0.1:40500|control-mode=dynamic", 7);
            handlers[i] = new Collecting();
        }
        world.Faults = new Faults { Drop = 20, Duplicate = 10, Delay = 20 };
        int offered = 0;
        for (int step = 0; handlers.Any(handler => handler.Messages.Count < 200); step++)
        {
            Assert.That(step, Is.LessThan(400_000), $"stuck, seed {seed}");
            while (offered < 200 && publication.Offer(Payload.Of(offered, 900)) > 0)
                offered++;
            int work = sender.DoWork();
            for (int i = 0; i < 2; i++)
                work += agents[i].DoWork() + subscriptions[i].Poll(ref handlers[i], 10);
            world.Clock.Now += work == 0 ? 500_000 : 20_000;
        }
        foreach (Collecting handler in handlers)
        {
            for (int i = 0; i < 200; i++)
                Assert.That(handler.Messages[i].AsSpan().SequenceEqual(Payload.Of(i, 900)), $"message {i}, seed {seed}");
        }
        foreach (AeronAgent agent in agents)
            agent.Dispose();
    }

    /// <summary>Two lines of one stream, as feeds have them: what one loses the other brings, and a line that is taken away is not missed.</summary>
    [Test]
    public void A_stream_that_comes_on_two_lines_is_one_stream([Range(1, 10)] int seed)
    {
        var world = new SimulatedWorld(seed);
        using var sender = new AeronAgent(world.Options(mtu: 512));
        using var receiver = new AeronAgent(world.Options());
        Publication publication = sender.AddPublication("aeron:udp?control-mode=manual|session-id=5", 7);
        Subscription subscription = receiver.AddSubscription("aeron:udp?control-mode=manual", 7);
        string[] lines = ["aeron:udp?endpoint=127.0.0.1:40601", "aeron:udp?endpoint=127.0.0.1:40602"];
        foreach (string line in lines)
        {
            subscription.AddDestination(line);
            publication.AddDestination(line);
        }
        Assert.That(() => subscription.AddDestination(lines[0]), Throws.InvalidOperationException);
        int images = 0;
        var answered = new HashSet<ushort>();
        subscription.ImageAvailable = _ => images++;
        world.Tap = (from, _, data) =>
        {
            if (Wire.Type(data) == 3)
                answered.Add(from.Port);
            return true;
        };
        world.Faults = new Faults { Drop = 20, Duplicate = 10, Delay = 20, Reorder = 20 };
        var handler = new Collecting();
        int offered = 0;
        for (int step = 0; handler.Messages.Count < 300; step++)
        {
            Assert.That(step, Is.LessThan(400_000), $"stuck, seed {seed}");
            if (offered == 150 && subscription.RemoveDestination(lines[0]))
                Assert.That(publication.RemoveDestination(lines[0]), Is.True);
            while (offered < 300 && offered - handler.Messages.Count < 20 && publication.Offer(Payload.Of(offered, 900)) > 0)
                offered++;
            int work = sender.DoWork() + receiver.DoWork() + subscription.Poll(ref handler, 10);
            world.Clock.Now += work == 0 ? 500_000 : 20_000;
        }
        for (int i = 0; i < 300; i++)
            Assert.That(handler.Messages[i].AsSpan().SequenceEqual(Payload.Of(i, 900)), $"message {i}, seed {seed}");
        Assert.That(images, Is.EqualTo(1));
        Assert.That(answered, Is.EquivalentTo((ushort[])[40601, 40602]), "the sender is answered on both lines");
        Assert.That(receiver.Counters.DuplicateDatagrams, Is.Positive);
    }

    [Test]
    public void Only_a_manual_subscription_takes_destinations_and_each_is_an_endpoint()
    {
        Subscription plain = _stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100", Stream);
        Assert.That(() => plain.AddDestination("aeron:udp?endpoint=127.0.0.1:40101"), Throws.InvalidOperationException);
        Subscription manual = _stage.Agent.AddSubscription("aeron:udp?control-mode=manual", Stream);
        Assert.That(
            () => manual.AddDestination("aeron:udp"),
            Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo("endpoint"));
        Assert.That(
            () => _stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40103|control-mode=manual", Stream),
            Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo("endpoint"));
        manual.AddDestination("aeron:udp?endpoint=127.0.0.1:40101");
        Assert.That(manual.LocalEndpoint.Port, Is.EqualTo(40101));
        Assert.That(manual.RemoveDestination("aeron:udp?endpoint=127.0.0.1:40102"), Is.False);
        Assert.That(manual.RemoveDestination("aeron:udp?endpoint=127.0.0.1:40101"), Is.True);
        manual.Close();
        Assert.That(() => manual.AddDestination("aeron:udp?endpoint=127.0.0.1:40101"), Throws.InvalidOperationException);
    }

    [Test]
    public void A_unicast_sender_with_a_control_address_speaks_from_there()
    {
        _stage.Agent.AddPublication("aeron:udp?endpoint=127.0.0.1:45000|control=127.0.0.1:40500", Stream);
        _stage.Run(0);
        Assert.That(_stage.Sent[0].From, Is.EqualTo(Control));
        Assert.That(_stage.Sent[0].To, Is.EqualTo(Stage.Peer));
    }

    [Test]
    public void A_channel_that_names_a_tag_shares_the_sockets_and_a_session_can_be_named_by_its_publications_tag()
    {
        Publication first = _stage.Agent.AddPublication("aeron:udp?endpoint=127.0.0.1:45000|tags=5,6|term-length=64k", Stream);
        Publication second = _stage.Agent.AddPublication("aeron:udp?tags=5|session-id=tag:6|term-length=64k", Stream + 1);
        _stage.Run(0);
        Assert.That(second.SessionId, Is.EqualTo(first.SessionId));
        Assert.That(_stage.Sent.Select(sent => sent.From).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_stage.SentOfType(5).Select(frame => Wire.Int(frame, 16)), Is.EquivalentTo((int[])[Stream, Stream + 1]));
    }

    private IEnumerable<Ipv4Endpoint> DataTo() => _stage.Sent.Where(sent => Wire.Type(sent.Data) == 1 && sent.Data.Length > 32).Select(sent => sent.To);

    private void Hear(Ipv4Endpoint from, byte[] datagram) => _stage.Hear(Control, datagram, from);
}
