using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The decider: the only code that changes state. One message in, decisions out; the same messages give the same bytes on any machine.
/// No clock, no input or output, no threads; nothing is allocated after construction. Parts by subject: Reference (definitions, rules),
/// Prices, Owners (accounts, their classes' models), Accounts (transfers, fills, orders), Policy, PreTrade, Funding, Settlement,
/// Evaluate (margins, states, publication), Liquidate (instructions, bankruptcy), State (digest).
/// </summary>
/// <remarks>
/// Bad input never throws: it becomes a coded <c>Reject</c> decision and changes nothing. An exception out of <see cref="Apply"/> is a
/// broken invariant and must stop the node.
/// </remarks>
public sealed partial class MarginMachine : IDisposable
{
    /// <summary>Environment variable that lets a processor without fused multiply-add run the machine: same bytes, slowly. For tests.</summary>
    public const string SoftwareSwitch = "MARGIN_ACCEPT_SOFTWARE_FMA";

    // The origin is the first field of every input.
    private const ushort OriginField = IndexPriceDecoder.FieldIds.Origin;

    private readonly Limits _limits;
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly RiskRows _rows;
    private readonly AccountCalculator _calculator;
    private readonly LiquidationPlanner _planner;
    private readonly FillablePrice _fillable;
    private readonly SourceTable _sources;
    private readonly SurfaceUpdate _surface;
    private readonly DecisionWriter _decisions = new();

    private long _now;
    private long _lastHeartbeat;
    private bool _hasMarketTime;
    private long _marketTime;
    private bool _isHalted;
    private bool _isReduceOnly;

    public MarginMachine(Limits limits)
    {
        limits.Validate();
        Kernel.CheckProcessor(acceptSoftware: Environment.GetEnvironmentVariable(SoftwareSwitch) == "1");
        _limits = limits;
        _market = new MarketState(limits);
        _book = new Book(limits, _market);
        _models = new CompiledModel[limits.Models];
        for (int model = 0; model < _models.Length; model++)
        {
            _models[model] = new CompiledModel(limits);
        }

        _parameters = new ModelParameters(limits);
        _rows = new RiskRows(limits, _market, _models);
        UnitCalculator units = new(limits, _market, _book, _models, _rows);
        _calculator = new AccountCalculator(limits, _market, _book, _models, units, _rows);
        _planner = new LiquidationPlanner(limits, _market, _book, _models, _rows, _calculator);
        _fillable = new FillablePrice(_market, _book, units);
        _sources = new SourceTable(limits.Sources);
        _surface = new SurfaceUpdate(limits, _market);
        _crossings = new CrossingIndex(limits, _market.Moves);
        _movedUnderlyings = new bool[limits.Underlyings];
        _fillablePrices = new long[limits.Legs];
        _shares = new Share[Limits.DeleveragingShares];
        _classes = new AccountClasses(limits);
    }

    /// <summary>Sequence of the newest input applied; 0: none.</summary>
    public long LastSequence { get; private set; }

    /// <summary>Stamped time of it.</summary>
    public long LastTime => _now;

    /// <summary>Epoch of the records being applied; the caller sets it before <see cref="Apply"/> where it changes.</summary>
    public uint Epoch { get; set; } = 1;

    /// <summary>Running digest of every decision byte so far.</summary>
    public ulong DecisionDigest => _decisions.Digest;

    public ulong DecisionCount => _decisions.Count;

    public ulong RejectCount => _decisions.Rejects;

    public int AccountCount => _book.AccountCount;

    public int PositionCount => _book.PositionCount;

    /// <summary>Account evaluations so far that were published or could have been.</summary>
    public long Evaluations { get; private set; }

    /// <summary>Greatest age, in stamped nanoseconds, that any published margin had when the last round of refreshes came to its account. A gauge, no state.</summary>
    public long OldestMarginNanos { get; private set; }

    /// <summary>Accounts looked at besides, only to see whether their state changes. Depends on <see cref="IsExhaustive"/>; no decision does.</summary>
    public long Looks { get; private set; }

