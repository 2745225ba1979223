// Mistakes in a schema become compiler errors with the rule's number and the place of the element or attribute.

using Microsoft.CodeAnalysis;
using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

[Parallelizable(ParallelScope.Self)]
internal sealed class DiagnosticTests
{
    // "§" marks the place that the diagnostic must point at.
    private static readonly TestCaseData[] Mistakes =
    [
        Case("SBE001", "<sbe:message name='A' id='1'></§sbe:massage>"),
        Case("SBE002", "<sbe:message name='A' id='1'><§field name='x' type='int32'/></sbe:message>"),
        Case("SBE002", "<sbe:message name='A' id='1'><§field id='1' type='int32'/></sbe:message>"),
        Case("SBE003", "<sbe:message name='A' id='1'><field name='x' §id='70000' type='int32'/></sbe:message>"),
        Case("SBE003", "<sbe:message name='A' id='1'><field name='x' id='1' type='int32' §presence='maybe'/></sbe:message>"),
        Case("SBE003", "<sbe:message name='A' id='1'><field name='x' id='1' type='int32' §alignment='8'/></sbe:message>"),
        Case("SBE004", "<sbe:message name='A' id='1'><field §name='x y' id='1' type='int32'/></sbe:message>"),
        Case("SBE004", "<sbe:message §name='1st' id='1'/>"),
        Case("SBE005", "<types><type name='T' primitiveType='int8'/><§type name='T' primitiveType='int8'/></types>"),
        Case("SBE005", "<sbe:message name='A' id='1'/><§sbe:message name='A' id='2'/>"),
        Case("SBE005", "<sbe:message name='A' id='1'><field name='x' id='1' type='int32'/><§field name='x' id='2' type='int32'/></sbe:message>"),
        Case("SBE005", "<types><enum name='E' encodingType='uint8'><validValue name='a'>1</validValue><§validValue name='a'>2</validValue></enum></types>"),
        Case("SBE005", "<types><composite name='C'><type name='a' primitiveType='int8'/><§type name='a' primitiveType='int8'/></composite></types>"),
        Case("SBE006", "<sbe:message name='A' id='1'/><§sbe:message name='B' id='1'/>"),
        Case("SBE006", "<sbe:message name='A' id='1'><field name='x' id='1' type='int32'/><§field name='y' id='1' type='int32'/></sbe:message>"),
        Case("SBE007", "<sbe:message name='A' id='1'><field name='x' id='1' §type='Nothing'/></sbe:message>"),
        Case("SBE007", "<types><composite name='C'><ref name='a' §type='Nothing'/></composite></types>"),
        Case("SBE008", "<types><composite name='C'><ref name='d' type='D'/></composite><composite name='D'><ref name='c' §type='C'/></composite></types>"),
        Case("SBE009", "<types><type name='T' §primitiveType='int24'/></types>"),
        Case("SBE010", "<types><type name='T' primitiveType='uint16' presence='optional' §nullValue='65536'/></types>"),
        Case("SBE010", "<types><type name='T' primitiveType='uint8' §minValue='-1'/></types>"),
        Case("SBE010", "<types><§type name='T' primitiveType='int8' minValue='5' maxValue='4'/></types>"),
        Case("SBE010", "<types><§type name='T' primitiveType='uint8' presence='constant'>256</type></types>"),
        Case("SBE010", "<types><enum name='E' encodingType='uint8'><§validValue name='a'>300</validValue></enum></types>"),
        Case("SBE010", "<types><type name='T' primitiveType='uint8' maxValue='9'/><enum name='E' encodingType='T'><§validValue name='a'>10</validValue></enum></types>"),
        Case("SBE010", "<types><§type name='T' primitiveType='char' length='3' presence='constant'>ABCD</type></types>"),
        Case("SBE011", "<types><§type name='T' primitiveType='uint8' presence='constant'/></types>"),
        Case("SBE011", "<types><enum name='E' encodingType='uint8'><validValue name='a'>1</validValue></enum></types><sbe:message name='A' id='1'><§field name='x' id='1' type='E' presence='constant'/></sbe:message>"),
        Case("SBE011", "<types><enum name='E' encodingType='uint8'><validValue name='a'>1</validValue></enum></types><sbe:message name='A' id='1'><field name='x' id='1' type='E' presence='constant' §valueRef='E.b'/></sbe:message>"),
        Case("SBE011", "<sbe:message name='A' id='1'><field name='x' id='1' type='uint8' presence='constant' §valueRef='nodot'/></sbe:message>"),
        Case("SBE012", "<types><enum name='E' §encodingType='double'><validValue name='a'>1</validValue></enum></types>"),
        Case("SBE012", "<types><set name='S' §encodingType='int8'><choice name='a'>1</choice></set></types>"),
        Case("SBE012", "<types><set name='S' encodingType='uint8'><§choice name='a'>8</choice></set></types>"),
        Case("SBE012", "<types><set name='S' encodingType='uint8'><choice name='a'>1</choice><§choice name='b'>1</choice></set></types>"),
        Case("SBE012", "<types><enum name='E' encodingType='uint8'><validValue name='a'>1</validValue><§validValue name='b'>1</validValue></enum></types>"),
        Case("SBE013", "<sbe:message name='A' id='1'><field name='x' id='1' type='int32'/><field name='y' id='2' type='int32' §offset='3'/></sbe:message>"),
        Case("SBE013", "<types><composite name='C'><type name='a' primitiveType='int32'/><type name='b' primitiveType='int8' §offset='2'/></composite></types>"),
        Case("SBE014", "<sbe:message name='A' id='1' §blockLength='3'><field name='x' id='1' type='int32'/></sbe:message>"),
        Case("SBE014", "<sbe:message name='A' id='1'><group name='g' id='2' §blockLength='0'><field name='x' id='1' type='int32'/></group></sbe:message>"),
        Case("SBE015", "<§sbe:message name='A' id='65536'/>"),
        Case("SBE016", "<sbe:message name='A' id='1'><§group name='g' id='2' dimensionType='uint8'/></sbe:message>"),
        Case("SBE016", "<types><§composite name='D'><type name='blockLength' primitiveType='uint16'/></composite></types><sbe:message name='A' id='1'><group name='g' id='2' dimensionType='D'/></sbe:message>"),
        Case("SBE016", "<types><§composite name='D'><type name='blockLength' primitiveType='uint16'/><type name='numInGroup' primitiveType='float'/></composite></types><sbe:message name='A' id='1'><group name='g' id='2' dimensionType='D'/></sbe:message>"),
        Case("SBE017", "<types><§composite name='D'><type name='size' primitiveType='uint8'/></composite></types><sbe:message name='A' id='1'><data name='d' id='2' type='D'/></sbe:message>"),
        Case("SBE017", "<types><composite name='D'><type name='length' primitiveType='uint8'/></composite></types><sbe:message name='A' id='1'><§data name='d' id='2' type='D'/></sbe:message>"),
        Case("SBE017", "<types><type name='V' primitiveType='uint8' length='0'/></types><sbe:message name='A' id='1'><§field name='d' id='2' type='V'/></sbe:message>"),
        Case("SBE018", "<sbe:message name='A' id='1'><group name='g' id='2'/><§field name='x' id='1' type='int32'/></sbe:message>"),
        Case("SBE018", "<sbe:message name='A' id='1'><data name='d' id='2' type='textEncoding'/><§group name='g' id='3'/></sbe:message>"),
        Case("SBE019", "<sbe:message name='A' id='1'><field name='x' id='1' type='int32' §sinceVersion='1'/></sbe:message>"),
        Case("SBE020", "<sbe:message name='A' id='1'><§type name='x' primitiveType='int8'/></sbe:message>"),
        Case("SBE020", "<types><composite name='C'><§group name='g' id='1'/></composite></types>"),
        Case("SBE020", "<types><§choice name='x'>1</choice></types>"),
        Case("SBE021", "<§xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='nowhere.xml'/>"),
        Case("SBE023", "<types><§composite name='C'/></types>"),
        Case("SBE023", "<types><§enum name='E' encodingType='uint8'/></types>"),
    ];

