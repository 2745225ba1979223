using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The requirement of an account whose model nets rows across units. Inside a group of underlyings
/// <code>
/// row k        = sum over units of counted(profit of the unit in row k, in USD) + sum over balances that move in rows: value * (factor_k - 1) * weight_k
/// counted(x)   = x where it is a loss, min(share * x, cap) where it is a gain
/// requirement  = factor * max(max(measure of the rows, alternatives) + before, floors) + after
/// </code>
/// with the add-ons of all its units added up in USD, each rounded up. Underlyings that name no group are one each. All units are calculated anew: a row
/// of one moves the measure of all.
/// </summary>
public sealed class GroupCalculator
{
    private const long LargestShared = 1L << 49;

    private readonly MarketState _market;
    private readonly Book _book;
    private readonly UnitCalculator _units;
    private readonly CollateralValue _collateral;
    private readonly AccountBounds _bounds;
    private readonly Measure _measure = new();
    private readonly int[] _keys;
    private readonly int[] _first;
    private readonly double[] _lowestConfidence;
    private readonly RequirementParts[] _initial;
    private readonly RequirementParts[] _maintenance;
    private readonly long[] _rows;
    private readonly long[] _rowsWithOrders;
    private readonly bool[] _hasOrders;
    private int _count;

    public GroupCalculator(Limits limits, MarketState market, Book book, UnitCalculator units, CollateralValue collateral, AccountBounds bounds)
    {
        _bounds = bounds;
        _market = market;
        _book = book;
        _units = units;
        _collateral = collateral;
        _keys = new int[limits.Underlyings];
        _first = new int[limits.Underlyings];
        _lowestConfidence = new double[limits.Underlyings];
        _initial = new RequirementParts[limits.Underlyings];
        _maintenance = new RequirementParts[limits.Underlyings];
        _rows = new long[limits.Underlyings * Limits.Rows];
        _rowsWithOrders = new long[limits.Underlyings * Limits.Rows];
        _hasOrders = new bool[limits.Underlyings];
    }

    /// <summary>Groups of the account last calculated.</summary>
    public int Count => _count;

    /// <summary>Lowest underlying of a group of the account last calculated.</summary>
    public int FirstUnderlying(int group) => _first[group];

    /// <summary>Its netted rows in micro-USD, positions and balances, after everything that happens to rows.</summary>
    public ReadOnlySpan<long> RowsOf(int group, CompiledModel rules) => Rows(group, rules);

    /// <summary>What its requirements are made of, micro-USD.</summary>
    public (RequirementParts Initial, RequirementParts Maintenance) PartsOf(int group) => (_initial[group], _maintenance[group]);

    /// <summary>Adds the requirements of all groups to <paramref name="margin"/> and the value of units to <paramref name="totals"/>; returns the currencies of units.</summary>
    public ulong Calculate(
        CompiledModel rules, int model, int firstUnit, Span<long> totals, ulong currencies, long nowNanos, in WhatIf change, ref AccountMargin margin)
    {
        _count = 0;
        ulong found = 0;
        double lowestConfidence = 1.0;
        for (int unit = firstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            RiskUnit part = _book.UnitAt(unit);
            bool isMeant = change.Order.Instrument >= 0 && _market.InstrumentAt(change.Order.Instrument).Underlying == part.Underlying
                && _market.InstrumentAt(change.Order.Instrument).Currency == part.Currency;
            UnitMargin calculated = AddUnit(
                rules, model, part.Underlying, part.Currency, part.FirstPosition, nowNanos, isMeant ? change.Order : Hypothesis.None, totals, ref margin);
            if (!isMeant)
            {
                _book.UnitAt(unit).Margin = calculated;
            }

            lowestConfidence = Math.Min(lowestConfidence, _market.UnderlyingAt(part.Underlying).Confidence);
        }

        if (change.AddedUnderlying >= 0)
        {
            found |= 1UL << change.AddedCurrency;
            AddUnit(rules, model, change.AddedUnderlying, change.AddedCurrency, -1, nowNanos, change.Order, totals, ref margin);
            lowestConfidence = Math.Min(lowestConfidence, _market.UnderlyingAt(change.AddedUnderlying).Confidence);
        }

        AddCollateral(rules, totals, currencies | found, Math.Min(lowestConfidence, LowestOfRows(rules, totals, currencies | found)), ref margin);
        for (int group = 0; group < _count; group++)
        {
            Finish(rules, group, ref margin);
        }

        return found;
    }

