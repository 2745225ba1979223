// An export as a folder of CSV files (RFC 4180), one a table, first line names.
using System.Globalization;
using System.Text;

namespace MarginEngine.Tool.Export;

/// <summary>Writes into a folder that is new or empty; where the export does not complete, its files are deleted.</summary>
internal sealed class CsvSink : ITableSink
{
    private readonly string _directory;
    private readonly Dictionary<Table, StreamWriter> _files = [];
    private readonly StringBuilder _line = new();
    private bool _isComplete;

    /// <exception cref="IOException">The folder is not empty or cannot be made.</exception>
    public CsvSink(string directory)
    {
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any()) throw new IOException($"{directory} is not empty");
        _directory = directory;
        Directory.CreateDirectory(directory);
    }

    public void Create(Table table)
    {
        StreamWriter file = new(Path.Combine(_directory, table.Name + ".csv"), append: false, new UTF8Encoding(false), 1 << 16) { NewLine = "\r\n" };
        _files[table] = file;
        file.WriteLine(string.Join(',', table.Columns.Select(column => column.Name)));
    }

    public void Insert(Table table, ReadOnlySpan<object?> values)
    {
        _line.Clear();
        for (int index = 0; index < values.Length; index++)
        {
            if (index > 0) _line.Append(',');
            if (values[index] is string text) Append(text);
            else if (values[index] is not null) _line.Append(CultureInfo.InvariantCulture, $"{values[index]}");
        }

        _files[table].WriteLine(_line);
    }

    public void Complete() => _isComplete = true;

    public void Dispose()
    {
        foreach ((Table table, StreamWriter file) in _files)
        {
            file.Dispose();
            if (!_isComplete) File.Delete(Path.Combine(_directory, table.Name + ".csv"));
        }
    }

    private void Append(string text)
    {
        if (text.AsSpan().IndexOfAny(",\"\r\n") < 0) _line.Append(text);
        else _line.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
    }
}
