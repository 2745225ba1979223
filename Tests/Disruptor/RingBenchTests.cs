using MarginEngine.Bench;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>Every scenario of the ring's bench, with few events: it checks each of them itself.</summary>
public sealed class RingBenchTests
{
    private static IEnumerable<string> Names => RingScenarios.All.Select(scenario => scenario.Name);

    [TestCaseSource(nameof(Names))]
    public void A_scenario_runs_and_counts_its_events(string name)
    {
        RingRun run = RingScenarios.All.Single(scenario => scenario.Name == name).Run(2_000);
        Assert.That(run.Events, Is.InRange(1, 2_000));
        Assert.That(run.Nanos, Is.Positive);
    }

    [TestCase("yielding")]
    [TestCase("parking")]
    public void A_wake_up_is_measured(string strategy)
    {
        RingWakeUp.Line line = RingWakeUp.Measure(strategy, 5, TimeSpan.FromMilliseconds(1));
        Assert.That(line.WakeP90Nanos, Is.GreaterThanOrEqualTo(line.WakeP50Nanos).And.Positive);
    }

    [Test]
    public void The_table_has_a_line_for_each_scenario_and_states_the_machine()
    {
        var output = new StringWriter();
        IReadOnlyList<RingBench.Line> lines = RingBench.Run(new RingBench.Settings(1_000, 1) { Scenario = "polled" }, output);
        Assert.That(lines, Has.Count.EqualTo(1));
        Assert.That(output.ToString(), Does.Contain("polled").And.Contains("processors").And.Contains("server GC"));
    }

    [TestCase("--nonsense")]
    [TestCase("--events", "many")]
    [TestCase("--events", "-5")]
    [TestCase("--against", "/no/such/file")]
    [TestCase("--scenario")]
    public void A_wrong_option_is_refused(params string[] options)
    {
        var errors = new StringWriter();
        Assert.That(RingBench.Command(options, TextWriter.Null, errors), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain(options[0]));
    }
}