    /// <summary>Looks at every account with every move of the market, in place of those alone whose state can have changed. The decisions are the same.</summary>
    public bool IsExhaustive { get; set; }

    /// <summary>The last sequence taken from a source, 0: none. The next it sends must be one more.</summary>
    public ulong LastSourceSequence(ushort source) => _sources.Last(source);

    public void Dispose() => _rows.Dispose();

    /// <summary>Applies one input. Decisions go to <paramref name="sink"/> in a fixed order before this returns.</summary>
    /// <param name="sequence">One more than the last.</param>
    /// <param name="timestampNanos">When the engine took it; never before the last.</param>
    /// <param name="message">The SBE bytes as they came.</param>
    public void Apply(long sequence, long timestampNanos, ReadOnlySpan<byte> message, IDecisionSink sink)
    {
        Check.That(sequence == LastSequence + 1);
        Check.That(timestampNanos >= _now);
        LastSequence = sequence;
        _now = timestampNanos;
        if (_lastHeartbeat == 0)
        {
            _lastHeartbeat = timestampNanos;
        }

        ActivateModels();
        _market.ListsTouched = AnyModelWantsEveryMove();
        SbeError error = Schema.Validate(message, out ushort fieldId);
        OriginFields origin = Origin(message);
        _decisions.Begin(sink, new Cause(sequence, timestampNanos, origin.EventTime));
        if (!_hasMarketTime)
        {
            AdvanceValuation(timestampNanos);
        }

        if (error != SbeError.None)
        {
            _decisions.Reject(origin.Source, origin.Sequence, origin.TemplateId, CodeOf(error), fieldId, 0);
        }
        else if (IsNext(origin))
        {
            _faultPlace = 0;
            RejectCode code = Dispatch(origin.TemplateId, message, out fieldId);
            if (code != 0)
            {
                _decisions.Reject(origin.Source, origin.Sequence, origin.TemplateId, code, fieldId, _faultPlace);
            }
        }

        if (origin.IsEndOfEvent || _pendingMessages >= _limits.EventMessages)
        {
            Evaluate();
        }

        BeatWhenDue();
    }

    /// <summary>What the machine answers a structural error with; the gateway uses the same table.</summary>
    public static RejectCode CodeOf(SbeError error) => error switch
    {
        SbeError.WrongTemplate => RejectCode.UnknownTemplate,
        SbeError.WrongSchema => RejectCode.WrongSchema,
        SbeError.NullInRequired or SbeError.BelowMinimum or SbeError.AboveMaximum or SbeError.UnknownEnumValue or SbeError.UnknownChoice
            or SbeError.CountOutOfRange or SbeError.LengthOutOfRange or SbeError.InvalidText => RejectCode.OutOfRange,
        _ => RejectCode.Malformed,
    };

