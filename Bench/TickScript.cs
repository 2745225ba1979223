// The book and the market of the tick bench: one underlying, ten expiries of fifty strikes, a perpetual; accounts with random positions whose equity is a
// lognormal multiple of their maintenance margin. Whole SBE messages of one source.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>Seeded: two scripts of the same numbers give the same messages.</summary>
internal sealed class TickScript
{
    public const long Start = 1_770_292_800_000_000_000; // 2026-02-05 12:00 UTC
    private const int Expiries = 10;
    private const ushort Usd = 1;
    private const ushort Btc = 2;
    private const long Price0 = 6_400_000_000_000;

    // Equity over maintenance margin, as risk desks see it: median 2.5, nobody at the start below 1.005.
    private const double MedianRatio = 2.5;
    private const double RatioDeviation = 0.6;
    private const double LeastRatio = 1.005;

    private readonly int _accounts;
    private readonly int _positions;
    private readonly int _strikes;
    private readonly ModelDocument _model;
    private readonly Random _random = new(20);
    private readonly byte[][] _parts = new byte[Expiries + 2][];
    private readonly byte[] _buffer = new byte[Limits.MessageBytes];
    private ulong _sequence;
    private long _price = Price0;

    /// <param name="accounts">Accounts.</param>
    /// <param name="positions">Positions of each.</param>
    /// <param name="model">A shipped model; it publishes at crossings here.</param>
    /// <param name="refreshSlice">Accounts of a refresh slice; null: the default.</param>
    /// <param name="strikes">Strikes of an expiry, a call and a put at each.</param>
    public TickScript(int accounts, int positions, string model, int? refreshSlice = null, int strikes = 50)
    {
        _strikes = strikes;
        _accounts = accounts;
        _positions = positions;
        _model = ModelDocument.Shipped(model).With("timing.evaluation", "crossings");
        for (int part = 0; part < _parts.Length; part++)
            _parts[part] = new byte[256];
        Capacities = new Limits
        {
            Accounts = accounts + 1, Units = (accounts * 2) + 16, Positions = (accounts * positions) + 16, Orders = 1_024, Instruments = Math.Max(2_048, Options + 1), Underlyings = 4,
            Expiries = 16, Grids = 4, Currencies = 4, Models = 2, RefreshSlice = refreshSlice ?? new Limits().RefreshSlice, RefreshPositions = refreshSlice is null ? new Limits().RefreshPositions : Limits.MostRefreshPositions,
        };
    }

    public Limits Capacities { get; }

    public int Options => 2 * Expiries * _strikes;

    /// <summary>Messages of a tick.</summary>
    public int Parts => _parts.Length;

    public ReadOnlySpan<byte> Part(int index) => _parts[index].AsSpan(0, _lengths[index]);

    private readonly int[] _lengths = new int[Expiries + 2];

    /// <summary>The price goes a basis point up or down; index, forwards and the perpetual's mark follow in one event.</summary>
    public void NextTick()
    {
        long step = Price0 / 10_000;
        _price += _random.Next(2) == 0 ? step : -step;
        _price = Math.Clamp(_price, Price0 / 100 * 99, Price0 / 100 * 101);
        Keep(0, Index(OriginFlags.None));
        for (int expiry = 0; expiry < Expiries; expiry++)
            Keep(1 + expiry, Forward(expiry, OriginFlags.None));
        Keep(Expiries + 1, Mark(OriginFlags.EndOfEvent));
    }

