using System.Numerics;
using System.Runtime.CompilerServices;

namespace MarginEngine.Logic;

/// <summary>
/// Which accounts have to be looked at after a move of the market: those for which it went further than <see cref="AccountBounds"/> allowed when they were
/// last calculated, those that nothing bounds, and all that depend on what moved without a bound. For each account and underlying it depends on there is
/// an entry in four rings: prices up, prices down, prices apart, volatilities; for each account one more for time.
/// </summary>
/// <remarks>A cache: it holds no state that a decision depends on, and an empty one has everything looked at once.</remarks>
public sealed class CrossingIndex
{
    private const double PriceWidth = 4e-6;
    private const double SpreadWidth = 1e-7;
    private const double DeviationWidth = 5e-6;
    private const double SecondsWidth = 0.25;

    /// <summary>Of an entry with its places in the four rings.</summary>
    internal static int BytesPerEntry => Unsafe.SizeOf<Entry>() + (4 * BucketRing.BytesPerEntry);

    private readonly MarketMoves _moves;
    private readonly Entry[] _entries;
    private readonly int[] _firstOfAccount;
    private readonly int[] _firstOfUnderlying;
    private readonly BucketRing _up;
    private readonly BucketRing _down;
    private readonly BucketRing _spread;
    private readonly BucketRing _deviation;
    private readonly BucketRing _time;
    private readonly ulong[] _always;
    private readonly ulong[] _due;
    private int _free;
    private int _unused;
    private int _always64;
    private int _dueCount;

    public CrossingIndex(Limits limits, MarketMoves moves)
    {
        _moves = moves;

        // An entry for each unit, and for balances of other coins; an account that finds no room is looked at always.
        int entries = limits.Units + (2 * limits.Accounts);
        _entries = new Entry[entries];
        _firstOfAccount = new int[limits.Accounts];
        _firstOfUnderlying = new int[limits.Underlyings];
        Array.Fill(_firstOfAccount, -1);
        Array.Fill(_firstOfUnderlying, -1);
        _up = new BucketRing(limits.Underlyings, entries, PriceWidth);
        _down = new BucketRing(limits.Underlyings, entries, PriceWidth);
        _spread = new BucketRing(limits.Underlyings, entries, SpreadWidth);
        _deviation = new BucketRing(limits.Underlyings, entries, DeviationWidth);
        _time = new BucketRing(1, limits.Accounts, SecondsWidth);
        _always = new ulong[(limits.Accounts + 63) / 64];
        _due = new ulong[_always.Length];
        _free = -1;
    }

    /// <summary>Accounts that are looked at with every move.</summary>
    public int AlwaysCount => _always64;

    /// <summary>What was found out of the account when it was last calculated still says when it has to be looked at again.</summary>
    public bool IsAnchored(int account) => _firstOfAccount[account] >= 0 && (_due[account >> 6] & (1UL << (account & 63))) == 0;

