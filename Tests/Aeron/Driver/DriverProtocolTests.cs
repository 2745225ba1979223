// The driver as its clients see it: each command's answer, who shares a stream, who hears of whom, and how everything ends.

using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class DriverProtocolTests
{
    private DriverWorld _world = null!;
    private RawClient _client = null!;

    [SetUp]
    public void Start()
    {
        _world = new DriverWorld();
        _client = _world.Connect();
    }

    [TearDown]
    public void Stop()
    {
        _client.Dispose();
        _world.Dispose();
    }

    [Test]
    public void A_new_client_gets_its_heartbeat_counter_first()
    {
        _client.AddSubscription(1);
        Told first = _client.Listen()[0];
        Assert.That((first.Type, first.Int64(0)), Is.EqualTo((Event.CounterReady, _client.Id)));
        int counter = first.Int32(8);
        Assert.That(_client.Counters.TypeOf(counter), Is.EqualTo(CounterType.ClientHeartbeat));
        Assert.That(_client.Counters.RegistrationOf(counter), Is.EqualTo(_client.Id));
        Assert.That(_client.Counters.Value(counter), Is.EqualTo(_world.Time.EpochMillis));
        Assert.That(_client.Counters.LabelOf(counter), Is.EqualTo($"client-heartbeat: id={_client.Id}"));
    }

    [Test]
    public void A_publication_is_answered_with_its_log_and_limit([Values] bool exclusive)
    {
        long id = exclusive ? _client.AddExclusive(1001) : _client.AddPublication(1001);
        Told ready = Only(exclusive ? Event.ExclusivePublicationReady : Event.PublicationReady);
        Assert.That((ready.Int64(0), ready.Int64(8), ready.Int32(20), ready.Int32(28)), Is.EqualTo((id, id, 1001, -1)));
        Assert.That(ready.Text(32), Is.EqualTo($"{_world.Directory}/publications/{id}.logbuffer"));
        using LogBuffer log = LogBuffer.Open(ready.Text(32));
        Assert.That((log.CorrelationId, log.StreamId, log.SessionId), Is.EqualTo((id, 1001, ready.Int32(16))));
        Assert.That(log.Type, Is.EqualTo(exclusive ? LogType.Exclusive : LogType.Concurrent));
        Assert.That(log.IsConnected, Is.False);
        Assert.That(_client.Counters.Value(ready.Int32(24)), Is.Zero, "nobody reads yet");
        Assert.That(_client.Counters.LabelOf(ready.Int32(24)), Is.EqualTo($"pub-lmt: {id} {log.SessionId} 1001 aeron:ipc"));
    }

    [Test]
    public void A_subscription_sees_the_stream_that_is_there_and_the_one_that_comes()
    {
        long early = _client.AddPublication(5);
        _client.Listen();
        long subscription = _client.AddSubscription(5);
        List<Told> told = _client.Listen();
        Assert.That(told.Select(item => item.Type), Is.EqualTo(new[] { Event.SubscriptionReady, Event.AvailableImage }));
        Assert.That((told[0].Int64(0), told[0].Int32(8)), Is.EqualTo((subscription, -1)));
        CheckImage(told[1], early, subscription);

        long late = _client.AddExclusive(5);
        told = _client.Listen();
        Assert.That(told.Select(item => item.Type), Is.EqualTo(new[] { Event.ExclusivePublicationReady, Event.AvailableImage }));
        CheckImage(told[1], late, subscription);

        void CheckImage(Told image, long publication, long reader)
        {
            Assert.That((image.Int64(0), image.Int32(12), image.Int64(16)), Is.EqualTo((publication, 5, reader)));
            Assert.That(image.Text(28), Does.EndWith($"/publications/{publication}.logbuffer"));
            int source = 28 + 4 + ((image.Int32(28) + 3) & ~3);
            Assert.That(image.Text(source), Is.EqualTo("aeron:ipc"));
            Assert.That(_client.Counters.TypeOf(image.Int32(24)), Is.EqualTo(CounterType.SubscriberPosition));
            using LogBuffer log = LogBuffer.Open(image.Text(28));
            Assert.That(log.IsConnected, Is.True);
        }
    }

    [Test]
    public void A_session_asked_for_is_the_only_one_seen()
    {
        _client.AddExclusive(5, "aeron:ipc?session-id=4711");
        _client.AddExclusive(5);
        _client.AddSubscription(5, "aeron:ipc?session-id=4711");
        List<Told> images = _client.Listen(3).FindAll(told => told.Type == Event.AvailableImage);
        Assert.That(images.Select(image => image.Int32(8)), Is.EqualTo(new[] { 4711 }));
    }

    [Test]
    public void Concurrent_publications_of_a_stream_share_its_log_until_the_last_is_removed()
    {
        using RawClient other = _world.Connect();
        long first = _client.AddPublication(5);
        long second = other.AddPublication(5);
        long exclusive = _client.AddExclusive(5);
        List<Told> told = _client.Listen(2);
        Told shared = told.Find(item => item.Type == Event.PublicationReady && item.Int64(0) == second);
        Assert.That(shared.Int64(8), Is.EqualTo(first));
        Assert.That(told.Find(item => item.Type == Event.ExclusivePublicationReady).Int64(8), Is.EqualTo(exclusive));
        Assert.That(_world.Files("publications"), Has.Length.EqualTo(2));

        _client.Send(Command.RemovePublication, exclusive, 0L);
        _client.Send(Command.RemovePublication, first);
        _client.Listen();
        _world.Leap(6_000, _client, other);
        Assert.That(_world.Files("publications"), Has.Length.EqualTo(1), "one still has it");
        other.Send(Command.RemovePublication, second, 0L);
        _world.Leap(6_000, _client, other);
        Assert.That(_world.Files("publications"), Is.Empty);
    }

    [Test]
    public void A_removed_publication_ends_its_images_when_they_have_read_all()
    {
        long publication = _client.AddExclusive(5);
        long subscription = _client.AddSubscription(5);
        List<Told> told = _client.Listen();
        Told image = told.Find(item => item.Type == Event.AvailableImage);
        using (LogBuffer log = LogBuffer.Open(image.Text(28)))
        {
            WriteFrame(log, 0, 64);
            long removal = _client.Send(Command.RemovePublication, publication, 0L);
            told = _client.Listen(50);
            Assert.That(told.Select(item => (item.Type, item.Int64(0))), Is.EqualTo(new[] { (Event.OperationSucceeded, removal) }));
            Assert.That(log.EndOfStreamPosition, Is.EqualTo(64));

            _client.Counters.Store(image.Int32(24), 64);
            told = _client.Listen(3);
            Assert.That(told.Select(item => (item.Type, item.Int64(0))), Is.EqualTo(new[] { (Event.UnavailableImage, publication) }));
            Assert.That((told[0].Int64(8), told[0].Int32(16), told[0].Text(20)), Is.EqualTo((subscription, 5, "aeron:ipc")));
        }
        Assert.That(_world.Files("publications"), Has.Length.EqualTo(1), "it lingers");
        _world.Leap(6_000, _client);
        Assert.That(_world.Files("publications"), Is.Empty);
    }

    [Test]
    public void The_limit_follows_the_slowest_reader()
    {
        long publication = _client.AddExclusive(5);
        _client.AddSubscription(5);
        _client.AddSubscription(5);
        List<Told> told = _client.Listen();
        int limit = told.Find(item => item.Int64(0) == publication).Int32(24);
        int[] positions = [.. told.FindAll(item => item.Type == Event.AvailableImage).Select(item => item.Int32(24))];
        Assert.That(_client.Counters.Value(limit), Is.EqualTo(32 * 1024));
        _client.Counters.Store(positions[0], 24 * 1024);
        _client.Listen();
        Assert.That(_client.Counters.Value(limit), Is.EqualTo(32 * 1024));
        _client.Counters.Store(positions[1], 8 * 1024);
        _client.Listen();
        Assert.That(_client.Counters.Value(limit), Is.EqualTo(40 * 1024));
    }

    [Test]
    public void A_reader_that_leaves_no_longer_holds_the_limit_back()
    {
        long publication = _client.AddExclusive(5);
        _client.AddSubscription(5);
        long slow = _client.AddSubscription(5);
        List<Told> told = _client.Listen();
        int limit = told.Find(item => item.Int64(0) == publication).Int32(24);
        Told fast = told.Find(item => item.Type == Event.AvailableImage && item.Int64(16) != slow);
        _client.Counters.Store(fast.Int32(24), 16 * 1024);
        _client.Send(Command.RemoveSubscription, slow);
        _client.Listen(2);
        Assert.That(_client.Counters.Value(limit), Is.EqualTo(48 * 1024));
    }

    [Test]
    public void A_client_that_closes_leaves_nothing_behind()
    {
        _client.AddPublication(5);
        _client.AddSubscription(5);
        _client.Send(Command.AddCounter, 1001, "keyx", "a label");
        _client.Listen();
        _client.Send(Command.ClientClose);
        List<Told> told = _client.Listen();
        Assert.That(told.Count(item => item.Type == Event.CounterUnavailable), Is.EqualTo(2), "its own counter and its heartbeat");
        Assert.That(told.Select(item => item.Type), Has.None.EqualTo(Event.ClientTimeout));
        _world.Leap(6_000);
        Assert.That(_world.Files("publications"), Is.Empty);
        for (int id = 46; id < 60; id++)
            Assert.That(_client.Counters.IsAllocated(id), Is.False, $"counter {id}");
    }

    [Test]
    public void A_client_that_falls_silent_is_told_and_cleaned_up_and_the_others_live()
    {
        using RawClient other = _world.Connect();
        _client.AddPublication(5);
        long theirs = other.AddPublication(6);
        _client.Listen();
        _world.Leap(9_000, other);
        Assert.That(_client.Listen(), Is.Empty);
        _world.Leap(2_000, other);
        List<Told> told = _client.Listen();
        Assert.That(told.Find(item => item.Type == Event.ClientTimeout).Int64(0), Is.EqualTo(_client.Id));
        _world.Leap(6_000, other);
        Assert.That(_world.Files("publications").Select(Path.GetFileName), Is.EqualTo(new[] { $"{theirs}.logbuffer" }));
        Assert.That(_world.Agent.Counters.ClientTimeouts, Is.EqualTo(1));
    }

    [Test]
    public void A_heartbeat_that_a_client_writes_into_its_counter_keeps_it_alive()
    {
        _client.AddPublication(5);
        int counter = _client.Listen()[0].Int32(8);
        for (int i = 0; i < 20; i++)
        {
            _world.Leap(1_000);
            _client.Counters.Store(counter, _world.Time.EpochMillis);
        }
        Assert.That(_world.Agent.Counters.ClientTimeouts, Is.Zero);
    }

    [Test]
    public void A_driver_that_stood_still_gives_its_clients_time_before_it_calls_them_dead()
    {
        _client.AddPublication(5);
        int counter = _client.Listen()[0].Int32(8);
        _world.Pass(200);
        _world.Simulated.Clock.Now += 60_000_000_000;
        _world.Agent.DoWork();
        _client.Counters.Store(counter, _world.Time.EpochMillis);
        _world.Leap(9_000);
        Assert.That(_world.Agent.Counters.ClientTimeouts, Is.Zero);
    }

    [Test]
    public void Counters_are_given_out_and_taken_back()
    {
        long id = _client.Send(Command.AddCounter, 1001, "key", new byte[1], "a label");
        Told ready = _client.Listen().Find(item => item.Int64(0) == id);
        Assert.That(ready.Type, Is.EqualTo(Event.CounterReady));
        Assert.That(
            (_client.Counters.TypeOf(ready.Int32(8)), _client.Counters.LabelOf(ready.Int32(8))), Is.EqualTo((1001, "a label")));
        long removal = _client.Send(Command.RemoveCounter, id);
        List<Told> told = _client.Listen();
        Assert.That(
            told.Select(item => (item.Type, item.Int64(0))),
            Is.EqualTo(new[] { (Event.OperationSucceeded, removal), (Event.CounterUnavailable, id) }));
        Assert.That(_client.Counters.IsAllocated(ready.Int32(8)), Is.False);
    }

    [Test]
    public void A_static_counter_is_made_once()
    {
        long first = _client.Send(Command.AddStaticCounter, 77L, 1001, "key", new byte[1], "kept");
        using RawClient other = _world.Connect();
        long second = other.Send(Command.AddStaticCounter, 77L, 1001, "key", new byte[1], "kept");
        List<Told> told = _client.Listen(2).FindAll(item => item.Type == Event.StaticCounter);
        Assert.That(told.Select(item => item.Int64(0)), Is.EqualTo(new[] { first, second }));
        Assert.That(told[0].Int32(8), Is.EqualTo(told[1].Int32(8)));
    }

    [Test]
    public void A_session_id_can_be_asked_for()
    {
        long id = _client.Send(Command.NextSessionId, 1001);
        Told told = Only(Event.NextSessionId);
        Assert.That(told.Int64(0), Is.EqualTo(id));
        Assert.That(told.Int32(8), Is.Not.InRange(-1, 1000));
    }

    [Test]
    public void A_udp_publication_and_subscription_meet_over_the_network()
    {
        long subscription = _client.AddSubscription(5, "aeron:udp?endpoint=127.0.0.1:40100");
        long publication = _client.AddPublication(5, "aeron:udp?endpoint=127.0.0.1:40100");
        List<Told> told = _client.Listen(300);
        Told ready = told.Find(item => item.Type == Event.PublicationReady);
        Told image = told.Find(item => item.Type == Event.AvailableImage);
        Assert.That((ready.Int64(0), image.Int64(16)), Is.EqualTo((publication, subscription)));
        Assert.That(image.Text(28), Does.Contain("/images/"));
        Assert.That(_client.Counters.Value(ready.Int32(28)), Is.EqualTo(1), "channel status");
        using LogBuffer log = LogBuffer.Open(ready.Text(32));
        using LogBuffer arrived = LogBuffer.Open(image.Text(28));
        Assert.That(log.IsConnected, Is.True);
        WriteFrame(log, 0, 96);
        _world.Pass(5);
        unsafe
        {
            Assert.That(LogBuffer.FrameLength(arrived.At(0)), Is.EqualTo(96));
        }

        _client.Send(Command.RemovePublication, publication, 0L);
        _client.Counters.Store(image.Int32(24), 96);
        _world.Leap(12_000, _client);
        told = _client.Listen();
        Assert.That(told.Find(item => item.Type == Event.UnavailableImage).Int64(8), Is.EqualTo(subscription));
        _world.Leap(11_000, _client);
        Assert.That(_world.Files("publications").Concat(_world.Files("images")), Is.Empty);
    }

    [Test]
    public void Destinations_are_added_by_hand_and_removed_by_name_or_id()
    {
        long publication = _client.AddExclusive(5, "aeron:udp?control-mode=manual");
        Told limit = _client.Listen().Find(item => item.Type == Event.ExclusivePublicationReady);
        Assert.That(limit.Int64(0), Is.EqualTo(publication));
        var reached = new List<int>();
        _world.Simulated.Tap = (_, to, _) =>
        {
            reached.Add(to.Port);
            return true;
        };
        long another = _client.AddPublication(5, "aeron:udp?control-mode=manual");
        long third = _client.AddPublication(5, "aeron:udp?control-mode=manual");
        Assert.That(_client.Listen().Select(item => item.Int64(8)), Is.EqualTo(new[] { another, third }), "each has its own destinations");
        long first = _client.Send(Command.AddDestination, publication, "aeron:udp?endpoint=127.0.0.1:40101");
        long second = _client.Send(Command.AddDestination, publication, "aeron:udp?endpoint=127.0.0.1:40102");
        Assert.That(_client.Listen(200).Select(item => (item.Type, item.Int64(0))), Is.EqualTo(new[] { (Event.OperationSucceeded, first), (Event.OperationSucceeded, second) }));
        Assert.That(reached.Distinct(), Is.EquivalentTo(new[] { 40101, 40102 }));
        _client.Send(Command.RemoveDestination, publication, "aeron:udp?endpoint=127.0.0.1:40101");
        _client.Send(Command.RemoveDestinationById, publication, second);
        Assert.That(_client.Listen().Select(item => item.Type), Is.All.EqualTo(Event.OperationSucceeded));
        reached.Clear();
        _world.Pass(200);
        Assert.That(reached, Is.Empty);
    }

    [Test]
    public void A_subscription_listens_where_it_is_told_by_hand([Values] bool byId)
    {
        long subscription = _client.AddSubscription(5, "aeron:udp?control-mode=manual");
        long destination = _client.Send(Command.AddReceiveDestination, subscription, "aeron:udp?endpoint=127.0.0.1:40100");
        _client.AddPublication(5, "aeron:udp?endpoint=127.0.0.1:40100");
        List<Told> told = _client.Listen(300);
        Assert.That(told.FindAll(item => item.Type == Event.Error).Select(item => item.Text(12)), Is.Empty);
        Assert.That(told.Exists(item => item.Type == Event.OperationSucceeded && item.Int64(0) == destination), Is.True);
        Assert.That(told.Find(item => item.Type == Event.AvailableImage).Int64(16), Is.EqualTo(subscription));
        long again = _client.Send(Command.AddReceiveDestination, subscription, "aeron:udp?endpoint=127.0.0.1:40100");
        Assert.That(_client.Listen().Select(item => (item.Type, item.Int64(0))), Is.EqualTo(new[] { (Event.Error, again) }));
        long removal = byId
            ? _client.Send(Command.RemoveDestinationById, subscription, destination)
            : _client.Send(Command.RemoveReceiveDestination, subscription, "aeron:udp?endpoint=127.0.0.1:40100");
        Assert.That(_client.Listen().Exists(item => item.Type == Event.OperationSucceeded && item.Int64(0) == removal), Is.True);
    }

    [Test]
    public void A_rejected_image_ends_and_its_publisher_hears_why()
    {
        const string Channel = "aeron:udp?endpoint=127.0.0.1:40100";
        long subscription = _client.AddSubscription(5, Channel);
        long publication = _client.AddPublication(5, Channel);
        Told image = _client.Listen(300).Find(item => item.Type == Event.AvailableImage);
        long rejection = _client.Send(Command.RejectImage, image.Int64(0), 0L, "not this one");
        List<Told> told = _client.Listen(3_000);
        Assert.That(told[0].Int64(0), Is.EqualTo(rejection));
        Told error = told.Find(item => item.Type == Event.PublicationError);
        Assert.That((error.Int64(0), error.Int32(16), error.Int32(20)), Is.EqualTo((publication, image.Int32(8), 5)));
        Assert.That((error.Int32(60), error.Text(64)), Is.EqualTo((13, "not this one")));
        Assert.That((error.Bytes[40], error.Bytes[44..48]), Is.EqualTo(((byte)1, new byte[] { 127, 0, 0, 1 })));
        Assert.That(told.Find(item => item.Type == Event.UnavailableImage).Int64(8), Is.EqualTo(subscription));
    }

    private static unsafe void WriteFrame(LogBuffer log, int offset, int length)
    {
        DataHeader header = log.DefaultHeader;
        header.TermOffset = offset;
        *(DataHeader*)log.At(offset) = header;
        Volatile.Write(ref *(int*)log.At(offset), length);
        log.StoreTail(0, log.InitialTermId, offset + length);
    }

    private Told Only(int type)
    {
        List<Told> told = _client.Listen().FindAll(item => item.Type == type);
        Assert.That(told, Has.Count.EqualTo(1));
        return told[0];
    }
}
