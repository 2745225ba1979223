using MarginEngine.Bench;
using NUnit.Framework;

namespace MarginEngine.Tests.BenchSuiteTests;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class MemoryBenchTests
{
    [Test]
    public void A_book_is_filled_to_its_last_account()
    {
        StringWriter output = new();
        MemoryBench.Result result = MemoryBench.Run(accounts: 300, positions: 5, instruments: 200, output);
        Assert.That(result.IsFull, Is.True, output.ToString());
        Assert.That(output.ToString(), Does.Contain("201 instruments, 0 refused"));
    }
}
