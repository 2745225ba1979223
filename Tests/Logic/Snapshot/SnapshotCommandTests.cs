using MarginEngine.Codecs;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>The operator's command: it changes nothing in the book, and programs before the third version of the schema refused it.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SnapshotCommandTests
{
    private const int VersionOffset = 6;

    [Test]
    public void It_is_taken_without_a_decision()
    {
        using Desk desk = new();
        desk.Operator(Command.Snapshot);
        Assert.That(desk.Heard, Is.Empty);
    }

    [TestCase(1)]
    [TestCase(2)]
    public void A_journal_of_before_is_decided_as_it_was(int version)
    {
        using Desk other = new(), desk = new();
        other.Operator(Command.Snapshot);
        byte[] old = other.Applied[^1].Message;
        BitConverter.TryWriteBytes(old.AsSpan(VersionOffset), (ushort)version);
        desk.Apply(old);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Unsupported));
    }
}
