using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Opening accounts, moving them between models and classes, and collateral between the accounts of one owner.</content>
public sealed partial class MarginMachine
{
    private RejectCode OnAccountOpen(ReadOnlySpan<byte> message, out ushort field)
    {
        AccountOpenDecoder.TryWrap(message, out AccountOpenDecoder open);
        field = AccountOpenDecoder.FieldIds.ClassId;
        if (!TryClass(open.ClassId, out int classIndex))
        {
            return RejectCode.UnknownClass;
        }

        field = AccountOpenDecoder.FieldIds.ModelId;
        RejectCode code = ChooseModel(open.ModelId, classIndex, out int model);
        if (code != 0)
        {
            return code;
        }

        field = AccountOpenDecoder.FieldIds.AccountId;
        if (_book.TryAccount(open.AccountId, out _))
        {
            return RejectCode.AlreadyDefined;
        }

        if (!_book.TryAddAccount(open.AccountId, model))
        {
            return RejectCode.Capacity;
        }

        int index = _book.AccountCount - 1;
        ref Account account = ref _book.ChangeAccount(index);
        account.OwnerId = open.OwnerId ?? 0;
        account.Class = classIndex + 1;
        account.FollowsClass = open.ModelId is null;
        TouchByOwner(index);
        return default;
    }

    private RejectCode OnAccountConfigure(ReadOnlySpan<byte> message, out ushort field)
    {
        AccountConfigureDecoder.TryWrap(message, out AccountConfigureDecoder configure);
        field = AccountConfigureDecoder.FieldIds.AccountId;
        if (!_book.TryAccount(configure.AccountId, out int index))
        {
            return RejectCode.UnknownAccount;
        }

        field = AccountConfigureDecoder.FieldIds.ClassId;
        if (!TryClass(configure.ClassId, out int classIndex))
        {
            return RejectCode.UnknownClass;
        }

        field = AccountConfigureDecoder.FieldIds.ModelId;
        RejectCode code = ChooseModel(configure.ModelId, classIndex, out int model);
        if (code != 0)
        {
            return code;
        }

        ref Account account = ref _book.ChangeAccount(index);
        account.Model = model;
        account.FollowsClass = configure.ModelId is null;
        if (classIndex >= 0)
        {
            account.Class = classIndex + 1;
        }

        account.IsChangedByOwner = true;
        TouchWhole(index);
        return default;
    }

    // -1: none is named. False: the one named does not exist.
    private bool TryClass(ushort? id, out int index)
    {
        index = -1;
        return id is not ushort named || _classes.TryFind(named, out index);
    }

    private RejectCode ChooseModel(ushort? id, int classIndex, out int model)
    {
        if (id is ushort own)
        {
            model = FindModel(own);
            return model < 0 ? RejectCode.UnknownModel : default;
        }

        model = classIndex < 0 ? -1 : _classes.At(classIndex).Model;
        return model < 0 ? RejectCode.OutOfRange : default;
    }

    private RejectCode OnOwnerTransfer(ReadOnlySpan<byte> message, out ushort field)
    {
        OwnerTransferDecoder.TryWrap(message, out OwnerTransferDecoder transfer);
        field = OwnerTransferDecoder.FieldIds.AccountId;
        if (!_book.TryAccount(transfer.AccountId, out int from))
        {
            return RejectCode.UnknownAccount;
        }

        field = OwnerTransferDecoder.FieldIds.ToAccountId;
        if (!_book.TryAccount(transfer.ToAccountId, out int to))
        {
            return RejectCode.UnknownAccount;
        }

        if (from == to)
        {
            return RejectCode.Inconsistent;
        }

        ulong owner = _book.AccountAt(from).OwnerId;
        if (owner == 0 || owner != _book.AccountAt(to).OwnerId)
        {
            return RejectCode.Unauthorised;
        }

        field = OwnerTransferDecoder.FieldIds.CurrencyId;
        if (!_market.TryCurrency(transfer.CurrencyId, out int currency))
        {
            return RejectCode.UnknownCurrency;
        }

        field = OwnerTransferDecoder.FieldIds.Amount;
        if (!Fixed.TryRescale(transfer.Amount.Mantissa, transfer.Amount.Exponent, _market.CurrencyAt(currency).Decimals, out long atoms)
            || atoms <= 0 || !HasRoom(to, currency, atoms))
        {
            return RejectCode.OutOfRange;
        }

        // Prices of this event that came before the transfer count in what it may take.
        SpreadMarketMoves();
        if (!CanGive(from, currency, atoms))
        {
            return RejectCode.InsufficientCollateral;
        }

        _book.Credit(from, currency, -atoms);
        _book.Credit(to, currency, atoms);
        TouchByOwner(from);
        TouchByOwner(to);
        return default;
    }

    /// <summary>Money may leave only while initial margin stays covered and the balance itself is there.</summary>
    private bool CanGive(int account, int currency, long atoms)
    {
        RefreshUnits(account);
        AccountMargin after = _calculator.Total(account, PriceClock, new WhatIf { CashCurrency = currency, CashAtoms = -atoms });
        return _book.BalancesOf(account)[currency] - atoms >= 0 && after.BuyingPower >= 0;
    }
}
