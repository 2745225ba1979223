using System.Text;
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>The bytes on disk are a promise: a journal of today is read years later.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class FormatTests
{
    [TestCase("", 0x00000000u)]
    [TestCase("a", 0xC1D04330u)]
    [TestCase("123456789", 0xE3069283u)]
    [TestCase("The quick brown fox jumps over the lazy dog", 0x22620404u)]
    public void The_checksum_is_the_standard_CRC32C(string text, uint expected) =>
        Assert.That(Checksum.Of(Encoding.ASCII.GetBytes(text)), Is.EqualTo(expected));

    [Test]
    public void The_checksum_of_a_structure_takes_its_own_field_as_zero()
    {
        byte[] structure = new byte[64];
        new Random(1).NextBytes(structure);
        uint checksum = Checksum.OfStructure(structure);
        structure.AsSpan(0, 4).Clear();
        Assert.That(Checksum.Of(structure), Is.EqualTo(checksum));
        structure.AsSpan(0, 4).Fill(0x5A);
        Assert.That(Checksum.OfStructure(structure), Is.EqualTo(checksum));
    }

    [Test]
    public void Thirty_two_zeros_do_not_check_as_zero() =>
        Assert.That(Checksum.Of(new byte[32]), Is.EqualTo(0x8A9136AAu));

    [Test]
    public void A_record_has_these_bytes()
    {
        byte[] target = new byte[64];
        Array.Fill(target, (byte)0xEE);
        uint checksum = RecordLayout.Write(target, 0x11223344, 5, 6, 7, 8, [0xA1, 0xA2, 0xA3]);
        string expected = Hex(BitConverter.GetBytes(checksum))
            + "03000000" + "44332211" + "05000000"
            + "0600000000000000" + "0700000000000000" + "0800000000000000" + "A1A2A30000000000";
        Assert.That(Hex(target.AsSpan(0, 48)), Is.EqualTo(expected));
        Assert.That(Hex(target.AsSpan(48)), Is.EqualTo(new string('E', 32)), "nothing is written behind it");
        Assert.That(checksum, Is.EqualTo(Checksum.OfStructure(target.AsSpan(0, 48))));
    }

    [Test]
    public void A_group_header_has_these_bytes()
    {
        byte[] target = new byte[64];
        new GroupHeader
        {
            Segment = 1, Offset = 2, FirstSequence = 3, RecordBytes = 4, RecordCount = 5, ZeroSectors = 6, PreviousChecksum = 7, LastChecksum = 8,
        }.Write(target);
        Assert.That(Hex(target.AsSpan(4)), Is.EqualTo(
            "4D454752" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "04000000" + "05000000" + "06000000" + "07000000"
            + "08000000" + "000000000000000000000000"));
    }

    [Test]
    public void A_segment_header_is_read_back_as_written()
    {
        var written = new SegmentHeader
        {
            FormatVersion = Format.Version, Segment = 12, FirstSequence = 34, EpochBefore = 5, TimestampBefore = 6, SegmentBytes = 1 << 20,
            LargestGroupBytes = 1 << 16, ChainStart = 0xCAFE, Identity = TestJournals.Identity with { Processor = new string('é', 39) },
        };
        byte[] target = new byte[512];
        IdentityFields.CheckTexts(written.Identity);
        written.Write(target);
        Assert.That(SegmentHeader.TryRead(target, out SegmentHeader read, out string reason), Is.True, reason);
        Assert.That(read, Is.EqualTo(written));
        Assert.That(Encoding.ASCII.GetString(target, 8, 8), Is.EqualTo("MEJOURNL"));
    }

    [Test]
    public void A_text_too_long_for_the_header_is_refused() =>
        Assert.That(() => IdentityFields.CheckTexts(TestJournals.Identity with { Processor = new string('é', 40) }), Throws.ArgumentException);

    [Test]
    public void A_journal_of_another_format_version_is_refused_not_called_damaged()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions("/journal"), TestJournals.Identity, disk))
            TestJournals.Append(writer, seed: 1, 1, 3, perCommit: 1);
        disk.Damage(disk.Paths.First(path => path.EndsWith(".segment", StringComparison.Ordinal)), bytes =>
        {
            bytes[4] = 2;
            BitConverter.GetBytes(Checksum.OfStructure(bytes.AsSpan(0, 512))).CopyTo(bytes, 0);
            return bytes;
        });
        Assert.That(() => Recovery.Examine(disk, "/journal"), Throws.TypeOf<JournalRefusedException>().With.Message.Contains("format 2"));
    }

    static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);
}
