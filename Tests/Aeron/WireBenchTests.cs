// The wire bench with small input, peer and measuring end in one process: that it measures at all, and refuses what it does not know.

using MarginEngine.Bench;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class WireBenchTests
{
    [TestCase("round-trip --threads --messages 200")]
    [TestCase("round-trip --threads --messages 200 --multicast")]
    [TestCase("round-trip --threads --messages 200 --raw")]
    [TestCase("throughput --threads --messages 2000 --length 200")]
    [TestCase("throughput --threads --messages 2000 --multicast")]
    [TestCase("round-trip --threads --messages 200 --ipc")]
    [TestCase("throughput --threads --messages 20000 --ipc")]
    public void Each_measurement_runs(string arguments) => Assert.That(WireBench.Run(arguments.Split(' ')), Is.Zero);

    [TestCase("")]
    [TestCase("round-trip --message 5")]
    [TestCase("throughput --raw")]
    [TestCase("round-trip --raw --ipc")]
    [TestCase("throughput --ipc --multicast")]
    [TestCase("round-trip --messages 0")]
    public void Wrong_arguments_are_refused(string arguments)
    {
        StringWriter errors = new();
        Assert.That(WireBench.Run(arguments.Split(' '), errors), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain("wire round-trip|throughput"));
    }
}
