// An operator as a source of input of its own: learns from the node's heartbeat which number comes next, sends, and waits until the message
// was taken or refused. Used by `margin operate`.
using System.Globalization;
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Operate;

/// <summary>Where the node is, and as which source it is spoken to.</summary>
internal sealed record OperatorLink(string InputChannel, int InputStream, string OutputChannel, int ReplyStream, ushort Source, int PatienceSeconds);

/// <summary>What a heartbeat says of the node and of this source.</summary>
internal readonly record struct NodePlace(long Sequence, ulong LastOfSource);

/// <summary>One thread; dispose closes the sockets.</summary>
internal sealed class OperatorClient : IMessageHandler, IDisposable
{
    private const int WaitMicros = 5_000;
    private const int MessagesAPoll = 64;

    private readonly OperatorLink _link;
    private readonly Terminal _terminal;
    private readonly Clock _clock = new();
    private readonly AeronAgent _agent;
    private readonly Publication _input;
    private readonly Subscription _replies;
    private NodePlace? _place;
    private ulong _first = ulong.MaxValue;
    private string? _refusal;

    /// <exception cref="CommandFailure">A channel is malformed (usage) or its socket cannot be opened (unreachable).</exception>
    public OperatorClient(Terminal terminal, OperatorLink link)
    {
        _terminal = terminal;
        _link = link;
        _agent = new AeronAgent(new AeronOptions(new TransportClock(_clock)));
        try
        {
            _replies = _agent.AddSubscription(link.OutputChannel, link.ReplyStream);
            _input = _agent.AddPublication(link.InputChannel, link.InputStream);
        }
        catch (Exception failure) when (failure is ChannelException or IOException)
        {
            _agent.Dispose();
            throw failure is ChannelException
                ? CommandFailure.Usage(failure.Message)
                : CommandFailure.Unreachable($"cannot reach {link.InputChannel} or hear {link.OutputChannel}: {failure.Message}");
        }
    }

    /// <summary>The wall clock, for the event time of messages.</summary>
    public ulong Now => (ulong)_clock.WallNanos;

    /// <summary>Waits for a heartbeat of a node that can be spoken to.</summary>
    /// <exception cref="CommandFailure">Unreachable: there is none in time.</exception>
    public NodePlace FindNode()
    {
        WorkUntil(() => _place is not null && _input.IsConnected,
            () => _input.IsConnected ? $"no heartbeat is heard on {_link.OutputChannel} stream {_link.ReplyStream}" : $"nobody listens on {_link.InputChannel} stream {_link.InputStream}");
        return _place!.Value;
    }

    /// <summary>Sends messages whose origins follow the last of this source, and waits for the node's word.</summary>
    /// <returns>The node's sequence by which they were taken.</returns>
    /// <exception cref="CommandFailure">Refused: with the code; unreachable: no word comes.</exception>
    public long Send(IReadOnlyList<byte[]> messages)
    {
        _first = _place!.Value.LastOfSource + 1;
        foreach (byte[] message in messages)
        {
            bool isSent = false;
            WorkUntil(() => isSent = isSent || _refusal is not null || _input.Offer(message) > 0, () => $"the node takes no input on {_link.InputChannel}");
        }

        ulong last = _first + (ulong)messages.Count - 1;
        WorkUntil(() => _refusal is not null || _place!.Value.LastOfSource >= last, () => "sent, but the node has not said whether it was taken; margin inspect --operators tells");
        return _refusal is null ? _place!.Value.Sequence : throw CommandFailure.Refused(_refusal);
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        if (HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat))
        {
            ulong last = 0;
            foreach (HeartbeatDecoder.SourcesDecoder.Entry source in heartbeat.Sources)
                if (source.Source == _link.Source)
                    last = source.LastSequence;
            _place = new NodePlace((long)heartbeat.Sequence, last);
        }
        else if (RejectDecoder.TryWrap(message, out RejectDecoder reject) && reject.Source == _link.Source && reject.SourceSequence >= _first)
        {
            _refusal ??= string.Create(CultureInfo.InvariantCulture,
                $"the node refuses it: {Names.Of(reject.Code)}, field {Schema.FieldNameOf(reject.RefusedTemplateId, reject.FieldId)}, expected {reject.Expected}");
        }

        return PollAction.Continue;
    }

    public void Dispose() => _agent.Dispose();

    private void WorkUntil(Func<bool> condition, Func<string> failure)
    {
        long deadline = _clock.MonotonicNanos + _link.PatienceSeconds * 1_000_000_000L;
        OperatorClient handler = this;
        while (!condition())
        {
            int work = _agent.DoWork() + _replies.Poll(ref handler, MessagesAPoll);
            _terminal.Interrupted.ThrowIfCancellationRequested();
            if (_clock.MonotonicNanos > deadline) throw CommandFailure.Unreachable(string.Create(CultureInfo.InvariantCulture, $"{failure()} ({_link.PatienceSeconds} s)"));
            if (work == 0) _agent.WaitForInput(WaitMicros);
        }
    }
}
