using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The parameters of one version of a margin model as plain integers, preallocated: what messages fill and <see cref="ModelCompiler"/> reads.
/// Underlyings and currencies are indices of <see cref="MarketState"/>. Everything is at its default after <see cref="Clear"/>.
/// </summary>
public sealed partial class ModelParameters
{
    private const int Keys = 64;
    private const int AddOnKeys = (int)AddOnKey.FirstSlot + AddOnTable.Slots;

    private readonly int _underlyingLimit;
    private readonly long[] _model = new long[Keys];
    private readonly long[] _rows = new long[Limits.Rows * 16];
    private readonly long[] _joint;
    private readonly long[] _underlyings;
    private readonly bool[] _isUnderlyingNamed;
    private readonly long[] _currencies;
    private readonly bool[] _isCurrencyNamed;
    private readonly long[] _haircutTiers;
    private readonly int[] _haircutTierCount;
    private readonly long[] _addOns;
    private readonly long[] _tiers;
    private readonly int[] _tierCount;
    private readonly long[] _spreadLegs;
    private readonly long[] _spreadRates = new long[Limits.Spreads];

    public ModelParameters(Limits limits)
    {
        _underlyingLimit = limits.Underlyings;
        _joint = new long[Limits.Rows * limits.Underlyings * 2];
        _underlyings = new long[limits.Underlyings * 16];
        _isUnderlyingNamed = new bool[limits.Underlyings];
        _currencies = new long[limits.Currencies * 16];
        _isCurrencyNamed = new bool[limits.Currencies];
        _haircutTiers = new long[limits.Currencies * Limits.HaircutTiers * 2];
        _haircutTierCount = new int[limits.Currencies];
        _addOns = new long[Limits.AddOns * limits.Underlyings * AddOnKeys];
        _tiers = new long[Limits.AddOns * limits.Underlyings * Limits.Tiers * 3];
        _tierCount = new int[Limits.AddOns * limits.Underlyings];
        _spreadLegs = new long[Limits.Spreads * limits.Underlyings];
        Clear();
    }

    public int RowCount { get; private set; }

    public int AddOnCount { get; private set; }

    public int SpreadCount { get; private set; }

    /// <summary>Rows have moves of their own for each underlying.</summary>
    public bool HasJointRows { get; private set; }

    public long this[ModelKey key]
    {
        get => _model[(int)key];
        set => _model[(int)key] = value;
    }

    public ref long Row(int row, RowKey key) => ref _rows[(row * 16) + (int)key];

    public ref long Joint(int row, int underlying, JointKey key) => ref _joint[(((row * _underlyingLimit) + underlying) * 2) + (int)key - 1];

    public ref long Underlying(int underlying, UnderlyingKey key) => ref _underlyings[(underlying * 16) + (int)key];

    public bool IsUnderlyingNamed(int underlying) => _isUnderlyingNamed[underlying];

    public void NameUnderlying(int underlying) => _isUnderlyingNamed[underlying] = true;

    public ref long Currency(int currency, CurrencyKey key) => ref _currencies[(currency * 16) + (int)key];

    public bool IsCurrencyNamed(int currency) => _isCurrencyNamed[currency];

    public void NameCurrency(int currency) => _isCurrencyNamed[currency] = true;

    public int HaircutTierCount(int currency) => _haircutTierCount[currency];

    public ref long HaircutTier(int currency, int tier, HaircutTierKey key) =>
        ref _haircutTiers[(((currency * Limits.HaircutTiers) + tier) * 2) + (int)key - 1];

    public ref long AddOn(int addOn, int underlying, int key) => ref _addOns[(((addOn * _underlyingLimit) + underlying) * AddOnKeys) + key];

    public int TierCount(int addOn, int underlying) => _tierCount[(addOn * _underlyingLimit) + underlying];

    public ref long Tier(int addOn, int underlying, int tier, TierKey key) =>
        ref _tiers[(((((addOn * _underlyingLimit) + underlying) * Limits.Tiers) + tier) * 3) + (int)key - 1];

    public long SpreadLeg(int spread, int underlying) => _spreadLegs[(spread * _underlyingLimit) + underlying];

    public long SpreadRate(int spread) => _spreadRates[spread];

    public AddOnKind KindOf(int addOn) => (AddOnKind)AddOn(addOn, 0, (int)AddOnKey.Kind);

    public void Clear()
    {
        RowCount = 0;
        AddOnCount = 0;
        SpreadCount = 0;
        HasJointRows = false;
        Array.Clear(_joint);
        Array.Clear(_addOns);
        Array.Clear(_tiers);
        Array.Clear(_tierCount);
        Array.Clear(_haircutTiers);
        Array.Clear(_haircutTierCount);
        Array.Clear(_spreadLegs);
        Array.Clear(_spreadRates);
        Array.Clear(_isUnderlyingNamed);
        Array.Clear(_isCurrencyNamed);

        // By index: an enumerator would be allocated, and this stands in a message's path.
        for (int rule = 0; rule < ParameterTable.All.Count; rule++)
        {
            Default(ParameterTable.All[rule]);
        }
    }

