namespace MarginEngine.Logic;

/// <summary>The surface of one expiry as total variance, whichever form it came in: a slice or a grid.</summary>
public readonly ref struct Smile
{
    private readonly SviSlice _slice;
    private readonly VarianceGrid _grid;

    public Smile(SviSlice slice, double years)
    {
        _slice = slice;
        Years = years;
    }

    public Smile(VarianceGrid grid, double years)
    {
        _grid = grid;
        Years = years;
        IsGrid = true;
    }

    /// <summary>Years to expiry; a slice's total variance does not follow them, a grid's does.</summary>
    public double Years { get; }

    public bool IsGrid { get; }

    public SviSlice Slice => _slice;

    public VarianceGrid Grid => _grid;

    /// <summary>w(k), for any finite k = ln(strike / forward).</summary>
    public double TotalVariance(double k) => IsGrid ? Years * _grid.YearlyVariance(k) : _slice.TotalVariance(k);

    /// <summary>Volatility per square root of a year; 1, which prices the intrinsic value, where no time is left.</summary>
    public double Volatility(double k) =>
        Years <= 0.0 ? 1.0 : Math.Sqrt(IsGrid ? _grid.YearlyVariance(k) : _slice.TotalVariance(k) / Years);
}
