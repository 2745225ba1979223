using System.Runtime.InteropServices;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// First derivatives of the risk of a lot in ln(price), all prices of the underlying moving together and volatilities along the smile, and what bounds the
/// rest of the way: see <see cref="RiskRows.Slopes"/>. Atoms a lot.
/// </summary>
public struct LotSlopes
{
    /// <summary>The instrument was not priced anew since they were computed or found to do.</summary>
    public bool IsCurrent;
    public uint ModelGeneration;

    /// <summary>Of the bounds that they go with, and the forward they were computed at.</summary>
    public uint Serial;
    public double Forward;

    /// <summary>Relative way of the price since, at the least: the derivatives are off by the second derivatives' bounds times this.</summary>
    public double Moved;

    /// <summary>False: rows and value are bounded by their <see cref="LotModuli"/> alone.</summary>
    public bool IsUsable;

    /// <summary>Of the value.</summary>
    public double Value;

    /// <summary>Largest second derivative of value and of any row.</summary>
    public double ValueCurvature;
    public double RowCurvature;

    /// <summary>What of the rows' speed the derivatives leave out: moves of a shock itself with moneyness, and rows that may reach a bound of their volatility.</summary>
    public double RowRest;
}

/// <content>
/// Derivatives of rows. With x = ln F, v' = dv/dx = -w'(k) / 2v of a slice, v_k = m_k v, in the notation of the bounds:
/// <code>
/// d row_k / dx = u w_k (D F_k (N(d1) + phi(d1) m_k v') - D F (N(d1) + phi(d1) v'))        coin-settled: of V / F
/// |d2 V / dx2| &lt;= F (1 + phi(0) s + g + 2 z s + c s^2 + phi(0) s2)    c = (2 phi(sqrt 2) + phi(1) v) / v,   s2 = w'' / 2v + s^2 / v,   w'' &lt;= b / sigma
/// </code>
/// v in g, z, c: the smallest of any row. Where a row's volatility stands at a minimum that another volatility would leave, its derivative is not used.
/// </content>
public sealed unsafe partial class RiskRows
{
    private readonly double* _slopes;
    private readonly LotSlopes[] _lotSlopes;
    private readonly double[] _deviationSlope = new double[Limits.Rows];

    /// <summary>Derivatives of what <see cref="Price"/> returned last; computed where they are out of date.</summary>
    public ref readonly LotSlopes Slopes(int model, int instrument)
    {
        ref readonly LotRisk risk = ref Price(model, instrument);
        ref LotSlopes slopes = ref _lotSlopes[(model * _instruments) + instrument];
        if (slopes.IsCurrent && slopes.ModelGeneration == risk.ModelGeneration)
        {
            return ref slopes;
        }

        ref readonly BoundedAt at = ref _boundedAt[(model * _instruments) + instrument];
        if (!TryKeep(at, risk, ref slopes))
        {
            slopes = new LotSlopes { ModelGeneration = risk.ModelGeneration, Serial = at.Serial, Forward = at.Forward };
            Fill(model, instrument, risk, ref slopes);
        }

        slopes.IsCurrent = true;
        return ref slopes;
    }

    /// <summary>d row / d ln price, for an instrument that <see cref="Slopes"/> was called for and that has them.</summary>
    public ReadOnlySpan<double> SlopeRow(int model, int instrument) => new(SlopePointer(model, instrument), _models[model].PaddedRows);

    private double* SlopePointer(int model, int instrument) => _slopes + (RowPointer(model, instrument) - _rows);

    private void Fill(int model, int instrument, in LotRisk risk, ref LotSlopes slopes)
    {
        CompiledModel rules = _models[model];
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        if (!_moduli[(model * _instruments) + instrument].IsBounded || risk.IsUnpriced)
        {
            return;
        }

        Span<double> into = new(SlopePointer(model, instrument), rules.PaddedRows);
        if (contract.IsOption)
        {
            FillOption(model, instrument, contract, _moduli[(model * _instruments) + instrument], risk, into, ref slopes);
            return;
        }

        // Amounts proportional to the price, or of coins to its inverse.
        double sign = contract.IsInverse ? -1.0 : 1.0;
        ReadOnlySpan<double> row = Row(model, instrument);
        for (int index = 0; index < into.Length; index++)
        {
            into[index] = sign * row[index];
        }

        slopes.Value = sign * risk.Value;
        slopes.ValueCurvature = Math.Abs(risk.Value) * Enlarged;
        slopes.RowCurvature = Math.Abs(risk.Value) * (contract.IsInverse ? rules.Bounds[contract.Underlying].Inverse : rules.Bounds[contract.Underlying].Linear) * Enlarged;
        slopes.IsUsable = true;
    }