    /// <summary>Definitions, prices, then the accounts; collateral is measured by the machine that takes the messages.</summary>
    /// <param name="machine">Null: nothing is measured, everybody has a million more than enough.</param>
    public IEnumerable<ReadOnlyMemory<byte>> Opening(MarginMachine? machine)
    {
        yield return Currency(Usd, 6, "USD");
        yield return Currency(Btc, 10, "BTC");
        yield return Underlying();
        foreach (byte[] part in _model.ToMessages(1, _sequence + 1, (ulong)Start, 1, OriginFlags.EndOfEvent, [(1, "BTC")], [(Usd, "USD"), (Btc, "BTC")]))
        {
            _sequence++;
            yield return part;
        }

        yield return Index(OriginFlags.EndOfEvent);
        yield return Instrument(1, InstrumentKind.Perpetual, OptionRight.None, 0, 0);
        uint id = 2;
        for (int expiry = 0; expiry < Expiries; expiry++)
        {
            for (int strike = 0; strike < _strikes; strike++)
            {
                long price = (Price0 / 2) + (Price0 / _strikes * strike);
                yield return Instrument(id++, InstrumentKind.Option, OptionRight.Call, expiry, price);
                yield return Instrument(id++, InstrumentKind.Option, OptionRight.Put, expiry, price);
            }

            yield return Forward(expiry, OriginFlags.EndOfEvent);
            yield return Slice(expiry);
        }

        yield return Mark(OriginFlags.EndOfEvent);
        for (int account = 1; account <= _accounts; account++)
        {
            yield return Open((ulong)account);
            for (int position = 0; position < _positions; position++)
                yield return Fill((ulong)account, position == 0 ? 1 : (uint)_random.Next(2, 2 + Options), _random.Next(2) == 0 ? 1 : -1, 0, OriginFlags.None);

            if (machine is null)
            {
                yield return Deposit((ulong)account, 1_000_000_000_000);
                continue;
            }

            // Given or taken in the same event: nobody is ever seen without. What is too much goes as the fee of a round trip.
            AccountMargin margin = machine.Report((ulong)account)!.Margin;
            double ratio = Math.Max(LeastRatio, MedianRatio * Math.Exp(RatioDeviation * Gaussian()));
            long wanted = (long)(margin.Maintenance * ratio) - margin.Equity;
            if (wanted < 0)
            {
                yield return Fill((ulong)account, 1, 1, -wanted, OriginFlags.None);
                yield return Fill((ulong)account, 1, -1, 0, OriginFlags.EndOfEvent);
            }
            else
            {
                yield return Deposit((ulong)account, wanted);
            }
        }
    }

    /// <summary>Fills of everything an instruction asks for, at the marks it names.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> CarryOut(byte[] instruction)
    {
        LiquidationInstructionDecoder.TryWrap(instruction, out LiquidationInstructionDecoder asked);
        List<(uint Instrument, Side Side, long Quantity, long Price)> legs = [];
        foreach (LiquidationInstructionDecoder.LegsDecoder.Entry leg in asked.Legs)
            legs.Add((leg.InstrumentId, leg.Side, leg.Quantity, leg.MarkPrice.Mantissa));
        (ulong account, ulong liquidation) = (asked.AccountId, asked.LiquidationId);
        for (int index = 0; index < legs.Count; index++)
            yield return LiquidationFill(account, liquidation, legs[index], index + 1 == legs.Count ? OriginFlags.EndOfEvent : OriginFlags.None);
    }

    private double Gaussian() => Math.Sqrt(-2.0 * Math.Log(1.0 - _random.NextDouble())) * Math.Cos(2.0 * Math.PI * _random.NextDouble());

    private void Keep(int index, ReadOnlyMemory<byte> message)
    {
        message.CopyTo(_parts[index]);
        _lengths[index] = message.Length;
    }

    // Days to expiry: 1, 2, 4 .. 512.
    private static ulong TimeOf(int expiry) => (ulong)(Start + ((1L << expiry) * 86_400_000_000_000) + 72_000_000_000_000);

    private ReadOnlyMemory<byte> Index(OriginFlags flags)
    {
        IndexPriceEncoder index = IndexPriceEncoder.Wrap(_buffer);
        index.SetOrigin(++_sequence, (ulong)Start, 1, flags);
        index.UnderlyingId = 1;
        index.SetPrice(_price);
        return _buffer.AsMemory(0, index.EncodedLength);
    }

    private ReadOnlyMemory<byte> Forward(int expiry, OriginFlags flags)
    {
        ForwardPriceEncoder forward = ForwardPriceEncoder.Wrap(_buffer);
        forward.SetOrigin(++_sequence, (ulong)Start, 1, flags);
        forward.UnderlyingId = 1;
        forward.Expiry = TimeOf(expiry);
        forward.SetPrice(_price + (_price / 10_000 * expiry * 5));
        return _buffer.AsMemory(0, forward.EncodedLength);
    }

    private ReadOnlyMemory<byte> Mark(OriginFlags flags)
    {
        MarkPriceEncoder mark = MarkPriceEncoder.Wrap(_buffer);
        mark.SetOrigin(++_sequence, (ulong)Start, 1, flags);
        mark.InstrumentId = 1;
        mark.SetPrice(_price);
        return _buffer.AsMemory(0, mark.EncodedLength);
    }

    private ReadOnlyMemory<byte> Slice(int expiry)
    {
        double years = (TimeOf(expiry) - (ulong)Start) / 1e9 / (365.0 * 86_400.0);
        double variance = 0.36 * years, root = Math.Sqrt(variance);
        VolatilitySliceEncoder slice = VolatilitySliceEncoder.Wrap(_buffer);
        slice.SetOrigin(++_sequence, (ulong)Start, 1, OriginFlags.EndOfEvent);
        slice.UnderlyingId = 1;
        slice.Expiry = TimeOf(expiry);
        slice.SetA((long)(variance * 0.6 * 1e12));
        slice.SetB((long)(root * 0.12 * 1e12));
        slice.SetRho(-300_000_000_000);
        slice.SetM((long)(root * 0.1 * 1e12));
        slice.SetSigma((long)(root * 1.2 * 1e12));
        return _buffer.AsMemory(0, slice.EncodedLength);
    }

