// The input of the path bench: a market of one perpetual and a few options, accounts with hedged and unhedged books, then prices
// that wander and pre-trade checks. Whole SBE messages in one buffer; the event time is set when a message is due.
using System.Buffers.Binary;
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>Every message is valid and of one source, numbered from 1.</summary>
internal sealed class PathScript
{
    private const ushort Source = 1;
    private const ushort Usd = 1;
    private const ushort Btc = 2;
    private const ushort Eth = 3;
    private const uint Perpetual = 1;
    private const int QuietEvent = 300;
    private const long Price0 = 6_400_000_000_000;
    private const ulong Expiry = 1_806_652_800_000_000_000; // 2027-04-02 08:00 UTC
    private readonly byte[] _buffer = new byte[Limits.MessageBytes];
    private readonly Random _random = new(1);
    private ulong _sequence;
    private long _price = Price0;
    private int _length;

    /// <summary>Definitions, then money and positions of the accounts: to be taken before the measurement.</summary>
    public IEnumerable<byte[]> Opening(int accounts)
    {
        yield return Currency(Usd, 6, "USD");
        yield return Currency(Btc, 10, "BTC");
        yield return Currency(Eth, 9, "ETH");
        yield return Underlying(1, Btc, "BTC");
        yield return Underlying(2, Eth, "ETH");
        foreach (byte[] part in ModelDocument.Portfolio.ToMessages(
            1, _sequence + 1, 0, Source, OriginFlags.EndOfEvent, [(1, "BTC"), (2, "ETH")], [(Usd, "USD"), (Btc, "BTC"), (Eth, "ETH")]))
        {
            _sequence++;
            yield return part;
        }

        yield return Index().ToArray();
        yield return Instrument(Perpetual, InstrumentKind.Perpetual, OptionRight.None, 0);
        for (uint i = 0; i < 8; i++)
            yield return Instrument(2 + i, InstrumentKind.Option, i % 2 == 0 ? OptionRight.Call : OptionRight.Put, Price0 / 10 * (8 + i / 2));
        yield return Forward();
        yield return Slice();
        yield return Mark();
        for (int account = 1; account <= accounts; account++)
        {
            yield return Open((ulong)account);
            yield return Deposit((ulong)account);
            yield return Fill((ulong)account, Perpetual, account % 2 == 0 ? 1_000 : -1_000, Price0);
            yield return Fill((ulong)account, 2 + (uint)account % 8, account % 3 == 0 ? -5 : 5, 3_000_000);
        }
    }

    /// <summary>The next price of the index, moved by up to two basis points; valid until the next call.</summary>
    public ReadOnlySpan<byte> NextPrice(ulong dueTime)
    {
        _price = Math.Clamp(_price + _random.Next(-2, 3) * (Price0 / 10_000), Price0 / 10 * 9, Price0 / 10 * 11);
        ReadOnlySpan<byte> message = Index();
        Due(dueTime);
        return message;
    }

    /// <summary>The next pre-trade check; valid until the next call.</summary>
    public ReadOnlySpan<byte> NextCheck(ulong dueTime, int accounts)
    {
        PreTradeCheckEncoder check = PreTradeCheckEncoder.Wrap(_buffer);
        check.SetOrigin(++_sequence, 0, Source, OriginFlags.None);
        check.AccountId = (ulong)_random.Next(1, accounts + 1);
        check.InstrumentId = Perpetual;
        check.Side = Side.Buy;
        check.Quantity = 10;
        check.SetPrice(_price);
        check.CorrelationId = _sequence;
        _length = check.EncodedLength;
        Due(dueTime);
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>
    /// Orders that open and go and money that comes, of one account an event: nothing is priced before the event ends, which it does every
    /// <see cref="QuietEvent"/> messages.
    /// </summary>
    public IEnumerable<byte[]> Quiet(int messages, int accounts)
    {
        for (int index = 0; index < messages; index++)
        {
            ulong account = 1 + (ulong)(index / QuietEvent % accounts);
            ulong order = 1 + (ulong)(index / 3);
            OriginFlags flags = index % QuietEvent == QuietEvent - 1 ? OriginFlags.EndOfEvent : OriginFlags.None;
            yield return (index % 3) switch
            {
                0 => OrderOpen(account, order, flags),
                1 => OrderCancel(account, order, flags),
                _ => Deposit(account, flags),
            };
        }
    }

    private byte[] OrderOpen(ulong account, ulong id, OriginFlags flags)
    {
        OrderOpenEncoder order = OrderOpenEncoder.Wrap(_buffer);
        order.SetOrigin(++_sequence, 0, Source, flags);
        order.AccountId = account;
        order.InstrumentId = Perpetual;
        order.Side = Side.Buy;
        order.Quantity = 10;
        order.SetPrice(_price);
        order.OrderId = id;
        return _buffer[..order.EncodedLength];
    }

    private byte[] OrderCancel(ulong account, ulong id, OriginFlags flags)
    {
        OrderCancelEncoder cancel = OrderCancelEncoder.Wrap(_buffer);
        cancel.SetOrigin(++_sequence, 0, Source, flags);
        cancel.AccountId = account;
        cancel.OrderId = id;
        return _buffer[..cancel.EncodedLength];
    }

    private void Due(ulong time) => BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(16), time);