    private void FillOption(int model, int instrument, in Instrument contract, in LotModuli moduli, in LotRisk risk, Span<double> into, ref LotSlopes slopes)
    {
        CompiledModel rules = _models[model];
        int padded = into.Length, underlying = contract.Underlying;
        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        OptionTerms terms = TermsOf(rules, contract, expiry, moduli.Years);
        terms.Volatility = risk.Volatility;
        double v = risk.Volatility * Math.Sqrt(terms.Years), k = Functions.Log(terms.Strike / terms.Forward);
        (double slope, double bend) = SmileAt(contract, expiry, k, v);
        RowVolatility.Fill(rules, underlying, terms.Volatility, terms.Years, k, TermFactor(model, contract.Expiry, terms.Years), _sigma.AsSpan(0, padded));
        double least = FillDeviationSlopes(contract, rules, terms, v, slope, padded, out bool hasKink);
        ReadOnlySpan<double> spot = rules.SpotFactor(underlying)[..padded], logSpot = rules.LogSpotFactor(underlying)[..padded];
        Black76.SlopeRows(terms.Forward, terms.Strike, terms.Years, spot, logSpot, _sigma.AsSpan(0, padded), _deviationSlope.AsSpan(0, padded), _call.AsSpan(0, padded));
        double own = OwnSlope(terms, v, slope);
        double unit = Fixed.ToDouble(contract.SizeE8) * Fixed.Power10(_market.CurrencyAt(contract.Currency).Decimals);
        ReadOnlySpan<double> weight = rules.OptionWeight(underlying);
        double discount = Functions.Exp(-(terms.Rate * terms.Years));
        double value = contract.IsInverse ? (own / terms.Forward) - (risk.Value / unit) : own * discount;
        ReadOnlySpan<double> row = Row(model, instrument);
        for (int index = 0; index < rules.RowCount; index++)
        {
            double forward = terms.Forward * spot[index];
            double changed = terms.IsCall ? _call[index] : _call[index] - forward;

            // Of coins: (V_k / F_k)' = V_k' / F_k - V_k / F_k, the latter being what the row is over the premium.
            double worth = weight[index] == 0.0 ? 0.0 : (row[index] / (unit * weight[index])) + (risk.Value / unit);
            into[index] = unit * weight[index] * ((contract.IsInverse ? (changed / forward) - worth : changed * discount) - value);
        }

        for (int index = rules.RowCount; index < padded; index++)
        {
            into[index] = 0.0;
        }

        slopes.Value = unit * value;
        double term = TermFactor(model, contract.Expiry, terms.Years) * 1.05;
        FinishOption(rules, contract, terms, v, unit, discount, least, bend, term, hasKink, ref slopes);
    }

    // (m_k v)' in every row; returns the least deviation of any. A shock of the surface moves with moneyness itself, up to the wing, where it stops.
    private double FillDeviationSlopes(in Instrument contract, CompiledModel rules, in OptionTerms terms, double v, double slope, int padded, out bool hasKink)
    {
        ref readonly UnderlyingParameters parameters = ref rules.Underlyings[contract.Underlying];
        double least = v, minimum = parameters.MinimumVolatilityUp;
        double width = Math.Max(rules.Volatility.SurfaceMinimumWidth, rules.Volatility.SurfaceWidth * Math.Sqrt(terms.Years));
        double wing = Functions.Log(terms.Strike / terms.Forward) / width;
        bool isAtWing = Math.Abs(Math.Abs(wing) - 1.0) * width < 1.02 * LotModuli.LargestMove;
        hasKink = isAtWing && rules.Bounds[contract.Underlying].SurfaceSlope > 0.0;
        for (int row = 0; row < padded; row++)
        {
            double factor = _sigma[row] / terms.Volatility;
            least = Math.Min(least, v * factor);
            VolatilityShock shock = rules.VolatilityShocks[row];
            bool hasMinimum = shock is VolatilityShock.Up or VolatilityShock.TermScaled;
            hasKink |= hasMinimum && slope != 0.0 && minimum > 0.0 && Math.Abs(_sigma[row] - minimum) < 0.15 * minimum;
            _deviationSlope[row] = hasMinimum && _sigma[row] == minimum ? 0.0 : factor * slope;
            if (shock == VolatilityShock.Surface && Math.Abs(wing) < 1.0)
            {
                ref readonly RowTerms shape = ref rules.Rows[row];
                _deviationSlope[row] -= v * parameters.VolatilityUp * (shape.Slope + (2.0 * shape.Curvature * wing)) / width;
            }
        }

        return least;
    }

