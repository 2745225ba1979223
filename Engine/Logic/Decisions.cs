using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Takes the machine's decisions, one whole SBE message a call; the bytes are valid during the call only.</summary>
public interface IDecisionSink
{
    void OnDecision(ReadOnlySpan<byte> message);
}

/// <summary>What stamps every decision of one input: its sequence, when the engine took it, when it happened at its source.</summary>
public readonly record struct Cause(long Sequence, long Time, ulong EventTime);

/// <summary>
/// Writes decisions into one reused buffer and hands them to the sink. Keeps the running digest of all decision bytes, by which a
/// replay and a standby show that they decided the same.
/// </summary>
public sealed partial class DecisionWriter
{
    private readonly byte[] _buffer = new byte[Limits.MessageBytes];
    private Digest64 _digest = new(0);
    private IDecisionSink? _sink;

    public Cause Cause { get; private set; }

    /// <summary>Decisions handed out so far.</summary>
    public ulong Count { get; private set; }

    public ulong Rejects { get; private set; }

    public ulong Digest => _digest.Value;

    public void Begin(IDecisionSink sink, in Cause cause)
    {
        _sink = sink;
        Cause = cause;
    }

    public void Update(in Account account, CompiledModel rules, MarketState market, MarginFlags flags)
    {
        AccountMargin margin = account.Margin;
        MarginUpdateEncoder update = MarginUpdateEncoder.Wrap(_buffer);
        update.Sequence = (ulong)Cause.Sequence;
        update.Time = (ulong)Cause.Time;
        update.CauseTime = Cause.EventTime;
        update.AccountId = account.Id;
        update.SetEquity(margin.Equity);
        update.SetGrossEquity(margin.GrossEquity);
        update.SetInitialMargin(margin.Initial);
        update.SetMaintenanceMargin(margin.Maintenance);
        update.SetRatio(margin.RatioE8);
        update.SetBuyingPower(margin.BuyingPower);
        update.SetWorstLoss(margin.WorstLoss);
        if (margin.WorstRow >= 0)
        {
            update.WorstRow = (ushort)margin.WorstRow;
            update.WorstUnderlyingId = market.UnderlyingAt(margin.WorstUnderlying).Id;
            update.SetWorstSpotShock(rules.ReportedShockE8(margin.WorstUnderlying, margin.WorstRow, market.UnderlyingAt(margin.WorstUnderlying).IndexE8));
            update.WorstVolatilityShock = rules.VolatilityShocks[margin.WorstRow];
        }

        update.State = account.State;
        update.ModelId = rules.Id;
        update.ModelVersion = rules.Version;
        update.Flags = flags;
        update.SetDelta(margin.Greeks.Delta);
        update.SetGamma(margin.Greeks.Gamma);
        update.SetVega(margin.Greeks.Vega);
        update.SetTheta(margin.Greeks.Theta);
        update.SetRho(margin.Greeks.Rho);
        Send(update.EncodedLength);
    }

    public void Compare(in Account account, CompiledModel inForce, CompiledModel next, in AccountMargin nextMargin)
    {
        ModelComparisonEncoder comparison = ModelComparisonEncoder.Wrap(_buffer);
        comparison.Sequence = (ulong)Cause.Sequence;
        comparison.Time = (ulong)Cause.Time;
        comparison.AccountId = account.Id;
        comparison.ModelId = inForce.Id;
        comparison.ModelVersion = inForce.Version;
        comparison.NextVersion = next.Version;
        comparison.SetEquity(account.Margin.Equity);
        comparison.SetInitialMargin(account.Margin.Initial);
        comparison.SetMaintenanceMargin(account.Margin.Maintenance);
        comparison.SetRatio(account.Margin.RatioE8);
        comparison.SetNextEquity(nextMargin.Equity);
        comparison.SetNextInitialMargin(nextMargin.Initial);
        comparison.SetNextMaintenanceMargin(nextMargin.Maintenance);
        comparison.SetNextRatio(nextMargin.RatioE8);
        Send(comparison.EncodedLength);
    }