    private ReadOnlyMemory<byte> Currency(ushort id, byte decimals, string code)
    {
        CurrencyDefinitionEncoder currency = CurrencyDefinitionEncoder.Wrap(_buffer);
        currency.SetOrigin(++_sequence, (ulong)Start, 1, OriginFlags.EndOfEvent);
        currency.CurrencyId = id;
        currency.Decimals = decimals;
        currency.SetCode(code);
        return _buffer.AsMemory(0, currency.EncodedLength);
    }

    private ReadOnlyMemory<byte> Underlying()
    {
        UnderlyingDefinitionEncoder underlying = UnderlyingDefinitionEncoder.Wrap(_buffer);
        underlying.SetOrigin(++_sequence, (ulong)Start, 1, OriginFlags.EndOfEvent);
        underlying.UnderlyingId = 1;
        underlying.CurrencyId = Btc;
        underlying.SetCode("BTC");
        return _buffer.AsMemory(0, underlying.EncodedLength);
    }

    private ReadOnlyMemory<byte> Instrument(uint id, InstrumentKind kind, OptionRight right, int expiry, long strike)
    {
        InstrumentDefinitionEncoder instrument = InstrumentDefinitionEncoder.Wrap(_buffer);
        instrument.SetOrigin(++_sequence, (ulong)Start, 1, OriginFlags.EndOfEvent);
        instrument.InstrumentId = id;
        instrument.UnderlyingId = 1;
        instrument.SettlementCurrencyId = Usd;
        instrument.Kind = kind;
        instrument.Settlement = Settlement.Linear;
        instrument.Right = right;
        instrument.SetContractSize(1_000_000);
        instrument.SetStrike(kind == InstrumentKind.Option ? strike : null);
        instrument.Expiry = kind == InstrumentKind.Option ? TimeOf(expiry) : null;
        instrument.SetSymbol($"B{id}");
        return _buffer.AsMemory(0, instrument.EncodedLength);
    }

    private ReadOnlyMemory<byte> Open(ulong account)
    {
        AccountOpenEncoder open = AccountOpenEncoder.Wrap(_buffer);
        open.SetOrigin(++_sequence, (ulong)Start, 1, OriginFlags.None);
        open.AccountId = account;
        open.ModelId = 1;
        return _buffer.AsMemory(0, open.EncodedLength);
    }

    private ReadOnlyMemory<byte> Fill(ulong account, uint instrument, int side, long fee, OriginFlags flags)
    {
        FillEncoder fill = FillEncoder.Wrap(_buffer);
        fill.SetOrigin(++_sequence, (ulong)Start, 1, flags);
        fill.AccountId = account;
        fill.InstrumentId = instrument;
        fill.Side = side > 0 ? Side.Buy : Side.Sell;
        fill.Quantity = fee != 0 || flags != OriginFlags.None ? 1 : _random.Next(1, 100);
        fill.SetPrice(instrument == 1 ? Price0 : Price0 / 50);
        fill.SetFee(fee, -6);
        return _buffer.AsMemory(0, fill.EncodedLength);
    }

    private ReadOnlyMemory<byte> LiquidationFill(ulong account, ulong liquidation, (uint Instrument, Side Side, long Quantity, long Price) leg, OriginFlags flags)
    {
        LiquidationFillEncoder fill = LiquidationFillEncoder.Wrap(_buffer);
        fill.SetOrigin(++_sequence, (ulong)Start, 1, flags);
        fill.AccountId = account;
        fill.InstrumentId = leg.Instrument;
        fill.Side = leg.Side;
        fill.Quantity = leg.Quantity;
        fill.SetPrice(leg.Price);
        fill.SetFee(0, -6);
        fill.LiquidationId = liquidation;
        fill.TradeId = _sequence;
        return _buffer.AsMemory(0, fill.EncodedLength);
    }

    private ReadOnlyMemory<byte> Deposit(ulong account, long micros)
    {
        CollateralTransferEncoder deposit = CollateralTransferEncoder.Wrap(_buffer);
        deposit.SetOrigin(++_sequence, (ulong)Start, 1, OriginFlags.EndOfEvent);
        deposit.AccountId = account;
        deposit.CurrencyId = Usd;
        deposit.SetAmount(micros, -6);
        return _buffer.AsMemory(0, deposit.EncodedLength);
    }
}
