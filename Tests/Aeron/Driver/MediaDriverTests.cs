// The driver on a thread of its own, and clients that know nothing of it but its directory.

using System.Diagnostics;
using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class MediaDriverTests
{
    private readonly DriverTime _clock = new();
    private TemporaryDirectory _place = null!;

    [SetUp]
    public void MakePlace() => _place = new TemporaryDirectory();

    [TearDown]
    public void RemovePlace() => _place.Dispose();

    [Test]
    public void Clients_of_its_directory_talk_to_each_other_until_it_ends([Values(0, 1_000)] int idleMicros)
    {
        Exception? failure = null;
        var driver = new MediaDriver(Options(), idleMicros, error => failure = error);
        using AeronClient sender = NewClient(driver);
        using AeronClient receiver = NewClient(driver);
        Subscription subscription = receiver.AddSubscription("aeron:ipc", 7);
        Publication publication = sender.AddPublication("aeron:ipc", 7);
        var collecting = new Collecting();
        int sent = 0;
        Until(() =>
        {
            if (sent < 1_000 && publication.Offer(Payload.Of(sent, 300)) > 0)
                sent++;
            sender.DoWork();
            receiver.DoWork();
            subscription.Poll(ref collecting, 20);
            return collecting.Messages.Count == 1_000;
        });
        for (int i = 0; i < 1_000; i++)
            Assert.That(collecting.Messages[i], Is.EqualTo(Payload.Of(i, 300)), $"message {i}");
        driver.Dispose();
        Assert.That(Directory.Exists(driver.Directory), Is.False);
        Until(() =>
        {
            sender.DoWork();
            return sender.IsClosed;
        });
        Assert.That(failure, Is.Null);
    }

    [Test]
    public void A_driver_without_a_directory_is_refused() =>
        Assert.That(() => new MediaDriver(new AeronOptions(_clock)), Throws.ArgumentException);

    [Test]
    public void A_client_may_end_it_only_where_that_is_allowed([Values] bool allowed)
    {
        using var driver = new MediaDriver(Options(allowed));
        using CncFile file = CncFile.Open(driver.Directory);
        CommandRing ring = file.ToDriver();
        ring.TryWrite(Command.TerminateDriver, RawClient.Bytes(ring.NextCorrelationId(), ring.NextCorrelationId(), "please"));
        Until(() => allowed ? driver.IsTerminationRequested : Volatile.Read(ref driver.Counters.CommandsRefused) == 1);
        Assert.That(driver.IsTerminationRequested, Is.EqualTo(allowed));
    }

    private static void Until(Func<bool> done)
    {
        long start = Stopwatch.GetTimestamp();
        while (!done())
        {
            Assert.That(Stopwatch.GetElapsedTime(start).TotalSeconds, Is.LessThan(60));
            Thread.Yield();
        }
    }

    private AeronOptions Options(bool allowsTermination = false) => new(_clock)
    {
        Driver = new DriverOptions(_place["driver"], _clock) { IpcTermLength = 64 * 1024, AllowsTermination = allowsTermination },
    };

    private AeronClient NewClient(MediaDriver driver) => new(new AeronClientOptions(driver.Directory, _clock, _clock));

    private sealed class DriverTime : INanoClock, IEpochClock
    {
        private readonly MachineClock _clock = new();

        public long EpochMillis => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        public long NanoTime() => _clock.NanoTime();
    }
}
