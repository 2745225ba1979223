using System.Runtime.CompilerServices;

namespace MarginEngine.Logic;

/// <summary>Memory that all records of one kind take, whether they are in use or not.</summary>
/// <param name="Of">Singular, for example <c>account</c>.</param>
/// <param name="Count">How many there is room for.</param>
/// <param name="Bytes">Of all of them together.</param>
public readonly record struct MemoryPart(string Of, long Count, long Bytes)
{
    /// <summary>Of one, rounded up: a share of what grows in powers of two is in it.</summary>
    public long BytesEach => (Bytes + Count - 1) / Count;
}

/// <summary>
/// Memory of a <see cref="MarginMachine"/> by what its limits have room for: the sizes of the structures themselves, added up as the constructors do. Models,
/// underlyings, expiries and scratch rows come on top and do not grow with the book.
/// </summary>
public static class MemoryNeed
{
    /// <summary>Accounts, units, positions, orders and instruments, in this order.</summary>
    public static MemoryPart[] Of(Limits limits)
    {
        long accounts = limits.Accounts, units = limits.Units, positions = limits.Positions, orders = limits.Orders, instruments = limits.Instruments;

        // Of crossings: two entries an account besides those of its units, its head, its place in the ring of time. Five sets of accounts are bits: what is
        // dirty, what is looked at always, what is due, whose digest and whose positions' digest are out of date.
        long entry = CrossingIndex.BytesPerEntry;
        long account = Unsafe.SizeOf<Account>() + (sizeof(long) * (long)limits.Currencies) + (2 * entry) + sizeof(int) + BucketRing.BytesPerEntry + AccountDigests.BytesPerAccount;
        long instrument = Unsafe.SizeOf<Instrument>() + MarketState.BytesBesideInstrument + (sizeof(long) * (long)Limits.Rows) + MarketMoves.BytesPerInstrument
            + UnitCalculator.BytesPerInstrument + (limits.Models * (long)RiskRows.BytesPerInstrument);
        return
        [
            new("account", accounts, (accounts * account) + IdMap.BytesOf(limits.Accounts) + (5 * ((accounts + 63) / 64 * sizeof(ulong)))),
            new("unit", units, units * (Pool<RiskUnit>.BytesEach + entry)),
            new("position", positions, positions * Pool<Position>.BytesEach),
            new("order", orders, (orders * Pool<Order>.BytesEach) + IdMap.BytesOf(limits.Orders)),
            new("instrument", instruments, (instruments * instrument) + (2 * IdMap.BytesOf(limits.Instruments))),
        ];
    }

    /// <summary>Of everything that grows with the book, in bytes.</summary>
    public static long TotalOf(Limits limits) => Of(limits).Sum(part => part.Bytes);
}