    private ReadOnlySpan<byte> Index()
    {
        IndexPriceEncoder index = IndexPriceEncoder.Wrap(_buffer);
        index.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        index.UnderlyingId = 1;
        index.SetPrice(_price);
        _length = index.EncodedLength;
        return _buffer.AsSpan(0, _length);
    }

    private byte[] Forward()
    {
        ForwardPriceEncoder forward = ForwardPriceEncoder.Wrap(_buffer);
        forward.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        forward.UnderlyingId = 1;
        forward.Expiry = Expiry;
        forward.SetPrice(_price);
        return _buffer[..forward.EncodedLength];
    }

    private byte[] Mark()
    {
        MarkPriceEncoder mark = MarkPriceEncoder.Wrap(_buffer);
        mark.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        mark.InstrumentId = Perpetual;
        mark.SetPrice(_price);
        return _buffer[..mark.EncodedLength];
    }

    private byte[] Slice()
    {
        VolatilitySliceEncoder slice = VolatilitySliceEncoder.Wrap(_buffer);
        slice.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        slice.UnderlyingId = 1;
        slice.Expiry = Expiry;
        slice.SetA(40_000_000_000);
        slice.SetB(100_000_000_000);
        slice.SetRho(-300_000_000_000);
        slice.SetM(0);
        slice.SetSigma(200_000_000_000);
        return _buffer[..slice.EncodedLength];
    }

    private byte[] Currency(ushort id, byte decimals, string code)
    {
        CurrencyDefinitionEncoder currency = CurrencyDefinitionEncoder.Wrap(_buffer);
        currency.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        currency.CurrencyId = id;
        currency.Decimals = decimals;
        currency.SetCode(code);
        return _buffer[..currency.EncodedLength];
    }

    private byte[] Underlying(ushort id, ushort currency, string code)
    {
        UnderlyingDefinitionEncoder underlying = UnderlyingDefinitionEncoder.Wrap(_buffer);
        underlying.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        underlying.UnderlyingId = id;
        underlying.CurrencyId = currency;
        underlying.SetCode(code);
        return _buffer[..underlying.EncodedLength];
    }

    private byte[] Instrument(uint id, InstrumentKind kind, OptionRight right, long strike)
    {
        InstrumentDefinitionEncoder instrument = InstrumentDefinitionEncoder.Wrap(_buffer);
        instrument.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        instrument.InstrumentId = id;
        instrument.UnderlyingId = 1;
        instrument.SettlementCurrencyId = Btc;
        instrument.Kind = kind;
        instrument.Settlement = Settlement.Inverse;
        instrument.Right = right;
        instrument.SetContractSize(kind == InstrumentKind.Perpetual ? 1_000_000_000 : 10_000_000);
        instrument.SetStrike(kind == InstrumentKind.Option ? strike : null);
        instrument.Expiry = kind == InstrumentKind.Option ? Expiry : null;
        instrument.SetSymbol($"B{id}");
        return _buffer[..instrument.EncodedLength];
    }

    private byte[] Open(ulong account)
    {
        AccountOpenEncoder open = AccountOpenEncoder.Wrap(_buffer);
        open.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        open.AccountId = account;
        open.ModelId = 1;
        return _buffer[..open.EncodedLength];
    }

    private byte[] Deposit(ulong account, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        CollateralTransferEncoder deposit = CollateralTransferEncoder.Wrap(_buffer);
        deposit.SetOrigin(++_sequence, 0, Source, flags);
        deposit.AccountId = account;
        deposit.CurrencyId = Usd;
        deposit.SetAmount(50_000_000_000, -6);
        return _buffer[..deposit.EncodedLength];
    }

    private byte[] Fill(ulong account, uint instrument, long lots, long price)
    {
        FillEncoder fill = FillEncoder.Wrap(_buffer);
        fill.SetOrigin(++_sequence, 0, Source, OriginFlags.EndOfEvent);
        fill.AccountId = account;
        fill.InstrumentId = instrument;
        fill.Side = lots > 0 ? Side.Buy : Side.Sell;
        fill.Quantity = Math.Abs(lots);
        fill.SetPrice(price);
        fill.SetFee(0, -6);
        return _buffer[..fill.EncodedLength];
    }
}
