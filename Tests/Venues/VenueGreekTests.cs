using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests;

/// <summary>
/// Greeks that a venue published beside mark, volatility, forward and time of the same row: delta and gamma in USD of the forward, vega a
/// volatility point, theta over the next day, rho a rate point with the spot held.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class VenueGreekTests
{
    private const double Unit = 1e-8;

    // The bounds of theta and rho stand for the rounding of the published volatility, 0.01 points, which is all that is left.
    [TestCase(DataFormat.DeribitTickerCsv, 1.5e-4, 6e-6, 2e-3, 6e-2, 1e-3, 3e-4)]
    [TestCase(DataFormat.OptionSummary, 2e-5, 6e-6, 1e-4, 1e-3, 1e-4, 2e-4)]
    public void Published_Greeks_are_reproduced(DataFormat format, double delta, double gamma, double vega, double theta, double rho, double mark)
    {
        ErrorDistribution deltas = new("delta"), gammas = new("gamma"), vegas = new("vega"), thetas = new("theta"), rhos = new("rho"), marks = new("mark, coin");
        foreach (ImportedFile file in VenueFiles.Of(format))
        {
            foreach (OptionQuote option in file.Options)
            {
                string where = $"{file.File} {option.Name}";
                double forward = option.ListedForward * Unit;
                double years = ChainMarkTests.Years(option);
                OptionGreeks greeks = Black76.Greeks(option.Contract.IsCall, forward, option.Contract.Strike * Unit, years, option.MarkVolatility * Unit);
                deltas.Add(greeks.Delta, option.Greeks.Delta!.Value, where);
                gammas.Add(greeks.Gamma, option.Greeks.Gamma!.Value, where);
                vegas.Add(greeks.VegaPerPoint, option.Greeks.Vega!.Value, where);
                rhos.Add(greeks.RhoPerPoint, option.Greeks.Rho!.Value, where);
                thetas.Add(greeks.ThetaOfNextDay(years), option.Greeks.Theta!.Value, where);
                marks.Add(ChainMarkTests.CoinValue(option, forward), option.Mark * Unit, where);
            }
        }

        Judge(deltas, delta);
        Judge(gammas, gamma);
        Judge(vegas, vega);
        Judge(thetas, theta);
        Judge(rhos, rho);
        Judge(marks, mark);
    }

    private static void Judge(ErrorDistribution errors, double bound)
    {
        errors.Print();
        Assert.That(errors.Worst.Error, Is.LessThanOrEqualTo(bound), errors.Worst.Where);
    }
}
