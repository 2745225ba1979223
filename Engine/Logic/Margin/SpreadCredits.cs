namespace MarginEngine.Logic;

/// <summary>
/// Spreads between underlyings, in the model's order: legs whose net deltas have opposite signs form as many spreads as the leg with fewest has;
/// each leg gives back that many deltas times its price risk a delta times the spread's rate, before its factor. Deltas serve once.
/// </summary>
public sealed class SpreadCredits
{
    private const double DeltaScale = 1e9;

    private readonly MarketState _market;
    private readonly Leg[] _legs;
    private readonly UnitMargin[] _margins;
    private int _count;

    public SpreadCredits(Limits limits, MarketState market)
    {
        _market = market;
        _legs = new Leg[limits.Underlyings * 2];
        _margins = new UnitMargin[limits.Underlyings * 2];
    }

    public void Clear() => _count = 0;

    public void Add(int underlying, int currency, in UnitMargin margin)
    {
        if (_count == _legs.Length)
        {
            return;
        }

        // In the order of underlyings, so that the order of units does not show.
        int at = _count++;
        while (at > 0 && (_legs[at - 1].Underlying > underlying || (_legs[at - 1].Underlying == underlying && _legs[at - 1].Currency > currency)))
        {
            _legs[at] = _legs[at - 1];
            _margins[at] = _margins[at - 1];
            at--;
        }

        double delta = margin.NetDelta / DeltaScale;
        _margins[at] = margin;
        _legs[at] = new Leg
        {
            Underlying = underlying,
            Currency = currency,
            Remaining = delta,
            RiskPerDelta = delta == 0.0 ? 0.0 : margin.PriceRisk / Math.Abs(delta),
        };
    }

    /// <summary>Takes the credits off what the account's units ask.</summary>
    public void Apply(CompiledModel rules, UnitCalculator units, ref AccountMargin margin)
    {
        for (int spread = 0; spread < rules.SpreadCount; spread++)
        {
            Form(rules, spread);
        }

        for (int index = 0; index < _count; index++)
        {
            ref readonly Leg leg = ref _legs[index];
            long credit = Fixed.ToAtoms(Math.Floor(leg.Credit));
            if (credit == 0)
            {
                continue;
            }

            UnitMargin after = _margins[index];
            after.InitialParts.Before = Fixed.Add(after.InitialParts.Before, -credit);
            after.MaintenanceParts.Before = Fixed.Add(after.MaintenanceParts.Before, -credit);
            margin.Initial = Fixed.Add(margin.Initial, Freed(leg.Currency, _margins[index].Initial, after.InitialParts.Total(units.InitialFactorE16(rules))));
            margin.Maintenance = Fixed.Add(
                margin.Maintenance, Freed(leg.Currency, _margins[index].Maintenance, after.MaintenanceParts.Total(UnitCalculator.MaintenanceFactorE16(rules))));
        }
    }

    private long Freed(int currency, long before, long after) =>
        Fixed.Add(_market.ToMoney(currency, Math.Max(0, after), roundUp: true), -_market.ToMoney(currency, before, roundUp: true));

    private void Form(CompiledModel rules, int spread)
    {
        ReadOnlySpan<double> deltas = rules.LegsOf(spread);
        double spreads = double.MaxValue;
        double direction = 0.0;
        for (int underlying = 0; underlying < deltas.Length; underlying++)
        {
            if (deltas[underlying] == 0.0)
            {
                continue;
            }

            int at = Find(underlying);
            double remaining = at < 0 ? 0.0 : _legs[at].Remaining;
            double side = Math.Sign(remaining) * Math.Sign(deltas[underlying]);
            if (side == 0.0 || (direction != 0.0 && side != direction))
            {
                return;
            }

            direction = side;
            spreads = Math.Min(spreads, Math.Abs(remaining) / Math.Abs(deltas[underlying]));
        }

        for (int underlying = 0; underlying < deltas.Length && direction != 0.0; underlying++)
        {
            if (deltas[underlying] != 0.0)
            {
                ref Leg leg = ref _legs[Find(underlying)];
                double used = spreads * Math.Abs(deltas[underlying]);
                leg.Credit += used * leg.RiskPerDelta * rules.Spreads[spread].Rate;
                leg.Remaining -= Math.Sign(leg.Remaining) * used;
            }
        }
    }

    // The first unit of an underlying forms its spreads: a clearing house has one currency a commodity.
    private int Find(int underlying)
    {
        for (int index = 0; index < _count; index++)
        {
            if (_legs[index].Underlying == underlying)
            {
                return index;
            }
        }

        return -1;
    }

    private struct Leg
    {
        public int Underlying;
        public int Currency;
        public double Remaining;
        public double RiskPerDelta;
        public double Credit;
    }
}
