using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>
/// Bounds on how fast the risk of a lot moves. For an option with forward F, strike K, deviation v = volatility sqrt(T), delta d, unit u = lot in atoms:
/// <code>
/// |dV / d ln F|  &lt;= F (|d| + phi(0) s)         s = |dv / dk| along the smile, k = ln(K / F); phi(0) = 0.39894..
/// |dV / dv|      &lt;= F phi(0)                    |d delta / d ln F| &lt;= g = phi(0) / v,   |d delta / dv| &lt;= z = (phi(1) + phi(0) v) / v
/// row k: the same at F f_k and v_k = shock(v): |d row_k| &lt;= w_k (F f_k (1 + phi(0) (C s + v S)) + own value)     C, S: largest factor and slope of the shocks
/// |dv / dT|      &lt;= v / 2T of a mark volatility, 0 of a slice;   |dv_k / dT| &lt;= v_k (1/2 + p) / T + v twist / term     p: power of the term scaling
/// coin-settled: V / F in place of V; |d (V / F) / d ln F| = |delta - V / F| &lt;= 1 for calls, &lt;= K / F for puts
/// </code>
/// with phi(x) |x| &lt;= phi(1) = 0.24197.., phi(x) x^2 &lt;= 2 phi(sqrt 2) = 0.29352... The constants below are these, enlarged for the caps of
/// <see cref="LotModuli"/>: 1 % of price, 4 % of deviation and time.
/// </content>
public sealed unsafe partial class RiskRows
{
    // phi(0), phi(1) and 2 phi(sqrt 2), rounded up; Enlarged covers a price 1 % away and the difference between relative and logarithmic moves.
    private const double Phi0 = 0.39895;
    private const double Phi1 = 0.24198;
    private const double PhiSquare = 0.29353;
    private const double Enlarged = 1.03;

    // Least part of the deviation left: 1 - 0.04 - 0.021 - 0.05 by change, time and smile; largest 1 + 0.04 + 0.05.
    private const double LeastDeviation = 0.88;
    private const double LargestDeviation = 1.1;

    private readonly LotModuli[] _moduli;

    /// <summary>Bounds of what <see cref="Price"/> returned last; only of models that are evaluated by crossings.</summary>
    public ref readonly LotModuli Moduli(int model, int instrument) => ref _moduli[(model * _instruments) + instrument];

    private void BoundLinear(CompiledModel rules, in Instrument contract, double scale, in LotRisk risk, ref LotModuli moduli)
    {
        ref readonly RowBounds rows = ref rules.Bounds[contract.Underlying];
        double factor = MaintenanceFactor(rules);
        double delta = Math.Abs(risk.DeltaBase);
        moduli.ValuePrice = Math.Abs(risk.Value) * Enlarged;
        moduli.RowPrice = factor * Math.Abs(risk.Value) * (contract.IsInverse ? rows.Inverse : rows.Linear) * Enlarged;
        moduli.DeltaPrice = contract.IsInverse ? delta * Enlarged : 0.0;
        moduli.PriceCap = LotModuli.LargestMove;
        moduli.Years = double.PositiveInfinity;
        moduli.IsBounded = true;
        AddOnBounds adds = BoundsOfAddOns(rules, contract, risk, scale);
        moduli.MarginPrice += (adds.Notional * risk.Notional * 2.1) + (adds.Lots * 1.05) + (adds.Mark * moduli.ValuePrice);
        moduli.BasePrice = (adds.Delta * ((delta * 1.05) + moduli.DeltaPrice)) + (adds.AtIndex * delta * 2.1);
        moduli.BaseTime = adds.DeltaTime * delta * 1.05;
    }

