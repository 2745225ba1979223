using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests;

/// <summary>Every chain of the data folder calibrates to a surface that the book accepts, and the residuals are printed.</summary>
[TestFixture]
internal sealed class ChainCalibrationTests
{
    private const double Unit = 1e-8;

    [Test]
    public void Every_chain_calibrates_to_a_surface_that_the_book_accepts()
    {
        int slices = 0;
        List<double> residuals = [];
        double worst = 0.0;
        string worstAt = "";
        foreach (ImportedFile file in VenueFiles.Of(DataFormat.DeribitChainCsv))
        {
            foreach (IGrouping<string, OptionQuote> coin in file.Options.GroupBy(option => option.Contract.Base))
            {
                IGrouping<long, OptionQuote>[] expiries = [.. coin.GroupBy(option => option.Contract.ExpiryNanos).OrderBy(group => group.Key)];
                SmileFit?[] fits = SviCalibration.FitSurface([.. expiries.Select(Quotes)]);
                SviSlice? earlier = null;
                for (int i = 0; i < fits.Length; i++)
                {
                    string name = $"{file.File} {coin.Key} {UnixTime.Show(expiries[i].Key)}";
                    Assert.That(fits[i], Is.Not.Null, name);
                    SmileFit fit = fits[i]!.Value;
                    Assert.That(fit.Slice.Check(), Is.EqualTo(SviFault.None), name);
                    if (earlier is { } before)
                        Assert.That(SviSlice.CheckCalendar(before, fit.Slice), Is.EqualTo(SviFault.None), name);
                    earlier = fit.Slice;
                    slices++;
                    residuals.Add(fit.RootMeanSquare);
                    if (fit.RootMeanSquare > worst)
                        (worst, worstAt) = (fit.RootMeanSquare, name);
                }
            }
        }

        residuals.Sort();
        TestContext.Out.WriteLine(
            $"{slices} smiles; vega-weighted residual in volatility: p50 {residuals[slices / 2]:P3}, p90 {residuals[slices * 9 / 10]:P3}, max {worst:P3} ({worstAt})");
        Assert.That(residuals[slices / 2], Is.LessThan(0.01), "half of the smiles within a percent of volatility");
    }

    private static (double Years, SmileQuote[] Quotes) Quotes(IGrouping<long, OptionQuote> expiry)
    {
        Assert.That(ChainForward.TryEstimate(expiry, out double forward), Is.True);
        double years = ChainMarkTests.Years(expiry.First());
        return (years, [.. expiry.Where(option => option.Contract.IsCall == option.Contract.Strike * Unit >= forward).Select(option => QuoteOf(option, forward, years))]);
    }

    /// <summary>Weighted by vega as a share of the forward: far wings are quoted in steps of the price, not of the volatility.</summary>
    private static SmileQuote QuoteOf(OptionQuote option, double forward, double years)
    {
        double strike = option.Contract.Strike * Unit;
        double volatility = option.MarkVolatility * Unit;
        double deviation = volatility * Math.Sqrt(years);
        double d1 = (Math.Log(forward / strike) / deviation) + (0.5 * deviation);
        return new SmileQuote(Math.Log(strike / forward), volatility, Math.Exp(-0.5 * d1 * d1));
    }
}
