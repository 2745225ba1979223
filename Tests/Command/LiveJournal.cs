using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Logic;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tests.CommandTests;

/// <summary>A journal as a node would leave it: real inputs, and everything that the machine decided on them.</summary>
internal sealed class LiveJournal : IDecisionSink
{
    public const ulong Account = 42;
    private const ushort Source = 1;
    private const long TickNanos = 50_000_000;
    private readonly byte[] _buffer = new byte[512];

    private LiveJournal(string directory) => Directory = directory;

    public string Directory { get; }

    public List<byte[]> Inputs { get; } = [];

    public List<byte[]> Decisions { get; } = [];

    public ulong StateDigest { get; private set; }

    public IEnumerable<byte[]> DecisionsOf(ushort template) => Decisions.Where(message => BitConverter.ToUInt16(message, 2) == template);

    /// <summary>The example book, then a falling market of 200 ticks that ends in liquidation.</summary>
    public static LiveJournal Write(string directory, Limits? limits = null)
    {
        limits ??= new Limits();
        LiveJournal live = new(directory);
        Portfolio portfolio = PortfolioReader.Read(Path.Combine(Repository.Root, "tools/margin/examples/hedged-option-book.json"));
        live.Inputs.AddRange(PortfolioMessages.Build(portfolio, ModelDocument.Portfolio, "example").Select(message => message.Bytes));
        for (int tick = 0; tick < 200; tick++) live.Inputs.Add(live.Rally(portfolio, tick));
        JournalOptions options = new() { Directory = directory, SegmentBytes = 64 * 1024, BatchBytes = 16 * 1024, ReserveBytes = 0, SyncMode = SyncMode.FileSync };
        using JournalWriter writer = JournalWriter.Open(options, EngineIdentity.Of(limits), new Storage());
        using MarginMachine machine = new(limits);
        long time = portfolio.ValuationTime;
        for (int index = 0; index < live.Inputs.Count; index++)
        {
            time += TickNanos;
            if (!writer.TryAppend(1, 1, index + 1, time, live.Inputs[index])) throw new InvalidOperationException("the group is full");
            writer.Commit();
            machine.Apply(index + 1, time, live.Inputs[index], live);
        }

        live.StateDigest = machine.StateDigest();
        return live;
    }

    public void OnDecision(ReadOnlySpan<byte> message) => Decisions.Add(message.ToArray());

    public void WriteHeartbeats(Func<string, string>? change = null)
    {
        IEnumerable<string> lines = DecisionsOf(HeartbeatDecoder.TemplateId).Select(message =>
        {
            HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat);
            return $"{heartbeat.Sequence} {heartbeat.StateDigest:x16} {heartbeat.DecisionDigest:x16}";
        });
        string text = string.Join('\n', lines) + "\n";
        File.WriteAllText(HeartbeatLog.PathIn(Directory), change is null ? text : change(text));
    }

    public static void WritePublished(string path, IEnumerable<byte[]> messages)
    {
        using PublishedLogWriter log = new(path);
        foreach (byte[] message in messages) log.Add(PublishedEntry.Of(message));
    }

    // The book is short calls: every tick takes the index up by half a per cent.
    private byte[] Rally(Portfolio portfolio, int tick)
    {
        Coin coin = portfolio.Coins[0];
        IndexPriceEncoder price = IndexPriceEncoder.Wrap(_buffer);
        price.SetOrigin((ulong)Inputs.Count + 1, (ulong)(portfolio.ValuationTime + tick), Source, OriginFlags.EndOfEvent);
        price.UnderlyingId = coin.UnderlyingId;
        price.SetPrice((long)(coin.Index * 100_000_000m * (1m + 0.005m * tick)));
        if (tick % 4 == 0) return _buffer[..price.EncodedLength];
        Slice slice = portfolio.Slices[tick % 2];
        ForwardPriceEncoder forward = ForwardPriceEncoder.Wrap(_buffer);
        forward.SetOrigin((ulong)Inputs.Count + 1, (ulong)(portfolio.ValuationTime + tick), Source, OriginFlags.EndOfEvent);
        forward.UnderlyingId = slice.UnderlyingId;
        forward.Expiry = (ulong)slice.Expiry;
        forward.SetPrice((long)(slice.Forward * 100_000_000m * (1m + 0.005m * tick)));
        return _buffer[..forward.EncodedLength];
    }
}
