using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Profit of one lot in every row, for each model and instrument: 64-byte aligned, padded, priced lazily, memoised by the instrument's
/// version. Values stay unrounded here; <see cref="RowSums"/> rounds once a position and row.
/// </summary>
public sealed unsafe partial class RiskRows : IDisposable
{
    // A scan range may be wider than the price: a spot price stays above zero all the same.
    private const double SmallestFactor = 1e-6;

    // Rows touched at start; more are touched when a model that has them prices its first instruments.
    private const int FirstRows = 64;

    /// <summary>Under one model: its rows and their slopes, touched as a model uses them, and what goes with them.</summary>
    internal static int BytesPerInstrument => (2 * Limits.Rows * sizeof(double)) + sizeof(LotRisk) + sizeof(LotSlopes) + sizeof(LotModuli) + sizeof(BoundedAt);

    private readonly MarketState _market;
    private readonly CompiledModel[] _models;
    private readonly int _instruments;
    private readonly double* _rows;
    private readonly LotRisk[] _risks;
    private readonly double[] _sigma = new double[Limits.Rows];
    private readonly double[] _call = new double[Limits.Rows];
    private readonly double[] _put = new double[Limits.Rows];
    private readonly double[] _factor = new double[Limits.Rows];
    private readonly double[] _logFactor = new double[Limits.Rows];
    private readonly double[] _discount = new double[Limits.Rows];
    private readonly TermShock[] _terms;
    private readonly int _expiries;

    public RiskRows(Limits limits, MarketState market, CompiledModel[] models)
    {
        _market = market;
        _models = models;
        _instruments = limits.Instruments;
        _expiries = limits.Expiries;
        nuint bytes = checked((nuint)limits.Models * (nuint)limits.Instruments * Limits.Rows * sizeof(double));
        _rows = (double*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_rows, checked((nuint)limits.Instruments * FirstRows * sizeof(double)));
        _risks = new LotRisk[limits.Models * limits.Instruments];
        _slopes = (double*)NativeMemory.AlignedAlloc(bytes, 64);
        _lotSlopes = new LotSlopes[limits.Models * limits.Instruments];
        _moduli = new LotModuli[limits.Models * limits.Instruments];
        _boundedAt = new BoundedAt[limits.Models * limits.Instruments];
        _terms = new TermShock[limits.Models * limits.Expiries];
    }

