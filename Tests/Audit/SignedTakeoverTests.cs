using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Signing;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tests.PromotionTests;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>Both nodes of a pair sign their own journals, and the signatures go on when the standby becomes the primary.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SignedTakeoverTests
{
    [Test]
    public void A_standby_signs_what_it_follows_and_goes_on_as_the_primary()
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        using SigningKey primaryKey = SigningKeys.Create(directory.Journal("primary.pem"), add: false), standbyKey = SigningKeys.Create(directory.Journal("standby.pem"), add: false);
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        primaryOptions = primaryOptions with { Signing = new SigningOptions { KeyFile = directory.Journal("primary.pem"), EveryRecords = 50 } };
        standbyOptions = standbyOptions with { Signing = new SigningOptions { KeyFile = directory.Journal("standby.pem"), EveryRecords = 50 } };
        NodeOptions second = Successor.Of(standbyOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        using World later = TestNode.WorldOf(second);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using (TestNode.Running first = TestNode.Start(primaryOptions))
        {
            NodeTests.SendAll(world, first, script.Take(250));
            world.WorkUntil(() => standby.Node.Gauges.Signed.Value >= 200 && first.Node.Gauges.Signed.Value >= 200, () => $"{standby.Node.SigningProblem} {standby.Node.Status()}");
        }

        using Handover handover = standby.Node.HandOver(Until.Patience);
        long last = handover.Recovered.LastSequence;
        using TestNode.Running promoted = TestNode.Run(new Node(second, handover));
        later.WorkUntil(() => later.Heard > 0, () => $"{promoted.Node.Status()}");
        NodeTests.SendAll(later, promoted, script.Skip(250));
        Assert.That(promoted.Node.Stop(Until.Patience), Is.True);
        Assert.That(promoted.Node.SigningProblem, Is.Null);
        promoted.Dispose();

        SignedHistory found = SignedHistory.Check(new Storage(), standbyOptions.Journal.Directory, standbyKey), old = SignedHistory.Check(new Storage(), primaryOptions.Journal.Directory, primaryKey);
        Assert.That((found.Problem, found.IsClosed, found.SignedUpTo), Is.EqualTo(((string?)null, true, found.LastSequence)));
        Assert.That(found.LastSequence, Is.GreaterThan(last));
        Assert.That(old.Problem, Is.Null);
        Assert.That(old.SignedUpTo, Is.GreaterThanOrEqualTo(200));
        Assert.That(SignedHistory.Check(new Storage(), standbyOptions.Journal.Directory, primaryKey).Problem, Does.Contain("no signature is by key"), "each node signs with its own key");
    }
}
