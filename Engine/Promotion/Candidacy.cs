// Why a standby may not take the primary's place, in words; the rule of every promotion, by lease or by command. Reads the standby's
// gauges and the witness's view, changes nothing.
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Promotion;

internal static class Candidacy
{
    private const long SilenceNanos = 2_000_000_000;

    /// <summary>
    /// By itself, with a free lease: only a node that holds everything that ever left a primary. That is the one that had the lease last,
    /// and a standby whose primary of just that epoch let nothing out that it had not received.
    /// </summary>
    /// <returns>What stands against it; null: nothing.</returns>
    public static string? ObjectionToTaking(NodeGauges gauges, LeaseView view, LeaseOptions lease)
    {
        if (view.State != LeaseState.Free)
            return $"the lease is not free: {view}";
        if (view.Holder == lease.Node)
            return null;
        // The epoch is read first: what is read after it may belong to a newer one, whose lease then is not the one seen.
        long epoch = gauges.PrimaryEpoch.Value;
        if (epoch == 0)
            return "no primary was heard since this node was started";
        if (epoch != view.Epoch)
            return $"the primary that this node followed had epoch {epoch}, the last lease was granted for epoch {view.Epoch}: its records may be missing here";
        if (ObjectionToState(gauges) is { } objection)
            return objection;
        if (IsInGate(gauges) || lease.AcceptLoss)
            return null;
        return gauges.GatedFrom.Value < 0
            ? "the primary's gate did not wait for this standby: decisions may have left on inputs that are not here (lease.acceptLoss accepts that)"
            : $"the primary's gate waits for this standby from sequence {gauges.GatedFrom.Value} on, and it has received {gauges.Received.Value}";
    }

    /// <summary>By command, without a lease.</summary>
    /// <param name="gauges">The standby's.</param>
    /// <param name="nowNanos">Monotonic time.</param>
    public static string? ObjectionToPromotion(NodeGauges gauges, long nowNanos)
    {
        long heard = gauges.PrimaryHeardNanos.Value;
        if (heard == 0)
            return "no primary was heard since this node was started, so it is not known whether anything is missing";
        if (nowNanos - heard < SilenceNanos)
            return $"the primary is alive (heard {(nowNanos - heard) / 1_000_000} ms ago): stop it first, it then hands everything over";
        return ObjectionToState(gauges);
    }

    /// <summary>Nothing ever left the primary, in the epoch last heard of, that is not here.</summary>
    public static bool IsInGate(NodeGauges gauges) => gauges.GatedFrom.Value >= 0 && gauges.Received.Value >= gauges.GatedFrom.Value;

    private static string? ObjectionToState(NodeGauges gauges)
    {
        if (gauges.Diverged.Value != 0)
            return "its digest differed from the primary's";
        if (gauges.Events(NodeEvent.DigestEqual) == 0)
            return "no digest was compared with the primary's yet";
        if (!IsInGate(gauges) && gauges.PrimaryFeedsLive.Value == 0)
            return $"it was still catching up with the primary, at sequence {gauges.Received.Value}";
        return null;
    }
}
