// Tables of an export and where their rows go. Two sinks: a SQLite file and a folder of CSV files.
namespace MarginEngine.Tool.Export;

internal enum ColumnKind
{
    Integer,
    Text,

    /// <summary>An exact integer with a fixed exponent, which the column's name ends with: <c>equity_e6</c> is millionths.</summary>
    Scaled,
}

/// <param name="Name">Snake case.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Decimals">Of a scaled one: places behind the point.</param>
internal sealed record Column(string Name, ColumnKind Kind, int Decimals = 0)
{
    public static Column Integer(string name) => new(name, ColumnKind.Integer);

    public static Column Text(string name) => new(name, ColumnKind.Text);

    public static Column Scaled(string name, int decimals) => new($"{name}_e{decimals}", ColumnKind.Scaled, decimals);

    /// <summary>Of a scaled one: its name in the view, where it is a decimal.</summary>
    public string PlainName => Name[..Name.LastIndexOf("_e", StringComparison.Ordinal)];
}

/// <param name="Name">Snake case.</param>
/// <param name="Columns">In the order of a row's values.</param>
/// <param name="Key">Names of the columns that make a row unique.</param>
/// <param name="Indexes">Further columns that auditors look up by, each an index with the key behind it.</param>
internal sealed record Table(string Name, IReadOnlyList<Column> Columns, IReadOnlyList<string> Key, IReadOnlyList<string> Indexes)
{
    public bool Has(string column) => Columns.Any(known => known.Name == column);
}

/// <summary>Takes rows: long, string or null a value. Dispose ends it; without <see cref="Complete"/> before, nothing is left of it.</summary>
internal interface ITableSink : IDisposable
{
    void Create(Table table);

    void Insert(Table table, ReadOnlySpan<object?> values);

    void Complete();
}
