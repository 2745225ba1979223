// What every importer throws on bad input: names the file, the line and the column. Called for by the readers of this folder only.

namespace MarginEngine.Tool.Import;

/// <summary>
/// A file that cannot be imported. <c>Message</c> is "file:line:column: reason"; line and column count from 1, 0 where the file as a whole
/// is meant.
/// </summary>
public sealed class ImportException : Exception
{
    public ImportException(string file, int line, int column, string reason, Exception? inner = null)
        : base(Compose(file, line, column, reason), inner)
    {
        File = file;
        Line = line;
        Column = column;
        Reason = reason;
    }

    public string File { get; }
    public int Line { get; }
    public int Column { get; }
    public string Reason { get; }

    /// <summary>Nothing is wrong with the file, it is just none that the importers know.</summary>
    public bool IsUnknownFormat { get; init; }

    private static string Compose(string file, int line, int column, string reason)
        => line == 0 ? $"{file}: {reason}" : $"{file}:{line}:{column}: {reason}";
}