    private static TestCaseData Case(string rule, string body) =>
        new TestCaseData(rule, body).SetArgDisplayNames(rule, body.Length > 90 ? body[..90] : body);

    [TestCaseSource(nameof(Mistakes))]
    public void A_mistake_is_reported_once_with_its_place(string rule, string body)
    {
        string marked = Schemas.Of(Schemas.Usual + body);
        int at = marked.IndexOf('§', StringComparison.Ordinal);
        string schema = marked.Remove(at, 1);
        string[] before = marked[..at].Split('\n');

        (Compilation _, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("/there/schema.xml", schema));

        Assert.That(reported, Has.Count.EqualTo(1), () => string.Join("\n", reported));
        FileLinePositionSpan place = reported[0].Location.GetLineSpan();
        Assert.That(
            (reported[0].Id, reported[0].Severity, place.Path, place.StartLinePosition.Line, place.StartLinePosition.Character),
            Is.EqualTo((rule, DiagnosticSeverity.Error, "/there/schema.xml", before.Length - 1, before[^1].Length)),
            reported[0].GetMessage());
    }

    [Test]
    public void Several_mistakes_are_reported_together_and_no_code_is_made()
    {
        string schema = Schemas.Of(Schemas.Usual + """
            <types><type name='T' primitiveType='int24'/></types>
            <sbe:message name='A' id='1'>
              <field name='x' id='1' type='Nothing'/>
              <field name='y' id='2' type='T'/>
              <field name='z' id='2' type='int32'/>
            </sbe:message>
            """);
        (Compilation compilation, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", schema));
        Assert.That(reported.Select(d => d.Id), Is.EqualTo(new[] { "SBE009", "SBE007", "SBE006" }), () => string.Join("\n", reported));
        Assert.That(compilation.SyntaxTrees.Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_mistake_in_an_included_file_is_reported_there()
    {
        string schema = Schemas.Of("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='parts/types.xml'/>" + Schemas.Usual);
        var parts = new SchemaText("/there/parts/types.xml", "<types>\n  <type name='T' primitiveType='int24'/>\n</types>", isSchema: false);
        (Compilation _, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("/there/schema.xml", schema), parts);
        FileLinePositionSpan place = reported.Single().Location.GetLineSpan();
        Assert.That((place.Path, place.StartLinePosition.Line, place.StartLinePosition.Character), Is.EqualTo(("/there/parts/types.xml", 1, 17)));
    }

    [Test]
    public void A_schema_without_a_header_is_refused()
    {
        (Compilation _, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", Schemas.Of("<sbe:message name='A' id='1'/>")));
        Assert.That(reported.Single().GetMessage(), Is.EqualTo("there is no type 'messageHeader'"));
    }

    [Test]
    public void Two_schemas_of_one_package_need_a_namespace_of_their_own()
    {
        string one = Schemas.Of(Schemas.Usual + "<sbe:message name='A' id='1'/>");
        (Compilation _, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("one.xml", one), new SchemaText("two.xml", one));
        Assert.That(reported.Single().Id, Is.EqualTo("SBE022"));
        (Compilation both, reported) = Compiled.Run("", new SchemaText("one.xml", one), new SchemaText("two.xml", one, nameSpace: "Second.Version"));
        Assert.That(reported, Is.Empty);
        Assert.That(both.GetDiagnostics(), Is.Empty);
        Assert.That(both.GetTypeByMetadataName("Second.Version.ADecoder"), Is.Not.Null);
        Assert.That(both.GetTypeByMetadataName("Feature.ADecoder"), Is.Not.Null);
    }

    [Test]
    public void A_header_spelt_with_other_capitals_is_taken_with_a_warning()
    {
        string schema = Schemas.Of((Schemas.Usual + "<sbe:message name='A' id='1'/>").Replace("messageHeader", "MessageHeader", StringComparison.Ordinal));
        (Compilation compilation, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", schema));
        Assert.That(reported.Single().Severity, Is.EqualTo(DiagnosticSeverity.Warning));
        Assert.That(compilation.GetTypeByMetadataName("Feature.ADecoder"), Is.Not.Null);
    }

    [TestCase("")]
    [TestCase("<")]
    [TestCase("<a/>")]
    [TestCase("<messageSchema/>")]
    [TestCase("<messageSchema id='x'/>")]
    [TestCase("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><messageSchema id='1' package='&b;'/>")]
    public void Rubbish_is_reported_and_never_thrown(string text)
    {
        (Compilation _, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", text));
        Assert.That(reported, Is.Not.Empty);
        Assert.That(reported.Select(d => d.Id), Has.None.EqualTo("SBE099"), () => string.Join("\n", reported));
    }

    // Whatever a schema is damaged to, the generator answers with diagnostics or with code that compiles.
    [Test]
    public void A_damaged_schema_never_makes_the_generator_fail()
    {
        string whole = Schemas.Everything(bigEndian: false);
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            string damaged = whole;
            for (int cuts = random.Next(1, 4); cuts > 0; cuts--)
            {
                int quote = damaged.IndexOf('"', random.Next(300, damaged.Length - 10));
                int end = damaged.IndexOf('"', quote + 1);
                if (quote < 0 || end < 0)
                    continue;
                string[] values = ["", "0", "-1", "99999999999999999999", "constant", "optional", "char", "Engine", "Engine.x", "uint8", "é", "x y"];
                damaged = damaged[..(quote + 1)] + values[random.Next(values.Length)] + damaged[end..];
            }

            (Compilation compilation, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", damaged));
            Assert.That(reported.Select(d => d.Id), Has.None.EqualTo("SBE099"), () => $"seed {seed}: {string.Join("\n", reported)}");
            if (reported.Count == 0)
                Assert.That(compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error), Is.Empty, $"seed {seed}\n{damaged}");
        }
    }
}
