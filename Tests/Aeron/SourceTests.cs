// Who may speak to a subscription, and how a receiver gives a stream up: lists of sources, rejected images, rejoin=false, group tags.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class SourceTests
{
    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = 4;
    private const string Channel = "aeron:udp?endpoint=127.0.0.1:40100";
    private static readonly Ipv4Endpoint Receiver = new(Ipv4Endpoint.Loopback, 40100);
    private static readonly Ipv4Endpoint Stranger = new(0x0A010203, 45_000);

    private Stage _stage = null!;
    private Collecting _handler = null!;

    [SetUp]
    public void OpenStage()
    {
        _stage = new Stage();
        _handler = new Collecting();
    }

    [TearDown]
    public void CloseStage() => _stage.Dispose();

    [TestCase("127.0.0.1", null, true)]
    [TestCase("127.0.0.0/8", null, true)]
    [TestCase("0.0.0.0/0", null, true)]
    [TestCase("127.0.0.1", Session, true)]
    [TestCase("127.0.0.1", Session + 1, false)]
    [TestCase("10.1.2.3", null, false)]
    [TestCase("127.0.0.2/32", null, false)]
    public void Only_listed_sources_and_sessions_open_images(string network, int? session, bool isHeard)
    {
        Subscription subscription = _stage.Agent.AddSubscription(Channel, Stream, new SourceList().Allow(network, session));
        _stage.Hear(Receiver, Wire.Data(Session, Stream, Term, 0, 0xC0, new byte[8]));
        Assert.That(_stage.CountOfType(3), Is.EqualTo(isHeard ? 1 : 0), "asks for a SETUP or stays silent");
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408));
        Assert.That(subscription.IsConnected, Is.EqualTo(isHeard));
        Assert.That(_stage.Agent.Counters.RefusedSources, Is.EqualTo(isHeard ? 0 : 2));
    }

    [Test]
    public void A_stranger_cannot_write_into_a_listed_senders_stream()
    {
        Subscription subscription = _stage.Agent.AddSubscription(Channel, Stream, new SourceList().Allow("127.0.0.1"));
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408));
        _stage.Hear(Receiver, Wire.Data(Session, Stream, Term, 0, 0xC0, [66]), from: Stranger);
        _stage.Hear(Receiver, Wire.Heartbeat(Session, Stream, Term, 0, flags: 0xF0), from: Stranger);
        _stage.Hear(Receiver, Wire.Data(Session, Stream, Term, 0, 0xC0, [1]));
        subscription.Poll(ref _handler, 10);
        Assert.That(_handler.Messages, Is.EqualTo((byte[][])[[1]]));
        Assert.That(subscription.IsConnected);
        Assert.That(_stage.Agent.Counters.RefusedSources, Is.EqualTo(2));
    }

    [Test]
    public void An_empty_list_lets_nobody_speak_and_a_subscription_without_one_beside_it_hears_all()
    {
        Subscription deaf = _stage.Agent.AddSubscription(Channel, Stream, new SourceList());
        Subscription open = _stage.Agent.AddSubscription(Channel, Stream);
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408), from: Stranger);
        Assert.That(deaf.IsConnected, Is.False);
        Assert.That(open.IsConnected, Is.True);
        Subscription late = _stage.Agent.AddSubscription(Channel, Stream, new SourceList().Allow("127.0.0.1"));
        Assert.That(late.IsConnected, Is.False, "an image that is there already is judged too");
    }

    [TestCase("")]
    [TestCase("nowhere")]
    [TestCase("10.0.0.1/33")]
    [TestCase("10.0.0.1/x")]
    [TestCase("::1")]
    public void A_list_takes_addresses_and_networks_only(string network) => Assert.That(
        () => new SourceList().Allow(network), Throws.TypeOf<FormatException>().With.Message.Contains(network));

    [TestCase(null)]
    [TestCase(9L)]
    public void A_rejected_image_tells_its_sender_why_and_is_not_joined_again(long? tag)
    {
        Subscription subscription = _stage.Agent.AddSubscription(Channel + (tag is null ? "" : $"|gtag={tag}"), Stream);
        Join(subscription);
        subscription.Images[0].Reject("bad ticks");
        _stage.Run(1_500);
        byte[][] errors = [.. _stage.SentOfType(4)];
        Assert.That(errors, Has.Length.EqualTo(5));
        byte[] expected = Wire.Error(Session, Stream, Wire.Long(errors[0], 16), 13, "bad ticks");
        if (tag is { } value)
        {
            expected[5] = 0x08;
            BitConverter.TryWriteBytes(expected.AsSpan(24), value);
        }
        Assert.That(errors, Is.All.EqualTo(expected));
        Assert.That(subscription.IsConnected, Is.False);
        Assert.That(_stage.Agent.Counters.ImagesRejected, Is.EqualTo(1));

        _stage.Sent.Clear();
        _stage.Hear(Receiver, Wire.Data(Session, Stream, Term, 0, 0xC0, [1]));
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408));
        Assert.That(subscription.IsConnected, Is.False);
        Assert.That(_stage.CountOfType(3), Is.Zero);

        Subscription anew = _stage.Agent.AddSubscription(Channel, Stream);
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408));
        Assert.That(anew.IsConnected, Is.True, "a new subscription begins with a clean sheet");
    }

    [Test]
    public void A_senders_receiver_that_rejects_it_is_dropped_at_once()
    {
        Publication publication = _stage.Agent.AddPublication(
            "aeron:udp?endpoint=127.0.0.1:45000|session-id=77|init-term-id=4|term-id=4|term-offset=0|term-length=64k", Stream);
        _stage.Run(0);
        Ipv4Endpoint sender = _stage.Sent[0].From;
        _stage.Hear(sender, Wire.Status(Session, Stream, Term, 0, 32768, 42));
        Assert.That(publication.IsConnected);
        var told = new List<ReceiverError>();
        publication.ReceiverGaveUp = told.Add;
        _stage.Hear(sender, Wire.Error(Session, Stream, 42, 13, "bad ticks"));
        Assert.That(publication.IsConnected, Is.False);
        Assert.That(told, Is.EqualTo((ReceiverError[])[new ReceiverError(42, 13, "bad ticks", Stage.Peer)]));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_silent_sender_that_speaks_again_is_joined_again_unless_the_channel_says_no(bool rejoins)
    {
        Subscription subscription = _stage.Agent.AddSubscription(Channel + (rejoins ? "" : "|rejoin=false"), Stream);
        Join(subscription);
        _stage.Run(15_000, step: 10);
        Assert.That(subscription.IsConnected, Is.False);
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408));
        Assert.That(subscription.IsConnected, Is.EqualTo(rejoins));
    }

    [Test]
    public void A_group_tag_travels_in_every_status_message()
    {
        Subscription subscription = _stage.Agent.AddSubscription(Channel + "|gtag=-3", Stream);
        Join(subscription);
        _stage.Run(500);
        Assert.That(_stage.SentOfType(3).Count(), Is.GreaterThan(1));
        Assert.That(_stage.SentOfType(3).Select(frame => (frame.Length, Wire.Int(frame, 0), Wire.Long(frame, 36))),
            Is.All.EqualTo((44, 44, -3L)));
    }

    private void Join(Subscription subscription)
    {
        _stage.Hear(Receiver, Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408));
        Assert.That(subscription.IsConnected);
    }
}
