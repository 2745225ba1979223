// Which field stands at a byte: for people who compare two states.
using System.Globalization;

namespace MarginEngine.Logic;

/// <summary>A field of a state in words: where it stands and what it holds.</summary>
/// <param name="Path">For example <c>account 17, unit BTC/USD, position BTC-PERPETUAL, lots</c>.</param>
public sealed record StateField(string Path, string Value);

/// <content>Scopes and names.</content>
public sealed partial class StateStream
{
    private readonly long _target;
    private readonly List<string> _scopes = [];

    /// <summary>What stands at the byte that was looked for; null: not reached.</summary>
    internal StateField? Found { get; private set; }

    /// <summary>Writes, and notes which field stands at byte <paramref name="target"/> of all.</summary>
    internal static StateStream Finder(StateBlocks into, long target)
    {
        into.Clear();
        return new StateStream(into, reads: false, target);
    }

    /// <summary>What follows belongs to this part, until <see cref="Leave"/>.</summary>
    public void Enter(string part)
    {
        if (_target >= 0)
        {
            _scopes.Add(part);
        }
    }

    /// <summary>What follows belongs to one of many.</summary>
    public void Enter(string kind, ulong id)
    {
        if (_target >= 0)
        {
            _scopes.Add(string.Create(CultureInfo.InvariantCulture, $"{kind} {id}"));
        }
    }

    /// <summary>What follows belongs to one of many that has a name.</summary>
    public void Enter(string kind, ReadOnlySpan<byte> name)
    {
        if (_target >= 0)
        {
            _scopes.Add($"{kind} {Text(name)}");
        }
    }

    public void Leave()
    {
        if (_target >= 0)
        {
            _scopes.RemoveAt(_scopes.Count - 1);
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> text = bytes.TrimEnd((byte)0);
        return text.IndexOfAnyExceptInRange((byte)32, (byte)126) < 0
            ? System.Text.Encoding.ASCII.GetString(text)
            : Convert.ToHexString(bytes);
    }

    private void Look<T>(string name, int bytes, T value)
    {
        long end = _offset + _position;
        if (_target < end && _target >= end - bytes && Found is null)
        {
            Found = new StateField(
                _scopes.Count == 0 ? name : $"{string.Join(", ", _scopes)}, {name}", string.Create(CultureInfo.InvariantCulture, $"{value}"));
        }
    }
}