    public void CopyFrom(ModelParameters other)
    {
        RowCount = other.RowCount;
        AddOnCount = other.AddOnCount;
        SpreadCount = other.SpreadCount;
        HasJointRows = other.HasJointRows;
        other._model.CopyTo(_model, 0);
        other._rows.CopyTo(_rows, 0);
        other._joint.CopyTo(_joint, 0);
        other._underlyings.CopyTo(_underlyings, 0);
        other._isUnderlyingNamed.CopyTo(_isUnderlyingNamed, 0);
        other._currencies.CopyTo(_currencies, 0);
        other._isCurrencyNamed.CopyTo(_isCurrencyNamed, 0);
        other._haircutTiers.CopyTo(_haircutTiers, 0);
        other._haircutTierCount.CopyTo(_haircutTierCount, 0);
        other._addOns.CopyTo(_addOns, 0);
        other._tiers.CopyTo(_tiers, 0);
        other._tierCount.CopyTo(_tierCount, 0);
        other._spreadLegs.CopyTo(_spreadLegs, 0);
        other._spreadRates.CopyTo(_spreadRates, 0);
    }

    /// <summary>Adds an add-on of a kind with its numbers at their defaults, for every underlying; its index, -1: no room.</summary>
    public int AddAddOn(AddOnKind kind, AddOnPlace place)
    {
        if (AddOnCount == Limits.AddOns)
        {
            return -1;
        }

        DefineAddOn(AddOnCount, kind);
        for (int underlying = 0; underlying < _underlyingLimit; underlying++)
        {
            AddOn(AddOnCount, underlying, (int)AddOnKey.Place) = (long)place;
        }

        return AddOnCount++;
    }

    /// <summary>Takes one more row, at its defaults; its index, -1: no room.</summary>
    public int AddRow()
    {
        if (RowCount == Limits.NamedRows)
        {
            return -1;
        }

        return RowCount++;
    }

    /// <summary>Sets one parameter from a message. Ids are those of the wire.</summary>
    /// <returns>0: done.</returns>
    public RejectCode Set(in ParameterPlace place, long value, MarketState market)
    {
        RejectCode code = Resolve(place, market, out int underlying, out int currency);
        if (code != 0)
        {
            return code;
        }

        switch (place.Section)
        {
            case ModelSection.AddOn:
                return SetAddOn(place, underlying, value);
            case ModelSection.AddOnTier:
                return SetTier(place, underlying, value);
            case ModelSection.SpreadLeg:
                return SetSpread(place, underlying, value);
        }

        ParameterRule? rule = ParameterTable.Find(place.Section, place.Key);
        if (rule is null || value < rule.Minimum || value > rule.Maximum)
        {
            return RejectCode.OutOfRange;
        }

        if (rule.IsUnderlying && value != 0 && !market.TryUnderlying((ushort)value, out _))
        {
            return RejectCode.UnknownUnderlying;
        }

        return SetPlain(place, underlying, currency, value);
    }

    private static RejectCode Resolve(in ParameterPlace place, MarketState market, out int underlying, out int currency)
    {
        underlying = -1;
        currency = -1;
        switch (place.Section)
        {
            case ModelSection.RowUnderlying or ModelSection.Underlying:
                return market.TryUnderlying(place.Second, out underlying) ? default : RejectCode.UnknownUnderlying;
            case ModelSection.AddOn or ModelSection.AddOnTier or ModelSection.SpreadLeg:
                return place.Second == 0 || market.TryUnderlying(place.Second, out underlying) ? default : RejectCode.UnknownUnderlying;
            case ModelSection.Currency or ModelSection.HaircutTier:
                return market.TryCurrency(place.Second, out currency) ? default : RejectCode.UnknownCurrency;
            default:
                return default;
        }
    }

    private RejectCode SetPlain(in ParameterPlace place, int underlying, int currency, long value)
    {
        switch (place.Section)
        {
            case ModelSection.Model:
                _model[place.Key] = value;
                return default;
            case ModelSection.Row when place.First < Limits.NamedRows:
                RowCount = Math.Max(RowCount, place.First + 1);
                Row(place.First, (RowKey)place.Key) = value;
                return default;
            case ModelSection.RowUnderlying when place.First < Limits.NamedRows:
                RowCount = Math.Max(RowCount, place.First + 1);
                HasJointRows = true;
                Joint(place.First, underlying, (JointKey)place.Key) = value;
                return default;
            case ModelSection.Underlying:
                _isUnderlyingNamed[underlying] = true;
                Underlying(underlying, (UnderlyingKey)place.Key) = value;
                return default;
            case ModelSection.Currency:
                _isCurrencyNamed[currency] = true;
                Currency(currency, (CurrencyKey)place.Key) = value;
                return default;
            case ModelSection.HaircutTier when place.Third < Limits.HaircutTiers:
                _isCurrencyNamed[currency] = true;
                _haircutTierCount[currency] = Math.Max(_haircutTierCount[currency], place.Third + 1);
                HaircutTier(currency, place.Third, (HaircutTierKey)place.Key) = value;
                return default;
            default:
                return RejectCode.Capacity;
        }
    }

