// Hostile and dying clients: random bytes in the command ring, mutated commands, nonsense in logs and counters. The driver goes on, and
// others of its clients with it. MARGIN_FUZZ_COMMANDS sets how many of each kind are tried, over all seeds.

using System.Globalization;
using System.Text;
using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class DriverFuzzTests
{
    private static readonly int Rounds =
        int.Parse(Environment.GetEnvironmentVariable("MARGIN_FUZZ_COMMANDS") ?? "80000", CultureInfo.InvariantCulture) / 4;

    [Test]
    public void Mutated_commands_do_no_harm([Range(1, 4)] int seed)
    {
        using var world = new DriverWorld(seed);
        using RawClient good = world.Connect();
        using RawClient bad = world.Connect();
        var random = new Random(seed);
        good.AddPublication(5);
        int limit = good.Listen().Find(told => told.Type == Event.PublicationReady).Int32(24);
        for (int i = 0; i < Rounds; i++)
        {
            bad.Ring.TryWrite(RandomType(random), Mutated(random, bad));
            world.Simulated.Clock.Now += 200_000;
            if (i % 500 == 0)
                good.KeepAlive();
            world.Agent.DoWork();
            if (i % 50 == 0)
                good.Listen();
        }
        Assert.That(world.Agent.Counters.CommandsRefused, Is.GreaterThan(Rounds / 4), $"seed {seed}");
        CheckServes(world, good, limit, seed);
    }

    [Test]
    public unsafe void Random_bytes_in_the_ring_do_no_harm([Range(1, 4)] int seed)
    {
        using var world = new DriverWorld(seed);
        using RawClient good = world.Connect();
        good.AddPublication(5);
        int limit = good.Listen().Find(told => told.Type == Event.PublicationReady).Int32(24);
        string file = Path.Combine(world.Directory, CncFile.FileName);
        byte* memory = MappedFile.Open(file, 1, long.MaxValue, out long length);
        try
        {
            var random = new Random(seed);
            byte* ring = memory + 128;
            int ringLength = (64 * 1024) + CommandRing.TrailerLength;
            for (int i = 0; i < Rounds; i++)
            {
                switch (random.Next(4))
                {
                    case 0:
                        *(int*)(ring + (random.Next(ringLength / 8) * 8)) = Interesting(random);
                        break;
                    case 1:
                        random.NextBytes(new Span<byte>(ring + random.Next(ringLength - 64), 64));
                        break;
                    case 2:
                        *(long*)(ring + (64 * 1024) + 128) = random.Next(2) == 0 ? random.NextInt64() : *(long*)(ring + (64 * 1024) + 384) + (random.Next(9000) * 8);
                        break;
                    default:
                        *(int*)(ring + (*(long*)(ring + (64 * 1024) + 384) & 0xFFF8)) = Interesting(random);
                        break;
                }
                world.Simulated.Clock.Now += random.Next(100) == 0 ? 11_000_000_000 : 200_000;
                world.Agent.DoWork();
            }
            // What is left of the ring is not to be repaired by a client; the driver throws it away and goes on.
            for (int i = 0; i < 20; i++)
            {
                world.Simulated.Clock.Now += 11_000_000_000;
                world.Agent.DoWork();
            }
        }
        finally
        {
            MappedFile.Unmap(memory, length);
        }
        CheckServes(world, null, limit, seed);
    }

    [Test]
    public unsafe void Nonsense_in_a_shared_log_and_its_counters_does_no_harm([Range(1, 4)] int seed, [Values("aeron:ipc", "aeron:udp?endpoint=127.0.0.1:40100")] string channel)
    {
        using var world = new DriverWorld(seed);
        using RawClient client = world.Connect();
        using RawClient bystander = world.Connect();
        Subscription own = world.Agent.AddSubscription(channel, 5);
        client.AddSubscription(5, channel);
        client.AddPublication(5, channel);
        List<Told> told = client.Listen(300);
        Told ready = told.Find(item => item.Type == Event.PublicationReady);
        Told image = told.Find(item => item.Type == Event.AvailableImage);
        using LogBuffer log = LogBuffer.Open(ready.Text(32));
        using LogBuffer seen = LogBuffer.Open(image.Text(28));
        var random = new Random(seed);
        var collecting = new Collecting();
        for (int i = 0; i < Rounds; i++)
        {
            LogBuffer target = random.Next(2) == 0 ? log : seen;
            byte* place = target.Term(0) + (random.Next((3 * target.TermLength / 8) + 512) * 8);
            if (random.Next(3) == 0)
                place = target.At(client.Counters.Value(image.Int32(24)) & ~31L);
            if (random.Next(10) == 0)
                place = target.Term(0) + (3 * target.TermLength) + (random.Next(20) * 8);
            if (random.Next(2) == 0)
                *(int*)place = Interesting(random);
            else
                *(long*)place = random.NextInt64();
            client.Counters.Store(
                random.Next(2) == 0 ? image.Int32(24) : ready.Int32(24), random.Next(4) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : random.Next(1 << 18));
            world.Simulated.Clock.Now += random.Next(500) == 0 ? 3_000_000_000 : 300_000;
            client.KeepAlive();
            bystander.KeepAlive();
            world.Agent.DoWork();
            own.Poll(ref collecting, 10);
            collecting.Messages.Clear();
        }
        client.Send(Command.ClientClose);
        world.Leap(40_000, bystander);
        long next = bystander.AddPublication(6);
        Assert.That(bystander.Listen().Exists(item => item.Type == Event.PublicationReady && item.Int64(0) == next), Is.True, $"seed {seed}");
    }

    [Test]
    public unsafe void A_claim_that_nobody_commits_is_stepped_over([Values] bool begun)
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        Subscription own = world.Agent.AddSubscription("aeron:ipc", 5);
        client.AddPublication(5);
        Told ready = client.Listen().Find(item => item.Type == Event.PublicationReady);
        using LogBuffer log = LogBuffer.Open(ready.Text(32));
        log.ClaimTail(0, 128);
        if (begun)
            *(int*)log.At(0) = -100;
        log.ClaimTail(0, 64);
        DataHeader header = log.DefaultHeader;
        header.TermOffset = 128;
        *(DataHeader*)log.At(128) = header;
        Volatile.Write(ref *(int*)log.At(128), 64);
        var collecting = new Collecting();
        Leap(14_000);
        Assert.That(collecting.Messages, Is.Empty, "a slow producer has its time");
        Leap(2_000);
        Assert.That(collecting.Messages, Has.Count.EqualTo(1));
        Assert.That(world.Agent.Counters.PublicationsUnblocked, Is.EqualTo(1));

        void Leap(int millis)
        {
            for (int i = 0; i < millis; i += 200)
            {
                world.Leap(200, client);
                own.Poll(ref collecting, 10);
            }
        }
    }

    [Test]
    public unsafe void A_claim_that_nobody_commits_does_not_hold_a_stream_to_the_network([Values] bool producerIsGone)
    {
        const string Channel = "aeron:udp?endpoint=127.0.0.1:40100";
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        Subscription own = world.Agent.AddSubscription(Channel, 5);
        long id = client.AddPublication(5, Channel);
        Told ready = client.Listen(300).Find(item => item.Type == Event.PublicationReady);
        using LogBuffer log = LogBuffer.Open(ready.Text(32));
        Assert.That(log.IsConnected, Is.True);
        log.ClaimTail(0, 128 + 64);
        DataHeader header = log.DefaultHeader;
        header.TermOffset = 128;
        *(DataHeader*)log.At(128) = header;
        Volatile.Write(ref *(int*)log.At(128), 64);
        if (producerIsGone)
            client.Send(Command.RemovePublication, id, 0L);
        world.Leap(producerIsGone ? 1_000 : 16_000, client);
        var collecting = new Collecting();
        own.Poll(ref collecting, 10);
        Assert.That(collecting.Messages, Has.Count.EqualTo(1));
        Assert.That(world.Agent.Counters.PublicationsUnblocked, Is.EqualTo(1));
    }

    [Test]
    public unsafe void A_producer_that_dies_at_the_end_of_a_term_does_not_stop_the_stream([Values(32, 640)] int left)
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        Subscription own = world.Agent.AddSubscription("aeron:ipc", 5);
        client.AddPublication(5, "aeron:ipc?init-term-id=7|term-id=7|term-offset=" + (65536 - left));
        Told ready = client.Listen().Find(item => item.Type == Event.PublicationReady);
        using LogBuffer log = LogBuffer.Open(ready.Text(32));
        log.ClaimTail(0, 1024);
        for (int i = 0; i < 16_000; i += 200)
            world.Leap(200, client);
        var collecting = new Collecting();
        own.Poll(ref collecting, 10);
        Assert.That(own.Images[0].Position, Is.EqualTo(65536), "padding over what was left");
        Assert.That(log.ActiveTermCount, Is.EqualTo(1));
        Assert.That(log.LoadTail(1), Is.EqualTo(8L << 32));
    }

    [Test]
    public unsafe void A_client_that_dies_within_a_command_does_not_stop_the_others([Values(0, -40)] int written)
    {
        using var world = new DriverWorld();
        using RawClient good = world.Connect();
        string file = Path.Combine(world.Directory, CncFile.FileName);
        byte* memory = MappedFile.Open(file, 1, long.MaxValue, out long length);
        byte* ring = memory + 128;
        int place = (int)(good.Ring.Tail & 0xFFFF);
        *(long*)(ring + (64 * 1024) + 128) += 40;
        *(int*)(ring + place) = written;
        long id = good.AddPublication(5);
        Assert.That(good.Listen(), Is.Empty);
        for (int i = 0; i < 11_000; i += 200)
            world.Leap(200);
        List<Told> told = good.Listen();
        MappedFile.Unmap(memory, length);
        Assert.That(told.Exists(item => item.Type == Event.PublicationReady && item.Int64(0) == id), Is.True);
        Assert.That(world.Agent.Counters.CommandsUnblocked, Is.EqualTo(1));
    }

    private static void CheckServes(DriverWorld world, RawClient? known, int limit, int seed)
    {
        // The driver may well be full of what the others asked for: they are silent now, and go.
        for (int i = 0; i < 100; i++)
        {
            world.Leap(200);
            known?.KeepAlive();
            known?.Listen();
        }
        using RawClient client = world.Connect();
        long id = client.AddExclusive(99);
        List<Told> told = client.Listen(3);
        Assert.That(told.Exists(item => item.Type == Event.ExclusivePublicationReady && item.Int64(0) == id), Is.True, $"seed {seed}");
        if (known is not null)
            Assert.That(known.Counters.IsAllocated(limit), Is.True, $"seed {seed}: a bystander lost its publication");
    }

    private static int RandomType(Random random) => random.Next(10) == 0 ? random.Next(1, int.MaxValue) : random.Next(1, 0x14);

    private static byte[] Mutated(Random random, RawClient client)
    {
        long clientId = random.Next(3) == 0 ? client.Id : random.NextInt64(1_000_000, 1_000_300);
        string channel = random.Next(6) switch
        {
            0 => "aeron:ipc",
            1 => "aeron:ipc?term-length=64k|mtu=" + random.Next(70_000),
            2 => "aeron:udp?endpoint=127.0.0.1:" + random.Next(70_000),
            3 => Encoding.ASCII.GetString([.. Enumerable.Range(0, random.Next(200)).Select(_ => (byte)random.Next(1, 256))]),
            4 => "aeron:ipc?session-id=" + random.Next(),
            _ => "aeron:udp?endpoint=224.20.30.41:40456|interface=localhost",
        };
        byte[] command = random.Next(4) switch
        {
            0 => RawClient.Bytes(clientId, client.Ring.NextCorrelationId(), random.Next(5), channel),
            1 => RawClient.Bytes(clientId, client.Ring.NextCorrelationId(), -1L, random.Next(5), channel),
            2 => RawClient.Bytes(clientId, client.Ring.NextCorrelationId(), (long)random.Next(4_000), 1L),
            _ => RawClient.Bytes(clientId, client.Ring.NextCorrelationId(), 1001, "key!", channel),
        };
        for (int flips = random.Next(3); flips > 0; flips--)
        {
            int at = 16 + random.Next(Math.Max(1, command.Length - 16));
            if (at + 4 <= command.Length)
                BitConverter.TryWriteBytes(command.AsSpan(at), Interesting(random));
        }
        return random.Next(5) == 0 ? command[..random.Next(command.Length)] : command;
    }

    private static int Interesting(Random random) => random.Next(9) switch
    {
        0 => 0,
        1 => -1,
        2 => int.MinValue,
        3 => int.MaxValue,
        4 => random.Next(1, 64),
        5 => -random.Next(1, 4096),
        6 => random.Next(65_536),
        7 => 1 << random.Next(31),
        _ => random.Next(),
    };
}
