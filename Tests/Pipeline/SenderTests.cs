// Who may speak to a node: the others are counted and ignored, and a mistake in the list is named.
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class SenderTests
{
    [Test]
    public void A_source_that_is_not_on_the_list_is_not_heard()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        options = options with { Input = options.Input! with { AllowedSources = ["10.1.2.0/24"] }, AeronDirectory = directory.Journal("aeron") };
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        using var view = new Aeron.DirectoryView(options.AeronDirectory!);
        world.WorkUntil(() => view.Counters().Single(counter => counter.Label.EndsWith("sources refused", StringComparison.Ordinal)).Value > 0, () => "nobody was refused");
        Assert.That(world.IsInputConnected, Is.False);
    }

    [Test]
    public void A_source_on_the_list_is_heard()
    {
        List<byte[]> script = Script.Messages(ticks: 5);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        options = options with { Input = options.Input! with { AllowedSources = ["10.1.2.0/24", "127.0.0.1"] } };
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script);
        Assert.That(Reference.Of(options).InputsOf(Script.Source), Is.EqualTo(script));
    }

    [TestCase("10.1.2.0/33")]
    [TestCase("margin")]
    [TestCase("")]
    public void A_mistake_in_the_list_names_its_key(string source)
    {
        NodeOptions options = TestNode.Primary("journal");
        options = options with { Input = options.Input! with { AllowedSources = [source] } };
        Assert.That(options.Check, Throws.TypeOf<NodeOptionsException>().With.Message.Contains("input.allowedSources"));
    }
}
