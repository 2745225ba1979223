// The sequences one consumer runs behind: the producer's cursor, or the consumers upstream of it.

using System.Runtime.CompilerServices;

namespace Disruptor;

/// <summary>A consumer may go as far as the slowest sequence of its group.</summary>
public sealed class DependentSequenceGroup
{
    private readonly Sequence _cursor;
    private readonly Sequence[] _sources;
    private readonly Sequence _first;

    /// <param name="cursor">The producer's cursor.</param>
    /// <param name="dependencies">The upstream consumers; none means that the group follows the cursor.</param>
    public DependentSequenceGroup(Sequence cursor, params Sequence[] dependencies)
    {
        _cursor = cursor;
        _sources = dependencies.Length == 0 ? [cursor] : (Sequence[])dependencies.Clone();
        _first = _sources[0];
        DependsOnCursor = dependencies.Length == 0;
    }

    /// <summary>The slowest sequence of the group.</summary>
    public long Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _sources.Length == 1 ? _first.Value : Minimum();
    }

    public long CursorValue => _cursor.Value;

    public bool DependsOnCursor { get; }

    public int DependentSequenceCount => DependsOnCursor ? 0 : _sources.Length;

    /// <summary>For a wait strategy that treats groups differently.</summary>
    public object? Tag { get; set; }

    public bool HasSameDependencies(DependentSequenceGroup dependentSequenceGroup) =>
        _sources.AsSpan().SequenceEqual(dependentSequenceGroup._sources);

    /// <summary>Spins without giving up the processor until the group reaches <paramref name="expectedValue"/>.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public long AggressiveSpinWaitFor(long expectedValue, CancellationToken cancellationToken)
    {
        long available;
        while ((available = Value) < expectedValue)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Spin.Pause();
        }

        return available;
    }

    /// <summary>Spins, then gives up the processor at each turn, until the group reaches <paramref name="expectedValue"/>.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public long SpinWaitFor(long expectedValue, CancellationToken cancellationToken)
    {
        var spinner = new SpinWait();
        long available;
        while ((available = Value) < expectedValue)
        {
            cancellationToken.ThrowIfCancellationRequested();
            spinner.SpinOnce();
        }

        return available;
    }

    /// <summary>What the group is behind: the cursor alone or the upstream consumers.</summary>
    internal ReadOnlySpan<Sequence> Sources => _sources;

    private long Minimum()
    {
        long minimum = long.MaxValue;
        foreach (Sequence source in _sources)
            minimum = Math.Min(minimum, source.Value);
        return minimum;
    }
}
