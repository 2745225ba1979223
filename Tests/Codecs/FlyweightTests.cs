// The generated interface as its users meet it: what setters, views, claims and refusals do.

using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

internal sealed class FlyweightTests
{
    private Compiled _compiled = null!;

    private const string Probe = """
        static byte[] Dirty(int length) { var b = new byte[length]; Array.Fill(b, (byte)0xEE); return b; }
        static string Hex(byte[] b, int length) => Convert.ToHexString(b, 0, length);
        static string Thrown(Action action) { try { action(); return "nothing"; } catch (Exception e) { return e.GetType().Name; } }

        public static string FreshScalars() {
            var b = Dirty(200); var e = ScalarsEncoder.Wrap(b); ScalarsDecoder.TryWrap(b, out var d);
            return $"{d.I64} {d.U8} {d.Oi64 is null} {d.Ou64 is null} {d.Oc is null} {d.Of32 is null} {d.Of64 is null} {d.Odd is null} {d.Minus is null} {e.EncodedLength} {d.EncodedLength}";
        }
        public static string Optional() {
            var b = Dirty(200); var e = ScalarsEncoder.Wrap(b); ScalarsDecoder.TryWrap(b, out var d);
            e.Oi64 = 5; e.Of64 = 0.5; e.Odd = -1; string set = $"{d.Oi64} {d.Of64} {d.Odd}";
            e.Oi64 = null; e.Of64 = null; e.Odd = null; return $"{set} {d.Oi64 is null} {d.Of64 is null} {d.Odd is null} {ScalarsDecoder.Oi64NullValue} {ScalarsDecoder.OddNullValue} {ScalarsDecoder.Of64NullValue}";
        }
        public static string Text() {
            var b = Dirty(250); var e = ShapesEncoder.Wrap(b); ShapesDecoder.TryWrap(b, out var d);
            e.SetCode("ABCDEF"); string full = d.CodeString(); e.SetCode("AB"); e.SetLabel("zoé€");
            return $"{full} {d.CodeString()} {d.Code.Length} {Hex(b, 18).Substring(24)} {d.LabelString()} {Thrown(() => ShapesEncoder.Wrap(b).SetCode("ABCDEFG"))} {Thrown(() => ShapesEncoder.Wrap(b).SetCode("é"))} {Thrown(() => ShapesEncoder.Wrap(b).SetLabel("€€€€"))} {Thrown(() => ShapesEncoder.Wrap(b).SetShorts(new short[4]))}";
        }
        public static string Composites() {
            var b = Dirty(250); var e = ShapesEncoder.Wrap(b); ShapesDecoder.TryWrap(b, out var d);
            bool before = d.HasMaybe; e.SetMaybe(7, -2); e.SetMoney(-5); e.SetEngine(1600, Boost.On, Extras.Cruise | Extras.Sun); var engine = e.Engine; engine.SetMaker("VW"u8); engine.SetPrice(99);
            var inner = engine.Inner; inner.X = 1.5f;
            return $"{before} {d.HasMaybe} {d.Maybe.Mantissa} {d.Maybe.Exponent} {d.Money.Mantissa} {MoneyDecoder.Exponent} {d.Engine.Capacity} {d.Engine.Boost} {d.Engine.Extras} {d.Engine.MakerString()} {d.Engine.Price.Mantissa} {d.Engine.Inner.X} {d.Engine.Inner.Y is null} {EngineDecoder.FuelString()} {EngineDecoder.Rpm} {ShapesDecoder.FixedLetter} {ShapesDecoder.Huge} {d.MaybeLetter} {(int)d.MaybeNamed}";
        }
        public static string Arrays() {
            var b = Dirty(250); var e = ShapesEncoder.Wrap(b); ShapesDecoder.TryWrap(b, out var d);
            e.SetShorts([1, -2]); e.SetReals([0.5, 2]); e.SetOctets([1, 2, 3, 4]);
            return $"{d.ShortsAt(0)} {d.ShortsAt(1)} {d.ShortsAt(2)} {ShapesDecoder.ShortsLength} {d.RealsAt(1)} {d.Octets[3]} {Thrown(() => { ShapesDecoder.TryWrap(b, out var x); x.ShortsAt(3); })} {Thrown(() => { ShapesDecoder.TryWrap(b, out var x); x.ShortsAt(-1); })}";
        }
        public static string Rereading() {
            var b = Dirty(500); var e = TreeEncoder.Wrap(b); var flat = e.FlatCount(2); flat[0].SetPrice(1); var f1 = flat[1]; f1.X = 9;
            var branches = e.BranchesCount(2); var one = branches.Next(); one.Weight = 1; var twigs = one.TwigsCount(1); var twig = twigs.Next(); twig.SetNote("n"); one.SetTitle("t1"); var two = branches.Next(); two.SetTitle("t2"); e.SetText("end");
            TreeDecoder.TryWrap(b, out var d); string first = Describe(d); return $"{first == Describe(d)} {first} {d.Flat[1].X} {Thrown(() => { TreeDecoder.TryWrap(b, out var x); _ = x.Flat[2].X; })}";
        }
        static string Describe(TreeDecoder d) {
            string s = $"{d.TextString()} {d.Branches.Count} ";
            foreach (var branch in d.Branches) { s += $"[{branch.TitleString()} {branch.Weight} "; foreach (var twig in branch.Twigs) s += twig.NoteString(); s += "]"; }
            foreach (var branch in d.Branches) s += branch.TitleString();
            return s + d.TextString();
        }
        public static string Order() {
            var b = new byte[1000];
            string late = Thrown(() => { var e = TreeEncoder.Wrap(b); e.SetText("x"); e.TailCount(1); });
            string twice = Thrown(() => { var e = TreeEncoder.Wrap(b); e.FlatCount(1); e.FlatCount(2); });
            string back = Thrown(() => { var e = TreeEncoder.Wrap(b); e.TailCount(1); e.FlatCount(1); });
            string nested = Thrown(() => { var e = TreeEncoder.Wrap(b); var g = e.BranchesCount(2); var one = g.Next(); g.Next(); one.SetTitle("late"); });
            string behind = Thrown(() => { var e = TreeEncoder.Wrap(b); var g = e.BranchesCount(2); g.Next(); e.SetText("x"); g.Next(); });
            string many = Thrown(() => { var e = TreeEncoder.Wrap(b); var g = e.BranchesCount(1); g.Next(); g.Next(); });
            string deep = Thrown(() => { var e = TreeEncoder.Wrap(b); var g = e.BranchesCount(2); var one = g.Next(); var t = one.TwigsCount(2); t.Next(); g.Next(); t.Next(); });
            string data = Thrown(() => { var e = TreeEncoder.Wrap(b); e.SetText("a"); e.SetText("b"); });
            string fine = Thrown(() => { var e = TreeEncoder.Wrap(b); e.FlatCount(0); var g = e.BranchesCount(2); var one = g.Next(); var t = one.TwigsCount(2); var tw = t.Next(); tw.BudsCount(3); tw.SetNote("x"); t.Next(); one.ThornsCount(1); one.SetBlob("b"u8); g.Next(); e.TailCount(1); e.SetRaw("z"u8); });
            return $"{late} {twice} {back} {nested} {behind} {many} {deep} {data} {fine}";
        }
        public static string Limits() {
            var b = new byte[1000];
            return $"{Thrown(() => ScalarsEncoder.Wrap(new byte[10]))} {Thrown(() => TreeEncoder.Wrap(b).FlatCount(-1))} {Thrown(() => TreeEncoder.Wrap(b).FlatCount(255))} {Thrown(() => TreeEncoder.Wrap(b).BranchesCount(501))} {Thrown(() => TreeEncoder.Wrap(b).FlatCount(200))} {Thrown(() => OnlyDataEncoder.Wrap(b).SetText(new string('x', 255)))} {Thrown(() => OnlyDataEncoder.Wrap(b).SetText("é"))}";
        }
        public static string Wrong() {
            var b = new byte[300]; ScalarsEncoder.Wrap(b); string result = "";
            result += ShapesDecoder.TryWrap(b, out _, out SbeError error) + " " + error + " ";
            b[4] ^= 1; result += ScalarsDecoder.TryWrap(b, out _, out error) + " " + error + " "; b[4] ^= 1;
            result += ScalarsDecoder.TryWrap(b.AsSpan(0, 11), out _, out error) + " " + error + " ";
            result += ScalarsDecoder.TryWrap(b.AsSpan(0, 50), out _, out error) + " " + error + " ";
            b[0]--; result += ScalarsDecoder.TryWrap(b, out _, out error) + " " + error + " "; b[0] += 2;
            result += ScalarsDecoder.TryWrap(b, out var longer, out error) + " " + error + " " + longer.ActingBlockLength + " ";
            return result + Schema.NameOf(1) + " " + Schema.NameOf(99) + " " + Schema.FieldNameOf(3, 31) + " " + Schema.FieldNameOf(3, 9999) + " " + ScalarsDecoder.FieldIds.Oi64 + " " + TreeDecoder.BranchesDecoder.Entry.FieldIds.Title;
        }
        public static string Values() {
            var b = new byte[300]; var e = ScalarsEncoder.Wrap(b); e.C = (byte)'x'; string result = "";
            string Check() => Schema.Validate(b.AsSpan(0, 12 + ScalarsDecoder.BlockLength), out ushort field) + ":" + field + " ";
            result += Check(); e.I64 = long.MinValue; result += Check(); e.I64 = 0; e.Ticks = -6; result += Check(); e.Ticks = 1001; result += Check(); e.Ticks = 1000;
            e.F64 = double.NaN; result += Check(); e.F64 = 0; e.C = 0; result += Check(); e.C = 0x1F; result += Check(); e.C = 0x7F; result += Check();
            var s = ShapesEncoder.Wrap(b); s.Letter = Letter.A; s.Named = Named.One;
            string CheckShape() => Schema.Validate(b.AsSpan(0, 12 + ShapesDecoder.BlockLength), out ushort field) + ":" + field + " ";
            result += CheckShape(); s.Letter = (Letter)'Z'; result += CheckShape(); s.Letter = Letter.NullValue; result += CheckShape(); s.Letter = Letter.B;
            s.B8 = (Bits8)2; result += CheckShape(); s.B8 = Bits8.High; s.SetCode("a\tb"u8); result += CheckShape(); s.SetCode("a"u8); s.SetMaybe(1, 1); result += CheckShape();
            return result;
        }
        public static string Allocated() {
            var b = new byte[1000]; var note = "note"u8.ToArray(); long sum = 0; long before = 0;
            for (int round = 0; round < 300; round++) {
                if (round == 100) before = GC.GetAllocatedBytesForCurrentThread();
                var e = TreeEncoder.Wrap(b); e.Number = 5; var flat = e.FlatCount(3); flat[1].SetPrice(4); var g = e.BranchesCount(2); var one = g.Next(); one.Weight = 2; var t = one.TwigsCount(1); var tw = t.Next(); tw.SetNote(note); one.SetTitle("title"); g.Next(); e.SetText("text");
                if (!TreeDecoder.TryWrap(b, out var d)) return "refused";
                foreach (var x in d.Flat) sum += x.Price.Mantissa;
                foreach (var x in d.Branches) { sum += x.Weight + x.Title.Length; foreach (var y in x.Twigs) sum += y.Note.Length; }
                if (Schema.Validate(b.AsSpan(0, d.EncodedLength)) != SbeError.None) return "invalid";
                var s = ScalarsEncoder.Wrap(b); s.Oi64 = null; s.Of64 = 1; if (ScalarsDecoder.TryWrap(b, out var sd)) sum += sd.Oi64 ?? 1;
            }
            return (GC.GetAllocatedBytesForCurrentThread() - before) + " " + sum;
        }
        """;

