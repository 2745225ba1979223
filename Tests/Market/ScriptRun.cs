using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

/// <summary>Drains a script, checks what must hold of every message, and may feed a margin machine of its own.</summary>
internal sealed class ScriptRun : IDecisionSink, IDisposable
{
    private readonly MarketScript _script;
    private readonly MarginMachine? _machine;
    private readonly OriginStamp _stamp = new(1);
    private long _time = 1_000_000_000;

    public ScriptRun(MarketOptions options, bool withMachine)
    {
        _script = MarketScript.Open(options);
        _machine = withMachine ? new MarginMachine(new Limits { Accounts = options.Accounts + 16, Positions = 65_536, Units = 16_384 }) : null;
    }

    public MarketScript Script => _script;
    public MarginMachine Machine => _machine!;
    public PositionBook Positions { get; } = new();
    public Dictionary<string, long> Sent { get; } = [];
    public Dictionary<string, long> Rejected { get; } = [];
    public HashSet<ulong> Called { get; } = [];
    public HashSet<ulong> Liquidated { get; } = [];
    public Dictionary<ulong, long> Ratios { get; } = [];
    public ulong Digest { get; private set; } = 14695981039346656037UL;
    public long Bytes { get; private set; }

    /// <summary>Called with each message after it was stamped.</summary>
    public Action<byte[]>? OnMessage { get; set; }

    public void RunSetup()
    {
        while (_script.TryNextSetup())
            Send(0);
    }

    /// <summary>Returns the number of market events.</summary>
    public int RunMarket(int atMost = int.MaxValue)
    {
        int events = 0;
        while (events < atMost && _script.TryNext())
        {
            events++;
            _time += 1_000_000;
            Send((ulong)events);
        }
        return events;
    }

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        switch (OriginStamp.TemplateOf(message))
        {
            case RejectDecoder.TemplateId when RejectDecoder.TryWrap(message, out RejectDecoder reject):
                string key = $"{Schema.NameOf(reject.RefusedTemplateId)} {reject.Code} {reject.FieldId}";
                Rejected[key] = Rejected.GetValueOrDefault(key) + 1;
                break;
            case MarginUpdateDecoder.TemplateId when MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update):
                Ratios[update.AccountId] = update.Ratio.Mantissa;
                break;
            case MarginCallDecoder.TemplateId when MarginCallDecoder.TryWrap(message, out MarginCallDecoder call):
                if (call.State >= AccountState.MarginCall)
                    Called.Add(call.AccountId);
                break;
            case LiquidationInstructionDecoder.TemplateId when LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder instruction):
                Liquidated.Add(instruction.AccountId);
                break;
            default:
                break;
        }
    }

    public void Dispose()
    {
        _script.Dispose();
        _machine?.Dispose();
    }

    private void Send(ulong eventTime)
    {
        _stamp.Stamp(_script.Batch, eventTime);
        for (int i = 0; i < _script.Batch.Count; i++)
        {
            Span<byte> message = _script.Batch[i];
            string name = Schema.NameOf(OriginStamp.TemplateOf(message)) ?? "?";
            Sent[name] = Sent.GetValueOrDefault(name) + 1;
            Bytes += message.Length;
            foreach (byte value in message)
                Digest = unchecked((Digest ^ value) * 1099511628211UL);
            Positions.Apply(message);
            // The last message of an event, and no other, says that the event ends.
            Assert.That(message[26] | (message[27] << 8), Is.EqualTo(i == _script.Batch.Count - 1 ? (int)OriginFlags.EndOfEvent : 0), name);
            OnMessage?.Invoke(message.ToArray());
            _machine?.Apply(_machine.LastSequence + 1, ++_time, message, this);
        }
    }
}
