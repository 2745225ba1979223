using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>How fast the unit that was calculated last can move: the sums over its legs, and what only the unit as a whole shows.</content>
public sealed partial class UnitCalculator
{
    private UnitModuli _moduli;

    /// <summary>Of the unit last calculated, positions alone; only under models that are evaluated by crossings.</summary>
    public ref readonly UnitModuli Moduli => ref _moduli;

    // The cost of closing grows with notional at most to the power 3/2, and a coin's price stands under the root: 2.2 times the relative move.
    // A large delta's charge in base units, (|D| S - threshold) |D| increment / S, has at most the slope 2 |D| increment in |D|, and in USD that once more times |D| in
    // ln S; its bound, maximum |D|, has its own.
    private void FinishModuli(CompiledModel rules, in UnitMargin margin)
    {
        if ((margin.Flags & (MarginFlags.Unpriced | MarginFlags.Saturated)) != 0)
        {
            _moduli.IsBounded = false;
        }

        _moduli.MarginPrice += 2.2 * margin.LiquidationCost;
        double factor = rules.MaintenanceFactorE8 / 1e8;
        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            if (rules.Kinds[addOn] == AddOnKind.DeltaLiquidity)
            {
                AddDeltaLiquidity(rules.AddOn(addOn, _scope.Underlying), rules.Places[addOn] == AddOnPlace.After ? 1.0 : factor, margin.NetDelta);
            }
        }

        _moduli.MarginPrice += _moduli.BasePrice * _scope.AtomsPerBase;
        _moduli.MarginDeviation += _moduli.BaseDeviation * _scope.AtomsPerBase;
        _moduli.MarginTime += _moduli.BaseTime * _scope.AtomsPerBase;
        ref readonly Currency currency = ref _market.CurrencyAt(_scope.Currency);
        if (currency.IsMoney)
        {
            return;
        }

        // A row before it is drawn, because what it is drawn by is an amount of USD: a loss of P r USD becomes max(0, P |r| - draw), which moves no faster than P r.
        double largest = 0.0;
        for (int row = 0; row < rules.RowCount; row++)
        {
            largest = Math.Max(largest, factor * Math.Abs(_sums[row] * rules.Rows[row].Weight));
        }

        _moduli.LargestRow = largest;
        _moduli.Amount = Math.Max(margin.Maintenance, 0L);

        // Unless it is told in a coin with another price than the rows.
        double usdPerAtom = UsdPerAtom(_scope.Underlying, _scope.Currency);
        if (currency.Underlying != _scope.Underlying && usdPerAtom > 0.0)
        {
            _moduli.MarginPrice += 1.05 * rules.Bounds[_scope.Underlying].Dampener / usdPerAtom;
        }
    }

    // A price that is not stale will be, at a time that is known. The charge for one that is grows in proportion to its age, up to a maximum; that it ends when a price
    // comes is told by who takes the price.
    private void BoundAge(CompiledModel rules, in LotRisk risk, double size, long time)
    {
        long age = _scope.Now - time;
        if (!rules.ChargesStaleness || age <= rules.StalePriceNanos)
        {
            _moduli.OldestPrice = Math.Min(_moduli.OldestPrice, time);
            return;
        }

        double stale = rules.StalePriceNanos / 1e9, beyond = ((double)age / rules.StalePriceNanos) - 1.0, notional = size * risk.Notional;
        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            if (rules.Kinds[addOn] != AddOnKind.Staleness)
            {
                continue;
            }

            ref readonly AddOnTerms terms = ref rules.AddOn(addOn, _scope.Underlying);
            double part = rules.Places[addOn] == AddOnPlace.After ? 1.0 : rules.MaintenanceFactorE8 / 1e8;
            bool grows = terms[0] * beyond < terms[1];
            _moduli.HasStale |= grows;
            _moduli.StaleSpeed += grows ? part * terms[0] / stale * notional * 1.03 : 0.0;
            _moduli.MarginPrice += 2.1 * part * Math.Min(terms[1], terms[0] * (beyond + (LotModuli.StaleSeconds / stale))) * notional;
        }
    }

    private void AddDeltaLiquidity(in AddOnTerms terms, double part, long netDelta)
    {
        double index = _market.UnderlyingAt(_scope.Underlying).Index;
        double moved = (_moduli.DeltaPrice * _moduli.PriceCap)
            + (double.IsFinite(_moduli.DeviationCap) ? (_moduli.DeltaDeviation * _moduli.DeviationCap) + (_moduli.DeltaTime * _moduli.TimeCap) : 0.0);
        double size = (Math.Abs((double)netDelta) / DeltaScale) + moved;
        if (size * index * (1.0 + _moduli.PriceCap) < terms[0])
        {
            return;
        }

        double slope = part * Math.Max(2.0 * terms[1] * size, terms[2]) * 1.02;
        _moduli.BasePrice += slope * (_moduli.DeltaPrice + (size * 1.05));
        _moduli.BaseDeviation += slope * _moduli.DeltaDeviation;
        _moduli.BaseTime += slope * _moduli.DeltaTime;
    }
}
