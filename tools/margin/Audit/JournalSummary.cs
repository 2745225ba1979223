// What verify finds out about a journal in one pass over its bytes.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Audit;

/// <summary>The extent of the intact history, who wrote it, and what ends it.</summary>
internal sealed record JournalSummary
{
    public required string Directory { get; init; }

    public int Segments { get; init; }

    public long Bytes { get; init; }

    public long Records { get; private set; }

    public long FirstSequence { get; private set; }

    public long LastSequence { get; private set; }

    public long FirstEpoch { get; private set; }

    public long LastEpoch { get; private set; }

    public long FirstTime { get; private set; }

    public long LastTime { get; private set; }

    /// <summary>The hash chain after the last record.</summary>
    public uint Checksum { get; private set; }

    /// <summary>One entry for every change of writer.</summary>
    public List<JournalIdentity> Writers { get; } = [];

    public long TornBytes { get; private set; }

    /// <summary>The writer closed it in order, so nothing can be missing at the end.</summary>
    public bool IsSealed { get; private set; }

    /// <summary>Null: intact. Otherwise the place and the reason.</summary>
    public string? Damage { get; private set; }

    /// <summary>Why this program may not replay it; null: it may.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Reads the whole journal.</summary>
    public static JournalSummary Read(Terminal terminal, string directory)
    {
        using JournalInput input = new(directory, identity: null);
        JournalSummary summary = new() { Directory = directory, Segments = input.Segments, Bytes = input.Bytes };
        using Progress progress = new(terminal, "verifying");
        try
        {
            while (input.TryRead(out JournalRecord record))
            {
                summary.Add(record, input.Identity);
                progress.Report(input.Part);
                terminal.Interrupted.ThrowIfCancellationRequested();
            }

            summary.TornBytes = input.Tail.RemainsEnd - input.Tail.Offset;
            summary.IsSealed = Recovery.Examine(new Storage(), directory).IsSealed;
        }
        catch (JournalDamagedException damage)
        {
            summary.Damage = damage.Message;
        }

        return summary;
    }

    private void Add(in JournalRecord record, JournalIdentity? identity)
    {
        if (Records == 0)
        {
            FirstSequence = record.Sequence;
            FirstEpoch = record.Epoch;
            FirstTime = record.TimestampNanos;
        }
        else
        {
            CheckOrder(record);
        }

        Records++;
        LastSequence = record.Sequence;
        LastEpoch = record.Epoch;
        LastTime = record.TimestampNanos;
        Checksum = record.Checksum;
        if (identity is not JournalIdentity writer || (Writers.Count > 0 && Writers[^1] == writer)) return;
        Writers.Add(writer);
        Refusal ??= EngineIdentity.Current.ReasonToRefuse(writer);
    }

    // The writer refuses such records and the chain covers them; whoever forges a journal has to get past this as well.
    private void CheckOrder(in JournalRecord record)
    {
        string place = $"segment {record.Segment}, byte {record.Offset}";
        if (record.Sequence != LastSequence + 1) Damage ??= $"{place}: sequence {record.Sequence} follows {LastSequence}";
        if (record.Epoch < LastEpoch) Damage ??= $"{place}: epoch {record.Epoch} follows {LastEpoch}";
        if (record.TimestampNanos < LastTime) Damage ??= $"{place}: time {record.TimestampNanos} is before {LastTime}";
    }
}
