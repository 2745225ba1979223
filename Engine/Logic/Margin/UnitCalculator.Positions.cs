using System.Runtime.Intrinsics;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>The positions of a unit: rows of all of them together where that gives the same bits, everything else one by one.</content>
public sealed partial class UnitCalculator
{
    private void AddPositions(CompiledModel rules, int padded, ref UnitMargin margin)
    {
        Span<long> sums = _sums.AsSpan(0, padded);
        bool isTogether = PriceLegs(rules);
        Vector256<long> greeks = Vector256<long>.Zero, others = Vector256<long>.Zero;
        foreach (ref readonly UnitLeg leg in _legs.AsSpan(0, _legCount))
        {
            if (leg.Lots != 0)
            {
                AddPosition(rules, leg, sums, isTogether, ref margin, ref greeks, ref others);
            }
        }

        if (isTogether)
        {
            RowSums.AddExact(in _rows.FirstRow(_scope.Model), rules.PaddedRows, _rowLots.AsSpan(0, _rowLotCount), sums);
        }

        margin.Greeks.Add(new Greeks { Delta = greeks[2], Gamma = greeks[3], Vega = others[0], Theta = others[1], Rho = others[2] });
    }

    // Prices what is out of date. True where the rows of all legs can be summed together: none saturates, none is unpriced, none has a sum of its own.
    private bool PriceLegs(CompiledModel rules)
    {
        bool isTogether = !rules.SumsByExpiry && _legCount <= MostTogether;
        _rowLotCount = 0;
        foreach (ref readonly UnitLeg leg in _legs.AsSpan(0, _legCount))
        {
            if (leg.Lots != 0)
            {
                ref readonly LotRisk risk = ref _rows.Price(_scope.Model, leg.Instrument);
                isTogether &= !risk.IsUnpriced && RowSums.IsExact(leg.Lots, risk.LargestRow);
                _rowLots[_rowLotCount++] = new RowLots(leg.Instrument, leg.Lots);
            }
        }

        return isTogether;
    }

    private void AddPosition(
        CompiledModel rules, in UnitLeg position, Span<long> sums, bool isTogether, ref UnitMargin margin, ref Vector256<long> greeks, ref Vector256<long> others)
    {
        ref readonly LotRisk risk = ref _rows.Priced(_scope.Model, position.Instrument);
        ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
        double lots = position.Lots;
        if (rules.ChargesLiquidation)
        {
            margin.LiquidationCost = Fixed.Add(margin.LiquidationCost, LiquidationCost(rules, contract, risk, position.Lots));
        }

        if (risk.IsUnpriced)
        {
            _moduli.IsBounded = false;
            AddUnpriced(rules, risk, lots, sums, ref margin);
            return;
        }

        if (WantsBounds(rules))
        {
            _moduli.Add(_rows.Moduli(_scope.Model, position.Instrument), lots, rules.CountsOptionValue || !contract.IsOption);
            BoundAge(rules, risk, Math.Abs(lots), contract.IsOption ? _market.ExpiryAt(contract.Expiry).ForwardTime : contract.MarkTime);
        }

        long value, delta;
        if (_legCount <= MostTogether && LotFigures.TryProducts(risk.Figures, lots, out Vector256<long> first, out Vector256<long> second))
        {
            (value, delta) = (first[0], first[1]);
            greeks = unchecked(greeks + first);
            others = unchecked(others + second);
        }
        else
        {
            value = Fixed.ToAtoms(lots * risk.Value);
            delta = Fixed.ToAtoms(lots * risk.DeltaBase * DeltaScale);
            margin.Greeks.Add(GreeksOf(risk, lots));
        }

        Span<long> into = sums;
        if (rules.SumsByExpiry && contract.IsOption)
        {
            int slot = _expirySums.SlotOf(contract);
            into = _expirySums.Rows(slot);
            _expirySums.Value(slot) = Fixed.Add(_expirySums.Value(slot), value);
        }

        if (!isTogether && !RowSums.Add(_rows.Row(_scope.Model, position.Instrument), lots, risk.LargestRow, into))
        {
            margin.Flags |= MarginFlags.Saturated;
        }

        if (contract.IsOption)
        {
            margin.Value = rules.CountsOptionValue ? Fixed.Add(margin.Value, value) : margin.Value;
        }
        else
        {
            margin.Value = Fixed.Add(margin.Value, Fixed.Add(value, -position.EntryCost));
        }

        AddNetDelta(contract.Expiry < 0 ? _netDelta.Length - 1 : contract.Expiry, delta);
        margin.Flags |= Staleness(rules, contract, _scope.Now);
        if (rules.AddOnCount > 0)
        {
            AddPositionToAddOns(rules, contract, risk, position.Lots, delta, ref margin);
        }
    }

    // Nothing is known of its risk: all of its notional may be lost.
    private static void AddUnpriced(CompiledModel rules, in LotRisk risk, double lots, Span<long> sums, ref UnitMargin margin)
    {
        margin.Flags |= MarginFlags.Unpriced;
        long loss = Fixed.CeilingToAtoms(Math.Abs(lots) * risk.Notional);
        if (rules.RowCount == 0)
        {
            margin.InitialParts.After = Fixed.Add(margin.InitialParts.After, loss);
            margin.MaintenanceParts.After = Fixed.Add(margin.MaintenanceParts.After, loss);
        }

        foreach (ref long sum in sums)
        {
            sum = Fixed.Add(sum, -loss);
        }
    }
}