    private RejectCode Dispatch(ushort templateId, ReadOnlySpan<byte> message, out ushort fieldId)
    {
        fieldId = 0;
        return templateId switch
        {
            CurrencyDefinitionDecoder.TemplateId => OnCurrency(message, out fieldId),
            UnderlyingDefinitionDecoder.TemplateId => OnUnderlying(message, out fieldId),
            InstrumentDefinitionDecoder.TemplateId => OnInstrument(message, out fieldId),
            MarginModelDecoder.TemplateId => OnModel(message, out fieldId),
            MarginModelPartDecoder.TemplateId => OnModelPart(message, out fieldId),
            OperatorCommandDecoder.TemplateId => OnCommand(message, out fieldId),
            SigningKeyDecoder.TemplateId => OnSigningKey(message, out fieldId),
            IndexPriceDecoder.TemplateId => OnIndexPrice(message, out fieldId),
            ForwardPriceDecoder.TemplateId => OnForwardPrice(message, out fieldId),
            MarkPriceDecoder.TemplateId => OnMarkPrice(message, out fieldId),
            MarkVolatilityDecoder.TemplateId => OnMarkVolatility(message, out fieldId),
            VolatilitySliceDecoder.TemplateId => OnVolatilitySlice(message, out fieldId),
            VolatilityGridDecoder.TemplateId => OnVolatilityGrid(message, out fieldId),
            InterestRateDecoder.TemplateId => OnInterestRate(message, out fieldId),
            ExpiryRateDecoder.TemplateId => OnExpiryRate(message, out fieldId),
            TimeTickDecoder.TemplateId => OnTimeTick(message, out fieldId),
            ExpirySettlementDecoder.TemplateId => OnSettlement(message, out fieldId),
            AccountOpenDecoder.TemplateId => OnAccountOpen(message, out fieldId),
            AccountConfigureDecoder.TemplateId => OnAccountConfigure(message, out fieldId),
            CollateralTransferDecoder.TemplateId => OnTransfer(message, out fieldId),
            FillDecoder.TemplateId => OnFill(message, out fieldId),
            OrderOpenDecoder.TemplateId => OnOrderOpen(message, out fieldId),
            OrderCancelDecoder.TemplateId => OnOrderCancel(message, out fieldId),
            LiquidationFillDecoder.TemplateId => OnLiquidationFill(message, out fieldId),
            OwnerTransferDecoder.TemplateId => OnOwnerTransfer(message, out fieldId),
            AccountClassDecoder.TemplateId => OnAccountClass(message, out fieldId),
            FundingPaymentDecoder.TemplateId => OnFundingPayment(message, out fieldId),
            FundingRateDecoder.TemplateId => OnFundingRate(message, out fieldId),
            MarkArrayDecoder.TemplateId => OnMarkArray(message, out fieldId),
            OpenInterestDecoder.TemplateId => OnOpenInterest(message, out fieldId),
            SettlementFeesDecoder.TemplateId => OnSettlementFees(message, out fieldId),
            PreTradeCheckDecoder.TemplateId => OnPreTradeCheck(message, out fieldId),
            _ => RejectCode.UnknownTemplate,
        };
    }

    // A source's sequence must be the last plus one; anything else is named and changes nothing.
    private bool IsNext(in OriginFields origin)
    {
        ulong last = _sources.Last(origin.Source);
        if (origin.Sequence == last + 1)
        {
            if (_sources.TryAdvance(origin.Source, origin.Sequence))
            {
                return true;
            }

            _decisions.Reject(origin.Source, origin.Sequence, origin.TemplateId, RejectCode.Capacity, OriginField, 0);
            return false;
        }

        RejectCode code = origin.Sequence == last ? RejectCode.Duplicate
            : origin.Sequence < last ? RejectCode.OutOfOrder
            : RejectCode.SequenceGap;
        _decisions.Reject(origin.Source, origin.Sequence, origin.TemplateId, code, OriginField, last + 1);
        return false;
    }

    private void BeatWhenDue()
    {
        if (_now - _lastHeartbeat < Limits.HeartbeatNanos)
        {
            return;
        }

        _lastHeartbeat = _now;
        DoubtDigests();
        _decisions.Heartbeat(Epoch, _book, StateDigest(), _isHalted, _sources);
    }

    /// <summary>The header and origin every input starts with, as far as the bytes reach.</summary>
    private readonly record struct OriginFields(ushort TemplateId, ushort Source, ulong Sequence, ulong EventTime, bool IsEndOfEvent);

    private static OriginFields Origin(ReadOnlySpan<byte> message)
    {
        // The origin is the first field of every input, so its place does not depend on the template; see schema.xml.
        if (!MessageHeaderDecoder.TryWrap(message, out MessageHeaderDecoder header))
        {
            return default;
        }

        if (message.Length < MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength || header.BlockLength < OriginDecoder.EncodedLength)
        {
            return new OriginFields(header.TemplateId, 0, 0, 0, false);
        }

        OriginDecoder.TryWrap(message[MessageHeaderDecoder.EncodedLength..], out OriginDecoder origin);
        return new OriginFields(
            header.TemplateId, origin.Source, origin.Sequence, origin.EventTime, (origin.Flags & OriginFlags.EndOfEvent) != 0);
    }
}
