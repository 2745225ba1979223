// Where something stands in a schema file, and a mistake found there. Lines and columns count from 0, as Roslyn's do.

using System;

namespace MarginEngine.SbeGenerator.Model;

internal readonly struct Place : IEquatable<Place>
{
    public Place(string path, int line, int column)
    {
        Path = path;
        Line = line;
        Column = column;
    }

    public string Path { get; }

    public int Line { get; }

    public int Column { get; }

    public bool Equals(Place other) => Path == other.Path && Line == other.Line && Column == other.Column;

    public override bool Equals(object? obj) => obj is Place other && Equals(other);

    public override int GetHashCode() => unchecked((Line * 397) ^ Column);
}

/// <summary>A mistake of the schema: the number of the rule, the sentence, the place.</summary>
internal readonly struct Mistake : IEquatable<Mistake>
{
    public Mistake(Rule rule, Place place, string sentence, bool isWarning = false)
    {
        IsWarning = isWarning;
        Rule = rule;
        Place = place;
        Sentence = sentence;
    }

    public Rule Rule { get; }

    /// <summary>True for what can be understood although it is not by the letter of the standard.</summary>
    public bool IsWarning { get; }

    public Place Place { get; }

    public string Sentence { get; }

    public bool Equals(Mistake other) => Rule == other.Rule && Place.Equals(other.Place) && Sentence == other.Sentence && IsWarning == other.IsWarning;

    public override bool Equals(object? obj) => obj is Mistake other && Equals(other);

    public override int GetHashCode() => unchecked(((int)Rule * 397) ^ Place.GetHashCode());
}

/// <summary>Thrown while reading an element that cannot be understood; the reader of the next larger part records it and goes on.</summary>
internal sealed class SchemaException : Exception
{
    public SchemaException(Rule rule, Place place, string sentence)
        : base(sentence) => Mistake = new Mistake(rule, place, sentence);

    public Mistake Mistake { get; }
}
