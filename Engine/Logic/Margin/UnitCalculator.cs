using System.Runtime.CompilerServices;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>An order that does not exist yet: what resting lots in one instrument would be added to a unit.</summary>
public readonly record struct Hypothesis(int Instrument, Side Side, long Lots, long Cost)
{
    public static Hypothesis None => new(-1, Side.Buy, 0, 0);
}

/// <summary>
/// The margin of one risk unit, by one model, in atoms of the unit's currency:
/// <code>
/// row k         = sum over positions of round(lots * profit of a lot in row k)
///                 options first by expiry where the model discounts, skews or charges an expiry as a whole (ExpirySums)
/// profit k      = row k * weight, tail rows drawn toward zero by their dampener
/// measure       = worst | value at risk | expected shortfall of the profits, at least 0
/// requirement   = factor * max(max(measure, alternatives) + before, floors) + after
/// </code>
/// once for initial margin (with resting orders) and once for maintenance margin (positions alone). Alternatives, before, floors and after are the
/// model's add-ons (UnitCalculator.AddOns.cs). Scratch space is reused; not thread safe.
/// </summary>
public sealed partial class UnitCalculator
{
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly RiskRows _rows;
    private readonly Measure _measure = new();
    private readonly ExpirySums _expirySums;
    private readonly long[] _sums = new long[Limits.Rows];
    private readonly long[] _orders = new long[Limits.Rows];
    private readonly long[] _profits = new long[Limits.Rows];
    private readonly long[] _profitsWithOrders = new long[Limits.Rows];
    private readonly long[] _netDelta;
    private readonly int[] _expiries;
    /// <summary>Of scratch for a unit that holds every contract there is: a leg, its lots of a row, lots by strike, whether it was seen.</summary>
    internal static int BytesPerInstrument => Unsafe.SizeOf<UnitLeg>() + Unsafe.SizeOf<RowLots>() + (2 * sizeof(long)) + sizeof(int) + sizeof(bool);

    private readonly UnitLeg[] _legs;
    private readonly RowLots[] _rowLots;
    private readonly bool[] _expirySeen;
    private int _legCount;
    private int _rowLotCount;
    private int _expiryCount;
    private Scope _scope;

    // Nano base units: net deltas are integers so that their sum does not depend on the order of positions.
    private const double DeltaScale = 1e9;

    // Sums of so many products below 2^51 cannot reach the ceiling of an amount.
    private const int MostTogether = 1_024;

    public UnitCalculator(Limits limits, MarketState market, Book book, CompiledModel[] models, RiskRows rows)
    {
        _market = market;
        _book = book;
        _models = models;
        _rows = rows;
        _expirySums = new ExpirySums(limits, market);
        _legs = new UnitLeg[limits.Instruments + 1];
        _rowLots = new RowLots[limits.Instruments + 1];
        _expirySeen = new bool[limits.Expiries + 1];
        _netDelta = new long[limits.Expiries + 1];
        _expiries = new int[limits.Expiries + 1];
        _strikeCalls = new long[limits.Instruments];
        _strikePuts = new long[limits.Instruments];
        _strikes = new int[limits.Instruments];
        _strikeSeen = new bool[limits.Instruments];
        _isolatedInitial = new long[limits.Expiries];
        _isolatedMaintenance = new long[limits.Expiries];
    }

    /// <summary>How much is calculated until it is set otherwise.</summary>
    public Detail Detail { get; set; }

    /// <summary>How fast a unit can move is calculated too.</summary>
    public bool WantsBounds(CompiledModel rules) => rules.IsByCrossings && (Detail & Detail.Bounds) != 0;

    private bool IsStateOnly => (Detail & Detail.StateOnly) != 0;

    /// <summary>What the positions of the unit last calculated make in each row, in atoms, before weights and dampener; padded rows are 0.</summary>
    public ReadOnlySpan<long> Sums => _sums;

    /// <summary>The same after weights and dampener.</summary>
    public ReadOnlySpan<long> Profits => _profits;

    /// <summary>The unit last calculated has resting orders that its rows count.</summary>
    public bool HasOrders => _scope.HasOrders;

    /// <summary>With resting orders filled where that hurts.</summary>
    public ReadOnlySpan<long> ProfitsWithOrders => _scope.HasOrders ? _profitsWithOrders : _profits;

    /// <summary>What the add-ons of the unit last calculated came to, by add-on.</summary>
    public ReadOnlySpan<long> AddOnsInitial => _addOnInitial;

    public ReadOnlySpan<long> AddOnsMaintenance => _addOnMaintenance;

