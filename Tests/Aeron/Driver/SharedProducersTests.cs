// Concurrent publications over shared memory: threads of this process and clients of the driver append to one log.

using System.Buffers.Binary;
using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class SharedProducersTests
{
    [Test]
    public void Every_message_of_every_producer_arrives_once_and_in_its_order()
    {
        const int Producers = 4;
        const int Messages = 20_000;
        // The driver's time is simulated and the producers' is not: a thread that the system leaves aside within a claim is not dead.
        using var world = new DriverWorld(change: options => new DriverOptions(options.Directory, options.Clock)
        {
            IpcTermLength = options.IpcTermLength,
            ToDriverLength = options.ToDriverLength,
            ToClientsLength = options.ToClientsLength,
            MaxCounters = options.MaxCounters,
            ErrorLogLength = options.ErrorLogLength,
            PublicationUnblockNanos = 1_000_000_000_000_000,
        });
        using AeronClient client = NewClient(world);
        Subscription subscription = world.Agent.AddSubscription("aeron:ipc", 1);
        ConcurrentPublication own = world.Agent.AddConcurrentPublication("aeron:ipc", 1);
        ConcurrentPublication theirs = client.AddConcurrentPublication("aeron:ipc", 1);
        Assert.That(theirs.SessionId, Is.EqualTo(own.SessionId));
        bool stop = false;
        var threads = new Thread[Producers];
        for (int i = 0; i < Producers; i++)
        {
            int producer = i;
            ConcurrentPublication publication = producer % 2 == 0 ? own : theirs;
            threads[i] = new Thread(() => Produce(publication, producer, Messages, ref stop));
            threads[i].Start();
        }
        var handler = new Ordered(Producers);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (handler.Total < Producers * Messages && System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds < 60)
        {
            world.Pass(1);
            client.DoWork();
            subscription.Poll(ref handler, 100);
        }
        Volatile.Write(ref stop, true);
        foreach (Thread thread in threads)
            thread.Join();
        Assert.That(handler.Faults, Is.Empty);
        Assert.That(handler.Next, Is.All.EqualTo(Messages));
        Assert.That(own.Position, Is.GreaterThan(20 * own.TermLength));
    }

    [Test]
    public void The_stream_lives_until_the_last_of_its_producers_leaves()
    {
        using var world = new DriverWorld();
        using AeronClient client = NewClient(world);
        Subscription subscription = world.Agent.AddSubscription("aeron:ipc", 1);
        ConcurrentPublication own = world.Agent.AddConcurrentPublication("aeron:ipc", 1);
        ConcurrentPublication theirs = client.AddConcurrentPublication("aeron:ipc", 1);
        own.Close();
        world.Pass(5);
        Assert.That(own.Offer(new byte[1]), Is.EqualTo(Publication.Closed));
        Assert.That(theirs.Offer(new byte[1]), Is.Positive);
        theirs.Close();
        client.DoWork();
        var collecting = new Collecting();
        world.Pass(2);
        subscription.Poll(ref collecting, 10);
        world.Pass(5);
        Assert.That(collecting.Messages, Has.Count.EqualTo(1));
        Assert.That(subscription.ImageCount, Is.Zero);
        ConcurrentPublication next = world.Agent.AddConcurrentPublication("aeron:ipc", 1);
        Assert.That(next.SessionId, Is.Not.EqualTo(own.SessionId));
    }

    [Test]
    public void A_claim_is_filled_in_place_or_given_up()
    {
        using var world = new DriverWorld();
        using AeronClient client = NewClient(world);
        Subscription subscription = world.Agent.AddSubscription("aeron:ipc", 1);
        ConcurrentPublication publication = client.AddConcurrentPublication("aeron:ipc", 1);
        world.Pass(2);
        Assert.That(publication.TryClaim(100, out BufferClaim dropped), Is.Positive);
        dropped.Abort();
        Assert.That(publication.TryClaim(3, out BufferClaim claim), Is.Positive);
        claim.Payload.Fill(9);
        var collecting = new Collecting();
        Assert.That(subscription.Poll(ref collecting, 10), Is.Zero, "not yet committed");
        claim.Commit();
        subscription.Poll(ref collecting, 10);
        Assert.That(collecting.Messages, Is.EqualTo(new[] { new byte[] { 9, 9, 9 } }));
    }

    [Test]
    public void A_revoked_stream_ends_at_once_with_its_reason()
    {
        using var world = new DriverWorld();
        using AeronClient client = NewClient(world);
        Subscription subscription = client.AddSubscription("aeron:ipc", 1);
        Publication publication = world.Agent.AddPublication("aeron:ipc", 1);
        world.Pass(1);
        client.DoWork();
        ImageEnd? end = null;
        subscription.ImageUnavailable = image => end = image.EndReason;
        Assert.That(publication.Offer(new byte[10]), Is.Positive);
        publication.Revoke();
        world.Pass(3);
        client.DoWork();
        Assert.That(end, Is.EqualTo(ImageEnd.Revoked));
        Assert.That(world.Agent.Counters.PublicationsRevoked, Is.EqualTo(1));
    }

    private static void Produce(ConcurrentPublication publication, int producer, int messages, ref bool stop)
    {
        Span<byte> message = stackalloc byte[200];
        for (int i = 0; i < messages;)
        {
            int length = 8 + (i * 7 % 190);
            BinaryPrimitives.WriteInt32LittleEndian(message, producer);
            BinaryPrimitives.WriteInt32LittleEndian(message[4..], i);
            message[8..length].Fill(unchecked((byte)i));
            long result = publication.Offer(message[..length]);
            if (result > 0)
                i++;
            else if (Volatile.Read(ref stop) || result == Publication.Closed)
                return;
            else
                Thread.Yield();
        }
    }

    private static AeronClient NewClient(DriverWorld world) =>
        new(new AeronClientOptions(world.Directory, world.Simulated.Clock, world.Time) { Wait = () => world.Pass(1) });

    private sealed class Ordered(int producers) : IMessageHandler
    {
        public int[] Next { get; } = new int[producers];

        public int Total { get; private set; }

        public List<string> Faults { get; } = [];

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            int producer = BinaryPrimitives.ReadInt32LittleEndian(message);
            int number = BinaryPrimitives.ReadInt32LittleEndian(message[4..]);
            bool isWhole = message.Length == 8 + (number * 7 % 190) && message[8..].IndexOfAnyExcept(unchecked((byte)number)) < 0;
            if (number != Next[producer] || !isWhole)
                Faults.Add($"producer {producer}: message {number}, expected {Next[producer]}, whole: {isWhole}");
            Next[producer] = number + 1;
            Total++;
            return PollAction.Continue;
        }
    }
}
