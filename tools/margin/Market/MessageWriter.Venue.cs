// Messages that few venues send: grids, account classes, terms of settlement, open interest, marks of options. See MarketOptions.AllMessages.

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Market;

public sealed partial class MessageWriter
{
    private const int BytesOfANode = 16;

    public void Grid(Expiry expiry, VolatilityNodes nodes)
    {
        int count = nodes.VolatilityE8.Count;
        VolatilityGridEncoder message = VolatilityGridEncoder.Wrap(batch.Room(LargestFlat + (count * BytesOfANode)));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = expiry.Asset.Id;
        message.Expiry = (ulong)expiry.Nanos;
        VolatilityGridEncoder.NodesEncoder group = message.NodesCount(count);
        for (int index = 0; index < count; index++)
        {
            VolatilityGridEncoder.NodesEncoder.Entry node = group[index];
            node.SetLogMoneyness(nodes.LogMoneynessE12[index]);
            node.SetVolatility(nodes.VolatilityE8[index]);
        }

        batch.Take(message.EncodedLength);
    }

    /// <param name="leverage">Exposure / equity; null: no limit.</param>
    public void Class(ushort classId, string name, ushort modelId, decimal? leverage)
    {
        AccountClassEncoder message = AccountClassEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.ClassId = classId;
        message.ClassVersion = 1;
        message.SetName(name);
        message.ModelId = modelId;
        message.SetMaximumLeverage(leverage is decimal most ? (long)(most * 100_000_000m) : null);
        message.SetMinimumEquity(0);
        message.Kinds = InstrumentKinds.Spot | InstrumentKinds.Perpetual | InstrumentKinds.Future | InstrumentKinds.Option;
        message.Settlements = Settlements.Linear | Settlements.Inverse;
        message.UnderlyingsCount(0);
        batch.Take(message.EncodedLength);
    }

    /// <summary>Opens an account in a class, whose model it follows.</summary>
    public void OpenIn(ulong accountId, ushort classId)
    {
        AccountOpenEncoder message = AccountOpenEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.AccountId = accountId;
        message.ClassId = classId;
        batch.Take(message.EncodedLength);
    }

    /// <summary>Fees of exercise and assignment as parts of notional, bounded by a part of what the option pays.</summary>
    public void SettlementTerms(Asset asset, decimal fee, decimal cap)
    {
        SettlementFeesEncoder message = SettlementFeesEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.UnderlyingId = asset.Id;
        message.SetExerciseFee((long)(fee * 100_000_000m));
        message.SetAssignmentFee((long)(fee * 100_000_000m));
        message.SetFeeCap((long)(cap * 100_000_000m));
        batch.Take(message.EncodedLength);
    }

    public void Interest(Contract contract, long lots)
    {
        OpenInterestEncoder message = OpenInterestEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = contract.Id;
        message.Quantity = lots;
        batch.Take(message.EncodedLength);
    }

    /// <summary>The venue's mark of an option in its quote.</summary>
    public void OptionMark(Contract option, double price)
    {
        MarkPriceEncoder message = MarkPriceEncoder.Wrap(batch.Room(LargestFlat));
        message.SetOrigin(1, 0, 1, OriginFlags.None);
        message.InstrumentId = option.Id;
        message.SetPrice(Math.Max(1, (long)Math.Round(price * PriceScale)));
        batch.Take(message.EncodedLength);
    }
}
