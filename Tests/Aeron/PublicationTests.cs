// The rules of a sender, one at a time, against a hand-played receiver under a clock that only the test moves.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class PublicationTests
{
    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = -5;
    private const int Window = 32768;
    private const string Start = "|session-id=77|init-term-id=-5|term-id=-5|term-offset=0|term-length=64k";
    private const string Unicast = "aeron:udp?endpoint=127.0.0.1:45000" + Start;
    private const string Multicast = "aeron:udp?endpoint=224.20.30.41:45000|interface=127.0.0.1" + Start;

    private Stage _stage = null!;
    private Ipv4Endpoint _sender;

    [SetUp]
    public void OpenStage() => _stage = new Stage();

    [TearDown]
    public void CloseStage() => _stage.Dispose();

    [Test]
    public void SETUP_is_repeated_every_100_ms_until_a_receiver_answers_and_nothing_else_is_sent()
    {
        Publication publication = _stage.Agent.AddPublication(Unicast, Stream);
        _stage.Run(450);
        Assert.That(_stage.Sent.Select(sent => Math.Round(sent.Time)), Is.EqualTo((double[])[0, 100, 200, 300, 400]));
        Assert.That(_stage.CountOfType(5), Is.EqualTo(5));
        Assert.That(publication.IsConnected, Is.False);
        Assert.That(publication.Offer(new byte[10]), Is.EqualTo(Publication.NotConnected));
    }

    [Test]
    public void A_status_message_connects_and_ends_the_SETUPs()
    {
        Publication publication = Connect(Unicast);
        _stage.Run(1000);
        Assert.That(publication.IsConnected);
        Assert.That(_stage.CountOfType(5), Is.EqualTo(1));
    }

    [Test]
    public void An_idle_stream_sends_a_heartbeat_every_100_ms()
    {
        Connect(Unicast);
        _stage.Run(450);
        Assert.That(_stage.SentOfType(1).Select(Wire.Describe), Is.All.EqualTo(
            $"DATA fl=0 ver=0 flags=0xc0 off=0 sess=77 str=1001 term={Term} rsv=0 udp=32"));
        Assert.That(_stage.CountOfType(1), Is.EqualTo(5));
    }

    [Test]
    public void Small_messages_share_datagrams_up_to_the_MTU()
    {
        Publication publication = Connect(Unicast);
        for (int i = 0; i < 100; i++)
            publication.Offer(new byte[64]);
        _stage.Run(5);
        byte[][] datagrams = [.. _stage.SentOfType(1).Where(frame => frame.Length > 32)];
        Assert.That(datagrams.Select(frame => frame.Length), Is.EqualTo((int[])[1344, 1344, 1344, 1344, 1344, 1344, 1344, 192]));
        Assert.That(datagrams.Select(frame => Wire.Int(frame, 8)), Is.EqualTo((int[])[0, 1344, 2688, 4032, 5376, 6720, 8064, 9408]));
    }

    [Test]
    public void Data_stops_at_the_receivers_window_and_offers_at_the_publications()
    {
        Publication publication = Connect(Unicast, window: 4096);
        int taken = 0;
        while (publication.Offer(new byte[992]) > 0)
            taken++;
        Assert.That(taken, Is.EqualTo(32), "half a term of 1,024-byte frames");
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.BackPressured));
        _stage.Run(10);
        Assert.That(_stage.SentOfType(1).Where(frame => frame.Length > 32).Sum(frame => frame.Length), Is.EqualTo(4096));
        Assert.That(_stage.Agent.Counters.FlowControlWaits, Is.Positive);

        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 4096, 4096, 42));
        _stage.Run(10);
        Assert.That(_stage.SentOfType(1).Where(frame => frame.Length > 32).Sum(frame => frame.Length), Is.EqualTo(8192));
        Assert.That(publication.Offer(new byte[1]), Is.Positive);
    }

    [Test]
    public void Padding_is_sent_when_the_window_covers_it()
    {
        Publication publication = Connect(Unicast);
        int Consume(int offset) => Deliver(Wire.Status(Session, Stream, Term, offset, Window, 42));
        for (int sent = 0; sent < 57; sent++)
        {
            Fill(publication, 1);
            Consume(Math.Min((int)publication.Position - 1024, 65536 - Window - 3072));
        }
        // 58,368 bytes are used; a message of 8,192 does not fit the rest of 7,168, and the window ends 3,072 bytes before the term.
        Assert.That(publication.Offer(new byte[8192]), Is.Positive);
        _stage.Run(5);
        Assert.That(_stage.CountOfType(0), Is.Zero);
        Assert.That(SentBytes(), Is.EqualTo(57 * 1024));
        Consume(65536 - Window);
        _stage.Run(5);
        Assert.That(_stage.CountOfType(0), Is.EqualTo(1));
        Assert.That(SentBytes(), Is.EqualTo(57 * 1024), "the window ends with the term");

        int Deliver(byte[] status)
        {
            _stage.Hear(_sender, status);
            _stage.Run(0);
            return 0;
        }
    }

    [Test]
    public void The_limit_follows_the_fastest_receiver_and_never_goes_back()
    {
        Publication publication = Connect(Multicast, window: 4096);
        Fill(publication, 16);
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 2048, 4096, receiver: 43));
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, 4096, receiver: 42));
        _stage.Run(10);
        Assert.That(SentBytes(), Is.EqualTo(6144));
    }

    [TestCase(-5, 40, 4096, Description = "unaligned offset")]
    [TestCase(-5, 65536, 4096, Description = "offset beyond the term")]
    [TestCase(-5, -32, 4096, Description = "negative offset")]
    [TestCase(-5, 0, -1, Description = "negative window")]
    [TestCase(-5, 0, 65536, Description = "window above half a term")]
    [TestCase(-6, 0, 4096, Description = "a term before the first")]
    [TestCase(-4, 0, 4096, Description = "further ahead than half a term")]
    [TestCase(int.MaxValue, 0, 4096, Description = "another age")]
    public void An_implausible_status_message_is_counted_and_changes_nothing(int term, int offset, int window)
    {
        Publication publication = Open(Unicast);
        _stage.Hear(_sender, Wire.Status(Session, Stream, term, offset, window, 42));
        Assert.That(publication.IsConnected, Is.False);
        Assert.That(_stage.Agent.Counters.StatusMessagesRejected, Is.EqualTo(1));
    }

    [Test]
    public void A_status_message_with_a_group_tag_is_understood()
    {
        Publication publication = Open(Unicast);
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, 4096, 42, tag: 9));
        Assert.That(publication.IsConnected);
    }

    [Test]
    public void A_receiver_that_falls_silent_is_gone_after_5_s()
    {
        Publication publication = Connect(Unicast);
        _stage.Run(4990, step: 10);
        Assert.That(publication.IsConnected);
        _stage.Run(20, step: 10);
        Assert.That(publication.IsConnected, Is.False);
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.NotConnected));
    }

    [Test]
    public void A_live_receiver_is_not_dropped_when_another_falls_silent()
    {
        Publication publication = Connect(Multicast);
        for (int i = 0; i < 40; i++)
        {
            _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, Window, receiver: 43));
            _stage.Run(200, step: 50);
            Assert.That(publication.IsConnected, $"after {_stage.Milliseconds} ms");
        }
    }

    [Test]
    public void A_receiver_that_says_goodbye_or_reports_an_error_is_gone_at_once([Values] bool error)
    {
        Publication publication = Connect(Unicast);
        _stage.Hear(_sender, error
            ? Wire.Error(Session, Stream, 42, 13, "rejected")
            : Wire.Status(Session, Stream, Term, 0, Window, 42, flags: 0x40));
        Assert.That(publication.IsConnected, Is.False);
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, Window, 42));
        Assert.That(publication.IsConnected, "it may come back");
    }

    [Test]
    public void A_solicited_SETUP_carries_the_present_position_and_keeps_the_pace()
    {
        Publication publication = Connect(Unicast);
        Fill(publication, 3);
        _stage.Run(2);
        for (int i = 0; i < 5; i++)
            _stage.Hear(_sender, Wire.Status(Session, Stream, 0, 0, 0, 99, flags: 0x80));
        _stage.Run(150);
        byte[][] setups = [.. _stage.SentOfType(5)];
        Assert.That(setups, Has.Length.EqualTo(2), "five requests, one answer");
        Assert.That(Wire.Describe(setups[1]), Does.Contain($"off=3072 sess=77 str=1001 initTerm={Term} actTerm={Term} "));
    }

    [Test]
    public void A_NAK_is_served_once_within_the_linger_time()
    {
        Publication publication = Connect(Unicast);
        Fill(publication, 10);
        _stage.Run(5);
        _stage.Sent.Clear();
        for (int i = 0; i < 5; i++)
            _stage.Hear(_sender, Wire.Nak(Session, Stream, Term, 1024, 2048));
        Assert.That(_stage.SentOfType(1).Select(frame => Wire.Int(frame, 8)), Is.EqualTo((int[])[1024, 2048]));
        Assert.That(_stage.SentOfType(1).Select(frame => frame.Length), Is.All.EqualTo(1024));
        Assert.That(_stage.Agent.Counters.NaksIgnored, Is.EqualTo(4));
        _stage.Run(10);
        _stage.Hear(_sender, Wire.Nak(Session, Stream, Term, 1024, 2048));
        Assert.That(_stage.SentOfType(1).Count(frame => frame.Length > 32), Is.EqualTo(4), "after the linger time it is served again");
    }

    [Test]
    public void Multicast_serves_many_ranges_at_once_and_unicast_the_newest()
    {
        foreach (string channel in (string[])[Multicast, Unicast])
        {
            using var stage = new Stage();
            _stage = stage;
            Publication publication = Connect(channel);
            Fill(publication, 30);
            _stage.Run(10);
            _stage.Sent.Clear();
            for (int round = 0; round < 2; round++)
            {
                for (int i = 0; i < 20; i++)
                    _stage.Hear(_sender, Wire.Nak(Session, Stream, Term, i * 1024, 1024));
            }
            int expected = channel == Multicast ? 16 : 40;
            Assert.That(_stage.SentOfType(1).Count(), Is.EqualTo(expected), channel);
        }
    }

    [TestCase(-5, 0, 0, true, Description = "nothing asked for")]
    [TestCase(-5, 0, -32, true, Description = "negative length")]
    [TestCase(-5, -32, 32, true, Description = "negative offset")]
    [TestCase(-5, 65536, 32, true, Description = "beyond the term")]
    [TestCase(-5, 1, 32, true, Description = "unaligned")]
    [TestCase(-5, 32, 64, false, Description = "in the middle of a frame")]
    [TestCase(-5, 10240, 1024, false, Description = "not sent yet")]
    [TestCase(-6, 0, 1024, false, Description = "before the stream")]
    [TestCase(-4, 0, 1024, false, Description = "a term ahead")]
    [TestCase(int.MinValue, 0, 1024, false, Description = "another age")]
    public void A_NAK_for_what_cannot_be_sent_again_is_refused(int term, int offset, int length, bool malformed)
    {
        Publication publication = Connect(Unicast);
        Fill(publication, 10, unchecked((byte)0x21));
        _stage.Run(5);
        _stage.Sent.Clear();
        _stage.Hear(_sender, Wire.Nak(Session, Stream, term, offset, length));
        Assert.That(_stage.Sent, Is.Empty);
        Assert.That(_stage.Agent.Counters.MalformedFrames, Is.EqualTo(malformed ? 1 : 0));
        Assert.That(_stage.Agent.Counters.NaksIgnored, Is.EqualTo(malformed ? 0 : 1));
    }

    [Test]
    public void A_NAK_longer_than_the_stream_sends_what_there_is()
    {
        Publication publication = Connect(Unicast);
        Fill(publication, 3);
        _stage.Run(5);
        _stage.Sent.Clear();
        _stage.Hear(_sender, Wire.Nak(Session, Stream, Term, 0, int.MaxValue));
        Assert.That(_stage.SentOfType(1).Sum(frame => frame.Length), Is.EqualTo(3072));
    }

    [Test]
    public void Closing_sends_the_rest_then_signals_the_end_through_the_linger_time()
    {
        Publication publication = Connect(Unicast + "|linger=1s", window: 4096);
        Fill(publication, 8);
        publication.Close();
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.Closed));
        _stage.Run(20);
        Assert.That(_stage.SentOfType(1).Count(frame => frame[5] == 0xE0), Is.Zero, "half of it has no window yet");
        Assert.That(publication.IsDrained, Is.False);

        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 4096, 4096, 42));
        _stage.Run(2000);
        Assert.That(SentBytes(), Is.EqualTo(8192));
        byte[][] ends = [.. _stage.SentOfType(1).Where(frame => frame[5] == 0xE0)];
        Assert.That(ends, Has.Length.EqualTo(10).Or.Length.EqualTo(11));
        Assert.That(ends.Select(frame => Wire.Int(frame, 8)), Is.All.EqualTo(8192));
        Assert.That(publication.IsDrained);
    }

    [Test]
    public void A_unicast_receiver_that_leaves_after_the_end_spares_the_linger_time()
    {
        Publication publication = Connect(Unicast);
        publication.Close();
        _stage.Run(10);
        int before = _stage.Sent.Count;
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, Window, 42, flags: 0x40));
        _stage.Run(1000);
        Assert.That(_stage.Sent.Count - before, Is.Zero);
    }

    [Test]
    public void NAKs_are_served_while_a_closed_stream_lingers()
    {
        Publication publication = Connect(Unicast);
        Fill(publication, 2);
        publication.Close();
        _stage.Run(100);
        _stage.Sent.Clear();
        _stage.Hear(_sender, Wire.Nak(Session, Stream, Term, 0, 1024));
        Assert.That(_stage.SentOfType(1).Any(frame => frame.Length == 1024));
    }

    [Test]
    public void With_eos_false_the_end_is_not_signalled()
    {
        Publication publication = Connect(Unicast + "|eos=false");
        publication.Close();
        _stage.Run(500);
        Assert.That(_stage.SentOfType(1).Select(frame => frame[5]), Is.All.EqualTo(0xC0));
    }

    [Test]
    public void Frames_of_no_use_are_ignored_and_broken_ones_counted()
    {
        Connect(Unicast);
        AeronCounters counters = _stage.Agent.Counters;
        byte[] badVersion = Wire.Status(Session, Stream, Term, 0, Window, 42);
        badVersion[4] = 1;
        foreach (byte[] broken in (byte[][])[[], [1, 2, 3], badVersion, Wire.Status(Session, Stream, Term, 0, Window, 42)[..35],
            Wire.Nak(Session, Stream, Term, 0, 32)[..20], Wire.RoundTrip(Session, Stream, 1, 0, 1, 0x80)[..39]])
        {
            long before = counters.MalformedFrames;
            _stage.Hear(_sender, broken);
            Assert.That(counters.MalformedFrames - before, Is.EqualTo(1), Convert.ToHexString(broken));
        }
        foreach (byte[] useless in (byte[][])[Wire.Data(Session, Stream, Term, 0, 0xC0, new byte[32]),
            Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408), Wire.RoundTrip(Session, Stream, 1, 0, 1, flags: 0)])
        {
            long before = counters.IgnoredFrames;
            _stage.Hear(_sender, useless);
            Assert.That(counters.IgnoredFrames - before, Is.EqualTo(1), Wire.Describe(useless));
        }
        foreach (int type in (int[])[7, 8, 9, 10, 11, 99, -1])
        {
            byte[] unknown = Wire.Data(Session, Stream, Term, 0, 0xC0, default, type: (short)type);
            long before = counters.IgnoredFrames;
            _stage.Hear(_sender, unknown);
            Assert.That(counters.IgnoredFrames - before, Is.EqualTo(1), $"type {type}");
        }
        long strangers = counters.UnknownStreams;
        _stage.Hear(_sender, Wire.Status(Session + 1, Stream, Term, 0, Window, 42));
        _stage.Hear(_sender, Wire.Nak(Session, Stream + 1, Term, 0, 32));
        Assert.That(counters.UnknownStreams - strangers, Is.EqualTo(2));
    }

    [Test]
    public void A_stream_ends_at_the_position_its_term_ids_can_count_to()
    {
        const int LastTerm = Term + int.MaxValue;
        Publication publication = Connect(
            "aeron:udp?endpoint=127.0.0.1:45000|session-id=77|term-length=64k|init-term-id=-5|term-offset=61440"
            + $"|term-id={LastTerm}", term: LastTerm, offset: 61440);
        Assert.That(publication.Position, Is.EqualTo((65536L * int.MaxValue) + 61440));
        Fill(publication, 4);
        Assert.That(publication.Position, Is.EqualTo(65536L << 31));
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.MaxPositionExceeded));
        _stage.Run(10);
        Assert.That(SentBytes(), Is.EqualTo(4096));
    }

    [Test]
    public void Automatic_sessions_differ_and_a_chosen_one_is_taken_once()
    {
        const string Plain = "aeron:udp?endpoint=127.0.0.1:45000|term-length=64k";
        var sessions = new HashSet<int>();
        for (int i = 0; i < 20; i++)
            sessions.Add(_stage.Agent.AddPublication(Plain, Stream).SessionId);
        Assert.That(sessions, Has.Count.EqualTo(20));
        _stage.Agent.AddPublication(Unicast, Stream);
        Assert.That(
            () => _stage.Agent.AddPublication(Unicast, Stream),
            Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo("session-id"));
    }

    [Test]
    public void A_message_longer_than_an_eighth_of_the_term_is_an_error()
    {
        Publication publication = Connect(Unicast);
        Assert.That(publication.MaxMessageLength, Is.EqualTo(8192));
        Assert.That(publication.Offer(new byte[8192]), Is.Positive);
        Assert.That(() => publication.Offer(new byte[8193]), Throws.ArgumentException);
    }

    private Publication Open(string channel)
    {
        Publication publication = _stage.Agent.AddPublication(channel, Stream);
        _stage.Run(0);
        _sender = channel.Contains("224.20.30.41", StringComparison.Ordinal)
            ? new Ipv4Endpoint(0xE0141E2A, 45000)
            : _stage.Sent[^1].From;
        return publication;
    }

    private Publication Connect(string channel, int window = Window, int term = Term, int offset = 0)
    {
        Publication publication = Open(channel);
        _stage.Hear(_sender, Wire.Status(Session, Stream, term, offset, window, 42));
        Assert.That(publication.IsConnected);
        return publication;
    }

    private int SentBytes() => _stage.SentOfType(1).Where(frame => frame.Length > 32).Sum(frame => frame.Length);

    private static void Fill(Publication publication, int frames, byte value = 0)
    {
        var message = new byte[992];
        message.AsSpan().Fill(value);
        for (int i = 0; i < frames; i++)
            Assert.That(publication.Offer(message), Is.Positive);
    }
}
