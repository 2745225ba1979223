// Messages of other versions of the schema: what decides whether a field is there, and what an absent one reads as.

using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

[Parallelizable(ParallelScope.Self)]
internal sealed class VersionTests
{
    private const string Probe = """
        static string Absent(GrownDecoder d) => $"{d.First} {d.Second} {d.Third} {d.Maybe is null} {d.Real} {d.Level} {d.Marks} {d.Code.Length} {d.Blob.Length} {d.HasLate} {d.Late.Left} {d.Late.Level} {d.HasPair} {d.Pair.Right} {d.Trees.Count} {d.Octets.Length}";

        static byte[] Message(int version, int block, params byte[] rest) {
            var b = new byte[8 + block + rest.Length]; b[0] = (byte)block; b[2] = 1; b[4] = 77; b[6] = (byte)version; Array.Fill(b, (byte)7, 8, block); rest.CopyTo(b, 8 + block); return b;
        }
        // No rows, then an empty text: what every version has behind its block.
        static readonly byte[] Rest = [4, 0, 0, 0, 0, 0];

        public static string First() => GrownDecoder.TryWrap(Message(0, 4, Rest), out var d) ? Absent(d) + " " + d.EncodedLength + " " + d.ActingVersion : "refused";
        public static string Second() => GrownDecoder.TryWrap(Message(1, 6, Rest), out var d) ? d.Second + " " + d.Third : "refused";

        // A block that lacks what its version has is refused; one that is longer than its version knows has padding there, not fields.
        public static string Lies() {
            string result = "";
            foreach (var (version, block) in new[] { (0, 3), (1, 4), (1, 5), (1, 6), (2, 6), (2, 25), (2, 26), (3, 26) })
                result += $"{version}/{block} {(GrownDecoder.TryWrap(Message(version, block, [4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0]), out _, out var error) ? "taken" : error)}, ";
            GrownDecoder.TryWrap(Message(0, 40, Rest), out var padded);
            return result + Absent(padded);
        }
        public static string Groups() {
            byte[] rows = [2, 0, 2, 0, 1, 0, 2, 0, 0, 0];
            if (!GrownDecoder.TryWrap(Message(0, 4, rows), out var d)) return "refused";
            string result = ""; foreach (var row in d.Rows) result += row.A + "/" + row.B + " ";
            byte[] longer = [6, 0, 1, 0, 1, 0, 2, 0, 9, 9, 4, 0, 0, 0, 0, 0];
            if (!GrownDecoder.TryWrap(Message(2, 26, longer), out d)) return "refused longer";
            foreach (var row in d.Rows) result += row.A + "/" + row.B + " ";
            byte[] shorter = [2, 0, 1, 0, 1, 0, 4, 0, 0, 0, 0, 0];
            GrownDecoder.TryWrap(Message(2, 26, shorter), out d, out var error, out var field);
            return result + error + " " + field;
        }
        public static string Members() {
            byte[] old = [3, 0, 2, 0, 77, 0, 2, 0, 5, 1, 0], now = [5, 0, 2, 0, 77, 0, 3, 0, 5, 1, 0, 2, 0];
            return $"{(TailDecoder.TryWrap(old, out var d) ? d.Pair.Left + " " + d.Pair.Right : "refused")} {(TailDecoder.TryWrap(now, out d) ? d.Pair.Left + " " + d.Pair.Right : "refused")}";
        }
        public static string Newer() {
            var b = new byte[300]; var e = GrownEncoder.Wrap(b); e.First = 3; e.SetText("hello"); int length = e.EncodedLength; b[6] = 9;
            bool known = GrownDecoder.TryWrap(b.AsSpan(0, length), out var d); var with = Schema.Validate(b.AsSpan(0, length + 20), out _); b[6] = 4; var without = Schema.Validate(b.AsSpan(0, length + 20), out _);
            return $"{known} {d.First} {d.TextString()} {with} {without}";
        }
        """;

    private Compiled _compiled = null!;

    [OneTimeSetUp]
    public void Compile() => _compiled = Compiled.Of(Schemas.Versioned, Probe);

    [Test]
    public void What_the_first_version_does_not_have_reads_as_null_or_empty() => Assert.That(
        _compiled.Call("First"), Is.EqualTo("117901063 65535 4294967295 True NaN NullValue None 0 0 False -32768 NullValue False -32768 0 0 18 0"));

    [Test]
    public void What_the_second_version_has_is_there() => Assert.That(_compiled.Call("Second"), Is.EqualTo("1799 4294967295"));

    [Test]
    public void Version_and_block_length_must_agree() => Assert.That(
        _compiled.Call("Lies"),
        Is.EqualTo("0/3 BlockTooShort, 1/4 BlockTooShort, 1/5 BlockTooShort, 1/6 taken, 2/6 BlockTooShort, 2/25 BlockTooShort, 2/26 taken, 3/26 BlockTooShort, "
            + "117901063 65535 4294967295 True NaN NullValue None 0 0 False -32768 NullValue False -32768 0 0"));

    [Test]
    public void Entries_step_by_the_block_length_on_the_wire() =>
        Assert.That(_compiled.Call("Groups"), Is.EqualTo("1/65535 2/65535 1/2 BlockTooShort 20"));

    [Test]
    public void A_composite_may_have_grown() => Assert.That(_compiled.Call("Members"), Is.EqualTo("1 -32768 1 2"));

    [Test]
    public void What_a_newer_version_adds_is_skipped() => Assert.That(_compiled.Call("Newer"), Is.EqualTo("True 3 hello None TrailingOctets"));
}
