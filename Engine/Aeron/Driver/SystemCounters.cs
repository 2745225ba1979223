// The first counters of the CnC file, in the order tools know them by their ids; a watcher of a stock driver finds ours in their places.
// The conductor refreshes them from the agent's totals.

using System.Text;

namespace MarginEngine.Aeron;

internal sealed class SystemCounters
{
    /// <summary>Clients read it before they use newer commands: 1.0.0.</summary>
    private const long ControlProtocolVersion = 1 << 16;

    private const int ErrorsId = 15;
    private const int ControlProtocolId = 43;

    private static readonly string[] Labels =
    [
        "Bytes sent", "Bytes received", "Failed offers to ReceiverProxy", "Failed offers to SenderProxy",
        "Failed offers to DriverConductorProxy", "NAKs sent", "NAKs received", "Status Messages sent", "Status Messages received",
        "Heartbeats sent", "Heartbeats received", "Retransmits sent", "Flow control under runs", "Flow control over runs",
        "Invalid packets", "Errors: MarginEngine's driver", "Short sends", "Failed attempts to free log buffers",
        "Sender flow control limits, i.e. back-pressure events", "Unblocked Publications", "Unblocked Control Commands",
        "Possible TTL Asymmetry", "ControllableIdleStrategy status", "Loss gap fills", "Client liveness timeouts",
        "Resolution changes", "Conductor max cycle time doing its work in ns", "Conductor work cycle exceeded threshold count",
        "Sender max cycle time doing its work in ns", "Sender work cycle exceeded threshold count",
        "Receiver max cycle time doing its work in ns", "Receiver work cycle exceeded threshold count", "NameResolver max time in ns",
        "NameResolver exceeded threshold count", "Aeron software: MarginEngine's driver", "Bytes currently mapped",
        "Retransmitted bytes", "Retransmit Pool Overflow count", "Error Frames received", "Error Frames sent", "Publications Revoked",
        "Publication Images Revoked", "Images rejected", "Control protocol version", "Status Messages rejected",
        "Failed offers to NativeResourceAgentProxy",
    ];

    private readonly CounterTable _counters;

    public SystemCounters(CounterTable counters, long nowMillis)
    {
        _counters = counters;
        for (int id = 0; id < Labels.Length; id++)
        {
            int given = counters.Allocate(
                CounterType.System, BitConverter.GetBytes(id), Encoding.ASCII.GetBytes(Labels[id]), 0, id, -1, nowMillis);
            Check.That(given == id);
        }
        counters.Store(ControlProtocolId, ControlProtocolVersion);
    }

    public void Update(AeronCounters totals)
    {
        _counters.Store(0, totals.BytesSent);
        _counters.Store(1, totals.BytesReceived);
        _counters.Store(5, totals.NaksSent);
        _counters.Store(6, totals.NaksReceived);
        _counters.Store(7, totals.StatusMessagesSent);
        _counters.Store(8, totals.StatusMessagesReceived);
        _counters.Store(9, totals.HeartbeatsSent);
        _counters.Store(10, totals.HeartbeatsReceived);
        _counters.Store(11, totals.Retransmits);
        _counters.Store(12, totals.UnderRuns);
        _counters.Store(13, totals.OverRuns);
        _counters.Store(14, totals.MalformedFrames);
        _counters.Store(ErrorsId, totals.CommandsRefused + totals.ClientTimeouts);
        _counters.Store(16, totals.ShortSends);
        _counters.Store(18, totals.FlowControlWaits);
        _counters.Store(19, totals.PublicationsUnblocked);
        _counters.Store(20, totals.CommandsUnblocked);
        _counters.Store(23, totals.GapsFilled);
        _counters.Store(24, totals.ClientTimeouts);
        _counters.Store(38, totals.ErrorFramesReceived);
        _counters.Store(40, totals.PublicationsRevoked);
        _counters.Store(42, totals.ImagesRejected);
        _counters.Store(44, totals.StatusMessagesRejected);
    }
}
