// A whole set-up as a list of messages, without time: for benches and tests that feed a machine or a node directly.

using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

public static class BookMessages
{
    /// <summary>
    /// Definitions, model, first prices and accounts with at least that many positions each, of the built-in market: stamped 1, 2, 3 .. of
    /// one source, event time 0. After them the machine holds a priced book in which no account is near a margin call.
    /// </summary>
    public static IReadOnlyList<byte[]> Create(
        int accounts, int positionsPerAccount, ulong seed, ushort source = 1, ModelDocument? model = null)
    {
        var messages = new List<byte[]>();
        using MarketScript script = MarketScript.Open(Options(accounts, positionsPerAccount, seed, source, model));
        var stamp = new OriginStamp(source);
        while (script.TryNextSetup())
            Take(script, stamp, messages);
        return messages;
    }

    /// <summary>The same, followed by that many market events; the second list begins where the market opens.</summary>
    public static (IReadOnlyList<byte[]> Setup, IReadOnlyList<byte[]> Market) CreateWithMarket(
        int accounts, int positionsPerAccount, int events, ulong seed, ushort source = 1, ModelDocument? model = null)
    {
        var setup = new List<byte[]>();
        var market = new List<byte[]>();
        MarketOptions options = Options(accounts, positionsPerAccount, seed, source, model) with { Seconds = 1, EventsPerSecond = events };
        using MarketScript script = MarketScript.Open(options);
        var stamp = new OriginStamp(source);
        while (script.TryNextSetup())
            Take(script, stamp, setup);
        while (script.TryNext())
            Take(script, stamp, market);
        return (setup, market);
    }

    private static MarketOptions Options(int accounts, int positionsPerAccount, ulong seed, ushort source, ModelDocument? model) => new()
    {
        Source = "builtin",
        Accounts = accounts,
        PositionsPerAccount = positionsPerAccount,
        Seed = seed,
        SourceId = source,
        Model = model,
    };

    private static void Take(MarketScript script, OriginStamp stamp, List<byte[]> messages)
    {
        stamp.Stamp(script.Batch, 0);
        for (int i = 0; i < script.Batch.Count; i++)
            messages.Add(script.Batch[i].ToArray());
    }
}
