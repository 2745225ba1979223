// The input of the replay and snapshot benches: a market of one perpetual and a few options, accounts with hedged and unhedged books, then deposits,
// orders and cancellations.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>Every message is valid, and valid until the next one is taken.</summary>
internal sealed class ReplayScript
{
    private const int QuietEvent = 300;
    private const long Price = 6_400_000_000_000;
    private const ulong Expiry = 1_806_652_800_000_000_000; // 2027-04-02 08:00 UTC, of a journal stamped in February 2026
    private readonly ScriptMessages _messages = new();

    /// <summary>Definitions, then money and positions of the accounts.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Opening(int accounts)
    {
        yield return _messages.Currency(ScriptMessages.Usd, 6, "USD");
        yield return _messages.Currency(ScriptMessages.Btc, 10, "BTC");
        yield return _messages.Currency(ScriptMessages.Eth, 9, "ETH");
        yield return _messages.DefineUnderlying(1, ScriptMessages.Btc, "BTC");
        yield return _messages.DefineUnderlying(2, ScriptMessages.Eth, "ETH");
        foreach (byte[] part in ModelDocument.Portfolio.ToMessages(
            1, _messages.Sequence + 1, 0, 1, OriginFlags.EndOfEvent, [(1, "BTC"), (2, "ETH")], [(ScriptMessages.Usd, "USD"), (ScriptMessages.Btc, "BTC"), (ScriptMessages.Eth, "ETH")]))
        {
            _messages.Sequence++;
            yield return part;
        }

        yield return _messages.Index(Price);
        yield return _messages.DefinePerpetual(Settlement.Inverse, ScriptMessages.Btc, 1_000_000_000);
        for (uint i = 0; i < 8; i++)
        {
            OptionRight right = i % 2 == 0 ? OptionRight.Call : OptionRight.Put;
            yield return _messages.DefineOption(2 + i, Settlement.Inverse, ScriptMessages.Btc, 10_000_000, right, Price / 10 * (8 + i / 2), Expiry);
        }

        yield return _messages.Forward(Expiry, Price);
        yield return _messages.Slice(Expiry, 40_000_000_000, 100_000_000_000, -300_000_000_000, 0, 200_000_000_000);
        yield return _messages.Mark(Price);
        for (int account = 1; account <= accounts; account++)
        {
            yield return _messages.Open((ulong)account);
            yield return _messages.Deposit((ulong)account, 50_000_000_000);
            yield return _messages.Fill((ulong)account, ScriptMessages.Perpetual, account % 2 == 0 ? 1_000 : -1_000, Price);
            yield return _messages.Fill((ulong)account, 2 + (uint)account % 8, account % 3 == 0 ? -5 : 5, 3_000_000);
        }
    }

    /// <summary>
    /// Orders that open and go and money that comes, of one account an event: nothing is priced before the event ends, which it does every
    /// <see cref="QuietEvent"/> messages.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> Quiet(int messages, int accounts)
    {
        for (int index = 0; index < messages; index++)
        {
            ulong account = 1 + (ulong)(index / QuietEvent % accounts);
            ulong order = 1 + (ulong)(index / 3);
            OriginFlags flags = index % QuietEvent == QuietEvent - 1 ? OriginFlags.EndOfEvent : OriginFlags.None;
            yield return (index % 3) switch
            {
                0 => _messages.OrderOpen(account, order, Price, flags),
                1 => _messages.OrderCancel(account, order, flags),
                _ => _messages.Deposit(account, 50_000_000_000, flags),
            };
        }
    }
}
