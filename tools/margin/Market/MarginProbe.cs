// Asks a margin machine of its own what a book requires, before it is opened at the real one. Used by BookFactory alone.

using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Market;

/// <summary>
/// A machine with the board's first prices in it. Every account opened here holds a loan, so that none is short while it is asked.
/// </summary>
internal sealed class MarginProbe : IDecisionSink, IDisposable
{
    private const long Loan = 10_000_000_000_000_000;
    private const int ProviderPositions = 8_192;

    /// <summary>Holds the loan and nothing else: under some models a dollar is not worth a dollar.</summary>
    private const ulong Lender = ulong.MaxValue - 1;

    private readonly Board _board;
    private readonly BookPlan _plan;
    private readonly MarginMachine _machine;
    private readonly MessageWriter _writer = new(new MessageBatch());
    private readonly OriginStamp _stamp = new(1);
    private readonly Dictionary<ulong, (long Maintenance, long Equity)> _margins = [];
    private readonly long _loanValue;
    private long _time = 1;
    private ulong _ids;

    public MarginProbe(Board board, IPricePath path, BookPlan plan)
    {
        _board = board;
        _plan = plan;
        int positions = plan.Accounts * Math.Max(6, plan.PositionsPerAccount) + plan.LiquidityProviders * ProviderPositions;
        _machine = new MarginMachine(new Limits
        {
            Accounts = plan.Accounts + plan.LiquidityProviders + 2,
            Units = 4 * plan.Accounts + 64,
            Positions = positions,
            Orders = 16,
            Instruments = Math.Max(64, board.Contracts.Count),
            Models = 1,
        });
        SetupWriter.Definitions(_writer, board);
        SetupWriter.Model(_writer, board, plan.Model, plan.ModelId);
        Apply();
        SetupWriter.Prices(_writer, board, path);
        Apply();
        _writer.Open(Lender, plan.ModelId);
        _writer.Transfer(Lender, board.Currencies[0], Loan, ++_ids);
        for (ulong provider = 1; provider <= (ulong)plan.LiquidityProviders; provider++)
        {
            _writer.Open(provider, plan.ModelId);
            _writer.Transfer(provider, board.Currencies[0], Loan, ++_ids);
        }
        Apply();
        _loanValue = _margins[Lender].Equity;
    }

    /// <summary>Opens the book with its fills, without its collateral: maintenance margin and equity in micro-USD.</summary>
    public (long Maintenance, long Equity) Open(AccountBook book)
    {
        SetupWriter.Account(_writer, _board, book with { Deposits = [new Deposit(_board.Currencies[0], Loan)] }, _plan.ModelId, null,
            contract => contract.Id % (uint)_plan.LiquidityProviders + 1, ref _ids);
        Apply();
        return MarginOf(book.AccountId);
    }

    /// <summary>Puts the collateral in beside the loan: micro-USD that are missing for a maintenance ratio of at most that.</summary>
    public long Fund(ulong accountId, IReadOnlyList<Deposit> deposits, double ratio)
    {
        foreach (Deposit deposit in deposits)
            _writer.Transfer(accountId, deposit.Currency, deposit.Atoms, ++_ids);
        Apply();
        (long maintenance, long equity) = MarginOf(accountId);
        return Math.Max(0, (long)Math.Ceiling(maintenance / ratio) - equity);
    }

    /// <summary>What the machine said last of an account, the loan not counted.</summary>
    public (long Maintenance, long Equity) MarginOf(ulong accountId)
    {
        (long maintenance, long equity) = _margins[accountId];
        return (maintenance, equity - _loanValue);
    }

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        switch (OriginStamp.TemplateOf(message))
        {
            case MarginUpdateDecoder.TemplateId when MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update):
                _margins[update.AccountId] = (update.MaintenanceMargin.Mantissa, update.Equity.Mantissa);
                break;
            case RejectDecoder.TemplateId when RejectDecoder.TryWrap(message, out RejectDecoder reject):
                throw CommandFailure.Refused(
                    $"the engine would refuse the opening: {Schema.NameOf(reject.RefusedTemplateId)} {reject.Code} field {reject.FieldId}");
            default:
                break;
        }
    }

    public void Dispose() => _machine.Dispose();

    private void Apply()
    {
        _stamp.Stamp(_writer.Batch, 0);
        for (int i = 0; i < _writer.Batch.Count; i++)
            _machine.Apply(_machine.LastSequence + 1, ++_time, _writer.Batch[i], this);
        _writer.Batch.Clear();
    }
}
