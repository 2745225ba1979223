// Elements of a page. Built as XML, so whatever text comes from a document is escaped, and the page is well-formed XML and HTML alike.
using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace MarginEngine.Tool.Compare.Page;

internal static class Html
{
    private const char Replacement = '\uFFFD';

    /// <summary>An element; content is attributes, elements, sequences of them, and text. Null is nothing.</summary>
    public static XElement Tag(string name, params object?[] content) => new(name, content.Select(part => part is string text ? Clean(text) : part));

    /// <summary>A block of HTML that may be empty: never written as <c>&lt;div/&gt;</c>, which browsers take for an opening tag.</summary>
    public static XElement Block(string name, string cssClass, params object?[] content) => Tag(name, [At("class", cssClass), .. content, ""]);

    public static XAttribute At(string name, string value) => new(name, Clean(value));

    /// <summary>A coordinate or length, to a hundredth.</summary>
    public static XAttribute At(string name, double value) => new(name, Number(value));

    public static string Number(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A picture that keeps its proportions and is never drawn larger than it was designed.</summary>
    public static XElement Svg(double width, double height, string label, params object?[] content) =>
        Tag("svg", [At("viewBox", $"0 0 {Number(width)} {Number(height)}"), At("style", $"max-width:{Number(width)}px"), At("role", "img"), At("aria-label", label), .. content]);

    public static XElement Rectangle(string cssClass, double x, double y, double width, double height, params object?[] content) =>
        Tag("rect", [At("class", cssClass), At("x", x), At("y", y), At("width", Math.Max(width, 0)), At("height", height), .. content]);

    public static XElement Line(string cssClass, double x1, double y1, double x2, double y2) =>
        Tag("line", At("class", cssClass), At("x1", x1), At("y1", y1), At("x2", x2), At("y2", y2));

    public static XElement Label(string cssClass, double x, double y, string text) => Tag("text", At("class", cssClass), At("x", x), At("y", y), text);

    /// <summary>What a browser shows when the pointer rests on the element around it.</summary>
    public static XElement Hint(string text) => Tag("title", text);

    // What XML cannot hold (control characters, halves of surrogate pairs) becomes a replacement character.
    private static string Clean(string text)
    {
        char[]? cleaned = null;
        for (int at = 0; at < text.Length; at++)
        {
            if (XmlConvert.IsXmlChar(text[at])) continue;
            if (at + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[at + 1], text[at]))
            {
                at++;
                continue;
            }

            cleaned ??= text.ToCharArray();
            cleaned[at] = Replacement;
        }

        return cleaned is null ? text : new string(cleaned);
    }
}
