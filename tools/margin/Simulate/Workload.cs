// What a simulated source sends: a small market and then a seeded mixture of everything a node takes, some of it wrong on purpose.
using System.Text;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;

namespace MarginEngine.Tool.Simulate;

/// <summary>Messages of one source, numbered from 1, made one event at a time. The seed decides every byte.</summary>
internal sealed class Workload
{
    public const ushort Source = 7;
    private const ushort Usd = 1, Coin = 2, Underlying = 1, ModelId = 1;
    private const uint Perpetual = 1, FirstOption = 10;
    private const int Options = 4;
    private const long Start = 1_770_000_000_000_000_000;
    private const ulong Expiry = 1_772_000_000_000_000_000;
    private static readonly long[] s_strikes = [60_000, 68_000];

    private readonly Random _random;
    private readonly MessageBatch _batch = new();
    private readonly OriginStamp _stamp = new(Source);
    private readonly int _accounts;
    private readonly string _model;
    private readonly Queue<ulong> _orders = new();
    private ulong _ids = 100;
    private double _price = 64_000;
    private long _now = Start;
    private bool _isReducing;

    /// <param name="random">Decides everything.</param>
    /// <param name="accounts">Traders.</param>
    /// <param name="model">A shipped margin model.</param>
    public Workload(Random random, int accounts, string model)
    {
        _random = random;
        _accounts = accounts;
        _model = model;
        SetUp();
        TakeEvent();
    }

    /// <summary>Everything made so far, in order; the message at index i has the source's sequence i + 1.</summary>
    public List<byte[]> Messages { get; } = [];

    /// <summary>Makes one more event.</summary>
    public void Act()
    {
        _now += _random.NextInt64(1, 20_000_000);
        switch (_random.Next(100))
        {
            case < 40: Move(_random.Next(-120, 121)); break;
            case < 43: Move(_random.Next(2) == 0 ? -9_000 : 9_000); break;
            case < 60: Trade(); break;
            case < 68: Order(); break;
            case < 73: Cancel(); break;
            case < 80: Ask(); break;
            case < 86: Transfer(_random.NextInt64(-400, 900) * 1_000_000); break;
            case < 90: Volatility(); break;
            case < 93: Fund(); break;
            case < 95: Command(); break;
            default: Mistake(); break;
        }

        TakeEvent();
    }

    /// <summary>Carries out an instruction of the engine, as a matching engine would.</summary>
    public void Liquidate(in LiquidationInstructionDecoder instruction)
    {
        foreach (LiquidationInstructionDecoder.LegsDecoder.Entry leg in instruction.Legs)
        {
            LiquidationFillEncoder fill = LiquidationFillEncoder.Wrap(_batch.Room(256));
            fill.SetOrigin(1, 0, 1, OriginFlags.None);
            fill.AccountId = instruction.AccountId;
            fill.InstrumentId = leg.InstrumentId;
            fill.Side = leg.Side;
            fill.Quantity = leg.Quantity;
            fill.SetPrice(leg.MarkPrice.Mantissa);
            fill.SetFee(0, -6);
            fill.LiquidationId = instruction.LiquidationId;
            fill.TradeId = ++_ids;
            _batch.Take(fill.EncodedLength);
        }

        TakeEvent();
    }

    private ulong AnyAccount => (ulong)_random.Next(1, _accounts + 1);

    private uint AnyInstrument => _random.Next(3) == 0 ? FirstOption + (uint)_random.Next(Options) : Perpetual;

    private void SetUp()
    {
        Currency(Usd, 6, "USD");
        Currency(Coin, 8, "BTC");
        UnderlyingDefinitionEncoder underlying = UnderlyingDefinitionEncoder.Wrap(_batch.Room(256));
        underlying.SetOrigin(1, 0, 1, OriginFlags.None);
        underlying.UnderlyingId = Underlying;
        underlying.CurrencyId = Coin;
        underlying.SetCode("BTC");
        _batch.Take(underlying.EncodedLength);
        Instrument(Perpetual, InstrumentKind.Perpetual, OptionRight.None, 0, null);
        for (uint option = 0; option < Options; option++)
            Instrument(FirstOption + option, InstrumentKind.Option, option % 2 == 0 ? OptionRight.Call : OptionRight.Put, s_strikes[option / 2], Expiry);
        foreach (byte[] part in ModelDocument.Shipped(_model).ToMessages(ModelId, 1, 0, 1, OriginFlags.None, [(Underlying, "BTC")], [(Usd, "USD"), (Coin, "BTC")]))
            _batch.Add(part);
        Open(Limits.FundAccount);
        Transfer(Limits.FundAccount, 2_000_000_000);
        Move(0);
        Volatility();
        for (ulong account = 1; account <= (ulong)_accounts; account++)
        {
            Open(account);
            Transfer(account, _random.NextInt64(500, 30_000) * 1_000_000);
        }
    }