    /// <summary>Calculates a unit: the positions from <paramref name="firstPosition"/> on, plus an order that might be placed.</summary>
    public UnitMargin Calculate(int model, int underlying, int currency, int firstPosition, long nowNanos, in Hypothesis order)
    {
        CompiledModel rules = _models[model];
        _scope = new Scope
        {
            Model = model,
            Underlying = underlying,
            Currency = currency,
            FirstPosition = firstPosition,
            Now = nowNanos,
            AtomsPerBase = AtomsPerBase(underlying, currency),
        };
        if (rules.Orders != OrderRule.Filled || IsStateOnly)
        {
            return Evaluate(rules, default, order);
        }

        // With the worse side filled first, so that what is left in the scratch space is of the positions alone.
        UnitMargin bought = Evaluate(rules, Side.Buy, order);
        UnitMargin sold = Evaluate(rules, Side.Sell, order);
        long buyGap = PriceGap(rules, Side.Buy, order);
        long sellGap = PriceGap(rules, Side.Sell, order);
        bought.InitialParts.After = Fixed.Add(bought.InitialParts.After, buyGap);
        sold.InitialParts.After = Fixed.Add(sold.InitialParts.After, sellGap);
        UnitMargin margin = Evaluate(rules, default, order);
        long factor = InitialFactorE16(rules);
        long held = margin.Initial;
        foreach (ref readonly RequirementParts parts in (ReadOnlySpan<RequirementParts>)[bought.InitialParts, sold.InitialParts])
        {
            if (parts.Total(factor) > margin.Initial)
            {
                margin.InitialParts = parts;
                margin.Initial = parts.Total(factor);
            }
        }

        margin.OpenOrders = margin.Initial - held;
        return margin;
    }

    /// <summary>Maintenance requirement of one position as if it were all there is, in atoms of its currency.</summary>
    public long MaintenanceAlone(int model, int position, long nowNanos)
    {
        ref readonly Position alone = ref _book.PositionAt(position);
        ref readonly Instrument contract = ref _market.InstrumentAt(alone.Instrument);
        _scope = new Scope
        {
            Model = model,
            Underlying = contract.Underlying,
            Currency = contract.Currency,
            FirstPosition = position,
            IsAlone = true,
            Now = nowNanos,
            AtomsPerBase = AtomsPerBase(contract.Underlying, contract.Currency),
        };
        return Evaluate(_models[model], default, Hypothesis.None).Maintenance;
    }

    // The requirement of the positions, with one side's resting orders filled where a side is given.
    private UnitMargin Evaluate(CompiledModel rules, Side filled, in Hypothesis order)
    {
        int padded = rules.PaddedRows;
        _sums.AsSpan().Clear();
        _orders.AsSpan(0, padded).Clear();
        _scope.HasOrders = false;
        _scope.Gap = 0;
        _expirySums.Clear(padded);
        ClearAddOns(rules);
        bool isBounded = WantsBounds(rules);
        if (isBounded)
        {
            _moduli = UnitModuli.None;
        }

        UnitMargin margin = default;
        CollectLegs(filled, order);
        AddPositions(rules, padded, ref margin);

        if (rules.Orders is OrderRule.WorstFill or OrderRule.RowGap && !IsStateOnly)
        {
            CountOrders(rules, order, ref margin);
        }

        if (rules.SumsByExpiry)
        {
            _expirySums.AddTo(rules, _sums);
        }

        MeasureRows(rules, ref margin);
        FinishAddOns(rules, ref margin);
        margin.InitialParts.After = Fixed.Add(margin.InitialParts.After, Fixed.Add(margin.LiquidationCost, _scope.Gap));
        margin.MaintenanceParts.After = Fixed.Add(margin.MaintenanceParts.After, margin.LiquidationCost);
        margin.Initial = margin.InitialParts.Total(InitialFactorE16(rules));
        margin.Maintenance = margin.MaintenanceParts.Total(MaintenanceFactorE16(rules));
        if (isBounded)
        {
            FinishModuli(rules, margin);
        }

        return margin;
    }

    private void CollectLegs(Side filled, in Hypothesis order)
    {
        _legCount = 0;
        bool found = order.Instrument < 0 || order.Side != filled;
        for (int index = _scope.FirstPosition; index >= 0; index = NextPosition(index))
        {
            ref readonly Position position = ref _book.PositionAt(index);
            long lots = position.Lots + (filled == Side.Buy ? position.BuyLots : filled == Side.Sell ? -position.SellLots : 0);
            if (!found && position.Instrument == order.Instrument)
            {
                found = true;
                lots += filled == Side.Buy ? order.Lots : -order.Lots;
            }

            _legs[_legCount++] = new UnitLeg(position.Instrument, lots, position.EntryCost);
        }

        if (!found)
        {
            _legs[_legCount++] = new UnitLeg(order.Instrument, filled == Side.Buy ? order.Lots : -order.Lots, 0);
        }
    }

    private int NextPosition(int index) => _scope.IsAlone ? -1 : _book.PositionAt(index).NextOfUnit;