    [OneTimeSetUp]
    public void Compile() => _compiled = Compiled.Of(Schemas.Everything(bigEndian: false), Probe);

    [Test]
    public void A_fresh_message_is_zero_and_its_optional_fields_are_null() =>
        Assert.That(_compiled.Call("FreshScalars"), Is.EqualTo("0 0 True True True True True True True 110 110"));

    [Test]
    public void Optional_fields_are_nullable_both_ways() =>
        Assert.That(_compiled.Call("Optional"), Is.EqualTo("5 0.5 -1 True True True -9223372036854775808 2147483647 NaN"));

    [Test]
    public void Text_is_padded_with_zeros_and_ends_at_the_first() =>
        Assert.That(_compiled.Call("Text"), Is.EqualTo("ABCDEF AB 2 414200000000 zoé€ ArgumentException ArgumentException ArgumentException ArgumentException"));

    [Test]
    public void Composites_are_views_with_setters_for_all_their_values() =>
        Assert.That(_compiled.Call("Composites"), Is.EqualTo("False True 7 -2 -5 -6 1600 On Sun, Cruise VW 99 1.5 True Petrol 9000 B 18446744073709551614 NullValue 9999"));

    [Test]
    public void Arrays_are_zero_behind_what_was_set_and_their_index_is_checked() =>
        Assert.That(_compiled.Call("Arrays"), Is.EqualTo("1 -2 0 3 2 4 IndexOutOfRangeException IndexOutOfRangeException"));

