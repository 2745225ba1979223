using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>
/// Add-ons. B base units of a position, S index, N notional at mark, D net delta in base units, T years to expiry; every charge is rounded up to an atom:
/// <code>
/// percentOf        rate * (N | B S | lots USD | naked shorts S | |D| S)
/// tieredRate       sum over tiers of rate_i * slice_i of that amount, in USD, of each position or of the unit
/// tieredMultiple   rate * amount * multiple of the tier that the amount lies in
/// expiryMove       sum over expiries |D_e| max(minimum, e^(risk T) - 1) S
/// expiryReprice    sum over expiries -min(up, down, 0) (add + multiple T)             up, down: the basis rows
/// deltaLiquidity   min(max(|D| S - threshold, 0) |D| increment, maximum |D| S)        USD
/// hedgedDelta      (unhedged U + hedged H) S      U = max(0, L' - K, K' - L), H = max(L', K') - U; L, K long and short deltas, ' with orders
/// calendarSpread   min(long, short) over the deltas of expiries * amount
/// confidence       (1 - confidence) margin B S where the lowest confidence is below the threshold; initial margin only
/// depeg            max(0, threshold - peg) factor B S                                 initial margin only
/// isolatedOption   shorts; call: mark + m S, put: mark + max(m S, m' mark); initial: mark + max(a S - otm, b S), a put's at least c times maintenance;
///                  by expiry at most the largest loss at settlement plus unpaired * forward * calls short beyond those long
/// funding          max(0, sum lots B rate S periods)
/// fees             linear: rate N; option: min(rate B S, cap * mark)
/// shortVega        max(0, -sum vega max(0, 1 - volatility / normal)) points
/// settlementDelay  |D| S deviations volatility sqrt(hours / 8760)
/// staleness        min(maximum, rate (age / stale time - 1)) N
/// openInterest     N (initial + (1 - initial) clamp((O - lower) / (upper - lower), 0, 1)); maintenance N m     O open interest in USD; in whole numbers
/// </code>
/// </content>
public sealed partial class UnitCalculator
{
    private const double HoursPerYear = 8_760.0;
    private readonly long[] _addOnInitial = new long[Limits.AddOns];
    private readonly long[] _addOnMaintenance = new long[Limits.AddOns];
    private readonly long[] _strikeCalls;
    private readonly long[] _strikePuts;
    private readonly bool[] _strikeSeen;
    private readonly int[] _strikes;
    private readonly long[] _isolatedInitial;
    private readonly long[] _isolatedMaintenance;
    private readonly int[] _positionAddOns = new int[Limits.AddOns];
    private int _positionAddOnCount;
    private int _strikeCount;
    private Deltas _deltas;

    private void ClearAddOns(CompiledModel rules)
    {
        _addOnInitial.AsSpan(0, rules.AddOnCount).Clear();
        _addOnMaintenance.AsSpan(0, rules.AddOnCount).Clear();
        _deltas = default;
        for (int index = 0; index < _strikeCount; index++)
        {
            _strikeCalls[_strikes[index]] = 0;
            _strikePuts[_strikes[index]] = 0;
            _strikeSeen[_strikes[index]] = false;
        }

        _strikeCount = 0;
        ListPositionAddOns(rules);
    }

