using MarginEngine.Logic;
using MarginEngine.Tool.Calibrate;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests;

/// <summary>Every chain of the data folder, of whatever format, calibrates to a surface that the book accepts, and the residuals are printed.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ChainCalibrationTests
{
    [TestCase(DataFormat.DeribitChainCsv)]
    [TestCase(DataFormat.DeribitTickerCsv)]
    [TestCase(DataFormat.DeribitBookSummary)]
    [TestCase(DataFormat.OptionSummary)]
    public void Every_chain_calibrates_to_a_surface_that_the_book_accepts(DataFormat format)
    {
        ChainCalibration[] chains = [.. VenueFiles.Of(format).SelectMany(ChainCalibration.Of)];
        foreach (ChainCalibration chain in chains)
        {
            Assert.That(chain.Expiries, Is.Not.Empty, chain.File);
            foreach (ExpiryCalibration expiry in chain.Expiries)
            {
                string name = $"{chain.File} {chain.Asset} {UnixTime.Show(expiry.Nanos)}: {expiry.Slice}";
                Assert.That(expiry.Fault, Is.EqualTo(SviFault.None), name);
                Assert.That(expiry.IsListedForward, Is.False, name);
                Assert.That(expiry.Slice, Is.EqualTo(expiry.Slice!.Value.InMessageDigits()), "as a message carries it: " + name);
            }
        }

        TestContext.Out.WriteLine(CalibrationReport.Summary(chains));
        ResidualFigures weighted = ResidualFigures.Of(chains.SelectMany(chain => chain.Expiries).Select(expiry => expiry.WeightedResidual));
        Assert.That(weighted.Median, Is.LessThan(0.02), "half of the smiles within two percent of volatility");
    }
}
