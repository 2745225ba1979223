// What a position is worth under a price, a volatility and a later date. No margin model has a part in it; PortfolioPicture sums it up.
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;

namespace MarginEngine.Tool.Compare;

/// <summary>
/// Options by Black-76 on the forward of their expiry with a volatility that stays with the strike; futures and perpetuals by their mark. Prices
/// move together: a factor on the index is the same factor on every mark and forward, and the basis fades in proportion to the time left.
/// </summary>
internal sealed class PositionValue
{
    private const double NanosPerYear = 365.0 * 86_400e9;

    private readonly Contract _contract;
    private readonly double _size;
    private readonly double _index;
    private readonly double _price;
    private readonly double _volatility;
    private readonly double _rate;
    private readonly double _settlementUsd;
    private readonly bool _settlesInUnderlying;
    private readonly double _now;

    public PositionValue(Portfolio portfolio, Calc.Position position)
    {
        _contract = position.Contract;
        InstrumentName name = _contract.Name;
        Coin coin = portfolio.Coins.First(candidate => candidate.UnderlyingId == _contract.UnderlyingId);
        Slice? slice = portfolio.Slices.FirstOrDefault(candidate => candidate.UnderlyingId == _contract.UnderlyingId && candidate.Day == name.ExpiryDay);
        _size = position.Lots * (double)_contract.Terms.Lot;
        _index = (double)coin.Index;
        _price = (double)(_contract.Mark ?? slice!.Forward);
        Years = _contract.Expiry is long expiry ? (expiry - portfolio.ValuationTime) / NanosPerYear : 0;
        _volatility = name.IsOption ? VolatilityOf(slice!) : 0;
        _rate = name.IsInverse ? 0 : Math.Max((double)portfolio.Rates.GetValueOrDefault(name.SettlementCurrency), 0);
        _settlesInUnderlying = name.SettlementCurrency == name.Underlying;
        _settlementUsd = name.SettlementCurrency == "USD" ? 1 : (double)portfolio.Coins.First(candidate => candidate.Code == name.SettlementCurrency).Index;
        _now = Value(1, 1, 0);
    }

    public InstrumentName Name => _contract.Name;

    /// <summary>Signed, in contracts.</summary>
    public decimal Contracts => (decimal)_size / _contract.Terms.Size;

    /// <summary>To expiry; 0 for perpetuals, which have none.</summary>
    public double Years { get; }

    /// <summary>
    /// Profit against now in USD: what the position gains in its settlement currency, at the price of that currency then. Coin held already
    /// (collateral, premiums) is no part of it.
    /// </summary>
    /// <param name="priceFactor">Price then / price now, above 0.</param>
    /// <param name="volatilityFactor">Volatility then / volatility now, at least 0.</param>
    /// <param name="elapsedYears">From now; what has expired by then settles at the price.</param>
    public double ProfitUsd(double priceFactor, double volatilityFactor, double elapsedYears = 0) =>
        (Value(priceFactor, volatilityFactor, elapsedYears) - _now) * _settlementUsd * (_settlesInUnderlying ? priceFactor : 1);

    private double Value(double priceFactor, double volatilityFactor, double elapsedYears)
    {
        bool expires = Years > 0;
        double elapsed = expires ? Math.Min(elapsedYears, Years) : 0;
        double price = _price * priceFactor * (elapsed > 0 ? Functions.Pow(_index / _price, elapsed / Years) : 1);
        bool isInverse = Name.IsInverse;
        if (!Name.IsOption) return isInverse ? -_size / price : _size * price;
        double left = Years - elapsed;
        (double call, double put) = Black76.Value(price, (double)Name.Strike, left, _volatility * volatilityFactor);
        double option = Name.Right == OptionRight.Call ? call : put;
        return isInverse ? _size * option / price : _size * option * Functions.Exp(-_rate * left);
    }

    private double VolatilityOf(Slice slice)
    {
        if (_contract.Volatility is decimal mark) return (double)mark;
        double logMoneyness = Functions.Log((double)Name.Strike / _price);
        if (slice.Grid is { } nodes)
        {
            long[] points = [.. nodes.Select(node => (long)(node.K * 1_000_000_000_000m))], volatilities = [.. nodes.Select(node => (long)(node.Volatility * 100_000_000m))];
            return new Smile(new VarianceGrid(points, volatilities), Years).Volatility(logMoneyness);
        }

        SliceDocument svi = slice.Svi!;
        SviSlice smile = new((double)svi.A, (double)svi.B, (double)svi.Rho, (double)svi.M, (double)svi.Sigma);
        return Math.Sqrt(Math.Max(smile.TotalVariance(logMoneyness), 0) / Years);
    }
}
