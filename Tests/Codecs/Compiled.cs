// Runs the generator over a schema, compiles what it makes together with a probe, and loads it: the way tests drive flyweights of
// schemas that only exist in tests. The probe is C# that a test writes against the generated names.

using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

/// <summary>The assembly made from a schema and a probe.</summary>
internal sealed class Compiled
{
    private static readonly Lazy<MetadataReference[]> Platform = new(() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || path.EndsWith("netstandard.dll", StringComparison.Ordinal))
        .Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)).ToArray());

    private readonly Type _probe;

    private Compiled(Type probe) => _probe = probe;

    public static CSharpParseOptions Parse { get; } = new(LanguageVersion.CSharp13);

    /// <summary>Compiles the schema with the body of a static class Probe; fails the test on any diagnostic, warnings included.</summary>
    public static Compiled Of(string schema, string probe, string nameSpace = "Feature")
    {
        string source = $$"""
            using System; using System.Buffers; using System.IO; using System.Linq; using System.Text; using System.Text.Json; using {{nameSpace}};
            public static class Probe
            {
            {{probe}}
            }
            """;
        (Compilation compilation, IReadOnlyList<Diagnostic> reported) = Run(source, new SchemaText("schema.xml", schema));
        List<Diagnostic> wrong = [.. reported, .. compilation.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning)];
        Assert.That(wrong, Is.Empty, () => string.Join("\n", wrong.Take(10)));
        using var image = new MemoryStream();
        Assert.That(compilation.Emit(image).Success, Is.True);
        image.Position = 0;
        Assembly assembly = new AssemblyLoadContext("schema", isCollectible: true).LoadFromStream(image);
        return new Compiled(assembly.GetType("Probe", throwOnError: true)!);
    }

    /// <summary>Runs the generator and returns the compilation with its files, and the generator's own diagnostics.</summary>
    public static (Compilation Compilation, IReadOnlyList<Diagnostic> Reported) Run(string source, params SchemaText[] files)
    {
        GeneratorDriver driver = Driver(files);
        driver = driver.RunGeneratorsAndUpdateCompilation(Empty(source), out Compilation compilation, out var reported);
        Assert.That(driver.GetRunResult().Results.Single().Exception, Is.Null);
        return (compilation, reported);
    }

    public static GeneratorDriver Driver(params SchemaText[] files) => CSharpGeneratorDriver.Create(
        [new SbeGenerator.SbeGenerator().AsSourceGenerator()],
        files,
        Parse,
        new SchemaOptions(),
        new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    public static CSharpCompilation Empty(string source) => CSharpCompilation.Create(
        "schema" + Guid.NewGuid().ToString("N"),
        [CSharpSyntaxTree.ParseText(source, Parse)],
        Platform.Value,
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            optimizationLevel: OptimizationLevel.Release,
            allowUnsafe: true,
            checkOverflow: true,
            nullableContextOptions: NullableContextOptions.Enable));

    /// <summary>A method of the probe as a delegate.</summary>
    public T Method<T>(string name)
        where T : Delegate => _probe.GetMethod(name)!.CreateDelegate<T>();

    /// <summary>Calls a method of the probe without parameters.</summary>
    public string Call(string name = "Run") => Method<Func<string>>(name)();
}

/// <summary>A schema file of a compilation.</summary>
internal sealed class SchemaText(string path, string text, bool isSchema = true, string? nameSpace = null) : AdditionalText
{
    public override string Path => path;

    public bool IsSchema => isSchema;

    public string? Namespace => nameSpace;

    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
}

internal sealed class SchemaOptions : AnalyzerConfigOptionsProvider
{
    public override AnalyzerConfigOptions GlobalOptions { get; } = new Metadata(null);

    public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

    public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Metadata((SchemaText)textFile);

    private sealed class Metadata(SchemaText? file) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, out string value)
        {
            value = key switch
            {
                "build_metadata.AdditionalFiles.SbeSchema" when file is { IsSchema: true } => "true",
                "build_metadata.AdditionalFiles.SbeNamespace" when file?.Namespace is { } given => given,
                _ => "",
            };
            return value.Length > 0;
        }
    }
}
