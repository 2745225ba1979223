// What a subscriber sees of an image: fragments put together, the handler's answers, the end of a stream and its return.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

public sealed partial class ImageTests
{
    [Test]
    public void An_unreliable_subscription_passes_over_gaps_and_never_asks()
    {
        Open("|reliable=false");
        Hear(Message(0, 992));
        Hear(Fragment(1024, 0x80, 32));
        Hear(Fragment(1152, 0x40, 32));
        Hear(Message(1216, 100));
        _subscription.Poll(ref _handler, 10);
        Assert.That(_handler.Messages.Select(message => message.Length), Is.EqualTo((int[])[992, 100]));
        Assert.That(_stage.CountOfType(2), Is.Zero);
        Assert.That(_stage.Agent.Counters.GapsFilled, Is.EqualTo(1));
    }

    [Test]
    public void A_subscriber_that_joins_within_a_message_begins_with_the_next()
    {
        Open(joinOffset: 2816);
        Hear(Fragment(2816, 0x00, 1376));
        Hear(Fragment(4224, 0x40, 100));
        Hear(Fragment(4384, 0x80, 1376));
        Hear(Fragment(5792, 0x40, 1));
        Hear(Message(5856, 7));
        _subscription.Poll(ref _handler, 10);
        Assert.That(_handler.Messages.Select(message => message.Length), Is.EqualTo((int[])[1377, 7]));
    }

    [Test]
    public void Fragments_of_two_senders_do_not_mix()
    {
        Open();
        Hear(Wire.Setup(78, Stream, 5, 5, 0, TermLength, 1408));
        Hear(Fragment(0, 0x80, 1376, value: 1));
        Hear(Wire.Data(78, Stream, 5, 0, 0x80, Filled(1376, 2)));
        _subscription.Poll(ref _handler, 10);
        Hear(Wire.Data(78, Stream, 5, 1408, 0x40, Filled(10, 2)));
        Hear(Fragment(1408, 0x40, 20, value: 1));
        _subscription.Poll(ref _handler, 10);
        Assert.That(_handler.Messages, Has.Count.EqualTo(2));
        foreach (byte[] message in _handler.Messages)
            Assert.That(message.Distinct().Count(), Is.EqualTo(1));
        Assert.That(_handler.Messages.Select(message => message.Length), Is.EquivalentTo((int[])[1386, 1396]));
    }

    [Test]
    public void An_aborted_message_comes_again_and_nothing_after_it()
    {
        Open();
        Hear(Message(0, 10));
        Hear(Fragment(64, 0x80, 1376));
        Hear(Fragment(1472, 0x40, 24));
        Hear(Message(1536, 30));
        int offers = 0;
        _handler.Answer = count => count == 1 && offers++ < 3 ? PollAction.Abort : PollAction.Continue;
        Assert.That(_subscription.Poll(ref _handler, 10), Is.EqualTo(1));
        Assert.That(_subscription.Poll(ref _handler, 10), Is.Zero);
        Assert.That(_subscription.Poll(ref _handler, 10), Is.Zero);
        Assert.That(_subscription.Images[0].Position, Is.EqualTo(1472), "before the fragment that would have ended the message");
        Assert.That(_subscription.Poll(ref _handler, 10), Is.EqualTo(2));
        Assert.That(_handler.Messages.Select(message => message.Length), Is.EqualTo((int[])[10, 1400, 30]));
    }

    [Test]
    public void Commit_publishes_at_once_Break_stops_after_a_message_and_a_throw_before_it()
    {
        Open();
        for (int i = 0; i < 4; i++)
            Hear(Message(i * 64, 20));
        Image image = _subscription.Images[0];
        long seen = -1;
        _handler.Answer = count =>
        {
            if (count == 1)
                seen = image.Position;
            return count switch
            {
                0 => PollAction.Commit,
                2 => throw new InvalidDataException("handler"),
                _ => PollAction.Break,
            };
        };
        Assert.That(_subscription.Poll(ref _handler, 10), Is.EqualTo(2));
        Assert.That(seen, Is.EqualTo(64));
        Assert.That(() => _subscription.Poll(ref _handler, 10), Throws.TypeOf<InvalidDataException>());
        Assert.That(image.Position, Is.EqualTo(128));
        _handler.Answer = static _ => PollAction.Continue;
        Assert.That(_subscription.Poll(ref _handler, 10), Is.EqualTo(2));
    }

