// The seam to the witness: the third vote that says which of two nodes may be the primary. LeaseFile and EtcdLease are real ones, the
// simulation has its own. Driven by LeaseKeeper.
namespace MarginEngine.Promotion;

/// <summary>What the witness says.</summary>
public enum LeaseState
{
    /// <summary>It was not asked yet, or has not answered yet.</summary>
    Unknown,

    /// <summary>Nobody holds the lease.</summary>
    Free,

    /// <summary>This node holds it.</summary>
    Mine,

    /// <summary>Another node holds it.</summary>
    Others,

    /// <summary>It does not answer, and what it said before is not valid any more.</summary>
    Unreachable,
}

/// <summary>The newest answer of the witness.</summary>
/// <param name="State">Who holds the lease.</param>
/// <param name="Epoch">Epoch of the newest grant; 0: there never was one.</param>
/// <param name="Holder">Name of the node that had it.</param>
/// <param name="ValidUntilNanos">
/// For a lease of ours: the monotonic time at which it can run out at the witness, if it is not renewed. Measured from before the request
/// was sent that took or renewed it, so the witness counts from the same moment or later.
/// </param>
/// <param name="Problem">Why the witness could not be asked last time; empty where it could.</param>
public sealed record LeaseView(LeaseState State, uint Epoch, string Holder, long ValidUntilNanos, string Problem)
{
    public static readonly LeaseView Unknown = new(LeaseState.Unknown, 0, "", 0, "");

    public override string ToString() => State switch
    {
        LeaseState.Mine => $"mine, epoch {Epoch}",
        LeaseState.Others => $"held by {Holder}, epoch {Epoch}",
        LeaseState.Free => Epoch == 0 ? "free, never granted" : $"free, last held by {Holder} in epoch {Epoch}",
        LeaseState.Unreachable => $"witness unreachable: {Problem}",
        _ => "witness not asked yet",
    };
}

/// <summary>
/// A lease at a witness that grants it to one node at a time, with an epoch that grows by one with every grant. No call waits, no
/// thread is started, time is what the caller says: one thread polls.
/// </summary>
public interface ILease : IDisposable
{
    /// <summary>How long a grant or a renewal lasts at the witness.</summary>
    long TtlNanos { get; }

    /// <summary>Does what is due: looks, renews, asks; and returns the newest view. An unreachable witness is a view, not an exception.</summary>
    /// <param name="nowNanos">Monotonic time; never goes back.</param>
    LeaseView Poll(long nowNanos);

    /// <summary>
    /// Asks for the lease from the next poll on; the answer is a view. The witness grants it only while nobody holds it and the newest
    /// grant is still the one seen: whoever decided on an older picture gets nothing.
    /// </summary>
    /// <param name="epochSeen">Epoch of the view that was decided on.</param>
    void Acquire(uint epochSeen);

    /// <summary>Gives the lease back from the next poll on, so that the other node need not wait for its end.</summary>
    void Release();
}
