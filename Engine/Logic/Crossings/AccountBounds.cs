using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>How far one underlying may move, and until when, before the state of an account has to be looked at again.</summary>
/// <param name="Underlying">Whose moves.</param>
/// <param name="Up">Move of its prices up, in logarithms.</param>
/// <param name="Down">The same down.</param>
/// <param name="Spread">How far its prices may come apart, in logarithms.</param>
/// <param name="Deviation">Path of its volatilities.</param>
public readonly record struct Allowance(int Underlying, double Up, double Down, double Spread, double Deviation);

/// <summary>
/// From the speed of the units and balances of an account to how far the market may go before the account can change state. With equity E, maintenance
/// margin M, the ratio's next threshold t and the one it came from t' (less the hysteresis):
/// <code>
/// headroom  h = min(t E - M, M - t' E) - what roundings may be off
/// moved     t |dE| + |dM|  &lt;=  what prices do together + sum over underlyings u (P_u w_u + D_u z_u) + T y
/// w how far prices come apart, z path of deviations, y years:   P w = D z = T y = h / 8, charges for stale prices h / 8;   the rest of h is left to prices moving together (<see cref="HeadroomCurve"/>)
/// </code>
/// so that while every move stays within what is allowed the sum stays below h, and the state is what it was. Caps of contracts only narrow it.
/// A scratch of the last account added up; not thread safe.
/// </summary>
public sealed class AccountBounds
{
    // Part of the headroom for each of spread, volatility, time and stale prices.
    private const double Share = 0.125;
    private const double LargestSpread = 1e-3;
    private const double SecondsAYear = 365.0 * 86_400.0;
    private const double LeastPart = 0.4;
    private const uint GoldenRatio = 0x9E37_79B9;

    // Atoms that integers round by, a leg and a unit; and the part of every sum that doubles may be off by, with room.
    private const double AtomsPerLeg = 64.0;
    private const double RoundingPart = 1e-9;
    private const double RoundingMicros = 1_000.0;

    private readonly MarketState _market;
    private readonly HeadroomCurve _curve;
    private readonly Entry[] _entries;
    private int _count;
    private bool _isBounded;
    private double _equityTime;
    private double _marginTime;
    private double _years;
    private double _staleSpeed;
    private bool _hasStale;
    private double _rounding;
    private double _up;
    private double _down;
    private double _spread;
    private double _deviation;
    private uint _turn;

    public AccountBounds(Limits limits, MarketState market, HeadroomCurve curve)
    {
        _market = market;
        _curve = curve;
        _entries = new Entry[limits.Underlyings];
    }

    /// <summary>Underlyings that the account depends on.</summary>
    public int Count => _count;

    /// <summary>When the oldest price of a contract of the account came.</summary>
    public long OldestPrice { get; private set; }

    /// <summary>Seconds that prices which are stale may go on without a new one; infinite where no charge grows.</summary>
    public double StaleSeconds { get; private set; }

    /// <summary>Seconds that valuation time may pass; 0: none, the account is looked at with its next step.</summary>
    public double Seconds { get; private set; }

    public void Begin()
    {
        _count = 0;
        _isBounded = true;
        _equityTime = 0.0;
        _marginTime = 0.0;
        _years = double.PositiveInfinity;
        _staleSpeed = 0.0;
        _hasStale = false;
        _rounding = RoundingMicros;
        OldestPrice = long.MaxValue;
    }

