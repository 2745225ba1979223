// Who holds what, kept from the messages themselves: every fill has two sides, so each contract sums to zero over all accounts. Used by
// the liquidation desk to never close more than is there, and by tests.

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Signed lots by account and instrument. Learns the expiry of an instrument from its definition, and forgets settled ones.
/// </summary>
public sealed class PositionBook
{
    private readonly Dictionary<(ulong Account, uint Instrument), long> _lots = [];
    private readonly Dictionary<(ushort Underlying, ulong Expiry), List<uint>> _byExpiry = [];

    /// <summary>Positions that are not flat.</summary>
    public int Count => _lots.Count;

    public long LotsOf(ulong account, uint instrument) => _lots.GetValueOrDefault((account, instrument));

    /// <summary>Instruments whose lots do not sum to zero over all accounts, with their sum.</summary>
    public IReadOnlyDictionary<uint, long> Imbalances()
        => _lots.GroupBy(entry => entry.Key.Instrument)
            .Select(group => (group.Key, Sum: group.Sum(entry => entry.Value)))
            .Where(entry => entry.Sum != 0)
            .ToDictionary(entry => entry.Key, entry => entry.Sum);

    public IEnumerable<(uint Instrument, long Lots)> Of(ulong account)
        => _lots.Where(entry => entry.Key.Account == account).Select(entry => (entry.Key.Instrument, entry.Value));

    /// <summary>Takes note of fills, settlements and definitions; other messages change nothing here.</summary>
    public void Apply(ReadOnlySpan<byte> message)
    {
        switch (OriginStamp.TemplateOf(message))
        {
            case FillDecoder.TemplateId when FillDecoder.TryWrap(message, out FillDecoder fill):
                Add(fill.AccountId, fill.InstrumentId, fill.Side, fill.Quantity);
                break;
            case LiquidationFillDecoder.TemplateId when LiquidationFillDecoder.TryWrap(message, out LiquidationFillDecoder fill):
                Add(fill.AccountId, fill.InstrumentId, fill.Side, fill.Quantity);
                break;
            case InstrumentDefinitionDecoder.TemplateId
                when InstrumentDefinitionDecoder.TryWrap(message, out InstrumentDefinitionDecoder definition):
                Define(definition.UnderlyingId, definition.Expiry, definition.InstrumentId);
                break;
            case ExpirySettlementDecoder.TemplateId when ExpirySettlementDecoder.TryWrap(message, out ExpirySettlementDecoder settlement):
                Settle(settlement.UnderlyingId, settlement.Expiry);
                break;
            default:
                break;
        }
    }

    private void Add(ulong account, uint instrument, Side side, long quantity)
    {
        long lots = LotsOf(account, instrument) + (side == Side.Buy ? quantity : -quantity);
        if (lots == 0)
            _lots.Remove((account, instrument));
        else
            _lots[(account, instrument)] = lots;
    }

    private void Define(ushort underlying, ulong? expiry, uint instrument)
    {
        if (expiry is not ulong time)
            return;
        if (!_byExpiry.TryGetValue((underlying, time), out List<uint>? instruments))
            _byExpiry.Add((underlying, time), instruments = []);
        instruments.Add(instrument);
    }

    private void Settle(ushort underlying, ulong expiry)
    {
        if (!_byExpiry.Remove((underlying, expiry), out List<uint>? instruments))
            return;
        HashSet<uint> gone = [.. instruments];
        foreach ((ulong, uint Instrument) key in _lots.Keys.Where(key => gone.Contains(key.Instrument)).ToArray())
            _lots.Remove(key);
    }
}
