// The rules of a receiver, one at a time, against a hand-played sender under a clock that only the test moves.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed partial class ImageTests
{
    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = int.MaxValue;
    private const int TermLength = 65536;
    private static readonly Ipv4Endpoint Receiver = new(Ipv4Endpoint.Loopback, 40100);
    private static readonly Ipv4Endpoint Group = new(0xE0141E29, 40100);

    private Stage _stage = null!;
    private Subscription _subscription = null!;
    private Collecting _handler = null!;
    private readonly List<string> _images = [];

    [SetUp]
    public void OpenStage()
    {
        _stage = new Stage();
        _handler = new Collecting();
        _images.Clear();
    }

    [TearDown]
    public void CloseStage() => _stage.Dispose();

    [Test]
    public void SETUP_opens_an_image_and_is_answered_at_once()
    {
        Subscribe();
        Hear(Wire.Setup(Session, Stream, Term, Term, 0, TermLength, 1408));
        Assert.That(_images, Is.EqualTo((string[])["available 77 at 0"]));
        Assert.That(_stage.SentOfType(3).Select(Wire.Describe), Is.EqualTo((string[])[
            $"SM fl=36 ver=0 flags=0x00 sess=77 str=1001 consTerm={Term} consOff=0 win=32768"]));
        Assert.That(_stage.Sent[0].To, Is.EqualTo(Stage.Peer), "to where the SETUP came from");
    }

    [Test]
    public void A_multicast_receiver_answers_to_the_control_group()
    {
        SubscribeMulticast();
        Hear(Wire.Setup(Session, Stream, Term, Term, 0, TermLength, 1408, flags: 0x40), Group);
        Assert.That(_stage.Sent[0].To, Is.EqualTo(Group with { Address = Group.Address + 1 }));
    }

    [Test]
    public void Status_messages_follow_the_consumer_by_quarter_windows_and_the_timer_repeats_the_last()
    {
        Open();
        for (int offset = 0; offset < 16 * 1024; offset += 1024)
            Hear(Message(offset, 992));
        Assert.That(Consumptions(), Is.EqualTo((int[])[0]), "nothing consumed, nothing reported");

        _subscription.Poll(ref _handler, 8);
        _stage.Run(0);
        Assert.That(Consumptions(), Is.EqualTo((int[])[0]), "exactly a quarter is not more than a quarter");
        _subscription.Poll(ref _handler, 1);
        _stage.Run(0);
        Assert.That(Consumptions(), Is.EqualTo((int[])[0, 9216]));
        _subscription.Poll(ref _handler, 1);
        _stage.Run(410);
        Assert.That(Consumptions(), Is.EqualTo((int[])[0, 9216, 9216, 9216]));
    }

    [Test]
    public void Data_of_an_unknown_session_asks_for_SETUP_once_a_second()
    {
        Subscribe();
        for (int i = 0; i < 25; i++)
        {
            Hear(Message(i * 1024, 992));
            _stage.Run(100, step: 100);
        }
        Assert.That(_stage.SentOfType(3).Select(Wire.Describe), Is.EqualTo(Enumerable.Repeat(
            "SM fl=36 ver=0 flags=0x80 sess=77 str=1001 consTerm=0 consOff=0 win=0", 3)));
        Hear(Wire.Setup(Session, Stream, Term, Term, 25600, TermLength, 1408));
        Assert.That(_images, Is.EqualTo((string[])["available 77 at 25600"]));
    }

    [Test]
    public void A_sender_that_is_about_to_leave_is_not_asked()
    {
        Subscribe();
        Hear(Wire.Heartbeat(Session, Stream, Term, 0, 0xE0));
        Assert.That(_stage.Sent, Is.Empty);
    }

    [Test]
    public void Other_streams_and_filtered_sessions_are_left_alone()
    {
        Subscribe("|session-id=78");
        Hear(Wire.Setup(Session, Stream, Term, Term, 0, TermLength, 1408));
        Hear(Wire.Setup(78, Stream + 1, Term, Term, 0, TermLength, 1408));
        Hear(Message(0, 10));
        Assert.That(_images, Is.Empty);
        Assert.That(_stage.Agent.Counters.UnknownStreams, Is.EqualTo(3));
        Hear(Wire.Setup(78, Stream, Term, Term, 0, TermLength, 1408));
        Assert.That(_images, Is.EqualTo((string[])["available 78 at 0"]));
    }

    [TestCase(65535, 1408, 0, 0)]
    [TestCase(32768, 1408, 0, 0)]
    [TestCase(-65536, 1408, 0, 0)]
    [TestCase(0, 1408, 0, 0)]
    [TestCase(65536, 1400, 0, 0)]
    [TestCase(65536, 32, 0, 0)]
    [TestCase(65536, -32, 0, 0)]
    [TestCase(65536, 65536, 0, 0)]
    [TestCase(65536, 1408, 65536, 0)]
    [TestCase(65536, 1408, -32, 0)]
    [TestCase(65536, 1408, 17, 0)]
    [TestCase(65536, 1408, 0, -1)]
    public void A_SETUP_that_makes_no_sense_is_counted(int termLength, int mtu, int offset, int termsAhead)
    {
        Subscribe();
        Hear(Wire.Setup(Session, Stream, Term, unchecked(Term + termsAhead), offset, termLength, mtu));
        Assert.That(_images, Is.Empty);
        Assert.That(_stage.Agent.Counters.MalformedFrames, Is.EqualTo(1));
    }

    [Test]
    public void More_images_than_agreed_are_refused()
    {
        _stage.Dispose();
        _stage = new Stage(options: world => new AeronOptions(world.Clock) { Network = () => new SimulatedNetwork(world), MaxImages = 2 });
        Subscribe();
        for (int session = 1; session <= 5; session++)
            Hear(Wire.Setup(session, Stream, Term, Term, 0, TermLength, 1408));
        Assert.That(_images, Has.Count.EqualTo(2));
        Assert.That(_stage.Agent.Counters.ImagesRefused, Is.EqualTo(3));
    }

    [Test]
    public void Datagrams_out_of_order_are_delivered_in_order_and_once()
    {
        Open("|nak-delay=1s");
        int[] order = [3, 0, 2, 2, 1, 0, 4, 3];
        foreach (int index in order)
            Hear(Wire.Data(Session, Stream, Term, index * 64, 0xC0, [(byte)index]));
        _subscription.Poll(ref _handler, 100);
        Assert.That(_handler.Messages.Select(message => (int)message[0]), Is.EqualTo((int[])[0, 1, 2, 3, 4]));
        Assert.That(_stage.Agent.Counters.DuplicateDatagrams, Is.EqualTo(3));
    }

    [Test]
    public void What_lies_outside_the_window_is_dropped()
    {
        Open();
        Hear(Message(TermLength / 2, 992));
        Assert.That(_stage.Agent.Counters.OverRuns, Is.EqualTo(1));
        for (int offset = 0; offset < 16384; offset += 1024)
            Hear(Message(offset, 992));
        _subscription.Poll(ref _handler, 100);
        _stage.Run(0);
        Hear(Message(0, 992));
        Assert.That(_stage.Agent.Counters.UnderRuns, Is.EqualTo(1), "behind the last status message");
        Hear(Wire.Heartbeat(Session, Stream, unchecked(Term - 1), 16384));
        Assert.That(_stage.Agent.Counters.UnderRuns, Is.EqualTo(1), "a heartbeat may lie a term behind");
        Hear(Wire.Heartbeat(Session, Stream, unchecked(Term - 2), 0));
        Assert.That(_stage.Agent.Counters.UnderRuns, Is.EqualTo(2));
        Hear(Message(0, 992, term: unchecked(Term + 1)));
        Assert.That(_stage.Agent.Counters.OverRuns, Is.EqualTo(2));
        Assert.That(_subscription.Images[0].Available, Is.Zero);
    }

    [Test]
    public void A_unicast_gap_is_asked_for_after_a_microsecond_and_again_every_hundred()
    {
        Open();
        Hear(Message(0, 992));
        Hear(Message(4096, 992));
        Assert.That(_stage.CountOfType(2), Is.Zero);
        _stage.Run(0.001, step: 0.001);
        Assert.That(_stage.SentOfType(2).Select(Wire.Describe), Is.EqualTo((string[])[
            $"NAK fl=28 ver=0 flags=0x00 sess=77 str=1001 term={Term} off=1024 len=3072"]));
        _stage.Run(1, step: 0.01);
        Assert.That(_stage.CountOfType(2), Is.EqualTo(11));
        Hear(Message(1024, 992));
        Hear(Message(2048, 992));
        Hear(Message(3072, 992));
        _stage.Run(1, step: 0.01);
        Assert.That(_stage.SentOfType(2).Count(frame => Wire.Int(frame, 20) == 1024), Is.LessThanOrEqualTo(12), "it is filled");
    }

    [Test]
    public void Multicast_gaps_are_asked_for_at_random_within_10_ms()
    {
        var delays = new List<double>();
        for (int seed = 0; seed < 200; seed++)
        {
            using var stage = new Stage(seed);
            _stage = stage;
            SubscribeMulticast();
            Hear(Wire.Setup(Session, Stream, Term, Term, 0, TermLength, 1408, flags: 0x40), Group);
            Hear(Message(1024, 992), Group);
            double start = _stage.Milliseconds;
            while (_stage.CountOfType(2) == 0 && _stage.Milliseconds < start + 20)
                _stage.Run(0.1, step: 0.1);
            delays.Add(_stage.Milliseconds - start);
        }
        Assert.That(delays, Is.All.LessThanOrEqualTo(10.2));
        Assert.That(delays.Average(), Is.InRange(5, 9), "most wait long, so that few ask");
        Assert.That(delays.Count(delay => delay < 5), Is.InRange(10, 60));
    }

    [Test]
    public void A_heartbeat_reveals_a_lost_tail()
    {
        Open("|nak-delay=0");
        Hear(Wire.Heartbeat(Session, Stream, Term, 2048));
        Assert.That(_stage.SentOfType(2).Select(Wire.Describe).First(), Does.EndWith("off=0 len=2048"));
    }

    [Test]
    public void A_lost_end_of_a_term_is_asked_for_to_the_last_byte()
    {
        Open("|nak-delay=0", joinOffset: TermLength - 2048);
        Hear(Message(TermLength - 2048, 896));
        Hear(Message(0, 992, term: unchecked(Term + 1)));
        Assert.That(_stage.SentOfType(2).Select(Wire.Describe).First(), Does.EndWith($"term={Term} off={TermLength - 1120} len=1120"));
        Hear([.. Message(TermLength - 1120, 992), .. Wire.Padding(Session, Stream, Term, TermLength - 96, 96)]);
        _subscription.Poll(ref _handler, 10);
        Assert.That(_handler.Messages, Has.Count.EqualTo(3));
        Assert.That(_handler.Positions[^1], Is.EqualTo(TermLength + 1024));
    }

    [Test]
    public void Broken_datagrams_are_counted_and_change_nothing()
    {
        Open("|nak-delay=1s");
        byte[] two = [.. Message(0, 20), .. Message(64, 20)];
        foreach ((string what, byte[] datagram) in Broken(two))
        {
            long before = _stage.Agent.Counters.MalformedFrames;
            Hear(datagram);
            Assert.That(_stage.Agent.Counters.MalformedFrames - before, Is.EqualTo(1), what);
            Assert.That(_subscription.Images[0].Available, Is.Zero, what);
        }
        Hear(two);
        Assert.That(_subscription.Poll(ref _handler, 10), Is.EqualTo(2));
    }

    private static IEnumerable<(string, byte[])> Broken(byte[] two)
    {
        yield return ("empty", []);
        yield return ("shorter than a prefix", two[..7]);
        yield return ("shorter than a header", two[..31]);
        yield return ("cut within a frame", two[..32]);
        yield return ("bytes left over", [.. two, .. new byte[8]]);
        yield return ("a frame of zeros after the first", [.. two, .. new byte[32]]);
        yield return ("version 1", Changed(two, 4, 1));
        yield return ("version 1 in the second frame", Changed(two, 68, 1));
        yield return ("length below a header", Changed(two, 0, 31));
        yield return ("length beyond the datagram", Changed(two, 65, 1));
        yield return ("negative length", Changed(two, 3, 0x80));
        yield return ("second frame of another type", Changed(two, 70, 5));
        yield return ("second frame elsewhere", Changed(two, 72, 0x80));
        yield return ("second frame of another session", Changed(two, 76, 1));
        yield return ("second frame of another stream", Changed(two, 80, 1));
        yield return ("second frame of another term", Changed(two, 84, 1));
        yield return ("unaligned place", Changed(Changed(two, 8, 8), 72, 72));
        yield return ("padding before the end of the datagram", Changed(Changed(two, 6, 0), 0, 64));
        yield return ("padding beyond the term", Wire.Padding(Session, Stream, Term, TermLength - 64, 96));
        yield return ("place beyond the term", Message(TermLength, 20));
        yield return ("negative place", Message(-64, 20));
        yield return ("over the end of the term", Message(TermLength - 32, 20));
    }

    private static byte[] Changed(byte[] datagram, int index, byte value)
    {
        byte[] changed = (byte[])datagram.Clone();
        changed[index] = value;
        return changed;
    }

    private void Subscribe(string parameters = "") =>
        Watch(_stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100" + parameters, Stream));

    private void SubscribeMulticast() =>
        Watch(_stage.Agent.AddSubscription("aeron:udp?endpoint=224.20.30.41:40100|interface=127.0.0.1", Stream));

    private void Watch(Subscription subscription)
    {
        _subscription = subscription;
        subscription.ImageAvailable = image => _images.Add($"available {image.SessionId} at {image.JoinPosition}");
        subscription.ImageUnavailable = image => _images.Add($"gone {image.SessionId} {image.EndReason} at {image.Position}");
    }

    private void Open(string parameters = "", int joinOffset = 0)
    {
        Subscribe(parameters);
        Hear(Wire.Setup(Session, Stream, Term, Term, joinOffset, TermLength, 1408));
    }

    private void Hear(byte[] datagram, Ipv4Endpoint? to = null) => _stage.Hear(to ?? Receiver, datagram);

    private static byte[] Message(int offset, int length, int term = Term) =>
        Wire.Data(Session, Stream, term, offset, 0xC0, new byte[length]);

    private static byte[] Fragment(int offset, byte flags, int length, byte value = 0) =>
        Wire.Data(Session, Stream, Term, offset, flags, Filled(length, value));

    private static byte[] Filled(int length, byte value)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private int[] Consumptions() => [.. _stage.SentOfType(3).Select(frame => Wire.Int(frame, 20))];
}