    // Those that have anything to do with a single position, and with what is asked for.
    private void ListPositionAddOns(CompiledModel rules)
    {
        _positionAddOnCount = 0;
        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            bool counts = rules.Kinds[addOn] switch
            {
                AddOnKind.PercentOf or AddOnKind.TieredRate or AddOnKind.TieredMultiple => rules.AddOn(addOn, _scope.Underlying)[0] < (int)AddOnMeasure.NakedShort,
                AddOnKind.Confidence or AddOnKind.Depeg => !IsStateOnly,
                AddOnKind.IsolatedOption or AddOnKind.Funding or AddOnKind.Fees or AddOnKind.ShortVega or AddOnKind.OpenInterest or AddOnKind.Staleness => true,
                _ => false,
            };
            if (counts)
            {
                _positionAddOns[_positionAddOnCount++] = addOn;
            }
        }
    }

    private void AddPositionToAddOns(CompiledModel rules, in Instrument contract, in LotRisk risk, long lots, long delta, ref UnitMargin margin)
    {
        Held held = HeldOf(contract, risk, lots);
        CountDelta(delta);
        if (contract.IsOption)
        {
            CountStrike(contract, Fixed.ToAtoms(lots * held.BasePerLot * DeltaScale));
        }

        foreach (int addOn in _positionAddOns.AsSpan(0, _positionAddOnCount))
        {
            ref readonly AddOnTerms terms = ref rules.AddOn(addOn, contract.Underlying);
            switch (rules.Kinds[addOn])
            {
                case AddOnKind.PercentOf or AddOnKind.TieredRate or AddOnKind.TieredMultiple:
                    AddAmount(rules, addOn, terms, held);
                    break;
                case AddOnKind.Confidence:
                    AddConfidence(addOn, terms, contract, held);
                    break;
                case AddOnKind.Depeg when Counts(terms[2], held):
                    _addOnInitial[addOn] = Fixed.Add(
                        _addOnInitial[addOn], Fixed.CeilingToAtoms(PegShortfall(rules, terms[0]) * terms[1] * held.AtIndex));
                    break;
                case AddOnKind.IsolatedOption when contract.IsOption:
                    AddIsolated(addOn, terms, contract, held, ref margin);
                    break;
                case AddOnKind.Funding when contract.Kind == InstrumentKind.Perpetual:
                    long paid = FundingOf(contract, held, terms);
                    _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], paid);
                    _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], paid);
                    break;
                case AddOnKind.Fees:
                    Charge(addOn, Fee(terms, held));
                    break;
                case AddOnKind.ShortVega when contract.IsOption && terms[1] > 0.0:
                    // Micro-USD, signed, until the unit is finished.
                    double weight = Math.Max(0.0, 1.0 - (risk.Volatility / terms[1]));
                    _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], Fixed.ToAtoms(lots * risk.VegaUsd * weight * 1e6));
                    break;
                case AddOnKind.OpenInterest when Counts(terms[0], held):
                    AddOpenInterest(addOn, terms, contract, lots);
                    break;
                case AddOnKind.Staleness:
                    Charge(addOn, Stale(rules, terms, contract) * held.Notional);
                    break;
            }
        }
    }

    private void AddOrdersToAddOns(CompiledModel rules, in Instrument contract, in LotRisk risk, in Resting resting)
    {
        Held bought = HeldOf(contract, risk, resting.Buy);
        Held sold = HeldOf(contract, risk, -resting.Sell);
        CountOrderDelta(Fixed.ToAtoms(resting.Buy * risk.DeltaBase * DeltaScale));
        CountOrderDelta(Fixed.ToAtoms(-resting.Sell * risk.DeltaBase * DeltaScale));
        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            ref readonly AddOnTerms terms = ref rules.AddOn(addOn, contract.Underlying);
            if (rules.Kinds[addOn] == AddOnKind.Fees)
            {
                _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], Fixed.CeilingToAtoms(Fee(terms, bought)));
                _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], Fixed.CeilingToAtoms(Fee(terms, sold)));
            }
            else if (rules.Kinds[addOn] == AddOnKind.Funding && terms[1] != 0.0 && contract.Kind == InstrumentKind.Perpetual)
            {
                _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], -FundingOf(contract, bought, terms));
                _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], -FundingOf(contract, sold, terms));
            }
        }
    }

    // What needs the whole unit, then every add-on into its place.
    private void FinishAddOns(CompiledModel rules, ref UnitMargin margin)
    {
        margin.NetDelta = NetDelta();
        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            FinishAddOn(rules, addOn, rules.AddOn(addOn, _scope.Underlying), ref margin);
            Place(rules.Places[addOn], _addOnInitial[addOn], ref margin.InitialParts);
            Place(rules.Places[addOn], _addOnMaintenance[addOn], ref margin.MaintenanceParts);
        }

        if (_scope.AtomsPerBase <= 0.0 && _expiryCount > 0)
        {
            margin.Flags |= MarginFlags.Unpriced;
        }

        ClearDeltas();
    }

    private void FinishAddOn(CompiledModel rules, int addOn, in AddOnTerms terms, ref UnitMargin margin)
    {
        switch (rules.Kinds[addOn])
        {
            case AddOnKind.PercentOf or AddOnKind.TieredRate or AddOnKind.TieredMultiple:
                FinishAmount(rules, addOn, terms, margin.NetDelta);
                break;
            case AddOnKind.ExpiryMove:
                Set(addOn, ExpiryMove(terms));
                break;
            case AddOnKind.ExpiryReprice:
                Set(addOn, _expirySums.Reprice(rules, terms[0], terms[1]));
                break;
            case AddOnKind.DeltaLiquidity:
                Set(addOn, DeltaLiquidity(terms, margin.NetDelta));
                break;
            case AddOnKind.HedgedDelta:
                _addOnInitial[addOn] = Fixed.CeilingToAtoms(_deltas.Hedged(terms[0], terms[1], withOrders: true) * _scope.AtomsPerBase);
                _addOnMaintenance[addOn] = Fixed.CeilingToAtoms(_deltas.Hedged(terms[0], terms[1], withOrders: false) * _scope.AtomsPerBase);
                break;
            case AddOnKind.CalendarSpread:
                Set(addOn, CeilingOfUsd(CalendarDelta() * terms[0]));
                break;
            case AddOnKind.IsolatedOption when terms[6] != 0.0:
                CapByExpiry(addOn, terms);
                break;
            case AddOnKind.Funding:
                _addOnInitial[addOn] = Math.Max(0, _addOnInitial[addOn]);
                _addOnMaintenance[addOn] = Math.Max(0, _addOnMaintenance[addOn]);
                break;
            case AddOnKind.ShortVega:
                Set(addOn, CeilingOfUsd(Math.Max(0.0, -_addOnInitial[addOn] / 1e6) * terms[0]));
                break;
            case AddOnKind.SettlementDelay:
                double rate = terms[2] * terms[1] * Math.Sqrt(terms[0] / HoursPerYear);
                Set(addOn, Fixed.CeilingToAtoms(Math.Abs((double)margin.NetDelta) / DeltaScale * rate * _scope.AtomsPerBase));
                break;
        }
    }

    /// <summary>Puts what an add-on comes to where its model wants it.</summary>
    public static void Place(AddOnPlace place, long amount, ref RequirementParts parts)
    {
        switch (place)
        {
            case AddOnPlace.Alternative:
                parts.Alternative = Math.Max(parts.Alternative, amount);
                break;
            case AddOnPlace.Before:
                parts.Before = Fixed.Add(parts.Before, amount);
                break;
            case AddOnPlace.Floor:
                parts.Floor = Math.Max(parts.Floor, amount);
                break;
            default:
                parts.After = Fixed.Add(parts.After, amount);
                break;
        }
    }

    private Held HeldOf(in Instrument contract, in LotRisk risk, long lots)
    {
        double size = Math.Abs((double)lots);
        double perLot = contract.IsOption ? Fixed.ToDouble(contract.SizeE8) : Math.Abs(risk.DeltaBase);
        return new Held
        {
            Of = contract.IsOption ? lots > 0 ? Contracts.LongOption : Contracts.ShortOption
                : contract.Kind == InstrumentKind.Perpetual ? Contracts.Perpetual : Contracts.Future,
            Lots = lots,
            BasePerLot = perLot,
            Notional = size * risk.Notional,
            AtIndex = size * perLot * _scope.AtomsPerBase,
            Mark = size * Math.Abs(risk.Value),
        };
    }

    private void AddConfidence(int addOn, in AddOnTerms terms, in Instrument contract, in Held held)
    {
        if (!Counts(terms[2], held))
        {
            return;
        }

        long own = contract.IsOption ? OptionConfidence(contract, terms[3] != 0.0) : contract.MarkConfidenceE8;
        double confidence = Math.Min(_market.UnderlyingAt(contract.Underlying).Confidence, Fixed.ToDouble(own));
        if (confidence < terms[0])
        {
            _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], Fixed.CeilingToAtoms((1.0 - confidence) * terms[1] * held.AtIndex));
        }
    }

    private long OptionConfidence(in Instrument contract, bool asksRate)
    {
        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        long lowest = Math.Min(expiry.ForwardConfidenceE8, contract.VolatilityE8 != 0 ? contract.VolatilityConfidenceE8 : expiry.SliceConfidenceE8);
        return asksRate ? Math.Min(lowest, expiry.RateConfidenceE8) : lowest;
    }

    private double PegShortfall(CompiledModel rules, double threshold)
    {
        double price = rules.PegUnderlying < 0 ? 0.0 : _market.UnderlyingAt(rules.PegUnderlying).Index;
        return price == 0.0 ? 0.0 : Math.Max(0.0, threshold - price);
    }

    private long FundingOf(in Instrument contract, in Held held, in AddOnTerms terms) =>
        Fixed.ToAtoms(held.Lots * held.BasePerLot * Fixed.ToDouble(contract.FundingRateE8) * _scope.AtomsPerBase * terms[0]);

    private static double Fee(in AddOnTerms terms, in Held held) =>
        (held.Of & (Contracts.LongOption | Contracts.ShortOption)) != 0
            ? Math.Min(terms[1] * held.AtIndex, terms[2] * held.Mark)
            : terms[0] * held.Notional;

    private double Stale(CompiledModel rules, in AddOnTerms terms, in Instrument contract)
    {
        long time = contract.IsOption ? _market.ExpiryAt(contract.Expiry).ForwardTime : contract.MarkTime;
        double beyond = rules.StalePriceNanos > 0 ? ((double)(_scope.Now - time) / rules.StalePriceNanos) - 1.0 : 0.0;
        return beyond <= 0.0 ? 0.0 : Math.Min(terms[1], terms[0] * beyond);
    }

    private long ExpiryMove(in AddOnTerms terms)
    {
        long charge = 0;
        for (int index = 0; index < _expiryCount; index++)
        {
            int expiry = _expiries[index];
            double years = expiry == _netDelta.Length - 1 ? 0.0 : _market.YearsTo(expiry);
            double move = Math.Max(terms[0], Functions.Exp(terms[1] * years) - 1.0);
            charge = Fixed.Add(charge, Fixed.CeilingToAtoms(Math.Abs((double)_netDelta[expiry]) / DeltaScale * move * _scope.AtomsPerBase));
        }

        return charge;
    }

    private long DeltaLiquidity(in AddOnTerms terms, long netDelta)
    {
        double index = _market.UnderlyingAt(_scope.Underlying).Index;
        double size = Math.Abs((double)netDelta) / DeltaScale;
        double excess = (size * index) - terms[0];
        if (excess <= 0.0 || index <= 0.0)
        {
            return 0;
        }

        double usd = Math.Min(excess * size * terms[1], terms[2] * index * size);
        return Fixed.CeilingToAtoms(usd / index * _scope.AtomsPerBase);
    }

    private double CalendarDelta()
    {
        long longs = 0;
        long shorts = 0;
        for (int index = 0; index < _expiryCount; index++)
        {
            longs = Fixed.Add(longs, Math.Max(0, _netDelta[_expiries[index]]));
            shorts = Fixed.Add(shorts, Math.Max(0, -_netDelta[_expiries[index]]));
        }

        return Math.Min(longs, shorts) / DeltaScale;
    }

    private long NetDelta()
    {
        long net = 0;
        for (int index = 0; index < _expiryCount; index++)
        {
            net = Fixed.Add(net, _netDelta[_expiries[index]]);
        }

        return net;
    }

    private void ClearDeltas()
    {
        for (int index = 0; index < _expiryCount; index++)
        {
            _netDelta[_expiries[index]] = 0;
            _expirySeen[_expiries[index]] = false;
        }

        _expiryCount = 0;
    }

    private static bool Counts(double set, in Held held) => ((int)set & (int)held.Of) != 0;

    private void Charge(int addOn, double atoms)
    {
        if (atoms == 0.0)
        {
            return;
        }

        long charge = Fixed.CeilingToAtoms(atoms);
        _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], charge);
        _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], charge);
    }

    private void Set(int addOn, long atoms)
    {
        _addOnInitial[addOn] = atoms;
        _addOnMaintenance[addOn] = atoms;
    }

    private long CeilingOfUsd(double usd) => Fixed.CeilingToAtoms(usd * AtomsOfOneUsd());

    private double AtomsOfOneUsd()
    {
        double usdPerAtom = UsdPerAtom(_scope.Underlying, _scope.Currency);
        return usdPerAtom > 0.0 ? 1.0 / usdPerAtom : 0.0;
    }

    /// <summary>A position or the lots of orders, in what add-ons count: amounts in atoms, not negative.</summary>
    private struct Held
    {
        public Contracts Of;
        public long Lots;
        public double BasePerLot;
        public double Notional;
        public double AtIndex;
        public double Mark;
    }

    /// <summary>Long and short deltas of positions and of orders, in nano base units.</summary>
    private struct Deltas
    {
        public long Long;
        public long Short;
        public long OrderLong;
        public long OrderShort;

        public readonly double Hedged(double unhedgedRate, double hedgedRate, bool withOrders)
        {
            long longs = withOrders ? Fixed.Add(Long, OrderLong) : Long;
            long shorts = withOrders ? Fixed.Add(Short, OrderShort) : Short;
            long unhedged = Math.Max(0, Math.Max(Fixed.Add(longs, -Short), Fixed.Add(shorts, -Long)));
            long hedged = Math.Max(0, Fixed.Add(Math.Max(longs, shorts), -unhedged));
            return ((unhedged * unhedgedRate) + (hedged * hedgedRate)) / DeltaScale;
        }
    }
}
