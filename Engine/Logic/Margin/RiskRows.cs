using System.Runtime.InteropServices;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Value and sensitivities of one lot under one model, in atoms of the settlement currency unless said otherwise.</summary>
public struct LotRisk
{
    /// <summary>Instrument version and model generation it was priced at; 0: never.</summary>
    public uint InstrumentVersion;
    public uint ModelGeneration;

    /// <summary>A price it needs has never arrived: no row is valid and the whole notional counts as loss.</summary>
    public bool IsUnpriced;

    /// <summary>Value of one lot; for futures and perpetuals the amount that entry cost is compared with.</summary>
    public double Value;

    /// <summary>Largest magnitude in the row.</summary>
    public double LargestRow;

    /// <summary>Notional that fees and slippage are a part of.</summary>
    public double Notional;

    /// <summary>Base units by which one lot follows the underlying.</summary>
    public double DeltaBase;

    // USD a lot; units as in Greeks.
    public double DeltaUsd;
    public double GammaUsd;
    public double VegaUsd;
    public double ThetaUsd;
    public double RhoUsd;
}

/// <summary>
/// Profit of one lot in every row, for each model and instrument: 64-byte aligned, padded, priced lazily, memoised by the instrument's
/// version. Values stay unrounded here; <see cref="RowSums"/> rounds once a position and row.
/// </summary>
public sealed unsafe class RiskRows : IDisposable
{
    private readonly MarketState _market;
    private readonly CompiledModel[] _models;
    private readonly int _instruments;
    private readonly double* _rows;
    private readonly LotRisk[] _risks;
    private readonly double[] _sigma = new double[Limits.Rows];
    private readonly double[] _call = new double[Limits.Rows];
    private readonly double[] _put = new double[Limits.Rows];
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
        NativeMemory.Clear(_rows, bytes);
        _risks = new LotRisk[limits.Models * limits.Instruments];
        _terms = new TermShock[limits.Models * limits.Expiries];
    }

    ~RiskRows() => NativeMemory.AlignedFree(_rows);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_rows);
        GC.SuppressFinalize(this);
    }

    /// <summary>The row vector of an instrument that <see cref="Price"/> was called for.</summary>
    public ReadOnlySpan<double> Row(int model, int instrument) => new(RowPointer(model, instrument), Limits.Rows);

    /// <summary>Prices the instrument under the model where it is out of date, and returns what one lot risks.</summary>
    public ref readonly LotRisk Price(int model, int instrument)
    {
        ref LotRisk risk = ref _risks[(model * _instruments) + instrument];
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        CompiledModel rules = _models[model];
        if (risk.InstrumentVersion != contract.Version || risk.ModelGeneration != rules.Generation)
        {
            Span<double> row = new(RowPointer(model, instrument), Limits.Rows);
            risk = default;
            risk.InstrumentVersion = contract.Version;
            risk.ModelGeneration = rules.Generation;
            row.Clear();
            double scale = Fixed.Power10(_market.CurrencyAt(contract.Currency).Decimals);
            risk.IsUnpriced = !(contract.IsOption
                ? TryPriceOption(model, contract, scale, row, ref risk)
                : TryPriceLinear(rules, contract, scale, row, ref risk));
            if (risk.IsUnpriced)
            {
                PriceUnpriced(contract, scale, ref risk);
            }

            foreach (double value in row)
            {
                risk.LargestRow = Math.Max(risk.LargestRow, Math.Abs(value));
            }
        }

        return ref risk;
    }

    private static bool TryPriceLinear(CompiledModel rules, in Instrument contract, double scale, Span<double> row, ref LotRisk risk)
    {
        if (contract.MarkE8 == 0 || !rules.Underlyings[contract.Underlying].IsNamed)
        {
            return false;
        }

        double size = Fixed.ToDouble(contract.SizeE8);
        double mark = Fixed.ToDouble(contract.MarkE8);
        ReadOnlySpan<double> factor = rules.LinearFactor(contract.Underlying);
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

    private bool TryPriceOption(int model, in Instrument contract, double scale, Span<double> row, ref LotRisk risk)
    {
        CompiledModel rules = _models[model];
        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        if (expiry.ForwardE8 == 0 || !rules.Underlyings[contract.Underlying].IsNamed)
        {
            return false;
        }

        double forward = Fixed.ToDouble(expiry.ForwardE8);
        double strike = Fixed.ToDouble(contract.StrikeE8);
        double years = _market.YearsTo(contract.Expiry);
        double volatility = VolatilityOf(contract, forward, strike, years);
        if (volatility <= 0.0)
        {
            return false;
        }

        double size = Fixed.ToDouble(contract.SizeE8);
        double rate = Math.Max(Fixed.ToDouble(_market.CurrencyAt(contract.Currency).RateE8), 0.0);
        bool isCall = contract.Right == OptionRight.Call;

        // A coin-settled premium is not discounted: the venue quotes it as forward value / forward.
        rate = contract.IsInverse ? 0.0 : rate;
        double discount = Functions.Exp(-(rate * years));
        OptionGreeks greeks = Black76.Greeks(isCall, forward, strike, years, volatility, rate);
        double premium = contract.IsInverse ? greeks.Value / forward : greeks.Value;
        risk.Value = size * premium * scale;
        risk.Notional = contract.IsInverse ? size * scale : size * forward * scale;
        risk.DeltaBase = size * greeks.Delta;
        risk.DeltaUsd = risk.DeltaBase * forward;
        risk.GammaUsd = size * greeks.Gamma * forward * forward * 0.01;
        risk.VegaUsd = size * greeks.VegaPerPoint;
        risk.ThetaUsd = size * greeks.ThetaPerDay;
        risk.RhoUsd = size * greeks.RhoPerPoint;

        int underlying = contract.Underlying;
        int padded = rules.PaddedRows;
        FillSigma(model, contract.Expiry, underlying, volatility, years);
        ReadOnlySpan<double> spot = rules.SpotFactor(underlying)[..padded];
        Black76.ValueRows(
            forward, strike, years, spot, rules.LogSpotFactor(underlying)[..padded], _sigma.AsSpan(0, padded), _call.AsSpan(0, padded), _put.AsSpan(0, padded));
        double[] shocked = isCall ? _call : _put;
        ReadOnlySpan<double> weight = rules.Weight(underlying);
        double unit = size * scale;
        for (int index = 0; index < rules.RowCount; index++)
        {
            double worth = contract.IsInverse ? shocked[index] / (forward * spot[index]) : shocked[index] * discount;
            row[index] = unit * weight[index] * (worth - premium);
        }

        return true;
    }

    private double VolatilityOf(in Instrument contract, double forward, double strike, double years) => contract.VolatilityE8 != 0
        ? Fixed.ToDouble(contract.VolatilityE8)
        : _market.SurfaceVolatility(contract.Expiry, forward, strike, years);

    // iv up: max(iv (1 + up (30/dte)^p), floor); down: max(iv (1 - down (30/dte)^p), 0); p short-dated below 30 days.
    private void FillSigma(int model, int expiry, int underlying, double volatility, double years)
    {
        CompiledModel rules = _models[model];
        ref readonly UnderlyingParameters parameters = ref rules.Underlyings[underlying];
        double term = TermFactor(model, expiry, years);
        double up = Math.Max(volatility * (1.0 + (parameters.VolatilityUp * term)), parameters.MinimumVolatilityUp);
        double down = Math.Max(volatility * (1.0 - (parameters.VolatilityDown * term)), 0.0);
        for (int index = 0; index < rules.PaddedRows; index++)
        {
            _sigma[index] = rules.VolatilityShocks[index] switch
            {
                VolatilityShock.Up => up,
                VolatilityShock.Down => down,
                _ => volatility,
            };
        }
    }

    private double TermFactor(int model, int expiry, double years)
    {
        CompiledModel rules = _models[model];
        ref TermShock term = ref _terms[(model * _expiries) + expiry];
        if (term.Generation != rules.Generation || term.Years != years)
        {
            double days = Math.Max(years * 365.0, rules.TermFloorDays);
            double power = days <= 30.0 ? rules.ShortTermPower : rules.LongTermPower;
            term.Generation = rules.Generation;
            term.Years = years;
            term.Factor = Functions.Pow(30.0 / days, power);
        }

        return term.Factor;
    }

    // Nothing is known of its risk: the bound is its notional at the best price there is, and it is worth nothing.
    private void PriceUnpriced(in Instrument contract, double scale, ref LotRisk risk)
    {
        long priceE8 = Math.Max(Math.Max(contract.MarkE8, contract.StrikeE8), _market.UnderlyingAt(contract.Underlying).IndexE8);
        double size = Fixed.ToDouble(contract.SizeE8);
        double price = Fixed.ToDouble(priceE8);
        risk.Notional = contract.IsInverse
            ? contract.IsOption ? size * scale : price > 0 ? size / price * scale : size * scale
            : size * Math.Max(price, 1.0) * scale;
    }

    private double* RowPointer(int model, int instrument) => _rows + (((nint)(model * _instruments) + instrument) * Limits.Rows);

    private struct TermShock
    {
        public uint Generation;
        public double Years;
        public double Factor;
    }
}
