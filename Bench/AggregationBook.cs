using System.Numerics.Tensors;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>
/// Accounts of 20 positions each over a table of 1,000 instruments and 64 rows of profit; every account is the least of its 64 sums. Input
/// and candidates of the aggregation part of PricingBench.
/// </summary>
internal sealed class AggregationBook
{
    public const int Rows = 64;
    private const int Accounts = 500;
    private const int PositionsAnAccount = 20;
    private const int Instruments = 1000;

    public const int Positions = Accounts * PositionsAnAccount;

    private readonly double[] _table;
    private readonly double[] _largest = new double[Instruments];
    private readonly double[][] _jagged = new double[Instruments][];
    private readonly RowLots[] _positions = new RowLots[Positions];
    private readonly double[] _sums = new double[Rows];
    private readonly long[] _exactSums = new long[Rows];

    public AggregationBook()
    {
        var random = new Random(64);
        _table = GC.AllocateArray<double>(Instruments * Rows, pinned: true);
        for (int instrument = 0; instrument < Instruments; instrument++)
        {
            // Whole numbers, so that sums of doubles are exact too and all candidates agree.
            double[] row = [.. Enumerable.Range(0, Rows).Select(_ => Math.Round((random.NextDouble() - 0.5) * 2e8))];
            row.CopyTo(_table, instrument * Rows);
            _jagged[instrument] = row;
            _largest[instrument] = row.Max(Math.Abs);
        }

        for (int position = 0; position < Positions; position++)
            _positions[position] = new RowLots(random.Next(Instruments), random.Next(1, 100) * (random.Next(2) == 0 ? 1 : -1));
    }

    /// <summary>What a user writes first.</summary>
    public double PlainLoops()
    {
        double total = 0.0;
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            Array.Clear(_sums);
            for (int position = first; position < first + PositionsAnAccount; position++)
            {
                double[] row = _jagged[_positions[position].Row];
                double lots = _positions[position].Lots;
                for (int i = 0; i < _sums.Length; i++)
                    _sums[i] += lots * row[i];
            }

            total += TensorPrimitives.Min<double>(_sums);
        }

        return total;
    }

    public double WithTensorPrimitives()
    {
        double total = 0.0;
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            Array.Clear(_sums);
            for (int position = first; position < first + PositionsAnAccount; position++)
                TensorPrimitives.MultiplyAdd(_jagged[_positions[position].Row], _positions[position].Lots, _sums, _sums);
            total += TensorPrimitives.Min<double>(_sums);
        }

        return total;
    }

    /// <summary>The margin calculation's way: exact sums, one position a call.</summary>
    public double OneByOne()
    {
        double total = 0.0;
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            Array.Clear(_exactSums);
            foreach (ref readonly RowLots position in _positions.AsSpan(first, PositionsAnAccount))
                RowSums.Add(_table.AsSpan(position.Row * Rows, Rows), position.Lots, _largest[position.Row], _exactSums);
            total += TensorPrimitives.Min<long>(_exactSums);
        }

        return total;
    }

    /// <summary>Exact sums, the positions of an account in one call.</summary>
    public double AllAtOnce()
    {
        double total = 0.0;
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            Array.Clear(_exactSums);
            RowSums.Add(_table, Rows, _largest, _positions.AsSpan(first, PositionsAnAccount), _exactSums);
            total += TensorPrimitives.Min<long>(_exactSums);
        }

        return total;
    }
}