    ~RiskRows() => Free();

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_rows);
        NativeMemory.AlignedFree(_slopes);
    }

    /// <summary>What <see cref="Price"/> returned last for the instrument.</summary>
    public ref readonly LotRisk Priced(int model, int instrument) => ref _risks[(model * _instruments) + instrument];

    /// <summary>The rows of all instruments of a model, one after the other, each as long as the padded rows of the model.</summary>
    public ref readonly double FirstRow(int model) => ref *RowPointer(model, 0);

    /// <summary>The row vector of an instrument that <see cref="Price"/> was called for.</summary>
    public ReadOnlySpan<double> Row(int model, int instrument) => new(RowPointer(model, instrument), _models[model].PaddedRows);

    /// <summary>Prices the instrument under the model where it is out of date, and returns what one lot risks.</summary>
    public ref readonly LotRisk Price(int model, int instrument)
    {
        ref LotRisk risk = ref _risks[(model * _instruments) + instrument];
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        CompiledModel rules = _models[model];
        FinePrice index = rules.DependsOnIndex ? _market.UnderlyingAt(contract.Underlying).Price : default;
        if (risk.InstrumentVersion != _market.VersionOf(contract) || risk.ModelGeneration != rules.Generation || risk.Index != index)
        {
            Reprice(model, instrument, contract, ref risk);
            risk.Index = index;
        }

        return ref risk;
    }

    private void Reprice(int model, int instrument, in Instrument contract, ref LotRisk risk)
    {
        CompiledModel rules = _models[model];
        Span<double> row = new(RowPointer(model, instrument), rules.PaddedRows);
        risk = default;
        risk.InstrumentVersion = _market.VersionOf(contract);
        risk.ModelGeneration = rules.Generation;
        row.Clear();
        double scale = Fixed.Power10(_market.CurrencyAt(contract.Currency).Decimals);
        _lotSlopes[(model * _instruments) + instrument].IsCurrent = false;
        risk.IsUnpriced = !(contract.IsOption
            ? TryPriceOption(model, instrument, contract, scale, row, ref risk)
            : TryPriceLinear(rules, contract, scale, row, ref risk));
        if (rules.IsByCrossings && rules.IsBounded && !contract.IsOption && !risk.IsUnpriced)
        {
            Unbound(model, instrument);
            BoundLinear(rules, contract, scale, risk, ref _moduli[(model * _instruments) + instrument]);
        }

        if (rules.TakesArrays && contract.ArrayRows > 0)
        {
            Unbound(model, instrument);
            risk.IsUnpriced = !TryTakeArray(rules, instrument, contract, scale, row, ref risk);
        }

        if (risk.IsUnpriced)
        {
            Unbound(model, instrument);
            PriceUnpriced(contract, scale, ref risk);
        }

        risk.LargestRow = LargestOf(row);
    }

    // Whole padded rows. A row that is no number makes the largest none, and so the sums saturate.
    private static double LargestOf(ReadOnlySpan<double> row)
    {
        Vector256<double> largest = Vector256<double>.Zero;
        ref double from = ref MemoryMarshal.GetReference(row);
        for (nuint at = 0; at < (nuint)row.Length; at += 4)
        {
            largest = Vector256.Max(largest, Vector256.Abs(Vector256.LoadUnsafe(ref from, at)));
        }

        return Math.Max(Math.Max(largest[0], largest[1]), Math.Max(largest[2], largest[3]));
    }

    private bool TryPriceLinear(CompiledModel rules, in Instrument contract, double scale, Span<double> row, ref LotRisk risk)
    {
        if (contract.MarkE8 == 0 || !rules.Underlyings[contract.Underlying].IsNamed)
        {
            return false;
        }

        double size = Fixed.ToDouble(contract.SizeE8);
        double mark = Fixed.ToDouble(contract.MarkE8);
        ReadOnlySpan<double> factor = rules.LinearFactor(contract.Underlying);
        if (rules.HasTimedRows)
        {
            factor = ScannedFactors(rules, contract.Underlying, mark);
        }

        if (contract.IsInverse)
        {
            double coin = size / mark * scale;
            risk.Value = -coin;
            risk.Notional = coin;
            risk.DeltaBase = size / mark;
            for (int index = 0; index < rules.RowCount; index++)
            {
                row[index] = coin * (1.0 - (1.0 / factor[index]));
            }
        }
        else
        {
            double worth = size * mark * scale;
            risk.Value = worth;
            risk.Notional = worth;
            risk.DeltaBase = size;
            for (int index = 0; index < rules.RowCount; index++)
            {
                row[index] = worth * (factor[index] - 1.0);
            }
        }

        risk.DeltaUsd = risk.DeltaBase * mark;
        return true;
    }

    private bool TryPriceOption(int model, int instrument, in Instrument contract, double scale, Span<double> row, ref LotRisk risk)
    {
        CompiledModel rules = _models[model];
        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        double years = _market.YearsTo(contract.Expiry);
        OptionTerms terms = TermsOf(rules, contract, expiry, years);
        if (terms.Forward <= 0.0 || !rules.Underlyings[contract.Underlying].IsNamed)
        {
            return false;
        }

        terms.Volatility = VolatilityOf(rules, contract, terms.Forward, terms.Strike, years);
        if (terms.Volatility <= 0.0)
        {
            return false;
        }

        double size = Fixed.ToDouble(contract.SizeE8);
        OptionGreeks greeks = Black76.Greeks(terms.IsCall, terms.Forward, terms.Strike, years, terms.Volatility, terms.Rate);
        double premium = rules.MeasuresFromMark && contract.MarkE8 != 0 ? Fixed.ToDouble(contract.MarkE8)
            : contract.IsInverse ? greeks.Value / terms.Forward : greeks.Value;
        risk.Value = size * premium * scale;
        risk.Volatility = terms.Volatility;
        risk.Notional = contract.IsInverse ? size * scale : size * terms.Forward * scale;
        risk.DeltaBase = size * greeks.Delta;
        risk.DeltaUsd = risk.DeltaBase * terms.Forward;
        if (rules.PricesFromIndex)
        {
            // The index is what moves, and the forward grown from it moves by more than it: e^(rT) of each unit.
            risk.DeltaBase *= terms.Forward / terms.Index;
        }

        risk.GammaUsd = size * greeks.Gamma * terms.Forward * terms.Forward * 0.01;
        risk.VegaUsd = size * greeks.VegaPerPoint;
        risk.ThetaUsd = size * greeks.ThetaPerDay;
        risk.RhoUsd = size * greeks.RhoPerPoint;
        FillOptionRow(model, contract, terms, size * scale, premium, row);
        if (rules.HasDeltaRows)
        {
            risk.DeltaBase = size * CompositeDelta(rules, contract.Underlying, terms);
        }

        if (rules.IsByCrossings && rules.IsBounded)
        {
            BoundWhereDue(model, instrument, contract, terms, size * scale, premium, greeks.Delta, risk);
        }

        return true;
    }

    // A coin-settled premium is not discounted: the venue quotes it as forward value / forward.
    private OptionTerms TermsOf(CompiledModel rules, in Instrument contract, in Expiry expiry, double years)
    {
        double rate = expiry.HasRate ? Fixed.ToDouble(expiry.RateE8) : Fixed.ToDouble(_market.CurrencyAt(contract.Currency).RateE8);
        double index = _market.UnderlyingAt(contract.Underlying).Index;
        OptionTerms terms = new()
        {
            IsCall = contract.Right == OptionRight.Call,
            Strike = Fixed.ToDouble(contract.StrikeE8),
            Years = years,
            Index = index,
            Rate = contract.IsInverse || !rules.Discounts ? 0.0 : Math.Max(rate, 0.0),
        };
        if (rules.PricesFromIndex)
        {
            terms.Rate = rate;
            terms.Forward = index * Functions.Exp(rate * years);
            return terms;
        }

        terms.Fixed = Fixed.ToDouble(expiry.FixedPartE8);
        terms.Forward = Fixed.ToDouble(expiry.ForwardE8);
        return terms;
    }

    private void FillOptionRow(int model, in Instrument contract, in OptionTerms terms, double unit, double premium, Span<double> row)
    {
        CompiledModel rules = _models[model];
        int padded = row.Length;
        int underlying = contract.Underlying;
        double logMoneyness = Functions.Log(terms.Strike / terms.Forward);
        RowVolatility.Fill(
            rules, underlying, terms.Volatility, terms.Years, logMoneyness, TermFactor(model, contract.Expiry, terms.Years), _sigma.AsSpan(0, padded));
        ReadOnlySpan<double> spot = rules.SpotFactor(underlying)[..padded];
        ReadOnlySpan<double> logSpot = rules.LogSpotFactor(underlying)[..padded];
        bool isTimed = rules.HasTimedRows || terms.Fixed != 0.0;
        if (isTimed)
        {
            FillTimedRows(rules, underlying, terms, padded);
            spot = _factor.AsSpan(0, padded);
            logSpot = _logFactor.AsSpan(0, padded);
        }

        Black76.ValueRows(
            terms.Forward, terms.Strike, terms.Years, spot, logSpot, _sigma.AsSpan(0, padded), _call.AsSpan(0, padded), _put.AsSpan(0, padded));
        double[] shocked = terms.IsCall ? _call : _put;
        ReadOnlySpan<double> weight = rules.OptionWeight(underlying);
        double discount = Functions.Exp(-(terms.Rate * terms.Years));
        if (!contract.IsInverse && !isTimed)
        {
            ProfitsOf(shocked, weight, unit, discount, premium, row);
            row[rules.RowCount..].Clear();
            return;
        }

        for (int index = 0; index < rules.RowCount; index++)
        {
            double worth = contract.IsInverse ? shocked[index] / (terms.Forward * spot[index]) : shocked[index] * (isTimed ? _discount[index] : discount);
            row[index] = unit * weight[index] * (worth - premium);
        }
    }

    // unit * weight * (shocked * discount - premium), operation by operation as it stands, so that the bits are those of the loop.
    private static void ProfitsOf(ReadOnlySpan<double> shocked, ReadOnlySpan<double> weight, double unit, double discount, double premium, Span<double> row)
    {
        Check.That(shocked.Length >= row.Length && weight.Length >= row.Length);
        ref double from = ref MemoryMarshal.GetReference(shocked), by = ref MemoryMarshal.GetReference(weight), to = ref MemoryMarshal.GetReference(row);
        for (nuint at = 0; at < (nuint)row.Length; at += 4)
        {
            Vector256<double> worth = Vector256.LoadUnsafe(ref from, at) * Vector256.Create(discount);
            (Vector256.Create(unit) * Vector256.LoadUnsafe(ref by, at) * (worth - Vector256.Create(premium))).StoreUnsafe(ref to, at);
        }
    }

    // Rows in which time passes, rates move, a part of the forward is fixed already, or the move is an amount of money. Time rolls the forward
    // along its carry; a volatility over less time is given to the kernel as one over the whole time.
    private void FillTimedRows(CompiledModel rules, int underlying, in OptionTerms terms, int padded)
    {
        double price = terms.Index > 0.0 ? terms.Index : terms.Forward;
        double carry = terms.Index > 0.0 && terms.Years > 0.0 ? Functions.Log(terms.Index / terms.Forward) / terms.Years : 0.0;
        for (int row = 0; row < padded; row++)
        {
            ref readonly RowTerms shock = ref rules.Rows[row];
            double step = Math.Min(shock.TimeStep, terms.Years);
            double left = terms.Years - step;
            double moved = MovedFactor(rules, underlying, row, price);
            double factor = ((moved * (terms.Forward - terms.Fixed)) + terms.Fixed) / terms.Forward;
            factor *= Functions.Exp((carry * step) + (shock.RateMove * left));
            _factor[row] = factor;
            _logFactor[row] = Functions.Log(factor);
            _discount[row] = Functions.Exp(-((terms.Rate + shock.RateMove) * left));
            if (step > 0.0)
            {
                _sigma[row] *= Math.Sqrt(left / terms.Years);
            }
        }
    }

    // Weighted deltas to the index at the delta rows: e^(-carry) N(d1) of each, after the row's time.
    private double CompositeDelta(CompiledModel rules, int underlying, in OptionTerms terms)
    {
        double delta = 0.0;
        for (int row = 0; row < rules.RowCount; row++)
        {
            if (rules.Rows[row].Role == RowRole.Delta)
            {
                double left = Math.Max(terms.Years - rules.Rows[row].TimeStep, 0.0);
                double forward = terms.Forward * _factor[row];
                double toForward = Black76.Greeks(terms.IsCall, forward, terms.Strike, left, terms.Volatility, terms.Rate).Delta;
                double index = terms.Index > 0.0 ? terms.Index * MovedFactor(rules, underlying, row, terms.Index) : forward;
                delta += rules.Rows[row].Weight * toForward * (forward / index);
            }
        }

        return delta;
    }

    // A scan range is an amount of money: what part of the price it is depends on the price.
    private static double MovedFactor(CompiledModel rules, int underlying, int row, double price) =>
        rules.Rows[row].IsScan
            ? Math.Max(1.0 + (rules.Rows[row].ScanMove * rules.Underlyings[underlying].ScanRange / price), SmallestFactor)
            : rules.SpotFactor(underlying)[row];

    private ReadOnlySpan<double> ScannedFactors(CompiledModel rules, int underlying, double mark)
    {
        ReadOnlySpan<double> factors = rules.LinearFactor(underlying);
        for (int row = 0; row < rules.RowCount; row++)
        {
            _factor[row] = rules.Rows[row].IsScan ? MovedFactor(rules, underlying, row, mark) : factors[row];
        }

        return _factor;
    }

    private double VolatilityOf(CompiledModel rules, in Instrument contract, double forward, double strike, double years) =>
        contract.VolatilityE8 != 0 ? contract.Volatility
        : !rules.InterpolatesSurface && !_market.ExpiryAt(contract.Expiry).HasSurface ? 0.0
        : _market.SurfaceVolatility(contract.Expiry, forward, strike, years);

    private double TermFactor(int model, int expiry, double years)
    {
        CompiledModel rules = _models[model];
        ref TermShock term = ref _terms[(model * _expiries) + expiry];
        if (term.Generation != rules.Generation || term.Years != years)
        {
            double days = Math.Max(years * 365.0, rules.Volatility.TermFloorDays);
            double power = days <= 30.0 ? rules.Volatility.ShortTermPower : rules.Volatility.LongTermPower;
            term.Generation = rules.Generation;
            term.Years = years;
            term.Factor = Functions.Pow(30.0 / days, power);
        }

        return term.Factor;
    }

    // Nothing is known of its risk: the bound is its notional at the best price there is, and it is worth nothing.
    private void PriceUnpriced(in Instrument contract, double scale, ref LotRisk risk)
    {
        risk.RemembersIndex = true;
        risk.RememberedIndex = _market.UnderlyingAt(contract.Underlying).Price;
        long priceE8 = Math.Max(Math.Max(contract.MarkE8, contract.StrikeE8), risk.RememberedIndex.E8);
        double size = Fixed.ToDouble(contract.SizeE8);
        double price = Fixed.ToDouble(priceE8);
        risk.Notional = contract.IsInverse
            ? contract.IsOption ? size * scale : price > 0 ? size / price * scale : size * scale
            : size * Math.Max(price, 1.0) * scale;
    }

    // Each model has room for the longest table; its own rows stand densely in it.
    private double* RowPointer(int model, int instrument) =>
        _rows + ((nint)model * _instruments * Limits.Rows) + ((nint)instrument * _models[model].PaddedRows);

    /// <summary>What one option is priced from; <see cref="Fixed"/> is the part of the forward that no row moves.</summary>
    private struct OptionTerms
    {
        public bool IsCall;
        public double Forward;
        public double Fixed;
        public double Strike;
        public double Years;
        public double Volatility;
        public double Rate;
        public double Index;
    }

    private struct TermShock
    {
        public uint Generation;
        public double Years;
        public double Factor;
    }
}
