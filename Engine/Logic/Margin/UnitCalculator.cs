using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>An order that does not exist yet: what resting lots in one instrument would be added to a unit.</summary>
public readonly record struct Hypothesis(int Instrument, Side Side, long Lots, long Cost)
{
    public static Hypothesis None => new(-1, Side.Buy, 0, 0);
}

/// <summary>
/// The margin of one risk unit, by one model:
/// <code>
/// row k         = sum over positions of round(lots * profit of a lot in row k)          atoms of the unit's currency
/// worst case    = -min over rows (extended rows drawn toward zero by their dampener), at least 0
/// roll shock    = sum over expiries |net delta| * max(minimum move, e^(move risk * T) - 1)
/// delta shock   = min(max(|D| S - threshold, 0) |D| increment, maximum |D| S)           in USD, D base units, S index
/// risk matrix   = worst case + roll shock + delta shock
/// cost          = sum |lots| * notional * (fee + slippage)
/// open orders   = worst case with every resting order filled where that hurts - worst case + adverse price gaps
/// initial       = risk matrix + cost + open orders;   maintenance = factor * risk matrix + cost
/// </code>
/// Deribit's published portfolio margin has this shape (margin model `portfolio`). Scratch space is reused; not thread safe.
/// </summary>
public sealed class UnitCalculator
{
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly RiskRows _rows;
    private readonly long[] _sums = new long[Limits.Rows];
    private readonly long[] _withOrders = new long[Limits.Rows];
    private readonly long[] _netDelta;
    private readonly int[] _expiries;
    private int _expiryCount;

    // Nano base units: net deltas are integers so that their sum does not depend on the order of positions.
    private const double DeltaScale = 1e9;

    public UnitCalculator(Limits limits, MarketState market, Book book, CompiledModel[] models, RiskRows rows)
    {
        _market = market;
        _book = book;
        _models = models;
        _rows = rows;
        _netDelta = new long[limits.Expiries + 1];
        _expiries = new int[limits.Expiries + 1];
    }

    /// <summary>Profit of the unit last calculated in each row, in atoms, before dampening; padded rows are 0.</summary>
    public ReadOnlySpan<long> Sums => _sums;

    /// <summary>
    /// Calculates a unit: the positions from <paramref name="firstPosition"/> on, plus an order that might be placed.
    /// </summary>
    public UnitMargin Calculate(int model, int underlying, int currency, int firstPosition, long nowNanos, in Hypothesis order)
    {
        CompiledModel rules = _models[model];
        Span<long> sums = _sums.AsSpan(0, rules.PaddedRows);
        Span<long> withOrders = _withOrders.AsSpan(0, rules.PaddedRows);
        _sums.AsSpan().Clear();
        withOrders.Clear();
        UnitMargin margin = default;
        long gap = 0;
        bool hasOrders = false;
        bool hypothesisFound = false;
        for (int index = firstPosition; index >= 0; index = _book.PositionAt(index).NextOfUnit)
        {
            ref readonly Position position = ref _book.PositionAt(index);
            AddPosition(rules, model, position, sums, nowNanos, ref margin);
            long buy = position.BuyLots;
            long sell = position.SellLots;
            long buyCost = position.BuyCost;
            long sellCost = position.SellCost;
            if (position.Instrument == order.Instrument)
            {
                hypothesisFound = true;
                AddHypothesis(order, ref buy, ref sell, ref buyCost, ref sellCost);
            }

            if ((buy | sell) != 0)
            {
                hasOrders = true;
                gap = Fixed.Add(gap, AddOrders(model, position.Instrument, buy, sell, buyCost, sellCost, withOrders, ref margin));
            }
        }

        if (order.Instrument >= 0 && !hypothesisFound)
        {
            long buy = 0, sell = 0, buyCost = 0, sellCost = 0;
            AddHypothesis(order, ref buy, ref sell, ref buyCost, ref sellCost);
            hasOrders = true;
            gap = Fixed.Add(gap, AddOrders(model, order.Instrument, buy, sell, buyCost, sellCost, withOrders, ref margin));
        }

        margin.WorstCase = Worst(rules, underlying, currency, sums, out margin.WorstRow);
        margin.RollShock = RollShock(rules, underlying, currency, out long netDelta, ref margin);
        margin.DeltaShock = DeltaShock(rules, underlying, currency, netDelta);
        margin.RiskMatrix = Fixed.Add(Fixed.Add(margin.WorstCase, margin.RollShock), margin.DeltaShock);
        if (hasOrders)
        {
            for (int row = 0; row < sums.Length; row++)
            {
                withOrders[row] = Fixed.Add(withOrders[row], sums[row]);
            }

            margin.OpenOrders = Fixed.Add(Worst(rules, underlying, currency, withOrders, out _) - margin.WorstCase, gap);
        }

        margin.Initial = Fixed.Add(Fixed.Add(margin.RiskMatrix, margin.LiquidationCost), margin.OpenOrders);
        margin.Maintenance = Fixed.Add(
            Fixed.MultiplyCeiling(margin.RiskMatrix, rules.MaintenanceFactorE8, Fixed.One), margin.LiquidationCost);
        return margin;
    }

