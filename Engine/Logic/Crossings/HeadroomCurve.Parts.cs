using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>What the curve is made of: rows and slopes of each unit, and how far each row of a group is from being the measure's.</content>
public sealed partial class HeadroomCurve
{
    private void Add(int model, CompiledModel rules, int unit, GroupCalculator groups)
    {
        ref readonly RiskUnit of = ref _book.UnitAt(unit);
        ref Part part = ref _parts[_count];
        ref readonly Currency currency = ref _market.CurrencyAt(of.Currency);
        part = new Part { IsPlain = true };
        double micros = currency.IsMoney ? 1.0 : 0.0;
        Span<double> profits = _profits.AsSpan(_count * Limits.Rows, rules.PaddedRows), slopes = _slopes.AsSpan(_count * Limits.Rows, rules.PaddedRows);
        profits.Clear();
        slopes.Clear();
        bool isCoin = !currency.IsMoney;
        if (isCoin)
        {
            micros = Fixed.ToDouble(_market.UnderlyingAt(of.Underlying).IndexE8, _market.UnderlyingAt(of.Underlying).IndexFurther) * 1e6 / Fixed.Power10(currency.Decimals);
        }

        Sums sums = default;
        for (int index = of.FirstPosition; index >= 0; index = _book.PositionAt(index).NextOfUnit)
        {
            AddLeg(model, rules, _book.PositionAt(index), micros > 0.0, profits, slopes, ref sums);
        }

        Finish(rules, of, ref part, sums, micros, isCoin, profits, slopes);
        LimitGains(part, profits, _limits.AsSpan(_count * Limits.Rows, rules.PaddedRows));
        part.Group = GroupOf(rules, unit, micros, groups, profits);
        _count++;
    }

    private void AddLeg(int model, CompiledModel rules, in Position position, bool isUsable, Span<double> profits, Span<double> slopes, ref Sums sums)
    {
        if (position.Lots == 0)
        {
            return;
        }

        double lots = position.Lots, size = Math.Abs(lots);
        ref readonly LotSlopes slope = ref _rows.Slopes(model, position.Instrument);
        ref readonly LotModuli moduli = ref _rows.Moduli(model, position.Instrument);
        bool isEquity = rules.CountsOptionValue || !_market.InstrumentAt(position.Instrument).IsOption;
        ReadOnlySpan<double> row = _rows.Row(model, position.Instrument);
        sums.RowPrice += size * moduli.RowPrice;
        sums.ValuePrice += isEquity ? size * moduli.ValuePrice : 0.0;
        if (!slope.IsUsable || !isUsable)
        {
            AddTo(profits, row, lots);
            sums.RowRest += size * moduli.RowPrice;
            sums.EquityRest += isEquity ? size * moduli.ValuePrice : 0.0;
            return;
        }

        AddTo(profits, row, lots, slopes, _rows.SlopeRow(model, position.Instrument));
        sums.RowRest += size * (slope.RowRest + (slope.RowCurvature * slope.Moved)) * rules.MaintenanceFactorE8 / 1e8;
        sums.RowCurvature += size * slope.RowCurvature;
        if (isEquity)
        {
            sums.Value += lots * slope.Value;
            sums.ValueCurvature += size * slope.ValueCurvature;
            sums.EquityRest += size * slope.ValueCurvature * slope.Moved;
        }
    }

    // Into USD. An amount of coins is worth more with the price: (P r)' = P (r' + r), and the second derivative has 2 r' and r in it besides.
    private void Finish(CompiledModel rules, in RiskUnit of, ref Part part, in Sums sums, double micros, bool isCoin, Span<double> profits, Span<double> slopes)
    {
        double largest = 0.0;
        bool isDrawn = false;
        for (int row = 0; row < rules.RowCount; row++)
        {
            double weight = rules.Rows[row].Weight * micros;
            profits[row] *= weight;
            slopes[row] = (slopes[row] * weight) + (isCoin ? profits[row] : 0.0);
            largest = Math.Max(largest, Math.Abs(profits[row]));
            isDrawn |= rules.Dampener(of.Underlying)[row] != 0.0;
        }

        double coin = isCoin ? 1.0 : 0.0;
        part.RowPrice = (micros * sums.RowPrice * 1.02) + (coin * _factor * largest);
        part.RowCurvature = (micros * sums.RowCurvature * 1.02) + (coin * ((2.1 * micros * sums.RowPrice / _factor) + largest));
        part.EquitySlope = isCoin ? 0.0 : micros * sums.Value;
        part.EquityCurvature = isCoin ? 0.0 : micros * sums.ValueCurvature;
        part.IsDrawn = isDrawn;
        part.IsPlain = !rules.NetsAcross && !isDrawn;

        // Coins are bounded by their size alone: what they are worth hangs on haircuts and tiers of the whole balance. What rows are drawn by is USD and stands still.
        double scale = micros > 0.0 ? micros : 1.0;
        MarginRest += sums.RowRest * scale * 1.02;
        EquityRest += (isCoin ? sums.ValuePrice : sums.EquityRest) * scale * 1.02;
    }

