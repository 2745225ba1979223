// What both nodes leave behind when their states part: two dumps of one sequence, and the name of the first field, while the primary goes on.
using System.Reflection;
using System.Runtime.InteropServices;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
internal sealed class DivergenceTests
{
    private const int Before = 100;
    private const long Hour = 3_600_000_000_000;

    [Test]
    public void A_standby_with_other_records_is_told_apart_by_a_field_while_the_primary_decides_on([Values] bool canReachPeer)
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        List<byte[]> forged = [.. script.Take(Before).Select(message => message.ToArray())];
        byte[] deposit = forged.First(message => Reference.Template(message) == CollateralTransferDecoder.TemplateId);
        deposit[Frame.OriginEnd + 10]++; // a little more money
        RestartTests.WriteJournal(primaryOptions, script.Take(Before));
        RestartTests.WriteJournal(standbyOptions, forged);
        if (canReachPeer)
            primaryOptions = primaryOptions with { PeerJournal = standbyOptions.Journal.Directory };
        string told = Diverge(primaryOptions, standbyOptions, (world, primary) => NodeTests.SendAll(world, primary, script.Skip(Before)));
        Assert.That(told, Does.Contain("the replay has this primary's digests at sequence"));
        Assert.That(told, canReachPeer ? Does.Contain("the first field that differs, here against the standby: account 1, ") : Does.Not.Contain("differs"));

        (string ours, string theirs) = Dumps(primaryOptions, standbyOptions);
        CommandResult states = MarginCommand.Run("diff", ours, theirs);
        Assert.That(states.Code, Is.EqualTo(ExitCode.Difference), states.ToString());
        Assert.That(states.Out, Does.Match("the states after sequence [0-9]+ differ in account 1, (equity|balance USD, atoms): "));
        CommandResult records = MarginCommand.Run("diff", primaryOptions.Journal.Directory, standbyOptions.Journal.Directory);
        Assert.That(records.Out, Does.Contain("differ in message.").And.Contain("CollateralTransfer"), "what went wrong first goes before what came of it");
    }

    [Test]
    public void A_node_whose_memory_went_wrong_is_told_from_the_one_whose_records_say_so([Values] NodeRole wrong)
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        primaryOptions = primaryOptions with { PeerJournal = standbyOptions.Journal.Directory };
        foreach (NodeOptions options in (NodeOptions[])[primaryOptions, standbyOptions])
            RestartTests.WriteJournal(options, script.Take(Before), gapBefore: Before - 1, gapNanos: Hour);
        string told = Diverge(primaryOptions, standbyOptions, (_, _) => { }, wrong);
        if (wrong == NodeRole.Primary)
        {
            Assert.That(told, Does.Contain("THE REPLAY HAS OTHER DIGESTS").And.Contain("the standby's state there is the same"));
            return;
        }

        Assert.That(told, Does.Contain("the replay has this primary's digests").And.Contain("here against the standby: account 8, "));
        CommandResult both = MarginCommand.Run("diff", primaryOptions.Journal.Directory, standbyOptions.Journal.Directory, "--json");
        Assert.That(both.Code, Is.EqualTo(ExitCode.Difference), both.ToString());
        Assert.That(both.Out, Does.Contain("\"template\": \"state\"").And.Contain("\"field\": \"account 8, "), "the records are equal, the states are not");
    }

    // Runs the pair until the standby has stopped and the primary has told what it made of it.
    private static string Diverge(NodeOptions primaryOptions, NodeOptions standbyOptions, Action<World, TestNode.Running> afterwards, NodeRole? wrong = null)
    {
        using TestNode.Running standby = TestNode.Start(standbyOptions, before: node => FlipWhere(wrong == NodeRole.Standby, node));
        using TestNode.Running primary = TestNode.Start(primaryOptions, before: node => FlipWhere(wrong == NodeRole.Primary, node));
        using World world = TestNode.WorldOf(primaryOptions);
        world.WorkUntil(() => standby.Node.Fault is not null, () => $"nobody noticed: {primary.Node.Status()}");
        Assert.That(standby.Node.Fault!.Cause, Is.InstanceOf<DivergenceException>());
        world.WorkUntil(() => primary.Node.DivergenceTold.Length > 0, () => $"the primary says nothing: {primary.Node.Status()}");
        string told = primary.Node.DivergenceTold;
        TestContext.Out.WriteLine(told);
        Assert.That(primary.Node.Status().Diverged, Is.True);
        afterwards(world, primary);
        primary.Check();
        return told;
    }

    private static (string Primary, string Standby) Dumps(NodeOptions primary, NodeOptions standby)
    {
        string ours = DivergedPrimary.DumpsOf(primary.Journal.Directory), theirs = DivergedPrimary.DumpsOf(standby.Journal.Directory);
        long sequence = SnapshotFolder.List(new Storage(), ours).Single();
        Assert.That(SnapshotFolder.List(new Storage(), theirs), Is.EqualTo((long[])[sequence]), "the same name");
        return (SnapshotFolder.PathOf(ours, sequence), SnapshotFolder.PathOf(theirs, sequence));
    }

    private static void FlipWhere(bool isIt, Node node)
    {
        if (!isIt)
            return;
        var book = (Book)typeof(MarginMachine).GetField("_book", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(node.Machine)!;
        MemoryMarshal.GetReference(book.BalancesOf(book.AccountCount - 1)) ^= 1 << 5;
    }
}
