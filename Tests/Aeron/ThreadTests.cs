// The transport on its own threads: real sockets, offers and polls from other threads, streams that come and go under a reader.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
[CancelAfter(60_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class ThreadTests
{
    private const int Stream = 1001;

    [Test]
    public void Messages_go_from_a_users_thread_to_another_in_order(
        [Values] AeronThreading threading, [Values(0, 10_000)] int idleMicros, CancellationToken cancel)
    {
        const int Count = 50_000;
        using var threads = new AeronThreads(Options(), threading, idleMicros);
        Subscription subscription = threads.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream);
        Publication publication = threads.AddPublication($"aeron:udp?endpoint={subscription.LocalEndpoint}", Stream);
        var producer = new Thread(() =>
        {
            var message = new byte[100];
            for (int number = 0; number < Count && !cancel.IsCancellationRequested;)
            {
                BitConverter.TryWriteBytes(message, number);
                if (publication.Offer(message) > 0)
                    number++;
                else
                    Thread.Yield();
            }
        });
        producer.Start();
        var handler = new InOrder();
        while (handler.Next < Count && !cancel.IsCancellationRequested)
        {
            if (subscription.Poll(ref handler, 100) == 0)
                Thread.Yield();
        }
        producer.Join();
        Assert.That(handler.Next, Is.EqualTo(Count));
        Assert.That(handler.Wrong, Is.Zero);
        Assert.That(threads.ReceiveCounters.BytesReceived, Is.Positive);
        Assert.That(threads.SendCounters.BytesSent, Is.Positive);
    }

    /// <summary>An offer ends the sleep of a thread that would otherwise sleep a minute.</summary>
    [Test]
    public void An_offer_wakes_a_sleeping_thread([Values] bool concurrent, CancellationToken cancel)
    {
        using var threads = new AeronThreads(
            new AeronOptions(new MachineClock())
            {
                TermLength = 64 * 1024, HeartbeatIntervalNanos = 600_000_000_000, StatusMessageIntervalNanos = 600_000_000_000,
                ReceiverLivenessNanos = 6_000_000_000_000, ImageLivenessNanos = 6_000_000_000_000,
            },
            AeronThreading.Dedicated,
            idleMicros: 60_000_000);
        Subscription subscription = threads.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream);
        string channel = $"aeron:udp?endpoint={subscription.LocalEndpoint}";
        Publication? single = concurrent ? null : threads.AddPublication(channel, Stream);
        ConcurrentPublication? shared = concurrent ? threads.AddConcurrentPublication(channel, Stream) : null;
        var handler = new InOrder();
        for (int number = 0; number < 200; number++)
        {
            while (!cancel.IsCancellationRequested && (single?.Offer(BitConverter.GetBytes(number)) ?? shared!.Offer(BitConverter.GetBytes(number))) < 0)
                Thread.Yield();
            while (handler.Next <= number && !cancel.IsCancellationRequested)
            {
                if (subscription.Poll(ref handler, 10) == 0)
                    Thread.Yield();
            }
        }
        Assert.That(handler.Next, Is.EqualTo(200));
        Assert.That(handler.Wrong, Is.Zero);
    }

    [Test]
    public void Streams_come_and_go_under_a_thread_that_reads([Values] AeronThreading threading, CancellationToken cancel)
    {
        using var threads = new AeronThreads(Options(), threading, idleMicros: 100);
        int available = 0;
        int unavailable = 0;
        Subscription subscription = threads.AddSubscription(
            "aeron:udp?endpoint=127.0.0.1:0", Stream, null,
            _ => Interlocked.Increment(ref available), _ => Interlocked.Increment(ref unavailable));
        bool done = false;
        long read = 0;
        var reader = new Thread(() =>
        {
            var handler = new Summing();
            while (!Volatile.Read(ref done))
            {
                subscription.Poll(ref handler, 3);
                foreach (Image image in subscription.Images)
                    _ = image.Position + image.Available;
            }
            Volatile.Write(ref read, handler.Bytes);
        });
        reader.Start();
        long offered = 0;
        for (int round = 0; round < 40; round++)
        {
            Publication publication = threads.AddPublication($"aeron:udp?endpoint={subscription.LocalEndpoint}|linger=1ms", Stream);
            for (int i = 0; i < 50 && !cancel.IsCancellationRequested;)
            {
                if (publication.Offer(new byte[3000]) < 0)
                {
                    Thread.Yield();
                    continue;
                }
                offered += 3000;
                i++;
            }
            publication.Close();
        }
        while (Volatile.Read(ref unavailable) < 40 && !cancel.IsCancellationRequested)
            Thread.Yield();
        Volatile.Write(ref done, true);
        reader.Join();
        subscription.Close();
        Assert.That(subscription.IsClosed);
        Assert.That((available, unavailable), Is.EqualTo((40, 40)));
        Assert.That(read, Is.EqualTo(offered));
    }

    [Test]
    public void An_error_reaches_whoever_asked_and_the_thread_goes_on()
    {
        using var threads = new AeronThreads(Options());
        Assert.That(() => threads.AddPublication("aeron:udp?endpoint=nowhere", Stream), Throws.TypeOf<ChannelException>());
        Subscription subscription = threads.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream);
        Assert.That(subscription.LocalEndpoint.Port, Is.Positive);
    }

    [Test]
    public void After_its_end_it_takes_nothing_more()
    {
        var threads = new AeronThreads(Options(), AeronThreading.Dedicated);
        Subscription subscription = threads.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream);
        threads.Dispose();
        threads.Dispose();
        Assert.That(subscription.IsClosed);
        Assert.That(() => threads.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void A_clock_that_breaks_ends_the_thread_and_is_told(CancellationToken cancel)
    {
        var clock = new BreakingClock();
        Exception? told = null;
        using var threads = new AeronThreads(new AeronOptions(clock), AeronThreading.Shared, 100, failure => Volatile.Write(ref told, failure));
        clock.IsBroken = true;
        while (Volatile.Read(ref told) is null && !cancel.IsCancellationRequested)
            Thread.Yield();
        Assert.That(told, Is.TypeOf<InvalidTimeZoneException>());
        Assert.That(
            () => threads.AddSubscription("aeron:udp?endpoint=127.0.0.1:0", Stream),
            Throws.TypeOf<ObjectDisposedException>().With.InnerException.SameAs(told));
    }

    private static AeronOptions Options() => new(new MachineClock()) { TermLength = 64 * 1024 };

    private sealed class BreakingClock : INanoClock
    {
        private readonly MachineClock _clock = new();

        public volatile bool IsBroken;

        public long NanoTime() => IsBroken ? throw new InvalidTimeZoneException("broken by the test") : _clock.NanoTime();
    }

    private sealed class InOrder : IMessageHandler
    {
        public int Next { get; private set; }

        public int Wrong { get; private set; }

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            if (BitConverter.ToInt32(message) != Next)
                Wrong++;
            Next++;
            return PollAction.Continue;
        }
    }

    private struct Summing : IMessageHandler
    {
        public long Bytes { get; private set; }

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            Bytes += message.Length;
            return PollAction.Continue;
        }
    }
}
