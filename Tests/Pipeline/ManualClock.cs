// A clock that moves when a test says so.
using MarginEngine.Watch;

namespace MarginEngine.Tests.PipelineTests;

internal sealed class ManualClock : IClock
{
    public long MonotonicNanos { get; set; } = 1_000_000_000;

    public long WallNanos { get; set; } = 1_770_000_000_000_000_000;
}
