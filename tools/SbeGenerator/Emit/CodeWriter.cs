// Text with indentation.

using System.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new StringBuilder();
    private int _depth;

    public void Line(string line = "")
    {
        if (line.Length > 0)
            _text.Append(' ', 4 * _depth).Append(line);
        _text.Append('\n');
    }

    public void Open(string line)
    {
        Line(line);
        Line("{");
        _depth++;
    }

    public void Close(string ending = "")
    {
        _depth--;
        Line("}" + ending);
    }

    /// <summary>Length of the text so far, to rewind to.</summary>
    public int Mark => _text.Length;

    /// <summary>Drops what was written since a mark at the same depth.</summary>
    public void Rewind(int mark) => _text.Length = mark;

    /// <summary>A one-line summary; nothing where there is no text.</summary>
    public void Doc(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return;
        var line = new StringBuilder();
        foreach (char c in text!)
        {
            line.Append(c switch
            {
                '<' => "&lt;",
                '>' => "&gt;",
                '&' => "&amp;",
                '\r' or '\n' or '\t' or '\u0085' or '\u2028' or '\u2029' => " ",
                _ => c.ToString(),
            });
        }

        Line("/// <summary>" + line + "</summary>");
    }

    public override string ToString() => _text.ToString();
}
