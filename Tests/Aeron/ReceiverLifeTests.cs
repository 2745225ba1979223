// Receivers that come late, pause, die without a word and come back, beside one that does none of it; and a million messages under loss.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class ReceiverLifeTests
{
    private const string Unicast = "aeron:udp?endpoint=127.0.0.1:40100";
    private const string Multicast = "aeron:udp?endpoint=224.20.30.41:40101|interface=127.0.0.1";
    private const long Second = 1_000_000_000;

    private SimulatedWorld _world = null!;
    private AeronAgent _sender = null!;
    private Publication _publication = null!;
    private readonly List<Listener> _listeners = [];
    private int _offered;

    [TearDown]
    public void Close()
    {
        _sender.Dispose();
        foreach (Listener listener in _listeners)
            listener.Agent.Dispose();
        _listeners.Clear();
    }

    [Test]
    public void A_late_receiver_begins_in_the_middle_and_misses_nothing_from_there()
    {
        Open(Multicast);
        Listener steady = Listen(Multicast);
        Play(Second);
        Listener late = Listen(Multicast);
        Play(2 * Second);
        Assert.That(late.Numbers, Is.Not.Empty);
        Assert.That(late.Numbers[0], Is.Positive);
        Assert.That(late.IsUnbroken, Is.True);
        Assert.That(steady.IsUnbroken, Is.True);
        Assert.That(steady.Numbers[^1], Is.EqualTo(late.Numbers[^1]).And.EqualTo(_offered - 1));
    }

    [Test]
    public void A_receiver_cut_off_for_seconds_recovers_or_ends_with_a_reason_and_the_other_never_notices([Values(1, 3, 8, 15)] int seconds)
    {
        Open(Multicast);
        Listener steady = Listen(Multicast);
        Listener flaky = Listen(Multicast);
        Play(Second);
        _world.CutOff.Add(flaky.Network);
        double slowest = Play(seconds * Second);
        _world.CutOff.Remove(flaky.Network);
        Play(15 * Second);

        Assert.That(steady.IsUnbroken, Is.True);
        Assert.That(steady.Numbers[^1], Is.EqualTo(_offered - 1));
        Assert.That(slowest, Is.LessThan(0.1), "seconds between two messages at the steady receiver");
        Assert.That(flaky.Numbers[^1], Is.EqualTo(_offered - 1), "it is back");
        // With fc=max nobody waits for it: what the sender no longer holds is a break, and a break is a new image.
        Assert.That(flaky.Breaks, Is.EqualTo(flaky.Ends.Count));
        Assert.That(flaky.Ends, Is.All.EqualTo(ImageEnd.Silent));
    }

    /// <summary>
    /// With fc=min all wait for the slowest as long as the channel says and no longer: a short absence costs the others its time and the
    /// absent one nothing; a long one costs the others the channel's time.
    /// </summary>
    [TestCase(1, 1.3)]
    [TestCase(2, 2.3)]
    [TestCase(8, 3.3)]
    [TestCase(15, 3.3)]
    public void With_fc_min_the_others_wait_for_an_absent_receiver_as_long_as_the_channel_says(int seconds, double longestWait)
    {
        Open(Multicast + "|fc=min,t:3s");
        Listener steady = Listen(Multicast);
        Listener flaky = Listen(Multicast);
        Play(Second);
        _world.CutOff.Add(flaky.Network);
        double slowest = Play(seconds * Second);
        _world.CutOff.Remove(flaky.Network);
        slowest = Math.Max(slowest, Play(15 * Second));

        Assert.That(steady.IsUnbroken, Is.True);
        Assert.That(steady.Numbers[^1], Is.EqualTo(_offered - 1));
        Assert.That(slowest, Is.InRange(0.5, longestWait), "seconds between two messages at the steady receiver");
        Assert.That(flaky.Numbers[^1], Is.EqualTo(_offered - 1), "it is back");
        Assert.That(flaky.IsUnbroken, Is.EqualTo(seconds < 3));
        Assert.That(flaky.Breaks, Is.EqualTo(flaky.Ends.Count));
    }

    [Test]
    public void With_fc_min_a_paused_reader_holds_all_and_loses_nothing()
    {
        Open(Multicast + "|fc=min,g:/2");
        Listener steady = Listen(Multicast);
        Listener slow = Listen(Multicast);
        Play(Second);
        slow.IsPaused = true;
        Play(20 * Second);
        slow.IsPaused = false;
        Play(2 * Second);
        foreach (Listener listener in (Listener[])[steady, slow])
        {
            Assert.That(listener.IsUnbroken, Is.True);
            Assert.That(listener.Ends, Is.Empty);
            Assert.That(listener.Numbers[^1], Is.EqualTo(_offered - 1));
        }
    }

    [Test]
    public void A_late_receiver_of_a_group_is_let_in_without_a_break_for_anybody([Values("fc=min", "fc=tagged,g:5")] string flow)
    {
        Open(Multicast + "|" + flow);
        Listener steady = Listen(Multicast + "|gtag=5");
        Play(Second);
        for (int i = 0; i < 5; i++)
        {
            Listener late = Listen(Multicast + "|gtag=5");
            Play(Second / 3);
            Assert.That(late.Numbers, Is.Not.Empty);
        }
        Play(Second);
        Assert.That(_listeners.Select(listener => listener.IsUnbroken), Is.All.True);
        Assert.That(_listeners.Select(listener => listener.Ends.Count), Is.All.Zero);
        Assert.That(_listeners.Select(listener => listener.Numbers[^1]), Is.All.EqualTo(_offered - 1));
        Assert.That(steady.Numbers[0], Is.Zero);
    }

    [Test]
    public void A_unicast_receiver_that_dies_is_noticed_and_its_successor_served()
    {
        Open(Unicast);
        Listener first = Listen(Unicast);
        Play(Second);
        int taken = first.Numbers.Count;
        _world.CutOff.Add(first.Network);
        _listeners.Remove(first);
        Play(6 * Second);
        Assert.That(_publication.IsConnected, Is.False);
        Assert.That(taken, Is.Positive);
        first.Agent.Dispose();

        Listener second = Listen(Unicast);
        Play(2 * Second);
        Assert.That(_publication.IsConnected);
        Assert.That(second.IsUnbroken, Is.True);
        Assert.That(second.Numbers[^1], Is.EqualTo(_offered - 1));
    }

    [Test]
    public void A_process_that_stood_still_for_long_finds_its_peers_alive()
    {
        Open(Unicast);
        Listener listener = Listen(Unicast);
        Play(Second);
        // The sender's process stands still; the receiver's status messages go on and wait in its socket. Then the other way round.
        for (long end = _world.Clock.Now + (9 * Second); _world.Clock.Now < end; _world.Clock.Now += 10_000_000)
            listener.Work();
        _sender.DoWork();
        Assert.That(_publication.IsConnected);
        for (long end = _world.Clock.Now + (60 * Second); _world.Clock.Now < end; _world.Clock.Now += 10_000_000)
            _sender.DoWork();
        listener.Work();
        Assert.That(listener.Subscription.IsConnected);
        Play(Second);
        Assert.That(listener.Ends, Is.Empty);
        Assert.That(listener.IsUnbroken, Is.True);
        Assert.That(listener.Numbers[^1], Is.EqualTo(_offered - 1));
    }

    [Test]
    public void A_sender_that_dies_ends_the_image_and_its_successor_is_a_new_one()
    {
        Open(Unicast);
        Listener listener = Listen(Unicast);
        Play(Second);
        var dead = new SimulatedNetwork(_world);
        AeronAgent old = _sender;
        _sender = new AeronAgent(_world.Options(network: dead));
        _publication = _sender.AddPublication(Unicast, 7);
        _offered = 0;
        Play(11 * Second);
        Assert.That(listener.Ends, Is.EqualTo((ImageEnd[])[ImageEnd.Silent]));
        Assert.That(listener.Numbers[^1], Is.EqualTo(_offered - 1));
        Assert.That(listener.Subscription.ImageCount, Is.EqualTo(1));
        old.Dispose();
    }

    [Test]
    public void A_million_messages_survive_a_bad_network()
    {
        Open(Unicast, termLength: 1 << 20);
        Listener listener = Listen(Unicast);
        _world.Faults = new Faults { Drop = 5, Duplicate = 5, Delay = 10, LongestDelayNanos = 500_000, Truncate = 2, Corrupt = 2 };
        var message = new byte[64];
        while (listener.Count < 1_000_000)
        {
            while (_offered < 1_000_000)
            {
                BitConverter.TryWriteBytes(message, _offered);
                if (_publication.Offer(message) < 0)
                    break;
                _offered++;
            }
            int work = _sender.DoWork() + listener.Work();
            _world.Clock.Now += work == 0 ? 100_000 : 10_000;
            Assert.That(_world.Clock.Now, Is.LessThan(4_000 * Second), $"{_offered} offered, {listener.Count} taken");
        }
        Assert.That(listener.IsUnbroken, Is.True);
        Assert.That(listener.Ends, Is.Empty);
        Assert.That(_sender.Counters.Retransmits, Is.GreaterThan(1_000));
    }

    private void Open(string channel, int termLength = 64 * 1024)
    {
        _world = new SimulatedWorld(11);
        _sender = new AeronAgent(_world.Options(termLength: termLength));
        _publication = _sender.AddPublication(channel, 7);
        _offered = 0;
    }

    private Listener Listen(string channel)
    {
        var listener = new Listener(_world, channel);
        _listeners.Add(listener);
        return listener;
    }

    /// <summary>Offers a message each millisecond; returns the longest time the first receiver waited for one, in seconds.</summary>
    private double Play(long nanos)
    {
        long end = _world.Clock.Now + nanos;
        long nextOffer = _world.Clock.Now;
        long lastTaken = _world.Clock.Now;
        long longest = 0;
        var message = new byte[200];
        while (_world.Clock.Now < end)
        {
            if (_world.Clock.Now >= nextOffer)
            {
                BitConverter.TryWriteBytes(message, _offered);
                if (_publication.Offer(message) > 0)
                    _offered++;
                nextOffer += 1_000_000;
            }
            _sender.DoWork();
            for (int i = 0; i < _listeners.Count; i++)
            {
                int before = _listeners[i].Count;
                _listeners[i].Work();
                if (i != 0 || _listeners[i].Count == before)
                    continue;
                longest = Math.Max(longest, _world.Clock.Now - lastTaken);
                lastTaken = _world.Clock.Now;
            }
            _world.Clock.Now += 250_000;
        }
        return Math.Max(longest, _world.Clock.Now - lastTaken) / 1e9;
    }

    private sealed class Listener : IMessageHandler
    {
        private Listener _self;

        public Listener(SimulatedWorld world, string channel)
        {
            _self = this;
            Network = new SimulatedNetwork(world);
            Agent = new AeronAgent(world.Options(network: Network));
            Subscription = Agent.AddSubscription(channel, 7);
            Subscription.ImageUnavailable = image => Ends.Add(image.EndReason);
        }

        public SimulatedNetwork Network { get; }

        public AeronAgent Agent { get; }

        public Subscription Subscription { get; }

        public List<ImageEnd> Ends { get; } = [];

        /// <summary>First and last number of each unbroken run.</summary>
        public List<int> Numbers { get; } = [];

        public int Count { get; private set; }

        public int Breaks => Math.Max(0, (Numbers.Count / 2) - 1);

        public bool IsUnbroken => Breaks == 0;

        /// <summary>Its transport goes on; its application takes nothing.</summary>
        public bool IsPaused { get; set; }

        public int Work() => Agent.DoWork() + (IsPaused ? 0 : Subscription.Poll(ref _self, 1_000));

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            int number = BitConverter.ToInt32(message);
            if (Numbers.Count > 0 && Numbers[^1] + 1 == number)
                Numbers[^1] = number;
            else
                Numbers.AddRange([number, number]);
            Count++;
            return PollAction.Continue;
        }
    }
}
