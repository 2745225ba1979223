// What the driver does not do for a client: commands that are malformed, impossible or not supported are counted, logged and answered.

using System.Text;
using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class DriverRefusalTests
{
    private static readonly object[] Refused =
    [
        new object[] { "an unknown command", 0x7777, Array.Empty<object>(), DriverError.UnknownCommand },
        new object[] { "a publication without a channel", Command.AddPublication, new object[] { 1 }, DriverError.Malformed },
        new object[] { "a channel longer than the command", Command.AddPublication, new object[] { 1, 4096, 7 }, DriverError.Malformed },
        new object[] { "a channel of negative length", Command.AddPublication, new object[] { 1, -1 }, DriverError.Malformed },
        new object[] { "a channel of the longest negative length", Command.AddSubscription, new object[] { -1L, 1, int.MinValue }, DriverError.Malformed },
        new object[] { "an empty channel", Command.AddPublication, new object[] { 1, "" }, DriverError.InvalidChannel },
        new object[] { "a channel of another kind", Command.AddSubscription, new object[] { -1L, 1, "aeron:tcp?endpoint=a:1" }, DriverError.InvalidChannel },
        new object[] { "a parameter misspelt", Command.AddPublication, new object[] { 1, "aeron:ipc?term-lenght=64k" }, DriverError.InvalidChannel },
        new object[] { "a term length of no power of two", Command.AddPublication, new object[] { 1, "aeron:ipc?term-length=65537" }, DriverError.InvalidChannel },
        new object[] { "an MTU not aligned", Command.AddExclusivePublication, new object[] { 1, "aeron:ipc?mtu=100" }, DriverError.InvalidChannel },
        new object[] { "a subscription that may be left behind", Command.AddSubscription, new object[] { -1L, 1, "aeron:ipc?tether=false" }, DriverError.InvalidChannel },
        new object[] { "a publication that is not there", Command.RemovePublication, new object[] { 99L, 0L }, DriverError.UnknownPublication },
        new object[] { "a subscription that is not there", Command.RemoveSubscription, new object[] { 99L }, DriverError.UnknownSubscription },
        new object[] { "a counter that is not there", Command.RemoveCounter, new object[] { 99L }, DriverError.UnknownCounter },
        new object[] { "a counter whose key is longer than the command", Command.AddCounter, new object[] { 1001, int.MaxValue }, DriverError.Malformed },
        new object[] { "a counter without a label", Command.AddCounter, new object[] { 1001, "key!" }, DriverError.Malformed },
        new object[] { "a counter of the driver's own kind", Command.AddCounter, new object[] { CounterType.ClientHeartbeat, "key!", "fake" }, DriverError.NotSupported },
        new object[] { "a destination of nothing", Command.AddDestination, new object[] { 99L, "aeron:udp?endpoint=127.0.0.1:1" }, DriverError.UnknownPublication },
        new object[] { "another address for a subscription that is not there", Command.AddReceiveDestination, new object[] { 99L, "aeron:udp?endpoint=127.0.0.1:1" }, DriverError.UnknownSubscription },
        new object[] { "an end of the driver", Command.TerminateDriver, new object[] { "" }, DriverError.NotSupported },
        new object[] { "an image rejected that is not there", Command.RejectImage, new object[] { 1L, 0L, "why" }, DriverError.Generic },
    ];

    [TestCaseSource(nameof(Refused))]
    public void Is_refused(string what, int type, object[] fields, object error)
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        long id = client.Send(type, fields);
        List<Told> told = client.Listen().FindAll(item => item.Type == Event.Error);
        Assert.That(told, Has.Count.EqualTo(1), what);
        Assert.That((told[0].Int64(0), (DriverError)told[0].Int32(8)), Is.EqualTo((id, (DriverError)error)), told[0].Text(12));
        Assert.That(world.Agent.Counters.CommandsRefused, Is.EqualTo(1));
        Assert.That(Encoding.ASCII.GetString(File.ReadAllBytes(Path.Combine(world.Directory, CncFile.FileName))), Does.Contain("refused: " + told[0].Text(12)));
        Assert.That(world.Files("publications"), Is.Empty);
        long next = client.AddPublication(5);
        Assert.That(client.Listen().Exists(item => item.Type == Event.PublicationReady && item.Int64(0) == next), Is.True, "it still serves");
    }

    [TestCase(0)]
    [TestCase(8)]
    [TestCase(15)]
    public void A_command_too_short_to_be_answered_is_counted(int length)
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        Assert.That(client.Ring.TryWrite(Command.AddPublication, new byte[length]), Is.True);
        Assert.That(client.Listen(), Is.Empty);
        Assert.That(world.Agent.Counters.CommandsRefused, Is.EqualTo(1));
    }

    [Test]
    public void An_id_is_taken_once()
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        long id = client.AddPublication(5);
        Assert.That(client.Ring.TryWrite(Command.AddSubscription, RawClient.Bytes(client.Id, id, -1L, 5, "aeron:ipc")), Is.True);
        Told error = client.Listen().Find(item => item.Type == Event.Error);
        Assert.That((DriverError)error.Int32(8), Is.EqualTo(DriverError.Malformed));
    }

    [Test]
    public void Nobody_removes_what_is_anothers()
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        using RawClient other = world.Connect();
        long id = client.AddPublication(5);
        other.Send(Command.RemovePublication, id, 0L);
        Told error = client.Listen(2).Find(item => item.Type == Event.Error);
        Assert.That((DriverError)error.Int32(8), Is.EqualTo(DriverError.UnknownPublication));
    }

    [Test]
    public void Clients_resources_and_counters_have_an_end()
    {
        using var world = new DriverWorld(1, options => new DriverOptions(options.Directory, options.Clock)
        {
            IpcTermLength = 64 * 1024, ToDriverLength = 64 * 1024, ToClientsLength = 64 * 1024, MaxCounters = 256, ErrorLogLength = 4096,
            MaxClients = 2, MaxResources = 3,
        });
        using RawClient client = world.Connect();
        using RawClient second = world.Connect();
        using RawClient third = world.Connect();
        client.AddSubscription(1);
        second.AddSubscription(1);
        third.AddSubscription(1);
        Assert.That(Errors(client), Is.EqualTo(new[] { DriverError.ResourceTemporarilyUnavailable }), "a third client");
        client.AddSubscription(2);
        client.AddSubscription(3);
        Assert.That(Errors(client), Is.EqualTo(new[] { DriverError.ResourceTemporarilyUnavailable }), "a fourth resource");
    }

    [Test]
    public void Counters_have_an_end_and_it_leaves_no_half_made_stream()
    {
        using var world = new DriverWorld(1, options => new DriverOptions(options.Directory, options.Clock)
        {
            IpcTermLength = 64 * 1024, ToDriverLength = 64 * 1024, ToClientsLength = 64 * 1024, MaxCounters = 256, ErrorLogLength = 4096,
        });
        using RawClient client = world.Connect();
        int used = 46 + 1;
        while (used < 255)
        {
            client.Send(Command.AddCounter, 1001, "key!", "x");
            used++;
            client.Listen();
        }
        client.AddPublication(5);
        Assert.That(Errors(client), Is.EqualTo(new[] { DriverError.ResourceTemporarilyUnavailable }));
        Assert.That(world.Files("publications"), Is.Empty);
        client.Send(Command.AddCounter, 1001, "key!", "x");
        world.Pass(1_100);
        client.Listen();
        Assert.That(world.Agent.Counters.CommandsRefused, Is.EqualTo(2), "the counter that was given back is not given out at once");
        client.Send(Command.AddCounter, 1001, "key!", "x");
        Assert.That(Errors(client), Is.Empty);
    }

    [Test]
    public void Errors_are_logged_once_each_and_counted()
    {
        using var world = new DriverWorld();
        using RawClient client = world.Connect();
        for (int i = 0; i < 5; i++)
            client.Send(Command.RemoveCounter, 99L);
        client.Listen(2);
        byte[] file = File.ReadAllBytes(Path.Combine(world.Directory, CncFile.FileName));
        byte[] text = Encoding.ASCII.GetBytes("command 0x0A refused: no counter 99");
        int at = file.AsSpan().IndexOf(text);
        Assert.That(at, Is.Positive);
        Assert.That(file.AsSpan(at + 1).IndexOf(text), Is.Negative, "once");
        Assert.That((BitConverter.ToInt32(file, at - 24), BitConverter.ToInt32(file, at - 20)), Is.EqualTo((24 + text.Length, 5)));
    }

    private static DriverError[] Errors(RawClient client) =>
        [.. client.Listen(3).FindAll(item => item.Type == Event.Error).Select(item => (DriverError)item.Int32(8))];
}
