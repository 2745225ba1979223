// A source and a subscriber that know both nodes of a pair: sends to whoever takes input, goes back to where a new primary, or a full disk, says, and
// keeps every decision it hears with the node it came from.
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;

namespace MarginEngine.Tests.PromotionTests;

/// <summary>Driven by the test's own thread.</summary>
internal sealed class PairClient : IDisposable
{
    private readonly List<byte[]> _script;
    private readonly Side[] _sides;

    public PairClient(List<byte[]> script, params NodeOptions[] nodes)
    {
        _script = script;
        _sides = [.. nodes.Select(options => new Side(TestNode.WorldOf(options)))];
    }

    /// <summary>Messages that some primary's heartbeat says are taken.</summary>
    public int Confirmed { get; private set; }

    public bool IsDone => Confirmed == _script.Count;

    public World WorldOf(int side) => _sides[side].World;

    /// <summary>Messages heard from all nodes.</summary>
    public int HeardAll => _sides.Sum(side => side.World.Heard);

    public int Heard(int side) => _sides[side].World.Heard;

    public IEnumerable<byte[]> Margins => _sides.SelectMany(side => side.World.Margins.Heard);

    public IEnumerable<byte[]> Replies => _sides.SelectMany(side => side.World.Replies.Heard);

    /// <summary>Repeats of the same bytes: what a subscriber of both nodes drops.</summary>
    public int Duplicates => Margins.Concat(Replies).Count() - Margins.Select(Reference.Key).Distinct().Count() - Replies.Select(Reference.Key).Distinct().Count();

    /// <summary>Decisions of the machine that came from a node, gateway rejects left out.</summary>
    public IEnumerable<byte[]> DecisionsOf(int side) => _sides[side].World.Margins.Heard.Concat(
        _sides[side].World.Replies.Heard.Where(message => Reference.Template(message) != RejectDecoder.TemplateId));

    /// <summary>Sends up to so many messages to every node that listens, and hears what there is.</summary>
    public void Work(int messages = 16)
    {
        foreach (Side side in _sides)
        {
            side.World.Work();
            if (side.World.IsConnected && !side.WasConnected)
                side.Next = Confirmed;
            side.WasConnected = side.World.IsConnected;
            for (int i = 0; side.WasConnected && i < messages && side.Next < _script.Count && side.World.TrySend(_script[side.Next]); i++)
                side.Next++;
            for (; side.RepliesSeen < side.World.Replies.Heard.Count; side.RepliesSeen++)
                Hear(side, side.World.Replies.Heard[side.RepliesSeen]);
        }
    }

    public void WorkUntil(Func<bool> condition, Func<string> message, int messages = 16) => Until.True(condition, () => Work(messages), message, () => HeardAll);

    /// <summary>Works without ever sleeping: whoever ends waits for its hearers only a moment.</summary>
    public void WorkBusily(Func<bool> condition, Func<string> message)
    {
        int rounds = 0;
        Until.True(condition, () => Work(), message, () => ++rounds);
    }

    public void Dispose()
    {
        foreach (Side side in _sides)
            side.World.Dispose();
    }

    private void Hear(Side side, byte[] message)
    {
        if (RejectDecoder.TryWrap(message, out RejectDecoder reject))
        {
            bool isSamePass = reject.Expected == side.LastGap && reject.SourceSequence > side.LastRefused;
            side.LastRefused = reject.SourceSequence;
            if (reject.Code is not (RejectCode.SequenceGap or RejectCode.Capacity) || isSamePass)
                return;
            side.LastGap = reject.Expected;
            side.Next = (int)reject.Expected - 1;
        }
        else if (HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat))
        {
            foreach (HeartbeatDecoder.SourcesDecoder.Entry entry in heartbeat.Sources)
            {
                if (entry.Source == Script.Source)
                    Confirmed = Math.Max(Confirmed, (int)entry.LastSequence);
            }
        }
    }

    private sealed class Side(World world)
    {
        public World World => world;

        public int Next { get; set; }

        public bool WasConnected { get; set; }

        public int RepliesSeen { get; set; }

        public ulong LastGap { get; set; }

        public ulong LastRefused { get; set; }
    }
}
