using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>An account other than it is: one unit's margin replaced, an order that might be placed, more of a currency. Nothing by default.</summary>
public readonly ref struct WhatIf
{
    public WhatIf()
    {
    }

    /// <summary>Unit whose margin is <see cref="Replacement"/>; -1: none.</summary>
    public int Unit { get; init; } = -1;

    public UnitMargin Replacement { get; init; }

    /// <summary>Underlying and currency of a unit that is added with <see cref="Replacement"/>; -1: none.</summary>
    public int AddedUnderlying { get; init; } = -1;

    public int AddedCurrency { get; init; } = -1;

    public Hypothesis Order { get; init; } = Hypothesis.None;

    public int CashCurrency { get; init; } = -1;

    public long CashAtoms { get; init; }
}

/// <summary>
/// The margin of an account from its balances and its units:
/// <code>
/// gross equity  = sum over currencies (balance + value of units) in USD
/// equity        = the same with positive currencies after their haircut
/// requirement   = sum over units, rounded up in USD; where the model nets rows across units, the sum over groups of underlyings
/// ratio         = maintenance / equity, rounded up; at the ceiling when equity is gone
/// </code>
/// Integers throughout. Used for live margin, pre-trade checks, liquidation planning and reports alike.
/// </summary>
public sealed class AccountCalculator
{
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly CollateralValue _collateral;
    private readonly GroupCalculator _groups;
    private readonly SpreadCredits _credits;
    private readonly long[] _totals;

    public AccountCalculator(Limits limits, MarketState market, Book book, CompiledModel[] models, UnitCalculator units, RiskRows rows)
    {
        _market = market;
        _book = book;
        _models = models;
        Units = units;
        _collateral = new CollateralValue(market);
        Bounds = new AccountBounds(limits, market, new HeadroomCurve(market, book, models, rows));
        _groups = new GroupCalculator(limits, market, book, units, _collateral, Bounds);
        _credits = new SpreadCredits(limits, market);
        _totals = new long[limits.Currencies];
    }

    public UnitCalculator Units { get; }

    /// <summary>How fast the account last refreshed and totalled can move, where its model is evaluated by crossings: begun by the caller.</summary>
    public AccountBounds Bounds { get; }

    public CollateralValue Collateral => _collateral;

    /// <summary>How much is calculated until it is set otherwise.</summary>
    public Detail Detail
    {
        get => Units.Detail;
        set => Units.Detail = value;
    }

    /// <summary>Groups of the account last totalled, where its model nets rows across units.</summary>
    public GroupCalculator Groups => _groups;

