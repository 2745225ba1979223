// Funding of the stand-in's perpetuals: a rate that follows the premium, paid every eight hours of market time. Deterministic: prices of the
// board decide. Used by the script; the set-up announces the first rates.

using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>Says when funding is due and writes it: first the payment at the rate that ran, then the rate of the next period.</summary>
internal sealed class FundingSchedule
{
    private const long Period = 8 * UnixTime.Hour;

    /// <summary>What longs pay where a perpetual stands at its index.</summary>
    private const double Usual = 0.0001;
    private const double Largest = 0.0005;

    private readonly Board _board;
    private readonly Dictionary<uint, double> _running = [];
    private long _next;

    /// <param name="board">Stands at its first prices.</param>
    public FundingSchedule(Board board)
    {
        _board = board;
        _next = NextAfter(board.Now);
        foreach (Contract perpetual in Perpetuals())
            _running[perpetual.Id] = RateOf(perpetual);
    }

    public bool IsDue => _board.Now >= _next;

    /// <summary>Part of notional a period at the prices of now; positive: longs pay.</summary>
    public static double RateOf(Contract perpetual) => Math.Clamp(Usual + (perpetual.Mark / perpetual.Asset.Index - 1) / 4, -Largest, Largest);

    /// <summary>One event; the payment of a period that nobody looked at in time comes once.</summary>
    public void Write(MessageWriter writer)
    {
        foreach (Contract perpetual in Perpetuals())
        {
            writer.PayFunding(perpetual, _running[perpetual.Id]);
            _running[perpetual.Id] = RateOf(perpetual);
            writer.AnnounceFunding(perpetual, _running[perpetual.Id]);
        }

        _next = NextAfter(_board.Now);
    }

    private static long NextAfter(long nanos) => (nanos / Period + 1) * Period;

    private IEnumerable<Contract> Perpetuals() => _board.Assets.SelectMany(asset => asset.Perpetuals);
}