    private void BoundOption(int model, in Instrument contract, in OptionTerms terms, double unit, double premium, double delta, in LotRisk risk, ref LotModuli moduli)
    {
        CompiledModel rules = _models[model];
        double v = terms.Volatility * Math.Sqrt(terms.Years);
        double slope = SlopeOf(contract, v);
        if (!(terms.Years > 0.0) || !(v > 0.0) || !double.IsFinite(slope) || terms.Fixed != 0.0)
        {
            return;
        }

        Densities near = DensitiesNear(terms, v);
        double gamma = (near.Phi / (LeastDeviation * v)) * 1.01;
        double vanna = (near.First + (near.Phi * LargestDeviation * v)) / (LeastDeviation * v);
        double deltaPrice = gamma + (vanna * slope);
        double largestDelta = Math.Min(1.0, Math.Abs(delta) + (deltaPrice * LotModuli.LargestMove) + (vanna * LotModuli.DeviationPart * v * 1.6));
        bool isMarked = contract.VolatilityE8 != 0;
        double perYear = isMarked ? v / (2.0 * terms.Years) * 1.16 : 0.0;
        moduli.HasDeviation = true;
        moduli.Years = terms.Years;
        moduli.PriceCap = Math.Min(LotModuli.LargestMove, slope > 0.0 ? LotModuli.SmilePart * v / slope : LotModuli.LargestMove);
        moduli.IsBounded = true;
        double size = Fixed.ToDouble(contract.SizeE8);
        moduli.DeltaPrice = size * deltaPrice * Enlarged;
        moduli.DeltaDeviation = size * vanna;
        if (contract.IsInverse)
        {
            BoundInverseRows(model, contract, terms, unit, premium, slope, largestDelta, v, perYear, ref moduli);
        }
        else
        {
            BoundLinearRows(model, contract, terms, unit, slope, largestDelta, v, perYear, ref moduli);
        }

        AddOptionAddOns(rules, contract, terms, unit, risk, near, slope, v, perYear, largestDelta, ref moduli);

        // So far a unit of deviation; deviations move in parts of themselves, whatever time an option has left.
        double largest = LargestDeviation * v;
        moduli.ValueDeviation *= largest;
        moduli.MarginDeviation *= largest;
        moduli.BaseDeviation *= largest;
        moduli.DeltaDeviation *= largest;
    }

    // Within the caps d1 = x / v + v / 2, x = ln(F / K), moves by no more than this; phi falls with |d1|, |d1| phi beyond 1, d1^2 phi beyond sqrt 2.
    private static Densities DensitiesNear(in OptionTerms terms, double v)
    {
        double x = Functions.Log(terms.Forward / terms.Strike);
        double moved = (1.02 * LotModuli.LargestMove / (LeastDeviation * v)) + (0.14 * Math.Abs(x) / v) + (0.06 * v);
        double least = Math.Max(0.0, Math.Abs((x / v) + (0.5 * v)) - moved);
        double phi = Phi0 * Functions.Exp(-0.5 * least * least) * 1.000001;
        return new Densities
        {
            Phi = phi,
            First = least > 1.0 ? least * phi : Phi1,
            Second = least > 1.4143 ? least * least * phi : PhiSquare,
        };
    }

    private void BoundLinearRows(
        int model, in Instrument contract, in OptionTerms terms, double unit, double slope, double largestDelta, double v, double perYear, ref LotModuli moduli)
    {
        CompiledModel rules = _models[model];
        ref readonly RowBounds rows = ref rules.Bounds[contract.Underlying];
        double discount = Math.Max(1.0, Functions.Exp(-(terms.Rate * terms.Years)));
        double worth = unit * discount * terms.Forward;
        double rate = Math.Abs(terms.Rate);
        double carried = rules.PricesFromIndex ? rate : 0.0;
        moduli.ValuePrice = worth * (largestDelta + (Phi0 * slope)) * Enlarged;
        moduli.ValueDeviation = worth * Phi0 * Enlarged;
        moduli.ValueTime = (moduli.ValueDeviation * perYear) + (moduli.ValuePrice * carried) + (rate * unit * discount * Math.Max(terms.Forward, terms.Strike) * Enlarged);
        Shocked shocked = ShockedOf(model, contract, terms, v);
        double factor = MaintenanceFactor(rules);
        double rowPrice = worth * rows.FactorWeight * (1.0 + (Phi0 * ((shocked.Factor * slope) + (LargestDeviation * v * shocked.Slope)))) * Enlarged;
        double rowDeviation = worth * rows.FactorWeight * shocked.Factor * Phi0 * Enlarged;
        double rowTime = (worth * rows.FactorWeight * Phi0 * Enlarged * shocked.PerYear) + (rowPrice * carried)
            + (rate * unit * discount * Enlarged * ((terms.Forward * rows.FactorWeight) + (terms.Strike * rows.Weight)));
        moduli.RowPrice = factor * (rowPrice + (rows.Weight * moduli.ValuePrice));
        moduli.MarginDeviation = factor * (rowDeviation + (rows.Weight * moduli.ValueDeviation));
        moduli.MarginTime = factor * (rowTime + (rows.Weight * moduli.ValueTime));
    }