    [Test]
    public void A_handler_may_not_drive_the_transport()
    {
        Open();
        Hear(Message(0, 20));
        _handler.Answer = _ =>
        {
            _stage.Agent.DoWork();
            return PollAction.Continue;
        };
        Assert.That(() => _subscription.Poll(ref _handler, 10), Throws.InvalidOperationException);
    }

    [Test]
    public void An_image_ends_when_its_stream_has_ended_and_was_read()
    {
        Open();
        Hear(Message(0, 20));
        Hear(Wire.Heartbeat(Session, Stream, Term, 64, 0xE0));
        _stage.Run(2000, step: 10);
        Assert.That(_images, Has.Count.EqualTo(1), "there is a message to read");
        Assert.That(_subscription.Images[0].EndReason, Is.EqualTo(ImageEnd.EndOfStream));
        _subscription.Poll(ref _handler, 10);
        _stage.Run(0);
        Assert.That(_images, Is.EqualTo((string[])["available 77 at 0", "gone 77 EndOfStream at 64"]));
        Assert.That(_stage.SentOfType(3).Count(frame => frame[5] == 0x40), Is.EqualTo(5));
        Assert.That(_handler.Messages, Has.Count.EqualTo(1));
    }

    [Test]
    public void The_end_is_not_reached_before_every_byte_is()
    {
        Open("|nak-delay=0");
        Hear(Message(1024, 992));
        Hear(Wire.Heartbeat(Session, Stream, Term, 2048, 0xE0));
        _stage.Run(1000);
        Assert.That(_subscription.Images[0].EndReason, Is.EqualTo(ImageEnd.None));
        Hear(Message(0, 992));
        Assert.That(_subscription.Images[0].EndReason, Is.EqualTo(ImageEnd.EndOfStream));
    }

    [Test]
    public void A_revoked_stream_ends_without_its_rest()
    {
        Open();
        Hear(Message(0, 20));
        Hear(Wire.Heartbeat(Session, Stream, Term, 4096, 0xF0));
        _subscription.Poll(ref _handler, 10);
        _stage.Run(2000, step: 10);
        Assert.That(_images[^1], Is.EqualTo("gone 77 Revoked at 64"));
        Assert.That(_stage.CountOfType(2), Is.Zero);
    }

    [Test]
    public void A_silent_sender_is_given_up_after_10_s_and_may_come_back()
    {
        Open();
        Hear(Message(0, 20));
        _subscription.Poll(ref _handler, 10);
        _stage.Run(9900, step: 10);
        Assert.That(_subscription.IsConnected);
        _stage.Run(2000, step: 10);
        Assert.That(_images[^1], Is.EqualTo("gone 77 Silent at 64"));
        Assert.That(_subscription.IsConnected, Is.False);

        Hear(Message(64, 20));
        Hear(Wire.Setup(Session, Stream, Term, Term, 128, TermLength, 1408));
        Hear(Message(128, 20));
        _subscription.Poll(ref _handler, 10);
        Assert.That(_images[^1], Is.EqualTo("available 77 at 128"));
        Assert.That(_handler.Messages, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_second_subscription_joins_where_the_stream_is()
    {
        Open();
        Hear(Message(0, 20));
        Subscription second = _stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100", Stream);
        Assert.That(second.Images[0].JoinPosition, Is.EqualTo(64));
        Hear(Message(64, 20));
        var other = new Collecting();
        _subscription.Poll(ref _handler, 10);
        second.Poll(ref other, 10);
        Assert.That((_handler.Messages.Count, other.Messages.Count), Is.EqualTo((2, 1)));
    }

    [Test]
    public void The_slowest_subscription_holds_the_sender()
    {
        Open();
        _stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100", Stream);
        for (int offset = 0; offset < 16 * 1024; offset += 1024)
            Hear(Message(offset, 992));
        _subscription.Poll(ref _handler, 100);
        _stage.Run(10);
        Assert.That(Consumptions(), Is.EqualTo((int[])[0]));
    }

    [Test]
    public void Closing_the_subscription_tells_the_sender()
    {
        Open();
        _subscription.Close();
        _stage.Run(2000, step: 10);
        Assert.That(_stage.SentOfType(3).Count(frame => frame[5] == 0x40), Is.EqualTo(5));
        Assert.That(_subscription.Poll(ref _handler, 10), Is.Zero);
        Assert.That(_stage.Agent.Counters.ImagesClosed, Is.EqualTo(1));
    }
}
