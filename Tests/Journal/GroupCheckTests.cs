using System.Buffers.Binary;
using MarginEngine.Journal;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>
/// Each field of a group is checked for itself: a forged group has every checksum right and one field wrong. Such blocks exist:
/// they are intact, and were written for another place or another history.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class GroupCheckTests
{
    static readonly Chain Before = new(NextSequence: 20, Checksum: 0xABCD, Epoch: 5, TimestampNanos: 77);

    delegate void Forgery(ref GroupFields fields);

    /// <summary>What the group under test is made of; by default it is right for segment 3, byte 8192, after <see cref="Before"/>.</summary>
    struct GroupFields()
    {
        public long Segment = 3;
        public long Offset = 8192;
        public long FirstSequence = 20;
        public uint HeaderPrevious = 0xABCD;
        public uint RecordPrevious = 0xABCD;
        public long SecondSequence = 21;
        public long SecondEpoch = 6;
        public int ExtraCount;
        public int ExtraZeroSectors;
        public int ExtraRecordBytes;
        public uint LastChecksumFlip;
        public byte Padding;
    }

    static byte[] Build(in GroupFields fields)
    {
        byte[] group = new byte[2 * 4096];
        int bytes = GroupHeader.Bytes;
        uint checksum = RecordLayout.Write(group.AsSpan(bytes), fields.RecordPrevious, 1, 5, 20, 78, new byte[100]);
        bytes += RecordLayout.BytesFor(100);
        checksum = RecordLayout.Write(group.AsSpan(bytes), checksum, 1, fields.SecondEpoch, fields.SecondSequence, 79, [1, 2, 3]);
        bytes += RecordLayout.BytesFor(3);
        group[bytes + 40] = fields.Padding;
        new GroupHeader
        {
            Segment = fields.Segment, Offset = fields.Offset, FirstSequence = fields.FirstSequence, RecordBytes = bytes - 64 + fields.ExtraRecordBytes,
            RecordCount = 2 + fields.ExtraCount, ZeroSectors = 7 + fields.ExtraZeroSectors, PreviousChecksum = fields.HeaderPrevious,
            LastChecksum = checksum ^ fields.LastChecksumFlip,
        }.Write(group);
        return group;
    }

    static GroupState Check(byte[] group, int limitBytes, ref Chain chain, out string reason) =>
        GroupCheck.Check(group, 3, 8192, limitBytes, ref chain, out _, out reason);

    [Test]
    public void The_group_that_belongs_here_is_intact()
    {
        Chain chain = Before;
        byte[] group = Build(new GroupFields());
        Assert.That(Check(group, 4096, ref chain, out string reason), Is.EqualTo(GroupState.Intact), reason);
        Assert.That(chain, Is.EqualTo(new Chain(22, BinaryPrimitives.ReadUInt32LittleEndian(group.AsSpan(48)), 6, 79)));
    }

    static IEnumerable<TestCaseData> Forgeries()
    {
        static TestCaseData Case(string name, string reason, Forgery forgery) => new TestCaseData(forgery, reason).SetArgDisplayNames(name);
        yield return Case("another segment", "segment 4", (ref fields) => fields.Segment = 4);
        yield return Case("another place", "byte 4096", (ref fields) => fields.Offset = 4096);
        yield return Case("another first sequence", "sequence 19", (ref fields) => fields.FirstSequence = 19);
        yield return Case("another history in the header", "another history", (ref fields) => fields.HeaderPrevious = 1);
        yield return Case("another history in the record", "another history", (ref fields) => fields.RecordPrevious = 1);
        yield return Case("a skipped sequence", "another history", (ref fields) => fields.SecondSequence = 22);
        yield return Case("a lower epoch", "epoch 4", (ref fields) => fields.SecondEpoch = 4);
        yield return Case("a record too few", "impossible length", (ref fields) => fields.ExtraCount = 1);
        yield return Case("a record too many", "do not end", (ref fields) => fields.ExtraCount = -1);
        yield return Case("another end of the chain", "do not end", (ref fields) => fields.LastChecksumFlip = 1);
        yield return Case("room behind the records", "do not end", (ref fields) => fields.ExtraRecordBytes = 8);
        yield return Case("records cut short", "impossible length", (ref fields) => fields.ExtraRecordBytes = -8);
        yield return Case("padding that is not zero", "padding", (ref fields) => fields.Padding = 1);
        yield return Case("more bytes than fit", "exceed", (ref fields) => fields.ExtraRecordBytes = 4096);
    }

    [TestCaseSource(nameof(Forgeries))]
    public void A_forged_group_is_damage_and_the_reason_is_given(Delegate forgery, string expectedReason)
    {
        var fields = new GroupFields();
        ((Forgery)forgery)(ref fields);
        Chain chain = Before;
        Assert.That(Check(Build(fields), 4096, ref chain, out string reason), Is.EqualTo(GroupState.Damaged));
        Assert.That(reason, Does.Contain(expectedReason));
        Assert.That(chain, Is.EqualTo(Before), "the chain is left as it was");
    }

    [Test]
    public void A_group_with_more_zero_sectors_than_were_written_is_torn()
    {
        Chain chain = Before;
        Assert.That(Check(Build(new GroupFields { ExtraZeroSectors = -1 }), 4096, ref chain, out string reason), Is.EqualTo(GroupState.Torn));
        Assert.That(reason, Does.Contain("1 sectors"));
    }

    [Test]
    public void A_large_group_asks_for_its_bytes_before_it_is_judged()
    {
        Chain chain = Before;
        byte[] group = Build(new GroupFields { ExtraRecordBytes = 4096 });
        Assert.That(Check(group[..4096], 8192, ref chain, out _), Is.EqualTo(GroupState.NeedsMoreBytes));
        Assert.That(Check(new byte[4096], 8192, ref chain, out _), Is.EqualTo(GroupState.Missing));
    }

    [Test]
    public void Rubbish_is_never_taken_for_a_group()
    {
        byte[] original = Build(new GroupFields());
        for (int seed = 1; seed <= 3000; seed++)
        {
            var random = new Random(seed);
            byte[] group = [.. original];
            int start = random.Next(300);
            random.NextBytes(group.AsSpan(start, random.Next(1, 300 - start + 1)));
            if (group.AsSpan().SequenceEqual(original))
                continue;
            Chain chain = Before;
            Assert.That(Check(group, 8192, ref chain, out _), Is.Not.EqualTo(GroupState.Intact), $"seed {seed}");
        }
    }
}