    private void MeasureRows(CompiledModel rules, ref UnitMargin margin)
    {
        int underlying = _scope.Underlying;
        for (int row = 0; row < rules.RowCount; row++)
        {
            _profits[row] = Finish(rules, underlying, _scope.Currency, row, _sums[row]);
        }

        _profits.AsSpan(rules.RowCount, rules.PaddedRows - rules.RowCount).Clear();
        margin.WorstCase = _measure.Of(rules, _profits, out margin.WorstRow);
        margin.MaintenanceParts.Measure = margin.WorstCase;
        margin.InitialParts.Measure = margin.WorstCase;
        margin.PriceRisk = rules.SpreadCount > 0 ? PriceRisk(rules, margin.WorstRow) : 0;
        if (_scope.HasOrders)
        {
            for (int row = 0; row < rules.RowCount; row++)
            {
                _profitsWithOrders[row] = Finish(rules, underlying, _scope.Currency, row, Fixed.Add(_orders[row], _sums[row]));
            }

            margin.InitialParts.Measure = _measure.Of(rules, _profitsWithOrders, out _);
            margin.OpenOrders = Fixed.Add(margin.InitialParts.Measure - margin.WorstCase, _scope.Gap);
        }
    }

    /// <summary>A row's profit after its weight and its dampener, which draws tail rows toward zero by a fixed amount of USD.</summary>
    public long Finish(CompiledModel rules, int underlying, int currency, int row, long profit)
    {
        ref readonly RowTerms terms = ref rules.Rows[row];
        if (terms.Weight != 1.0)
        {
            profit = Fixed.ToAtoms(profit * terms.Weight);
        }

        double usd = terms.IsTail ? rules.Dampener(underlying)[row] : 0.0;
        if (usd == 0.0 || profit == 0)
        {
            return profit;
        }

        long draw = AtomsOfUsd(underlying, currency, usd);
        return profit < 0 ? Math.Min(0, Fixed.Add(profit, draw)) : Math.Max(0, Fixed.Add(profit, -draw));
    }

    // The mean of the worst row and its pair, volatility up and down at one price, less the mean of the rows without a price move.
    private long PriceRisk(CompiledModel rules, int worstRow)
    {
        if (worstRow < 0)
        {
            return 0;
        }

        Int128 still = 0;
        int count = 0;
        for (int row = 0; row < rules.RowCount; row++)
        {
            if (rules.Rows[row].IsMeasured && rules.Rows[row].IsStill)
            {
                still -= _profits[row];
                count++;
            }
        }

        Int128 twice = -(Int128)_profits[worstRow] - _profits[rules.PairOf[worstRow]];
        Int128 risk = count == 0 ? twice / 2 : ((twice * count) - (2 * still)) / (2 * count);
        return Math.Max(0, Fixed.Saturate(risk));
    }

    public static Greeks GreeksOf(in LotRisk risk, double lots) => new()
    {
        Delta = Fixed.ToAtoms(lots * risk.DeltaUsd * 1e6),
        Gamma = Fixed.ToAtoms(lots * risk.GammaUsd * 1e6),
        Vega = Fixed.ToAtoms(lots * risk.VegaUsd * 1e6),
        Theta = Fixed.ToAtoms(lots * risk.ThetaUsd * 1e6),
        Rho = Fixed.ToAtoms(lots * risk.RhoUsd * 1e6),
    };

    /// <summary>Fees, slippage and, for large positions, impact of closing lots: notional * (fee + slippage + impact sqrt(notional / depth)).</summary>
    public long LiquidationCost(CompiledModel rules, in Instrument contract, in LotRisk risk, long lots)
    {
        double size = Math.Abs((double)lots);
        if (rules.LiquidationImpact == 0.0 || rules.LiquidationDepth == 0.0)
        {
            return Fixed.CeilingToAtoms(size * risk.Notional * rules.LiquidationRate);
        }

        double usd = size * risk.Notional * UsdPerAtom(contract.Underlying, contract.Currency);
        double rate = rules.LiquidationRate + (rules.LiquidationImpact * Math.Sqrt(usd / rules.LiquidationDepth));
        return Fixed.CeilingToAtoms(size * risk.Notional * Math.Min(rate, 1.0));
    }

    private void AddNetDelta(int expiry, long delta)
    {
        if (_expirySeen[expiry])
        {
            _netDelta[expiry] = Fixed.Add(_netDelta[expiry], delta);
            return;
        }

        _expirySeen[expiry] = true;
        _expiries[_expiryCount++] = expiry;
        _netDelta[expiry] = delta;
    }

    /// <summary>Lots of one contract that are being calculated: those held, or with orders filled.</summary>
    private readonly record struct UnitLeg(int Instrument, long Lots, long EntryCost);

    /// <summary>What is being calculated.</summary>
    private struct Scope
    {
        public int Model;
        public int Underlying;
        public int Currency;
        public int FirstPosition;

        /// <summary>The first position is the only one.</summary>
        public bool IsAlone;
        public long Now;
        public double AtomsPerBase;
        public bool HasOrders;

        /// <summary>Adverse gap between the prices of orders and marks, atoms.</summary>
        public long Gap;
    }
}
