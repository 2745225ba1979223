// The directory a driver serves: whose it is, who may look into it, what is deleted and what is not.

using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class AeronDirectoryTests
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly SimulatedTime _clock = new();
    private TemporaryDirectory _place = null!;
    private string _path = null!;

    [SetUp]
    public void MakePlace()
    {
        _place = new TemporaryDirectory();
        _path = _place["driver"];
    }

    [TearDown]
    public void RemovePlace() => _place.Dispose();

    [Test]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void It_is_for_its_user_alone_even_if_it_was_open_before()
    {
        Directory.CreateDirectory(_path);
        File.SetUnixFileMode(_path, Owner | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using AeronAgent agent = Serve();
        Assert.That(File.GetUnixFileMode(_path), Is.EqualTo(Owner));
        Assert.That(File.GetUnixFileMode(Path.Combine(_path, "publications")), Is.EqualTo(Owner));
    }

    [Test]
    public void A_second_driver_is_refused_while_the_first_lives()
    {
        using (Serve())
            Assert.That(Serve, Throws.InstanceOf<IOException>().With.Message.Contains("live driver"));
        using AeronAgent next = Serve();
        Assert.That(File.Exists(Path.Combine(_path, "cnc.dat")), Is.True);
    }

    [Test]
    public void A_live_driver_of_another_make_is_respected_until_its_heartbeat_is_old_or_its_process_gone()
    {
        Foreign(Environment.ProcessId);
        Assert.That(Serve, Throws.InstanceOf<IOException>().With.Message.Contains("live driver"));
        Assert.That(File.Exists(Path.Combine(_path, "publications", "3.logbuffer")), Is.True);
        _clock.Now += 11_000_000_000;
        using (AeronAgent agent = Serve())
            Assert.That(Directory.EnumerateFiles(Path.Combine(_path, "publications")), Is.Empty);

        Foreign(int.MaxValue);
        using AeronAgent next = Serve();
        Assert.That(Directory.EnumerateFiles(Path.Combine(_path, "publications")), Is.Empty);
    }

    [Test]
    public void Files_that_are_no_drivers_are_never_deleted()
    {
        Directory.CreateDirectory(Path.Combine(_path, "publications"));
        string[] kept = [Path.Combine(_path, "notes"), Path.Combine(_path, "publications", "notes")];
        foreach (string file in kept)
            File.WriteAllText(file, "mine");
        Serve().Dispose();
        Assert.That(kept.Select(File.Exists), Is.All.True);
        Assert.That(File.Exists(Path.Combine(_path, "cnc.dat")), Is.False);
    }

    [Test]
    public void Nothing_is_left_at_the_end()
    {
        using (AeronAgent agent = Serve())
        {
            agent.AddPublication("aeron:ipc", 1);
            agent.AddSubscription("aeron:ipc", 1);
            agent.DoWork();
        }
        Assert.That(Directory.Exists(_path), Is.False);
    }

    [Test]
    public void A_directory_that_somebody_removes_ends_no_driver()
    {
        using AeronAgent agent = Serve();
        Publication publication = agent.AddPublication("aeron:ipc?linger=0", 1);
        Subscription subscription = agent.AddSubscription("aeron:ipc", 1);
        Directory.Delete(_path, recursive: true);
        Assert.That(publication.Offer(new byte[10]), Is.Positive);
        var collecting = new Collecting();
        Assert.That(subscription.Poll(ref collecting, 10), Is.EqualTo(1), "what is mapped stays");
        publication.Close();
        for (int i = 0; i < 20; i++)
        {
            _clock.Now += 1_000_000;
            agent.DoWork();
        }
        Assert.That(subscription.ImageCount, Is.Zero);
        Assert.That(() => agent.AddPublication("aeron:ipc", 1), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void The_end_of_the_driver_is_told_to_those_who_have_its_file_open()
    {
        AeronAgent agent = Serve();
        using CncFile open = CncFile.Open(_path);
        Assert.That(open.ToDriver().ConsumerHeartbeat, Is.Positive);
        agent.Dispose();
        Assert.That(open.ToDriver().ConsumerHeartbeat, Is.EqualTo(-1));
    }

    [Test]
    public void Shared_memory_without_a_directory_is_refused_by_name()
    {
        using var agent = new AeronAgent(new SimulatedWorld(1).Options());
        Assert.That(() => agent.AddPublication("aeron:ipc", 1), Throws.InstanceOf<ChannelException>().With.Message.Contains("AeronOptions.Driver"));
        Assert.That(() => agent.AddSubscription("aeron:ipc", 1), Throws.InstanceOf<ChannelException>());
    }

    private static readonly (int Offset, int Value)[] Damages = [(0, 0), (0, 1 << 16), (4, -1), (4, 1000), (8, 1 << 30), (12, int.MaxValue), (20, int.MinValue)];

    [TestCaseSource(nameof(Damages))]
    public void A_file_that_does_not_describe_itself_is_not_opened((int Offset, int Value) damage)
    {
        Foreign(1);
        using (FileStream file = File.OpenWrite(Path.Combine(_path, "cnc.dat")))
        {
            file.Position = damage.Offset;
            file.Write(BitConverter.GetBytes(damage.Value));
        }
        Assert.That(() => CncFile.Open(_path), Throws.InstanceOf<IOException>());
        using AeronAgent agent = Serve();
        Assert.That(agent.DoWork(), Is.Not.Negative, "nor does it keep a driver from starting");
    }

    /// <summary>What a driver that knows nothing of our lock has left, or is using.</summary>
    private void Foreign(int processId)
    {
        Directory.CreateDirectory(Path.Combine(_path, "publications"));
        File.WriteAllText(Path.Combine(_path, "publications", "3.logbuffer"), "log");
        var time = new WallTime(_clock);
        using CncFile file = CncFile.Create(_path, new DriverOptions(_path, time) { MaxCounters = 256, ErrorLogLength = 4096 }, time.EpochMillis);
        file.ToDriver().ConsumerHeartbeat = time.EpochMillis;
        file.MarkReady();
        using FileStream bytes = File.OpenWrite(Path.Combine(_path, "cnc.dat"));
        bytes.Position = 40;
        bytes.Write(BitConverter.GetBytes((long)processId));
    }

    private AeronAgent Serve() => new(new AeronOptions(_clock)
    {
        Network = () => new SimulatedNetwork(new SimulatedWorld(1)),
        Driver = new DriverOptions(_path, new WallTime(_clock)) { IpcTermLength = 64 * 1024, MaxCounters = 256, ErrorLogLength = 4096 },
    });
}
