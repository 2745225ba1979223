// The first field in which two states differ, in words. Used when a standby has diverged, and by tests.
namespace MarginEngine.Logic;

/// <summary>Where two states differ first. Snapshots tell causes before consequences, so it is nearest to what went wrong.</summary>
/// <param name="One">The field in the first state.</param>
/// <param name="Other">What stands at the same place of the second: the same field, or another where one of the states has more of something.</param>
public sealed record StateDifference(StateField One, StateField Other)
{
    public override string ToString() => One.Path == Other.Path
        ? $"{One.Path}: {One.Value} against {Other.Value}"
        : $"{One.Path}: {One.Value} against {Other.Path}: {Other.Value}";

    /// <summary>Null: the states are equal.</summary>
    /// <param name="limits">Capacities of the machines that both come from.</param>
    /// <exception cref="StateFormatException">One of them is no state of such a machine.</exception>
    public static StateDifference? Between(Limits limits, StateBlocks first, StateBlocks second)
    {
        long offset = FirstByte(first, second);
        if (offset < 0)
        {
            return null;
        }

        return new StateDifference(FieldAt(limits, first, offset), FieldAt(limits, second, offset));
    }

    private static StateField FieldAt(Limits limits, StateBlocks state, long offset)
    {
        using MarginMachine machine = MarginMachine.Load(limits, state);
        return machine.FieldAt(new StateBlocks(), offset) ?? new StateField("the end of the state", "nothing");
    }

    // Blocks are cut by their content, so equal states are cut alike.
    private static long FirstByte(StateBlocks first, StateBlocks second)
    {
        long offset = 0;
        for (int block = 0; block < Math.Max(first.Count, second.Count); block++)
        {
            ReadOnlySpan<byte> ours = block < first.Count ? first[block] : [];
            ReadOnlySpan<byte> theirs = block < second.Count ? second[block] : [];
            int common = ours.CommonPrefixLength(theirs);
            if (common < ours.Length || common < theirs.Length)
            {
                return offset + common;
            }

            offset += ours.Length;
        }

        return -1;
    }
}