    private void BoundInverseRows(
        int model, in Instrument contract, in OptionTerms terms, double unit, double premium, double slope, double largestDelta, double v, double perYear, ref LotModuli moduli)
    {
        CompiledModel rules = _models[model];
        ref readonly RowBounds rows = ref rules.Bounds[contract.Underlying];
        double inside = terms.IsCall ? 0.0 : terms.Strike / terms.Forward * Enlarged;
        double carried = rules.PricesFromIndex ? Math.Abs(terms.Rate) : 0.0;

        // |delta - V / F|: of a put the sum of both, V / F at most what it is now and what the caps add.
        double own = terms.IsCall ? largestDelta : Math.Min(largestDelta + (1.02 * premium) + 0.02 + (0.02 * slope) + (Phi0 * LotModuli.DeviationPart * 1.6 * v), inside);
        moduli.ValuePrice = unit * (own + (Phi0 * slope)) * Enlarged;
        moduli.ValueDeviation = unit * Phi0 * Enlarged;
        moduli.ValueTime = (moduli.ValueDeviation * perYear) + (moduli.ValuePrice * carried);
        Shocked shocked = ShockedOf(model, contract, terms, v);
        double factor = MaintenanceFactor(rules);
        double row = Math.Max(1.0, inside / rows.LeastFactor);
        double rowPrice = unit * rows.Weight * (row + (Phi0 * ((shocked.Factor * slope) + (LargestDeviation * v * shocked.Slope)))) * Enlarged;
        double rowDeviation = unit * rows.Weight * shocked.Factor * Phi0 * Enlarged;
        double rowTime = (unit * rows.Weight * Phi0 * Enlarged * shocked.PerYear) + (rowPrice * carried);
        moduli.RowPrice = factor * (rowPrice + (rows.Weight * moduli.ValuePrice));
        moduli.MarginDeviation = factor * (rowDeviation + (rows.Weight * moduli.ValueDeviation));
        moduli.MarginTime = factor * (rowTime + (rows.Weight * moduli.ValueTime));
    }

    private void AddOptionAddOns(
        CompiledModel rules, in Instrument contract, in OptionTerms terms, double unit, in LotRisk risk, in Densities near, double slope, double v, double perYear, double largestDelta,
        ref LotModuli moduli)
    {
        double size = Fixed.ToDouble(contract.SizeE8);
        double scale = unit / size;
        AddOnBounds adds = BoundsOfAddOns(rules, contract, risk, scale);
        moduli.MarginPrice += (adds.Notional * risk.Notional * 2.1) + (adds.Lots * 1.05) + (adds.Mark * moduli.ValuePrice);
        moduli.MarginDeviation += adds.Mark * moduli.ValueDeviation;
        moduli.MarginTime += adds.Mark * moduli.ValueTime;

        // Delta is told to the index where the model prices from it; the quotient moves with time only, by the rate.
        double toIndex = rules.PricesFromIndex && terms.Index > 0.0 ? terms.Forward / terms.Index * 1.01 : 1.0;
        moduli.DeltaPrice *= toIndex;
        moduli.DeltaDeviation *= toIndex;
        moduli.DeltaTime = (moduli.DeltaDeviation * perYear) + (rules.PricesFromIndex ? Math.Abs(terms.Rate) * (moduli.DeltaPrice + (size * toIndex)) : 0.0);
        moduli.BasePrice = (adds.Delta * ((size * toIndex * largestDelta * 1.05) + (moduli.DeltaPrice * 1.02))) + (adds.AtIndex * size * 2.1);
        moduli.BaseDeviation = adds.Delta * moduli.DeltaDeviation * 1.02;
        moduli.BaseTime = (adds.Delta * moduli.DeltaTime * 1.02) + (size * toIndex * adds.DeltaTime * 1.02);
        if (adds.Vega > 0.0)
        {
            AddVega(terms, adds, near, slope, v, perYear, size, ref moduli);
        }
    }

