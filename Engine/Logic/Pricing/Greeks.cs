namespace MarginEngine.Logic;

/// <summary>
/// Value and sensitivities of one option per unit of underlying, discounted by exp(-rate * years). Money is that of forward and strike.
/// </summary>
/// <param name="Value">Money.</param>
/// <param name="Delta">dV/dF: money per unit of the forward.</param>
/// <param name="Gamma">d2V/dF2.</param>
/// <param name="Vega">dV/dsigma, per 1.00 of volatility; a hundredth of it is per percentage point.</param>
/// <param name="Theta">-dV/dT per year with the forward held; <see cref="ThetaPerDay"/> is the venues' figure.</param>
/// <param name="Rho">
/// dV/dr per 1.00 of rate with the spot held, so that the forward carries the rate: +K T df N(d2) for a call, -K T df N(-d2) for a put.
/// With the forward held instead it is -years * Value.
/// </param>
/// <param name="Vanna">d2V/dF dsigma.</param>
/// <param name="Volga">d2V/dsigma2.</param>
public readonly record struct OptionGreeks(
    double Value, double Delta, double Gamma, double Vega, double Theta, double Rho, double Vanna, double Volga)
{
    /// <summary>Money lost by one day's passing, 1/365 of a year.</summary>
    public double ThetaPerDay => Theta / 365.0;

    /// <summary>
    /// Theta a day as Deribit shows it, undiscounted: over what is left of the last day, and never more than the option is worth.
    /// </summary>
    public double ThetaOfNextDay(double years)
    {
        double days = years * 365.0;
        double decay = days < 1.0 ? ThetaPerDay * days : ThetaPerDay;
        return decay < -Value ? -Value : decay;
    }

    /// <summary>Money per percentage point of volatility.</summary>
    public double VegaPerPoint => Vega / 100.0;

    /// <summary>Money per percentage point of rate.</summary>
    public double RhoPerPoint => Rho / 100.0;
}

/// <content>Greeks of one option, from the same two probabilities and one density as its value.</content>
public static partial class Black76
{
    private const double InverseRootTwoPi = 0.3989422804014327;

    /// <summary>
    /// Value and Greeks of one option. Without time or volatility, or at a forward of zero: the intrinsic value, a delta of 0, 1/2 (at the money) or 1 with the
    /// sign of the option, and zeros for gamma, vega, vanna and volga.
    /// </summary>
    /// <param name="rate">Continuous, per year; discounts the value and nothing else (the forward is given).</param>
    public static OptionGreeks Greeks(bool isCall, double forward, double strike, double years, double volatility, double rate = 0.0)
    {
        double root = RootYears(Lanes1.Broadcast(years)).Value;
        double deviation = volatility * root;
        double time = root > 0.0 ? years : 0.0;
        double discount = Functions.Exp(-(rate * time));
        double logRatio = Math.Clamp(Functions.Log(forward / strike), -LargestLog, LargestLog);
        Terms<Lanes1> terms = Solve(
            Lanes1.Broadcast(forward), Lanes1.Broadcast(strike), Lanes1.Broadcast(logRatio), Lanes1.Broadcast(deviation));
        double value = discount * (isCall ? terms.Call.Value : terms.Put.Value);
        if (deviation <= 0.0 | forward <= 0.0)
            return Expired(isCall, forward, strike, time, discount, rate, value);

        // forward * N(+-d1) and strike * N(+-d2): the small one of each pair as computed, the large one as its complement.
        double near = terms.NearPart.Value;
        double far = terms.FarPart.Value;
        bool aboveStrike = forward > strike;
        double forwardPart;
        double strikePart;
        if (isCall)
        {
            forwardPart = aboveStrike ? forward - far : near;
            strikePart = aboveStrike ? strike - near : far;
        }
        else
        {
            forwardPart = aboveStrike ? far : forward - near;
            strikePart = aboveStrike ? near : strike - far;
        }

        double sign = isCall ? discount : -discount;
        double density = discount * (terms.Density.Value * InverseRootTwoPi);
        var greeks = new OptionGreeks(
            Value: value,
            Delta: sign * (forwardPart / forward),
            Gamma: 0.0,
            Vega: 0.0,
            Theta: rate * value,
            Rho: sign * time * strikePart,
            Vanna: 0.0,
            Volga: 0.0);
        return density == 0.0 ? greeks : WithDensity(greeks, density, forward, volatility, root, logRatio / deviation, rate);
    }

    /// <summary>Adds what the density carries: nothing is left of it 37 standard deviations out, where the factors may be infinite.</summary>
    private static OptionGreeks WithDensity(
        in OptionGreeks greeks, double density, double forward, double volatility, double root, double standardised, double rate)
    {
        double deviation = volatility * root;
        double d1 = standardised + 0.5 * deviation;
        double d2 = standardised - 0.5 * deviation;
        double vega = density * root;
        return greeks with
        {
            Gamma = density / forward / (forward * deviation),
            Vega = vega,
            Theta = Math.FusedMultiplyAdd(rate, greeks.Value, -(density * volatility / (2.0 * root))),
            Vanna = -(density / forward) * d2 / volatility,
            Volga = vega * d1 * d2 / volatility,
        };
    }

    private static OptionGreeks Expired(
        bool isCall, double forward, double strike, double time, double discount, double rate, double value)
    {
        double above = forward > strike ? 1.0 : forward < strike ? 0.0 : 0.5;
        double probability = isCall ? above : 1.0 - above;
        double sign = isCall ? discount : -discount;
        return new OptionGreeks(value, sign * probability, 0.0, 0.0, rate * value, sign * (probability * strike) * time, 0.0, 0.0);
    }
}
