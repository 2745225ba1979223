// The messages that the scripts of the benches are made of: whole SBE messages of one source, numbered from 1, over the one underlying of the bench.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>Each message is valid until the next one is made. Nothing is allocated after construction.</summary>
internal sealed class ScriptMessages
{
    public const ushort Usd = 1;
    public const ushort Btc = 2;
    public const ushort Eth = 3;
    public const uint Perpetual = 1;
    private const ushort Source = 1;
    private const ushort Underlying = 1;
    private readonly byte[] _buffer = new byte[Limits.MessageBytes];

    /// <summary>Sequence of the last message; set it where messages of somebody else come between.</summary>
    public ulong Sequence { get; set; }

    /// <summary>Event time of the messages to come: travels through the node and comes back as the cause time of what it decides.</summary>
    public ulong EventTime { get; set; }

    public ReadOnlyMemory<byte> Index(long priceE8, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        IndexPriceEncoder index = IndexPriceEncoder.Wrap(_buffer);
        index.SetOrigin(++Sequence, EventTime, Source, flags);
        index.UnderlyingId = Underlying;
        index.SetPrice(priceE8);
        return _buffer.AsMemory(0, index.EncodedLength);
    }

    public ReadOnlyMemory<byte> Forward(ulong expiry, long priceE8, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        ForwardPriceEncoder forward = ForwardPriceEncoder.Wrap(_buffer);
        forward.SetOrigin(++Sequence, EventTime, Source, flags);
        forward.UnderlyingId = Underlying;
        forward.Expiry = expiry;
        forward.SetPrice(priceE8);
        return _buffer.AsMemory(0, forward.EncodedLength);
    }

    public ReadOnlyMemory<byte> Mark(long priceE8, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        MarkPriceEncoder mark = MarkPriceEncoder.Wrap(_buffer);
        mark.SetOrigin(++Sequence, EventTime, Source, flags);
        mark.InstrumentId = Perpetual;
        mark.SetPrice(priceE8);
        return _buffer.AsMemory(0, mark.EncodedLength);
    }

    /// <summary>An SVI slice; all five parameters with exponent -12.</summary>
    public ReadOnlyMemory<byte> Slice(ulong expiry, long a, long b, long rho, long m, long sigma)
    {
        VolatilitySliceEncoder slice = VolatilitySliceEncoder.Wrap(_buffer);
        slice.SetOrigin(++Sequence, EventTime, Source, OriginFlags.EndOfEvent);
        slice.UnderlyingId = Underlying;
        slice.Expiry = expiry;
        slice.SetA(a);
        slice.SetB(b);
        slice.SetRho(rho);
        slice.SetM(m);
        slice.SetSigma(sigma);
        return _buffer.AsMemory(0, slice.EncodedLength);
    }

    public ReadOnlyMemory<byte> Currency(ushort id, byte decimals, string code)
    {
        CurrencyDefinitionEncoder currency = CurrencyDefinitionEncoder.Wrap(_buffer);
        currency.SetOrigin(++Sequence, EventTime, Source, OriginFlags.EndOfEvent);
        currency.CurrencyId = id;
        currency.Decimals = decimals;
        currency.SetCode(code);
        return _buffer.AsMemory(0, currency.EncodedLength);
    }

    public ReadOnlyMemory<byte> DefineUnderlying(ushort id, ushort currency, string code)
    {
        UnderlyingDefinitionEncoder underlying = UnderlyingDefinitionEncoder.Wrap(_buffer);
        underlying.SetOrigin(++Sequence, EventTime, Source, OriginFlags.EndOfEvent);
        underlying.UnderlyingId = id;
        underlying.CurrencyId = currency;
        underlying.SetCode(code);
        return _buffer.AsMemory(0, underlying.EncodedLength);
    }

    public ReadOnlyMemory<byte> DefinePerpetual(Settlement settlement, ushort currency, long contractSize) =>
        Instrument(Perpetual, InstrumentKind.Perpetual, settlement, currency, contractSize, OptionRight.None, null, null);

