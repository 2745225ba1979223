// What operators did, from a journal: a line an act with time, sequence, who, what, why, and whether it was taken. For `inspect --operators`.
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Audit;

/// <summary>An act and the code it was refused with; null: it was taken.</summary>
internal sealed record OperatorLine(OperatorEntry Entry, RejectCode? Refused)
{
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("sequence", Entry.Sequence);
        writer.WriteString("time", Times.Text(Entry.TimeNanos));
        writer.WriteNumber("source", Entry.Source);
        writer.WriteString("who", Entry.Who);
        writer.WriteString("what", Entry.What);
        writer.WriteString("why", Entry.Why);
        writer.WriteString("outcome", Outcome);
        writer.WriteEndObject();
    }

    /// <summary>`taken`, or `refused` with the code.</summary>
    public string Outcome => Refused is RejectCode code ? $"refused: {Reports.Names.Of(code)}" : "taken";
}

/// <summary>
/// Collects the acts of a replay, which alone knows what was refused. Called by the replay before each input and with each of its decisions.
/// </summary>
internal sealed class OperatorLog
{
    private readonly List<OperatorLine> _lines = [];
    private OperatorEntry? _open;

    public IReadOnlyList<OperatorLine> Lines => _lines;

    public void OnInput(long sequence, long timeNanos, ReadOnlySpan<byte> message)
    {
        _open = OperatorEntry.Of(sequence, timeNanos, message);
        if (_open is not null) _lines.Add(new OperatorLine(_open, null));
    }

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        if (_open is null || !RejectDecoder.TryWrap(message, out RejectDecoder reject)) return;
        if (reject.Source == _open.Source && reject.SourceSequence == _open.SourceSequence) _lines[^1] = new OperatorLine(_open, reject.Code);
    }

    /// <summary>Recomputes a journal and returns what its operators did, up to a sequence.</summary>
    public static IReadOnlyList<OperatorLine> Read(Terminal terminal, string journal, long to)
    {
        using JournalInput input = new(journal, EngineIdentity.Current);
        OperatorLog log = new();
        using Replayer replayer = new(new ReplayRequest { To = to, Observer = log.OnDecision, Inputs = log.OnInput });
        replayer.Run(terminal, input, terminal.Interrupted);
        return log.Lines;
    }
}