    // Losses shrink to nothing at the most where gains are shared or drawn; where the measure is no maximum, no row gains.
    private void LimitGains(in Part part, ReadOnlySpan<double> profits, Span<double> limits)
    {
        for (int row = 0; row < limits.Length; row++)
        {
            limits[row] = part.IsPlain && _isWorst ? double.PositiveInfinity : _isWorst && !part.IsDrawn ? Math.Max(-profits[row], 0.0) : 0.0;
        }
    }

    // Where the measure is no maximum, each row's loss counts as if it were the measure's.
    private void Weigh(CompiledModel rules, int group)
    {
        Span<double> net = _net.AsSpan(group * Limits.Rows, rules.PaddedRows);
        for (int row = 0; row < net.Length; row++)
        {
            bool counts = row < rules.RowCount && rules.Rows[row].IsMeasured;
            net[row] = !counts ? double.PositiveInfinity : _isWorst ? _factor * (net[row] + _groups[group].Measure) : 0.0;
        }
    }

    private int GroupOf(CompiledModel rules, int unit, double micros, GroupCalculator groups, ReadOnlySpan<double> profits)
    {
        ref readonly RiskUnit of = ref _book.UnitAt(unit);
        if (!rules.NetsAcross)
        {
            RequirementParts parts = of.Margin.MaintenanceParts;
            Span<double> net = _net.AsSpan(_groupCount * Limits.Rows, rules.PaddedRows);
            for (int row = 0; row < rules.RowCount; row++)
            {
                net[row] = Finished(rules, of, row, profits[row]);
            }

            _groups[_groupCount] = GroupWith(rules, parts, micros, of.Margin.WorstRow);
            Weigh(rules, _groupCount);
            return _groupCount++;
        }

        int found = groups.GroupOf(rules, of.Underlying);
        for (int group = 0; group < _groupCount; group++)
        {
            if (_groups[group].Key == found)
            {
                return group;
            }
        }

        ReadOnlySpan<long> rows = groups.RowsOf(found, rules);
        int worst = -1;
        for (int row = 0; row < rules.RowCount; row++)
        {
            _net[(_groupCount * Limits.Rows) + row] = rows[row];
            worst = rules.Rows[row].IsMeasured && (worst < 0 || rows[row] < rows[worst]) ? row : worst;
        }

        _groups[_groupCount] = GroupWith(rules, groups.PartsOf(found).Maintenance, 1.0, worst);
        _groups[_groupCount].Key = found;
        Weigh(rules, _groupCount);
        return _groupCount++;
    }

    private Group GroupWith(CompiledModel rules, in RequirementParts parts, double micros, int worstRow)
    {
        double with = parts.Risk, without = Math.Max((double)parts.Alternative + parts.Before, parts.Floor);
        return new Group
        {
            // What the rows weigh in the margin: the margin is that of a measure of so much.
            Measure = micros * (with - parts.Before),
            WithoutRows = _factor * micros * (with - without),
            Row = parts.Measure > parts.Alternative && parts.Measure + (double)parts.Before >= parts.Floor && rules.RowCount > 0 ? worstRow : -1,
            Key = -1,
        };
    }

    // What a row comes to after the dampener, in USD.
    private static double Finished(CompiledModel rules, in RiskUnit of, int row, double profit)
    {
        double draw = rules.Dampener(of.Underlying)[row] * 1e6;
        return draw == 0.0 ? profit : profit < 0.0 ? Math.Min(0.0, profit + draw) : Math.Max(0.0, profit - draw);
    }

    // Whole padded rows, a multiple of eight.
    private static void AddTo(Span<double> sums, ReadOnlySpan<double> row, double lots)
    {
        Vector256<double> each = Vector256.Create(lots);
        ref double to = ref MemoryMarshal.GetReference(sums);
        ref readonly double from = ref MemoryMarshal.GetReference(row);
        for (nuint index = 0; index < (nuint)sums.Length; index += 4)
        {
            (Vector256.LoadUnsafe(ref to, index) + (each * Vector256.LoadUnsafe(in from, index))).StoreUnsafe(ref to, index);
        }
    }

    private static void AddTo(Span<double> sums, ReadOnlySpan<double> row, double lots, Span<double> slopes, ReadOnlySpan<double> slope)
    {
        AddTo(sums, row, lots);
        AddTo(slopes, slope, lots);
    }
}