    // dV / dx of the option itself, undiscounted.
    private static double OwnSlope(in OptionTerms terms, double v, double slope)
    {
        OptionGreeks greeks = Black76.Greeks(terms.IsCall, terms.Forward, terms.Strike, terms.Years, terms.Volatility);
        return terms.Forward * (greeks.Delta + (greeks.Vega / (terms.Forward * Math.Sqrt(terms.Years)) * slope));
    }

    // dv / dx at the strike, and the largest |d2 v / dx2|.
    private static (double Slope, double Bend) SmileAt(in Instrument contract, in Expiry expiry, double k, double v)
    {
        if (contract.VolatilityE8 != 0 || !expiry.HasSlice)
        {
            return (0.0, 0.0);
        }

        SviSlice slice = expiry.Slice;
        double distance = k - slice.M;
        double root = Math.Sqrt(Math.FusedMultiplyAdd(distance, distance, slice.Sigma * slice.Sigma));
        double rise = slice.B * (slice.Rho + (distance / root));
        return (-rise / (2.0 * v), slice.B / slice.Sigma / (2.0 * LeastDeviation * v));
    }

    private void FinishOption(
        CompiledModel rules, in Instrument contract, in OptionTerms terms, double v, double unit, double discount, double least, double bend, double term, bool hasKink,
        ref LotSlopes slopes)
    {
        ref readonly RowBounds rows = ref rules.Bounds[contract.Underlying];
        double steepest = SlopeOf(contract, v);
        if (!(least > 0.0))
        {
            return;
        }

        double width = Math.Max(rules.Volatility.SurfaceMinimumWidth, rules.Volatility.SurfaceWidth * Math.Sqrt(terms.Years) * 0.97);
        double shape = LargestDeviation * v * rows.SurfaceSlope / width, factor = 1.0 + (rows.TermMove * term) + rows.FixedMove;
        double steep = (steepest * factor) + shape;
        double own = Curvature(v, steepest, bend);
        double any = Curvature(least, steep, (bend * factor) + (2.0 * steepest * rows.SurfaceSlope / width) + (shape / width));
        double rest = hasKink ? Phi0 * steep * 2.0 : 0.0;
        if (contract.IsInverse)
        {
            double inside = Math.Max(1.0, terms.IsCall ? 1.0 : terms.Strike / (terms.Forward * rows.LeastFactor) * Enlarged);
            slopes.ValueCurvature = unit * (own + 2.0 + inside) * Enlarged;
            slopes.RowCurvature = (unit * rows.Weight * (any + 2.0 + inside) * Enlarged) + (rows.Weight * slopes.ValueCurvature);
            slopes.RowRest = unit * rows.Weight * rest * Enlarged;
        }
        else
        {
            slopes.ValueCurvature = unit * discount * terms.Forward * own * Enlarged;
            slopes.RowCurvature = (unit * discount * terms.Forward * rows.FactorWeight * any * Enlarged) + (rows.Weight * slopes.ValueCurvature);
            slopes.RowRest = unit * discount * terms.Forward * rows.FactorWeight * rest * Enlarged;
        }

        slopes.IsUsable = double.IsFinite(slopes.RowCurvature);
    }

    // Of V / F, for the deviation v or more.
    private static double Curvature(double v, double slope, double bend)
    {
        double low = LeastDeviation * v;
        double gamma = Phi0 / low, vanna = (Phi1 + (Phi0 * v)) / low, volga = (PhiSquare + (Phi1 * v)) / low;
        return 1.0 + (Phi0 * slope) + gamma + (2.0 * vanna * slope) + (volga * slope * slope) + (Phi0 * (bend + (slope * slope / low)));
    }
}
