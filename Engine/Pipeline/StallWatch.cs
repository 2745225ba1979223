// Notices a stage that has work and does not move: a disk that never answers, a loop that never returns. Called by housekeeping.
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>Compares progress between looks; one thread.</summary>
internal sealed class StallWatch
{
    private readonly StageLoop[] _loops;
    private readonly Watched[] _stages;
    private readonly IClock _clock;
    private readonly long _limitNanos;

    public StallWatch(StageLoop[] loops, long limitNanos, IClock clock)
    {
        _loops = loops;
        _stages = [.. loops.SelectMany(loop => loop.Stages).Distinct().Select(stage => new Watched(stage))];
        _limitNanos = limitNanos;
        _clock = clock;
        Loops = [.. loops.Select(loop => new WatchedLoop(loop))];
    }

    private WatchedLoop[] Loops { get; }

    /// <summary>The stage that is stuck, or null.</summary>
    public IStage? Look()
    {
        long now = _clock.MonotonicNanos;
        foreach (WatchedLoop loop in Loops)
        {
            bool moved = loop.Loop.IsParked || loop.Loop.IsStopping || loop.Loop.Passes != loop.Passes;
            if (loop.IsStuck(moved, loop.Loop.Passes, now, _limitNanos))
                return loop.Loop.Current;
        }

        foreach (Watched watched in _stages)
        {
            bool moved = !watched.Stage.HasWork || watched.Stage.Sequence != watched.Sequence;
            if (watched.IsStuck(moved, watched.Stage.Sequence, now, _limitNanos))
                return watched.Stage;
        }

        return null;
    }

    private sealed class Watched(IStage stage) : Progress
    {
        public IStage Stage => stage;

        public long Sequence => Last;
    }

    private sealed class WatchedLoop(StageLoop loop) : Progress
    {
        public StageLoop Loop => loop;

        public long Passes => Last;
    }

    private class Progress
    {
        private long _movedAtNanos = long.MinValue;

        protected long Last { get; private set; } = -1;

        public bool IsStuck(bool moved, long value, long now, long limitNanos)
        {
            if (moved || _movedAtNanos == long.MinValue)
            {
                _movedAtNanos = now;
                Last = value;
            }

            return now - _movedAtNanos > limitNanos;
        }
    }
}
