using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The margin of an account from its balances and its units:
/// <code>
/// gross equity  = sum over currencies (balance + value of units) in USD
/// equity        = the same with positive currencies after their haircut
/// requirement   = sum over units, rounded up in USD
/// ratio         = maintenance / equity, rounded up; at the ceiling when equity is gone
/// </code>
/// Integers throughout. Used for live margin, pre-trade checks, liquidation planning and reports alike.
/// </summary>
public sealed class AccountCalculator
{
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly long[] _totals;

    public AccountCalculator(Limits limits, MarketState market, Book book, CompiledModel[] models, UnitCalculator units)
    {
        _market = market;
        _book = book;
        _models = models;
        Units = units;
        _totals = new long[limits.Currencies];
    }

    public UnitCalculator Units { get; }

    /// <summary>Brings the units that changed up to date.</summary>
    public void RefreshUnits(int account, bool all, long nowNanos)
    {
        int model = _book.AccountAt(account).Model;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref RiskUnit refreshed = ref _book.UnitAt(unit);
            if (all || refreshed.IsDirty)
            {
                refreshed.IsDirty = false;
                refreshed.Margin = Units.Calculate(
                    model, refreshed.Underlying, refreshed.Currency, refreshed.FirstPosition, nowNanos, Hypothesis.None);
            }
        }
    }

    /// <summary>The account's margin from its units as they were last calculated.</summary>
    public AccountMargin Total(int account) => Total(account, -1, default, -1, 0);

    /// <summary>The same with one unit's margin replaced (a unit of -1 is added), and <paramref name="cashAtoms"/> more of a currency.</summary>
    public AccountMargin Total(int account, int replacedUnit, in UnitMargin replacement, int cashCurrency, long cashAtoms, int addedUnderlying = -1, int addedCurrency = -1)
    {
        ref readonly Account of = ref _book.AccountAt(account);
        CompiledModel rules = _models[of.Model];
        AccountMargin margin = default;
        margin.WorstRow = -1;
        margin.WorstUnderlying = -1;
        ulong currencies = of.Currencies;
        _book.BalancesOf(account).CopyTo(_totals);
        if (cashCurrency >= 0)
        {
            currencies |= 1UL << cashCurrency;
            _totals[cashCurrency] = Fixed.Add(_totals[cashCurrency], cashAtoms);
        }

        for (int unit = of.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            ref readonly RiskUnit part = ref _book.UnitAt(unit);
            AddUnit(part.Underlying, part.Currency, unit == replacedUnit ? replacement : part.Margin, ref margin);
        }

        if (addedUnderlying >= 0)
        {
            currencies |= 1UL << addedCurrency;
            AddUnit(addedUnderlying, addedCurrency, replacement, ref margin);
        }

        AddEquity(rules, currencies, ref margin);
        margin.RatioE8 = Ratio(margin.Maintenance, margin.Equity);
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

    private void AddUnit(int underlying, int currency, in UnitMargin unit, ref AccountMargin margin)
    {
        _totals[currency] = Fixed.Add(_totals[currency], unit.Value);
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

        if (_market.PriceOfCurrencyE8(currency) == 0)
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
            long money = _market.ToMoney(currency, total, roundUp: false);
            margin.GrossEquity = Fixed.Add(margin.GrossEquity, money);
            long counted = total > 0 ? Fixed.MultiplyFloor(money, Fixed.One - rules.HaircutE8[currency], Fixed.One) : money;
            margin.Equity = Fixed.Add(margin.Equity, counted);
            if (total != 0 && _market.PriceOfCurrencyE8(currency) == 0)
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