    /// <summary>Adds a unit as it was calculated.</summary>
    public void Add(int underlying, int currency, in UnitModuli unit)
    {
        ref readonly Currency settled = ref _market.CurrencyAt(currency);
        double micros = settled.IsMoney ? 1.0 : PriceOf(currency) * 1e6 / Fixed.Power10(settled.Decimals);
        _isBounded &= unit.IsBounded && micros > 0.0 && unit.PriceCap > 0.0;
        ref Entry entry = ref EntryOf(underlying);
        double scale = settled.IsMoney ? micros : micros * (1.0 + LotModuli.LargestMove);
        entry.EquityPrice += unit.ValuePrice * scale;
        entry.EquityDeviation += unit.ValueDeviation * scale;
        entry.RowPrice += unit.RowPrice * scale;
        entry.MarginPrice += unit.MarginPrice * scale;
        entry.MarginDeviation += unit.MarginDeviation * scale;
        entry.PriceCap = Math.Min(entry.PriceCap, unit.PriceCap);
        entry.DeviationCap = Math.Min(entry.DeviationCap, unit.DeviationCap);
        _equityTime += unit.ValueTime * scale;
        _marginTime += unit.MarginTime * scale;
        _years = Math.Min(_years, unit.TimeCap);
        _staleSpeed += unit.StaleSpeed * scale;
        _hasStale |= unit.HasStale;
        OldestPrice = Math.Min(OldestPrice, unit.OldestPrice);
        _rounding += (unit.Legs + 2) * AtomsPerLeg * Math.Max(micros, 1.0);
        _rounding += RoundingPart * (unit.ValuePrice + unit.RowPrice + unit.MarginPrice + unit.LargestRow + unit.Amount) * scale;
        if (!settled.IsMoney && settled.Underlying >= 0)
        {
            ref Entry coin = ref EntryOf(settled.Underlying);
            coin.RowPrice += unit.LargestRow * scale;
            coin.MarginPrice += unit.Amount * scale;
        }
    }

    /// <summary>Adds a balance with the value of the units in its currency.</summary>
    public void AddBalance(CompiledModel rules, int currency, long atoms, long money)
    {
        if (atoms == 0 || _market.CurrencyAt(currency).IsMoney)
        {
            return;
        }

        ref readonly CollateralParameters terms = ref rules.Collaterals[currency];
        double size = Math.Abs((double)money) * (1.0 + LotModuli.LargestMove);
        double margin = size * terms.MaintenanceHaircutE8 / 1e8;
        _rounding += RoundingPart * size;
        if (terms.RowsOf >= 0)
        {
            margin += size * rules.Bounds[terms.RowsOf].Balance * rules.MaintenanceFactorE8 / 1e8;
        }

        int priced = _market.CurrencyAt(currency).Underlying;
        if (priced >= 0)
        {
            AddCollateral(priced, size, margin);
        }

        if (terms.RedemptionValueE8 != 0 && terms.RedemptionOf >= 0)
        {
            AddCollateral(terms.RedemptionOf, size, margin);
        }
    }