    // Vega a point: 0.01 u F sqrt(T) phi(d1), weighted by 1 - volatility / normal, nothing where no volatility within the caps is below the normal one. In atoms
    // of a coin it moves with the price once more.
    private static void AddVega(
        in OptionTerms terms, in AddOnBounds adds, in Densities near, double slope, double v, double perYear, double size, ref LotModuli moduli)
    {
        double weight = 1.0 - (LeastDeviation * terms.Volatility / adds.NormalVolatility);
        if (weight <= 0.0)
        {
            return;
        }

        double root = Math.Sqrt(terms.Years);
        double vega = adds.Vega * 0.01 * size * terms.Forward * root * adds.AtomsOfOneUsd * 1.05;
        double price = weight * (near.Phi + ((near.First + (near.Phi * v)) / (LeastDeviation * v)));
        double deviation = (weight * (near.Second + (near.First * LargestDeviation * v)) / (LeastDeviation * v)) + (near.Phi / (root * adds.NormalVolatility));
        moduli.MarginPrice += vega * (price + (weight * near.Phi) + (deviation * slope));
        moduli.MarginDeviation += vega * deviation;
        moduli.MarginTime += vega * 1.1
            * ((deviation * Math.Max(perYear, v / (2.0 * terms.Years))) + (near.Phi / (2.0 * terms.Years)) + (Math.Abs(terms.Rate) * near.Phi)
                + (near.Phi * v / (root * adds.NormalVolatility * terms.Years)));
    }

    // Largest |dv / dk|: 0 of a volatility of its own, b (1 + |rho|) / 2v of a slice of its own; there is no bound for grids and neighbours.
    private double SlopeOf(in Instrument contract, double v)
    {
        if (contract.VolatilityE8 != 0)
        {
            return 0.0;
        }

        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        return expiry.HasSlice ? _market.Moves.SlopeBound(contract.Expiry, expiry) / (2.0 * LeastDeviation * v) : double.PositiveInfinity;
    }

    private Shocked ShockedOf(int model, in Instrument contract, in OptionTerms terms, double v)
    {
        CompiledModel rules = _models[model];
        ref readonly RowBounds rows = ref rules.Bounds[contract.Underlying];
        double term = TermFactor(model, contract.Expiry, terms.Years) * 1.05;
        double power = Math.Max(Math.Abs(rules.Volatility.ShortTermPower), Math.Abs(rules.Volatility.LongTermPower));
        double factor = 1.0 + (rows.TermMove * term) + rows.FixedMove;
        double root = Math.Sqrt(terms.Years);
        double largest = Math.Max(LargestDeviation * v * factor, rules.Underlyings[contract.Underlying].MinimumVolatilityUp * root * 1.03);
        double width = Math.Max(rules.Volatility.SurfaceMinimumWidth, rules.Volatility.SurfaceWidth * root * 0.97);
        return new Shocked
        {
            Factor = factor,
            Slope = rows.SurfaceSlope / width,
            PerYear = (largest * (0.5 + power) / terms.Years * 1.1) + (LargestDeviation * v * rows.Twist / rules.Volatility.SurfaceTermYears),
        };
    }

