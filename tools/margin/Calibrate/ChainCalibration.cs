// A chain from a file, calibrated: forward of each expiry from put-call parity, implied volatilities from the marks, SVI over all expiries,
// and the engine's own checks over what comes out. Called by `margin calibrate` and by the tests of real chains.

using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Calibrate;

/// <summary>All expiries of one asset in one file.</summary>
internal sealed record ChainCalibration(string File, string Asset, long TimeNanos, IReadOnlyList<ExpiryCalibration> Expiries)
{
    private const double Unit = 1e-8;

    public bool IsSound => Expiries.All(expiry => expiry.IsSound);

    /// <summary>The chains of a file, one for each asset and quote currency; empty where it holds no options.</summary>
    public static IEnumerable<ChainCalibration> Of(ImportedFile file) => file.Options
        .GroupBy(option => option.Contract.IsLinear ? $"{option.Contract.Base}_{option.Contract.Quote}" : option.Contract.Base)
        .OrderBy(asset => asset.Key, StringComparer.Ordinal)
        .Select(asset => new ChainCalibration(file.File, asset.Key, file.TimeNanos, Calibrate(asset)));

    private static ExpiryCalibration[] Calibrate(IEnumerable<OptionQuote> asset)
    {
        ExpiryQuotes[] smiles = [.. asset.Where(option => option.Contract.ExpiryNanos > option.TimeNanos)
            .GroupBy(option => option.Contract.ExpiryNanos).OrderBy(expiry => expiry.Key).Select(expiry => Read([.. expiry]))];
        SmileFit?[] fits = SviCalibration.FitSurface([.. smiles.Select(smile => (smile.Years, smile.Quotes))]);
        var expiries = new ExpiryCalibration[smiles.Length];
        SviSlice? earlier = null;
        for (int i = 0; i < smiles.Length; i++)
        {
            SviSlice? slice = fits[i]?.Slice;
            expiries[i] = Judge(smiles[i], fits[i], earlier);
            earlier = slice ?? earlier;
        }
        return expiries;
    }

    private static ExpiryCalibration Judge(ExpiryQuotes smile, SmileFit? fit, SviSlice? earlier)
    {
        SviSlice? slice = fit?.Slice;
        SviFault? fault = slice?.Check();
        if (fault == SviFault.None && earlier is { } before)
            fault = SviSlice.CheckCalendar(before, slice!.Value);
        double[] residuals = slice is not { } fitted ? [] : [.. smile.Quotes.Select(quote =>
            Math.Abs(VarianceCurve.Volatility(fitted.TotalVariance(quote.LogMoneyness), smile.Years) - quote.Volatility))];
        return new ExpiryCalibration
        {
            Nanos = smile.Nanos,
            Forward = smile.Forward,
            IsListedForward = smile.IsListedForward,
            Years = smile.Years,
            Listed = smile.Listed,
            Used = smile.Quotes.Length,
            Slice = slice,
            Fault = fault,
            Residuals = residuals,
            WeightedResidual = fit?.RootMeanSquare ?? 0.0,
        };
    }

    private static ExpiryQuotes Read(OptionQuote[] options)
    {
        bool hasPairs = ChainForward.TryEstimate(options, out double forward);
        if (!hasPairs)
            forward = options[0].ListedForward * Unit;
        long time = options.Select(option => option.TimeNanos).Order().ElementAt(options.Length / 2);
        long expiry = options[0].Contract.ExpiryNanos;
        double years = (expiry - time) / UnixTime.YearNanos;
        SmileQuote[] quotes = [.. options.Where(option => option.Contract.IsCall == option.Contract.Strike * Unit >= forward)
            .OrderBy(option => option.Contract.Strike).Select(option => Quote(option, forward, years)).OfType<SmileQuote>()];
        return new ExpiryQuotes(expiry, forward, !hasPairs, years, options.Length, quotes);
    }

    // Weighted by vega as a share of the forward: far wings are quoted in steps of the price, not of the volatility.
    private static SmileQuote? Quote(OptionQuote option, double forward, double years)
    {
        double strike = option.Contract.Strike * Unit;
        double price = option.Mark * Unit * (option.Contract.IsLinear ? 1.0 : forward);
        double volatility = ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price);
        if (!(volatility > 0.0))
            return null;
        double k = VarianceCurve.LogMoneyness(strike, forward);
        double deviation = volatility * Math.Sqrt(years);
        double d1 = (0.5 * deviation) - (k / deviation);
        return new SmileQuote(k, volatility, Functions.Exp(-0.5 * d1 * d1));
    }

    private sealed record ExpiryQuotes(long Nanos, double Forward, bool IsListedForward, double Years, int Listed, SmileQuote[] Quotes);
}

/// <summary>One expiry of a chain, and how well a slice meets its quotes.</summary>
internal sealed record ExpiryCalibration
{
    public required long Nanos { get; init; }

    /// <summary>USD.</summary>
    public required double Forward { get; init; }

    /// <summary>No strike has both a call and a put, so the forward is the listed one.</summary>
    public required bool IsListedForward { get; init; }

    /// <summary>Of 365 days, from the time of the median quote.</summary>
    public required double Years { get; init; }

    /// <summary>Options in the file.</summary>
    public required int Listed { get; init; }

    /// <summary>Of those, the ones out of the money whose mark is a volatility.</summary>
    public required int Used { get; init; }

    /// <summary>Null: too few quotes, or no admissible smile was found.</summary>
    public required SviSlice? Slice { get; init; }

    /// <summary>What the engine's checks say, against the expiry before it too; null without a slice.</summary>
    public required SviFault? Fault { get; init; }

    /// <summary>Absolute errors in volatility (0.01 is one point), one a quote used.</summary>
    public required IReadOnlyList<double> Residuals { get; init; }

    /// <summary>Root mean square of them, weighted by vega.</summary>
    public required double WeightedResidual { get; init; }

    public bool IsSound => Fault == SviFault.None;
}

/// <summary>Median, 90th percentile and largest of absolute errors.</summary>
internal readonly record struct ResidualFigures(int Count, double Median, double Percentile90, double Largest)
{
    public static ResidualFigures Of(IEnumerable<double> residuals)
    {
        double[] sorted = [.. residuals.Order()];
        return sorted.Length == 0
            ? default
            : new ResidualFigures(sorted.Length, sorted[sorted.Length / 2], sorted[sorted.Length * 9 / 10], sorted[^1]);
    }
}
