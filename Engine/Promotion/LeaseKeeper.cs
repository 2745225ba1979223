// Keeps a lease alive and says at any moment, to any thread, whether it still holds. The stages of a primary ask before they act.
using MarginEngine.Watch;

namespace MarginEngine.Promotion;

/// <summary>
/// One thread polls: its own after <see cref="Start"/>, or the holder's. A lease counts as held until a tenth of its time before it can
/// run out at the witness: that covers clocks that run at different speeds and the moment between asking here and acting.
/// </summary>
public sealed class LeaseKeeper : IDisposable
{
    /// <summary>Part of the lease's time that is not used.</summary>
    public const int MarginPart = 10;

    private const int PollMillis = 10;
    private const long Nothing = -1;
    private readonly ILease _lease;
    private readonly IClock _clock;
    private readonly ManualResetEventSlim _ended = new();
    private LeaseView _view = LeaseView.Unknown;
    private Thread? _thread;
    private long _heldUntilNanos = long.MinValue;
    private long _wantedEpoch = Nothing;
    private int _release;
    private int _isGivenUp;

    /// <param name="lease">Becomes the keeper's: it is disposed with it.</param>
    /// <param name="clock">The clock of the node that acts under the lease.</param>
    public LeaseKeeper(ILease lease, IClock clock)
    {
        _lease = lease;
        _clock = clock;
    }

    /// <summary>The newest view.</summary>
    public LeaseView View => Volatile.Read(ref _view);

    /// <summary>True while this node may act as the primary. Any thread.</summary>
    public bool IsHeld => _clock.MonotonicNanos < Volatile.Read(ref _heldUntilNanos);

    /// <summary>How long a grant lasts at the witness.</summary>
    public long TtlNanos => _lease.TtlNanos;

    /// <exception cref="LeaseLostException">This node must not act as the primary any more.</exception>
    public void Check()
    {
        if (!IsHeld)
            throw new LeaseLostException(View, TtlNanos);
    }

    /// <summary>Asks for the lease, if the newest grant is still the one seen.</summary>
    public void Acquire(uint epochSeen)
    {
        Volatile.Write(ref _isGivenUp, 0);
        Volatile.Write(ref _wantedEpoch, epochSeen);
    }

    /// <summary>Gives it back: from this call on nothing acts under it here.</summary>
    public void Release()
    {
        Volatile.Write(ref _isGivenUp, 1);
        Volatile.Write(ref _heldUntilNanos, long.MinValue);
        Volatile.Write(ref _release, 1);
    }

    /// <summary>Does what is due. Without a thread of its own the keeper is polled by its holder.</summary>
    public void Poll()
    {
        if (Interlocked.Exchange(ref _release, 0) != 0)
            _lease.Release();
        long wanted = Interlocked.Exchange(ref _wantedEpoch, Nothing);
        if (wanted != Nothing)
            _lease.Acquire((uint)wanted);
        LeaseView view = _lease.Poll(_clock.MonotonicNanos);
        long heldUntil = view.State == LeaseState.Mine ? view.ValidUntilNanos - TtlNanos / MarginPart : long.MinValue;
        Volatile.Write(ref _heldUntilNanos, heldUntil);
        // A release that came meanwhile must not be undone.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isGivenUp) != 0)
            Volatile.Write(ref _heldUntilNanos, long.MinValue);
        Volatile.Write(ref _view, view);
    }

    /// <summary>Polls from a thread of its own until disposed.</summary>
    public void Start()
    {
        _thread = new Thread(() =>
        {
            do
                Poll();
            while (!_ended.Wait(PollMillis));
        })
        {
            Name = "margin lease",
            IsBackground = true,
        };
        _thread.Start();
    }

    /// <summary>Gives back what is held, waiting for the witness a little.</summary>
    public void Dispose()
    {
        const int FarewellMillis = 1_000;
        _ended.Set();
        _thread?.Join();
        Release();
        for (int millis = 0; millis < FarewellMillis && View.State == LeaseState.Mine; millis += PollMillis)
        {
            Poll();
            if (_thread is null)
                break;
            Thread.Sleep(PollMillis);
        }

        _lease.Dispose();
        _ended.Dispose();
    }
}

/// <summary>A primary could not renew its lease in time, or another node has it.</summary>
public sealed class LeaseLostException(LeaseView view, long ttlNanos)
    : Exception($"the lease of {ttlNanos / 1_000_000} ms is not held any more ({view}"
        + $"{(view.State == LeaseState.Mine ? $"; not renewed in time{(view.Problem.Length > 0 ? $": {view.Problem}" : "")}" : "")}): this node has stopped publishing and taking input")
{
    public LeaseView View { get; } = view;
}
