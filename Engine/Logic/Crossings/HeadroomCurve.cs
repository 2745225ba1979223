using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// How far prices may go, either way, before an account can leave its state. For a common relative move x of the prices of an underlying, in each row k of a
/// group of units (a unit alone where requirements add up)
/// <code>
/// H(x) >= h + sum over groups min( min over k (c R_k(x) + t E(x)) - c R*, t E(x) - (M - M0) ) - (what has no slope) |x|
/// R_k(x) >= R_k + sum over units low(D_uk x - C_u x^2 / 2)          E(x) >= E' x - C_E x^2 / 2
/// </code>
/// with D the derivatives of the unit's row, C bounds of the second ones, c the factor of the maintenance margin, t the threshold, R* what the rows of the group
/// weigh in its margin M now, M0 its margin without them. low(y) is y where the row loses and nothing is drawn or shared, at most 0 where it gains. Every part is
/// concave in x, so H is positive all the way where it is positive at the end.
/// </summary>
/// <remarks>Scratch of the account last evaluated; not thread safe. Money in micro-USD.</remarks>
public sealed partial class HeadroomCurve
{
    // Accounts with more units are bounded without slopes.
    private const int MostUnits = 8;

    private const int Steps = 6;

    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly RiskRows _rows;
    private readonly Part[] _parts = new Part[MostUnits];
    private readonly double[] _profits = new double[MostUnits * Limits.Rows];
    private readonly double[] _slopes = new double[MostUnits * Limits.Rows];

    // What a row of a unit may gain at the most, and what each row of a group lacks to be the measure's; nothing counts of rows that are not measured.
    private readonly double[] _limits = new double[MostUnits * Limits.Rows];
    private readonly double[] _net = new double[MostUnits * Limits.Rows];
    private readonly Group[] _groups = new Group[MostUnits];
    private int _count;
    private int _groupCount;
    private double _threshold;
    private double _left;
    private double _worse;
    private double _better;
    private bool _hasBetter;
    private double _factor;
    private bool _isWorst;

    public HeadroomCurve(MarketState market, Book book, CompiledModel[] models, RiskRows rows)
    {
        _market = market;
        _book = book;
        _models = models;
        _rows = rows;
    }

    /// <summary>Relative speed of the margin, and of the equity, that has no slope in it: what the account's other contracts and balances can move by. A relative move.</summary>
    public double MarginRest { get; private set; }

    public double EquityRest { get; private set; }

    /// <summary>Sums up the units of an account; false where there are too many of them.</summary>
    public bool TryBegin(int account, GroupCalculator groups)
    {
        ref readonly Account of = ref _book.AccountAt(account);
        CompiledModel rules = _models[of.Model];
        _count = 0;
        _groupCount = 0;
        MarginRest = 0.0;
        EquityRest = 0.0;
        _factor = rules.MaintenanceFactorE8 / 1e8;
        _isWorst = rules.Measure == RowMeasure.Worst;
        for (int unit = of.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref readonly Currency currency = ref _market.CurrencyAt(_book.UnitAt(unit).Currency);
            if (_count == MostUnits || (!currency.IsMoney && currency.Underlying != _book.UnitAt(unit).Underlying))
            {
                return false;
            }

            Add(of.Model, rules, unit, groups);
        }

        return true;
    }

    /// <summary>Sets what has to stay positive.</summary>
    /// <param name="threshold">Ratio at which the state becomes worse.</param>
    /// <param name="worse">threshold * equity - margin, less what roundings and other moves may take.</param>
    /// <param name="left">Ratio below which it becomes better, where <paramref name="hasBetter"/>.</param>
    /// <param name="better">margin - left * equity, less the same.</param>
    public void Aim(double threshold, double worse, bool hasBetter, double left, double better)
    {
        (_threshold, _worse, _hasBetter, _left, _better) = (threshold, worse, hasBetter, left, better);
    }

    /// <summary>Largest relative move up to <paramref name="cap"/> that leaves the state alone.</summary>
    /// <param name="cap">Move that the bounds hold for.</param>
    /// <param name="direction">1: up, -1: down, 0: either way, each underlying by itself.</param>
    /// <param name="marginRest">Speed of the margin that no slope tells, a relative move; as <paramref name="equityRest"/> of equity.</param>
    public double LargestMove(CompiledModel rules, double cap, int direction, double marginRest, double equityRest)
    {
        double low = 0.0, high = cap, atHigh = Room(rules, high, direction, marginRest, equityRest);
        if (atHigh > 0.0)
        {
            return high;
        }

        // What is left is concave: where the chord from a point above zero to one below crosses it, the curve is above it still. What is near matters in basis
        // points, what is far hardly: so the end below zero is drawn in as well.
        double atLow = Room(rules, 0.0, direction, marginRest, equityRest);
        for (int step = 0; step < Steps && atLow > 0.0 && high > 1.4 * low; step++)
        {
            double middle = step % 2 == 0 ? low + ((high - low) * (atLow / (atLow - atHigh))) : Math.Min(2.0 * low, 0.5 * (low + high));
            double atMiddle = Room(rules, middle, direction, marginRest, equityRest);
            if (atMiddle > 0.0)
            {
                (low, atLow) = (middle, atMiddle);
            }
            else
            {
                (high, atHigh) = (middle, Math.Min(atMiddle, -double.Epsilon));
            }
        }

        return low;
    }

