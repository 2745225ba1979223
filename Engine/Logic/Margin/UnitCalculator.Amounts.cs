namespace MarginEngine.Logic;

/// <content>Rates on an amount: flat, by tiers, or with a multiple that grows by tiers; of each position or of the unit as a whole.</content>
public sealed partial class UnitCalculator
{
    private void AddAmount(CompiledModel rules, int addOn, in AddOnTerms terms, in Held held)
    {
        AddOnMeasure measure = (AddOnMeasure)(int)terms[0];
        if (!Counts(terms[1], held) || measure >= AddOnMeasure.NakedShort)
        {
            return;
        }

        if (rules.Kinds[addOn] == AddOnKind.PercentOf)
        {
            double amount = measure == AddOnMeasure.Lots ? Math.Abs((double)held.Lots) * AtomsOfOneUsd() : Amount(measure, held);
            _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], Fixed.CeilingToAtoms(amount * terms[2]));
            _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], Fixed.CeilingToAtoms(amount * terms[3]));
            return;
        }

        bool byPosition = rules.Kinds[addOn] == AddOnKind.TieredRate && terms[3] == 0.0;
        if (!byPosition)
        {
            // The amount itself, until the unit is finished.
            _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], Fixed.ToAtoms(Amount(measure, held)));
            return;
        }

        double usd = Amount(measure, held) * UsdPerAtom(_scope.Underlying, _scope.Currency);
        (double initial, double maintenance) = TieredCharge(rules.Tiers(addOn, _scope.Underlying), usd, bySlices: terms[2] == 0.0);
        _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], CeilingOfUsd(initial));
        _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], CeilingOfUsd(maintenance));
    }

    private void FinishAmount(CompiledModel rules, int addOn, in AddOnTerms terms, long netDelta)
    {
        AddOnMeasure measure = (AddOnMeasure)(int)terms[0];
        bool isPercent = rules.Kinds[addOn] == AddOnKind.PercentOf;
        bool byUnit = !isPercent && (rules.Kinds[addOn] == AddOnKind.TieredMultiple || terms[3] != 0.0);
        double atoms = measure switch
        {
            AddOnMeasure.NakedShort => NakedShorts() / DeltaScale * _scope.AtomsPerBase,
            AddOnMeasure.NetDelta => Math.Abs((double)netDelta) / DeltaScale * _scope.AtomsPerBase,
            _ => byUnit ? _addOnInitial[addOn] : 0.0,
        };
        if (isPercent)
        {
            if (measure >= AddOnMeasure.NakedShort)
            {
                _addOnInitial[addOn] = Fixed.CeilingToAtoms(atoms * terms[2]);
                _addOnMaintenance[addOn] = Fixed.CeilingToAtoms(atoms * terms[3]);
            }

            return;
        }

        if (rules.Kinds[addOn] == AddOnKind.TieredRate && !byUnit && measure < AddOnMeasure.NakedShort)
        {
            return;
        }

        double usd = atoms * UsdPerAtom(_scope.Underlying, _scope.Currency);
        ReadOnlySpan<Tier> tiers = rules.Tiers(addOn, _scope.Underlying);
        if (rules.Kinds[addOn] == AddOnKind.TieredMultiple)
        {
            Set(addOn, Fixed.CeilingToAtoms(atoms * terms[2] * MultipleOf(tiers, usd)));
            return;
        }

        (double initial, double maintenance) = TieredCharge(tiers, usd, bySlices: terms[2] == 0.0);
        _addOnInitial[addOn] = CeilingOfUsd(initial);
        _addOnMaintenance[addOn] = CeilingOfUsd(maintenance);
    }

    private static double Amount(AddOnMeasure measure, in Held held) => measure switch
    {
        AddOnMeasure.Notional => held.Notional,
        AddOnMeasure.AtIndex => held.AtIndex,
        _ => Math.Abs((double)held.Lots),
    };

    private static (double Initial, double Maintenance) TieredCharge(ReadOnlySpan<Tier> tiers, double usd, bool bySlices)
    {
        double initial = 0.0;
        double maintenance = 0.0;
        for (int tier = 0; tier < tiers.Length && usd > tiers[tier].From; tier++)
        {
            double end = tier + 1 < tiers.Length ? Math.Min(usd, tiers[tier + 1].From) : usd;
            double slice = end - tiers[tier].From;
            initial = bySlices ? initial + (slice * tiers[tier].Initial) : usd * tiers[tier].Initial;
            maintenance += slice * tiers[tier].Maintenance;
        }

        return (initial, maintenance);
    }

    private static double MultipleOf(ReadOnlySpan<Tier> tiers, double usd)
    {
        double multiple = 1.0;
        foreach (ref readonly Tier tier in tiers)
        {
            if (usd >= tier.From)
            {
                multiple = tier.Initial;
            }
        }

        return multiple;
    }
}