    /// <summary>Whether the account's state can be told from how far the market moves; then <see cref="At"/> says how far.</summary>
    /// <param name="account">Its number in the book.</param>
    /// <param name="rules">Model of the account.</param>
    /// <param name="state">State the account is in.</param>
    /// <param name="margin">Its margin now.</param>
    /// <param name="groups">Its groups, where the model nets rows across units.</param>
    /// <param name="step">Seconds that valuation time moves by at the least.</param>
    public bool TryAllow(int account, CompiledModel rules, AccountState state, in AccountMargin margin, GroupCalculator groups, double step)
    {
        const MarginFlags unknown = MarginFlags.Unpriced | MarginFlags.Saturated;
        if (!_isBounded || !rules.IsBounded || state == AccountState.Liquidation || margin.Equity <= 0 || (margin.Flags & unknown) != 0)
        {
            return false;
        }

        // The ratio is rounded up to units of 1e-8: one unit less is enough, two are taken.
        double threshold = (NextThreshold(rules, state) - 2) / 1e8, left = (rules.ThresholdE8[(int)state] - rules.HysteresisE8) / 1e8;
        double worse = (threshold * margin.Equity) - margin.Maintenance - _rounding, better = margin.Maintenance - (left * margin.Equity) - _rounding;
        bool hasBetter = state != AccountState.Healthy;
        double headroom = hasBetter ? Math.Min(worse, better) : worse;
        double time = (threshold * _equityTime) + _marginTime, deviation = 0.0;
        double marginRest = 0.0, equityRest = 0.0, rows = 0.0, values = 0.0, cap = LotModuli.LargestMove, deviationCap = double.PositiveInfinity;
        for (int index = 0; index < _count; index++)
        {
            ref readonly Entry entry = ref _entries[index];
            marginRest += entry.MarginPrice;
            equityRest += entry.Collateral;
            rows += entry.RowPrice;
            values += entry.EquityPrice;
            deviation += (threshold * entry.EquityDeviation) + entry.MarginDeviation;
            cap = Math.Min(cap, entry.PriceCap);
            deviationCap = Math.Min(deviationCap, entry.DeviationCap);
        }

        // Most accounts are kept by the caps alone, and were due at one price, all together: each may go another part of them, and another each time.
        _turn = unchecked(_turn + GoldenRatio);
        double part = LeastPart + ((1.0 - LeastPart) * _turn / uint.MaxValue);
        (cap, deviationCap) = (cap * part, deviationCap * part);
        double price = rows + marginRest + (threshold * (equityRest + values));
        if (!(headroom > 0.0) || !double.IsFinite(price + deviation + time))
        {
            return false;
        }

        _spread = price > 0.0 ? Math.Min(LargestSpread, Share * headroom / price) : LargestSpread;
        _deviation = deviation > 0.0 ? Math.Min(deviationCap, Share * headroom / deviation) : deviationCap;

        // No headroom is set aside for time that cannot pass before the account is looked at.
        double years = time > 0.0 ? Math.Min(part * _years, Share * headroom / time) : part * _years;
        years = years * SecondsAYear < step ? 0.0 : years;
        Seconds = years * SecondsAYear;
        StaleSeconds = _staleSpeed > 0.0 ? Math.Min(LotModuli.StaleSeconds, Share * headroom / _staleSpeed) : _hasStale ? LotModuli.StaleSeconds : double.PositiveInfinity;
        double stale = _staleSpeed > 0.0 ? _staleSpeed * StaleSeconds : 0.0;
        double spent = stale + (price * _spread) + (deviation > 0.0 ? deviation * _deviation : 0.0) + (time > 0.0 ? time * years : 0.0);
        if (!_curve.TryBegin(account, groups))
        {
            _up = _down = Math.Min(cap, (headroom - spent) / Math.Max(price, 1e-9));
            return true;
        }

        _curve.Aim(threshold, worse - spent, hasBetter, left, better - spent);
        _up = _curve.LargestMove(rules, cap, _count == 1 ? 1 : 0, marginRest, equityRest);
        _down = _count == 1 ? _curve.LargestMove(rules, cap, -1, marginRest, equityRest) : _up;
        return true;
    }

    /// <summary>How far an underlying may move.</summary>
    public Allowance At(int index) => new(_entries[index].Underlying, _up, _down, _spread, _deviation);

    private static long NextThreshold(CompiledModel rules, AccountState state)
    {
        long next = long.MaxValue;
        for (int worse = (int)state + 1; worse <= (int)AccountState.Liquidation; worse++)
        {
            next = Math.Min(next, rules.ThresholdE8[worse]);
        }

        return next;
    }

    private double PriceOf(int currency)
    {
        FinePrice price = _market.PriceOfCurrency(currency);
        return Fixed.ToDouble(price.E8, price.Further);
    }

    private void AddCollateral(int underlying, double equity, double margin)
    {
        ref Entry entry = ref EntryOf(underlying);
        entry.Collateral += equity;
        entry.MarginPrice += margin;
    }

    private ref Entry EntryOf(int underlying)
    {
        for (int index = 0; index < _count; index++)
        {
            if (_entries[index].Underlying == underlying)
            {
                return ref _entries[index];
            }
        }

        ref Entry added = ref _entries[_count++];
        added = new Entry { Underlying = underlying, PriceCap = LotModuli.LargestMove, DeviationCap = double.PositiveInfinity };
        return ref added;
    }

    private struct Entry
    {
        public int Underlying;
        public double EquityPrice;
        public double Collateral;
        public double RowPrice;
        public double EquityDeviation;
        public double MarginPrice;
        public double MarginDeviation;
        public double PriceCap;
        public double DeviationCap;
    }
}
