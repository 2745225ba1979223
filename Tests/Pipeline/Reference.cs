// What a journal says must have been decided: the journal replayed through a machine of its own, outside any node.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Tests.PipelineTests;

/// <summary>Inputs and decisions of a whole journal, in order.</summary>
internal sealed class Reference : IDecisionSink
{
    public List<(long Sequence, long TimestampNanos, long Epoch, byte[] Message)> Inputs { get; } = [];

    public List<byte[]> Decisions { get; } = [];

    public ulong StateDigest { get; private set; }

    public static Reference Of(NodeOptions options)
    {
        using var machine = new MarginMachine(options.Limits);
        var reading = new Reference();
        using JournalReader reader = JournalReader.Open(new Storage(), options.Journal.Directory, EngineIdentity.Current);
        while (reader.TryRead(out JournalRecord record))
        {
            reading.Inputs.Add((record.Sequence, record.TimestampNanos, record.Epoch, record.Message.ToArray()));
            machine.Epoch = (uint)record.Epoch;
            machine.Apply(record.Sequence, record.TimestampNanos, record.Message, reading);
        }

        reading.StateDigest = machine.StateDigest();
        return reading;
    }

    public void OnDecision(ReadOnlySpan<byte> message) => Decisions.Add(message.ToArray());

    /// <summary>Messages of a source, in order.</summary>
    public IEnumerable<byte[]> InputsOf(ushort source) =>
        Inputs.Select(input => input.Message).Where(message => BitConverter.ToUInt16(message, 24) == source);

    /// <summary>What belongs on the margin stream and must never be dropped.</summary>
    public IEnumerable<byte[]> OrderedMargins() =>
        Decisions.Where(message => Template(message) is not (MarginUpdateDecoder.TemplateId or RejectDecoder.TemplateId or PreTradeAnswerDecoder.TemplateId));

    /// <summary>What belongs on the reply stream.</summary>
    public IEnumerable<byte[]> Replies() =>
        Decisions.Where(message => Template(message) is RejectDecoder.TemplateId or PreTradeAnswerDecoder.TemplateId or HeartbeatDecoder.TemplateId);

    /// <summary>The last update of each account.</summary>
    public Dictionary<ulong, byte[]> NewestUpdates() => Newest(Decisions);

    public static Dictionary<ulong, byte[]> Newest(IEnumerable<byte[]> messages)
    {
        var newest = new Dictionary<ulong, byte[]>();
        foreach (byte[] message in messages)
        {
            if (MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update))
                newest[update.AccountId] = message;
        }

        return newest;
    }

    public static ushort Template(byte[] message) => BitConverter.ToUInt16(message, 2);

    /// <summary>Bytes as a key of sets.</summary>
    public static string Key(byte[] message) => Convert.ToHexString(message);
}