    public void Call(in Account account, AccountState previous, MarginFlags flags, long shortfall)
    {
        MarginCallEncoder call = MarginCallEncoder.Wrap(_buffer);
        call.Sequence = (ulong)Cause.Sequence;
        call.Time = (ulong)Cause.Time;
        call.CauseTime = Cause.EventTime;
        call.AccountId = account.Id;
        call.State = account.State;
        call.PreviousState = previous;
        call.Flags = flags;
        call.SetEquity(account.Margin.Equity);
        call.SetInitialMargin(account.Margin.Initial);
        call.SetMaintenanceMargin(account.Margin.Maintenance);
        call.SetRatio(account.Margin.RatioE8);
        call.SetShortfall(shortfall);
        Send(call.EncodedLength);
    }

    public void Liquidate(in Account account, MarketState market, ReadOnlySpan<Leg> legs, in AccountMargin after, long cost)
    {
        LiquidationInstructionEncoder instruction = LiquidationInstructionEncoder.Wrap(_buffer);
        instruction.Sequence = (ulong)Cause.Sequence;
        instruction.Time = (ulong)Cause.Time;
        instruction.CauseTime = Cause.EventTime;
        instruction.AccountId = account.Id;
        instruction.LiquidationId = (ulong)account.LiquidationId;
        instruction.Attempt = (ushort)Math.Min(account.LiquidationAttempt, ushort.MaxValue);
        if (account.Margin.WorstRow >= 0)
        {
            instruction.WorstRow = (ushort)account.Margin.WorstRow;
            instruction.WorstUnderlyingId = market.UnderlyingAt(account.Margin.WorstUnderlying).Id;
        }

        instruction.Flags = account.Margin.Flags;
        instruction.SetEquity(account.Margin.Equity);
        instruction.SetMaintenanceMargin(account.Margin.Maintenance);
        instruction.SetRatio(account.Margin.RatioE8);
        instruction.SetExpectedMaintenanceMargin(after.Maintenance);
        instruction.SetExpectedCost(cost);
        LiquidationInstructionEncoder.LegsEncoder group = instruction.LegsCount(legs.Length);
        for (int index = 0; index < legs.Length; index++)
        {
            ref readonly Leg leg = ref legs[index];
            LiquidationInstructionEncoder.LegsEncoder.Entry entry = group[index];
            entry.InstrumentId = market.InstrumentAt(leg.Instrument).Id;
            entry.Side = leg.Lots > 0 ? Side.Sell : Side.Buy;
            entry.Quantity = Math.Abs(leg.Lots);
            entry.SetMarkPrice(Math.Max(leg.MarkE8, 1));
        }

        Send(instruction.EncodedLength);
    }

    public void Answer(
        in Account account, ushort source, ulong correlationId, Verdict verdict, long initialAfter, long maintenanceAfter, long buyingPowerAfter)
    {
        PreTradeAnswerEncoder answer = PreTradeAnswerEncoder.Wrap(_buffer);
        answer.Sequence = (ulong)Cause.Sequence;
        answer.Time = (ulong)Cause.Time;
        answer.CauseTime = Cause.EventTime;
        answer.AccountId = account.Id;
        answer.CorrelationId = correlationId;
        answer.Source = source;
        answer.Verdict = verdict;
        answer.State = account.State;
        answer.SetEquity(account.Margin.Equity);
        answer.SetInitialMargin(account.Margin.Initial);
        answer.SetInitialMarginAfter(initialAfter);
        answer.SetMaintenanceMarginAfter(maintenanceAfter);
        answer.SetBuyingPowerAfter(buyingPowerAfter);
        Send(answer.EncodedLength);
    }

    public void Reject(ushort source, ulong sourceSequence, ushort templateId, RejectCode code, ushort fieldId, ulong expected)
    {
        RejectEncoder reject = RejectEncoder.Wrap(_buffer);
        reject.Sequence = (ulong)Cause.Sequence;
        reject.Time = (ulong)Cause.Time;
        reject.Source = source;
        reject.SourceSequence = sourceSequence;
        reject.RefusedTemplateId = templateId;
        reject.Code = code;
        reject.FieldId = fieldId;
        reject.Expected = expected;
        Rejects++;
        Send(reject.EncodedLength);
    }

