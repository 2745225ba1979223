using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Definitions of currencies, underlyings and contracts; margin models; operators.</content>
public sealed partial class MarginMachine
{
    private RejectCode OnCurrency(ReadOnlySpan<byte> message, out ushort field)
    {
        CurrencyDefinitionDecoder.TryWrap(message, out CurrencyDefinitionDecoder currency);
        field = CurrencyDefinitionDecoder.FieldIds.Decimals;
        bool isMoney = currency.CurrencyId == Limits.MoneyCurrency;
        if (currency.Decimals > 12 || (isMoney && currency.Decimals != Limits.MoneyDecimals))
        {
            return RejectCode.OutOfRange;
        }

        field = CurrencyDefinitionDecoder.FieldIds.CurrencyId;
        if (_market.TryCurrency(currency.CurrencyId, out _))
        {
            return RejectCode.AlreadyDefined;
        }

        return _market.TryAddCurrency(currency.CurrencyId, currency.Decimals, currency.Code) ? default : RejectCode.Capacity;
    }

    private RejectCode OnUnderlying(ReadOnlySpan<byte> message, out ushort field)
    {
        UnderlyingDefinitionDecoder.TryWrap(message, out UnderlyingDefinitionDecoder underlying);
        field = UnderlyingDefinitionDecoder.FieldIds.CurrencyId;
        if (!_market.TryCurrency(underlying.CurrencyId, out int currency))
        {
            return RejectCode.UnknownCurrency;
        }

        field = UnderlyingDefinitionDecoder.FieldIds.UnderlyingId;
        if (_market.TryUnderlying(underlying.UnderlyingId, out _))
        {
            return RejectCode.AlreadyDefined;
        }

        return _market.TryAddUnderlying(underlying.UnderlyingId, currency, underlying.Code) ? default : RejectCode.Capacity;
    }

    private RejectCode OnInstrument(ReadOnlySpan<byte> message, out ushort field)
    {
        InstrumentDefinitionDecoder definition = default;
        InstrumentDefinitionDecoder.TryWrap(message, out definition);
        field = InstrumentDefinitionDecoder.FieldIds.InstrumentId;
        if (_market.TryInstrument(definition.InstrumentId, out _))
        {
            return RejectCode.AlreadyDefined;
        }

        field = InstrumentDefinitionDecoder.FieldIds.UnderlyingId;
        if (!_market.TryUnderlying(definition.UnderlyingId, out int underlying))
        {
            return RejectCode.UnknownUnderlying;
        }

        field = InstrumentDefinitionDecoder.FieldIds.SettlementCurrencyId;
        if (!_market.TryCurrency(definition.SettlementCurrencyId, out int currency))
        {
            return RejectCode.UnknownCurrency;
        }

        field = FaultyTerm(definition, underlying, currency);
        if (field != 0)
        {
            return RejectCode.Inconsistent;
        }

        int expiry = -1;
        if (definition.Expiry is ulong time)
        {
            expiry = _market.ExpiryOrAdd(underlying, (long)time);
            if (expiry < 0)
            {
                field = InstrumentDefinitionDecoder.FieldIds.Expiry;
                return RejectCode.Capacity;
            }

            if (_market.ExpiryAt(expiry).IsSettled)
            {
                field = InstrumentDefinitionDecoder.FieldIds.Expiry;
                return RejectCode.Expired;
            }
        }

        Instrument instrument = new()
        {
            Id = definition.InstrumentId,
            Underlying = underlying,
            Currency = currency,
            Expiry = expiry,
            Kind = definition.Kind,
            Settlement = definition.Settlement,
            Right = definition.Right,
            SizeE8 = definition.ContractSize.Mantissa,
            StrikeE8 = definition.Strike.Mantissa ?? 0,
            Version = 1,
        };
        field = InstrumentDefinitionDecoder.FieldIds.InstrumentId;
        return _market.TryAddInstrument(instrument, definition.Symbol) ? default : RejectCode.Capacity;
    }

    // 0: the terms fit together. Inverse contracts settle in the underlying's own coin; only options have a right and a strike.
    private ushort FaultyTerm(in InstrumentDefinitionDecoder definition, int underlying, int currency)
    {
        bool isOption = definition.Kind == InstrumentKind.Option;
        bool isInverse = definition.Settlement == Codecs.Settlement.Inverse;
        bool isCoin = _market.UnderlyingAt(underlying).Currency == currency && !_market.CurrencyAt(currency).IsMoney;
        if (isInverse != isCoin)
        {
            return InstrumentDefinitionDecoder.FieldIds.SettlementCurrencyId;
        }

        if (!Enum.IsDefined(definition.Kind) || (definition.Kind == InstrumentKind.Spot && isInverse))
        {
            return InstrumentDefinitionDecoder.FieldIds.Kind;
        }

        if (isOption != (definition.Right is OptionRight.Call or OptionRight.Put))
        {
            return InstrumentDefinitionDecoder.FieldIds.Right;
        }

        long? strike = definition.Strike.Mantissa;
        if (isOption ? strike is not > 0 : strike is not null)
        {
            return InstrumentDefinitionDecoder.FieldIds.Strike;
        }

        bool expires = definition.Kind is InstrumentKind.Option or InstrumentKind.Future;
        return expires != definition.Expiry.HasValue || definition.Expiry > long.MaxValue ? InstrumentDefinitionDecoder.FieldIds.Expiry : (ushort)0;
    }

    // Version of the schema since which commands of the node are facts. Earlier programs refused them, and their journals are decided as they were: the
    // version in a message's own header is the version of the behaviour it is decided by.
    private const int NodeCommandsSince = 3;

    private const int PublicKeyBytes = 256;

    private RejectCode OnCommand(ReadOnlySpan<byte> message, out ushort field)
    {
        OperatorCommandDecoder.TryWrap(message, out OperatorCommandDecoder command);
        field = OperatorCommandDecoder.FieldIds.Command;
        switch (command.Command)
        {
            case Command.Halt:
                _isHalted = true;
                return default;
            case Command.Resume:
                _isHalted = false;
                _isReduceOnly = false;

                // Liquidations that waited are decided now.
                for (int account = 0; account < _book.AccountCount; account++)
                {
                    if (_book.AccountAt(account).State == AccountState.Liquidation)
                    {
                        _book.TouchAccount(account);
                    }
                }

                return default;
            case Command.ReduceOnly:
                _isReduceOnly = true;
                return default;
            case Command.Snapshot or Command.Promote when command.ActingVersion >= NodeCommandsSince:
                // The node's: it changes nothing here.
                return default;
            default:
                return RejectCode.Unsupported;
        }
    }

    // Whether the key in force has signed it is for the signer and the verifier to say; here it is a fact of the right shape.
    private static RejectCode OnSigningKey(ReadOnlySpan<byte> message, out ushort field)
    {
        SigningKeyDecoder.TryWrap(message, out SigningKeyDecoder key);
        field = SigningKeyDecoder.FieldIds.PublicKey;
        if (key.PublicKey.Length is 0 or > PublicKeyBytes)
        {
            return RejectCode.OutOfRange;
        }

        field = SigningKeyDecoder.FieldIds.Signature;
        return key.Signature.Length is 0 or > PublicKeyBytes ? RejectCode.OutOfRange : default;
    }

    private void TouchWhole(int account)
    {
        _book.TouchAccount(account);
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            _book.TouchUnit(unit);
        }
    }
}
