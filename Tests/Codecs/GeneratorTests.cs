// The generator within the compiler: caching, includes, names that would collide.

using System.Collections.Immutable;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

[Parallelizable(ParallelScope.Self)]
internal sealed class GeneratorTests
{
    private static readonly string Small = Schemas.Of(Schemas.Usual + "<sbe:message name='A' id='1'><field name='x' id='1' type='int32'/></sbe:message>");

    [Test]
    public void An_edit_of_the_code_does_not_read_the_schema_again()
    {
        GeneratorDriver driver = Compiled.Driver(new SchemaText("schema.xml", Small));
        CSharpCompilation first = Compiled.Empty("class A { }");
        driver = driver.RunGenerators(first);
        driver = driver.RunGenerators(first.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class B { }", Compiled.Parse)));
        Assert.That(Reasons(driver), Is.All.EqualTo(IncrementalStepRunReason.Cached));
    }

    [Test]
    public void The_same_text_in_a_new_file_object_makes_no_new_output()
    {
        var before = new SchemaText("schema.xml", Small);
        GeneratorDriver driver = Compiled.Driver(before).RunGenerators(Compiled.Empty(""));
        driver = driver.ReplaceAdditionalText(before, new SchemaText("schema.xml", Small)).RunGenerators(Compiled.Empty(""));
        Assert.That(Reasons(driver), Is.All.EqualTo(IncrementalStepRunReason.Cached));
    }

    [Test]
    public void A_comment_in_the_schema_makes_no_new_output()
    {
        var before = new SchemaText("schema.xml", Small);
        GeneratorDriver driver = Compiled.Driver(before).RunGenerators(Compiled.Empty(""));
        var after = new SchemaText("schema.xml", Small + "<!-- a remark -->");
        driver = driver.ReplaceAdditionalText(before, after).RunGenerators(Compiled.Empty(""));
        Assert.That(Reasons(driver), Is.All.EqualTo(IncrementalStepRunReason.Unchanged));
    }

    [Test]
    public void A_new_field_makes_new_output()
    {
        var before = new SchemaText("schema.xml", Small);
        GeneratorDriver driver = Compiled.Driver(before).RunGenerators(Compiled.Empty(""));
        var after = new SchemaText("schema.xml", Small.Replace("'x'", "'newName'", StringComparison.Ordinal));
        driver = driver.ReplaceAdditionalText(before, after).RunGenerators(Compiled.Empty(""));
        Assert.That(Reasons(driver), Is.All.EqualTo(IncrementalStepRunReason.Modified));
        Assert.That(driver.GetRunResult().GeneratedTrees.Any(t => t.ToString().Contains("NewName", StringComparison.Ordinal)), Is.True);
    }

    private static ImmutableArray<IncrementalStepRunReason> Reasons(GeneratorDriver driver) =>
        [.. driver.GetRunResult().Results[0].TrackedSteps[SbeGenerator.SbeGenerator.Step].SelectMany(s => s.Outputs).Select(o => o.Reason)];

    [Test]
    public void A_change_of_an_included_file_makes_new_output()
    {
        string schema = Schemas.Of("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='../types.xml'/><sbe:message name='A' id='1'><field name='x' id='1' type='T'/></sbe:message>" + Schemas.Usual);
        var before = new SchemaText("/there/types.xml", "<types><type name='T' primitiveType='int16'/></types>", isSchema: false);
        GeneratorDriver driver = Compiled.Driver(new SchemaText("/there/sub/schema.xml", schema), before).RunGenerators(Compiled.Empty(""));
        Assert.That(Text(driver), Does.Contain("public short X "));
        driver = driver.ReplaceAdditionalText(before, new SchemaText("/there/types.xml", "<types><type name='T' primitiveType='int64'/></types>", isSchema: false));
        Assert.That(Text(driver.RunGenerators(Compiled.Empty(""))), Does.Contain("public long X "));
    }

    [Test]
    public void A_file_beside_the_schema_is_included_although_the_project_does_not_list_it()
    {
        string folder = Directory.CreateTempSubdirectory("sbe").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "types.xml"), "<types><type name='T' primitiveType='uint16'/></types>");
            string schema = Schemas.Of("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='types.xml'/><sbe:message name='A' id='1'><field name='x' id='1' type='T'/></sbe:message>" + Schemas.Usual);
            GeneratorDriver driver = Compiled.Driver(new SchemaText(Path.Combine(folder, "schema.xml"), schema));
            Assert.That(Text(driver.RunGenerators(Compiled.Empty(""))), Does.Contain("public ushort X "));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Text(GeneratorDriver driver)
    {
        GeneratorDriverRunResult result = driver.GetRunResult();
        Assert.That(result.Diagnostics, Is.Empty);
        return string.Concat(result.GeneratedTrees.Select(t => t.ToString()));
    }

