using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The stated memory of an account, a unit, a position, an order and an instrument against what a machine with more of them allocates.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class MemoryNeedTests
{
    private const int More = 65_536;
    private const long Native = 2L * Limits.Rows * sizeof(double);

    // Beside rows of native memory, which this does not see: the arrays' headers, a few dozen bytes each.
    private const long Headers = 4_096;

    private static readonly Limits Few = new() { Accounts = 16, Units = 16, Positions = 16, Orders = 16, Instruments = 16, Underlyings = 2, Expiries = 4, Grids = 2, Currencies = 8, Models = 2 };

    private static IEnumerable<TestCaseData> Kinds()
    {
        yield return new TestCaseData("account", Few with { Accounts = More }).SetArgDisplayNames("account");
        yield return new TestCaseData("unit", Few with { Units = More }).SetArgDisplayNames("unit");
        yield return new TestCaseData("position", Few with { Positions = More }).SetArgDisplayNames("position");
        yield return new TestCaseData("order", Few with { Orders = More }).SetArgDisplayNames("order");
        yield return new TestCaseData("instrument", Few with { Instruments = 4_096 }).SetArgDisplayNames("instrument");
    }

    [TestCaseSource(nameof(Kinds))]
    public void What_is_stated_is_what_more_of_it_takes(string kind, Limits many)
    {
        MemoryPart few = MemoryNeed.Of(Few).Single(part => part.Of == kind), stated = MemoryNeed.Of(many).Single(part => part.Of == kind);
        long allocated = ManagedBytes(many) - ManagedBytes(Few);
        long native = kind == "instrument" ? (stated.Count - few.Count) * many.Models * Native : 0;
        Assert.That(allocated + native, Is.EqualTo(stated.Bytes - few.Bytes).Within(Headers), $"{stated}, {stated.BytesEach} bytes each");
        Assert.That(MemoryNeed.TotalOf(many) - MemoryNeed.TotalOf(Few), Is.EqualTo(stated.Bytes - few.Bytes), "nothing else grows");
    }

    [Test]
    public void A_million_accounts_with_ten_positions_each_in_five_thousand_instruments_fit_in_four_gibibytes() =>
        Assert.That(
            MemoryNeed.TotalOf(new Limits { Accounts = 1_000_001, Units = 2_000_000, Positions = 10_000_000, Instruments = 5_000 }), Is.LessThan(3L << 30),
            "with room for everything else");

    private static long ManagedBytes(Limits limits)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        using MarginMachine machine = new(limits);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
