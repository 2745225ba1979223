namespace MarginEngine.Logic;

/// <summary>
/// Reference data and the newest prices, preallocated. Changed only by <see cref="MarginMachine"/>; keeps the list of instruments whose
/// risk rows are out of date and the set of currencies whose price in USD moved since the last evaluation.
/// </summary>
public sealed partial class MarketState
{
    public const double NanosPerYear = 365.0 * 86_400.0 * 1e9;

    private readonly Instrument[] _instruments;
    private readonly byte[] _symbols;
    private readonly Underlying[] _underlyings;
    private readonly byte[] _underlyingCodes;
    private readonly Expiry[] _expiries;
    private readonly Currency[] _currencies;
    private readonly byte[] _currencyCodes;
    private readonly int[] _dirty;
    private readonly uint[] _optionVersions;
    private readonly IdMap _instrumentIds;
    private readonly IdMap _underlyingIds;
    private readonly IdMap _currencyIds;
    private readonly IdMap _expiryIds;
    private readonly IdMap _strikeIds;
    private readonly OptionStrike[] _strikes;

    public MarketState(Limits limits)
    {
        _instruments = new Instrument[limits.Instruments];
        _symbols = new byte[limits.Instruments * SymbolBytes];
        _underlyings = new Underlying[limits.Underlyings];
        _underlyingCodes = new byte[limits.Underlyings * CodeBytes];
        _expiries = new Expiry[limits.Expiries];
        _currencies = new Currency[limits.Currencies];
        _currencyCodes = new byte[limits.Currencies * CodeBytes];
        Grids = new VolatilityGrids(limits);
        Arrays = new MarkArrays(limits);
        Moves = new MarketMoves(limits);
        _dirty = new int[limits.Instruments];
        _optionVersions = new uint[limits.Expiries];
        _instrumentIds = new IdMap(limits.Instruments);
        _underlyingIds = new IdMap(limits.Underlyings);
        _currencyIds = new IdMap(limits.Currencies);
        _expiryIds = new IdMap(limits.Expiries);
        _strikeIds = new IdMap(limits.Instruments);
        _strikes = new OptionStrike[limits.Instruments];
    }

    /// <summary>Of its symbol, its place in the list of what moved, its strike.</summary>
    internal static int BytesBesideInstrument => SymbolBytes + sizeof(int) + System.Runtime.CompilerServices.Unsafe.SizeOf<OptionStrike>();

    public const int SymbolBytes = 32;
    public const int CodeBytes = 8;

    /// <summary>What clearing houses publish of contracts, row by row.</summary>
    public MarkArrays Arrays { get; }

    /// <summary>
    /// Touched instruments are listed one by one, for accounts that are computed with every move. Where there are none, the options of an expiry are touched by
    /// one number.
    /// </summary>
    public bool ListsTouched { get; set; } = true;

    /// <summary>Version of what an instrument's rows are priced from: a change of it says that they are out of date.</summary>
    public uint VersionOf(in Instrument contract) =>
        unchecked(contract.Version + (contract.IsOption ? _optionVersions[contract.Expiry] : 0u));

    /// <summary>How far it has moved.</summary>
    public MarketMoves Moves { get; }

    public int InstrumentCount { get; private set; }

    public int UnderlyingCount { get; private set; }

    public int ExpiryCount { get; private set; }

    public int CurrencyCount { get; private set; }

    /// <summary>(expiry, strike) pairs that options have been defined on.</summary>
    public int StrikeCount { get; private set; }

    public int DirtyCount { get; private set; }

    /// <summary>Bit c: the price of currency c in USD moved since <see cref="ClearDirty"/>.</summary>
    public ulong DirtyCurrencies { get; private set; }

    /// <summary>The moment contracts are valued at: the newest time tick, or the stamped time where none ever came.</summary>
    public long ValuationTime { get; set; }

    public ref Instrument InstrumentAt(int index) => ref _instruments[index];

    public ref Underlying UnderlyingAt(int index) => ref _underlyings[index];

    public ref Expiry ExpiryAt(int index) => ref _expiries[index];

    public ref Currency CurrencyAt(int index) => ref _currencies[index];

    public ReadOnlySpan<byte> SymbolAt(int instrument) => _symbols.AsSpan(instrument * SymbolBytes, SymbolBytes);

    public ReadOnlySpan<byte> UnderlyingCodeAt(int underlying) => _underlyingCodes.AsSpan(underlying * CodeBytes, CodeBytes);

