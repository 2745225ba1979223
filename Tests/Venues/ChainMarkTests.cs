using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests;

/// <summary>
/// Marks of real option chains from their own mark volatilities: Black-76 on the put-call-parity forward of each expiry, time in actual
/// seconds of a 365-day year, value divided by the forward because the options are settled in coin.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ChainMarkTests
{
    private const double Unit = 1e-8;

    // Volatilities stand in the files to 1e-4, which alone is up to 9e-6 coin in the mark of a two-month option. ETH rows of the
    // February 2026 files were quoted up to two minutes after the time they carry.
    [TestCase("BTC", 2e-6, 1e-4)]
    [TestCase("ETH", 3e-6, 2e-4)]
    public void Marks_of_chain_snapshots_are_reproduced(string coin, double median, double percentile99)
    {
        var errors = new ErrorDistribution(coin + " marks");
        var listed = new ErrorDistribution("listed forward");
        foreach (ImportedFile file in VenueFiles.Of(DataFormat.DeribitChainCsv))
        {
            foreach (IGrouping<long, OptionQuote> expiry in file.Options.Where(option => option.Contract.Base == coin).GroupBy(option => option.Contract.ExpiryNanos))
            {
                Assert.That(ChainForward.TryEstimate(expiry, out double forward), Is.True, $"{file.File}: no pair of {coin} {UnixTime.Show(expiry.Key)}");
                foreach (OptionQuote option in expiry)
                {
                    errors.Add(CoinValue(option, forward), option.Mark * Unit, $"{file.File} {option.Name}");
                    listed.Add(CoinValue(option, option.ListedForward * Unit), option.Mark * Unit, $"{file.File} {option.Name}");
                }
            }
        }

        if (errors.Count == 0)
            Assert.Ignore($"no data: no chain snapshot holds {coin} options");
        errors.Print();
        listed.Print();
        Assert.Multiple(() =>
        {
            Assert.That(errors.Median, Is.LessThanOrEqualTo(median), "p50, coin");
            Assert.That(errors.Percentile99, Is.LessThanOrEqualTo(percentile99), "p99, coin");
            Assert.That(errors.Percentile99, Is.LessThan(listed.Percentile99), "the parity forward beats the listed one");
        });
    }

    internal static double Years(OptionQuote option) => (option.Contract.ExpiryNanos - option.TimeNanos) * 1e-9 / (365.0 * 86_400.0);

    internal static double CoinValue(OptionQuote option, double forward)
    {
        (double call, double put) = Black76.Value(forward, option.Contract.Strike * Unit, Years(option), option.MarkVolatility * Unit);
        return (option.Contract.IsCall ? call : put) / forward;
    }
}
