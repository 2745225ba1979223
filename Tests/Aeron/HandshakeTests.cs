// Whole conversations against decoded captures of the stock driver: same frames, same order, same fields, same pace.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class HandshakeTests
{
    /// <summary>
    /// A publisher alone for 700 ms, then a subscriber, 3,000-byte messages, a window of half a 64 KiB term: the capture's frames up to the
    /// second status message.
    /// </summary>
    [Test]
    public void A_late_unicast_subscriber_is_served_as_the_stock_driver_does()
    {
        var world = new SimulatedWorld(1) { FlightNanos = 20_000 };
        var lines = new List<string>();
        world.Tap = (_, _, data) =>
        {
            lines.Add(Wire.Describe(data));
            return true;
        };
        using var sender = new AeronAgent(world.Options());
        Publication publication = sender.AddPublication(
            "aeron:udp?endpoint=127.0.0.1:20121|term-length=64k|session-id=-1229252911|init-term-id=2131401665|term-id=2131401665"
            + "|term-offset=0", 1001);
        AeronAgent? receiver = null;
        Subscription? subscription = null;
        var handler = new Collecting();
        var message = new byte[3000];
        while (lines.Count(line => line.StartsWith("SM", StringComparison.Ordinal)) < 2)
        {
            if (receiver is null && world.Clock.Now >= 1_699_000_000)
            {
                receiver = new AeronAgent(world.Options());
                subscription = receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:20121", 1001);
            }
            sender.DoWork();
            receiver?.DoWork();
            if (publication.IsConnected && lines.Count > 9)
            {
                while (publication.Offer(message) > 0)
                {
                }
            }
            if (lines.Count == 41 && subscription!.Images[0].Available == 32448)
                subscription.Poll(ref handler, 100);
            world.Clock.Now += 10_000;
        }
        receiver?.Dispose();

        var expected = new List<string>();
        for (int i = 0; i < 8; i++)
        {
            expected.Add("SETUP fl=40 ver=0 flags=0x00 off=0 sess=-1229252911 str=1001 initTerm=2131401665 actTerm=2131401665 "
                + "termLen=65536 mtu=1408 ttl=0");
        }
        expected.Add("SM fl=36 ver=0 flags=0x00 sess=-1229252911 str=1001 consTerm=2131401665 consOff=0 win=32768");
        expected.Add("DATA fl=0 ver=0 flags=0xc0 off=0 sess=-1229252911 str=1001 term=2131401665 rsv=0 udp=32");
        (int Length, string Flags, int Datagram)[] fragments = [(1408, "0x80", 1408), (1408, "0x00", 1408), (280, "0x40", 288)];
        int offset = 0;
        for (int i = 0; offset < 32448; i++)
        {
            (int length, string flags, int datagram) = fragments[i % 3];
            expected.Add($"DATA fl={length} ver=0 flags={flags} off={offset} sess=-1229252911 str=1001 term=2131401665 rsv=0 "
                + $"udp={datagram}");
            offset += datagram;
        }
        // The consumer had taken all that the window let through when the capture's second status message was sent.
        expected.Add("SM fl=36 ver=0 flags=0x00 sess=-1229252911 str=1001 consTerm=2131401665 consOff=32448 win=32768");
        Assert.That(lines[..expected.Count], Is.EqualTo(expected));
    }

    /// <summary>The multicast capture: one message, a second one a second later, close; without the tail of the linger.</summary>
    [Test]
    public void A_multicast_conversation_keeps_the_stock_drivers_pace()
    {
        var world = new SimulatedWorld(1) { FlightNanos = 20_000 };
        var events = new List<(double Time, string Line, Ipv4Endpoint To)>();
        world.Tap = (_, to, data) =>
        {
            events.Add(((world.Clock.Now - 1_000_000_000) / 1e6, Wire.Describe(data), to));
            return true;
        };
        using var receiver = new AeronAgent(world.Options());
        const string Channel = "aeron:udp?endpoint=224.0.1.1:40456|interface=127.0.0.1";
        Subscription subscription = receiver.AddSubscription(Channel, 1001);
        using var sender = new AeronAgent(world.Options(termLength: 16 * 1024 * 1024));
        Publication publication = sender.AddPublication(
            Channel + "|session-id=-1488349594|init-term-id=498074405|term-id=498074405|term-offset=0", 1001);
        var handler = new Collecting();
        long step = 100_000;
        for (long now = 0; now < 4_200_000_000; now += step)
        {
            world.Clock.Now = 1_000_000_000 + now;
            if (now is 15_200_000 or 1_015_400_000)
                Assert.That(publication.Offer("Hello World! 1"u8), Is.Positive);
            if (now == 2_900_000_000)
                publication.Close();
            sender.DoWork();
            receiver.DoWork();
            subscription.Poll(ref handler, 10);
        }

        var data = new Ipv4Endpoint(0xE0000101, 40456);
        var control = new Ipv4Endpoint(0xE0000102, 40456);
        const string Frame = "sess=-1488349594 str=1001 term=498074405 rsv=0";
        Expect(events[0], 0, "SETUP fl=40 ver=0 flags=0x40 off=0 sess=-1488349594 str=1001 initTerm=498074405 actTerm=498074405 "
            + "termLen=16777216 mtu=1408 ttl=0", data);
        Expect(events[1], 0.1, "SM fl=36 ver=0 flags=0x00 sess=-1488349594 str=1001 consTerm=498074405 consOff=0 win=131072", control);
        Expect(events[2], 0.2, $"DATA fl=0 ver=0 flags=0xc0 off=0 {Frame} udp=32", data);
        Expect(events[3], 15.2, $"DATA fl=46 ver=0 flags=0xc0 off=0 {Frame} udp=64", data);
        Expect(events[4], 115.2, $"DATA fl=0 ver=0 flags=0xc0 off=64 {Frame} udp=32", data);
        // A status message on the timer repeats its position although the consumer has gone on.
        Expect(events[5], 200.1, "SM fl=36 ver=0 flags=0x00 sess=-1488349594 str=1001 consTerm=498074405 consOff=0 win=131072", control);
        Assert.That(events.Count(e => e.Time < 1000 && e.Line.StartsWith("SM", StringComparison.Ordinal)), Is.EqualTo(5));
        Assert.That(events.Count(e => e.Time is > 16 and < 1015 && e.Line.Contains("fl=0 ")), Is.EqualTo(9));

        double[] ends = [.. events.Where(e => e.Line.Contains("flags=0xe0 off=128")).Select(e => e.Time)];
        Assert.That(ends[0], Is.EqualTo(2900).Within(0.2));
        Assert.That(ends[1] - ends[0], Is.EqualTo(100).Within(0.2));
        double[] leaving = [.. events.Where(e => e.Line.Contains("SM fl=36 ver=0 flags=0x40")).Select(e => e.Time)];
        Assert.That(leaving, Has.Length.EqualTo(5));
        Assert.That(leaving[1] - leaving[0], Is.EqualTo(200).Within(0.2));
        Assert.That(handler.Messages, Has.Count.EqualTo(2));
    }

    private static void Expect((double Time, string Line, Ipv4Endpoint To) actual, double time, string line, Ipv4Endpoint to)
    {
        Assert.That(actual.Line, Is.EqualTo(line));
        Assert.That(actual.Time, Is.EqualTo(time).Within(0.25), line);
        Assert.That(actual.To, Is.EqualTo(to), line);
    }
}