    public ReadOnlySpan<byte> CurrencyCodeAt(int currency) => _currencyCodes.AsSpan(currency * CodeBytes, CodeBytes);

    public int DirtyAt(int position) => _dirty[position];

    public bool TryInstrument(uint id, out int index) => _instrumentIds.TryGet(id, out index);

    public bool TryUnderlying(ushort id, out int index) => _underlyingIds.TryGet(id, out index);

    public bool TryCurrency(ushort id, out int index) => _currencyIds.TryGet(id, out index);

    public bool TryExpiry(int underlying, long timeNanos, out int index) => _expiryIds.TryGet(ExpiryKey(underlying, timeNanos), out index);

    public bool TryAddCurrency(ushort id, int decimals, ReadOnlySpan<byte> code)
    {
        if (CurrencyCount == _currencies.Length || !_currencyIds.TryAdd(id, CurrencyCount))
        {
            return false;
        }

        _currencies[CurrencyCount] = new Currency { Id = id, Decimals = decimals, Underlying = -1 };
        code.CopyTo(_currencyCodes.AsSpan(CurrencyCount * CodeBytes, CodeBytes));
        CurrencyCount++;
        return true;
    }

    public bool TryAddUnderlying(ushort id, int currency, ReadOnlySpan<byte> code)
    {
        if (UnderlyingCount == _underlyings.Length || !_underlyingIds.TryAdd(id, UnderlyingCount))
        {
            return false;
        }

        _underlyings[UnderlyingCount] = new Underlying { Id = id, Currency = currency, LastExpiry = -1, ConfidenceE8 = Fixed.One };
        code.CopyTo(_underlyingCodes.AsSpan(UnderlyingCount * CodeBytes, CodeBytes));
        ref Currency coin = ref _currencies[currency];
        if (coin.Underlying < 0 && !coin.IsMoney)
        {
            coin.Underlying = UnderlyingCount;
        }

        UnderlyingCount++;
        return true;
    }

    /// <summary>The expiry of an underlying, added where it is new; -1: no room.</summary>
    public int ExpiryOrAdd(int underlying, long timeNanos)
    {
        if (TryExpiry(underlying, timeNanos, out int index))
        {
            return index;
        }

        if (ExpiryCount == _expiries.Length || !_expiryIds.TryAdd(ExpiryKey(underlying, timeNanos), ExpiryCount))
        {
            return -1;
        }

        _expiries[ExpiryCount] = new Expiry
        {
            Underlying = underlying,
            TimeNanos = timeNanos,
            FirstInstrument = -1,
            Grid = -1,
            ForwardConfidenceE8 = Fixed.One,
            SliceConfidenceE8 = Fixed.One,
            RateConfidenceE8 = Fixed.One,
        };
        LinkExpiry(ExpiryCount);
        return ExpiryCount++;
    }

    public bool TryAddInstrument(in Instrument instrument, ReadOnlySpan<byte> symbol)
    {
        if (InstrumentCount == _instruments.Length || !_instrumentIds.TryAdd(instrument.Id, InstrumentCount))
        {
            return false;
        }

        ref Instrument added = ref _instruments[InstrumentCount];
        added = instrument;
        added.FirstHolder = -1;
        added.MarkConfidenceE8 = Fixed.One;
        added.VolatilityConfidenceE8 = Fixed.One;
        Place(InstrumentCount);
        symbol.CopyTo(_symbols.AsSpan(InstrumentCount * SymbolBytes, SymbolBytes));
        InstrumentCount++;
        return true;
    }

    // Into the list of its expiry, and to the options of its strike.
    private void Place(int index)
    {
        ref Instrument placed = ref _instruments[index];
        placed.NextOfExpiry = -1;
        placed.Strike = placed.IsOption ? StrikeOrAdd(placed.Expiry, placed.StrikeE8) : -1;
        if (placed.Expiry >= 0)
        {
            ref Expiry expiry = ref _expiries[placed.Expiry];
            placed.NextOfExpiry = expiry.FirstInstrument;
            expiry.FirstInstrument = index;
        }
    }

