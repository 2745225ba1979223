using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Add-ons that look at options one by one: naked shorts by strike, isolated shorts, the largest loss of an expiry at its settlement.</content>
public sealed partial class UnitCalculator
{
    private void CountDelta(long delta)
    {
        _deltas.Long = Fixed.Add(_deltas.Long, Math.Max(0, delta));
        _deltas.Short = Fixed.Add(_deltas.Short, Math.Max(0, -delta));
    }

    private void CountOrderDelta(long delta)
    {
        _deltas.OrderLong = Fixed.Add(_deltas.OrderLong, Math.Max(0, delta));
        _deltas.OrderShort = Fixed.Add(_deltas.OrderShort, Math.Max(0, -delta));
    }

    private void CountStrike(in Instrument contract, long baseUnits)
    {
        ref long calls = ref _strikeCalls[contract.Strike];
        ref long puts = ref _strikePuts[contract.Strike];
        if (!_strikeSeen[contract.Strike])
        {
            _strikeSeen[contract.Strike] = true;
            _strikes[_strikeCount++] = contract.Strike;
        }

        ref long side = ref contract.Right == OptionRight.Call ? ref calls : ref puts;
        side = Fixed.Add(side, baseUnits);
    }

    // A short of one right and a long of the other at one strike are a synthetic forward, which the rows carry.
    private double NakedShorts()
    {
        long naked = 0;
        for (int index = 0; index < _strikeCount; index++)
        {
            long calls = _strikeCalls[_strikes[index]];
            long puts = _strikePuts[_strikes[index]];
            bool offset = (calls > 0 && puts < 0) || (calls < 0 && puts > 0);
            naked = Fixed.Add(naked, offset ? Math.Max(0, -Fixed.Add(calls, puts)) : Fixed.Add(Math.Max(0, -calls), Math.Max(0, -puts)));
        }

        return naked;
    }

    private void AddIsolated(int addOn, in AddOnTerms terms, in Instrument contract, in Held held, ref UnitMargin margin)
    {
        if (held.Lots > 0)
        {
            return;
        }

        double index = _market.UnderlyingAt(contract.Underlying).Index;
        if (index <= 0.0)
        {
            margin.Flags |= MarginFlags.Unpriced;
            return;
        }

        bool isCall = contract.Right == OptionRight.Call;
        double strike = Fixed.ToDouble(contract.StrikeE8);
        double outside = Math.Max(isCall ? strike - index : index - strike, 0.0) / index;
        double maintenance = held.Mark + (isCall ? terms[2] * held.AtIndex : Math.Max(terms[3] * held.AtIndex, terms[4] * held.Mark));
        double initial = held.Mark + (Math.Max(terms[0] - outside, terms[1]) * held.AtIndex);
        initial = isCall ? initial : Math.Max(initial, terms[5] * maintenance);
        long initialAtoms = Fixed.CeilingToAtoms(initial);
        long maintenanceAtoms = Fixed.CeilingToAtoms(maintenance);
        _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], initialAtoms);
        _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], maintenanceAtoms);
        if (terms[6] == 0.0)
        {
            return;
        }

        _isolatedInitial[contract.Expiry] = Fixed.Add(_isolatedInitial[contract.Expiry], initialAtoms);
        _isolatedMaintenance[contract.Expiry] = Fixed.Add(_isolatedMaintenance[contract.Expiry], maintenanceAtoms);
    }

    // An expiry never needs more than it can lose. A coin-settled put's loss in coin has no bound, so coin-settled expiries keep their sums.
    private void CapByExpiry(int addOn, in AddOnTerms terms)
    {
        _addOnInitial[addOn] = 0;
        _addOnMaintenance[addOn] = 0;
        for (int index = 0; index < _expiryCount; index++)
        {
            int expiry = _expiries[index];
            if (expiry == _netDelta.Length - 1)
            {
                continue;
            }

            long initial = _isolatedInitial[expiry];
            long maintenance = _isolatedMaintenance[expiry];
            _isolatedInitial[expiry] = 0;
            _isolatedMaintenance[expiry] = 0;
            if ((initial | maintenance) != 0 && TryLargestLoss(expiry, out long loss, out double unpaired))
            {
                initial = Math.Min(initial, Fixed.Add(loss, Fixed.CeilingToAtoms(unpaired * terms[7])));
                maintenance = Math.Min(maintenance, Fixed.Add(loss, Fixed.CeilingToAtoms(unpaired * terms[8])));
            }

            _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], initial);
            _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], maintenance);
        }
    }

    // The payoff has its kinks at the strikes: the largest loss is at one of them, at zero, or beyond the last without bound, which the unpaired charge is for.
    private bool TryLargestLoss(int expiry, out long loss, out double unpaired)
    {
        long worst = Math.Min(0, PayoffAt(expiry, 0.0, out bool isInverse));
        long netCalls = 0;
        foreach (ref readonly UnitLeg position in _legs.AsSpan(0, _legCount))
        {
            ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
            if (contract.IsOption && contract.Expiry == expiry && position.Lots != 0)
            {
                worst = Math.Min(worst, PayoffAt(expiry, Fixed.ToDouble(contract.StrikeE8), out _));
                long baseUnits = Fixed.ToAtoms(position.Lots * Fixed.ToDouble(contract.SizeE8) * DeltaScale);
                netCalls = contract.Right == OptionRight.Call ? Fixed.Add(netCalls, baseUnits) : netCalls;
            }
        }

        loss = -worst;
        double forward = Fixed.ToDouble(_market.ExpiryAt(expiry).ForwardE8);
        unpaired = Math.Max(0, -netCalls) / DeltaScale * forward * Fixed.Power10(_market.CurrencyAt(_scope.Currency).Decimals);
        return !isInverse;
    }

    private long PayoffAt(int expiry, double settlement, out bool isInverse)
    {
        long payoff = 0;
        isInverse = false;
        double scale = Fixed.Power10(_market.CurrencyAt(_scope.Currency).Decimals);
        foreach (ref readonly UnitLeg position in _legs.AsSpan(0, _legCount))
        {
            ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
            if (contract.IsOption && contract.Expiry == expiry)
            {
                isInverse |= contract.IsInverse;
                double strike = Fixed.ToDouble(contract.StrikeE8);
                double inside = Math.Max(contract.Right == OptionRight.Call ? settlement - strike : strike - settlement, 0.0);
                payoff = Fixed.Add(payoff, Fixed.ToAtoms(position.Lots * Fixed.ToDouble(contract.SizeE8) * inside * scale));
            }
        }

        return payoff;
    }
}
