// The witness of a simulated pair: grants a lease to one node at a time, over a network that can be slow or cut.
using MarginEngine.Promotion;

namespace MarginEngine.Tool.Simulate;

/// <summary>Answers questions in the order in which they arrive, whether or not the asker still runs.</summary>
internal sealed class SimulatedWitness(SimulatedWorld world, Random random)
{
    public const string Host = "witness";
    private readonly PriorityQueue<Question, (long, long)> _questions = new();
    private SimulatedLease? _holder;
    private string _lastHolder = "";
    private uint _epoch;
    private long _endsAt;
    private long _order;

    /// <summary>Grants so far.</summary>
    public uint Epoch => _epoch;

    /// <summary>A node's name counts no longer: its disk was replaced, so it does not have what it published.</summary>
    public void Forget(string node)
    {
        if (_lastHolder == node)
            _lastHolder = "nobody";
    }

    /// <summary>Sends a question on its way; it may be lost.</summary>
    public void Ask(SimulatedLease from, long wantedEpoch, bool gives, long sentNanos)
    {
        if (!world.Severed.Contains((from.Host, Host)))
            _questions.Enqueue(new Question(from, wantedEpoch, gives, sentNanos), (world.Clock.Now + Flight(), _order++));
    }

    /// <summary>Answers whatever has arrived.</summary>
    public void Work()
    {
        while (_questions.TryPeek(out Question? question, out (long At, long) due) && due.At <= world.Clock.Now)
        {
            _questions.Dequeue();
            LeaseView view = Decide(question, due.At);
            if (!world.Severed.Contains((Host, question.From.Host)))
                question.From.Deliver(view, due.At + Flight());
        }
    }

    private LeaseView Decide(Question question, long now)
    {
        bool isHeld = _holder is not null && now < _endsAt;
        if (isHeld && _holder == question.From && question.Gives)
        {
            _holder = null;
            isHeld = false;
        }
        else if (isHeld && _holder == question.From)
        {
            _endsAt = now + SimulatedLease.Ttl; // whoever holds it and asks renews it
        }
        else if (!isHeld && question.WantedEpoch == _epoch)
        {
            (_holder, _lastHolder, _endsAt, isHeld) = (question.From, question.From.Host, now + SimulatedLease.Ttl, true);
            _epoch++;
        }

        LeaseState state = !isHeld ? LeaseState.Free : _holder == question.From ? LeaseState.Mine : LeaseState.Others;
        return new LeaseView(state, _epoch, _lastHolder, question.SentNanos + SimulatedLease.Ttl, "");
    }

    private long Flight() => random.NextInt64(20_000, 3_000_000);

    private sealed record Question(SimulatedLease From, long WantedEpoch, bool Gives, long SentNanos);
}

/// <summary>One process's side of it: a question at a time, again when no answer comes.</summary>
internal sealed class SimulatedLease(SimulatedWitness witness, SimulatedTime time, string host) : ILease
{
    public const long Ttl = 1_000_000_000;
    private LeaseView _view = LeaseView.Unknown;
    private (LeaseView View, long At)? _answer;
    private long _nextNanos = long.MinValue;
    private long _wanted = -1;
    private bool _gives;
    private bool _isSilent;

    public string Host => host;

    public long TtlNanos => Ttl;

    public void Acquire(uint epochSeen)
    {
        _wanted = epochSeen;
        _nextNanos = long.MinValue;
    }

    public void Release()
    {
        _wanted = -1;
        _gives = true;
        _nextNanos = long.MinValue;
    }

    public LeaseView Poll(long nowNanos)
    {
        if (_answer is { } answer && time.Now >= answer.At)
        {
            _view = answer.View;
            _answer = null;
        }

        if (nowNanos >= _nextNanos && !_isSilent)
        {
            witness.Ask(this, _wanted, _gives, nowNanos);
            _wanted = -1;
            _gives = false;
            _nextNanos = nowNanos + Ttl / 10;
        }

        bool isOver = _view.State == LeaseState.Mine && nowNanos >= _view.ValidUntilNanos;
        return isOver ? new LeaseView(LeaseState.Unreachable, _view.Epoch, _view.Holder, 0, "no answer in time") : _view;
    }

    /// <summary>Its process is gone: nothing more is asked, nothing given back.</summary>
    public void Silence() => _isSilent = true;

    /// <summary>An answer on its way; a newer one overtakes an older one.</summary>
    public void Deliver(LeaseView view, long at) => _answer = (view, at);

    public void Dispose()
    {
    }
}
