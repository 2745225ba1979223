// The input of the path bench: a market, a crowd of accounts and a few accounts that are pinned to the price at which they are liquidated; then ticks whose
// price walks over those pins and back, and pre-trade checks.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>Every message is valid and of one source. Seeded: two scripts of the same settings give the same messages.</summary>
internal sealed class PathScript
{
    /// <summary>Basis points that the price goes to either side of its start, one a tick.</summary>
    public const int Reach = 100;

    /// <summary>Ticks after which the price is where it was and moves as it did.</summary>
    public const int Cycle = 4 * Reach;

    /// <summary>Accounts that are liquidated once a cycle, half of them as the price falls: one tick of fifty liquidates.</summary>
    public const int Pins = 8;

    private const int AccountsAnEvent = 64;
    private const int AccountsAPrice = 64 * 64;
    private readonly ScriptMessages _messages = new();
    private readonly Random _random = new(1);
    private readonly PathMarket _market;
    private readonly int _accounts;
    private readonly int _positions;
    private long _ticks;

    /// <param name="accounts">Pins and crowd together, more than <see cref="Pins"/>.</param>
    /// <param name="positions">Of each account.</param>
    public PathScript(PathMarket market, int accounts, int positions)
    {
        _market = market;
        _accounts = accounts;
        _positions = positions;
        Capacities = new Limits
        {
            Accounts = accounts + 1, Units = accounts + 16, Positions = (accounts * positions) + 16, Orders = 1_024, Instruments = 256, Underlyings = 4, Expiries = 16,
            Grids = 4, Currencies = 4, Models = 2,
        };
    }

    public Limits Capacities { get; }

    /// <summary>The market, then accounts numbered from 1, the pins first: each opens, trades and pays in. Each message is valid until the next is taken.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Opening()
    {
        foreach (ReadOnlyMemory<byte> message in _market.Opening(_messages))
            yield return message;
        var books = new PathBooks(_market, _random, _positions);
        for (int account = 1; account <= _accounts; account++)
        {
            PathBooks.Book book = account <= Pins ? books.Pinned(account - 1) : books.OfCrowd(account);
            yield return _messages.Open((ulong)account, OriginFlags.None);
            foreach (PathBooks.Trade trade in book.Trades)
                yield return _messages.Fill((ulong)account, trade.Instrument, trade.Lots, trade.PriceE8, OriginFlags.None);
            bool isLast = account % AccountsAnEvent == 0 || account == _accounts;
            yield return _messages.Deposit((ulong)account, book.DepositMicros, isLast ? OriginFlags.EndOfEvent : OriginFlags.None);

            // A million accounts take minutes, and prices that nobody repeats grow stale: then every account is looked at with every event.
            for (int part = 0; part < PathMarket.Parts && account % AccountsAPrice == 0; part++)
                yield return _market.Part(_messages, part, Price);
        }
    }

    /// <summary>Moves the price on; its messages follow by <see cref="Part"/>.</summary>
    public void NextTick(ulong dueTime)
    {
        _ticks++;
        _messages.EventTime = dueTime;
    }

    /// <summary>A message of the tick, in their order; valid until the next one.</summary>
    public ReadOnlySpan<byte> Part(int index) => _market.Part(_messages, index, Price).Span;

    /// <summary>The next pre-trade check, of one of the crowd's first accounts; valid until the next message.</summary>
    public ReadOnlySpan<byte> NextCheck(ulong dueTime)
    {
        _messages.EventTime = dueTime;
        return _messages.Check((ulong)(Pins + 1 + _random.Next(Math.Min(64, _accounts - Pins))), Price).Span;
    }

    // Up, down through the start, and back.
    private long Price
    {
        get
        {
            int phase = (int)(_ticks % Cycle);
            return PathMarket.PriceAt(phase <= Reach ? phase : phase <= 3 * Reach ? (2 * Reach) - phase : phase - Cycle);
        }
    }
}
