using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Volatility grids: checked alone where they arrive, against their neighbours at the end of the event.</content>
public sealed partial class MarginMachine
{
    private RejectCode OnVolatilityGrid(ReadOnlySpan<byte> message, out ushort field)
    {
        VolatilityGridDecoder.TryWrap(message, out VolatilityGridDecoder grid);
        RejectCode code = FindLiveExpiry(grid.UnderlyingId, grid.Expiry, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        field = VolatilityGridDecoder.FieldIds.Nodes;
        if (grid.Nodes.Count is < VarianceGrid.FewestNodes or > VarianceGrid.MostNodes)
        {
            return RejectCode.OutOfRange;
        }

        _market.Grids.Read(grid.Nodes);
        GridFault fault = _market.Grids.Arrived.Check(_market.YearsTo(index));
        if (fault != GridFault.None)
        {
            // The last good surface stays in force.
            field = fault == GridFault.NodesOutOfOrder
                ? VolatilityGridDecoder.NodesDecoder.Entry.FieldIds.LogMoneyness
                : VolatilityGridDecoder.NodesDecoder.Entry.FieldIds.Volatility;
            return RejectCode.Arbitrage;
        }

        if (!_surface.TryStage(index, grid, PriceClock))
        {
            return RejectCode.Capacity;
        }

        _pendingMessages++;
        return default;
    }
}
