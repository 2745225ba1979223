using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Suprema over the rows of a model for one underlying; what they are used for stands in Engine/Logic/Crossings.</summary>
public struct RowBounds
{
    /// <summary>Largest |weight| of a row on options, all factors together.</summary>
    public double Weight;

    /// <summary>Largest |weight| times price factor.</summary>
    public double FactorWeight;

    /// <summary>Smallest price factor.</summary>
    public double LeastFactor;

    /// <summary>Largest |weight| times |factor - 1| of linear contracts, and |1 - 1 / factor| of inverse ones.</summary>
    public double Linear;
    public double Inverse;

    /// <summary>Largest |weight| times |factor - 1| of a balance that moves in rows.</summary>
    public double Balance;

    /// <summary>Largest relative move of volatility that time to expiry scales, and that it does not.</summary>
    public double TermMove;
    public double FixedMove;

    /// <summary>Largest change of such a move when moneyness passes the width of the surface.</summary>
    public double SurfaceSlope;

    /// <summary>Largest twist of the surface.</summary>
    public double Twist;

    /// <summary>Largest amount of USD by which a tail row is drawn toward zero.</summary>
    public double Dampener;
}

/// <content>Which models have bounds on the speed of every part, and the suprema of their rows.</content>
public static partial class ModelCompiler
{
    private static void CompileBounds(CompiledModel into)
    {
        into.IsBounded = !(into.HasTimedRows || into.HasDeltaRows || into.SumsByExpiry || into.MeasuresFromMark || into.PegUnderlying >= 0 || into.SpreadCount > 0);
        into.ChargesStaleness = false;
        for (int addOn = 0; addOn < into.AddOnCount; addOn++)
        {
            into.ChargesStaleness |= into.Kinds[addOn] == AddOnKind.Staleness && into.StalePriceNanos > 0;
            into.IsBounded &= into.Kinds[addOn] is not (AddOnKind.TieredMultiple or AddOnKind.ExpiryReprice or AddOnKind.CalendarSpread);
        }

        for (int underlying = 0; underlying < into.Bounds.Length; underlying++)
        {
            into.Bounds[underlying] = into.Underlyings[underlying].IsNamed ? BoundsOf(into, underlying) : default;
        }
    }

    private static RowBounds BoundsOf(CompiledModel model, int underlying)
    {
        ref readonly UnderlyingParameters parameters = ref model.Underlyings[underlying];
        RowBounds bounds = new() { LeastFactor = 1.0 };
        for (int row = 0; row < model.RowCount; row++)
        {
            ref readonly RowTerms terms = ref model.Rows[row];
            double factor = model.SpotFactor(underlying)[row];
            double linear = model.LinearFactor(underlying)[row];
            double weight = Math.Abs(terms.Weight) * Math.Abs(model.OptionWeight(underlying)[row]);
            bounds.Weight = Math.Max(bounds.Weight, weight);
            bounds.FactorWeight = Math.Max(bounds.FactorWeight, weight * factor);
            bounds.LeastFactor = Math.Min(bounds.LeastFactor, factor);
            bounds.Linear = Math.Max(bounds.Linear, Math.Abs(terms.Weight) * Math.Abs(linear - 1.0));
            bounds.Inverse = Math.Max(bounds.Inverse, Math.Abs(terms.Weight) * Math.Abs(1.0 - (1.0 / linear)));
            bounds.Balance = Math.Max(bounds.Balance, Math.Abs(terms.Weight) * Math.Abs(factor - 1.0));
            bounds.Dampener = Math.Max(bounds.Dampener, Math.Abs(model.Dampener(underlying)[row]));
            double move = Math.Abs(model.VolatilityMove(underlying)[row]);
            switch (model.VolatilityShocks[row])
            {
                case VolatilityShock.Up:
                    bounds.TermMove = Math.Max(bounds.TermMove, parameters.VolatilityUp);
                    break;
                case VolatilityShock.TermScaled:
                    bounds.TermMove = Math.Max(bounds.TermMove, move);
                    break;
                case VolatilityShock.Proportional:
                    bounds.FixedMove = Math.Max(bounds.FixedMove, move);
                    break;
                case VolatilityShock.Surface:
                    double slope = parameters.VolatilityUp * (Math.Abs(terms.Slope) + (2.0 * Math.Abs(terms.Curvature)));
                    double twist = parameters.VolatilityUp * Math.Abs(terms.Twist);
                    bounds.TermMove = Math.Max(bounds.TermMove, parameters.VolatilityUp * move);
                    bounds.FixedMove = Math.Max(bounds.FixedMove, slope + twist);
                    bounds.SurfaceSlope = Math.Max(bounds.SurfaceSlope, slope);
                    bounds.Twist = Math.Max(bounds.Twist, twist);
                    break;
            }
        }

        return bounds;
    }
}
