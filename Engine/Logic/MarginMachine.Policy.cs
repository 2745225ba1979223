using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Whose an account is and what its class allows it. Money in micro-USD.</summary>
public sealed record PolicyReport
{
    /// <summary>0: nobody's.</summary>
    public required ulong OwnerId { get; init; }

    /// <summary>0: the account has no class, and so no policy.</summary>
    public required ushort ClassId { get; init; }

    public required uint ClassVersion { get; init; }

    public required string Class { get; init; }

    /// <summary>The class chooses its margin model.</summary>
    public required bool FollowsClass { get; init; }

    public required long Exposure { get; init; }

    /// <summary>Exposure / equity, exponent -8; the ceiling of ratios where equity is gone.</summary>
    public required long LeverageE8 { get; init; }

    /// <summary>0: no limit.</summary>
    public required long MaximumLeverageE8 { get; init; }

    public required long MinimumEquity { get; init; }

    /// <summary>What the account holds is outside its policy.</summary>
    public required bool IsBreached { get; init; }
}

/// <content>Account classes: the model and the policy of every account in one, asked before a trade and shown after it.</content>
public sealed partial class MarginMachine
{
    private readonly AccountClasses _classes;

    private RejectCode OnAccountClass(ReadOnlySpan<byte> message, out ushort field)
    {
        AccountClassDecoder.TryWrap(message, out AccountClassDecoder definition);
        field = FaultyPolicy(definition, out RejectCode code);
        if (field != 0)
        {
            return code;
        }

        bool isKnown = _classes.TryFind(definition.ClassId, out int index);
        if (isKnown && definition.ClassVersion <= _classes.At(index).Version)
        {
            field = AccountClassDecoder.FieldIds.ClassVersion;
            return RejectCode.Inconsistent;
        }

        index = isKnown ? index : _classes.Add(definition.ClassId);
        if (index < 0)
        {
            field = AccountClassDecoder.FieldIds.ClassId;
            return RejectCode.Capacity;
        }

        Define(index, definition, message);
        MoveAccountsOf(index);
        return default;
    }

    // 0: it can be taken.
    private ushort FaultyPolicy(in AccountClassDecoder definition, out RejectCode code)
    {
        code = RejectCode.UnknownModel;
        if (FindModel(definition.ModelId) < 0)
        {
            return AccountClassDecoder.FieldIds.ModelId;
        }

        code = RejectCode.OutOfRange;
        if (definition.MaximumLeverage.Mantissa is <= 0)
        {
            return AccountClassDecoder.FieldIds.MaximumLeverage;
        }

        if (definition.MinimumEquity.Mantissa < 0)
        {
            return AccountClassDecoder.FieldIds.MinimumEquity;
        }

        code = RejectCode.UnknownUnderlying;
        foreach (AccountClassDecoder.UnderlyingsDecoder.Entry named in definition.Underlyings)
        {
            if (!_market.TryUnderlying(named.UnderlyingId, out _))
            {
                return AccountClassDecoder.UnderlyingsDecoder.Entry.FieldIds.UnderlyingId;
            }
        }

        return 0;
    }

    private void Define(int index, in AccountClassDecoder definition, ReadOnlySpan<byte> message)
    {
        ref AccountClass rules = ref _classes.At(index);
        Digest64 digest = new(5);
        digest.Add(message[(MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength)..]);
        rules.Digest = digest.Value;
        rules.Version = definition.ClassVersion;
        rules.Model = FindModel(definition.ModelId);
        rules.MaximumLeverageE8 = definition.MaximumLeverage.Mantissa ?? 0;
        rules.MinimumEquity = definition.MinimumEquity.Mantissa;
        rules.Kinds = definition.Kinds;
        rules.Settlements = definition.Settlements;
        rules.HasEveryUnderlying = definition.Underlyings.Count == 0;
        _classes.NameAt(index).Clear();
        definition.Name.CopyTo(_classes.NameAt(index));
        Span<bool> underlyings = _classes.UnderlyingsAt(index);
        underlyings.Clear();
        foreach (AccountClassDecoder.UnderlyingsDecoder.Entry named in definition.Underlyings)
        {
            _market.TryUnderlying(named.UnderlyingId, out int underlying);
            underlyings[underlying] = true;
        }
    }

    private void MoveAccountsOf(int classIndex)
    {
        for (int index = 0; index < _book.AccountCount; index++)
        {
            ref Account account = ref _book.ChangeAccount(index);
            if (account.Class != classIndex + 1)
            {
                continue;
            }

            _book.TouchAccount(index);
            if (account.FollowsClass && account.Model != _classes.At(classIndex).Model)
            {
                account.Model = _classes.At(classIndex).Model;
                account.IsChangedByOwner = true;
                TouchWhole(index);
            }
        }
    }

