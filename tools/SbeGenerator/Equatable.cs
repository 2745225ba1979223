// Value equality for what flows through the incremental pipeline: arrays compared element by element, so that an unchanged schema
// costs nothing on the next keystroke.

using System;
using System.Collections;
using System.Collections.Generic;

namespace MarginEngine.SbeGenerator;

internal readonly struct EquatableArray<T> : IEquatable<EquatableArray<T>>, IEnumerable<T>
    where T : IEquatable<T>
{
    private readonly T[]? _items;

    public EquatableArray(T[] items) => _items = items;

    public int Count => _items?.Length ?? 0;

    public bool Equals(EquatableArray<T> other)
    {
        if (Count != other.Count)
            return false;
        for (int i = 0; i < Count; i++)
        {
            if (!_items![i].Equals(other._items![i]))
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is EquatableArray<T> other && Equals(other);

    public override int GetHashCode()
    {
        int hash = 17;
        foreach (T item in this)
            hash = unchecked((hash * 31) + item.GetHashCode());
        return hash;
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)(_items ?? Array.Empty<T>())).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A file of the compilation: its path and its whole text.</summary>
internal sealed class SchemaFile : IEquatable<SchemaFile>
{
    public SchemaFile(string path, string text, bool isSchema, string? namespaceName)
    {
        Path = path;
        Text = text;
        IsSchema = isSchema;
        Namespace = namespaceName;
    }

    public string Path { get; }

    public string Text { get; }

    /// <summary>True for a root schema, false for a file that is only included by one.</summary>
    public bool IsSchema { get; }

    /// <summary>The C# namespace that the project asks for, or null for the schema's package.</summary>
    public string? Namespace { get; }

    public bool Equals(SchemaFile? other) =>
        other is not null && Path == other.Path && IsSchema == other.IsSchema && Namespace == other.Namespace && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as SchemaFile);

    public override int GetHashCode() => unchecked((StringComparer.Ordinal.GetHashCode(Path) * 31) + Text.Length);
}

/// <summary>A generated source file.</summary>
internal readonly struct GeneratedFile : IEquatable<GeneratedFile>
{
    public GeneratedFile(string name, string text)
    {
        Name = name;
        Text = text;
    }

    public string Name { get; }

    public string Text { get; }

    public bool Equals(GeneratedFile other) => Name == other.Name && Text == other.Text;

    public override bool Equals(object? obj) => obj is GeneratedFile other && Equals(other);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);
}
