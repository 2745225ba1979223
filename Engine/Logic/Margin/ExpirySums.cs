using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The options of one unit summed up by expiry, for models that do something to an expiry as a whole: discount its value by policy, take its size in a skew
/// row, or charge its basis. Scratch space of <see cref="UnitCalculator"/>; integers, so the order of positions does not show.
/// </summary>
public sealed class ExpirySums
{
    private readonly MarketState _market;
    private readonly int[] _slotOf;
    private readonly int[] _expiries;
    private readonly long[] _rows;
    private readonly long[] _values;
    private readonly int[] _currencies;
    private int _rowLength;

    public ExpirySums(Limits limits, MarketState market)
    {
        _market = market;
        _slotOf = new int[limits.Expiries];
        _expiries = new int[limits.Expiries];
        _values = new long[limits.Expiries];
        _currencies = new int[limits.Expiries];
        _rows = new long[limits.Expiries * Limits.Rows];
    }

    public int Count { get; private set; }

    public void Clear(int rowLength)
    {
        for (int slot = 0; slot < Count; slot++)
        {
            _slotOf[_expiries[slot]] = 0;
        }

        Count = 0;
        _rowLength = rowLength;
    }

    public int ExpiryAt(int slot) => _expiries[slot];

    /// <summary>Change of value by row, in atoms.</summary>
    public Span<long> Rows(int slot) => _rows.AsSpan(slot * Limits.Rows, _rowLength);

    /// <summary>Value now, in atoms.</summary>
    public ref long Value(int slot) => ref _values[slot];

    public int SlotOf(in Instrument contract)
    {
        ref int slot = ref _slotOf[contract.Expiry];
        if (slot == 0)
        {
            slot = Count + 1;
            _expiries[Count] = contract.Expiry;
            _values[Count] = 0;
            _currencies[Count] = contract.Currency;
            Rows(Count).Clear();
            Count++;
        }

        return slot - 1;
    }

    /// <summary>
    /// Adds to every row what the expiries make in it: change of value, with the value after the shock discounted by policy; in skew rows minus its size.
    /// </summary>
    public void AddTo(CompiledModel rules, Span<long> sums)
    {
        for (int slot = 0; slot < Count; slot++)
        {
            ReadOnlySpan<long> changes = Rows(slot);
            long value = _values[slot];
            (double longFactor, double shortFactor) = Factors(rules, slot);
            for (int row = 0; row < rules.RowCount; row++)
            {
                if (!rules.Rows[row].IsMeasured)
                {
                    continue;
                }

                long change = changes[row];
                long after = Fixed.Add(value, change);
                double factor = after >= 0 ? longFactor : shortFactor;
                if (factor != 1.0)
                {
                    change = Fixed.Add(Fixed.ToAtoms(after * factor), -value);
                }

                bool isSkew = rules.VolatilityShocks[row] is VolatilityShock.LinearSkew or VolatilityShock.AbsoluteSkew;
                sums[row] = Fixed.Add(sums[row], isSkew ? -Math.Abs(change) : change);
            }
        }
    }

    /// <summary>
    /// Basis of every expiry: min(up, down, 0) of the basis rows times (add + multiple * T), as a loss. Values without the policy discount.
    /// </summary>
    public long Reprice(CompiledModel rules, double add, double multiple)
    {
        long charge = 0;
        for (int slot = 0; slot < Count; slot++)
        {
            long worst = 0;
            ReadOnlySpan<long> changes = Rows(slot);
            for (int row = 0; row < rules.RowCount; row++)
            {
                if (rules.Rows[row].Role is RowRole.BasisUp or RowRole.BasisDown)
                {
                    worst = Math.Min(worst, changes[row]);
                }
            }

            charge = Fixed.Add(charge, Fixed.CeilingToAtoms(-(double)worst * (add + (multiple * _market.YearsTo(_expiries[slot])))));
        }

        return charge;
    }

    // Long: static e^(-T (r m + a)). Short: the smaller of e^(rT) and static e^(T (r m + a)). The rate is floored at 0.
    private (double Long, double Short) Factors(CompiledModel rules, int slot)
    {
        ref readonly PolicyDiscount policy = ref rules.DiscountRef;
        ref readonly Expiry expiry = ref _market.ExpiryAt(_expiries[slot]);
        double years = _market.YearsTo(_expiries[slot]);
        double rate = Math.Max(Fixed.ToDouble(expiry.HasRate ? expiry.RateE8 : _market.CurrencyAt(_currencies[slot]).RateE8), 0.0);
        double longFactor = policy.LongStatic > 0.0
            ? policy.LongStatic * Functions.Exp(-(years * ((rate * policy.LongRateMultiple) + policy.LongRateAdd)))
            : 1.0;
        double shortFactor = policy.ShortStatic > 0.0
            ? Math.Min(Functions.Exp(rate * years), policy.ShortStatic * Functions.Exp(years * ((rate * policy.ShortRateMultiple) + policy.ShortRateAdd)))
            : 1.0;
        return (longFactor, shortFactor);
    }
}