    private UnitMargin AddUnit(
        CompiledModel rules, int model, int underlying, int currency, int firstPosition, long nowNanos, in Hypothesis order, Span<long> totals,
        ref AccountMargin margin)
    {
        UnitMargin unit = _units.Calculate(model, underlying, currency, firstPosition, nowNanos, order);
        if (_units.WantsBounds(rules))
        {
            _bounds.Add(underlying, currency, _units.Moduli);
        }

        totals[currency] = Fixed.Add(totals[currency], unit.Value);
        margin.Flags |= unit.Flags;
        margin.Greeks.Add(unit.Greeks);
        int group = GroupOf(rules, underlying);
        _lowestConfidence[group] = Math.Min(_lowestConfidence[group], _market.UnderlyingAt(underlying).Confidence);
        AddParts(currency, unit.InitialParts, ref _initial[group]);
        AddParts(currency, unit.MaintenanceParts, ref _maintenance[group]);
        if (!_market.IsPriced(currency))
        {
            margin.Flags |= MarginFlags.Unpriced;
        }

        AddRows(rules, group, underlying, currency);
        return unit;
    }

    // Rows with orders are kept apart only from the first unit on that has any.
    private void AddRows(CompiledModel rules, int group, int underlying, int currency)
    {
        Span<long> rows = Rows(group, rules);
        Span<long> withOrders = RowsWithOrders(group, rules);
        if (_units.HasOrders && !_hasOrders[group])
        {
            rows.CopyTo(withOrders);
            _hasOrders[group] = true;
        }

        ReadOnlySpan<long> profits = _units.Profits, profitsWithOrders = _units.ProfitsWithOrders;
        if (!_hasOrders[group] && rules.Underlyings[underlying].GainCap <= 0 && _market.CurrencyAt(currency).IsMoney
            && TryAddShared(profits, rules.Underlyings[underlying].GainShareE8, rows))
        {
            return;
        }

        for (int row = 0; row < rules.RowCount; row++)
        {
            long counted = Counted(rules, underlying, currency, profits[row]);
            rows[row] = Fixed.Add(rows[row], counted);
            if (_hasOrders[group])
            {
                withOrders[row] = Fixed.Add(withOrders[row], _units.HasOrders ? Counted(rules, underlying, currency, profitsWithOrders[row]) : counted);
            }
        }
    }

    // The same for whole padded rows in USD, where all of them are small enough for doubles to hold: a gain times its share is off by less than one, which the low half
    // of the product tells.
    internal static bool TryAddShared(ReadOnlySpan<long> profits, long shareE8, Span<long> rows)
    {
        Vector256<double> magic = Vector256.Create(RowSums.Magic), share = Vector256.Create(shareE8 / 1e8);
        Vector256<long> bits = Vector256.Create(RowSums.MagicBits), parts = Vector256.Create(shareE8), whole = Vector256.Create(Fixed.One);
        Vector256<long> limit = Vector256.Create(LargestShared), seen = Vector256<long>.Zero;
        ref long from = ref MemoryMarshal.GetReference(profits), to = ref MemoryMarshal.GetReference(rows);
        for (nuint at = 0; at < (nuint)rows.Length; at += 4)
        {
            seen |= Vector256.GreaterThan(Vector256.Abs(Vector256.LoadUnsafe(ref from, at)), limit) | Vector256.GreaterThan(Vector256.Abs(Vector256.LoadUnsafe(ref to, at)), limit);
        }

        if (seen != Vector256<long>.Zero)
        {
            return false;
        }

        unchecked
        {
            for (nuint at = 0; at < (nuint)rows.Length; at += 4)
            {
                Vector256<long> profit = Vector256.LoadUnsafe(ref from, at);
                Vector256<double> value = (profit + bits).AsDouble() - magic;
                Vector256<long> floor = ((value * share) + magic).AsInt64() - bits;
                Vector256<long> left = (profit * parts) - (floor * whole);
                floor += Vector256.LessThan(left, Vector256<long>.Zero); // all ones: minus one
                left += Vector256.LessThan(left, Vector256<long>.Zero) & whole;
                floor -= Vector256.GreaterThanOrEqual(left, whole);
                Vector256<long> counted = Vector256.ConditionalSelect(Vector256.GreaterThan(profit, Vector256<long>.Zero), floor, profit);
                (Vector256.LoadUnsafe(ref to, at) + counted).StoreUnsafe(ref to, at);
            }
        }

        return true;
    }

