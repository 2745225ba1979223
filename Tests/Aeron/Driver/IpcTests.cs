// Streams through shared memory within one process: the agent's own publications and subscriptions beside clients of its directory, on
// one thread and under a clock that the test moves.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class IpcTests
{
    private DriverWorld _world = null!;
    private AeronClient _client = null!;

    [SetUp]
    public void Start()
    {
        _world = new DriverWorld();
        _client = NewClient();
    }

    [TearDown]
    public void Stop()
    {
        _client.Dispose();
        _world.Dispose();
    }

    /// <summary>Who publishes and who subscribes: the driver's own process, or a client of it.</summary>
    public enum Side
    {
        Driver,
        Client,
    }

    [Test]
    public void Messages_of_any_length_arrive_whole_and_in_order_over_many_terms([Values] Side from, [Values] Side to)
    {
        const int Messages = 3_000;
        const int Seed = 7;
        var random = new Random(Seed);
        Publication publication = Publish(from);
        Subscription subscription = Subscribe(to);
        var collecting = new Collecting();
        int sent = 0;
        int seen = 0;
        for (int rounds = 0; seen < Messages; rounds++)
        {
            Assert.That(rounds, Is.LessThan(1_000_000), $"seed {Seed}, seen {seen}");
            while (sent < Messages && random.Next(4) > 0)
            {
                byte[] message = Payload.Of(sent, new Random(sent).Next(8_192));
                long result = publication.Offer(message);
                if (result < 0)
                {
                    Assert.That(result, Is.EqualTo(Publication.BackPressured).Or.EqualTo(Publication.NotConnected));
                    break;
                }
                sent++;
            }
            Work();
            subscription.Poll(ref collecting, random.Next(1, 20));
            for (; seen < collecting.Messages.Count; seen++)
                Assert.That(collecting.Messages[seen], Is.EqualTo(Payload.Of(seen, new Random(seen).Next(8_192))), $"message {seen}, seed {Seed}");
        }
        Assert.That(publication.Position, Is.GreaterThan(100 * publication.TermLength));
        Assert.That(subscription.Images[0].Position, Is.EqualTo(publication.Position));
        Assert.That(collecting.Sessions.Distinct(), Is.EqualTo(new[] { publication.SessionId }));
    }

    [Test]
    public void The_slowest_subscriber_holds_the_publication_back_and_none_loses_anything()
    {
        Publication publication = Publish(Side.Client);
        Subscription fast = Subscribe(Side.Client);
        Subscription slow = Subscribe(Side.Driver);
        Work();
        var quick = new Collecting();
        var late = new Collecting();
        int sent = Fill(publication, () => fast.Poll(ref quick, 10));
        Assert.That(publication.Position, Is.InRange(32 * 1024, (32 * 1024) + 1056));
        Assert.That(quick.Messages, Has.Count.EqualTo(sent));
        while (slow.Poll(ref late, 10) > 0)
        {
        }
        Assert.That(late.Messages, Is.EqualTo(quick.Messages));
        Work();
        Assert.That(publication.Offer(new byte[100]), Is.Positive);
    }

    [Test]
    public void Nobody_listening_is_not_connected()
    {
        Publication publication = Publish(Side.Client);
        Assert.That(publication.Offer(new byte[10]), Is.EqualTo(Publication.NotConnected));
        Subscription subscription = Subscribe(Side.Driver);
        Work();
        Assert.That(publication.Offer(new byte[10]), Is.Positive);
        subscription.Close();
        Work();
        Assert.That(publication.IsConnected, Is.False);
        Assert.That(publication.Offer(new byte[10]), Is.EqualTo(Publication.NotConnected));
    }

    [Test]
    public void A_late_subscriber_joins_where_the_others_are()
    {
        Publication publication = Publish(Side.Driver);
        Subscription first = Subscribe(Side.Client);
        var collecting = new Collecting();
        for (int i = 0; i < 50; i++)
        {
            publication.Offer(Payload.Of(i, 100));
            Work();
            first.Poll(ref collecting, 10);
        }
        Work();
        Subscription late = Subscribe(Side.Client);
        Assert.That(late.Images[0].JoinPosition, Is.EqualTo(publication.Position));
        publication.Offer(Payload.Of(50, 100));
        var news = new Collecting();
        late.Poll(ref news, 10);
        Assert.That(news.Messages, Is.EqualTo(new[] { Payload.Of(50, 100) }));
    }

    [Test]
    public void A_closed_publication_is_read_to_its_end_and_then_gone([Values] Side from, [Values] Side to)
    {
        Publication publication = Publish(from);
        Subscription subscription = Subscribe(to);
        var ended = new List<ImageEnd>();
        subscription.ImageUnavailable = image => ended.Add(image.EndReason);
        Work();
        for (int i = 0; i < 20; i++)
            publication.Offer(Payload.Of(i, 100));
        publication.Close();
        Assert.That(publication.Offer(new byte[1]), Is.EqualTo(Publication.Closed));
        _world.Pass(10);
        Work();
        Assert.That(ended, Is.Empty, "there is something to read");
        var collecting = new Collecting();
        while (subscription.Poll(ref collecting, 3) > 0)
        {
        }
        Assert.That(collecting.Messages, Has.Count.EqualTo(20));
        _world.Pass(5);
        Work();
        Assert.That(ended, Is.EqualTo(new[] { ImageEnd.EndOfStream }));
        Assert.That(subscription.ImageCount, Is.Zero);
    }

    [Test]
    public void A_driver_that_ends_closes_its_clients()
    {
        Publication publication = Publish(Side.Client);
        Subscription subscription = Subscribe(Side.Client);
        Work();
        Assert.That(publication.IsConnected, Is.True);
        _world.Agent.Dispose();
        _world.Simulated.Clock.Now += 1_000_000_000;
        _client.DoWork();
        Assert.That(_client.IsClosed, Is.True);
        Assert.That((publication.IsClosed, subscription.IsClosed), Is.EqualTo((true, true)));
        Assert.That(() => _client.AddPublication("aeron:ipc", 1), Throws.InstanceOf<DriverException>());
    }

    [Test]
    public void A_driver_that_stops_working_closes_its_clients_after_its_time()
    {
        Publication publication = Publish(Side.Client);
        _world.Simulated.Clock.Now += 9_000_000_000;
        _client.DoWork();
        Assert.That(_client.IsClosed, Is.False);
        _world.Simulated.Clock.Now += 2_000_000_000;
        _client.DoWork();
        Assert.That(_client.IsClosed, Is.True);
        Assert.That(publication.IsClosed, Is.True);
        Assert.That(() => NewClient(), Throws.InstanceOf<DriverException>());
    }

    [Test]
    public void A_client_that_was_given_up_finds_out_and_closes()
    {
        Publication publication = Publish(Side.Client);
        _world.Leap(12_000);
        _client.DoWork();
        Assert.That(_client.IsClosed, Is.True);
        Assert.That(publication.IsClosed, Is.True);
        using AeronClient next = NewClient();
        Assert.That(next.AddPublication("aeron:ipc", 1).IsClosed, Is.False);
    }

    [TestCase("aeron:ipc?term-length=100", 1)]
    [TestCase("aeron:udp?endpoint=nowhere", 1)]
    [TestCase("aeron:ipc?tether=false", 1)]
    public void A_refusal_comes_back_with_its_code(string channel, int code)
    {
        var refused = Throws.InstanceOf<DriverException>().With.Property(nameof(DriverException.Code)).EqualTo(code);
        Assert.That(() => _client.AddPublication(channel, 1), refused);
        Assert.That(_client.AddPublication("aeron:ipc", 1).IsClosed, Is.False, "the next is taken");
    }

    [Test]
    public void A_driver_that_does_not_answer_is_reported()
    {
        using var client = new AeronClient(new AeronClientOptions(_world.Directory, _world.Simulated.Clock, _world.Time)
        {
            DriverTimeoutNanos = 1_000_000_000,
            Wait = () => _world.Simulated.Clock.Now += 50_000_000,
        });
        Assert.That(() => client.AddPublication("aeron:ipc", 1), Throws.InstanceOf<DriverException>());
    }

    [Test]
    public void Nothing_is_allocated_per_message()
    {
        Publication publication = Publish(Side.Client);
        Subscription subscription = Subscribe(Side.Driver);
        Publication back = Publish(Side.Driver, 2);
        Subscription answers = Subscribe(Side.Client, 2);
        var handler = new Counter();
        var message = new byte[3_000];
        Pump(2_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Pump(20_000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(handler.Messages, Is.GreaterThan(40_000));

        void Pump(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                publication.Offer(message.AsSpan(0, i * 37 % message.Length));
                back.Offer(message.AsSpan(0, i * 41 % message.Length));
                _world.Simulated.Clock.Now += 100_000;
                _world.Agent.DoWork();
                _client.DoWork();
                subscription.Poll(ref handler, 10);
                answers.Poll(ref handler, 10);
            }
        }
    }

    private int Fill(Publication publication, Action each)
    {
        int sent = 0;
        while (publication.Offer(Payload.Of(sent, 1_000)) > 0)
        {
            sent++;
            each();
            Work();
        }
        return sent;
    }

    private AeronClient NewClient() => new(new AeronClientOptions(_world.Directory, _world.Simulated.Clock, _world.Time)
    {
        Wait = () => _world.Pass(1),
    });

    private Publication Publish(Side side, int stream = 1) =>
        side == Side.Driver ? _world.Agent.AddPublication("aeron:ipc", stream) : _client.AddPublication("aeron:ipc", stream);

    private Subscription Subscribe(Side side, int stream = 1)
    {
        Subscription subscription = side == Side.Driver ? _world.Agent.AddSubscription("aeron:ipc", stream) : _client.AddSubscription("aeron:ipc", stream);
        Work();
        return subscription;
    }

    private void Work()
    {
        _world.Pass(1);
        if (!_client.IsClosed)
            _client.DoWork();
    }

    private struct Counter : IMessageHandler
    {
        public int Messages;

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            Messages++;
            return PollAction.Continue;
        }
    }
}
