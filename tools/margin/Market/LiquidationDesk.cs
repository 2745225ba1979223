// Carries out the engine's liquidation instructions: a few milliseconds later, at the mark with slippage and a fee, against a provider.
// Owned by MatchingCore.

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Market;

/// <summary>Each instruction once, whatever is heard twice; never more lots than the account still holds.</summary>
public sealed class LiquidationDesk
{
    private const long LeastDelayNanos = 2_000_000;
    private const long DelaySpanNanos = 6_000_000;
    private const double MeanSlippage = 0.0004;
    private const double OptionSlippageFactor = 8;
    private const double LargestSlippage = 0.05;

    private readonly Board _board;
    private readonly Population _population;
    private readonly Venue _venue;
    private readonly SeededRandom _random;
    private readonly PriorityQueue<Task, long> _tasks = new();

    // An instruction is numbered by the input it was decided on, and one tick may bring down several accounts.
    private readonly HashSet<(ulong Account, ulong LiquidationId)> _taken = [];
    private readonly HashSet<ulong> _accounts = [];
    private ulong _ids = 3_000_000_000;

    private sealed record Task(ulong Account, ulong LiquidationId, IReadOnlyList<TaskLeg> Legs);

    private readonly record struct TaskLeg(uint Instrument, Side Side, long Quantity, long MarkE8);

    public LiquidationDesk(Board board, Population population, Venue venue, ulong seed)
    {
        _board = board;
        _population = population;
        _venue = venue;
        _random = new SeededRandom(seed).Fork("liquidation");
    }

    /// <summary>Instructions heard, each counted once.</summary>
    public int Instructions => _taken.Count;

    public int Executed { get; private set; }

    /// <summary>Instructions whose legs were gone by the time they were carried out.</summary>
    public int Void { get; private set; }

    public int Legs { get; private set; }

    /// <summary>Accounts that an instruction named.</summary>
    public int Accounts => _accounts.Count;

    public bool IsIdle => _tasks.Count == 0;

    /// <summary>When the next one is due, nanoseconds of the monotonic clock.</summary>
    public long NextDue => _tasks.TryPeek(out _, out long due) ? due : long.MaxValue;

    public void OnInstruction(in LiquidationInstructionDecoder instruction, long nowNanos)
    {
        if (!_taken.Add((instruction.AccountId, instruction.LiquidationId)))
            return;
        var legs = new List<TaskLeg>();
        foreach (LiquidationInstructionDecoder.LegsDecoder.Entry leg in instruction.Legs)
            legs.Add(new TaskLeg(leg.InstrumentId, leg.Side, leg.Quantity, leg.MarkPrice.Mantissa));
        _accounts.Add(instruction.AccountId);
        long delay = LeastDelayNanos + (long)(_random.Unit() * DelaySpanNanos);
        _tasks.Enqueue(new Task(instruction.AccountId, instruction.LiquidationId, legs), nowNanos + delay);
    }

    /// <summary>
    /// Writes the next due execution as one event; false when none is due. An event without messages had nothing left to close.
    /// </summary>
    public bool TryExecute(long nowNanos, MessageWriter writer, out long dueNanos)
    {
        if (!_tasks.TryPeek(out Task? task, out dueNanos) || dueNanos > nowNanos)
            return false;
        _tasks.Dequeue();
        int legs = 0;
        foreach ((uint instrument, Side side, long quantity, long mark) in task.Legs)
        {
            long held = _venue.Positions.LotsOf(task.Account, instrument);
            long open = side == Side.Buy ? Math.Max(0, -held) : Math.Max(0, held);
            long lots = Math.Min(quantity, open);
            if (lots == 0)
                continue;
            if (legs++ == 0)
                CancelOrders(writer, task.Account);
            Execute(writer, task, _board.Contracts[(int)instrument - 1], side == Side.Buy ? lots : -lots, mark);
        }
        Legs += legs;
        if (legs > 0)
            Executed++;
        else
            Void++;
        return true;
    }

    private void CancelOrders(MessageWriter writer, ulong account)
    {
        foreach (ulong order in _venue.KillOrders(account))
            writer.CancelOrder(account, order);
    }

    private void Execute(MessageWriter writer, Task task, Contract contract, long lots, long mark)
    {
        double slippage = Math.Min(LargestSlippage, MeanSlippage * (contract.IsOption ? OptionSlippageFactor : 1) * _random.Exponential());
        long price = Math.Max(1, (long)Math.Round(mark * (lots > 0 ? 1 + slippage : 1 - slippage)));
        ulong trade = ++_ids;
        long fee = Fees.Atoms(contract, lots, price * 1e-8, Fees.Liquidation);
        writer.LiquidationFill(task.Account, contract, lots, price, fee, task.LiquidationId, trade);
        writer.FillAt(_population.ProviderOf(contract).AccountId, contract, -lots, price, trade);
    }
}
