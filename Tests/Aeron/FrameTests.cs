// The bytes of every frame the transport sends, as literals from the protocol's fact sheet, and its own builder against the same.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class FrameTests
{
    private const int Session = -1229252911;
    private const int Term = 2131401665;
    private const string Channel =
        "aeron:udp?endpoint=127.0.0.1:45000|session-id=-1229252911|init-term-id=2131401665|term-id=2131401665|term-offset=0"
        + "|term-length=64k|mtu=1408";
    private const string Setup = "280000000000050000000000d116bbb6e9030000c19b0a7fc19b0a7f000001008005000000000000";
    private const string Status = "2400000000000300d116bbb6e9030000c19b0a7fc07e00000080000088227e7dd0757965";
    private const string Heartbeat = "0000000000c0010000000000d116bbb6e9030000c19b0a7f0000000000000000";
    private const string EndOfStream = "0000000000e0010040000000d116bbb6e9030000c19b0a7f0000000000000000";
    private const string Nak = "1c00000000000200d116bbb6e9030000c19b0a7f8005000080050000";
    private const string Data =
        "2e00000000c0010000000000d116bbb6e9030000c19b0a7f080706050403020148656c6c6f2c206d617267696e21"
        + "000000000000000000000000000000000000";
    private const string Padding = "6004000000c00000a0fb0000d116bbb6e9030000c19b0a7f0000000000000000";
    private const string RoundTrip = "2800000000800600d116bbb6e9030000887766554433221105000000000000002a00000000000000";
    private const string RoundTripAnswer = "2800000000000600d116bbb6e9030000887766554433221100000000000000002a00000000000000";

    [Test]
    public void The_tests_own_builder_makes_the_same_bytes() => Assert.Multiple(() =>
    {
        Assert.That(Hex(Wire.Setup(Session, 1001, Term, Term, 0, 65536, 1408)), Is.EqualTo(Setup));
        Assert.That(Hex(Wire.Status(Session, 1001, Term, 32448, 32768, 7312005008331776648)), Is.EqualTo(Status));
        Assert.That(Hex(Wire.Heartbeat(Session, 1001, Term, 0)), Is.EqualTo(Heartbeat));
        Assert.That(Hex(Wire.Heartbeat(Session, 1001, Term, 64, 0xE0)), Is.EqualTo(EndOfStream));
        Assert.That(Hex(Wire.Nak(Session, 1001, Term, 1408, 1408)), Is.EqualTo(Nak));
        Assert.That(
            Hex(Wire.Data(Session, 1001, Term, 0, 0xC0, "Hello, margin!"u8, reserved: 0x0102030405060708)), Is.EqualTo(Data));
        Assert.That(Hex(Wire.Padding(Session, 1001, Term, 65536 - 1120, 1120)), Is.EqualTo(Padding));
        Assert.That(Hex(Wire.RoundTrip(Session, 1001, 0x1122334455667788, 5, 42, 0x80)), Is.EqualTo(RoundTrip));
    });

    [Test]
    public void A_publication_sends_the_documented_bytes()
    {
        using var stage = new Stage();
        Publication publication = stage.Agent.AddPublication(Channel, 1001);
        stage.Run(0);
        Assert.That(Hex(stage.Sent.Single().Data), Is.EqualTo(Setup), "SETUP");

        Ipv4Endpoint sender = stage.Sent[0].From;
        stage.Hear(sender, Wire.Status(Session, 1001, Term, 0, 32768, 42));
        stage.Run(0);
        Assert.That(Hex(stage.Sent[1].Data), Is.EqualTo(Heartbeat), "heartbeat");

        Assert.That(publication.Offer("Hello, margin!"u8, reservedValue: 0x0102030405060708), Is.EqualTo(64));
        stage.Run(0);
        Assert.That(Hex(stage.Sent[2].Data), Is.EqualTo(Data), "DATA");

        stage.Hear(sender, Wire.RoundTrip(Session, 1001, 0x1122334455667788, 5, 42, 0x80));
        Assert.That(Hex(stage.Sent[3].Data), Is.EqualTo(RoundTripAnswer), "RTTM");

        publication.Close();
        stage.Run(0);
        Assert.That(Hex(stage.Sent[4].Data), Is.EqualTo(EndOfStream), "end of stream");
    }

    [Test]
    public void A_subscription_sends_the_documented_bytes()
    {
        using var stage = new Stage();
        stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100|nak-delay=0", 1001);
        var receiver = new Ipv4Endpoint(Ipv4Endpoint.Loopback, 40100);
        stage.Hear(receiver, Wire.Data(Session, 1001, Term, 0, 0xC0, "lost SETUP"u8));
        byte[] asking = stage.Sent.Single().Data;
        Assert.That(Hex(asking)[..56], Is.EqualTo("2400000000800300d116bbb6e9030000000000000000000000000000"), "SM asking for SETUP");

        stage.Hear(receiver, Wire.Setup(Session, 1001, Term, Term, 0, 65536, 1408));
        byte[] status = stage.Sent[1].Data;
        Assert.That(Hex(status)[..56], Is.EqualTo("2400000000000300d116bbb6e9030000c19b0a7f0000000000800000"), "SM");
        Assert.That(Wire.Long(status, 28), Is.EqualTo(Wire.Long(asking, 28)), "one receiver, one id");

        stage.Hear(receiver, Wire.Data(Session, 1001, Term, 0, 0xC0, new byte[1376]));
        stage.Hear(receiver, Wire.Data(Session, 1001, Term, 2816, 0xC0, new byte[1376]));
        Assert.That(Hex(stage.Sent[2].Data), Is.EqualTo(Nak), "NAK");
    }

    [Test]
    public void The_rest_of_a_term_is_sent_as_the_header_of_its_padding()
    {
        using var stage = new Stage();
        Publication publication = stage.Agent.AddPublication(Channel, 1001);
        stage.Run(0);
        Ipv4Endpoint sender = stage.Sent[0].From;
        var message = new byte[1000];
        while (publication.Position < 65536)
        {
            stage.Hear(sender, Wire.Status(Session, 1001, Term, (int)publication.Position, 32768, 42));
            publication.Offer(message);
            stage.Run(0);
        }

        // 63 frames of 1,056 bytes leave 992 + 32; the last of them and the padding header share a datagram, as the stock driver's do.
        List<byte[]> frames = [.. stage.SentOfType(1).Where(frame => frame.Length > 32)];
        int left = 65536 - (62 * 1056);
        byte[] padding = stage.Sent.Select(sent => sent.Data).Single(frame => Wire.Type(frame) == 0);
        Assert.That(frames.Count(frame => Wire.Int(frame, 20) == Term), Is.EqualTo(62));
        Assert.That(Wire.Describe(padding), Is.EqualTo(
            $"PAD fl={left} ver=0 flags=0xc0 off={65536 - left} sess={Session} str=1001 term={Term} rsv=0 udp=32"));
        Assert.That(Wire.Describe(frames[^1]), Does.Contain($"off=0 sess={Session} str=1001 term={Term + 1} "));
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
