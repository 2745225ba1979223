// The signatures of a journal: a text file beside it, one statement a line, only ever appended to. The trace of a crash, a last line without
// its end, is left out by readers and cut by the next writer.
using System.Text;

namespace MarginEngine.Signing;

public sealed class SignatureLog : IDisposable
{
    public const string FileName = "signatures.log";

    private readonly FileStream _file;

    /// <summary>Opens or creates the log of a journal for appending.</summary>
    public SignatureLog(string journal)
    {
        _file = new FileStream(PathIn(journal), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        _file.SetLength(WholeLines(_file));
        _file.Position = _file.Length;
    }

    public static string PathIn(string journal) => Path.Combine(journal, FileName);

    /// <summary>Empty where there is no log.</summary>
    /// <exception cref="InvalidDataException">A whole line is no statement.</exception>
    public static IReadOnlyList<Statement> Read(string journal)
    {
        string path = PathIn(journal);
        if (!File.Exists(path))
            return [];
        string text = File.ReadAllText(path);
        List<Statement> statements = [];
        string[] lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (int index = 0; index < lines.Length; index++)
            statements.Add(Statement.Parse(lines[index]) ?? throw new InvalidDataException($"{path}, line {index + 1}: no signature of a journal"));
        return statements;
    }

    /// <summary>Appends a statement; it is on the disk when this returns.</summary>
    /// <exception cref="IOException">The disk is full or refuses; nothing of the statement is left in the log.</exception>
    public void Append(Statement statement)
    {
        long whole = _file.Position;
        try
        {
            _file.Write(Encoding.ASCII.GetBytes(statement.Line + "\n"));
            _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            _file.SetLength(whole);
            _file.Position = whole;
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static long WholeLines(FileStream file)
    {
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
    }
}