    private void Move(double by)
    {
        _price = Math.Clamp(_price + by, 20_000, 150_000);
        IndexPriceEncoder index = IndexPriceEncoder.Wrap(_batch.Room(256));
        index.SetOrigin(1, 0, 1, OriginFlags.None);
        index.UnderlyingId = Underlying;
        index.SetPrice(MessageWriter.OnWire(_price, 100));
        _batch.Take(index.EncodedLength);
        ForwardPriceEncoder forward = ForwardPriceEncoder.Wrap(_batch.Room(256));
        forward.SetOrigin(1, 0, 1, OriginFlags.None);
        forward.UnderlyingId = Underlying;
        forward.Expiry = Expiry;
        forward.SetPrice(MessageWriter.OnWire(_price * 1.002, 100));
        _batch.Take(forward.EncodedLength);
        MarkPriceEncoder mark = MarkPriceEncoder.Wrap(_batch.Room(256));
        mark.SetOrigin(1, 0, 1, OriginFlags.None);
        mark.InstrumentId = Perpetual;
        mark.SetPrice(MessageWriter.OnWire(_price * (1 + (_random.Next(-20, 21) * 1e-5)), 100));
        _batch.Take(mark.EncodedLength);
    }

    private void Volatility()
    {
        for (uint option = 0; option < Options; option++)
        {
            MarkVolatilityEncoder message = MarkVolatilityEncoder.Wrap(_batch.Room(256));
            message.SetOrigin(1, 0, 1, OriginFlags.None);
            message.InstrumentId = FirstOption + option;
            message.SetVolatility(_random.NextInt64(30_000_000, 150_000_000));
            _batch.Take(message.EncodedLength);
        }
    }

    // Both sides of a trade, so that lots add up to nothing.
    private void Trade()
    {
        ulong buyer = AnyAccount, seller = AnyAccount;
        if (buyer == seller)
            return;
        uint instrument = AnyInstrument;
        long lots = _random.NextInt64(1, instrument == Perpetual ? 60 : 8);
        long price = instrument == Perpetual ? MessageWriter.OnWire(_price, 100) : _random.NextInt64(200, 6_000) * 100_000_000;
        ulong trade = ++_ids;
        Fill(buyer, instrument, Side.Buy, lots, price, trade);
        Fill(seller, instrument, Side.Sell, lots, price, trade);
    }

    private void Fill(ulong account, uint instrument, Side side, long lots, long price, ulong trade)
    {
        FillEncoder fill = FillEncoder.Wrap(_batch.Room(256));
        fill.SetOrigin(1, 0, 1, OriginFlags.None);
        fill.AccountId = account;
        fill.InstrumentId = instrument;
        fill.Side = side;
        fill.Quantity = lots;
        fill.SetPrice(price);
        fill.SetFee(_random.Next(500_000), -6);
        fill.OrderId = _orders.Count > 0 && _random.Next(4) == 0 ? _orders.Peek() : 0;
        fill.TradeId = trade;
        _batch.Take(fill.EncodedLength);
    }

    private void Order()
    {
        OrderOpenEncoder order = OrderOpenEncoder.Wrap(_batch.Room(256));
        order.SetOrigin(1, 0, 1, OriginFlags.None);
        order.AccountId = AnyAccount;
        order.InstrumentId = AnyInstrument;
        order.Side = _random.Next(2) == 0 ? Side.Buy : Side.Sell;
        order.Quantity = _random.NextInt64(1, 20);
        order.SetPrice(MessageWriter.OnWire(_price * (0.9 + (0.2 * _random.NextDouble())), 100));
        order.OrderId = ++_ids;
        _orders.Enqueue(_ids);
        _batch.Take(order.EncodedLength);
    }

