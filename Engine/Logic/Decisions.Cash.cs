using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Decisions about cash that moved without a trade, and about the prices of liquidations.</content>
public sealed partial class DecisionWriter
{
    public void Funding(in Instrument contract, in Currency currency, long rateE8, long priceE8, in FundingTotals totals)
    {
        sbyte exponent = (sbyte)-currency.Decimals;
        FundingSettledEncoder settled = FundingSettledEncoder.Wrap(_buffer);
        settled.Sequence = (ulong)Cause.Sequence;
        settled.Time = (ulong)Cause.Time;
        settled.CauseTime = Cause.EventTime;
        settled.InstrumentId = contract.Id;
        settled.CurrencyId = currency.Id;
        settled.SetRate(rateE8);
        settled.SetPrice(priceE8);
        settled.SetPaid(totals.Paid, exponent);
        settled.SetReceived(totals.Received, exponent);
        settled.SetRounding(totals.Rounding, exponent);
        settled.SetOutside(totals.Outside, exponent);
        settled.Holders = (uint)totals.Holders;
        Send(settled.EncodedLength);
    }

    public void FillablePrices(in Account account, MarketState market, ReadOnlySpan<Leg> legs, ReadOnlySpan<long> pricesE8, long ratingE8)
    {
        LiquidationPricesEncoder prices = LiquidationPricesEncoder.Wrap(_buffer);
        prices.Sequence = (ulong)Cause.Sequence;
        prices.Time = (ulong)Cause.Time;
        prices.CauseTime = Cause.EventTime;
        prices.AccountId = account.Id;
        prices.LiquidationId = (ulong)account.LiquidationId;
        prices.Attempt = (ushort)Math.Min(account.LiquidationAttempt, ushort.MaxValue);
        prices.SetBankruptcyRating(ratingE8);
        LiquidationPricesEncoder.LegsEncoder group = prices.LegsCount(legs.Length);
        for (int index = 0; index < legs.Length; index++)
        {
            LiquidationPricesEncoder.LegsEncoder.Entry entry = group[index];
            entry.InstrumentId = market.InstrumentAt(legs[index].Instrument).Id;
            entry.SetFillablePrice(pricesE8[index]);
        }

        Send(prices.EncodedLength);
    }

    public void Settled(in Account account, in Underlying underlying, in Currency currency, long expiry, long priceE8, in SettledCash cash)
    {
        sbyte exponent = (sbyte)-currency.Decimals;
        AccountSettledEncoder settled = AccountSettledEncoder.Wrap(_buffer);
        settled.Sequence = (ulong)Cause.Sequence;
        settled.Time = (ulong)Cause.Time;
        settled.CauseTime = Cause.EventTime;
        settled.AccountId = account.Id;
        settled.UnderlyingId = underlying.Id;
        settled.CurrencyId = currency.Id;
        settled.Positions = (uint)cash.Positions;
        settled.Expiry = (ulong)expiry;
        settled.SetPrice(priceE8);
        settled.SetExercise(cash.Exercise, exponent);
        settled.SetFutures(cash.Futures, exponent);
        settled.SetFees(cash.Fees, exponent);
        Send(settled.EncodedLength);
    }
}