    private static void AddHypothesis(in Hypothesis order, ref long buy, ref long sell, ref long buyCost, ref long sellCost)
    {
        if (order.Side == Side.Buy)
        {
            buy += order.Lots;
            buyCost = Fixed.Add(buyCost, order.Cost);
        }
        else
        {
            sell += order.Lots;
            sellCost = Fixed.Add(sellCost, order.Cost);
        }
    }

    private void AddPosition(
        CompiledModel rules, int model, in Position position, Span<long> sums, long nowNanos, ref UnitMargin margin)
    {
        if (position.Lots == 0)
        {
            return;
        }

        ref readonly LotRisk risk = ref _rows.Price(model, position.Instrument);
        ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
        double lots = position.Lots;
        double size = Math.Abs(lots);
        margin.LiquidationCost = Fixed.Add(margin.LiquidationCost, Fixed.CeilingToAtoms(size * risk.Notional * rules.LiquidationRate));
        if (risk.IsUnpriced)
        {
            margin.Flags |= MarginFlags.Unpriced;
            long loss = Fixed.CeilingToAtoms(size * risk.Notional);
            foreach (ref long sum in sums)
            {
                sum = Fixed.Add(sum, -loss);
            }

            return;
        }

        if (!RowSums.Add(_rows.Row(model, position.Instrument), lots, risk.LargestRow, sums))
        {
            margin.Flags |= MarginFlags.Saturated;
        }

        long value = Fixed.ToAtoms(lots * risk.Value);
        margin.Value = Fixed.Add(margin.Value, contract.IsOption ? value : Fixed.Add(value, -position.EntryCost));
        margin.Greeks.Add(new Greeks
        {
            Delta = Fixed.ToAtoms(lots * risk.DeltaUsd * 1e6),
            Gamma = Fixed.ToAtoms(lots * risk.GammaUsd * 1e6),
            Vega = Fixed.ToAtoms(lots * risk.VegaUsd * 1e6),
            Theta = Fixed.ToAtoms(lots * risk.ThetaUsd * 1e6),
            Rho = Fixed.ToAtoms(lots * risk.RhoUsd * 1e6),
        });
        AddNetDelta(contract.Expiry < 0 ? _netDelta.Length - 1 : contract.Expiry, Fixed.ToAtoms(lots * risk.DeltaBase * DeltaScale));
        margin.Flags |= Staleness(rules, contract, nowNanos);
    }

    // Returns the adverse price gap of the orders and adds, row by row, what filling them would do where it does harm.
    private long AddOrders(
        int model, int instrument, long buy, long sell, long buyCost, long sellCost, Span<long> withOrders, ref UnitMargin margin)
    {
        ref readonly LotRisk risk = ref _rows.Price(model, instrument);
        if (risk.IsUnpriced)
        {
            margin.Flags |= MarginFlags.Unpriced;
            return Fixed.CeilingToAtoms(((double)buy + sell) * risk.Notional);
        }

        ReadOnlySpan<double> row = _rows.Row(model, instrument);
        for (int index = 0; index < withOrders.Length; index++)
        {
            long bought = RowSums.Product(buy, row[index]);
            long sold = RowSums.Product(-sell, row[index]);
            withOrders[index] = Fixed.Add(withOrders[index], Math.Min(0, Math.Min(bought, sold)));
        }

        long buyGap = Math.Max(0, Fixed.Add(buyCost, -Fixed.ToAtoms(buy * risk.Value)));
        long sellGap = Math.Max(0, Fixed.Add(Fixed.ToAtoms(sell * risk.Value), -sellCost));
        return Fixed.Add(buyGap, sellGap);
    }

    private long Worst(CompiledModel rules, int underlying, int currency, ReadOnlySpan<long> sums, out int worstRow)
    {
        long worst = 0;
        worstRow = -1;
        ReadOnlySpan<bool> extended = rules.Extended;
        for (int row = 0; row < rules.RowCount; row++)
        {
            long profit = extended[row] ? Dampened(rules, underlying, currency, row, sums[row]) : sums[row];
            if (profit < worst)
            {
                worst = profit;
                worstRow = row;
            }
        }

        return -worst;
    }

