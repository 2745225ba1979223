// Why a node stopped by itself: which stage, at which sequence, with what. Handed to Node's caller, which ends the process.
namespace MarginEngine.Pipeline;

/// <param name="Stage">The stage that failed: gateway, journaller, replicator, decider, publisher, follower, acknowledger.</param>
/// <param name="Sequence">Engine sequence the stage had in hand; 0 when none.</param>
/// <param name="Cause">What it threw.</param>
/// <param name="FlightRecord">The last messages before it, one line each, newest last.</param>
public sealed record NodeFault(string Stage, long Sequence, Exception Cause, string FlightRecord)
{
    public override string ToString() => $"the {Stage} failed at sequence {Sequence}: {Cause.GetType().Name}: {Cause.Message}";
}

/// <summary>Primary and standby computed different states from the same records.</summary>
public sealed class DivergenceException(long sequence, string what, ulong ours, ulong theirs, string dump = "")
    : Exception($"{what} differs at sequence {sequence}: ours is 0x{ours:x16}, the primary's is 0x{theirs:x16}{(dump.Length > 0 ? ". " : "")}{dump}")
{
    public long Sequence { get; } = sequence;

    /// <summary>The same, saying where the state was written to.</summary>
    public DivergenceException With(string dump) => new(Sequence, what, ours, theirs, dump);
}

/// <summary>A stage has work and has not moved for too long.</summary>
public sealed class StageStalledException(string stage, long millis)
    : Exception($"the {stage} has work and has not moved for {millis} ms");
