// Turns what happens at the venue into input messages. The only place where prices of the board become integers of the wire. Origins are
// left to OriginStamp.

using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

/// <summary>Appends messages to a batch. Prices are rounded to 1e-8; index to a cent, forwards and marks to a hundredth of one.</summary>
public sealed partial class MessageWriter(MessageBatch batch)
{
    private const int LargestFlat = 256;
    private const double PriceScale = 1e8;
    private const double FineScale = 1e12;

    public MessageBatch Batch => batch;

    public void Currency(Currency currency)
    {
        CurrencyDefinitionEncoder message = CurrencyDefinitionEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.CurrencyId = currency.Id;
        message.Decimals = currency.Decimals;
        message.SetCode(currency.Code);
        batch.Take(message.EncodedLength);
    }

    public void Underlying(Asset asset)
    {
        UnderlyingDefinitionEncoder message = UnderlyingDefinitionEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = asset.Id;
        message.CurrencyId = asset.Coin.Id;
        message.SetCode(asset.Code);
        batch.Take(message.EncodedLength);
    }

    public void Instrument(Contract contract)
    {
        InstrumentDefinitionEncoder message = InstrumentDefinitionEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = contract.Id;
        message.UnderlyingId = contract.Asset.Id;
        message.SettlementCurrencyId = contract.Settlement.Id;
        message.Kind = contract.Kind;
        message.Settlement = contract.IsInverse ? Settlement.Inverse : Settlement.Linear;
        message.Right = !contract.IsOption ? OptionRight.None : contract.IsCall ? OptionRight.Call : OptionRight.Put;
        message.SetContractSize(contract.Size);
        message.SetStrike(contract.IsOption ? contract.Strike : null);
        message.Expiry = contract.Expiry is null ? null : (ulong)contract.Expiry.Nanos;
        message.SetSymbol(contract.Symbol);
        batch.Take(message.EncodedLength);
    }

    public void Index(Asset asset)
    {
        IndexPriceEncoder message = IndexPriceEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = asset.Id;
        message.SetPrice(OnWire(asset.Index, 100));
        batch.Take(message.EncodedLength);
    }

    public void Forward(Expiry expiry)
    {
        ForwardPriceEncoder message = ForwardPriceEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = expiry.Asset.Id;
        message.Expiry = (ulong)expiry.Nanos;
        message.SetPrice(OnWire(expiry.Forward, 10_000));
        batch.Take(message.EncodedLength);
    }

    public void Mark(Contract contract)
    {
        MarkPriceEncoder message = MarkPriceEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = contract.Id;
        message.SetPrice(OnWire(contract.Mark, 10_000));
        batch.Take(message.EncodedLength);
    }

    public void Volatility(Contract option, double volatility)
    {
        MarkVolatilityEncoder message = MarkVolatilityEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = option.Id;
        message.SetVolatility(Math.Clamp((long)Math.Round(volatility * PriceScale), 1, 5_000_000_000));
        batch.Take(message.EncodedLength);
    }

    public void Slice(Expiry expiry, in SviSlice slice)
    {
        VolatilitySliceEncoder message = VolatilitySliceEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = expiry.Asset.Id;
        message.Expiry = (ulong)expiry.Nanos;
        message.SetA((long)Math.Round(slice.A * FineScale));
        message.SetB((long)Math.Round(slice.B * FineScale));
        message.SetRho((long)Math.Round(slice.Rho * FineScale));
        message.SetM((long)Math.Round(slice.M * FineScale));
        message.SetSigma((long)Math.Round(slice.Sigma * FineScale));
        batch.Take(message.EncodedLength);
    }

    public void Rate(Currency currency, double rate)
    {
        InterestRateEncoder message = InterestRateEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.CurrencyId = currency.Id;
        message.SetRate((long)Math.Round(rate * PriceScale));
        batch.Take(message.EncodedLength);
    }

    /// <summary>Rate of the funding period that runs, part of notional; positive: longs pay.</summary>
    public void AnnounceFunding(Contract perpetual, double rate)
    {
        FundingRateEncoder message = FundingRateEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = perpetual.Id;
        message.SetRate((long)Math.Round(rate * PriceScale));
        batch.Take(message.EncodedLength);
    }

