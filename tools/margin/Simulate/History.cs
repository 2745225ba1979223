// A journal as an auditor reads it: every record, and what a machine of his own decides on them.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Tool.Simulate;

/// <summary>One record.</summary>
internal readonly record struct HistoryInput(long Sequence, long Time, long Epoch, byte[] Message)
{
    /// <summary>Whose message it is.</summary>
    public ushort Source => BitConverter.ToUInt16(Message, 24);

    public bool Equals(HistoryInput other) =>
        (Sequence, Time, Epoch) == (other.Sequence, other.Time, other.Epoch) && Message.AsSpan().SequenceEqual(other.Message);

    public override int GetHashCode() => HashCode.Combine(Sequence, Time);
}

/// <summary>Inputs and decisions of a whole journal, in order.</summary>
internal sealed class History : IDecisionSink
{
    public List<HistoryInput> Inputs { get; } = [];

    public List<byte[]> Decisions { get; } = [];

    /// <summary>Positions at the end: account, instrument, lots.</summary>
    public Dictionary<(ulong Account, uint Instrument), long> Positions { get; } = [];

    public static History Of(FaultyStorage disk, NodeOptions options)
    {
        var history = new History();
        using var machine = new MarginMachine(options.Limits);
        using JournalReader reader = JournalReader.Open(disk, options.Journal.Directory, EngineIdentity.Of(options.Limits));
        HashSet<ulong> accounts = [];
        while (reader.TryRead(out JournalRecord record))
        {
            history.Inputs.Add(new HistoryInput(record.Sequence, record.TimestampNanos, record.Epoch, record.Message.ToArray()));
            machine.Epoch = (uint)record.Epoch;
            machine.Apply(record.Sequence, record.TimestampNanos, record.Message, history);
            if (Codecs.AccountOpenDecoder.TryWrap(record.Message, out Codecs.AccountOpenDecoder open))
                accounts.Add(open.AccountId);
        }

        foreach (ulong account in accounts)
        {
            foreach (PositionReport position in machine.Report(account)?.Units.SelectMany(unit => unit.Positions) ?? [])
            {
                if (position.Lots != 0)
                    history.Positions[(account, position.InstrumentId)] = position.Lots;
            }
        }

        return history;
    }

    public void OnDecision(ReadOnlySpan<byte> message) => Decisions.Add(message.ToArray());
}
