// The independent auditor: adds up lots from the inputs with nothing of the engine but the wire format, and compares.
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Simulate;

/// <summary>Positions as a clerk would keep them: accepted fills, both kinds.</summary>
internal static class Ledger
{
    /// <exception cref="SimulationFailure">The machine's positions are not the sum of its inputs.</exception>
    public static void Check(History history)
    {
        HashSet<ulong> refused = [];
        foreach (byte[] decision in history.Decisions)
        {
            if (RejectDecoder.TryWrap(decision, out RejectDecoder reject))
                refused.Add(reject.Sequence);
        }

        Dictionary<(ulong, uint), long> lots = [];
        foreach (HistoryInput input in history.Inputs)
        {
            if (refused.Contains((ulong)input.Sequence))
                continue;
            if (FillDecoder.TryWrap(input.Message, out FillDecoder fill))
                Add(lots, (fill.AccountId, fill.InstrumentId), fill.Side, fill.Quantity);
            else if (LiquidationFillDecoder.TryWrap(input.Message, out LiquidationFillDecoder closed))
                Add(lots, (closed.AccountId, closed.InstrumentId), closed.Side, closed.Quantity);
        }

        foreach (((ulong account, uint instrument) place, long sum) in lots)
        {
            if (history.Positions.GetValueOrDefault(place) != sum)
                throw new SimulationFailure($"account {place.account} holds {history.Positions.GetValueOrDefault(place)} lots of {place.instrument}; its fills add up to {sum}");
        }

        if (history.Positions.Count != lots.Count(entry => entry.Value != 0))
            throw new SimulationFailure("the machine holds a position that nobody traded");
    }

    private static void Add(Dictionary<(ulong, uint), long> lots, (ulong, uint) place, Side side, long quantity) =>
        lots[place] = lots.GetValueOrDefault(place) + (side == Side.Buy ? quantity : -quantity);
}
