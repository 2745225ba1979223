// Where an epoch began: what a former primary compares its own history with. Sent by the replicator, kept by the follower.
namespace MarginEngine.Pipeline;

/// <param name="Epoch">The epoch that began.</param>
/// <param name="First">Its first record.</param>
/// <param name="ChainBefore">Checksum of the record before that; 0: there was none.</param>
public readonly record struct EpochBoundary(uint Epoch, long First, uint ChainBefore);

/// <summary>This node was the primary once and has records that its successor never had.</summary>
public sealed class UnreplicatedTailException(EpochBoundary boundary, long last)
    : Exception($"epoch {boundary.Epoch} began at sequence {boundary.First}, and this journal goes on to {last} in an older one: "
        + $"{last - boundary.First + 1} records were never replicated and must be cut before this node can follow")
{
    public EpochBoundary Boundary { get; } = boundary;
}
