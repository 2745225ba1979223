// A snapshot in memory: the state of a machine and the newest margin of every account. What a file is written from and read into.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Snapshots;

/// <summary>
/// The margins are there because a restart says them again: of everything older than the replayed part a primary publishes the newest margin of each account
/// once more. They are decisions, not state, and stand in a section of their own.
/// </summary>
internal sealed class SnapshotImage : ISnapshotContent, ISnapshotTarget
{
    private const int StateSection = 1;
    private const int MarginSection = 2;

    /// <summary>The machine's state.</summary>
    public StateBlocks State { get; } = new();

    /// <summary>Margin updates as they were decided.</summary>
    public StateBlocks Margins { get; } = new();

    public int Blocks => State.Count + Margins.Count;

    /// <summary>Takes a picture. Nothing is allocated where it fits into what an earlier one needed.</summary>
    /// <param name="machine">Between two inputs.</param>
    /// <param name="margins">The newest update of every account.</param>
    public SnapshotHeader Take(MarginMachine machine, Conflater margins)
    {
        machine.Save(State);
        StateStream stream = StateStream.Writer(Margins);
        stream.Count(margins.Count, int.MaxValue, "margin updates");
        for (int number = 0; number < margins.Count; number++)
        {
            SlotMessage update = margins.At(number);
            Describe(stream, update.Sequence, update.TimestampNanos, update.Bytes);
        }

        stream.Finish();
        return new SnapshotHeader
        {
            Sequence = machine.LastSequence,
            Epoch = machine.Epoch,
            TimestampNanos = machine.LastTime,
            StateDigest = machine.StateDigest(),
            Layout = MarginMachine.StateVersion,
        };
    }

    /// <summary>Hands every margin update on, those that came first first.</summary>
    public void GiveMargins(IDecisionKeeper to)
    {
        Span<byte> update = stackalloc byte[Conflater.MaximumUpdateBytes];
        StateStream stream = StateStream.Reader(Margins);
        int count = stream.Count(0, int.MaxValue, "margin updates");
        for (int number = 0; number < count; number++)
        {
            long sequence = 0, timestampNanos = 0;
            stream.Field(ref sequence, "sequence");
            stream.Field(ref timestampNanos, "time");
            int length = stream.Count(0, update.Length, "bytes of an update");
            stream.Bytes(update[..length], "update");
            to.Keep(sequence, timestampNanos, update[..length]);
        }
    }

    public void Clear()
    {
        State.Clear();
        Margins.Clear();
    }

    public ReadOnlySpan<byte> Block(int number, out int section)
    {
        section = number < State.Count ? StateSection : MarginSection;
        return number < State.Count ? State[number] : Margins[number - State.Count];
    }

    public void Take(int section, ReadOnlySpan<byte> block)
    {
        switch (section)
        {
            case StateSection:
                State.Add(block);
                break;
            case MarginSection:
                Margins.Add(block);
                break;
            default:
                throw new SnapshotUnusableException($"it has a section {section}, which this program does not know");
        }
    }

    private static void Describe(StateStream stream, long sequence, long timestampNanos, ReadOnlySpan<byte> update)
    {
        Span<byte> copy = stackalloc byte[Conflater.MaximumUpdateBytes];
        update.CopyTo(copy);
        stream.Field(ref sequence, "sequence");
        stream.Field(ref timestampNanos, "time");
        int length = stream.Count(update.Length, copy.Length, "bytes of an update");
        stream.Bytes(copy[..length], "update");
    }
}