    // There are never more pairs than instruments, so there is always room. Keys are folded: a pair that meets another's key takes the next.
    private int StrikeOrAdd(int expiry, long strikeE8)
    {
        ulong key = unchecked(((ulong)expiry << 48) ^ (ulong)strikeE8);
        while (_strikeIds.TryGet(key, out int known))
        {
            if (_strikes[known].Expiry == expiry && _strikes[known].StrikeE8 == strikeE8)
            {
                return known;
            }

            key++;
        }

        Check.That(_strikeIds.TryAdd(key, StrikeCount));
        _strikes[StrikeCount] = new OptionStrike(expiry, strikeE8);
        return StrikeCount++;
    }

    /// <summary>The instrument's row, value or greeks are out of date, by more than anybody can tell.</summary>
    public void Touch(int instrument)
    {
        Moves.MovedUnbounded(_instruments[instrument].Underlying);
        TouchBounded(instrument);
    }

    /// <summary>The same where <see cref="Moves"/> is told by the caller how far it moved.</summary>
    public void TouchBounded(int instrument)
    {
        ref Instrument touched = ref _instruments[instrument];
        unchecked
        {
            touched.Version++;
        }

        if (!touched.IsDirty)
        {
            touched.IsDirty = true;
            _dirty[DirtyCount++] = instrument;
        }
    }

    /// <summary>Touches the options of an expiry (its futures have marks of their own).</summary>
    public void TouchOptionsOf(int expiry)
    {
        Moves.OptionsMovedUnbounded(expiry, _expiries[expiry].Underlying);
        TouchOptionsBounded(expiry);
    }

    /// <summary>The same where <see cref="Moves"/> is told by the caller how far they moved.</summary>
    public void TouchOptionsBounded(int expiry)
    {
        if (!ListsTouched)
        {
            unchecked
            {
                _optionVersions[expiry]++;
            }

            return;
        }

        for (int instrument = _expiries[expiry].FirstInstrument; instrument >= 0; instrument = _instruments[instrument].NextOfExpiry)
        {
            if (_instruments[instrument].IsOption)
            {
                TouchBounded(instrument);
            }
        }
    }

    /// <summary>Touches every option: a rate moved, or time began.</summary>
    public void TouchAllOptions()
    {
        Moves.MovedUnbounded();
        PassTime();
    }

    /// <summary>Touches every option: valuation time moved on.</summary>
    public void PassTime()
    {
        Moves.TimeMoved();
        for (int expiry = 0; expiry < ExpiryCount; expiry++)
        {
            if (!_expiries[expiry].IsSettled)
            {
                TouchOptionsBounded(expiry);
            }
        }
    }

    public void TouchCurrency(int currency) => DirtyCurrencies |= 1UL << currency;

    public void ClearDirty()
    {
        for (int position = 0; position < DirtyCount; position++)
        {
            _instruments[_dirty[position]].IsDirty = false;
        }

        DirtyCount = 0;
        DirtyCurrencies = 0;
    }

    /// <summary>Years from valuation time to an expiry on an actual/365 clock; 0 when it has passed.</summary>
    public double YearsTo(int expiry)
    {
        long nanos = _expiries[expiry].TimeNanos - ValuationTime;
        return nanos > 0 ? nanos / NanosPerYear : 0.0;
    }

    /// <summary>USD a unit of the currency; 0: unknown.</summary>
    public FinePrice PriceOfCurrency(int currency)
    {
        ref readonly Currency asked = ref _currencies[currency];
        return asked.IsMoney ? FinePrice.One : asked.Underlying >= 0 ? _underlyings[asked.Underlying].Price : default;
    }

    /// <summary>Whether anything is known of what the currency is worth.</summary>
    public bool IsPriced(int currency) => PriceOfCurrency(currency).E8 != 0;

    /// <summary>Atoms of a currency in micro-USD, rounded down (<paramref name="roundUp"/>: up); 0 where its price is unknown.</summary>
    public long ToMoney(int currency, long atoms, bool roundUp)
    {
        ref readonly Currency from = ref _currencies[currency];
        if (from.IsMoney)
        {
            return atoms;
        }

        // price e-8, atoms e-decimals, result e-6: divide by 10^(8 + decimals - 6).
        FinePrice price = PriceOfCurrency(currency);
        long divisor = Fixed.LongPower10(8 + from.Decimals - Limits.MoneyDecimals);
        return roundUp ? price.MultiplyCeiling(atoms, divisor) : price.MultiplyFloor(atoms, divisor);
    }

    private static ulong ExpiryKey(int underlying, long timeNanos) =>
        unchecked(((ulong)underlying << 54) ^ (ulong)(timeNanos / 1_000_000));
}