    [Test]
    public void The_same_schema_always_gives_the_same_text() =>
        Assert.That(
            Text(Compiled.Driver(new SchemaText("schema.xml", Schemas.Product)).RunGenerators(Compiled.Empty(""))),
            Is.EqualTo(Text(Compiled.Driver(new SchemaText("schema.xml", Schemas.Product)).RunGenerators(Compiled.Empty("")))));

    // Keywords, members every flyweight has, names of the framework, names that differ in case only, names that others are derived from.
    private static readonly string[] Awkward =
    [
        "class", "yield", "false", "string", "int", "_", "__", "_at", "value", "span", "Size", "Count", "TemplateId", "blockLength", "headerLength", "encodedLength",
        "actingVersion", "tryWrap", "wrap", "toString", "equals", "getHashCode", "getType", "memberwiseClone", "finalize", "referenceEquals",
        "fieldIds", "Schema", "SbeWire", "SbeError", "System", "Span", "Unsafe", "Math", "Text", "Encoding", "Awkward", "awkwardDecoder",
        "AwkwardDecoder", "entry", "x", "X", "hasX", "setX", "xString", "xAt", "xLength", "xNullValue", "blank", "blankLength", "locate", "isLast",
        "global", "Feature", "tail0", "_tail0", "part0", "__part0", "legs", "legsCount", "legsDecoder", "legsEncoder",
    ];

    // Of every kind of type one message whose fields have these names, then groups, var data, values, choices, types and members.
    [Test]
    public void Awkward_names_compile()
    {
        string[] kinds = ["int32", "uint16' presence='optional", "Texts", "Numbers", "Kind", "Marks", "Pair", "Pair' presence='optional"];
        string Fields(string type) => string.Concat(Awkward.Take(type.StartsWith("Pair", StringComparison.Ordinal) ? 6 : 100).Select((name, i) => $"<field name='{name}' id='{i + 1}' type='{type}'/>"));
        string Each(string format) => string.Concat(Awkward.Select((name, i) => string.Format(CultureInfo.InvariantCulture, format, name, i, i + 1)));
        string messages = string.Concat(kinds.Select((kind, i) => $"<sbe:message name='Awkward{i}' id='{i + 1}'>{Fields(kind)}</sbe:message>"));
        string types = string.Concat(Awkward.Where(n => n is not ("Feature" or "_" or "__")).Select((name, i) => i % 2 == 0
            ? $"<enum name='{name}' encodingType='uint8'><validValue name='{name}'>1</validValue></enum>"
            : $"<composite name='{name}'><type name='{name}' primitiveType='int16'/></composite>"));
        string body = $"""
            <types><type name='Texts' primitiveType='char' length='3'/><type name='Numbers' primitiveType='int16' length='3'/>
            <enum name='Kind' encodingType='uint16'>{Each("<validValue name='{0}'>{1}</validValue>")}<validValue name='nullValue'>900</validValue></enum>
            <set name='Marks' encodingType='uint64'>{string.Concat(Awkward.Take(64).Select((name, i) => $"<choice name='{name}'>{i}</choice>"))}</set>
            <composite name='Pair'>{Each("<type name='{0}' primitiveType='int16' presence='optional'/>")}</composite>{types}</types>
            {messages}
            <sbe:message name='Awkward' id='20'>{Fields("int8")}<group name='g' id='900'>{Fields("int8")}</group><data name='d' id='901' type='textEncoding'/></sbe:message>
            <sbe:message name='Groups' id='21'>{Each("<group name='{0}' id='{2}'><field name='{0}' id='1' type='int8'/></group>")}</sbe:message>
            <sbe:message name='Deep' id='22'>{Each("<group name='{0}' id='{2}'><field name='{0}' id='1' type='int8'/><data name='extra' id='2' type='octetsEncoding'/></group>")}</sbe:message>
            <sbe:message name='Data' id='23'>{Each("<data name='{0}' id='{2}' type='textEncoding'/>")}</sbe:message>
            <sbe:message name='Schema' id='24'/><sbe:message name='class' id='25'/><sbe:message name='Pair' id='26'/><sbe:message name='Kind' id='27'/>
            """;
        string schema = Schemas.Of(Schemas.Usual + body, package: "SBE tests.class.1st");
        (Compilation compilation, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", schema));
        Assert.That(reported, Is.Empty);
        Assert.That(compilation.GetDiagnostics(), Is.Empty);
    }

    [Test]
    public void The_product_schema_compiles_without_a_warning()
    {
        (Compilation compilation, IReadOnlyList<Diagnostic> reported) = Compiled.Run("", new SchemaText("schema.xml", Schemas.Product));
        Assert.That(reported, Is.Empty);
        Assert.That(compilation.GetDiagnostics(), Is.Empty);
    }
}
