using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <content>Owners, classes, funding, terms of settlement.</content>
internal sealed partial class Desk
{
    public const InstrumentKinds AllKinds = InstrumentKinds.Spot | InstrumentKinds.Perpetual | InstrumentKinds.Future | InstrumentKinds.Option;

    public void OpenSub(ulong account, ulong? owner = null, ushort? classId = null, ushort? model = null)
    {
        AccountOpenEncoder message = AccountOpenEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.ModelId = model;
        message.OwnerId = owner;
        message.ClassId = classId;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Configure(ulong account, ushort? model = null, ushort? classId = null)
    {
        AccountConfigureEncoder message = AccountConfigureEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.ModelId = model;
        message.ClassId = classId;
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Class(
        ushort id, uint version = 1, ushort model = 1, decimal? leverage = null, decimal minimumEquity = 0, InstrumentKinds kinds = AllKinds,
        Settlements settlements = Settlements.Linear | Settlements.Inverse, params ushort[] underlyings)
    {
        AccountClassEncoder message = AccountClassEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.ClassId = id;
        message.ClassVersion = version;
        message.SetName("retail");
        message.ModelId = model;
        message.SetMaximumLeverage(leverage is decimal limit ? E8(limit) : null);
        message.SetMinimumEquity((long)(minimumEquity * 1_000_000m));
        message.Kinds = kinds;
        message.Settlements = settlements;
        AccountClassEncoder.UnderlyingsEncoder group = message.UnderlyingsCount(underlyings.Length);
        for (int index = 0; index < underlyings.Length; index++)
        {
            AccountClassEncoder.UnderlyingsEncoder.Entry entry = group[index];
            entry.UnderlyingId = underlyings[index];
        }

        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void OwnerTransfer(ulong from, ulong to, ushort currency, decimal amount, int exponent = -6)
    {
        OwnerTransferEncoder message = OwnerTransferEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.AccountId = from;
        message.ToAccountId = to;
        message.CurrencyId = currency;
        message.SetAmount((long)(amount * (decimal)Math.Pow(10, -exponent)), (sbyte)exponent);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void PayFunding(uint instrument, decimal rate, decimal? price = null)
    {
        FundingPaymentEncoder message = FundingPaymentEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.SetRate(E8(rate));
        message.SetPrice(price is decimal at ? E8(at) : null);
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void AnnounceFunding(uint instrument, decimal rate)
    {
        FundingRateEncoder message = FundingRateEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.SetRate(E8(rate));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    public void Fees(decimal exercise, decimal assignment, decimal cap, ushort underlying = 1)
    {
        SettlementFeesEncoder message = SettlementFeesEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = underlying;
        message.SetExerciseFee(E8(exercise));
        message.SetAssignmentFee(E8(assignment));
        message.SetFeeCap(E8(cap));
        Apply(_buffer.AsSpan(0, message.EncodedLength));
    }

    /// <summary>Balance of one account in atoms.</summary>
    public long Balance(ulong account, string currency) =>
        Report(account).Balances.SingleOrDefault(balance => balance.Currency == currency)?.Balance ?? 0;

    /// <summary>Balances of all accounts together, in atoms.</summary>
    public long Held(string currency) => Machine.AccountIds().Sum(account => Balance(account, currency));

    /// <summary>The one decision of its kind that was heard since the last <see cref="Clear"/>.</summary>
    public (decimal Paid, decimal Received, decimal Rounding, decimal Outside, uint Holders) Funded()
    {
        FundingSettledDecoder.TryWrap(Of(FundingSettledDecoder.TemplateId).Single(), out FundingSettledDecoder settled);
        return (In(settled.Paid), In(settled.Received), In(settled.Rounding), In(settled.Outside), settled.Holders);
    }

    public Dictionary<(ulong Account, ushort Currency), (decimal Exercise, decimal Futures, decimal Fees, uint Positions)> Settled() =>
        Of(AccountSettledDecoder.TemplateId).Select(message =>
        {
            AccountSettledDecoder.TryWrap(message, out AccountSettledDecoder settled);
            return ((settled.AccountId, settled.CurrencyId), (In(settled.Exercise), In(settled.Futures), In(settled.Fees), settled.Positions));
        }).ToDictionary();

    private static decimal In(AmountDecoder amount) => amount.Mantissa / (decimal)Math.Pow(10, -amount.Exponent);
}
