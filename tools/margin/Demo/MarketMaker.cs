// The demo's market maker: a subscriber of the margin stream in a process of its own. Keeps the newest margin of every account,
// measures how old it is on arrival, and notes a fingerprint of every message for the audit at the end.
using System.Globalization;
using System.Runtime.InteropServices;
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Demo;

internal sealed class MarketMaker(IClock clock, PublishedLogWriter? log) : IMessageHandler
{
    private const int Templates = 256;
    private const int AccountsShown = 10;
    private const int EventsKept = 12;
    private const int WaitMicros = 10_000;
    private const long LineNanos = 250_000_000;

    private readonly Dictionary<ulong, Standing> _accounts = [];
    private readonly long[] _received = new long[Templates];
    private readonly Dictionary<string, long> _states = [];
    private readonly Queue<string> _events = [];
    private readonly LatencyHistogram _latency = new();
    private readonly Dictionary<ushort, ulong> _sources = [];
    private readonly HeardBefore _heard = new();
    private int? _session;
    private long _lastNanos;
    private long _silenceNanos;
    private long _duplicates;
    private long _messages;
    private long _heartbeat;

    /// <summary>Listens until the stream ends or the caller is interrupted; prints a status line four times a second and one at the end.</summary>
    public static int Run(Terminal terminal, string channel, int stream, string? record, string? latencies)
    {
        Clock clock = new();
        using StreamListener listener = new(channel, stream, clock);
        using PublishedLogWriter? log = record is null ? null : new PublishedLogWriter(record);
        MarketMaker maker = new(clock, log);
        terminal.Say($"market maker listens to {channel}, stream {stream}");
        long next = 0;
        while (!terminal.Interrupted.IsCancellationRequested && !listener.HasEnded)
        {
            listener.Poll(ref maker, WaitMicros);
            if (clock.MonotonicNanos < next) continue;
            next = clock.MonotonicNanos + LineNanos;
            clock.Discipline();
            Print(terminal, maker);
        }

        Print(terminal, maker);
        if (latencies is not null)
        {
            using StreamWriter file = new(latencies);
            HgrmWriter.Write(maker._latency, file);
        }

        return ExitCode.Done;
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        long now = clock.WallNanos;
        if (message.Length < PublishedEntry.ShortestMessage || !Schema.TryTemplateOf(message, out ushort template)) return PollAction.Continue;
        NoteSilence(context.SessionId);
        PublishedEntry entry = PublishedEntry.Of(message);
        if (!_heard.IsNew(entry))
        {
            _duplicates++;
            return PollAction.Continue;
        }

        _messages++;
        _received[template < Templates ? template : 0]++;
        log?.Add(entry);
        switch (template)
        {
            case MarginUpdateDecoder.TemplateId: OnUpdate(message, now); break;
            case MarginCallDecoder.TemplateId: OnCall(message); break;
            case LiquidationInstructionDecoder.TemplateId: OnLiquidation(message); break;
            case FundEventDecoder.TemplateId: OnFund(message); break;
            case HeartbeatDecoder.TemplateId: OnHeartbeat(message); break;
        }

        return PollAction.Continue;
    }

    private static void Print(Terminal terminal, MarketMaker maker)
    {
        terminal.Out.WriteLine(maker.Line().ToJson());
        terminal.Out.Flush();
    }

    // What the killed primary sent last may still come behind the first of the new one.
    private void NoteSilence(int session)
    {
        long now = clock.MonotonicNanos;
        if (_session is { } known && known != session && _silenceNanos == 0) _silenceNanos = now - _lastNanos;
        _session = session;
        _lastNanos = now;
    }

    private void OnUpdate(ReadOnlySpan<byte> message, long now)
    {
        if (!MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update)) return;
        // A cause without a time is the opening of the books, which comes as fast as it is taken.
        if (update.CauseTime != 0) _latency.Record(now - (long)update.CauseTime);
        ref Standing standing = ref CollectionsMarshal.GetValueRefOrAddDefault(_accounts, update.AccountId, out _);
        standing = new Standing(
            update.Ratio.Mantissa, update.Equity.Mantissa, update.MaintenanceMargin.Mantissa, update.BuyingPower.Mantissa, update.State, update.Flags);
    }

    private void OnCall(ReadOnlySpan<byte> message)
    {
        if (!MarginCallDecoder.TryWrap(message, out MarginCallDecoder call)) return;
        string state = Names.Of(call.State);
        _states[state] = _states.GetValueOrDefault(state) + 1;
        Note($"account {call.AccountId}: {Names.Of(call.PreviousState)} -> {state}, ratio {Ratio(call.Ratio.Mantissa)}");
    }

    private void OnLiquidation(ReadOnlySpan<byte> message)
    {
        if (!LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder close)) return;
        Note($"account {close.AccountId}: liquidation, {close.Legs.Count} legs, attempt {close.Attempt}, ratio {Ratio(close.Ratio.Mantissa)}");
    }

    private void OnFund(ReadOnlySpan<byte> message)
    {
        if (!FundEventDecoder.TryWrap(message, out FundEventDecoder fund)) return;
        Note(string.Create(CultureInfo.InvariantCulture, $"fund: {Names.Of(fund.Kind)} {fund.Amount.Mantissa / 1_000_000m:#,0} USD for account {fund.AccountId}"));
    }

    private void OnHeartbeat(ReadOnlySpan<byte> message)
    {
        if (!HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat)) return;
        _heartbeat = (long)heartbeat.Sequence;
        foreach (HeartbeatDecoder.SourcesDecoder.Entry source in heartbeat.Sources) _sources[source.Source] = source.LastSequence;
    }

    private static string Ratio(long mantissa) => DemoText.Ratio(mantissa);

    private void Note(string text)
    {
        if (_events.Count == EventsKept) _events.Dequeue();
        _events.Enqueue(text);
    }

    private ListenerLine Line()
    {
        Dictionary<string, long> received = [];
        for (int template = 0; template < Templates; template++)
            if (_received[template] > 0)
                received[Schema.NameOf(template)] = _received[template];
        ListenerLine line = new()
        {
            Messages = _messages,
            Received = received,
            States = new Dictionary<string, long>(_states),
            TickToMargin = Percentiles.Of(LatencyFigures.Of(_latency)),
            Duplicates = _duplicates,
            SilenceNanos = _silenceNanos,
            Accounts = _accounts.Count,
            Nearest = Nearest(),
            Events = [.. _events],
            HeartbeatSequence = _heartbeat,
            Sources = new Dictionary<ushort, ulong>(_sources),
        };
        _events.Clear();
        return line;
    }

    private List<AccountLine> Nearest()
    {
        PriorityQueue<ulong, long> highest = new();
        foreach ((ulong account, Standing standing) in _accounts)
        {
            if (highest.Count < AccountsShown) highest.Enqueue(account, standing.Ratio);
            else highest.EnqueueDequeue(account, standing.Ratio);
        }

        return [.. highest.UnorderedItems.Select(item => Line(item.Element)).OrderByDescending(account => account.Ratio).ThenBy(account => account.Account)];
    }

    private AccountLine Line(ulong account)
    {
        Standing standing = _accounts[account];
        string flags = string.Join(' ', Names.Of(standing.Flags & ~MarginFlags.StateChanged));
        return new AccountLine(account, Names.Of(standing.State), standing.Ratio, standing.Equity, standing.Maintenance, standing.BuyingPower, flags);
    }

    /// <summary>The newest margin of an account, as it came.</summary>
    private readonly record struct Standing(long Ratio, long Equity, long Maintenance, long BuyingPower, AccountState State, MarginFlags Flags);
}
