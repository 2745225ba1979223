using System.Numerics.Tensors;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>A seeded chain around one forward, as columns and as (strike, expiry) pairs under a stress grid: the input of PricingBench.</summary>
internal sealed class PricingColumns
{
    private readonly double[] _forward;
    private readonly double[] _strike;
    private readonly double[] _years;
    private readonly double[] _volatility;
    private readonly double[] _call;
    private readonly double[] _put;
    private readonly double[] _factor;
    private readonly double[] _logFactor;
    private readonly double[] _sigma;
    private readonly double[] _rowCall;
    private readonly double[] _rowPut;
    private readonly double[] _outside;
    private readonly double[] _implied;
    private readonly double[][] _greeks;
    private readonly TensorBlack _tensors = new();
    private readonly int _pairs;

    public PricingColumns(int options, int pairs, int rows)
    {
        var random = new Random(76);
        double Between(double low, double high) => low + (high - low) * random.NextDouble();
        double[] Column(int length, Func<double> draw) => [.. Enumerable.Range(0, length).Select(_ => draw())];
        _pairs = pairs;
        _forward = Column(options, () => Between(74_000, 77_000));
        _strike = Column(options, () => Between(40_000, 140_000));
        _years = Column(options, () => Between(0.003, 0.9));
        _volatility = Column(options, () => Between(0.35, 1.2));
        _call = new double[options];
        _put = new double[options];
        _factor = Column(rows, () => Between(0.84, 1.16));
        _logFactor = [.. _factor.Select(Functions.Log)];
        _sigma = Column(rows, () => Between(0.4, 0.9));
        _rowCall = new double[rows];
        _rowPut = new double[rows];
        _greeks = [.. Enumerable.Range(0, 9).Select(_ => new double[options])];
        _implied = new double[options];
        _outside = [.. Enumerable.Range(0, options).Select(Outside)];
    }

    public double Columns(Func<double, double, double, double, (double Call, double Put)> price)
    {
        double sum = 0.0;
        for (int i = 0; i < _forward.Length; i++)
        {
            (double call, double put) = price(_forward[i], _strike[i], _years[i], _volatility[i]);
            sum += call + put;
        }

        return sum;
    }

    public double ColumnKernel()
    {
        Black76.Value(_forward, _strike, _years, _volatility, _call, _put);
        double sum = 0.0;
        for (int i = 0; i < _call.Length; i++)
            sum += _call[i] + _put[i];
        return sum;
    }

    public double ColumnsOfTensors()
    {
        _tensors.Value(_forward, _strike, _years, _volatility, _call, _put);
        double sum = 0.0;
        for (int i = 0; i < _call.Length; i++)
            sum += _call[i] + _put[i];
        return sum;
    }

    /// <summary>Values alone, with a sum as <see cref="GreekKernel"/> takes it.</summary>
    public double ValueKernel()
    {
        Black76.Value(_forward, _strike, _years, _volatility, _call, _put);
        return _call[^1];
    }

    public double GreekKernel()
    {
        Black76.Greeks(_forward, _strike, _years, _volatility, new GreekColumns
        {
            Call = _call,
            Put = _put,
            CallDelta = _greeks[0],
            PutDelta = _greeks[1],
            Gamma = _greeks[2],
            Vega = _greeks[3],
            Theta = _greeks[4],
            CallRho = _greeks[5],
            PutRho = _greeks[6],
            Vanna = _greeks[7],
            Volga = _greeks[8],
        });
        return _call[^1];
    }

    public double ImpliedByBaseline()
    {
        for (int i = 0; i < _forward.Length; i++)
            _implied[i] = LetsBeRational.OfOutOfTheMoney(_forward[i], _strike[i], _years[i], _outside[i]);
        return TensorPrimitives.Sum<double>(_implied);
    }

    public double ImpliedOneByOne()
    {
        for (int i = 0; i < _forward.Length; i++)
            _implied[i] = ImpliedVolatility.OfOutOfTheMoney(_forward[i], _strike[i], _years[i], _outside[i]);
        return TensorPrimitives.Sum<double>(_implied);
    }

    public double ImpliedKernel()
    {
        ImpliedVolatility.OfOutOfTheMoney(_forward, _strike, _years, _outside, _implied);
        return TensorPrimitives.Sum<double>(_implied);
    }

    public double Greeks()
    {
        double sum = 0.0;
        for (int i = 0; i < _forward.Length; i++)
            sum = Black76.Greeks(isCall: true, _forward[i], _strike[i], _years[i], _volatility[i]).Value;
        return sum;
    }

    /// <summary>The value out of the money; where less than 1e-8 of the forward is left of it, the strike moves to the forward first.</summary>
    private double Outside(int i)
    {
        (double call, double put) = Black76.Value(_forward[i], _strike[i], _years[i], _volatility[i]);
        double outside = _forward[i] > _strike[i] ? put : call;
        if (outside >= 1e-8 * _forward[i])
            return outside;
        _strike[i] = _forward[i];
        return Black76.Value(_forward[i], _strike[i], _years[i], _volatility[i]).Call;
    }

    public double RowsOneByOne(Func<double, double, double, double, (double Call, double Put)> price)
    {
        double sum = 0.0;
        for (int pair = 0; pair < _pairs; pair++)
        {
            for (int row = 0; row < _factor.Length; row++)
                (_rowCall[row], _rowPut[row]) = price(_forward[pair] * _factor[row], _strike[pair], _years[pair], _sigma[row]);
            sum += _rowCall[^1] + _rowPut[^1];
        }

        return sum;
    }

    public double RowKernel()
    {
        double sum = 0.0;
        for (int pair = 0; pair < _pairs; pair++)
        {
            Black76.ValueRows(_forward[pair], _strike[pair], _years[pair], _factor, _logFactor, _sigma, _rowCall, _rowPut);
            sum += _rowCall[^1] + _rowPut[^1];
        }

        return sum;
    }
}