    /// <summary>Funding of the period that ends, at the mark.</summary>
    public void PayFunding(Contract perpetual, double rate)
    {
        FundingPaymentEncoder message = FundingPaymentEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = perpetual.Id;
        message.SetRate((long)Math.Round(rate * PriceScale));
        message.SetPrice(null);
        batch.Take(message.EncodedLength);
    }

    public void Time(long nanos)
    {
        TimeTickEncoder message = TimeTickEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.Time = (ulong)nanos;
        batch.Take(message.EncodedLength);
    }

    public void Settle(Expiry expiry, double price)
    {
        ExpirySettlementEncoder message = ExpirySettlementEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = expiry.Asset.Id;
        message.Expiry = (ulong)expiry.Nanos;
        message.SetPrice(OnWire(price, 100));
        batch.Take(message.EncodedLength);
    }

    public void Open(ulong accountId, ushort modelId)
    {
        AccountOpenEncoder message = AccountOpenEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.ModelId = modelId;
        batch.Take(message.EncodedLength);
    }

    /// <param name="atoms">Units of 10^-decimals of the currency; negative is a withdrawal.</param>
    public void Transfer(ulong accountId, Currency currency, long atoms, ulong transferId)
    {
        CollateralTransferEncoder message = CollateralTransferEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.CurrencyId = currency.Id;
        message.SetAmount(atoms, Exponent(currency));
        message.TransferId = transferId;
        batch.Take(message.EncodedLength);
    }

    public void Fill(ulong accountId, Contract contract, long lots, double price, long feeAtoms, ulong orderId, ulong tradeId)
        => FillAt(accountId, contract, lots, OnWire(price, PriceScale), tradeId, feeAtoms, orderId);

    public void FillAt(ulong accountId, Contract contract, long lots, long priceE8, ulong tradeId, long feeAtoms = 0, ulong orderId = 0)
    {
        FillEncoder message = FillEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.InstrumentId = contract.Id;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(priceE8);
        message.SetFee(feeAtoms, Exponent(contract.Settlement));
        message.OrderId = orderId;
        message.TradeId = tradeId;
        batch.Take(message.EncodedLength);
    }

    public void LiquidationFill(
        ulong accountId, Contract contract, long lots, long priceE8, long feeAtoms, ulong liquidationId, ulong tradeId)
    {
        LiquidationFillEncoder message = LiquidationFillEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.InstrumentId = contract.Id;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(priceE8);
        message.SetFee(feeAtoms, Exponent(contract.Settlement));
        message.LiquidationId = liquidationId;
        message.TradeId = tradeId;
        batch.Take(message.EncodedLength);
    }

    public void OpenOrder(in RestingOrder order)
    {
        OrderOpenEncoder message = OrderOpenEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = order.AccountId;
        message.InstrumentId = order.Contract.Id;
        message.Side = order.Lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(order.Lots);
        message.SetPrice(OnWire(order.Price, PriceScale));
        message.OrderId = order.OrderId;
        batch.Take(message.EncodedLength);
    }

    public void CancelOrder(ulong accountId, ulong orderId)
    {
        OrderCancelEncoder message = OrderCancelEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.OrderId = orderId;
        batch.Take(message.EncodedLength);
    }

    public void Check(ulong accountId, Contract contract, long lots, double price, ulong correlationId)
    {
        PreTradeCheckEncoder message = PreTradeCheckEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.InstrumentId = contract.Id;
        message.Side = lots > 0 ? Side.Buy : Side.Sell;
        message.Quantity = Math.Abs(lots);
        message.SetPrice(OnWire(price, PriceScale));
        message.CorrelationId = correlationId;
        batch.Take(message.EncodedLength);
    }

    /// <summary>The nearest multiple of 1/steps, in 1e-8; at least the smallest.</summary>
    internal static long OnWire(double price, double steps)
    {
        if (!(price > 0 && price < 9e9))
            throw new InvalidOperationException($"the price path gave {price}");
        long unit = (long)(PriceScale / steps);
        return Math.Max(1, (long)Math.Round(price * steps)) * unit;
    }

    private static sbyte Exponent(Currency currency) => (sbyte)-currency.Decimals;
}

/// <summary>An order of the script that rests at the venue; lots are signed.</summary>
public readonly record struct RestingOrder(ulong OrderId, ulong AccountId, Contract Contract, long Lots, double Price);
