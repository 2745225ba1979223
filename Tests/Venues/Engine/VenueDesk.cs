using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>
/// One account of a published case in the engine: prices with confidences, positions and cash as doubles, rounded to the digits of a message
/// (<see cref="Wire"/>). Nothing here knows a margin formula.
/// </summary>
internal sealed class VenueDesk : IDisposable
{
    public const ulong Account = 1;
    public const ushort Usd = Limits.MoneyCurrency;

    // Positions of these lots hold any amount that a case has, scaled up or not.
    private const double LotSize = 1e-8;

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
    public static double Wire(double value) => E8(value) / 1e8;

    public static long E8(double value) => (long)Math.Round(value * 1e8);

    /// <summary>A number where a message has sixteen decimals: the eight that stand in the field itself, and those of the field beside it.</summary>
    public static (long E8, uint Further) E16(double value)
    {
        decimal digits = decimal.Parse(value.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture);
        decimal units = decimal.Round(digits * 10_000_000_000_000_000m);
        return ((long)decimal.Floor(units / 100_000_000m), (uint)(units % 100_000_000m));
    }

    public void Dispose() => _desk.Dispose();

    public ulong In(double seconds) => (ulong)(_desk.Now + (long)Math.Round(seconds * 1e9));

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

    public uint Option(ushort underlying, ushort currency, bool isCall, double strike, ulong expiry, double size = LotSize, bool isInverse = false) =>
        _desk.Instrument(
            InstrumentKind.Option, isInverse ? Settlement.Inverse : Settlement.Linear, underlying, currency, (decimal)size,
            isCall ? OptionRight.Call : OptionRight.Put, E8(strike) / 100_000_000m, expiry);

    public uint Perpetual(ushort underlying, ushort currency = Usd, double size = LotSize) =>
        _desk.Instrument(InstrumentKind.Perpetual, Settlement.Linear, underlying, currency, (decimal)size);

    public void Index(ushort underlying, double price, double confidence = 1.0)
    {
        IndexPriceEncoder message = IndexPriceEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = underlying;
        (long coarse, uint further) = E16(price);
        message.SetPrice(coarse);
        message.SetPriceFurther(further);
        (coarse, further) = E16(confidence);
        message.SetConfidence((int)coarse);
        message.SetConfidenceFurther(further);
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Forward(ushort underlying, ulong expiry, double price, double fixedPart = 0.0, double confidence = 1.0)
    {
        ForwardPriceEncoder message = ForwardPriceEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = underlying;
        message.Expiry = expiry;
        message.SetPrice(E8(price));
        message.SetConfidence((int)E8(confidence));
        message.SetFixedPart(fixedPart == 0.0 ? null : E8(fixedPart));
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Rate(ushort underlying, ulong expiry, double rate, double confidence = 1.0)
    {
        ExpiryRateEncoder message = ExpiryRateEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = underlying;
        message.Expiry = expiry;
        message.SetRate(E8(rate));
        message.SetConfidence((int)E8(confidence));
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Mark(uint instrument, double price, double confidence = 1.0)
    {
        MarkPriceEncoder message = MarkPriceEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.SetPrice(E8(price));
        message.SetConfidence((int)E8(confidence));
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Volatility(uint instrument, double volatility, double confidence = 1.0)
    {
        MarkVolatilityEncoder message = MarkVolatilityEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        (long coarse, uint further) = E16(volatility);
        message.SetVolatility(coarse);
        message.SetVolatilityFurther(further);
        message.SetConfidence((int)E8(confidence));
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Funding(uint instrument, double rate)
    {
        FundingRateEncoder message = FundingRateEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.SetRate(E8(rate));
        _desk.Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    /// <summary>A published array: profits of a lot in whole dollars.</summary>
    public void Array(uint instrument, double delta, IReadOnlyList<double> profits)
    {
        MarkArrayEncoder message = MarkArrayEncoder.Wrap(_buffer);
        message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.Exponent = 0;
        message.SetDelta(E8(delta));
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
    public double[] FillablePrices()
    {
        LiquidationPricesDecoder.TryWrap(_desk.Of(LiquidationPricesDecoder.TemplateId).Last(), out LiquidationPricesDecoder prices);
        var found = new double[prices.Legs.Count];
        for (int leg = 0; leg < found.Length; leg++)
        {
            found[leg] = prices.Legs[leg].FillablePrice.Mantissa / 1e8;
        }

        return found;
    }

    /// <summary>A position of so many base units; what it costs is put right by <see cref="Cash"/>.</summary>
    public void Hold(uint instrument, double amount, double price = 1e-8, double lotSize = LotSize)
    {
        if (Lots(amount, lotSize) is long lots && lots != 0)
            _desk.Fill(Account, instrument, lots, E8(price) / 100_000_000m);
    }

    public void Order(uint instrument, double amount, double price) =>
        _desk.Order(Account, instrument, Lots(amount), E8(price) / 100_000_000m, ++_order);

    public void Deposit(ushort currency, double amount, int decimals)
    {
        long atoms = (long)Math.Round(amount * Math.Pow(10, decimals));
        if (atoms != 0)
            _desk.Transfer(Account, currency, atoms / (decimal)Math.Pow(10, decimals), -decimals);
    }

    /// <summary>Makes the balance of USD what it is to be: by a deposit, or where it sinks by the fee of a perpetual that is bought and sold again.</summary>
    public void Cash(double amount, ushort underlying)
    {
        long missing = (long)Math.Round(amount * 1e6) - _desk.Balance(Account, "USD");
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

    private static long Lots(double amount, double lotSize = LotSize) => (long)Math.Round(amount / lotSize);
}
