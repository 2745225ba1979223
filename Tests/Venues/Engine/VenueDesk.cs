using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// One account of a published case in the engine: prices with confidences, positions and cash as decimals, rounded to the digits of a message
/// (<see cref="Wire"/>). Nothing here knows a margin formula.
/// </summary>
internal sealed class VenueDesk : IDisposable
{
    public const ulong Account = 1;
    public const ushort Usd = Limits.MoneyCurrency;

    // Positions of these lots hold any amount that a case has, scaled up or not.
    private const decimal LotSize = 1e-8m;

    private static readonly Limits Room = new()
    {
        Accounts = 4,
        Units = 32,
        Positions = 128,
        Orders = 64,
        Instruments = 128,
        Underlyings = 16,
        Expiries = 64,
        Currencies = 16,
        Models = 1,
        Legs = 16,
        EventMessages = 1_024,
        Sources = 2,
    };

    private readonly Desk _desk;
    private readonly byte[] _buffer = new byte[Limits.MessageBytes];
    private readonly List<(ushort Id, string Code)> _currencies = [];
    private readonly List<(ushort Id, string Code)> _underlyings = [];
    private ulong _order;

    public VenueDesk(string start = "2026-02-05T12:00:00Z")
    {
        _desk = new Desk(Room, withMarket: false) { Now = (long)Desk.At(start) };
        Currency("USD", Limits.MoneyDecimals);
    }

    /// <summary>A number as a message has it: eight decimals.</summary>
    public static decimal Wire(decimal value) => decimal.Round(value, 8);

    public void Dispose() => _desk.Dispose();

    public ulong In(decimal seconds) => (ulong)(_desk.Now + (long)Math.Round(seconds * 1e9m));

    public ushort Currency(string code, int decimals)
    {
        ushort id = (ushort)(_currencies.Count + 1);
        _currencies.Add((id, code));
        _desk.Currency(id, decimals, code);
        return id;
    }

    public ushort Underlying(string code, ushort currency)
    {
        ushort id = (ushort)(_underlyings.Count + 1);
        _underlyings.Add((id, code));
        _desk.Underlying(id, currency, code);
        return id;
    }

    /// <summary>Once all currencies and underlyings are there.</summary>
    public void Model(ModelDocument document)
    {
        foreach (byte[] part in document.ToMessages(
            1, _desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent, _underlyings, _currencies))
        {
            _desk.Apply(part);
        }

        _desk.SkipOrigin(_desk.Machine.LastSourceSequence(_desk.Source));
        _desk.Time((ulong)_desk.Now);
        _desk.Open(Account);
    }

    public uint Option(ushort underlying, ushort currency, bool isCall, decimal strike, ulong expiry, decimal size = LotSize, bool isInverse = false) =>
        _desk.Instrument(
            InstrumentKind.Option, isInverse ? Settlement.Inverse : Settlement.Linear, underlying, currency, size,
            isCall ? OptionRight.Call : OptionRight.Put, Wire(strike), expiry);

    public uint Perpetual(ushort underlying, ushort currency = Usd, decimal size = LotSize) =>
        _desk.Instrument(InstrumentKind.Perpetual, Settlement.Linear, underlying, currency, size);

    public void Index(ushort underlying, decimal price, decimal confidence = 1m) => _desk.Index(price, underlying, confidence: confidence);

    public void Forward(ushort underlying, ulong expiry, decimal price, decimal fixedPart = 0m, decimal confidence = 1m) =>
        _desk.Forward(Wire(price), expiry, underlying, fixedPart: Wire(fixedPart), confidence: Wire(confidence));

    public void Rate(ushort underlying, ulong expiry, decimal rate, decimal confidence = 1m) => _desk.ExpiryRate(Wire(rate), expiry, underlying, confidence: Wire(confidence));

    public void Mark(uint instrument, decimal price, decimal confidence = 1m) => _desk.Mark(instrument, Wire(price), confidence: Wire(confidence));

    public void Volatility(uint instrument, decimal volatility, decimal confidence = 1m) => _desk.Volatility(instrument, volatility, confidence: Wire(confidence));

    public void Funding(uint instrument, decimal rate) => _desk.AnnounceFunding(instrument, Wire(rate));

    /// <summary>A published array: profits of a lot in whole dollars.</summary>
    public void Array(uint instrument, decimal delta, IReadOnlyList<decimal> profits)
    {
        MarkArrayEncoder message = MarkArrayEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.Exponent = 0;
        message.SetDelta(Desk.E8(Wire(delta)));
        MarkArrayEncoder.RowsEncoder rows = message.RowsCount(profits.Count);
        for (int row = 0; row < profits.Count; row++)
        {
            MarkArrayEncoder.RowsEncoder.Entry entry = rows[row];
            entry.Profit = (long)profits[row];
        }

        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void OpenInterest(uint instrument, long lots)
    {
        OpenInterestEncoder message = OpenInterestEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.Quantity = lots;
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    /// <summary>The prices at which the legs of the last instruction may be closed.</summary>
    public decimal[] FillablePrices()
    {
        LiquidationPricesDecoder.TryWrap(_desk.Of(LiquidationPricesDecoder.TemplateId).Last(), out LiquidationPricesDecoder prices);
        var found = new decimal[prices.Legs.Count];
        for (int leg = 0; leg < found.Length; leg++)
        {
            found[leg] = prices.Legs[leg].FillablePrice.Mantissa / 1e8m;
        }

        return found;
    }

    /// <summary>A position of so many base units; what it costs is put right by <see cref="Cash"/>.</summary>
    public void Hold(uint instrument, decimal amount, decimal price = 1e-8m, decimal lotSize = LotSize)
    {
        if (Lots(amount, lotSize) is long lots && lots != 0)
            _desk.Fill(Account, instrument, lots, Wire(price));
    }

    public void Order(uint instrument, decimal amount, decimal price) =>
        _desk.Order(Account, instrument, Lots(amount), Wire(price), ++_order);

    public void Deposit(ushort currency, decimal amount, int decimals)
    {
        decimal whole = decimal.Round(amount, decimals);
        if (whole != 0m)
            _desk.Transfer(Account, currency, whole, -decimals);
    }

    /// <summary>Makes the balance of USD what it is to be: by a deposit, or where it sinks by the fee of a perpetual that is bought and sold again.</summary>
    public void Cash(decimal amount, ushort underlying)
    {
        long missing = (long)Math.Round(amount * 1e6m) - _desk.Balance(Account, "USD");
        if (missing > 0)
        {
            _desk.Transfer(Account, Usd, missing / 1_000_000m);
        }
        else if (missing < 0)
        {
            uint helper = Perpetual(underlying);
            _desk.Fill(Account, helper, 1, 1m, fee: -missing / 1_000_000m);
            _desk.Fill(Account, helper, -1, 1m);
        }
    }

    /// <summary>The report; fails where a message was refused, a price is missing, or a sum left the exact range.</summary>
    public MarginReport Report(string name)
    {
        _desk.Time((ulong)_desk.Now);
        if (_desk.HasRejected)
        {
            RejectDecoder.TryWrap(_desk.Of(RejectDecoder.TemplateId).First(), out RejectDecoder reject);
            Assert.Fail($"{name}: {reject.Code} of field {reject.FieldId} in template {reject.RefusedTemplateId}");
        }

        MarginReport report = _desk.Report(Account);
        Assert.That(report.Margin.Flags & (MarginFlags.Unpriced | MarginFlags.Saturated), Is.EqualTo(MarginFlags.None), name);
        return report;
    }

    private static long Lots(decimal amount, decimal lotSize = LotSize) => (long)Math.Round(amount / lotSize);
}
