// What a loop polls: every stage of the pipeline has this shape, so that one thread can run one stage or all of them.
namespace MarginEngine.Pipeline;

/// <summary>A stage does what it can without waiting and says how much it did.</summary>
public interface IStage
{
    /// <summary>For faults and thread names.</summary>
    string Name { get; }

    /// <summary>Engine sequence in hand, for faults.</summary>
    long Sequence { get; }

    /// <summary>True while there is something to do that does not depend on another stage or node: standing still then is a stall.</summary>
    bool HasWork { get; }

    /// <summary>Does some work, never waits; returns an amount, 0 when there was nothing.</summary>
    int Poll();
}

/// <summary>Ends a loop from inside a stage when the node stops meanwhile; not a fault.</summary>
internal sealed class NodeStoppingException() : Exception("the node is stopping");
