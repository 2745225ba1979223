using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin top` on the directory of a node that takes messages.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class TopTests
{
    [Test]
    public void It_shows_what_a_node_has_done()
    {
        List<byte[]> script = Script.Messages(ticks: 50);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with { AeronDirectory = directory.Journal("aeron") };
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script);
        long received = running.Node.Status().Received;
        Dictionary<string, long> shown = [];
        world.WorkUntil(
            () =>
            {
                CommandResult look = MarginCommand.Run("top", options.AeronDirectory!, "--once", "--json");
                Assert.That(look.Code, Is.Zero, look.ToString());
                JsonNode counters = JsonNode.Parse(look.Out)!["counters"]!;
                shown = counters.AsArray().ToDictionary(counter => counter!["label"]!.GetValue<string>(), counter => counter!["value"]!.GetValue<long>());
                return shown["margin primary: published: everything decided up to here has left"] >= received;
            },
            () => string.Join('\n', shown));
        Assert.That(shown["margin primary: takes input"], Is.EqualTo(1));
        Assert.That(shown["Bytes received"], Is.Positive, "the transport's own");

        CommandResult table = MarginCommand.Run("top", options.AeronDirectory!, "--once");
        Assert.That(table.Out, Does.Contain("lives").And.Contain("margin primary: journalled"));
        Assert.That(table.Out, Does.Not.Contain("margin primary: diverged"), "zeros need --all");
        Assert.That(MarginCommand.Run("top", options.AeronDirectory!, "--once", "--all").Out, Does.Contain("margin primary: diverged"));
    }

    [Test]
    public void A_folder_that_is_no_directory_of_a_driver_cannot_be_read()
    {
        using var directory = new TestDirectory();
        CommandResult result = MarginCommand.Run("top", directory.Journal("nothing"), "--once");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(MarginCommand.Run("top").Code, Is.EqualTo(ExitCode.Usage));
    }
}