    /// <summary>A row's profit after its dampener, which draws tail rows toward zero by a fixed amount of USD.</summary>
    public long Dampened(CompiledModel rules, int underlying, int currency, int row, long profit)
    {
        double usd = rules.Dampener(underlying)[row];
        if (usd == 0.0 || profit == 0)
        {
            return profit;
        }

        long draw = AtomsOfUsd(underlying, currency, usd);
        return profit < 0 ? Math.Min(0, Fixed.Add(profit, draw)) : Math.Max(0, Fixed.Add(profit, -draw));
    }

    private long AtomsOfUsd(int underlying, int currency, double usd)
    {
        ref readonly Currency unit = ref _market.CurrencyAt(currency);
        double price = unit.Underlying < 0 || unit.IsMoney ? 1.0 : Fixed.ToDouble(_market.UnderlyingAt(underlying).IndexE8);
        return price <= 0.0 ? 0 : Fixed.ToAtoms(Math.Floor(usd / price * Fixed.Power10(unit.Decimals)));
    }

    private long RollShock(CompiledModel rules, int underlying, int currency, out long netDelta, ref UnitMargin margin)
    {
        ref readonly UnderlyingParameters parameters = ref rules.Underlyings[underlying];
        double atomsPerBase = AtomsPerBase(underlying, currency);
        if (atomsPerBase <= 0.0 && _expiryCount > 0)
        {
            margin.Flags |= MarginFlags.Unpriced;
        }

        long shock = 0;
        netDelta = 0;
        for (int index = 0; index < _expiryCount; index++)
        {
            int expiry = _expiries[index];
            long net = _netDelta[expiry];
            _netDelta[expiry] = 0;
            netDelta = Fixed.Add(netDelta, net);
            double years = expiry == _netDelta.Length - 1 ? 0.0 : _market.YearsTo(expiry);
            double move = Math.Max(parameters.MinimumAnnualisedMove, Functions.Exp(parameters.AnnualisedMoveRisk * years) - 1.0);
            shock = Fixed.Add(shock, Fixed.CeilingToAtoms(Math.Abs((double)net) / DeltaScale * move * atomsPerBase));
        }

        _expiryCount = 0;
        return shock;
    }

    private long DeltaShock(CompiledModel rules, int underlying, int currency, long netDelta)
    {
        ref readonly UnderlyingParameters parameters = ref rules.Underlyings[underlying];
        double index = Fixed.ToDouble(_market.UnderlyingAt(underlying).IndexE8);
        double size = Math.Abs((double)netDelta) / DeltaScale;
        double excess = (size * index) - parameters.DeltaThresholdUsd;
        if (excess <= 0.0 || index <= 0.0)
        {
            return 0;
        }

        double usd = Math.Min(excess * size * parameters.DeltaIncrement, parameters.MaximumDeltaShock * index * size);
        return Fixed.CeilingToAtoms(usd / index * AtomsPerBase(underlying, currency));
    }

    /// <summary>Atoms of the unit's currency that one base unit of the underlying is worth: the coin itself, or its price.</summary>
    private double AtomsPerBase(int underlying, int currency)
    {
        ref readonly Currency unit = ref _market.CurrencyAt(currency);
        ref readonly Underlying priced = ref _market.UnderlyingAt(underlying);
        double scale = Fixed.Power10(unit.Decimals);
        return priced.Currency == currency && !unit.IsMoney ? scale : Fixed.ToDouble(priced.IndexE8) * scale;
    }

    private void AddNetDelta(int expiry, long delta)
    {
        for (int index = 0; index < _expiryCount; index++)
        {
            if (_expiries[index] == expiry)
            {
                _netDelta[expiry] = Fixed.Add(_netDelta[expiry], delta);
                return;
            }
        }

        _expiries[_expiryCount++] = expiry;
        _netDelta[expiry] = delta;
    }

    /// <summary>Which prices of a contract are older than the model allows.</summary>
    public MarginFlags Staleness(CompiledModel rules, in Instrument contract, long nowNanos)
    {
        MarginFlags flags = default;
        long priceTime = contract.IsOption ? _market.ExpiryAt(contract.Expiry).ForwardTime : contract.MarkTime;
        if (rules.StalePriceNanos > 0 && nowNanos - priceTime > rules.StalePriceNanos)
        {
            flags |= MarginFlags.StalePrice;
        }

        if (contract.IsOption && rules.StaleVolatilityNanos > 0)
        {
            long volatilityTime = contract.VolatilityE8 != 0 ? contract.VolatilityTime : _market.SurfaceTimeOf(contract.Expiry);
            if (nowNanos - volatilityTime > rules.StaleVolatilityNanos)
            {
                flags |= MarginFlags.StaleVolatility;
            }
        }

        return flags;
    }
}
