// Random and mutated datagrams into both ends: no crash, no allocation, and the stream that was there goes on.

using System.Globalization;
using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class FuzzTests
{
    // Datagrams of each run; set MARGIN_FUZZ_FRAMES to 10000000 for a run by hand.
    private static readonly int Frames =
        int.Parse(Environment.GetEnvironmentVariable("MARGIN_FUZZ_FRAMES") ?? "160000", CultureInfo.InvariantCulture) / 8;

    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = -3;
    private static readonly Ipv4Endpoint Receiver = new(Ipv4Endpoint.Loopback, 40100);

    [Test]
    public void Garbage_at_a_receiver_leaves_its_streams_alone([Range(1, 4)] int seed)
    {
        using var stage = new Stage(seed);
        Subscription subscription = stage.Agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100", Stream);
        var handler = new Collecting();
        byte[][] seeds =
        [
            Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408), Wire.Data(Session, Stream, Term, 0, 0xC0, new byte[100]),
            Wire.Heartbeat(Session, Stream, Term, 0), Wire.Padding(Session, Stream, Term, 65536 - 96, 96),
            Wire.Status(Session, Stream, Term, 0, 4096, 1), Wire.Nak(Session, Stream, Term, 0, 64),
            Wire.RoundTrip(Session, Stream, 1, 2, 3, 0x80), Wire.Error(Session, Stream, 1, 13, "text"),
        ];
        stage.Hear(Receiver, Wire.Setup(5, Stream, 9, 9, 0, 65536, 1408));
        var random = new Random(seed);
        int taken = 0;
        for (int i = 0; i < Frames; i++)
        {
            stage.Sent.Clear();
            stage.Hear(Receiver, Mutated(random, seeds));
            subscription.Poll(ref handler, 100);
            if (i % 100 == 0)
            {
                // A stream of another session is not touched by any of it.
                stage.Hear(Receiver, Wire.Data(5, Stream, 9 + (taken / 1024), taken % 1024 * 64, 0xC0, Payload.Of(taken, 20)));
                handler.Messages.Clear();
                subscription.Poll(ref handler, 100);
                Assert.That(
                    handler.Messages.Exists(message => message.AsSpan().SequenceEqual(Payload.Of(taken, 20))), $"seed {seed}, step {i}");
                taken++;
                handler.Messages.Clear();
            }
            stage.World.Clock.Now += 1_000;
        }
        Assert.That(stage.Agent.Counters.MalformedFrames, Is.GreaterThan(1000));
    }

    [Test]
    public void Garbage_at_a_sender_leaves_its_stream_alone([Range(1, 4)] int seed)
    {
        using var stage = new Stage(seed);
        // Half of the runs have many destinations and a group that is waited for.
        string channel = seed % 2 == 0
            ? "aeron:udp?endpoint=127.0.0.1:45000"
            : "aeron:udp?control=127.0.0.1:40500|control-mode=dynamic|fc=min,t:50us|max-resend=3";
        Publication publication = stage.Agent.AddPublication(
            channel + "|session-id=77|init-term-id=-3|term-id=-3|term-offset=0|term-length=64k", Stream);
        stage.Hear(new Ipv4Endpoint(Ipv4Endpoint.Loopback, 40500), Wire.Status(0, 0, 0, 0, 0, 42, flags: 0x80));
        stage.Run(100);
        Ipv4Endpoint sender = stage.Sent.First(sent => sent.From != Stage.Peer).From;
        byte[][] seeds =
        [
            Wire.Status(Session, Stream, Term, 0, 32768, 42), Wire.Status(Session, Stream, Term, 64, 4096, 43, tag: 4),
            Wire.Nak(Session, Stream, Term, 0, 64), Wire.Nak(Session, Stream, Term, 1024, 4096),
            Wire.RoundTrip(Session, Stream, 1, 2, 3, 0x80), Wire.Error(Session, Stream, 42, 13, "text"),
            Wire.Setup(Session, Stream, Term, Term, 0, 65536, 1408), Wire.Data(Session, Stream, Term, 0, 0xC0, new byte[100]),
        ];
        var random = new Random(seed);
        for (int i = 0; i < Frames; i++)
        {
            stage.Hear(sender, Mutated(random, seeds));
            int term = unchecked(Term + (int)(publication.Position >> 16));
            stage.Hear(sender, Wire.Status(Session, Stream, term, (int)(publication.Position & 65535), 32768, 42));
            publication.Offer(Payload.Of(i, random.Next(200)));
            stage.World.Clock.Now += 1_000;
            // Every datagram that leaves is still one a receiver takes.
            foreach ((_, _, _, byte[] data) in stage.Sent)
                Assert.That(IsWellFormed(data), $"seed {seed}, step {i}: {Convert.ToHexString(data)}");
            stage.Sent.Clear();
        }
        Assert.That(publication.Position, Is.GreaterThan(65536));
        Assert.That(stage.Agent.Counters.MalformedFrames, Is.GreaterThan(1000));
    }

    /// <summary>One of the seeds with bytes changed, cut or glued; or noise.</summary>
    internal static byte[] Mutated(Random random, byte[][] seeds)
    {
        byte[] datagram = (byte[])seeds[random.Next(seeds.Length)].Clone();
        switch (random.Next(5))
        {
            case 0:
                random.NextBytes(datagram.AsSpan(random.Next(datagram.Length)));
                return datagram;
            case 1:
                return datagram[..random.Next(datagram.Length + 1)];
            case 2:
                return [.. datagram, .. seeds[random.Next(seeds.Length)]];
            case 3:
                var noise = new byte[random.Next(200)];
                random.NextBytes(noise);
                return noise;
            default:
                int field = random.Next(datagram.Length / 4) * 4;
                int[] edges = [0, 1, -1, 31, 32, 64, int.MaxValue, int.MinValue, 65536, 65535, -32, 1 << 30];
                BitConverter.TryWriteBytes(datagram.AsSpan(field), edges[random.Next(edges.Length)]);
                return datagram;
        }
    }

    private static bool IsWellFormed(byte[] datagram)
    {
        if (Wire.Type(datagram) is 5 or 6)
            return datagram.Length == 40 && Wire.Int(datagram, 0) == 40;
        if (datagram.Length == 32 && Wire.Int(datagram, 0) == 0)
            return true;
        int offset = 0;
        while (offset < datagram.Length)
        {
            int length = BitConverter.ToInt32(datagram, offset);
            int type = BitConverter.ToInt16(datagram, offset + 6);
            if (length < 32 || type is not (0 or 1) || BitConverter.ToInt32(datagram, offset + 12) != Session)
                return false;
            offset += type == 0 ? 32 : (length + 31) & ~31;
        }
        return offset == datagram.Length;
    }
}