    public void Fund(ulong accountId, FundEventKind kind, long amount, long balance)
    {
        FundEventEncoder fund = FundEventEncoder.Wrap(_buffer);
        fund.Sequence = (ulong)Cause.Sequence;
        fund.Time = (ulong)Cause.Time;
        fund.AccountId = accountId;
        fund.Kind = kind;
        fund.SetAmount(amount);
        fund.SetBalance(balance);
        Send(fund.EncodedLength);
    }

    public void Deleverage(ulong accountId, long uncovered, ReadOnlySpan<Share> shares, Book book)
    {
        DeleveragingEncoder deleveraging = DeleveragingEncoder.Wrap(_buffer);
        deleveraging.Sequence = (ulong)Cause.Sequence;
        deleveraging.Time = (ulong)Cause.Time;
        deleveraging.AccountId = accountId;
        deleveraging.SetUncovered(uncovered);
        DeleveragingEncoder.SharesEncoder group = deleveraging.SharesCount(shares.Length);
        for (int index = 0; index < shares.Length; index++)
        {
            DeleveragingEncoder.SharesEncoder.Entry entry = group[index];
            entry.AccountId = book.AccountAt(shares[index].Account).Id;
            entry.SetAmount(shares[index].Amount);
        }

        Send(deleveraging.EncodedLength);
    }

    /// <summary>Profits of one lot at 10^-(decimals + 4): finer than an atom, because a lot can be small.</summary>
    public void Risk(in Instrument contract, CompiledModel rules, in Currency currency, in LotRisk risk, ReadOnlySpan<double> row)
    {
        RiskArrayEncoder array = RiskArrayEncoder.Wrap(_buffer);
        array.Sequence = (ulong)Cause.Sequence;
        array.Time = (ulong)Cause.Time;
        array.InstrumentId = contract.Id;
        array.ModelId = rules.Id;
        array.CurrencyId = currency.Id;
        array.Exponent = (sbyte)-(currency.Decimals + 4);
        array.ModelVersion = rules.Version;
        array.SetMarkPrice(contract.MarkE8 == 0 ? null : contract.MarkE8);
        array.Value = Fixed.ToAtoms(risk.Value * 1e4);
        array.Delta = Fixed.ToAtoms(risk.DeltaBase * 1e9);
        RiskArrayEncoder.RowsEncoder rows = array.RowsCount(rules.RowCount);
        for (int index = 0; index < rules.RowCount; index++)
        {
            RiskArrayEncoder.RowsEncoder.Entry entry = rows[index];
            entry.Profit = Fixed.ToAtoms(row[index] * 1e4);
        }

        Send(array.EncodedLength);
    }

    public void Heartbeat(uint epoch, Book book, ulong stateDigest, bool isHalted, SourceTable sources)
    {
        HeartbeatEncoder heartbeat = HeartbeatEncoder.Wrap(_buffer);
        heartbeat.Sequence = (ulong)Cause.Sequence;
        heartbeat.Time = (ulong)Cause.Time;
        heartbeat.Epoch = epoch;
        heartbeat.Accounts = (uint)book.AccountCount;
        heartbeat.Positions = (uint)book.PositionCount;
        heartbeat.StateDigest = stateDigest;
        heartbeat.DecisionDigest = Digest;
        heartbeat.Decisions = Count;
        heartbeat.Rejects = Rejects;
        heartbeat.Halted = (byte)(isHalted ? 1 : 0);
        HeartbeatEncoder.SourcesEncoder group = heartbeat.SourcesCount(sources.Count);
        for (int index = 0; index < sources.Count; index++)
        {
            HeartbeatEncoder.SourcesEncoder.Entry entry = group[index];
            entry.Source = sources.SourceAt(index);
            entry.LastSequence = sources.Last(sources.SourceAt(index));
        }

        Send(heartbeat.EncodedLength);
    }

    private void Send(int length)
    {
        ReadOnlySpan<byte> message = _buffer.AsSpan(0, length);
        Count++;
        AddToDigest(message);
        _sink!.OnDecision(message);
    }
}
