// A client's watch: how long it heard no decision on newer input, which is what a fault costs whoever trades.
using System.Diagnostics;
using MarginEngine.Tests.PromotionTests;

namespace MarginEngine.Tests.ProcessTests;

/// <summary>Drives the client, at a rate that leaves something to send while faults come and go, and looks after every step.</summary>
internal sealed class DecisionWatch(PairClient client, int sides, int messagesASecond = 2_000)
{
    private const int AtOnce = 16;
    private readonly int[] _seen = new int[sides];
    private readonly long _begin = Stopwatch.GetTimestamp();
    private long _sent;
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Newest input that a margin was heard of.</summary>
    public long Newest { get; private set; }

    /// <summary>Longest time without one since <see cref="Begin"/>.</summary>
    public TimeSpan LongestSilence { get; private set; }

    /// <summary>A fault happens now.</summary>
    public void Begin()
    {
        _last = Stopwatch.GetTimestamp();
        LongestSilence = TimeSpan.Zero;
    }

    public void Work()
    {
        long due = (long)(Stopwatch.GetElapsedTime(_begin).TotalSeconds * messagesASecond);
        client.Work((int)Math.Min(due - _sent, AtOnce));
        _sent = due;
        for (int side = 0; side < sides; side++)
        {
            List<byte[]> heard = client.WorldOf(side).Margins.Heard;
            for (; _seen[side] < heard.Count; _seen[side]++)
            {
                long sequence = BitConverter.ToInt64(heard[_seen[side]], 8);
                if (sequence <= Newest)
                    continue;
                Newest = sequence;
                TimeSpan silence = Stopwatch.GetElapsedTime(_last);
                LongestSilence = silence > LongestSilence ? silence : LongestSilence;
                _last = Stopwatch.GetTimestamp();
            }
        }
    }

    public void WorkUntil(Func<bool> condition, Func<string> message) => PipelineTests.Until.True(condition, Work, message, () => client.HeardAll);

    /// <summary>Works for a time: as long as a fault lasts.</summary>
    public void WorkFor(TimeSpan time)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < time)
            Work();
    }
}
