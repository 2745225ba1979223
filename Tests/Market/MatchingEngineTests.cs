using System.Net;
using System.Net.Sockets;
using MarginEngine.Aeron;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using MarginEngine.Tool.Shell;
using MarginEngine.Watch;
using NUnit.Framework;
using Limits = MarginEngine.Logic.Limits;

namespace MarginEngine.Tests.MarketTests;

/// <summary>The matching engine over real sockets on loopback, against a margin machine on another thread that plays the engine's part.</summary>
[Parallelizable(ParallelScope.Self)]
public class MatchingEngineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Test]
    public void A_market_over_the_wire_is_confirmed_to_the_last_message_and_its_liquidations_are_carried_out()
    {
        MarketOptions options = Options(FreePort(), FreePort());
        using var engine = new MiniEngine(options);
        MarketSummary? summary = null;
        using var output = new StringWriter();
        int code = MarketCommand.Run(options, Deadline(), output, json: false, status => summary = status);
        engine.Stop();
        TestContext.Out.WriteLine(output);
        Assert.That(engine.Fault, Is.Null);
        Assert.That(code, Is.EqualTo(ExitCode.Done));
        Assert.That(summary!.IsConfirmed, Is.True);
        Assert.That(summary.Events, Is.EqualTo(options.EventCount));
        Assert.That(summary.Rejects, Is.Empty);
        Assert.That(summary.Liquidations, Is.GreaterThan(0));
        Assert.That(engine.LastOfSource, Is.EqualTo((ulong)summary.Messages));
    }

    [Test]
    public void An_engine_that_is_replaced_in_the_middle_gets_every_message_once()
    {
        MarketOptions options = Options(FreePort(), FreePort());
        var engine = new MiniEngine(options);
        MarketSummary? summary = null;
        int restarts = 0;
        using var output = new StringWriter();
        int code = MarketCommand.Run(options, Deadline(), output, json: true, status =>
        {
            summary = status;
            if (status.Phase == MarketPhase.Trading && restarts < 2 && status.Events > (restarts + 1) * options.EventCount / 4)
            {
                restarts++;
                engine.Replace();
            }
        });
        engine.Stop();
        TestContext.Out.WriteLine(output);
        Assert.That(engine.Fault, Is.Null);
        Assert.That(restarts, Is.EqualTo(2));
        Assert.That(code, Is.EqualTo(ExitCode.Done));
        Assert.That(summary!.Rejects, Is.Empty);
        Assert.That(engine.LastOfSource, Is.EqualTo((ulong)summary.Messages));
        engine.Dispose();
    }

    [Test]
    public void Without_an_engine_the_market_gives_up_and_says_where_it_knocked()
    {
        MarketOptions options = Options(FreePort(), FreePort()) with { ConnectSeconds = 1, Accounts = 5 };
        using var output = new StringWriter();
        var error = Assert.Throws<CommandFailure>(() => MarketCommand.Run(options, Deadline(), output));
        Assert.That(error!.Code, Is.EqualTo(ExitCode.Unreachable));
        Assert.That(error.Message, Does.Contain(options.InputChannel));
    }

    [Test]
    public void A_market_that_is_told_to_stop_ends_at_once()
    {
        MarketOptions options = Options(FreePort(), FreePort()) with { Seconds = 3_600, EventsPerSecond = 100, Accounts = 10 };
        using var engine = new MiniEngine(options);
        using var stop = new CancellationTokenSource();
        using var output = new StringWriter();
        MarketSummary? last = null;
        int code = MarketCommand.Run(options, stop.Token, output, json: false, status =>
        {
            last = status;
            if (status.Events > 10)
                stop.Cancel();
        });
        engine.Stop();
        Assert.That(code, Is.EqualTo(ExitCode.Done));
        Assert.That(last!.Phase, Is.EqualTo(MarketPhase.Done));
        Assert.That(last.Events, Is.LessThan(10_000));
    }

    [Test]
    public void A_malformed_channel_is_a_usage_error()
        => Assert.That(Assert.Throws<CommandFailure>(() => MarketCommand.Run(
            new MarketOptions { Accounts = 5, InputChannel = "aeron:carrier-pigeon" }, CancellationToken.None))!.Code, Is.EqualTo(ExitCode.Usage));

    private static MarketOptions Options(int input, int output) => new()
    {
        Source = "builtin",
        Accounts = 60,
        Seconds = 2,
        EventsPerSecond = 400,
        Seed = 5,
        InputChannel = $"aeron:udp?endpoint=127.0.0.1:{input}|term-length=1m",
        OutputChannel = $"aeron:udp?endpoint=127.0.0.1:{output}|term-length=1m",
        DrainSeconds = 60,
    };

    private static CancellationToken Deadline() => new CancellationTokenSource(Patience).Token;

    private static int FreePort() => Tool.Demo.FreePorts.Take(1)[0];

    /// <summary>Gateway, machine and publisher in one loop. Its state outlives <see cref="Replace"/>, as a journal lets it.</summary>
    private sealed class MiniEngine : IDecisionSink, IMessageHandler, IDisposable
    {
        private readonly MarketOptions _options;
        private readonly Clock _clock = new();
        private readonly MarginMachine _machine;
        private readonly Queue<byte[]> _margins = new();
        private readonly Queue<byte[]> _replies = new();
        private readonly Thread _thread;
        private readonly OriginStamp _gateway = new(ushort.MaxValue);
        private volatile bool _stop;
        private volatile bool _replace;

        public MiniEngine(MarketOptions options)
        {
            _options = options;
            _machine = new MarginMachine(new Limits { Accounts = 128, Positions = 16_384, Units = 2_048 });
            _thread = new Thread(Guard) { IsBackground = true };
            _thread.Start();
        }

        public Exception? Fault { get; private set; }

        public ulong LastOfSource => _machine.LastSourceSequence(_options.SourceId);

        public void Replace() => _replace = true;

        public void Stop()
        {
            _stop = true;
            Assert.That(_thread.Join(Patience), Is.True, "the engine's thread ends");
        }

        public void Dispose()
        {
            if (_thread.IsAlive)
                Stop();
            _machine.Dispose();
        }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            ushort template = OriginStamp.TemplateOf(message);
            bool toBoth = template == Codecs.HeartbeatDecoder.TemplateId;
            bool isReply = template is Codecs.RejectDecoder.TemplateId or Codecs.PreTradeAnswerDecoder.TemplateId;
            if (isReply || toBoth)
                _replies.Enqueue(message.ToArray());
            if (!isReply || toBoth)
                _margins.Enqueue(message.ToArray());
        }

        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            Apply(message);
            return PollAction.Continue;
        }

        private void Apply(ReadOnlySpan<byte> message)
            => _machine.Apply(_machine.LastSequence + 1, Math.Max(_machine.LastTime + 1, _clock.WallNanos), message, this);

        private void Guard()
        {
            try
            {
                while (!_stop)
                {
                    _replace = false;
                    Live();
                }
            }
            catch (Exception error)
            {
                Fault = error;
            }
        }

        private void Live()
        {
            using var agent = new AeronAgent(new AeronOptions(new AgentClock(_clock)) { ReceiverLivenessNanos = 1_000_000_000 });
            Subscription input = agent.AddSubscription(_options.InputChannel, _options.InputStream);
            Publication margins = agent.AddPublication(_options.OutputChannel, _options.MarginStream);
            Publication replies = agent.AddPublication(_options.OutputChannel, _options.ReplyStream);
            long ticked = 0;
            while (!_stop && !_replace)
            {
                MiniEngine self = this;
                int work = agent.DoWork() + input.Poll(ref self, 64);
                if (_clock.MonotonicNanos - ticked > 50_000_000)
                {
                    ticked = _clock.MonotonicNanos;
                    Apply(Tick());
                }
                work += Publish(margins, _margins) + Publish(replies, _replies);
                if (work == 0)
                    agent.WaitForInput(500);
            }
        }

        private static int Publish(Publication publication, Queue<byte[]> decisions)
        {
            int sent = 0;
            for (; decisions.TryPeek(out byte[]? decision); sent++)
            {
                long position = publication.Offer(decision);
                if (position is Publication.BackPressured or Publication.AdminAction)
                    break;
                decisions.Dequeue();
            }
            return sent;
        }

        private byte[] Tick()
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

    private sealed class AgentClock(Clock clock) : INanoClock
    {
        public long NanoTime() => clock.MonotonicNanos;
    }
}