    private RejectCode SetAddOn(in ParameterPlace place, int underlying, long value)
    {
        if (place.First >= Limits.AddOns)
        {
            return RejectCode.Capacity;
        }

        if (place.Key == (byte)AddOnKey.Kind)
        {
            if (value <= 0 || value >= AddOnTable.Kinds.Count || place.Second != 0)
            {
                return RejectCode.OutOfRange;
            }

            AddOnCount = Math.Max(AddOnCount, place.First + 1);
            DefineAddOn(place.First, (AddOnKind)value);
            return default;
        }

        // The kind comes first: it says what the other numbers are.
        AddOnKind kind = KindOf(place.First);
        int slot = place.Key - (int)AddOnKey.FirstSlot;
        bool isPlace = place.Key == (byte)AddOnKey.Place;
        ReadOnlySpan<AddOnSlot> slots = AddOnTable.SlotsOf(kind);
        if (kind == AddOnKind.None || (isPlace ? place.Second != 0 : slot < 0 || slot >= slots.Length))
        {
            return RejectCode.OutOfRange;
        }

        long minimum = isPlace ? 0 : slots[slot].Minimum;
        long maximum = isPlace ? AddOnTable.Places.Count - 1 : slots[slot].Maximum;
        if (value < minimum || value > maximum)
        {
            return RejectCode.OutOfRange;
        }

        int first = underlying < 0 ? 0 : underlying;
        int last = underlying < 0 ? _underlyingLimit - 1 : underlying;
        for (int each = first; each <= last; each++)
        {
            AddOn(place.First, each, place.Key) = value;
        }

        return default;
    }

    private RejectCode SetTier(in ParameterPlace place, int underlying, long value)
    {
        ParameterRule? rule = ParameterTable.Find(place.Section, place.Key);
        if (place.First >= Limits.AddOns || place.Third >= Limits.Tiers)
        {
            return RejectCode.Capacity;
        }

        if (rule is null || value < rule.Minimum || value > rule.Maximum || !AddOnTable.HasTiers(KindOf(place.First)))
        {
            return RejectCode.OutOfRange;
        }

        int first = underlying < 0 ? 0 : underlying;
        int last = underlying < 0 ? _underlyingLimit - 1 : underlying;
        for (int each = first; each <= last; each++)
        {
            ref int count = ref _tierCount[(place.First * _underlyingLimit) + each];
            count = Math.Max(count, place.Third + 1);
            Tier(place.First, each, place.Third, (TierKey)place.Key) = value;
        }

        return default;
    }

    private RejectCode SetSpread(in ParameterPlace place, int underlying, long value)
    {
        ParameterRule? rule = ParameterTable.Find(place.Section, place.Key);
        if (place.First >= Limits.Spreads)
        {
            return RejectCode.Capacity;
        }

        bool isRate = place.Key == (byte)SpreadKey.Rate;
        if (rule is null || value < rule.Minimum || value > rule.Maximum || isRate != (underlying < 0))
        {
            return RejectCode.OutOfRange;
        }

        SpreadCount = Math.Max(SpreadCount, place.First + 1);
        if (isRate)
        {
            _spreadRates[place.First] = value;
        }
        else
        {
            _spreadLegs[(place.First * _underlyingLimit) + underlying] = value;
        }

        return default;
    }

    private void DefineAddOn(int addOn, AddOnKind kind)
    {
        ReadOnlySpan<AddOnSlot> slots = AddOnTable.SlotsOf(kind);
        for (int underlying = 0; underlying < _underlyingLimit; underlying++)
        {
            AddOn(addOn, underlying, (int)AddOnKey.Kind) = (long)kind;
            AddOn(addOn, underlying, (int)AddOnKey.Place) = (long)AddOnPlace.After;
            for (int slot = 0; slot < slots.Length; slot++)
            {
                AddOn(addOn, underlying, (int)AddOnKey.FirstSlot + slot) = slots[slot].Default;
            }
        }
    }

    private void Default(ParameterRule rule)
    {
        switch (rule.Section)
        {
            case ModelSection.Model:
                _model[rule.Key] = rule.Default;
                break;
            case ModelSection.Row:
                for (int row = 0; row < Limits.Rows; row++)
                {
                    Row(row, (RowKey)rule.Key) = rule.Default;
                }

                break;
            case ModelSection.Underlying:
                for (int underlying = 0; underlying < _underlyingLimit; underlying++)
                {
                    Underlying(underlying, (UnderlyingKey)rule.Key) = rule.Default;
                }

                break;
            case ModelSection.Currency:
                for (int currency = 0; currency < _isCurrencyNamed.Length; currency++)
                {
                    Currency(currency, (CurrencyKey)rule.Key) = rule.Default;
                }

                break;
        }
    }
}
