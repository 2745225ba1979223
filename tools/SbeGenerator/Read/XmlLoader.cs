// Loads a schema file as XML that knows its lines, and follows XInclude. Files come from the compilation; a file that is not part of it
// is read from beside the one that includes it.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Xml;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal sealed class XmlLoader
{
    private const string XInclude = "http://www.w3.org/2001/XInclude";

    private readonly Func<string, string?> _readFile;
    private readonly List<Mistake> _mistakes;

    /// <summary>The reader of files returns null where there is none.</summary>
    public XmlLoader(Func<string, string?> readFile, List<Mistake> mistakes)
    {
        _readFile = readFile;
        _mistakes = mistakes;
    }

    /// <summary>Returns the root element, or null when the file is not well-formed.</summary>
    public XElement? Load(string path, string text) => Load(path, text, new List<string> { path });

    /// <summary>Where an element stands.</summary>
    public static Place PlaceOf(XObject node)
    {
        var line = (IXmlLineInfo)node;
        for (XObject? at = node; at is not null; at = at.Parent)
        {
            if (at.Annotation<FileMark>() is { } mark)
            {
                return line.HasLineInfo()
                    ? new Place(mark.Path, line.LineNumber - 1, line.LinePosition - 1)
                    : new Place(mark.Path, 0, 0);
            }
        }

        return new Place("", 0, 0);
    }

    private XElement? Load(string path, string text, List<string> open)
    {
        XElement? root = Parse(path, text);
        if (root is null)
            return null;
        root.AddAnnotation(new FileMark(path));
        XElement holder = root;
        foreach (XElement include in root.DescendantsAndSelf().Where(IsInclude).ToList())
        {
            XElement? content = Resolve(path, include, open);
            if (ReferenceEquals(include, root))
                return content;
            if (content is null)
                include.Remove();
            else
                include.ReplaceWith(content);
        }

        return holder;
    }

    private static bool IsInclude(XElement element) =>
        element.Name.LocalName == "include" && element.Name.NamespaceName == XInclude;

    private XElement? Resolve(string path, XElement include, List<string> open)
    {
        string? href = (string?)include.Attribute("href");
        if (string.IsNullOrEmpty(href))
        {
            _mistakes.Add(new Mistake(Rule.Include, PlaceOf(include), "an include needs an href"));
            return null;
        }

        string target = PathOf(path, href!);
        if (open.Contains(target))
        {
            _mistakes.Add(new Mistake(Rule.Include, PlaceOf(include), $"'{href}' includes itself"));
            return null;
        }

        string? text = _readFile(target);
        if (text is null)
        {
            XElement? fallback = include.Elements().FirstOrDefault(e => e.Name.LocalName == "fallback")?.Elements().FirstOrDefault();
            if (fallback is not null)
            {
                fallback.Remove();
                return fallback;
            }

            _mistakes.Add(new Mistake(Rule.Include, PlaceOf(include), $"'{href}' is neither among the AdditionalFiles nor beside this file"));
            return null;
        }

        open.Add(target);
        XElement? content = Load(target, text, open);
        open.RemoveAt(open.Count - 1);
        content?.Remove();
        return content;
    }

    private XElement? Parse(string path, string text)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null };
        try
        {
            using var source = new System.IO.StringReader(text);
            using XmlReader reader = XmlReader.Create(source, settings);
            return XDocument.Load(reader, LoadOptions.SetLineInfo).Root;
        }
        catch (XmlException e)
        {
            var place = new Place(path, Math.Max(0, e.LineNumber - 1), Math.Max(0, e.LinePosition - 1));
            _mistakes.Add(new Mistake(Rule.Xml, place, e.Message));
            return null;
        }
    }

    // Resolves "../a/./b.xml" without touching the disk; both kinds of slash are taken.
    private static string PathOf(string including, string href)
    {
        string relative = Uri.UnescapeDataString(href).Replace('\\', '/');
        if (relative.StartsWith("file:", StringComparison.Ordinal) && Uri.TryCreate(relative, UriKind.Absolute, out Uri? uri))
            return uri.LocalPath;
        if (relative.StartsWith("/", StringComparison.Ordinal))
            return relative;
        string folder = including.Replace('\\', '/');
        return Normalised(folder.Substring(0, folder.LastIndexOf('/') + 1) + relative);
    }

    /// <summary>The path without "." and ".." where they can be resolved by name alone.</summary>
    public static string Normalised(string path)
    {
        var parts = new List<string>();
        foreach (string part in path.Replace('\\', '/').Split('/'))
        {
            bool named = parts.Count > 0 && parts[parts.Count - 1] is not ("" or "..");
            if (part == "." || (part.Length == 0 && parts.Count > 0))
                continue;
            if (part == ".." && named)
                parts.RemoveAt(parts.Count - 1);
            else
                parts.Add(part);
        }

        return string.Join("/", parts);
    }

    private sealed class FileMark
    {
        public FileMark(string path) => Path = path;

        public string Path { get; }
    }
}