    /// <summary>
    /// Brings the units that changed up to date. Where rows net across units they are all calculated by <see cref="Total(int, long)"/>, which has to follow, and not
    /// twice; with <paramref name="all"/> they are calculated here in any case.
    /// </summary>
    public void RefreshUnits(int account, bool all, long nowNanos)
    {
        int model = _book.AccountAt(account).Model;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref RiskUnit refreshed = ref _book.UnitAt(unit);
            if (!all && _models[model].NetsAcross)
            {
                refreshed.IsDirty = false;
            }
            else if (all || refreshed.IsDirty)
            {
                refreshed.IsDirty = false;
                refreshed.Margin = Units.Calculate(
                    model, refreshed.Underlying, refreshed.Currency, refreshed.FirstPosition, nowNanos, Hypothesis.None);
                if (Units.WantsBounds(_models[model]))
                {
                    Bounds.Add(refreshed.Underlying, refreshed.Currency, Units.Moduli);
                }
            }
        }
    }

    /// <summary>The account's margin from its units as they were last calculated.</summary>
    public AccountMargin Total(int account, long nowNanos) => Total(account, _book.AccountAt(account).Model, nowNanos, new WhatIf());

    /// <summary>The same were something other than it is.</summary>
    public AccountMargin Total(int account, long nowNanos, in WhatIf change) => Total(account, _book.AccountAt(account).Model, nowNanos, change);

    /// <summary>The account's margin under another model than its own; its units are calculated anew and forgotten.</summary>
    public AccountMargin TotalUnder(int account, int model, long nowNanos)
    {
        RefreshUnder(account, model, nowNanos);
        AccountMargin margin = Total(account, model, nowNanos, new WhatIf());
        RefreshUnder(account, _book.AccountAt(account).Model, nowNanos);
        return margin;
    }

    /// <summary>maintenance / equity with exponent -8, rounded up.</summary>
    public static long Ratio(long maintenance, long equity)
    {
        if (equity > 0)
        {
            return Math.Min(Fixed.MultiplyCeiling(maintenance, Fixed.One, equity), Limits.RatioCeiling);
        }

        return maintenance == 0 && equity == 0 ? 0 : Limits.RatioCeiling;
    }

    private void RefreshUnder(int account, int model, long nowNanos)
    {
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref RiskUnit part = ref _book.UnitAt(unit);
            part.Margin = Units.Calculate(model, part.Underlying, part.Currency, part.FirstPosition, nowNanos, Hypothesis.None);
        }
    }

    private AccountMargin Total(int account, int model, long nowNanos, in WhatIf change)
    {
        ref readonly Account of = ref _book.AccountAt(account);
        CompiledModel rules = _models[model];
        AccountMargin margin = default;
        margin.WorstRow = -1;
        margin.WorstUnderlying = -1;
        ulong currencies = of.Currencies;
        _book.BalancesOf(account).CopyTo(_totals);
        if (change.CashCurrency >= 0)
        {
            currencies |= 1UL << change.CashCurrency;
            _totals[change.CashCurrency] = Fixed.Add(_totals[change.CashCurrency], change.CashAtoms);
        }

        if (rules.NetsAcross)
        {
            currencies |= _groups.Calculate(rules, model, of.FirstUnit, _totals, currencies, nowNanos, change, ref margin);
        }
        else
        {
            currencies |= AddUnits(rules, of.FirstUnit, change, ref margin);
        }

        AddEquity(rules, currencies, ref margin);
        margin.RatioE8 = Ratio(margin.Maintenance, margin.Equity);
        return margin;
    }

    private ulong AddUnits(CompiledModel rules, int firstUnit, in WhatIf change, ref AccountMargin margin)
    {
        ulong currencies = 0;
        _credits.Clear();
        for (int unit = firstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref readonly RiskUnit part = ref _book.UnitAt(unit);
            UnitMargin unitMargin = unit == change.Unit ? change.Replacement : part.Margin;
            AddUnit(rules, part.Underlying, part.Currency, unitMargin, ref margin);
        }

        if (change.AddedUnderlying >= 0)
        {
            currencies |= 1UL << change.AddedCurrency;
            AddUnit(rules, change.AddedUnderlying, change.AddedCurrency, change.Replacement, ref margin);
        }

        if (rules.SpreadCount > 0)
        {
            _credits.Apply(rules, Units, ref margin);
        }

        return currencies;
    }

    private void AddUnit(CompiledModel rules, int underlying, int currency, in UnitMargin unit, ref AccountMargin margin)
    {
        _totals[currency] = Fixed.Add(_totals[currency], unit.Value);
        if (rules.SpreadCount > 0)
        {
            _credits.Add(underlying, currency, unit);
        }

        margin.Initial = Fixed.Add(margin.Initial, _market.ToMoney(currency, unit.Initial, roundUp: true));
        margin.Maintenance = Fixed.Add(margin.Maintenance, _market.ToMoney(currency, unit.Maintenance, roundUp: true));
        margin.Flags |= unit.Flags;
        margin.Greeks.Add(unit.Greeks);
        long loss = _market.ToMoney(currency, unit.WorstCase, roundUp: true);

        // Ties go to the lower underlying so that the order of units does not show.
        if (unit.WorstRow >= 0 && (loss > margin.WorstLoss || (loss == margin.WorstLoss && underlying < margin.WorstUnderlying)))
        {
            margin.WorstLoss = loss;
            margin.WorstRow = unit.WorstRow;
            margin.WorstUnderlying = underlying;
        }

        if (!_market.IsPriced(currency))
        {
            margin.Flags |= MarginFlags.Unpriced;
        }
    }

    private void AddEquity(CompiledModel rules, ulong currencies, ref AccountMargin margin)
    {
        while (currencies != 0)
        {
            int currency = System.Numerics.BitOperations.TrailingZeroCount(currencies);
            currencies &= currencies - 1;
            long total = _totals[currency];
            long money = _collateral.Money(rules, currency, total);
            if (Units.WantsBounds(rules))
            {
                Bounds.AddBalance(rules, currency, total, money);
            }

            margin.GrossEquity = Fixed.Add(margin.GrossEquity, money);
            margin.Equity = Fixed.Add(margin.Equity, total > 0 ? _collateral.Counted(rules, currency, total, money) : money);
            if (total > 0 && !rules.NetsAcross)
            {
                margin.Initial = Fixed.Add(margin.Initial, CollateralValue.Charge(money, rules.Collaterals[currency].InitialHaircutE8));
                margin.Initial = Fixed.Add(margin.Initial, CollateralValue.Charge(money, rules.Collaterals[currency].MaintenanceHaircutE8));
                margin.Maintenance = Fixed.Add(margin.Maintenance, CollateralValue.Charge(money, rules.Collaterals[currency].MaintenanceHaircutE8));

                // Each unit stands alone here, so a balance is doubted with its own index only.
                margin.Initial = Fixed.Add(margin.Initial, _collateral.Doubt(rules, currency, money, 1.0));
            }

            if (total != 0 && !_market.IsPriced(currency))
            {
                margin.Flags |= MarginFlags.Unpriced;
            }

            if (Math.Abs(total) >= Fixed.Ceiling)
            {
                margin.Flags |= MarginFlags.Saturated;
            }
        }
    }
}