    // What add-ons make of one unit of each quantity, times the factor where they stand inside it.
    private AddOnBounds BoundsOfAddOns(CompiledModel rules, in Instrument contract, in LotRisk risk, double scale)
    {
        ref readonly Currency currency = ref _market.CurrencyAt(contract.Currency);
        double index = currency.Underlying < 0 || currency.IsMoney ? 1.0 : _market.UnderlyingAt(contract.Underlying).Index;
        AddOnBounds bounds = new() { AtomsOfOneUsd = index > 0.0 ? scale / index : 0.0, NormalVolatility = 1.0 };
        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            ref readonly AddOnTerms terms = ref rules.AddOn(addOn, contract.Underlying);
            double part = rules.Places[addOn] == AddOnPlace.After ? 1.0 : MaintenanceFactor(rules);
            switch (rules.Kinds[addOn])
            {
                case AddOnKind.PercentOf:
                    bounds.Add((AddOnMeasure)(int)terms[0], part * terms[3]);
                    break;
                case AddOnKind.TieredRate:
                    bounds.Add((AddOnMeasure)(int)terms[0], part * LargestRate(rules.Tiers(addOn, contract.Underlying)));
                    break;
                case AddOnKind.ExpiryMove:
                    double years = contract.Expiry < 0 ? 0.0 : _market.YearsTo(contract.Expiry);
                    double grown = Functions.Exp(terms[1] * years);
                    bounds.Delta += part * Math.Max(terms[0], grown - 1.0);
                    bounds.DeltaTime += part * terms[1] * grown;
                    break;
                case AddOnKind.HedgedDelta:
                    bounds.Delta += part * (terms[0] + (2.0 * terms[1]));
                    break;
                case AddOnKind.IsolatedOption when contract.IsOption:
                    bounds.Mark += part * (1.0 + terms[4]);
                    bounds.AtIndex += part * (Math.Max(terms[2], terms[3]) + (terms[8] * 2.0));
                    break;
                case AddOnKind.Funding when contract.Kind == InstrumentKind.Perpetual:
                    bounds.AtIndex += part * Math.Abs(Fixed.ToDouble(contract.FundingRateE8)) * terms[0];
                    break;
                case AddOnKind.Fees:
                    bounds.Notional += contract.IsOption ? 0.0 : part * terms[0];
                    bounds.AtIndex += contract.IsOption ? part * terms[1] : 0.0;
                    bounds.Mark += contract.IsOption ? part * terms[2] : 0.0;
                    break;
                case AddOnKind.ShortVega when terms[1] > 0.0:
                    bounds.Vega += part * terms[0];
                    bounds.NormalVolatility = Math.Min(bounds.NormalVolatility, terms[1]);
                    break;
                case AddOnKind.SettlementDelay:
                    bounds.Delta += part * terms[2] * terms[1] * Math.Sqrt(terms[0] / 8_760.0);
                    break;
                case AddOnKind.OpenInterest:
                    bounds.Notional += part * terms[2];
                    bounds.AtIndex += part * terms[2];
                    break;
            }
        }

        bounds.Lots *= bounds.AtomsOfOneUsd;
        return bounds;
    }

    private static double LargestRate(ReadOnlySpan<Tier> tiers)
    {
        double largest = 0.0;
        foreach (ref readonly Tier tier in tiers)
        {
            largest = Math.Max(largest, tier.Maintenance);
        }

        return largest;
    }

    private static double MaintenanceFactor(CompiledModel rules) => rules.MaintenanceFactorE8 / 1e8;

    /// <summary>Largest phi(d1), |d1| phi(d1) and d1^2 phi(d1) within the caps.</summary>
    private struct Densities
    {
        public double Phi;
        public double First;
        public double Second;
    }

    /// <summary>Of the shocked deviations: largest factor on the deviation, largest slope in moneyness, largest change a year.</summary>
    private struct Shocked
    {
        public double Factor;
        public double Slope;
        public double PerYear;
    }

    private struct AddOnBounds
    {
        public double Delta;
        public double DeltaTime;
        public double AtIndex;
        public double Notional;
        public double Mark;
        public double Lots;
        public double Vega;
        public double NormalVolatility;
        public double AtomsOfOneUsd;

        public void Add(AddOnMeasure measure, double rate)
        {
            switch (measure)
            {
                case AddOnMeasure.Notional: Notional += rate; break;
                case AddOnMeasure.AtIndex or AddOnMeasure.NakedShort: AtIndex += rate; break;
                case AddOnMeasure.Lots: Lots += rate; break;
                default: Delta += rate; break;
            }
        }
    }
}
