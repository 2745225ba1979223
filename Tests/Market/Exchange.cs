using MarginEngine.Logic;
using MarginEngine.Tool.Market;

namespace MarginEngine.Tests.MarketTests;

/// <summary>The matching core and a margin machine joined by a wire that may lose messages; time is turned by hand.</summary>
internal sealed class Exchange : IDecisionSink, IDisposable
{
    private const long StepNanos = 1_000_000;
    private const long WallStart = 1_770_000_000_000_000_000;

    private readonly Queue<byte[]> _decisions = new();
    private readonly MarketScript _script;
    private int _toLose;

    public Exchange(MarketOptions options)
    {
        _script = MarketScript.Open(options);
        Core = new MatchingCore(options, _script);
        Machine = new MarginMachine(new Limits { Accounts = options.Accounts + 16, Positions = 65_536, Units = 16_384 });
    }

    public MatchingCore Core { get; }
    public MarginMachine Machine { get; }
    public MarketScript Script => _script;
    public long Now { get; private set; }
    public long Lost { get; private set; }
    public long Delivered { get; private set; }

    /// <summary>Called before each message is delivered; a number above 0 loses that many from this one on.</summary>
    public Func<long, int> Losses { get; set; } = _ => 0;

    /// <summary>Sees every message that reached the machine.</summary>
    public Action<byte[], long>? OnDelivered { get; set; }

    /// <summary>Runs until the core is done or the time is over.</summary>
    public void Run(long atMostNanos)
    {
        for (; Core.Phase != MarketPhase.Done && Now < atMostNanos; Now += StepNanos)
        {
            Core.Produce(Now, WallStart + Now);
            for (ReadOnlySpan<byte> message = Core.Peek(); !message.IsEmpty; message = Core.Peek())
            {
                Deliver(message);
                Core.MarkSent(Now);
            }
            // As the gateway does: an idle engine still lives.
            if (Now % 50_000_000 == 0)
                Machine.Apply(Machine.LastSequence + 1, Stamp(), IdleTick(), this);
            while (_decisions.TryDequeue(out byte[]? decision))
                Core.OnDecision(decision, Now);
        }
    }

    public void OnDecision(ReadOnlySpan<byte> message) => _decisions.Enqueue(message.ToArray());

    public void Dispose()
    {
        _script.Dispose();
        Machine.Dispose();
    }

    private void Deliver(ReadOnlySpan<byte> message)
    {
        if (_toLose == 0)
            _toLose = Losses(Delivered);
        if (_toLose > 0)
        {
            _toLose--;
            Lost++;
            return;
        }
        Delivered++;
        OnDelivered?.Invoke(message.ToArray(), Now);
        Machine.Apply(Machine.LastSequence + 1, Stamp(), message, this);
    }

    private long Stamp() => Math.Max(Machine.LastTime + 1, WallStart + Now);

    private readonly OriginStamp _gateway = new(ushort.MaxValue);

    private byte[] IdleTick()
    {
        var batch = new MessageBatch();
        byte[] buffer = new byte[128];
        Codecs.TimeTickEncoder tick = Codecs.TimeTickEncoder.Wrap(buffer);
        tick.SetOrigin(1, 0, ushort.MaxValue, Codecs.OriginFlags.None);
        tick.Time = null;
        batch.Add(buffer.AsSpan(0, tick.EncodedLength));
        _gateway.Stamp(batch, 0);
        return batch[0].ToArray();
    }
}