    /// <summary>Prices went so far one way that little is left of it, compared with what is left the other way.</summary>
    public bool IsUsedUp(int account)
    {
        const double Little = 0.4;
        for (int entry = _firstOfAccount[account]; entry >= 0; entry = _entries[entry].NextOfAccount)
        {
            ref readonly Entry of = ref _entries[entry];
            double up = of.Up - _moves.Upper(of.Underlying), down = of.Down + _moves.Lower(of.Underlying);
            if (Math.Min(up, down) < Little * Math.Max(up, down))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The account is looked at with every move from now on.</summary>
    public void LookAlways(int account)
    {
        Forget(account);
        ref ulong word = ref _always[account >> 6];
        ulong bit = 1UL << (account & 63);
        _always64 += (word & bit) == 0 ? 1 : 0;
        word |= bit;
    }

    /// <summary>The account need not be looked at whatever moves.</summary>
    public void LookNever(int account)
    {
        Forget(account);
        ref ulong word = ref _always[account >> 6];
        ulong bit = 1UL << (account & 63);
        _always64 -= (word & bit) != 0 ? 1 : 0;
        word &= ~bit;
    }

    /// <summary>The account need not be looked at while every underlying stays within what it is allowed from here on.</summary>
    /// <param name="account">Its number in the book.</param>
    /// <param name="bounds">What it is allowed.</param>
    /// <param name="deadline">Clock of prices at which it is looked at in any case, seconds.</param>
    /// <param name="clock">Clock of prices, seconds.</param>
    public void LookBeyond(int account, AccountBounds bounds, double deadline, double clock)
    {
        double until = Math.Min(deadline, clock + (_time.Reach * 0.999));
        if (!_time.TryPut(0, account, clock, until) || !TryPutAll(account, bounds))
        {
            LookAlways(account);
            return;
        }

        ref ulong word = ref _always[account >> 6];
        ulong bit = 1UL << (account & 63);
        _always64 -= (word & bit) != 0 ? 1 : 0;
        word &= ~bit;
    }

    /// <summary>Accounts that have to be looked at now.</summary>
    public int DueCount => _dueCount;

    /// <summary>Marks the accounts that have to be looked at after what moved since the last event.</summary>
    /// <param name="clock">Clock of prices, seconds.</param>
    public void Collect(double clock)
    {
        Or(_always);
        if (_moves.IsAllUnbounded)
        {
            CollectAll();
        }

        for (int underlying = 0; underlying < _firstOfUnderlying.Length; underlying++)
        {
            if (_firstOfUnderlying[underlying] >= 0 && _moves.HasMovedOf(underlying))
            {
                Collect(underlying);
            }
        }

        for (int account = _time.TakeReached(0, clock); account >= 0; account = _time.TakeReached(0, clock))
        {
            MarkDue(account);
        }
    }

    /// <summary>The lowest account at or after <paramref name="from"/> that has to be looked at, -1: none.</summary>
    public int NextDue(int from)
    {
        int word = from >> 6;
        if (_dueCount == 0 || word >= _due.Length)
        {
            return -1;
        }

        ulong bits = _due[word] & (ulong.MaxValue << (from & 63));
        while (bits == 0)
        {
            if (++word == _due.Length)
            {
                return -1;
            }

            bits = _due[word];
        }

        return (word << 6) + BitOperations.TrailingZeroCount(bits);
    }

    public void ClearDue(int account)
    {
        ref ulong word = ref _due[account >> 6];
        ulong bit = 1UL << (account & 63);
        _dueCount -= (word & bit) != 0 ? 1 : 0;
        word &= ~bit;
    }

    public void MarkDue(int account)
    {
        ref ulong word = ref _due[account >> 6];
        ulong bit = 1UL << (account & 63);
        _dueCount += (word & bit) == 0 ? 1 : 0;
        word |= bit;
    }

    private void Collect(int underlying)
    {
        if (_moves.IsUnbounded(underlying))
        {
            for (int entry = _firstOfUnderlying[underlying]; entry >= 0; entry = _entries[entry].NextOfUnderlying)
            {
                MarkDue(_entries[entry].Account);
            }

            return;
        }

        Collect(_up, underlying, _moves.Upper(underlying));
        Collect(_down, underlying, -_moves.Lower(underlying));
        Collect(_spread, underlying, _moves.Upper(underlying) - _moves.Lower(underlying));
        Collect(_deviation, underlying, _moves.Deviation(underlying));
    }

    private void Collect(BucketRing ring, int underlying, double clock)
    {
        for (int entry = ring.TakeReached(underlying, clock); entry >= 0; entry = ring.TakeReached(underlying, clock))
        {
            MarkDue(_entries[entry].Account);
        }
    }

    private void CollectAll()
    {
        for (int account = 0; account < _firstOfAccount.Length; account++)
        {
            if (_firstOfAccount[account] >= 0)
            {
                MarkDue(account);
            }
        }
    }

    private void Or(ulong[] accounts)
    {
        for (int word = 0; word < accounts.Length && _always64 > 0; word++)
        {
            _dueCount += BitOperations.PopCount(accounts[word] & ~_due[word]);
            _due[word] |= accounts[word];
        }
    }

    // Entries that are there already are used again: an account depends on the same underlyings most of the time.
    private bool TryPutAll(int account, AccountBounds bounds)
    {
        int entry = _firstOfAccount[account];
        bool isSame = true;
        int index = 0;
        for (; index < bounds.Count && entry >= 0 && isSame; index++)
        {
            isSame = _entries[entry].Underlying == bounds.At(index).Underlying;
            entry = isSame ? _entries[entry].NextOfAccount : entry;
        }

        if (!isSame || index < bounds.Count || entry >= 0)
        {
            Forget(account, withTime: false);
            for (index = bounds.Count - 1; index >= 0; index--)
            {
                if (!TryAdd(account, bounds.At(index).Underlying))
                {
                    return false;
                }
            }
        }

        index = 0;
        for (entry = _firstOfAccount[account]; entry >= 0; entry = _entries[entry].NextOfAccount)
        {
            if (!TryPut(entry, bounds.At(index++)))
            {
                return false;
            }
        }

        return true;
    }

    // What the envelopes tell of every price is off by their spread of now, once for each end.
    private bool TryPut(int entry, in Allowance allowed)
    {
        int underlying = allowed.Underlying;
        double upper = _moves.Upper(underlying), lower = _moves.Lower(underlying), deviation = _moves.Deviation(underlying), spread = _moves.Spread(underlying);
        ref Entry of = ref _entries[entry];
        of.Up = upper + (0.99 * allowed.Up) - spread;
        of.Down = -lower + (0.99 * allowed.Down) - spread;
        return _up.TryPut(underlying, entry, upper, of.Up)
            && _down.TryPut(underlying, entry, -lower, of.Down)
            && _spread.TryPut(underlying, entry, upper - lower, upper - lower + Math.Min(0.97 * allowed.Spread, _spread.Reach * 0.9) - (2.0 * spread))
            && _deviation.TryPut(underlying, entry, deviation, deviation + Math.Min(allowed.Deviation, _deviation.Reach * 0.999));
    }

    private bool TryAdd(int account, int underlying)
    {
        int entry = _free;
        if (entry >= 0)
        {
            _free = _entries[entry].NextOfAccount;
        }
        else if (_unused < _entries.Length)
        {
            entry = _unused++;
        }
        else
        {
            return false;
        }

        int next = _firstOfUnderlying[underlying];
        _entries[entry] = new Entry
        {
            Account = account,
            Underlying = underlying,
            NextOfAccount = _firstOfAccount[account],
            NextOfUnderlying = next,
            PreviousOfUnderlying = -1,
        };
        if (next >= 0)
        {
            _entries[next].PreviousOfUnderlying = entry;
        }

        _firstOfUnderlying[underlying] = entry;
        _firstOfAccount[account] = entry;
        return true;
    }

    private void Forget(int account, bool withTime = true)
    {
        for (int entry = _firstOfAccount[account]; entry >= 0;)
        {
            ref Entry forgotten = ref _entries[entry];
            int next = forgotten.NextOfAccount;
            _up.Take(entry);
            _down.Take(entry);
            _spread.Take(entry);
            _deviation.Take(entry);
            if (forgotten.PreviousOfUnderlying >= 0)
            {
                _entries[forgotten.PreviousOfUnderlying].NextOfUnderlying = forgotten.NextOfUnderlying;
            }
            else
            {
                _firstOfUnderlying[forgotten.Underlying] = forgotten.NextOfUnderlying;
            }

            if (forgotten.NextOfUnderlying >= 0)
            {
                _entries[forgotten.NextOfUnderlying].PreviousOfUnderlying = forgotten.PreviousOfUnderlying;
            }

            forgotten.NextOfAccount = _free;
            _free = entry;
            entry = next;
        }

        _firstOfAccount[account] = -1;
        if (withTime)
        {
            _time.Take(account);
        }
    }

    private struct Entry
    {
        public int Account;
        public int Underlying;
        public int NextOfAccount;
        public int NextOfUnderlying;
        public int PreviousOfUnderlying;

        /// <summary>Levels at which prices going up, and going down, make the account due.</summary>
        public double Up;
        public double Down;
    }
}
