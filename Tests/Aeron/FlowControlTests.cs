// Whom a sender waits for: max, min and tagged groups, their sizes and times, joiners; against receivers that the test plays by hand.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class FlowControlTests
{
    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = -5;
    private const int Window = 8192;
    private const int Frame = 1024;
    private static readonly Ipv4Endpoint Control = new(0xE0141E2A, 45000);

    private Stage _stage = null!;
    private Publication _publication = null!;

    [SetUp]
    public void OpenStage() => _stage = new Stage();

    [TearDown]
    public void CloseStage() => _stage.Dispose();

    [TestCase("max", 8 * Frame, TestName = "max follows the fastest receiver")]
    [TestCase("min", 2 * Frame, TestName = "min follows the slowest receiver")]
    [TestCase("tagged,g:7", 5 * Frame, TestName = "tagged follows the slowest receiver with the tag")]
    public void A_stream_goes_as_far_as_its_flow_control_lets_it(string flow, int reached)
    {
        Open(flow);
        Status(receiver: 1, consumed: 0, window: 2 * Frame);
        Status(receiver: 2, consumed: 0, window: 5 * Frame, tag: 7);
        Status(receiver: 3, consumed: 0, window: 8 * Frame, tag: 8);
        Status(receiver: 4, consumed: 0, window: 6 * Frame, tag: 7);
        Fill(10);
        _stage.Run(5);
        Assert.That(Reached(), Is.EqualTo(reached));
    }

    [TestCase("min")]
    [TestCase("tagged,g:7")]
    public void A_member_that_says_goodbye_or_falls_silent_frees_the_others(string flow)
    {
        Open(flow + ",t:300ms");
        Status(1, 0, tag: 7);
        Status(2, 0, tag: 7);
        Status(3, 0, tag: 7);
        Fill(30);
        _stage.Run(1);
        Assert.That(Reached(), Is.EqualTo(Window));

        _stage.Hear(Control, Wire.Status(Session, Stream, Term, 0, Window, 1, flags: 0x40));
        for (int i = 0; i < 5; i++)
        {
            Status(3, Window, tag: 7);
            Assert.That(Reached(), Is.EqualTo(Window), "the second member is still waited for");
            _stage.Run(50);
        }
        Status(3, Window, tag: 7);
        _stage.Run(100);
        Assert.That(Reached(), Is.EqualTo(2 * Window), "it was silent for longer than the channel allows");
    }

    [TestCase("min,g:/2", true)]
    [TestCase("min,g:/2", false)]
    [TestCase("tagged,g:7/2", true)]
    [TestCase("tagged,g:7/2", false)]
    public void A_group_that_is_not_complete_is_not_connected_and_nothing_moves(string flow, bool saysGoodbye)
    {
        Open(flow);
        Status(1, 0, tag: 7);
        Assert.That(_publication.IsConnected, Is.False);
        Assert.That(_publication.Offer(new byte[8]), Is.EqualTo(Publication.NotConnected));
        Status(2, 0, tag: 7);
        Assert.That(_publication.IsConnected, Is.True);
        Fill(30);
        _stage.Run(1);
        Assert.That(Reached(), Is.EqualTo(Window));

        if (saysGoodbye)
            _stage.Hear(Control, Wire.Status(Session, Stream, Term, 0, Window, 2, flags: 0x40));
        for (int i = 0; i < 60; i++)
        {
            Status(1, Window, tag: 7);
            _stage.Run(100);
        }
        Assert.That(_publication.IsConnected, Is.False);
        Assert.That(Reached(), Is.EqualTo(Window));
        Status(2, Window, tag: 7);
        _stage.Run(1);
        Assert.That(_publication.IsConnected, Is.True);
        Assert.That(Reached(), Is.EqualTo(2 * Window));
    }

    [Test]
    public void Without_a_tagged_receiver_and_without_a_size_a_tagged_stream_goes_with_the_others()
    {
        Open("tagged,g:7");
        Status(1, 0, tag: null);
        Fill(30);
        _stage.Run(1);
        Assert.That(Reached(), Is.EqualTo(Window));
        Status(1, Window, tag: null);
        _stage.Run(1);
        Assert.That(Reached(), Is.EqualTo(2 * Window));
    }

    [Test]
    public void A_receiver_far_behind_the_group_does_not_hold_it()
    {
        Open("min");
        Status(1, 0);
        Fill(30);
        _stage.Run(1);
        Status(1, Window);
        _stage.Run(1);
        Status(2, 0);
        Status(1, 2 * Window);
        _stage.Run(5);
        Assert.That(Reached(), Is.EqualTo(2 * Window), "the second is within a window of the group and is waited for");
        Status(3, 0, window: Frame);
        Status(2, 2 * Window);
        _stage.Run(5);
        Assert.That(Reached(), Is.EqualTo(3 * Window), "the third was out of reach when it came");
    }

    [Test]
    public void A_receiver_that_asked_to_join_is_waited_for_until_its_first_word()
    {
        Open("min");
        Status(1, 0);
        Fill(30);
        _stage.Run(150);
        _stage.Hear(Control, Wire.Status(Session, Stream, 0, 0, 0, 2, flags: 0x80));
        _stage.Run(1);
        Assert.That(_stage.CountOfType(5), Is.EqualTo(2), "it gets its SETUP");
        int joined = Wire.Int(_stage.SentOfType(5).Last(), 8);
        Status(1, Window);
        _stage.Run(5);
        Assert.That(Reached(), Is.EqualTo(Window), "the group does not run away from the joiner");
        Status(2, joined);
        _stage.Run(5);
        Assert.That(Reached(), Is.EqualTo(2 * Window));
    }

    [Test]
    public void A_joiner_that_never_comes_holds_the_group_once_and_not_again()
    {
        Open("min,t:400ms");
        Status(1, 0);
        Fill(30);
        _stage.Run(1);
        for (int round = 0; round < 3; round++)
        {
            _stage.Run(150);
            _stage.Hear(Control, Wire.Status(Session, Stream, 0, 0, 0, 2, flags: 0x80));
            _stage.Run(1);
            int before = Reached();
            Status(1, before);
            _stage.Run(1);
            Assert.That(Reached(), Is.EqualTo(round == 0 ? before : Math.Min(before + Window, 30 * Frame)), $"round {round}");
            for (int i = 0; i < 5; i++)
            {
                Status(1, before);
                _stage.Run(100);
            }
            Assert.That(Reached(), Is.EqualTo(Math.Min(before + Window, 30 * Frame)), $"round {round}");
        }
    }

    /// <summary>Random lives of many receivers: whoever spoke within the time is a member, and nobody else.</summary>
    [Test]
    public void A_live_receiver_is_never_dropped([Range(1, 20)] int seed)
    {
        const long Timeout = 400_000_000;
        var random = new Random(seed);
        Channel channel = Channel.ForPublication(
            "aeron:udp?endpoint=224.20.30.41:45000|fc=min,t:400ms", new AeronOptions(new SimulatedTime()));
        var flow = new FlowControl(channel.Flow, 5_000_000_000);
        var heard = new Dictionary<long, long>();
        long now = 1;
        for (int step = 0; step < 5_000; step++)
        {
            int receiver = random.Next(12);
            if (random.Next(50) == 0)
            {
                flow.Remove(receiver);
                heard.Remove(receiver);
            }
            else if (random.Next(3) > 0 || receiver < 3)
            {
                flow.OnStatusMessage(
                    new StatusMessageFrame { ReceiverId = receiver, ReceiverWindow = 1000 + receiver }, null, 0, 0, now);
                heard[receiver] = now;
            }
            now += random.NextInt64(60_000_000);
            long limit = flow.OnIdle(500, now);
            long[] live = [.. heard.Where(entry => now - entry.Value < Timeout).Select(entry => entry.Key)];
            Assert.That(flow.Members, Is.EqualTo(live.Length), $"seed {seed}, step {step}");
            Assert.That(limit, Is.EqualTo(live.Length == 0 ? 500 : 1000 + live.Min()), $"seed {seed}, step {step}");
        }
    }

    [TestCase("max")]
    [TestCase("min")]
    public void A_stream_is_consumed_when_everybody_who_is_there_has_said_so(string kind)
    {
        Channel channel = Channel.ForPublication($"aeron:udp?endpoint=224.20.30.41:45000|fc={kind}", new AeronOptions(new SimulatedTime()));
        var flow = new FlowControl(channel.Flow, 5_000_000_000);
        Assert.That(flow.HasConsumed(96), Is.True, "nobody is there");
        void Says(long receiver, long consumption) => flow.OnStatusMessage(new StatusMessageFrame { ReceiverId = receiver, ReceiverWindow = 1_000 }, null, consumption, 0, 1);
        Says(1, 96);
        Says(2, 64);
        Assert.That(flow.HasConsumed(96), Is.False);
        Says(2, 96);
        Says(2, 64);
        Assert.That(flow.HasConsumed(96), Is.True, "a status message that was overtaken takes nothing back");
        Says(3, 0);
        Assert.That(flow.HasConsumed(96), Is.False);
        flow.Remove(3);
        Assert.That((flow.HasConsumed(96), flow.HasConsumed(128)), Is.EqualTo((true, false)));
    }

    [Test]
    public void More_receivers_than_are_tracked_push_nobody_out()
    {
        Channel channel = Channel.ForPublication("aeron:udp?endpoint=224.20.30.41:45000|fc=min", new AeronOptions(new SimulatedTime()));
        var flow = new FlowControl(channel.Flow, 5_000_000_000);
        for (int i = 0; i < Limits.TrackedReceivers + 100; i++)
            flow.OnStatusMessage(new StatusMessageFrame { ReceiverId = i, ReceiverWindow = 1000 + i }, null, 0, 0, 1);
        Assert.That(flow.Members, Is.EqualTo(Limits.TrackedReceivers));
        Assert.That(flow.OnIdle(0, 2), Is.EqualTo(1000), "the first is still waited for");
    }

    [TestCase("", 4 * 32768, TestName = "a retransmission is at most four windows of a multicast stream")]
    [TestCase("max,rrwm:1", 32768, TestName = "a retransmission is at most the window times rrwm")]
    public void The_burst_of_a_retransmission_is_bounded(string flow, int expected)
    {
        Open(flow.Length == 0 ? "max" : flow, termLength: "256k", options: 32768);
        for (int consumed = 0; consumed < 160 * Frame; consumed += 32 * Frame)
        {
            Status(1, consumed, window: 128 * Frame);
            Fill(32);
            _stage.Run(10);
        }
        _stage.Sent.Clear();
        _stage.Hear(Control, Wire.Nak(Session, Stream, Term, 0, 150 * Frame));
        Assert.That(_stage.SentOfType(1).Sum(frame => frame.Length), Is.EqualTo(Math.Min(expected, 150 * Frame)));
    }

    [Test]
    public void A_channel_bounds_how_many_ranges_are_sent_again_at_a_time()
    {
        Open("max|max-resend=2");
        Status(1, 0, window: 32768);
        Fill(30);
        _stage.Run(20);
        _stage.Sent.Clear();
        for (int range = 0; range < 3; range++)
            _stage.Hear(Control, Wire.Nak(Session, Stream, Term, range * 4 * Frame, Frame));
        Assert.That(_stage.SentOfType(1).Select(frame => Wire.Int(frame, 8)), Is.EqualTo((int[])[0, 4 * Frame]));
    }

    private void Open(string flow, string termLength = "64k", int options = 128 * 1024)
    {
        _stage.Dispose();
        _stage = new Stage(options: world => new AeronOptions(world.Clock)
        {
            Network = () => new SimulatedNetwork(world), Seed = 1, InitialWindowLength = options,
        });
        _publication = _stage.Agent.AddPublication(
            "aeron:udp?endpoint=224.20.30.41:45000|interface=127.0.0.1|session-id=77|init-term-id=-5|term-id=-5|term-offset=0"
            + $"|mtu=1k|term-length={termLength}|fc={flow}", Stream);
        _stage.Run(0);
    }

    private void Status(long receiver, int consumed, int window = Window, long? tag = null)
    {
        _stage.Hear(Control, Wire.Status(Session, Stream, Term, consumed, window, receiver, tag: tag));
        _stage.Run(0);
    }

    /// <summary>Offers frames of 1,024 bytes, as many as are taken.</summary>
    private void Fill(int frames)
    {
        for (int i = 0; i < frames; i++)
            _publication.Offer(new byte[Frame - 32]);
    }

    /// <summary>The end of the furthest byte sent.</summary>
    private int Reached() => _stage.SentOfType(1).Where(frame => frame.Length > 32).Max(frame => Wire.Int(frame, 8) + frame.Length);
}