    private void Cancel()
    {
        OrderCancelEncoder cancel = OrderCancelEncoder.Wrap(_batch.Room(256));
        cancel.SetOrigin(1, 0, 1, OriginFlags.None);
        cancel.AccountId = AnyAccount;
        cancel.OrderId = _orders.TryDequeue(out ulong order) ? order : 1;
        _batch.Take(cancel.EncodedLength);
    }

    private void Ask()
    {
        PreTradeCheckEncoder check = PreTradeCheckEncoder.Wrap(_batch.Room(256));
        check.SetOrigin(1, 0, 1, OriginFlags.None);
        check.AccountId = AnyAccount;
        check.InstrumentId = AnyInstrument;
        check.Side = _random.Next(2) == 0 ? Side.Buy : Side.Sell;
        check.Quantity = _random.NextInt64(1, 200);
        check.SetPrice(MessageWriter.OnWire(_price, 100));
        check.CorrelationId = ++_ids;
        _batch.Take(check.EncodedLength);
    }

    private void Transfer(long atoms) => Transfer(AnyAccount, atoms == 0 ? 1 : atoms);

    private void Transfer(ulong account, long atoms)
    {
        CollateralTransferEncoder transfer = CollateralTransferEncoder.Wrap(_batch.Room(256));
        transfer.SetOrigin(1, 0, 1, OriginFlags.None);
        transfer.AccountId = account;
        transfer.CurrencyId = Usd;
        transfer.SetAmount(atoms, -6);
        transfer.TransferId = ++_ids;
        _batch.Take(transfer.EncodedLength);
    }

    private void Fund()
    {
        FundingPaymentEncoder payment = FundingPaymentEncoder.Wrap(_batch.Room(256));
        payment.SetOrigin(1, 0, 1, OriginFlags.None);
        payment.InstrumentId = Perpetual;
        payment.SetRate(_random.NextInt64(-40_000, 40_001));
        payment.SetPrice(null);
        _batch.Take(payment.EncodedLength);
    }

    private void Command()
    {
        OperatorCommandEncoder command = OperatorCommandEncoder.Wrap(_batch.Room(512));
        command.SetOrigin(1, 0, 1, OriginFlags.None);
        command.Command = _isReducing ? Codecs.Command.Resume : Codecs.Command.ReduceOnly;
        command.SetOperator("night desk");
        command.SetReason(Encoding.UTF8.GetBytes("simulated"));
        _isReducing = !_isReducing;
        _batch.Take(command.EncodedLength);
    }

    // What a machine must answer with a reject and nothing else.
    private void Mistake()
    {
        if (_random.Next(2) == 0)
            Transfer(999, 1);
        else
            Fill(AnyAccount, 77, Side.Buy, 1, 100_000_000, ++_ids);
    }

    private void Open(ulong account)
    {
        AccountOpenEncoder open = AccountOpenEncoder.Wrap(_batch.Room(256));
        open.SetOrigin(1, 0, 1, OriginFlags.None);
        open.AccountId = account;
        open.ModelId = ModelId;
        _batch.Take(open.EncodedLength);
    }

    private void Currency(ushort id, byte decimals, string code)
    {
        CurrencyDefinitionEncoder currency = CurrencyDefinitionEncoder.Wrap(_batch.Room(256));
        currency.SetOrigin(1, 0, 1, OriginFlags.None);
        currency.CurrencyId = id;
        currency.Decimals = decimals;
        currency.SetCode(code);
        _batch.Take(currency.EncodedLength);
    }

    private void Instrument(uint id, InstrumentKind kind, OptionRight right, long strike, ulong? expiry)
    {
        InstrumentDefinitionEncoder instrument = InstrumentDefinitionEncoder.Wrap(_batch.Room(256));
        instrument.SetOrigin(1, 0, 1, OriginFlags.None);
        instrument.InstrumentId = id;
        instrument.UnderlyingId = Underlying;
        instrument.SettlementCurrencyId = Usd;
        instrument.Kind = kind;
        instrument.Settlement = Settlement.Linear;
        instrument.Right = right;
        instrument.SetContractSize(1_000_000);
        instrument.SetStrike(strike == 0 ? null : strike * 100_000_000);
        instrument.Expiry = expiry;
        instrument.SetSymbol($"I{id}");
        _batch.Take(instrument.EncodedLength);
    }

    private void TakeEvent()
    {
        _stamp.Stamp(_batch, (ulong)_now);
        for (int i = 0; i < _batch.Count; i++)
            Messages.Add(_batch[i].ToArray());
        _batch.Clear();
    }
}