    // H of the summary: what a move leaves of the headroom, at the least.
    private double Room(CompiledModel rules, double move, int direction, double marginRest, double equityRest)
    {
        double rest = ((marginRest + MarginRest) + (_threshold * (equityRest + EquityRest))) * move;
        double worse = _worse - rest, better = _better - rest;
        for (int group = 0; group < _groupCount; group++)
        {
            worse += Worse(rules, group, move, direction);
            better += _hasBetter ? Better(group, move, direction) : 0.0;
        }

        return _hasBetter ? Math.Min(worse, better) : worse;
    }

    // Least change of threshold * equity - margin of a group.
    private double Worse(CompiledModel rules, int group, double move, int direction)
    {
        double square = 0.5 * move * move;
        Vector256<double> least = Vector256.Create(double.PositiveInfinity);
        for (int row = 0; row < rules.PaddedRows; row += Vector256<double>.Count)
        {
            Vector256<double> change = At(_net, (group * Limits.Rows) + row);
            for (int unit = 0; unit < _count; unit++)
            {
                if (_parts[unit].Group == group)
                {
                    change += direction != 0
                        ? Changed(unit, row, move * direction, square)
                        : Vector256.Min(Changed(unit, row, move, square), Changed(unit, row, -move, square));
                }
            }

            least = Vector256.Min(least, change);
        }

        double byRows = Math.Min(Math.Min(least[0], least[1]), Math.Min(least[2], least[3]));
        return Math.Min(byRows, _groups[group].WithoutRows + EquityOf(group, move, direction, _threshold));
    }

    private Vector256<double> Changed(int unit, int row, double move, double square)
    {
        ref readonly Part of = ref _parts[unit];
        int place = (unit * Limits.Rows) + row;
        Vector256<double> change = (At(_slopes, place) * Vector256.Create(move)) - Vector256.Create(of.RowCurvature * square);
        double equity = _threshold * ((of.EquitySlope * move) - (of.EquityCurvature * square));
        return (Vector256.Create(_factor) * Vector256.Min(change, At(_limits, place))) + Vector256.Create(equity);
    }

    private static Vector256<double> At(double[] values, int place) => Vector256.LoadUnsafe(ref values[place]);

    private double EquityOf(int group, double move, int direction, double part)
    {
        double change = 0.0;
        for (int unit = 0; unit < _count; unit++)
        {
            ref readonly Part of = ref _parts[unit];
            if (of.Group == group)
            {
                double slope = direction == 0 ? -Math.Abs(of.EquitySlope) : of.EquitySlope * direction;
                change += part * ((slope * move) - (0.5 * of.EquityCurvature * move * move));
            }
        }

        return change;
    }

    // Least change of margin - left * equity: the margin's worst row of now is there still, and weighs less.
    private double Better(int group, double move, int direction)
    {
        ref readonly Group of = ref _groups[group];
        double change = 0.0;
        for (int unit = 0; unit < _count; unit++)
        {
            ref readonly Part part = ref _parts[unit];
            if (part.Group != group)
            {
                continue;
            }

            double up = BetterOf(unit, of, move), down = BetterOf(unit, of, -move);
            change += direction > 0 ? up : direction < 0 ? down : Math.Min(up, down);
        }

        return change;
    }

    private double BetterOf(int unit, in Group group, double move)
    {
        ref readonly Part of = ref _parts[unit];
        double square = 0.5 * move * move;
        double equity = _left * ((of.EquitySlope * move) + (of.EquityCurvature * square));
        if (group.Row < 0)
        {
            return -equity;
        }

        if (!_isWorst)
        {
            return -equity - (of.RowPrice * Math.Abs(move));
        }

        int place = (unit * Limits.Rows) + group.Row;
        double gain = (_slopes[place] * move) + (of.RowCurvature * square);
        bool isExact = of.IsPlain || (_profits[place] <= 0.0 && !of.IsDrawn);
        return -equity - (_factor * (isExact ? gain : Math.Max(gain, 0.0)));
    }

    private struct Sums
    {
        public double RowPrice;
        public double ValuePrice;
        public double RowRest;
        public double EquityRest;
        public double RowCurvature;
        public double Value;
        public double ValueCurvature;
    }

    private struct Part
    {
        public int Group;

        /// <summary>Rows count as they are: no shares of gains, no dampener.</summary>
        public bool IsPlain;

        /// <summary>A row is drawn toward zero.</summary>
        public bool IsDrawn;
        public double RowPrice;
        public double RowCurvature;
        public double EquitySlope;
        public double EquityCurvature;
    }

    private struct Group
    {
        public int Key;

        /// <summary>Factor times this is what its rows make of the margin above the amounts before them.</summary>
        public double Measure;

        /// <summary>By how much the margin is above what it were without rows.</summary>
        public double WithoutRows;

        /// <summary>The row that decides its margin; -1: none does.</summary>
        public int Row;
    }
}
