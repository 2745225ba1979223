namespace MarginEngine.Logic;

/// <content>
/// Bounds and derivatives of an option outlive its price. Bounds hold within <see cref="LotModuli.LargestMove"/> of the price they were computed at, so within less
/// than that of any price near it: a part of the move is kept back for that, and while prices stay within it nothing is computed anew. A derivative is off by no
/// more than the second derivative's bound times the way since, which counts as a speed of its own (<see cref="LotSlopes.Moved"/>).
/// </content>
public sealed unsafe partial class RiskRows
{
    // Part of the largest move that bounds may drift by, and way after which derivatives are computed anew.
    private const double LargestDrift = 0.0012;
    private const double LargestDriftPart = 0.125;
    private const double LargestSlopeDrift = 3e-4;

    private readonly BoundedAt[] _boundedAt;

    // Of an option as it is priced now: its bounds, where those of an earlier price do not hold any more.
    private void BoundWhereDue(int model, int instrument, in Instrument contract, in OptionTerms terms, double unit, double premium, double discountedDelta, in LotRisk risk)
    {
        ref LotModuli moduli = ref _moduli[(model * _instruments) + instrument];
        ref BoundedAt at = ref _boundedAt[(model * _instruments) + instrument];
        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        double slopeBound = expiry.HasSlice ? _market.Moves.SlopeBound(contract.Expiry, expiry) : 0.0;
        double mark = contract.VolatilityE8 != 0 ? contract.Volatility : 0.0;
        at.Forward = terms.Forward;
        if (at.IsValid && at.ModelGeneration == risk.ModelGeneration && at.Covers(terms, mark, expiry.Slice, slopeBound))
        {
            return;
        }

        moduli = default;
        BoundOption(model, contract, terms, unit, premium, discountedDelta * Functions.Exp(terms.Rate * terms.Years), risk, ref moduli);
        double drift = Math.Min(LargestDrift, LargestDriftPart * moduli.PriceCap);
        moduli.PriceCap -= drift;
        at = new BoundedAt
        {
            IsValid = moduli.IsBounded,
            ModelGeneration = risk.ModelGeneration,
            Serial = at.Serial + 1,
            Drift = 0.97 * drift,
            Forward = terms.Forward,
            Terms = terms,
            Mark = mark,
            Slice = expiry.Slice,
            SlopeBound = slopeBound,
        };
    }

    private void Unbound(int model, int instrument)
    {
        _moduli[(model * _instruments) + instrument] = default;
        _boundedAt[(model * _instruments) + instrument].IsValid = false;
    }

    // Whether derivatives of an earlier price still do, for an option whose bounds outlived that price too.
    private static bool TryKeep(in BoundedAt at, in LotRisk risk, ref LotSlopes slopes)
    {
        if (!slopes.IsUsable || !at.IsValid || slopes.ModelGeneration != risk.ModelGeneration || slopes.Serial != at.Serial)
        {
            return false;
        }

        double moved = Math.Abs((at.Forward / slopes.Forward) - 1.0);
        slopes.Moved = moved * 1.001;
        return moved <= LargestSlopeDrift;
    }

    /// <summary>What the bounds of an option were computed from.</summary>
    private struct BoundedAt
    {
        public bool IsValid;
        public uint ModelGeneration;

        /// <summary>Counts how often they were computed.</summary>
        public uint Serial;

        /// <summary>Relative way that prices may go before they are computed anew.</summary>
        public double Drift;

        /// <summary>Forward that the option is priced at now.</summary>
        public double Forward;
        public OptionTerms Terms;

        /// <summary>Its own volatility, to the last digit; 0: it has that of the slice.</summary>
        public double Mark;
        public SviSlice Slice;
        public double SlopeBound;

        /// <summary>Nothing but prices moved since, and they no further than was kept back. A volatility along the smile moves with them.</summary>
        public readonly bool Covers(in OptionTerms now, double mark, in SviSlice slice, double slopeBound) =>
            now.Years == Terms.Years && now.Rate == Terms.Rate && now.Fixed == Terms.Fixed && mark == Mark
            && slopeBound == SlopeBound && (mark != 0.0 || slice == Slice)
            && Math.Abs((now.Forward / Terms.Forward) - 1.0) <= Drift
            && (now.Index == Terms.Index || Math.Abs((now.Index / Terms.Index) - 1.0) <= Drift);
    }
}
