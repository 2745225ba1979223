using System.Numerics.Tensors;
using System.Runtime.InteropServices;
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

    /// <summary>Doubles in a line of the cache.</summary>
    private const int Line = 8;

    public const int Positions = Accounts * PositionsAnAccount;

    private readonly double[] _memory;
    private readonly int _first;
    private readonly double[] _largest = new double[Instruments];
    private readonly double[][] _jagged = new double[Instruments][];
    private readonly RowLots[] _positions = new RowLots[Positions];
    private readonly double[] _sums = new double[Rows];
    private readonly int _firstSum;
    private readonly long[] _exactSums = new long[Rows];

    public AggregationBook()
    {
        var random = new Random(64);
        // Rows begin where lines of the cache do, as those of the engine's own table; the same memory ends with sums that do.
        _memory = GC.AllocateArray<double>(Instruments * Rows + Rows + Line, pinned: true);
        _first = (int)(-(Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0) / sizeof(double)) & (Line - 1));
        _firstSum = _first + Instruments * Rows;
        for (int instrument = 0; instrument < Instruments; instrument++)
        {
            // Whole numbers, so that sums of doubles are exact too and all candidates agree.
            double[] row = [.. Enumerable.Range(0, Rows).Select(_ => Math.Round((random.NextDouble() - 0.5) * 2e8))];
            row.CopyTo(_memory, _first + instrument * Rows);
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

    /// <summary>The same over memory laid out as ours is: rows and sums that fall into whole lines of the cache.</summary>
    public double WithTensorPrimitivesAligned()
    {
        double total = 0.0;
        Span<double> sums = _memory.AsSpan(_firstSum, Rows);
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            sums.Clear();
            for (int position = first; position < first + PositionsAnAccount; position++)
                TensorPrimitives.MultiplyAdd(Table.Slice(_positions[position].Row * Rows, Rows), _positions[position].Lots, sums, sums);
            total += TensorPrimitives.Min<double>(sums);
        }

        return total;
    }

    /// <summary>Exact sums, one position a call.</summary>
    public double OneByOne()
    {
        double total = 0.0;
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            Array.Clear(_exactSums);
            foreach (ref readonly RowLots position in _positions.AsSpan(first, PositionsAnAccount))
                RowSums.Add(Table.Slice(position.Row * Rows, Rows), position.Lots, _largest[position.Row], _exactSums);
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
            RowSums.Add(Table, Rows, _largest, _positions.AsSpan(first, PositionsAnAccount), _exactSums);
            total += TensorPrimitives.Min<long>(_exactSums);
        }

        return total;
    }

    /// <summary>The margin calculation's way: it has checked the range of each position where it read the position's risk.</summary>
    public double AllAtOnceChecked()
    {
        double total = 0.0;
        for (int first = 0; first < Positions; first += PositionsAnAccount)
        {
            Array.Clear(_exactSums);
            RowSums.AddExact(in _memory[_first], Rows, _positions.AsSpan(first, PositionsAnAccount), _exactSums);
            total += TensorPrimitives.Min<long>(_exactSums);
        }

        return total;
    }

    private ReadOnlySpan<double> Table => _memory.AsSpan(_first, Instruments * Rows);
}
