// Appending to a stream: claims filled in place, many threads on one stream, shared and revoked streams.

using System.Runtime.InteropServices;
using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class ProducerTests
{
    private const int Session = 77;
    private const int Stream = 1001;
    private const int Term = -5;
    private const string Channel =
        "aeron:udp?endpoint=127.0.0.1:45000|session-id=77|init-term-id=-5|term-id=-5|term-offset=0|term-length=64k";

    private Stage _stage = null!;
    private Ipv4Endpoint _sender;

    [SetUp]
    public void OpenStage() => _stage = new Stage();

    [TearDown]
    public void CloseStage() => _stage.Dispose();

    [Test]
    public void A_claim_is_sent_when_it_is_committed_and_holds_back_what_is_behind_it([Values] bool concurrent)
    {
        IProducer producer = Connect(concurrent);
        Assert.That(producer.TryClaim(5, out BufferClaim claim), Is.EqualTo(64));
        Assert.That(claim.Payload.Length, Is.EqualTo(5));
        Assert.That(claim.Payload.ToArray(), Is.All.Zero);
        Assert.That(producer.Offer([7, 7]), Is.EqualTo(128));
        _stage.Run(5);
        Assert.That(Data(), Is.Empty);
        ((ReadOnlySpan<byte>)[1, 2, 3, 4, 5]).CopyTo(claim.Payload);
        claim.ReservedValue = -9;
        claim.Commit();
        _stage.Run(5);
        byte[] datagram = Data().Single();
        Assert.That(Wire.Describe(datagram), Is.EqualTo($"DATA fl=37 ver=0 flags=0xc0 off=0 sess=77 str=1001 term={Term} rsv=-9 udp=128"));
        Assert.That(datagram[32..37], Is.EqualTo((byte[])[1, 2, 3, 4, 5]));
        Assert.That(datagram[96..98], Is.EqualTo((byte[])[7, 7]));
        Assert.That(claim.Payload.IsEmpty);
        Assert.That(() => claim.Commit(), Throws.InvalidOperationException);
        Assert.That(() => claim.Abort(), Throws.InvalidOperationException);
    }

    [Test]
    public void An_aborted_claim_is_passed_over([Values] bool concurrent)
    {
        IProducer producer = Connect(concurrent);
        producer.TryClaim(100, out BufferClaim claim);
        producer.Offer([7, 7]);
        claim.Abort();
        _stage.Run(5);
        Assert.That(Data().Select(Wire.Type), Is.EqualTo((int[])[0, 1]), "padding as its header alone ends the first datagram");
        Assert.That(Wire.Int(Data().First(), 0), Is.EqualTo(132));
    }

    [Test]
    public void Room_that_nobody_commits_is_stepped_over_after_15_s()
    {
        IProducer producer = Connect(concurrent: true);
        producer.TryClaim(100, out _);
        producer.Offer([7, 7]);
        Keep(14_900);
        Assert.That(Data(), Is.Empty);
        Keep(200);
        Assert.That(Data().Select(Wire.Type), Is.EqualTo((int[])[0, 1]));
        Assert.That(Wire.Int(Data().First(), 0), Is.EqualTo(160), "padding over the whole claim");
        Assert.That(_stage.Agent.Counters.PublicationsUnblocked, Is.EqualTo(1));
    }

    [Test]
    public void A_stream_with_an_open_claim_ends_all_the_same([Values] bool concurrent)
    {
        IProducer producer = Connect(concurrent);
        producer.Offer([1]);
        producer.TryClaim(100, out _);
        producer.Offer([7, 7]);
        Keep(20);
        producer.Close();
        Keep(900);
        Assert.That(Data().Count(), Is.EqualTo(1));
        Keep(300);
        Assert.That(Data().Select(Wire.Type), Is.EqualTo((int[])[1, 0, 1]));
        Assert.That(Wire.Describe(_stage.SentOfType(1).Last()), Does.Contain("flags=0xe0"), "the end of the stream");
    }

    [Test]
    public void A_claim_takes_what_fits_one_frame_and_no_more([Values] bool concurrent)
    {
        IProducer producer = Connect(concurrent);
        Assert.That(producer.TryClaim(1376, out _), Is.EqualTo(1408));
        Assert.That(() => producer.TryClaim(1377, out _), Throws.ArgumentException);
        Assert.That(() => producer.TryClaim(-1, out _), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => producer.Offer(new byte[8193]), Throws.ArgumentException);
    }

    [Test]
    public void Refusals_have_names([Values] bool concurrent)
    {
        IProducer producer = Open(concurrent, Channel);
        Assert.That(producer.Offer([1]), Is.EqualTo(Publication.NotConnected));
        Assert.That(producer.TryClaim(1, out _), Is.EqualTo(Publication.NotConnected));
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, 4096, 42));
        while (producer.Offer(new byte[992]) > 0)
        {
        }
        Assert.That(producer.Offer([1]), Is.EqualTo(Publication.BackPressured));
        Assert.That(producer.TryClaim(1, out _), Is.EqualTo(Publication.BackPressured));
        producer.Close();
        Assert.That(producer.Offer([1]), Is.EqualTo(Publication.Closed));
        Assert.That(producer.TryClaim(1, out _), Is.EqualTo(Publication.Closed));
    }

    [Test]
    public void The_last_term_of_a_stream_is_its_end([Values] bool concurrent)
    {
        const int LastTerm = -5 + int.MaxValue;
        IProducer producer = Open(
            concurrent, $"aeron:udp?endpoint=127.0.0.1:45000|session-id=77|init-term-id=-5|term-id={LastTerm}|term-offset=65472|term-length=64k");
        _stage.Hear(_sender, Wire.Status(Session, Stream, LastTerm, 65472, 32768, 42));
        Assert.That(producer.Offer(new byte[64]), Is.EqualTo(Publication.MaxPositionExceeded), "96 bytes do not fit the last 64");
        _stage.Run(1);
        _stage.Run(1);
        if (concurrent)
            Assert.That(producer.Offer(new byte[1]), Is.EqualTo(Publication.MaxPositionExceeded), "the first to run over took the rest");
        else
            Assert.That(producer.Offer(new byte[1]), Is.EqualTo(65536L << 31), "what fits is taken");
    }

    [Test]
    public void Fragments_of_one_message_lie_together_and_the_term_is_padded_before_them([Values] bool concurrent)
    {
        IProducer producer = Connect(concurrent);
        var message = Payload.Of(1, 3000);
        long position = 0;
        for (int i = 0; i < 30; i++)
        {
            position = producer.Offer(message);
            Assert.That(position, Is.Positive);
            _stage.Run(1);
            int term = unchecked(Term + (int)(position >> 16));
            _stage.Hear(_sender, Wire.Status(Session, Stream, term, (int)(position & 65535), 32768, 42));
        }
        // 21 messages of 1408 + 1408 + 288 bytes to a term, and padding.
        Assert.That(position, Is.EqualTo(65536 + (9 * 3104)));
        byte[][] padding = [.. _stage.SentOfType(0).Concat(Data().Where(data => data.Length > 32 && Wire.Type(data[^32..]) == 0).Select(data => data[^32..]))];
        Assert.That(padding.Select(frame => (Wire.Int(frame, 8), Wire.Int(frame, 0))), Is.EqualTo(((int, int)[])[(21 * 3104, 65536 - (21 * 3104))]));
    }

    [Test]
    public void Publications_of_one_channel_and_stream_share_a_session_until_the_last_closes()
    {
        ConcurrentPublication first = _stage.Agent.AddConcurrentPublication(Channel, Stream);
        ConcurrentPublication second = _stage.Agent.AddConcurrentPublication(Channel, Stream);
        ConcurrentPublication elsewhere = _stage.Agent.AddConcurrentPublication("aeron:udp?endpoint=127.0.0.1:45000|term-length=64k", Stream + 1);
        Assert.That(second.SessionId, Is.EqualTo(first.SessionId));
        Assert.That(elsewhere.SessionId, Is.Not.EqualTo(first.SessionId));
        Assert.That(
            () => _stage.Agent.AddConcurrentPublication(Channel.Replace("64k", "128k", StringComparison.Ordinal), Stream),
            Throws.TypeOf<ChannelException>().With.Property(nameof(ChannelException.Parameter)).EqualTo("term-length"));
        _stage.Run(0);
        _stage.Hear(_stage.Sent[0].From, Wire.Status(Session, Stream, Term, 0, 4096, 42));
        first.Close();
        _stage.Run(1);
        Assert.That(second.Offer([1]), Is.Positive);
        second.Close();
        _stage.Run(200);
        Assert.That(Wire.Describe(_stage.SentOfType(1).Last()), Does.Contain("flags=0xe0"), "the end of the stream");
    }

    [Test]
    public void A_revoked_stream_ends_at_once_at_both_ends()
    {
        var world = new SimulatedWorld(1);
        using var sender = new AeronAgent(world.Options());
        using var receiver = new AeronAgent(world.Options());
        Subscription subscription = receiver.AddSubscription("aeron:udp?endpoint=127.0.0.1:40100|rcv-wnd=4k", Stream);
        ImageEnd end = ImageEnd.None;
        subscription.ImageUnavailable = image => end = image.EndReason;
        Publication publication = sender.AddPublication("aeron:udp?endpoint=127.0.0.1:40100|term-length=64k", Stream);
        var handler = new Collecting();
        Work(200);
        for (int i = 0; i < 20; i++)
            Assert.That(publication.Offer(new byte[992]), Is.Positive);
        Work(10, poll: false);
        publication.Revoke();
        Work(2_000);
        Assert.That(end, Is.EqualTo(ImageEnd.Revoked));
        Assert.That(handler.Messages, Has.Count.InRange(1, 8), "what had arrived is read, the rest is not sent");
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.Closed));

        void Work(int milliseconds, bool poll = true)
        {
            for (int i = 0; i < milliseconds; i++)
            {
                sender.DoWork();
                receiver.DoWork();
                if (poll)
                    subscription.Poll(ref handler, 100);
                world.Clock.Now += 1_000_000;
            }
        }
    }

    /// <summary>Real threads, real sockets, terms that turn a hundred times: each thread's messages arrive once and in its order.</summary>
    [Test]
    [CancelAfter(60_000)]
    public void Many_threads_append_to_one_stream(CancellationToken cancel)
    {
        const int Threads = 3;
        const int Each = 20_000;
        using var agent = new AeronAgent(new AeronOptions(new MachineClock()) { TermLength = 64 * 1024 });
        Subscription subscription = agent.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream);
        var publications = new ConcurrentPublication[Threads];
        for (int i = 0; i < Threads; i++)
            publications[i] = agent.AddConcurrentPublication($"aeron:udp?endpoint={subscription.LocalEndpoint}", Stream);
        var handler = new Ordered(Threads);
        while (!publications[0].IsConnected)
            agent.DoWork();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(index => new Thread(() => Produce(publications[index], index)))];
        foreach (Thread thread in threads)
            thread.Start();
        while (handler.Total < Threads * Each && !cancel.IsCancellationRequested)
        {
            if (agent.DoWork() + subscription.Poll(ref handler, 1000) == 0)
                Thread.Yield();
        }
        foreach (Thread thread in threads)
            thread.Join();
        Assert.That(handler.Wrong, Is.Empty);
        Assert.That(handler.Next, Is.All.EqualTo(Each));

        void Produce(ConcurrentPublication publication, int index)
        {
            var message = new byte[4000];
            for (int number = 0; number < Each && !cancel.IsCancellationRequested;)
            {
                int length = 8 + (number * 31 % 200) + (number % 97 == 0 ? 3000 : 0);
                MemoryMarshal.Write(message, index);
                MemoryMarshal.Write(message.AsSpan(4), number);
                long position;
                if (number % 3 == 0 && length <= publication.MaxPayloadLength)
                {
                    position = publication.TryClaim(length, out BufferClaim claim);
                    if (position > 0)
                    {
                        message.AsSpan(0, length).CopyTo(claim.Payload);
                        claim.Commit();
                    }
                }
                else
                {
                    position = publication.Offer(message.AsSpan(0, length));
                }
                if (position > 0)
                    number++;
                else
                    Thread.Yield();
            }
        }
    }

    private IEnumerable<byte[]> Data() => _stage.Sent.Where(sent => Wire.Type(sent.Data) is 0 or 1 && Wire.Int(sent.Data, 0) != 0).Select(sent => sent.Data);

    private IProducer Open(bool concurrent, string channel)
    {
        IProducer producer = concurrent
            ? new Shared(_stage.Agent.AddConcurrentPublication(channel, Stream))
            : new Single(_stage.Agent.AddPublication(channel, Stream));
        _stage.Run(0);
        _sender = _stage.Sent[0].From;
        return producer;
    }

    private IProducer Connect(bool concurrent)
    {
        IProducer producer = Open(concurrent, Channel);
        _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, 32768, 42));
        return producer;
    }

    /// <summary>Lets time pass while the receiver shows that it lives.</summary>
    private void Keep(double milliseconds)
    {
        for (double end = _stage.Milliseconds + milliseconds; _stage.Milliseconds < end;)
        {
            _stage.Hear(_sender, Wire.Status(Session, Stream, Term, 0, 32768, 42));
            _stage.Run(Math.Min(100, end - _stage.Milliseconds), step: 10);
        }
    }

    private interface IProducer
    {
        long Offer(byte[] message);

        long TryClaim(int length, out BufferClaim claim);

        void Close();
    }

    private sealed class Single(Publication publication) : IProducer
    {
        public long Offer(byte[] message) => publication.Offer(message);

        public long TryClaim(int length, out BufferClaim claim) => publication.TryClaim(length, out claim);

        public void Close() => publication.Close();
    }

    private sealed class Shared(ConcurrentPublication publication) : IProducer
    {
        public long Offer(byte[] message) => publication.Offer(message);

        public long TryClaim(int length, out BufferClaim claim) => publication.TryClaim(length, out claim);

        public void Close() => publication.Close();
    }

    private sealed class Ordered(int threads) : IMessageHandler
    {
        public int[] Next { get; } = new int[threads];

        public int Total { get; private set; }

        public List<string> Wrong { get; } = [];

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            int thread = MemoryMarshal.Read<int>(message);
            int number = MemoryMarshal.Read<int>(message[4..]);
            int length = 8 + (number * 31 % 200) + (number % 97 == 0 ? 3000 : 0);
            if (number != Next[thread] || message.Length != length)
                Wrong.Add($"thread {thread}: {number} of {message.Length} bytes, expected {Next[thread]} of {length}");
            Next[thread] = number + 1;
            Total++;
            return PollAction.Continue;
        }
    }
}