    [Test]
    public void Reading_twice_gives_the_same() =>
        Assert.That(_compiled.Call("Rereading"), Is.EqualTo("True end 2 [t1 1 n][t2 0 ]t1t2end 9 IndexOutOfRangeException"));

    [Test]
    public void What_is_claimed_out_of_order_is_refused() => Assert.That(
        _compiled.Call("Order"),
        Is.EqualTo(string.Concat(Enumerable.Repeat("InvalidOperationException ", 8)) + "nothing"));

    [Test]
    public void Counts_lengths_and_room_are_checked() => Assert.That(
        _compiled.Call("Limits"),
        Is.EqualTo("ArgumentException ArgumentOutOfRangeException ArgumentOutOfRangeException ArgumentOutOfRangeException ArgumentException ArgumentException ArgumentException"));

    [Test]
    public void A_message_that_is_not_whole_is_refused_with_the_reason() => Assert.That(
        _compiled.Call("Wrong"),
        Is.EqualTo("False WrongTemplate False WrongSchema False TooShort False TooShort False BlockTooShort True None 99 Scalars unknown branches.twigs.leaf unknown 25 52"));

    [Test]
    public void Validation_names_the_field_and_what_is_wrong_with_it() => Assert.That(
        _compiled.Call("Values").Trim(),
        Is.EqualTo("None:0 NullInRequired:5 BelowMinimum:34 AboveMaximum:34 NullInRequired:11 NullInRequired:1 BelowMinimum:1 AboveMaximum:1 "
            + "None:0 UnknownEnumValue:7 NullInRequired:7 UnknownChoice:11 InvalidText:1 AboveMaximum:19"));

    [Test]
    public void Encoding_decoding_and_validating_allocate_nothing() =>
        Assert.That(_compiled.Call("Allocated"), Does.StartWith("0 "));
}
