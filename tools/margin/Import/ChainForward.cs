// From quotes of one expiry to the forward their marks were computed with. Used by the script of real chains, by `margin calibrate` and by
// the tests of prices.

using MarginEngine.Logic;

namespace MarginEngine.Tool.Import;

/// <summary>Pairs calls and puts of one expiry and asks <see cref="ParityForward"/>.</summary>
public static class ChainForward
{
    private const double Unit = 1e-8;

    /// <summary>Forward in USD. False where no strike has both a call and a put.</summary>
    public static bool TryEstimate(IEnumerable<OptionQuote> expiry, out double forward)
    {
        var calls = new Dictionary<long, long>();
        var puts = new List<OptionQuote>();
        foreach (OptionQuote quote in expiry)
        {
            if (quote.Contract.IsCall)
                calls[quote.Contract.Strike] = quote.Mark;
            else
                puts.Add(quote);
        }
        var pairs = new List<ParityPair>();
        foreach (OptionQuote put in puts)
        {
            if (calls.TryGetValue(put.Contract.Strike, out long call))
                pairs.Add(Pair(put, call));
        }
        return ParityForward.TryEstimate(pairs.ToArray(), out forward);
    }

    // Marks of linear options are in the quote currency: as a fraction of the forward they imply, F = K + C - P at rate zero.
    private static ParityPair Pair(OptionQuote put, long call)
    {
        double strike = put.Contract.Strike * Unit;
        double forward = put.Contract.IsLinear ? strike + ((call - put.Mark) * Unit) : 1.0;
        return new ParityPair(strike, call * Unit / forward, put.Mark * Unit / forward);
    }
}