    private long Counted(CompiledModel rules, int underlying, int currency, long profit)
    {
        long money = _market.ToMoney(currency, profit, roundUp: false);
        if (money <= 0)
        {
            return money;
        }

        ref readonly UnderlyingParameters parameters = ref rules.Underlyings[underlying];
        money = parameters.GainShareE8 == Fixed.One ? money : Fixed.MultiplyFloor(money, parameters.GainShareE8, Fixed.One);
        return parameters.GainCap > 0 ? Math.Min(money, parameters.GainCap) : money;
    }

    private void AddParts(int currency, in RequirementParts unit, ref RequirementParts into)
    {
        into.Alternative = Fixed.Add(into.Alternative, _market.ToMoney(currency, unit.Alternative, roundUp: true));
        into.Before = Fixed.Add(into.Before, _market.ToMoney(currency, unit.Before, roundUp: true));
        into.Floor = Fixed.Add(into.Floor, _market.ToMoney(currency, unit.Floor, roundUp: true));
        into.After = Fixed.Add(into.After, _market.ToMoney(currency, unit.After, roundUp: true));
    }

    // Whose rows a balance moves in is an index of the account, with or without positions.
    private double LowestOfRows(CompiledModel rules, ReadOnlySpan<long> totals, ulong currencies)
    {
        double lowest = 1.0;
        while (currencies != 0)
        {
            int currency = System.Numerics.BitOperations.TrailingZeroCount(currencies);
            currencies &= currencies - 1;
            int rowsOf = rules.Collaterals[currency].RowsOf;
            lowest = totals[currency] != 0 && rowsOf >= 0 ? Math.Min(lowest, _market.UnderlyingAt(rowsOf).Confidence) : lowest;
        }

        return lowest;
    }

    // Balances that move with an underlying stand in its group's rows; every positive balance may be charged a part of its value.
    private void AddCollateral(CompiledModel rules, ReadOnlySpan<long> totals, ulong currencies, double lowestConfidence, ref AccountMargin margin)
    {
        while (currencies != 0)
        {
            int currency = System.Numerics.BitOperations.TrailingZeroCount(currencies);
            currencies &= currencies - 1;
            long total = totals[currency];
            if (total == 0)
            {
                continue;
            }

            ref readonly CollateralParameters terms = ref rules.Collaterals[currency];
            long money = _collateral.Money(rules, currency, total);
            bool isCharged = total > 0 && (terms.InitialHaircutE8 | terms.MaintenanceHaircutE8) != 0;

            // Charges of what moves with no underlying are nobody's: they are added to the account, and doubted with all of its indices.
            int group = terms.RowsOf >= 0 ? GroupOf(rules, terms.RowsOf) : -1;
            long doubt = total > 0 ? _collateral.Doubt(rules, currency, money, group >= 0 ? LowestOf(group, terms.RowsOf) : lowestConfidence) : 0;
            if (group < 0 && !isCharged && doubt == 0)
            {
                continue;
            }

            if (group >= 0)
            {
                AddBalanceRows(rules, terms.RowsOf, money, group);
            }

            long maintenance = isCharged ? CollateralValue.Charge(money, terms.MaintenanceHaircutE8) : 0;
            long initial = Fixed.Add(maintenance, isCharged ? CollateralValue.Charge(money, terms.InitialHaircutE8) : 0);
            margin.Initial = Fixed.Add(margin.Initial, doubt);
            if (rules.ChargesCollateralBefore && group >= 0)
            {
                _initial[group].Before = Fixed.Add(_initial[group].Before, initial);
                _maintenance[group].Before = Fixed.Add(_maintenance[group].Before, maintenance);
            }
            else
            {
                margin.Initial = Fixed.Add(margin.Initial, initial);
                margin.Maintenance = Fixed.Add(margin.Maintenance, maintenance);
            }
        }
    }

