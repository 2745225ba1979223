// The incremental generator: every AdditionalFile with the metadata SbeSchema="true" becomes the flyweights of its messages.
// Its inputs are the texts of those files and of the XML files they include, its outputs plain strings; both compare by value, so an
// unchanged schema is neither read nor emitted again.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using MarginEngine.SbeGenerator.Emit;
using MarginEngine.SbeGenerator.Model;
using MarginEngine.SbeGenerator.Read;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace MarginEngine.SbeGenerator;

/// <summary>Turns SBE 1.0 schemas into C# flyweights.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class SbeGenerator : IIncrementalGenerator
{
    /// <summary>The name of the step that reads and emits, for tests of the caching.</summary>
    public const string Step = "SbeSchemas";

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<EquatableArray<SchemaFile>> files = context.AdditionalTextsProvider
            .Where(static text => text.Path.EndsWith(".xml", StringComparison.OrdinalIgnoreCase))
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Select(static (pair, cancel) => ToFile(pair.Left, pair.Right, cancel))
            .Collect()
            .Select(static (all, _) => new EquatableArray<SchemaFile>(all.ToArray()));
        IncrementalValueProvider<Generation> generation =
            files.Select(static (all, _) => Generation.Of(all)).WithTrackingName(Step);
        context.RegisterSourceOutput(generation, static (output, result) =>
        {
            foreach (Mistake mistake in result.Mistakes)
                output.ReportDiagnostic(Rules.ToDiagnostic(mistake));
            foreach (GeneratedFile file in result.Files)
                output.AddSource(file.Name, SourceText.From(file.Text, System.Text.Encoding.UTF8));
        });
    }

    private static SchemaFile ToFile(AdditionalText text, AnalyzerConfigOptionsProvider provider, System.Threading.CancellationToken cancel)
    {
        AnalyzerConfigOptions options = provider.GetOptions(text);
        options.TryGetValue("build_metadata.AdditionalFiles.SbeSchema", out string? isSchema);
        options.TryGetValue("build_metadata.AdditionalFiles.SbeNamespace", out string? namespaceName);
        return new SchemaFile(
            text.Path,
            text.GetText(cancel)?.ToString() ?? "",
            string.Equals(isSchema, "true", StringComparison.OrdinalIgnoreCase),
            string.IsNullOrWhiteSpace(namespaceName) ? null : namespaceName!.Trim());
    }
}

/// <summary>What the schemas of a project become.</summary>
internal sealed class Generation : IEquatable<Generation>
{
    private Generation(EquatableArray<GeneratedFile> files, EquatableArray<Mistake> mistakes)
    {
        Files = files;
        Mistakes = mistakes;
    }

    public EquatableArray<GeneratedFile> Files { get; }

    public EquatableArray<Mistake> Mistakes { get; }

    public static Generation Of(EquatableArray<SchemaFile> files)
    {
        var output = new List<GeneratedFile>();
        var mistakes = new List<Mistake>();
        var namespaces = new Dictionary<string, string>();
        foreach (SchemaFile file in files.Where(f => f.IsSchema))
            Generate(file, files, output, mistakes, namespaces);
        return new Generation(new EquatableArray<GeneratedFile>(output.ToArray()), new EquatableArray<Mistake>(mistakes.ToArray()));
    }

    // A schema with a mistake yields no code: half a codec would bury the mistake under errors of its users.
    private static void Generate(
        SchemaFile file, EquatableArray<SchemaFile> all, List<GeneratedFile> output, List<Mistake> mistakes, Dictionary<string, string> namespaces)
    {
        var own = new List<Mistake>();
        try
        {
            var loader = new XmlLoader(path => TextOf(path, all), own);
            Schema? schema = loader.Load(file.Path, file.Text) is { } root ? SchemaReader.Read(root, own) : null;
            if (schema is not null && own.All(m => m.IsWarning))
            {
                Naming.Assign(schema, file.Namespace);
                if (namespaces.TryGetValue(schema.Namespace, out string? other))
                {
                    own.Add(new Mistake(
                        Rule.Collision, schema.Place, $"'{other}' already generates the namespace {schema.Namespace}: set SbeNamespace on one of them"));
                }
                else
                {
                    namespaces.Add(schema.Namespace, file.Path);
                    SchemaEmitter.Emit(schema, output);
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            own.Add(new Mistake(Rule.Internal, new Place(file.Path, 0, 0), $"the generator failed: {e.GetType().Name}: {e.Message}"));
        }

        mistakes.AddRange(own);
    }

    private static string? TextOf(string path, EquatableArray<SchemaFile> all)
    {
        string wanted = XmlLoader.Normalised(path);
        foreach (SchemaFile file in all)
        {
            if (XmlLoader.Normalised(file.Path) == wanted)
                return file.Text;
        }

#pragma warning disable RS1035 // An included file that the project does not list has no other door; list it to have changes tracked.
        return File.Exists(path) ? File.ReadAllText(path) : null;
#pragma warning restore RS1035
    }

    public bool Equals(Generation? other) =>
        other is not null && Files.Equals(other.Files) && Mistakes.Equals(other.Mistakes);

    public override bool Equals(object? obj) => Equals(obj as Generation);

    public override int GetHashCode() => Files.GetHashCode();
}
