namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Raw SVI: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total variance at log-moneyness k = ln(K/F). Formulas after Gatheral and
/// Jacquier, "Arbitrage-free SVI volatility surfaces".
/// </summary>
internal sealed record ReferenceSvi(decimal A, decimal B, decimal Rho, decimal M, decimal Sigma)
{
    public decimal TotalVariance(decimal k) => A + B * (Rho * (k - M) + DecimalMath.Sqrt((k - M) * (k - M) + Sigma * Sigma));

    /// <summary>Derive's volatility of a strike: k clamped to +-4 sqrt(a + b sigma), total variance to 144 [V].</summary>
    public decimal DeriveVolatility(decimal strike, decimal forward, decimal years)
    {
        decimal clamp = 4m * DecimalMath.Sqrt(A + B * Sigma);
        decimal k = Math.Clamp(DecimalMath.Ln(strike / forward), -clamp, clamp);
        return DecimalMath.Sqrt(Math.Min(TotalVariance(k), 144m) / years);
    }

    /// <summary>Butterfly condition: g(k) = (1 - k w'/(2w))^2 - w'^2/4 (1/w + 1/4) + w''/2, negative where a butterfly has a negative price.</summary>
    public decimal ButterflyDensity(decimal k)
    {
        decimal distance = DecimalMath.Sqrt((k - M) * (k - M) + Sigma * Sigma);
        decimal w = TotalVariance(k);
        decimal first = B * (Rho + (k - M) / distance);
        decimal second = B * Sigma * Sigma / (distance * distance * distance);
        decimal slope = 1m - k * first / (2m * w);
        return slope * slope - first * first / 4m * (1m / w + 0.25m) + second / 2m;
    }

    /// <summary>The jump-wing parameters: variance, skew, put and call wing slopes, minimum variance.</summary>
    public (decimal V, decimal Psi, decimal P, decimal C, decimal VTilde) JumpWings(decimal years)
    {
        decimal w = TotalVariance(0m);
        decimal root = DecimalMath.Sqrt(w);
        return (
            w / years,
            B / (2m * root) * (Rho - M / DecimalMath.Sqrt(M * M + Sigma * Sigma)),
            B * (1m - Rho) / root,
            B * (1m + Rho) / root,
            (A + B * Sigma * DecimalMath.Sqrt(1m - Rho * Rho)) / years);
    }

    /// <summary>Raw parameters from jump wings; the smile must have a slope at the money other than its minimum's (m not 0).</summary>
    public static ReferenceSvi FromJumpWings(decimal v, decimal psi, decimal p, decimal c, decimal vTilde, decimal years)
    {
        decimal root = DecimalMath.Sqrt(v * years);
        decimal b = root * (c + p) / 2m;
        decimal rho = 1m - p * root / b;
        decimal beta = rho - 2m * psi * root / b;
        decimal alpha = Math.Sign(beta) * DecimalMath.Sqrt(1m / (beta * beta) - 1m);
        decimal m = (v - vTilde) * years / (b * (-rho + Math.Sign(alpha) * DecimalMath.Sqrt(1m + alpha * alpha) - alpha * DecimalMath.Sqrt(1m - rho * rho)));
        decimal sigma = alpha * m;
        return new ReferenceSvi(vTilde * years - b * sigma * DecimalMath.Sqrt(1m - rho * rho), b, rho, m, sigma);
    }
}
