using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>
/// A run of messages with everything that was decided on each. A machine can be broken off after any of them, written down, read back, and continued
/// to the end: every decision must be the one that was decided without that.
/// </summary>
internal sealed class RecordedRun : IDecisionSink
{
    private readonly Limits _limits;
    private readonly IReadOnlyList<(long Time, byte[] Message)> _inputs;
    private readonly List<byte[][]> _decisions = [];
    private readonly List<byte[]> _step = [];
    private readonly ulong _state;
    private readonly ulong _digest;
    private readonly StateBlocks _end = new();

    /// <param name="name">For the message of a failure.</param>
    /// <param name="limits">Capacities.</param>
    /// <param name="inputs">Stamp and bytes of each message.</param>
    public RecordedRun(string name, Limits limits, IReadOnlyList<(long Time, byte[] Message)> inputs)
    {
        Name = name;
        _limits = limits;
        _inputs = inputs;
        using MarginMachine machine = new(limits);
        foreach ((long time, byte[] message) in inputs)
        {
            Apply(machine, time, message);
            _decisions.Add([.. _step]);
        }

        _state = machine.StateDigest();
        _digest = machine.DecisionDigest;
        machine.Save(_end);
        Decisions = (long)machine.DecisionCount;
        Templates = [.. _decisions.SelectMany(step => step).Select(message => BitConverter.ToUInt16(message, 2))];
    }

    public string Name { get; }

    public int Count => _inputs.Count;

    public long Decisions { get; }

    /// <summary>Kinds of decisions that came.</summary>
    public HashSet<ushort> Templates { get; }

    /// <summary>Bytes of the last state.</summary>
    public long EndBytes => _end.Bytes;

    public void OnDecision(ReadOnlySpan<byte> message) => _step.Add(message.ToArray());

    /// <summary>Runs once more, and at each of the given counts of messages continues with what a snapshot gives back.</summary>
    public void ContinueFrom(IEnumerable<int> breaks)
    {
        using MarginMachine original = new(_limits);
        int at = 0;
        foreach (int place in breaks.Order())
        {
            for (; at < place; at++)
            {
                Apply(original, _inputs[at].Time, _inputs[at].Message);
            }

            using MarginMachine restored = Restored(original, $"{Name}, after message {at} of {Count}");
            Continue(restored, at);
        }
    }

    /// <summary>Writes a machine down, reads it back and checks that nothing tells the two apart.</summary>
    public MarginMachine Restored(MarginMachine original, string where)
    {
        StateBlocks first = new(), second = new();
        original.Save(first);
        MarginMachine restored = MarginMachine.Load(_limits, first);
        restored.Save(second);
        Assert.That(StateDifference.Between(_limits, first, second), Is.Null, where);
        Assert.That(restored.StateDigest(), Is.EqualTo(original.StateDigest()), where);
        Assert.That(restored.DecisionDigest, Is.EqualTo(original.DecisionDigest), where);
        RowCaches.AssertEqual(original, restored, where);
        return restored;
    }

    private void Continue(MarginMachine machine, int from)
    {
        for (int at = from; at < Count; at++)
        {
            Apply(machine, _inputs[at].Time, _inputs[at].Message);
            byte[][] expected = _decisions[at];
            bool equal = _step.Count == expected.Length;
            for (int index = 0; equal && index < expected.Length; index++)
            {
                equal = _step[index].AsSpan().SequenceEqual(expected[index]);
            }

            if (!equal)
            {
                Assert.Fail($"{Name}: restored after message {from}, message {at + 1} of {Count} is decided otherwise");
            }
        }

        StateBlocks end = new();
        machine.Save(end);
        Assert.That(machine.StateDigest(), Is.EqualTo(_state), $"{Name}: restored after message {from}");
        Assert.That(machine.DecisionDigest, Is.EqualTo(_digest), $"{Name}: restored after message {from}");
        Assert.That(StateDifference.Between(_limits, _end, end), Is.Null, $"{Name}: restored after message {from}");
    }

    private void Apply(MarginMachine machine, long time, byte[] message)
    {
        _step.Clear();
        machine.Apply(machine.LastSequence + 1, time, message, this);
    }
}
