using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <summary>A machine with a voice: builds input messages, applies them one by one, and keeps the decisions it hears.</summary>
internal sealed partial class Desk : IDecisionSink, IDisposable
{
    public const ushort Usd = 1, Btc = 2, Eth = 3;
    public const long Second = 1_000_000_000;
    public static readonly ulong Expiry = At("2026-03-27T08:00:00Z");

    private readonly byte[] _buffer = new byte[Limits.MessageBytes];
    private ulong _origin;
    private uint _nextInstrument = 1;

    public Desk(Limits? limits = null, bool withMarket = true, Func<ModelDocument, ModelDocument>? model = null, string start = "2026-02-05T12:00:00Z",
        bool firstModel = false)
    {
        Machine = new MarginMachine(limits ?? Limits.Small);
        Now = (long)At(start);
        if (withMarket)
        {
            OpenMarket(model ?? (document => document), firstModel);
        }
    }

    public MarginMachine Machine { get; }

    public long Now { get; set; }

    /// <summary>Decisions since the last <see cref="Clear"/>.</summary>
    public List<byte[]> Heard { get; } = [];

    /// <summary>Every message applied: (time, bytes), so that a test can replay.</summary>
    public List<(long Time, byte[] Message)> Applied { get; } = [];

    public ushort Source { get; set; } = 7;

    public static ulong At(string time) =>
        (ulong)(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds() * 1_000_000);

    public static long E8(decimal value) => (long)(value * 100_000_000m);

    public static decimal Usd6(long micro) => micro / 1_000_000m;

    public void Dispose() => Machine.Dispose();

    public void OnDecision(ReadOnlySpan<byte> message) => Heard.Add(message.ToArray());

    public void Clear() => Heard.Clear();

    public IEnumerable<byte[]> Of(ushort templateId) => Heard.Where(message => BitConverter.ToUInt16(message, 2) == templateId);

    /// <summary>The code of the one reject heard; fails where there is none or more than one.</summary>
    public (RejectCode Code, ushort Field, ulong Expected) Rejected()
    {
        byte[] message = Of(RejectDecoder.TemplateId).Single();
        RejectDecoder.TryWrap(message, out RejectDecoder reject);
        return (reject.Code, reject.FieldId, reject.Expected);
    }

    /// <summary>Every reject heard, with the place of a model's parameter: for the message of a test that expects none.</summary>
    public string Rejections() => string.Join('\n', Of(RejectDecoder.TemplateId).Select(message =>
    {
        RejectDecoder.TryWrap(message, out RejectDecoder reject);
        return $"{Schema.NameOf(reject.RefusedTemplateId)}: {reject.Code}, field {reject.FieldId}, {ParameterPlace.Unpack(reject.Expected)}";
    }));

    public bool HasRejected => Of(RejectDecoder.TemplateId).Any();

    public MarginReport Report(ulong account) => Machine.Report(account) ?? throw new InvalidOperationException($"no account {account}");

    public void Apply(ReadOnlySpan<byte> message)
    {
        byte[] copy = message.ToArray();
        Applied.Add((Now, copy));
        Machine.Apply(Machine.LastSequence + 1, Now, copy, this);
    }

    public ulong NextOrigin() => ++_origin;

    public void SkipOrigin(ulong to) => _origin = to;

