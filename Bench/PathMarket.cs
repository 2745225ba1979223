// The market of the path bench: one underlying with a perpetual and options of two expiries, under the shipped portfolio model.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>What is defined, and the messages of a tick at any price. A tick is one event: index, a forward for each expiry, the perpetual's mark.</summary>
internal sealed class PathMarket
{
    public const int Options = Expiries * Strikes * 2;
    public const int Instruments = 1 + Options;
    public const uint FirstOption = 2;
    public const long Price0 = 6_400_000_000_000;

    /// <summary>Messages of a tick.</summary>
    public const int Parts = 2 + Expiries;
    private const int Expiries = 2;
    private const int Strikes = 20;
    private const long ContractSize = 1_000_000; // of a coin's 10^9: a lot is worth 64 USD
    private const ulong Month = 30UL * 86_400 * 1_000_000_000;
    private readonly ModelDocument _model;
    private readonly ulong[] _expiries = new ulong[Expiries];

    /// <param name="refreshMilliseconds">How old a published margin gets under the model; null: as the model ships.</param>
    /// <param name="startNanos">Wall time, which the node stamps its input with: expiries are counted from here.</param>
    public PathMarket(int? refreshMilliseconds, long startNanos)
    {
        _model = refreshMilliseconds is { } refresh ? ModelDocument.Portfolio.With("timing.refreshMilliseconds", refresh) : ModelDocument.Portfolio;
        for (int expiry = 0; expiry < Expiries; expiry++)
            _expiries[expiry] = (ulong)startNanos + ((ulong)(expiry + 1) * Month);
        StartNanos = startNanos;
    }

    public long StartNanos { get; }

    /// <summary>Everything but accounts, and the first prices. Each message is valid until the next is taken.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Opening(ScriptMessages messages)
    {
        yield return messages.Currency(ScriptMessages.Usd, 6, "USD");
        yield return messages.Currency(ScriptMessages.Btc, 10, "BTC");
        yield return messages.DefineUnderlying(1, ScriptMessages.Btc, "BTC");
        foreach (byte[] part in _model.ToMessages(1, messages.Sequence + 1, 0, 1, OriginFlags.EndOfEvent, [(1, "BTC")], [(ScriptMessages.Usd, "USD"), (ScriptMessages.Btc, "BTC")]))
        {
            messages.Sequence++;
            yield return part;
        }

        yield return messages.Index(Price0);
        yield return messages.DefinePerpetual(Settlement.Linear, ScriptMessages.Usd, ContractSize);
        for (int option = 0; option < Options; option++)
        {
            OptionRight right = option % 2 == 0 ? OptionRight.Call : OptionRight.Put;
            long strike = Price0 / 100 * (60 + (4 * (option / 2 % Strikes)));
            yield return messages.DefineOption(FirstOption + (uint)option, Settlement.Linear, ScriptMessages.Usd, ContractSize, right, strike, _expiries[option / (2 * Strikes)]);
        }

        for (int expiry = 0; expiry < Expiries; expiry++)
        {
            double variance = 0.36 * 30 * (expiry + 1) / 365.0;
            double root = Math.Sqrt(variance);
            yield return messages.Forward(_expiries[expiry], ForwardAt(expiry, Price0));
            yield return messages.Slice(
                _expiries[expiry], (long)(variance * 0.6e12), (long)(root * 0.12e12), -300_000_000_000, (long)(root * 0.1e12), (long)(root * 1.2e12));
        }

        yield return messages.Mark(Price0);
    }

    /// <summary>A message of a tick, in their order; valid until the next one.</summary>
    public ReadOnlyMemory<byte> Part(ScriptMessages messages, int index, long priceE8) => index switch
    {
        0 => messages.Index(priceE8, OriginFlags.None),
        Parts - 1 => messages.Mark(priceE8),
        _ => messages.Forward(_expiries[index - 1], ForwardAt(index - 1, priceE8), OriginFlags.None),
    };

    public static long PriceAt(int basisPoints) => Price0 + (basisPoints * (Price0 / 10_000));

    private static long ForwardAt(int expiry, long price) => price + (price / 1_000 * (expiry + 1));
}
