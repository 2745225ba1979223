// Shared memory between two real processes: everything arrives, and either may be killed in the middle of it.

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
[NonParallelizable]
public sealed class IpcProcessTests
{
    private const int OutStream = 1001;
    private const int BackStream = 1002;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TemporaryDirectory _place = null!;
    private string _directory = null!;
    private readonly List<ChildProcess> _children = [];

    [SetUp]
    public void MakePlace()
    {
        _place = new TemporaryDirectory();
        _directory = _place["driver"];
    }

    [TearDown]
    public void EndChildren()
    {
        foreach (ChildProcess child in _children)
            child.Dispose();
        _children.Clear();
        _place.Dispose();
    }

    [Test]
    public void What_another_process_echoes_is_what_was_sent_in_its_order()
    {
        const int Messages = 20_000;
        using AeronAgent agent = NewDriver(10_000_000_000);
        Publication publication = agent.AddPublication("aeron:ipc", OutStream);
        Subscription echoes = agent.AddSubscription("aeron:ipc", BackStream);
        ChildProcess child = Start("ipc-echo");
        var collecting = new Collecting();
        int sent = 0;
        Until(
            () =>
            {
                while (sent < Messages && sent - collecting.Messages.Count < 100 && publication.Offer(Message(sent)) > 0)
                    sent++;
                agent.DoWork();
                echoes.Poll(ref collecting, 50);
                return collecting.Messages.Count == Messages;
            },
            () => $"sent {sent}, echoed {collecting.Messages.Count}; {child.Errors}");
        for (int i = 0; i < Messages; i++)
            Assert.That(collecting.Messages[i], Is.EqualTo(Message(i)), $"message {i}");
    }

    [Test]
    public void A_killed_client_is_cleaned_up_and_the_next_goes_on_where_it_was()
    {
        using AeronAgent agent = NewDriver(2_000_000_000);
        Publication publication = agent.AddPublication("aeron:ipc", OutStream);
        Subscription echoes = agent.AddSubscription("aeron:ipc", BackStream);
        var collecting = new Collecting();
        for (int round = 0; round < 3; round++)
        {
            ChildProcess child = Start("ipc-echo");
            int before = collecting.Messages.Count;
            int sent = 0;
            Until(
                () =>
                {
                    if (publication.Offer(Message(sent)) > 0)
                        sent++;
                    agent.DoWork();
                    echoes.Poll(ref collecting, 50);
                    return collecting.Messages.Count > before + 1_000;
                },
                () => $"round {round}: sent {sent}; {child.Errors}");
            child.Kill();
            Until(
                () =>
                {
                    publication.Offer(Message(sent));
                    agent.DoWork();
                    echoes.Poll(ref collecting, 50);
                    return !publication.IsConnected && !echoes.IsConnected;
                },
                () => $"round {round}: the dead client's streams stay");
        }
        Assert.That(agent.Counters.ClientTimeouts, Is.EqualTo(3));
        Until(
            () =>
            {
                agent.DoWork();
                return Directory.GetFiles(Path.Combine(_directory, "publications")).Length == 1;
            },
            () => "logs of dead clients stay: " + string.Join(' ', Directory.GetFiles(Path.Combine(_directory, "publications"))));
    }

    [Test]
    public void A_killed_driver_is_noticed_and_its_directory_taken_over_at_once()
    {
        ChildProcess driver = Start("driver");
        driver.AwaitReady();
        var clock = new MachineTime();
        using (var client = new AeronClient(new AeronClientOptions(_directory, clock, clock) { DriverTimeoutNanos = 2_000_000_000 }))
        {
            Publication publication = client.AddPublication("aeron:ipc", OutStream);
            Subscription subscription = client.AddSubscription("aeron:ipc", OutStream);
            var collecting = new Collecting();
            Until(
                () =>
                {
                    client.DoWork();
                    publication.Offer(Message(1));
                    return subscription.Poll(ref collecting, 10) > 0;
                },
                () => driver.Errors);
            driver.Kill();
            Until(
                () =>
                {
                    client.DoWork();
                    return client.IsClosed;
                },
                () => "the client does not notice");
            Assert.That(publication.Offer(Message(2)), Is.EqualTo(Publication.Closed));
        }
        using AeronAgent next = NewDriver(10_000_000_000);
        Assert.That(next.AddPublication("aeron:ipc", OutStream).IsClosed, Is.False);
    }

    [Test]
    public void Two_clients_of_a_driver_process_meet_over_udp_and_shared_memory([Values("aeron:ipc", "aeron:udp?endpoint=127.0.0.1:")] string channel)
    {
        const int Messages = 2_000;
        if (channel.EndsWith(':'))
            channel += Tool.Demo.FreePorts.Take(1)[0];
        ChildProcess driver = Start("driver");
        driver.AwaitReady();
        var clock = new MachineTime();
        using var sender = new AeronClient(new AeronClientOptions(_directory, clock, clock));
        using var receiver = new AeronClient(new AeronClientOptions(_directory, clock, clock));
        Subscription subscription = receiver.AddSubscription(channel, OutStream);
        Publication publication = sender.AddPublication(channel, OutStream);
        var collecting = new Collecting();
        int sent = 0;
        Until(
            () =>
            {
                while (sent < Messages && publication.Offer(Message(sent)) > 0)
                    sent++;
                sender.DoWork();
                receiver.DoWork();
                subscription.Poll(ref collecting, 50);
                return collecting.Messages.Count == Messages;
            },
            () => $"sent {sent}, heard {collecting.Messages.Count}; {driver.Errors}");
        for (int i = 0; i < Messages; i++)
            Assert.That(collecting.Messages[i], Is.EqualTo(Message(i)), $"message {i}");
    }

    private static byte[] Message(int number) => Payload.Of(number, 8 + (number % 500));

    private static void Until(Func<bool> done, Func<string> describe)
    {
        long start = Stopwatch.GetTimestamp();
        while (!done())
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
                Assert.Fail(describe());
            Thread.Yield();
        }
    }

    private ChildProcess Start(string role)
    {
        var child = new ChildProcess(role, _directory);
        _children.Add(child);
        return child;
    }

    private AeronAgent NewDriver(long livenessNanos)
    {
        var clock = new MachineTime();
        return new AeronAgent(new AeronOptions(clock)
        {
            LingerNanos = 200_000_000,
            Driver = new DriverOptions(_directory, clock) { IpcTermLength = 64 * 1024, ClientLivenessNanos = livenessNanos },
        });
    }

    private sealed class MachineTime : INanoClock, IEpochClock
    {
        private readonly MachineClock _clock = new();

        public long EpochMillis => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        public long NanoTime() => _clock.NanoTime();
    }
}