    /// <summary>The margin of an account from its units as they stand, and whether it is within its policy.</summary>
    private AccountMargin MarginOf(int account)
    {
        AccountMargin margin = _calculator.Total(account, PriceClock);
        if (IsBreached(account, margin.Equity))
        {
            margin.Flags |= MarginFlags.PolicyBreach;
        }

        return margin;
    }

    // Resting orders are not held yet: they count when the next one is asked for, not here.
    private bool IsBreached(int index, long equity)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        if (account.Class == 0)
        {
            return false;
        }

        ref readonly AccountClass rules = ref _classes.At(account.Class - 1);
        bool holds = false;
        for (int unit = account.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int held = _book.UnitAt(unit).FirstPosition; held >= 0; held = _book.PositionAt(held).NextOfUnit)
            {
                ref readonly Position position = ref _book.PositionAt(held);
                if (position.Lots != 0 && !_classes.Permits(account.Class - 1, _market.InstrumentAt(position.Instrument)))
                {
                    return true;
                }

                holds |= position.Lots != 0;
            }
        }

        return holds && (equity < rules.MinimumEquity || ExceedsLeverage(rules, Exposure(index), equity));
    }

    private static bool ExceedsLeverage(in AccountClass rules, long exposure, long equity) =>
        rules.MaximumLeverageE8 > 0 && (Int128)exposure * Fixed.One > (Int128)Math.Max(equity, 0) * rules.MaximumLeverageE8;

    /// <summary>What the class of an account says to an order that adds risk; allowed where there is no class.</summary>
    private Verdict JudgePolicy(int index, int instrument, Side side, long lots, long equity)
    {
        int classIndex = _book.AccountAt(index).Class - 1;
        if (classIndex < 0)
        {
            return Verdict.Allowed;
        }

        ref readonly AccountClass rules = ref _classes.At(classIndex);
        if (!_classes.Permits(classIndex, _market.InstrumentAt(instrument)))
        {
            return Verdict.NotPermitted;
        }

        if (equity < rules.MinimumEquity)
        {
            return Verdict.MinimumEquity;
        }

        return ExceedsLeverage(rules, ExposureWith(index, instrument, side, lots), equity) ? Verdict.Leverage : Verdict.Allowed;
    }

    // Of what is held, in micro-USD.
    private long Exposure(int account)
    {
        long exposure = 0;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int held = _book.UnitAt(unit).FirstPosition; held >= 0; held = _book.PositionAt(held).NextOfUnit)
            {
                exposure = Fixed.Add(exposure, ExposureOf(_book.PositionAt(held).Instrument, _book.PositionAt(held).Lots));
            }
        }

        return exposure;
    }

    // With every resting order and one more filled, on whichever side that leads further from zero.
    private long ExposureWith(int account, int instrument, Side side, long lots)
    {
        long exposure = _book.FindPositionOf(account, instrument) < 0 ? ExposureOf(instrument, lots) : 0;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int held = _book.UnitAt(unit).FirstPosition; held >= 0; held = _book.PositionAt(held).NextOfUnit)
            {
                ref readonly Position position = ref _book.PositionAt(held);
                long added = position.Instrument == instrument ? lots : 0;
                long longest = position.Lots + position.BuyLots + (side == Side.Buy ? added : 0);
                long shortest = position.Lots - position.SellLots - (side == Side.Sell ? added : 0);
                exposure = Fixed.Add(exposure, ExposureOf(position.Instrument, Math.Max(Math.Abs(longest), Math.Abs(shortest))));
            }
        }

        return exposure;
    }

    private long ExposureOf(int instrument, long lots)
    {
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        return Notional.Exposure(contract, _market.UnderlyingAt(contract.Underlying), lots);
    }

    private PolicyReport ReportPolicy(int index)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        AccountClass rules = account.Class == 0 ? default : _classes.At(account.Class - 1);
        long exposure = Exposure(index);
        return new PolicyReport
        {
            OwnerId = account.OwnerId,
            ClassId = rules.Id,
            ClassVersion = rules.Version,
            Class = account.Class == 0 ? "" : Text(_classes.NameAt(account.Class - 1)),
            FollowsClass = account.FollowsClass,
            Exposure = exposure,
            LeverageE8 = AccountCalculator.Ratio(exposure, account.Margin.Equity),
            MaximumLeverageE8 = rules.MaximumLeverageE8,
            MinimumEquity = rules.MinimumEquity,
            IsBreached = IsBreached(index, account.Margin.Equity),
        };
    }
}