    public ReadOnlyMemory<byte> DefineOption(uint id, Settlement settlement, ushort currency, long contractSize, OptionRight right, long strikeE8, ulong expiry) =>
        Instrument(id, InstrumentKind.Option, settlement, currency, contractSize, right, strikeE8, expiry);

    public ReadOnlyMemory<byte> Open(ulong account, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        AccountOpenEncoder open = AccountOpenEncoder.Wrap(_buffer);
        open.SetOrigin(++Sequence, EventTime, Source, flags);
        open.AccountId = account;
        open.ModelId = 1;
        return _buffer.AsMemory(0, open.EncodedLength);
    }

    public ReadOnlyMemory<byte> Deposit(ulong account, long micros, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        CollateralTransferEncoder deposit = CollateralTransferEncoder.Wrap(_buffer);
        deposit.SetOrigin(++Sequence, EventTime, Source, flags);
        deposit.AccountId = account;
        deposit.CurrencyId = Usd;
        deposit.SetAmount(micros, -6);
        return _buffer.AsMemory(0, deposit.EncodedLength);
    }

    public ReadOnlyMemory<byte> Fill(ulong account, uint instrument, long lots, long priceE8, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        FillEncoder fill = FillEncoder.Wrap(_buffer);
        fill.SetOrigin(++Sequence, EventTime, Source, flags);
        fill.AccountId = account;
        fill.InstrumentId = instrument;
        fill.Side = lots > 0 ? Side.Buy : Side.Sell;
        fill.Quantity = Math.Abs(lots);
        fill.SetPrice(priceE8);
        fill.SetFee(0, -6);
        return _buffer.AsMemory(0, fill.EncodedLength);
    }

    public ReadOnlyMemory<byte> OrderOpen(ulong account, ulong id, long priceE8, OriginFlags flags)
    {
        OrderOpenEncoder order = OrderOpenEncoder.Wrap(_buffer);
        order.SetOrigin(++Sequence, EventTime, Source, flags);
        order.AccountId = account;
        order.InstrumentId = Perpetual;
        order.Side = Side.Buy;
        order.Quantity = 10;
        order.SetPrice(priceE8);
        order.OrderId = id;
        return _buffer.AsMemory(0, order.EncodedLength);
    }

    public ReadOnlyMemory<byte> OrderCancel(ulong account, ulong id, OriginFlags flags)
    {
        OrderCancelEncoder cancel = OrderCancelEncoder.Wrap(_buffer);
        cancel.SetOrigin(++Sequence, EventTime, Source, flags);
        cancel.AccountId = account;
        cancel.OrderId = id;
        return _buffer.AsMemory(0, cancel.EncodedLength);
    }

    /// <summary>Asks whether the account may buy ten perpetuals.</summary>
    public ReadOnlyMemory<byte> Check(ulong account, long priceE8)
    {
        PreTradeCheckEncoder check = PreTradeCheckEncoder.Wrap(_buffer);
        check.SetOrigin(++Sequence, EventTime, Source, OriginFlags.None);
        check.AccountId = account;
        check.InstrumentId = Perpetual;
        check.Side = Side.Buy;
        check.Quantity = 10;
        check.SetPrice(priceE8);
        check.CorrelationId = Sequence;
        return _buffer.AsMemory(0, check.EncodedLength);
    }

    private ReadOnlyMemory<byte> Instrument(
        uint id, InstrumentKind kind, Settlement settlement, ushort currency, long contractSize, OptionRight right, long? strikeE8, ulong? expiry)
    {
        InstrumentDefinitionEncoder instrument = InstrumentDefinitionEncoder.Wrap(_buffer);
        instrument.SetOrigin(++Sequence, EventTime, Source, OriginFlags.EndOfEvent);
        instrument.InstrumentId = id;
        instrument.UnderlyingId = Underlying;
        instrument.SettlementCurrencyId = currency;
        instrument.Kind = kind;
        instrument.Settlement = settlement;
        instrument.Right = right;
        instrument.SetContractSize(contractSize);
        instrument.SetStrike(strikeE8);
        instrument.Expiry = expiry;
        instrument.SetSymbol(kind == InstrumentKind.Perpetual ? "PERPETUAL" : $"B{id}");
        return _buffer.AsMemory(0, instrument.EncodedLength);
    }
}
