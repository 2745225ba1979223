// An XML parameter file as a plain tree, with the line of every element for complaints. Used by SpanReader only.
using System.Globalization;
using System.Text;
using System.Xml;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Span;

/// <summary>
/// An element: name, text, children. No document type, no entities of its own and no reference to anything outside is taken, and nesting has a bound, so
/// that a hostile file ends as an <see cref="ImportException"/> like a damaged one.
/// </summary>
internal sealed class SpanElement
{
    private const int DeepestNesting = 32;
    private const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    // Larger figures than any contract has, and small enough for every product of two of them.
    private const decimal LargestNumber = 1_000_000_000_000m;

    private readonly string _file;
    private readonly int _line;
    private readonly StringBuilder _text = new();
    private readonly List<SpanElement> _children = [];

    private SpanElement(string file, string name, int line)
    {
        _file = file;
        Name = name;
        _line = line;
    }

    public string Name { get; }

    public string Text => _text.ToString().Trim();

    /// <exception cref="ImportException">The bytes are no XML document of the kind described above.</exception>
    public static SpanElement Load(string file, byte[] content)
    {
        XmlReaderSettings settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, IgnoreProcessingInstructions = true };
        try
        {
            using XmlReader reader = XmlReader.Create(new MemoryStream(content), settings);
            return Load(file, reader);
        }
        catch (XmlException damage)
        {
            throw new ImportException(file, damage.LineNumber, damage.LinePosition, $"is no plain XML document: {damage.Message}", damage);
        }
    }

    public IEnumerable<SpanElement> All(string name) => _children.Where(child => child.Name == name);

    public SpanElement? Find(string name) => _children.Find(child => child.Name == name);

    public SpanElement Get(string name) => Find(name) ?? throw Wrong($"<{Name}> has no <{name}>");

    public string TextOf(string name) => Get(name).Text;

    public decimal NumberOf(string name) => Get(name).Number();

    public decimal Number() =>
        decimal.TryParse(Text, Style, CultureInfo.InvariantCulture, out decimal number) && Math.Abs(number) <= LargestNumber
            ? number
            : throw Wrong($"<{Name}> is no number of at most {LargestNumber}: '{Text}'");

    public ImportException Wrong(string reason) => new(_file, _line, 1, reason);

    private static SpanElement Load(string file, XmlReader reader)
    {
        IXmlLineInfo place = (IXmlLineInfo)reader;
        Stack<SpanElement> open = new();
        SpanElement? root = null;
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    SpanElement element = new(file, reader.LocalName, place.LineNumber);
                    if (open.Count == DeepestNesting) throw element.Wrong($"elements are nested deeper than {DeepestNesting}");
                    root ??= element;
                    if (open.TryPeek(out SpanElement? parent)) parent._children.Add(element);
                    if (!reader.IsEmptyElement) open.Push(element);
                    break;
                case XmlNodeType.EndElement:
                    open.Pop();
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    open.Peek()._text.Append(reader.Value);
                    break;
            }
        }

        return root!;
    }
}