    // A balance in the rows of a group is doubted with the group's units and with the index it moves with, positions or not.
    private double LowestOf(int group, int rowsOf) => Math.Min(_lowestConfidence[group], _market.UnderlyingAt(rowsOf).Confidence);

    private void AddBalanceRows(CompiledModel rules, int underlying, long money, int group)
    {
        ReadOnlySpan<double> factors = rules.SpotFactor(underlying);
        Span<long> rows = Rows(group, rules);
        Span<long> withOrders = RowsWithOrders(group, rules);
        for (int row = 0; row < rules.RowCount; row++)
        {
            long profit = Fixed.ToAtoms(Math.Floor(money * (factors[row] - 1.0) * rules.Rows[row].Weight));
            rows[row] = Fixed.Add(rows[row], profit);
            if (_hasOrders[group])
            {
                withOrders[row] = Fixed.Add(withOrders[row], profit);
            }
        }
    }

    private void Finish(CompiledModel rules, int group, ref AccountMargin margin)
    {
        ref RequirementParts initial = ref _initial[group];
        ref RequirementParts maintenance = ref _maintenance[group];
        maintenance.Measure = _measure.Of(rules, Rows(group, rules), out int worstRow);
        initial.Measure = _hasOrders[group] ? _measure.Of(rules, RowsWithOrders(group, rules), out _) : maintenance.Measure;
        margin.Initial = Fixed.Add(margin.Initial, initial.Total(_units.InitialFactorE16(rules)));
        margin.Maintenance = Fixed.Add(margin.Maintenance, maintenance.Total(UnitCalculator.MaintenanceFactorE16(rules)));
        int underlying = _first[group];
        if (worstRow >= 0 && (maintenance.Measure > margin.WorstLoss || (maintenance.Measure == margin.WorstLoss && underlying < margin.WorstUnderlying)))
        {
            margin.WorstLoss = maintenance.Measure;
            margin.WorstRow = worstRow;
            margin.WorstUnderlying = underlying;
        }
    }

    /// <summary>Number of the group that an underlying belongs to, in the account being calculated or calculated last.</summary>
    public int GroupOf(CompiledModel rules, int underlying)
    {
        int named = rules.Underlyings[underlying].Group;
        int key = named > 0 ? -named : underlying;
        for (int group = 0; group < _count; group++)
        {
            if (_keys[group] == key)
            {
                _first[group] = Math.Min(_first[group], underlying);
                return group;
            }
        }

        _keys[_count] = key;
        _first[_count] = underlying;
        _lowestConfidence[_count] = 1.0;
        _initial[_count] = default;
        _maintenance[_count] = default;
        Rows(_count, rules).Clear();
        _hasOrders[_count] = false;
        return _count++;
    }

    private Span<long> Rows(int group, CompiledModel rules) => _rows.AsSpan(group * Limits.Rows, rules.PaddedRows);

    private Span<long> RowsWithOrders(int group, CompiledModel rules) => _rowsWithOrders.AsSpan(group * Limits.Rows, rules.PaddedRows);
}