    public void Currency(ushort id, int decimals, string code)
    {
        CurrencyDefinitionEncoder message = CurrencyDefinitionEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.CurrencyId = id;
        message.Decimals = (byte)decimals;
        message.SetCode(code);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Underlying(ushort id, ushort currency, string code)
    {
        UnderlyingDefinitionEncoder message = UnderlyingDefinitionEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = id;
        message.CurrencyId = currency;
        message.SetCode(code);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public uint Instrument(
        InstrumentKind kind, Settlement settlement, ushort underlying, ushort currency, decimal size,
        OptionRight right = OptionRight.None, decimal? strike = null, ulong? expiry = null, string symbol = "X", uint? id = null)
    {
        uint instrument = id ?? _nextInstrument++;
        InstrumentDefinitionEncoder message = InstrumentDefinitionEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.UnderlyingId = underlying;
        message.SettlementCurrencyId = currency;
        message.Kind = kind;
        message.Settlement = settlement;
        message.Right = right;
        message.SetContractSize(E8(size));
        message.SetStrike(strike is decimal price ? E8(price) : null);
        message.Expiry = expiry;
        message.SetSymbol(symbol);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
        return instrument;
    }

    public uint Perpetual(ushort currency = Btc, decimal size = 10) =>
        Instrument(InstrumentKind.Perpetual, currency == Usd ? Settlement.Linear : Settlement.Inverse, 1, currency, size, symbol: "BTC-PERPETUAL");

    public uint Option(OptionRight right, decimal strike, ushort currency = Btc, decimal size = 0.1m, ulong? expiry = null) =>
        Instrument(
            InstrumentKind.Option, currency == Usd ? Settlement.Linear : Settlement.Inverse, 1, currency, size, right, strike, expiry ?? Expiry,
            $"BTC-{strike}-{(right == OptionRight.Call ? 'C' : 'P')}");

    public void Slice(decimal a, decimal b, decimal rho, decimal m, decimal sigma, ulong? expiry = null, OriginFlags flags = OriginFlags.EndOfEvent, ushort underlying = 1)
    {
        VolatilitySliceEncoder message = VolatilitySliceEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.UnderlyingId = underlying;
        message.Expiry = expiry ?? Expiry;
        message.SetA((long)(a * 1e12m));
        message.SetB((long)(b * 1e12m));
        message.SetRho((long)(rho * 1e12m));
        message.SetM((long)(m * 1e12m));
        message.SetSigma((long)(sigma * 1e12m));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Slice(SviSlice slice, ulong? expiry = null, OriginFlags flags = OriginFlags.EndOfEvent) =>
        Slice((decimal)slice.A, (decimal)slice.B, (decimal)slice.Rho, (decimal)slice.M, (decimal)slice.Sigma, expiry, flags);

    public void Grid(GridNodes nodes, ulong? expiry = null, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        VolatilityGridEncoder message = VolatilityGridEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.UnderlyingId = 1;
        message.Expiry = expiry ?? Expiry;
        VolatilityGridEncoder.NodesEncoder group = message.NodesCount(nodes.VolatilityE8.Length);
        for (int node = 0; node < nodes.VolatilityE8.Length; node++)
        {
            VolatilityGridEncoder.NodesEncoder.Entry entry = group[node];
            entry.SetLogMoneyness(nodes.LogMoneynessE12[node]);
            entry.SetVolatility(nodes.VolatilityE8[node]);
        }

        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Time(ulong? time = null)
    {
        TimeTickEncoder message = TimeTickEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.Time = time;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Settle(decimal price, ulong? expiry = null)
    {
        ExpirySettlementEncoder message = ExpirySettlementEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = 1;
        message.Expiry = expiry ?? Expiry;
        message.SetPrice(E8(price));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Open(ulong account, ushort model = 1)
    {
        AccountOpenEncoder message = AccountOpenEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.ModelId = model;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Transfer(ulong account, ushort currency, decimal amount, int exponent = -6)
    {
        CollateralTransferEncoder message = CollateralTransferEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.CurrencyId = currency;
        message.SetAmount((long)(amount * (decimal)Math.Pow(10, -exponent)), (sbyte)exponent);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Fill(
        ulong account, uint instrument, long lots, decimal price, decimal fee = 0, ulong order = 0, OriginFlags flags = OriginFlags.EndOfEvent)
    {
        FillEncoder message = FillEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, flags);
        message.AccountId = account;
        message.InstrumentId = instrument;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(E8(price));
        message.SetFee((long)(fee * 1_000_000m), -6);
        message.OrderId = order;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void LiquidationFill(ulong account, uint instrument, long lots, decimal price, ulong liquidation, decimal fee = 0)
    {
        LiquidationFillEncoder message = LiquidationFillEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.InstrumentId = instrument;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(E8(price));
        message.SetFee((long)(fee * 1_000_000m), -6);
        message.LiquidationId = liquidation;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Order(ulong account, uint instrument, long lots, decimal price, ulong order)
    {
        OrderOpenEncoder message = OrderOpenEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.InstrumentId = instrument;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(E8(price));
        message.OrderId = order;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Cancel(ulong account, ulong order)
    {
        OrderCancelEncoder message = OrderCancelEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.OrderId = order;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Operator(Command command, ushort version = OperatorCommandDecoder.SchemaVersion)
    {
        OperatorCommandEncoder message = OperatorCommandEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.Command = command;
        message.SetOperator("night desk");
        message.SetReason("drill"u8);
        BitConverter.TryWriteBytes(_buffer.AsSpan(6), version);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void SigningKey(byte[] publicKey, byte[] signature)
    {
        SigningKeyEncoder message = SigningKeyEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.SetOperator("night desk");
        message.SetPublicKey(publicKey);
        message.SetSignature(signature);
        message.SetReason("yearly"u8);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public (Verdict Verdict, decimal InitialAfter, decimal BuyingPowerAfter) Ask(ulong account, uint instrument, long lots, decimal price)
    {
        PreTradeCheckEncoder message = PreTradeCheckEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.None);
        message.AccountId = account;
        message.InstrumentId = instrument;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(E8(price));
        message.CorrelationId = 99;
        Clear();
        Apply(_buffer.AsSpan(0, message.EncodedLength));
        PreTradeAnswerDecoder.TryWrap(Of(PreTradeAnswerDecoder.TemplateId).Single(), out PreTradeAnswerDecoder answer);
        return (answer.Verdict, Usd6(answer.InitialMarginAfter.Mantissa), Usd6(answer.BuyingPowerAfter.Mantissa));
    }

    public void Model(ModelDocument document, ushort id = 1, ulong activation = 0, bool isCompared = false)
    {
        foreach (byte[] part in document.ToMessages(
            id, _origin + 1, (ulong)Now, Source, OriginFlags.EndOfEvent, [(1, "BTC"), (2, "ETH")], [(Usd, "USD"), (Btc, "BTC"), (Eth, "ETH")],
            activation, isCompared))
        {
            NextOrigin();
            Apply(part);
        }
    }

    /// <summary>A small exchange under a random walk: 20 accounts, options, perpetuals, orders, fills, checks.</summary>
    public static Desk Lively(int seed, int ticks, Limits? limits = null, bool firstModel = false)
    {
        Random random = new(seed);
        Desk desk = new(limits, firstModel: firstModel);
        uint perpetual = desk.Perpetual();
        uint linear = desk.Perpetual(Desk.Usd, 0.001m);
        List<uint> options = [];
        for (int strike = 44_000; strike <= 84_000; strike += 4_000)
        {
            options.Add(desk.Option(OptionRight.Call, strike));
            options.Add(desk.Option(OptionRight.Put, strike));
        }

        desk.Forward(64_500m);
        desk.Mark(perpetual, 64_000m);
        desk.Mark(linear, 64_000m);
        foreach (uint option in options)
        {
            desk.Volatility(option, 0.5m);
        }

        desk.Open(Limits.FundAccount);
        desk.Transfer(Limits.FundAccount, Desk.Usd, 1_000_000);
        for (ulong account = 1; account <= 20; account++)
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, random.Next(20_000, 200_000));
            desk.Transfer(account, Desk.Btc, random.Next(0, 3));
            for (int leg = 0; leg < 6; leg++)
            {
                desk.Fill(account, options[random.Next(options.Count)], random.Next(1, 40) * (random.Next(3) == 0 ? 1 : -1), 0.02m);
            }

            desk.Fill(account, random.Next(2) == 0 ? perpetual : linear, random.Next(1, 2_000) * (random.Next(2) == 0 ? 1 : -1), 64_000m);
        }

        decimal price = 64_000m;
        for (int tick = 0; tick < ticks; tick++)
        {
            desk.Now += 10_000_000;
            price = decimal.Round(price * (1 + ((decimal)(random.NextDouble() - 0.503) * 0.004m)), 2);
            desk.Time((ulong)desk.Now);
            desk.Index(price, flags: OriginFlags.None);
            desk.Forward(price + 500, flags: OriginFlags.None);
            desk.Mark(linear, price + 1, flags: OriginFlags.None);
            desk.Mark(perpetual, price, flags: OriginFlags.EndOfEvent);
            desk.Volatility(options[random.Next(options.Count)], 0.4m + (decimal)Math.Round(random.NextDouble() * 0.3, 4));
        }

        return desk;
    }

    private void OpenMarket(Func<ModelDocument, ModelDocument> change, bool firstModel)
    {
        Currency(Usd, 6, "USD");
        Currency(Btc, 10, "BTC");
        Currency(Eth, 9, "ETH");
        Underlying(1, Btc, "BTC");
        Underlying(2, Eth, "ETH");
        if (firstModel)
        {
            Apply(FirstModel.Message(NextOrigin(), (ulong)Now, Source));
        }
        else
        {
            Model(change(TestModels.Matrix));
        }

        Time((ulong)Now);
        Index(64_000m);
        Index(1_900m, underlying: 2);
        if (HasRejected)
        {
            throw new InvalidOperationException($"the market did not open: {Rejected()}");
        }

        Clear();
    }
}
