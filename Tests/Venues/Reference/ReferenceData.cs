using System.Globalization;
using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>A JSON document of the data folder, with the name that failures print.</summary>
internal sealed record ReferenceDocument(string Name, JsonElement Root);

/// <summary>
/// The published margin vectors of the data folder, found by their shape: every .json below it is read once, and a test asks for the
/// documents that carry the properties of its format. New files of a known format are taken without a change here.
/// </summary>
internal static class ReferenceData
{
    private static readonly Lazy<IReadOnlyList<ReferenceDocument>> All = new(Load);

    /// <summary>Documents whose root object has all of the properties. Ends the test as skipped where there is none.</summary>
    public static IReadOnlyList<ReferenceDocument> With(params string[] properties)
        => Where(root => root.Has(properties), string.Join(", ", properties));

    /// <summary>Documents that are a set of named tests, each of which has all of the properties. Ends the test as skipped where there is none.</summary>
    public static IReadOnlyList<ReferenceDocument> TestsWith(params string[] properties)
        => Where(root => root.EnumerateObject().Any() && root.EnumerateObject().All(test => test.Value.Has(properties)), $"named tests of {string.Join(", ", properties)}");

    /// <summary>A named group of vectors from every document that has it.</summary>
    public static IEnumerable<ReferenceDocument> Groups(string group)
        => With(group).Select(document => new ReferenceDocument($"{document.Name} {group}", document.Root.GetProperty(group)));

    public static decimal Number(this JsonElement element, string property) => element.GetProperty(property).AsNumber();

    public static decimal Number(this JsonElement element, string property, decimal otherwise)
        => element.TryGetProperty(property, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.AsNumber() : otherwise;

    /// <summary>A JSON number, or a number that its file keeps as text to hold more digits: every digit that is there, up to the 28 of a decimal.</summary>
    public static decimal AsNumber(this JsonElement element) => Number(element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText());

    public static decimal Number(string text) => decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    public static string Text(this JsonElement element, string property) => element.GetProperty(property).GetString()!;

    /// <summary>Elements of an array property; none where the property is absent.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element, string property)
        => element.TryGetProperty(property, out JsonElement array) ? array.EnumerateArray() : [];

    private static bool Has(this JsonElement element, string[] properties)
        => element.ValueKind == JsonValueKind.Object && properties.All(name => element.TryGetProperty(name, out _));

    private static ReferenceDocument[] Where(Func<JsonElement, bool> shape, string what)
    {
        if (MarginData.Folder is null)
            Assert.Ignore("no data: $MARGIN_DATA is not set and no ../shared/data stands beside the repository");
        ReferenceDocument[] found = [.. All.Value.Where(document => shape(document.Root))];
        if (found.Length == 0)
            Assert.Ignore($"no data: no .json of {what} below {MarginData.Folder}");
        return found;
    }

    private static List<ReferenceDocument> Load()
    {
        var documents = new List<ReferenceDocument>();
        foreach (string path in Directory.EnumerateFiles(MarginData.Folder!, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                    documents.Add(new ReferenceDocument(Path.GetFileNameWithoutExtension(path), document.RootElement.Clone()));
            }
            catch (JsonException error)
            {
                // Recordings with an object a line may lie in the same folder: no known format, but a broken vector file must not go unseen.
                TestContext.Progress.WriteLine($"not one JSON document, left out of the references: {path}: {error.Message}");
            }
        }

        return documents;
    }
}
