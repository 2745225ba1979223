namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Raw SVI: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total variance at log-moneyness k = ln(K/F). Formulas after Gatheral and
/// Jacquier, "Arbitrage-free SVI volatility surfaces".
/// </summary>
internal sealed record ReferenceSvi(double A, double B, double Rho, double M, double Sigma)
{
    public double TotalVariance(double k) => A + B * (Rho * (k - M) + Math.Sqrt((k - M) * (k - M) + Sigma * Sigma));

    /// <summary>Derive's volatility of a strike: k clamped to +-4 sqrt(a + b sigma), total variance to 144 [V].</summary>
    public double DeriveVolatility(double strike, double forward, double years)
    {
        double clamp = 4.0 * Math.Sqrt(A + B * Sigma);
        double k = Math.Clamp(Math.Log(strike / forward), -clamp, clamp);
        return Math.Sqrt(Math.Min(TotalVariance(k), 144.0) / years);
    }

    /// <summary>Butterfly condition: g(k) = (1 - k w'/(2w))^2 - w'^2/4 (1/w + 1/4) + w''/2, negative where a butterfly has a negative price.</summary>
    public double ButterflyDensity(double k)
    {
        double distance = Math.Sqrt((k - M) * (k - M) + Sigma * Sigma);
        double w = TotalVariance(k);
        double first = B * (Rho + (k - M) / distance);
        double second = B * Sigma * Sigma / (distance * distance * distance);
        double slope = 1.0 - k * first / (2.0 * w);
        return slope * slope - first * first / 4.0 * (1.0 / w + 0.25) + second / 2.0;
    }

    /// <summary>The jump-wing parameters: variance, skew, put and call wing slopes, minimum variance.</summary>
    public (double V, double Psi, double P, double C, double VTilde) JumpWings(double years)
    {
        double w = TotalVariance(0.0);
        double root = Math.Sqrt(w);
        return (
            w / years,
            B / (2.0 * root) * (Rho - M / Math.Sqrt(M * M + Sigma * Sigma)),
            B * (1.0 - Rho) / root,
            B * (1.0 + Rho) / root,
            (A + B * Sigma * Math.Sqrt(1.0 - Rho * Rho)) / years);
    }

    /// <summary>Raw parameters from jump wings; the smile must have a slope at the money other than its minimum's (m not 0).</summary>
    public static ReferenceSvi FromJumpWings(double v, double psi, double p, double c, double vTilde, double years)
    {
        double root = Math.Sqrt(v * years);
        double b = root * (c + p) / 2.0;
        double rho = 1.0 - p * root / b;
        double beta = rho - 2.0 * psi * root / b;
        double alpha = Math.Sign(beta) * Math.Sqrt(1.0 / (beta * beta) - 1.0);
        double m = (v - vTilde) * years / (b * (-rho + Math.Sign(alpha) * Math.Sqrt(1.0 + alpha * alpha) - alpha * Math.Sqrt(1.0 - rho * rho)));
        double sigma = alpha * m;
        return new ReferenceSvi(vTilde * years - b * sigma * Math.Sqrt(1.0 - rho * rho), b, rho, m, sigma);
    }
}
