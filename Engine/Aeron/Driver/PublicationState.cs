// How far a stream is from its end, over the network or in shared memory.

namespace MarginEngine.Aeron;

internal enum PublicationState
{
    Active,

    /// <summary>Closed by its user; what was offered is still being sent.</summary>
    Draining,

    /// <summary>All is sent; NAKs are answered and the end of the stream is signalled.</summary>
    Lingering,

    Closed,
}
