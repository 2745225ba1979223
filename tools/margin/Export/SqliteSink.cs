// An export as one SQLite file: tables with typed columns, a view with decimals for each that has scaled numbers, indexes at the end.
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace MarginEngine.Tool.Export;

/// <summary>Everything in one transaction of a file that must not exist yet; it is deleted where the export does not complete.</summary>
internal sealed class SqliteSink : ITableSink
{
    private readonly string _path;
    private readonly SqliteConnection _connection;
    private SqliteTransaction? _transaction;
    private readonly Dictionary<Table, SqliteCommand> _inserts = [];
    private bool _isComplete;

    /// <exception cref="IOException">The file exists or cannot be made.</exception>
    public SqliteSink(string path)
    {
        // Made here, so that an existing file is refused and an unreachable folder is named.
        using (new FileStream(path, FileMode.CreateNew)) { }
        _path = path;
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        _connection.Open();
        // Half an export is worthless: it is deleted, so nothing has to survive a crash.
        Execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;");
        _transaction = _connection.BeginTransaction();
    }

    public void Create(Table table)
    {
        IEnumerable<string> columns = table.Columns.Select(column => $"{Quoted(column.Name)} {(column.Kind == ColumnKind.Text ? "TEXT" : "INTEGER")}");
        Execute($"CREATE TABLE {Quoted(table.Name)} ({string.Join(", ", columns)}, PRIMARY KEY ({Names(table.Key)})) WITHOUT ROWID");
        if (table.Columns.Any(column => column.Kind == ColumnKind.Scaled))
            Execute($"CREATE VIEW {Quoted("v_" + table.Name)} AS SELECT {string.Join(", ", table.Columns.Select(Shown))} FROM {Quoted(table.Name)}");
        SqliteCommand insert = _connection.CreateCommand();
        insert.Transaction = _transaction;
        insert.CommandText = $"INSERT INTO {Quoted(table.Name)} VALUES ({string.Join(", ", table.Columns.Select((_, index) => $"$p{index}"))})";
        for (int index = 0; index < table.Columns.Count; index++) insert.Parameters.Add(new SqliteParameter($"$p{index}", null));
        _inserts[table] = insert;
    }

    public void Insert(Table table, ReadOnlySpan<object?> values)
    {
        SqliteCommand insert = _inserts[table];
        for (int index = 0; index < values.Length; index++) insert.Parameters[index].Value = values[index] ?? DBNull.Value;
        insert.ExecuteNonQuery();
    }

    public void Complete()
    {
        foreach (Table table in _inserts.Keys)
            foreach (string column in table.Indexes)
                Execute($"CREATE INDEX {Quoted($"{table.Name}_{column}")} ON {Quoted(table.Name)} ({Names([column, .. table.Key])})");
        _transaction!.Commit();
        _transaction.Dispose();
        _transaction = null;
        Execute("ANALYZE");
        _isComplete = true;
    }

    public void Dispose()
    {
        foreach (SqliteCommand insert in _inserts.Values) insert.Dispose();
        _transaction?.Dispose();
        _connection.Dispose();
        if (!_isComplete) File.Delete(_path);
    }

    // Exact: text of the integer with the point set, beside the integer itself.
    private static string Shown(Column column)
    {
        string name = Quoted(column.Name);
        if (column.Kind != ColumnKind.Scaled) return name;
        string one = "1" + new string('0', column.Decimals);
        return string.Create(CultureInfo.InvariantCulture,
            $"{name}, CASE WHEN {name} IS NULL THEN NULL ELSE printf('%s%d.%0{column.Decimals}d', CASE WHEN {name} < 0 THEN '-' ELSE '' END, abs({name} / {one}), abs({name} % {one})) END AS {Quoted(column.PlainName)}");
    }

    private static string Names(IEnumerable<string> columns) => string.Join(", ", columns.Select(Quoted));

    // Names come from schema.xml and from this folder, never from a journal.
    private static string Quoted(string name) => $"\"{name}\"";

#pragma warning disable CA2100 // see Quoted
    private void Execute(string text)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
#pragma warning restore CA2100
}
