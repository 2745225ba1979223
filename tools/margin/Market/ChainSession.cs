// Real chain snapshots put in order: which of the files found belong together, and what each says about index, forwards and volatilities.
// Built once from imported files by the path of real chains.

using MarginEngine.Codecs;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>One expiry in one snapshot.</summary>
internal sealed class ExpirySnapshot
{
    public required long Nanos { get; init; }

    /// <summary>USD, by put-call parity from the marks; the listed one where no strike has both.</summary>
    public required double Forward { get; init; }

    /// <summary>A future of the venue's own stands behind the forward, not a synthetic one.</summary>
    public required bool HasFuture { get; init; }

    /// <summary>Mark volatility (1 = 100 %) by strike (1e-8 USD) and right.</summary>
    public required IReadOnlyDictionary<(long Strike, bool IsCall), double> Volatilities { get; init; }

    /// <summary>The volatility of the strike next to the forward.</summary>
    public required double AtTheMoney { get; init; }
}

/// <summary>All expiries of one asset at one time.</summary>
internal sealed class AssetSnapshot
{
    public required string Code { get; init; }
    public required long TimeNanos { get; init; }
    public required double Index { get; init; }

    /// <summary>Price of the perpetual, null where no file has it.</summary>
    public required double? Perpetual { get; init; }

    public required IReadOnlyList<ExpirySnapshot> Expiries { get; init; }
}

/// <summary>Snapshots without a gap of more than three days; of several such runs the one with the most snapshots.</summary>
internal sealed class ChainSession
{
    private const long LongestGap = 3 * UnixTime.Day;
    private const long PerpetualWindow = 5 * UnixTime.Minute;

    private ChainSession(IReadOnlyList<AssetSnapshot> snapshots, int leftOut)
    {
        Snapshots = snapshots;
        LeftOut = leftOut;
    }

    /// <summary>In the order of time, then code.</summary>
    public IReadOnlyList<AssetSnapshot> Snapshots { get; }

    /// <summary>Snapshots of other days, left out.</summary>
    public int LeftOut { get; }

    /// <summary>Null when no file has an inverse option chain.</summary>
    public static ChainSession? Find(IReadOnlyList<ImportedFile> files)
    {
        FutureMark[] perpetuals = [.. files.SelectMany(file => file.Futures)
            .Where(mark => mark.Contract is { Kind: InstrumentKind.Perpetual, IsLinear: false })];
        var all = new List<AssetSnapshot>();
        foreach (ImportedFile file in files)
        {
            IEnumerable<OptionQuote> inverse = file.Options.Where(option => !option.Contract.IsLinear);
            foreach (IGrouping<string, OptionQuote> asset in inverse.GroupBy(option => option.Contract.Base))
                all.Add(Read(asset.Key, file.TimeNanos, [.. asset], perpetuals));
        }
        if (all.Count == 0)
            return null;
        all.Sort((left, right) => left.TimeNanos != right.TimeNanos
            ? left.TimeNanos.CompareTo(right.TimeNanos)
            : string.CompareOrdinal(left.Code, right.Code));
        (int start, int count) = LongestRun(all);
        List<AssetSnapshot> chosen = [.. all.Skip(start).Take(count).DistinctBy(snapshot => (snapshot.TimeNanos, snapshot.Code))];
        return new ChainSession(chosen, all.Count - count);
    }

    private static (int Start, int Count) LongestRun(List<AssetSnapshot> all)
    {
        (int Start, int Count) best = (0, 0);
        int start = 0;
        for (int i = 1; i <= all.Count; i++)
        {
            if (i < all.Count && all[i].TimeNanos - all[i - 1].TimeNanos <= LongestGap)
                continue;
            if (i - start > best.Count)
                best = (start, i - start);
            start = i;
        }
        return best;
    }

    private static AssetSnapshot Read(string code, long time, OptionQuote[] quotes, FutureMark[] perpetuals)
    {
        List<ExpirySnapshot> expiries =
        [
            .. quotes.Where(quote => quote.Contract.ExpiryNanos > time)
                .GroupBy(quote => quote.Contract.ExpiryNanos).OrderBy(group => group.Key).Select(ReadExpiry),
        ];
        double front = expiries.Count > 0 ? expiries[0].Forward : quotes[0].ListedForward * 1e-8;
        // The index column was filled over the minutes after the marks: the value nearest to the first forward is the one of their moment.
        double index = quotes.Where(quote => quote.Index is > 0).Select(quote => quote.Index!.Value * 1e-8)
            .DefaultIfEmpty(front).MinBy(value => Math.Abs(value - front));
        double? perpetual = perpetuals.Where(mark => mark.Contract.Base == code && Math.Abs(mark.TimeNanos - time) <= PerpetualWindow)
            .OrderBy(mark => Math.Abs(mark.TimeNanos - time)).Select(mark => (double?)(mark.Price * 1e-8)).FirstOrDefault();
        return new AssetSnapshot { Code = code, TimeNanos = time, Index = index, Perpetual = perpetual, Expiries = expiries };
    }

    private static ExpirySnapshot ReadExpiry(IGrouping<long, OptionQuote> group)
    {
        OptionQuote[] quotes = [.. group];
        double[] listed = [.. quotes.Select(quote => quote.ListedForward * 1e-8).Order()];
        if (!ChainForward.TryEstimate(quotes, out double forward))
            forward = listed[listed.Length / 2];
        var volatilities = new Dictionary<(long, bool), double>();
        foreach (OptionQuote quote in quotes)
            volatilities[(quote.Contract.Strike, quote.Contract.IsCall)] = quote.MarkVolatility * 1e-8;
        return new ExpirySnapshot
        {
            Nanos = group.Key,
            Forward = forward,
            HasFuture = quotes.Any(quote =>
                VenueName.TryParse(quote.ForwardName, out VenueName name) && name.Kind == InstrumentKind.Future),
            Volatilities = volatilities,
            AtTheMoney = quotes.MinBy(quote => Math.Abs(quote.Contract.Strike * 1e-8 - forward))!.MarkVolatility * 1e-8,
        };
    }
}
