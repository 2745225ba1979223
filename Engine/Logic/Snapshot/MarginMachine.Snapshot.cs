namespace MarginEngine.Logic;

/// <content>
/// The whole state as bytes and back. What is decided from is told first, what follows from it (counts and digests of decisions) last, so that the
/// first difference between two states is nearest to its cause. Risk rows are not in it: they are priced again from the same numbers and come out the same.
/// </content>
public sealed partial class MarginMachine
{
    /// <summary>Changes with every change of what a snapshot holds or in which order: an older one cannot be read.</summary>
    public const int StateVersion = 1;

    private ModelParameters? _clearedParameters;

    /// <summary>Writes the state. Equal states give equal bytes, in whatever slots their records lie.</summary>
    public void Save(StateBlocks into)
    {
        StateStream stream = StateStream.Writer(into);
        Describe(stream);
        stream.Finish();
    }

    /// <summary>A machine with the state that <see cref="Save"/> wrote; from there on the same inputs give the same decisions.</summary>
    /// <param name="limits">Capacities of the machine that wrote it.</param>
    /// <exception cref="StateFormatException">The bytes are no state of such a machine.</exception>
    public static MarginMachine Load(Limits limits, StateBlocks from)
    {
        MarginMachine machine = new(limits);
        try
        {
            StateStream stream = StateStream.Reader(from);
            machine.Describe(stream);
            stream.Finish();
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Which field stands at a byte of what <see cref="Save"/> writes.</summary>
    internal StateField? FieldAt(StateBlocks scratch, long offset)
    {
        StateStream stream = StateStream.Finder(scratch, offset);
        Describe(stream);
        stream.Finish();
        return stream.Found;
    }

    private void Describe(StateStream stream)
    {
        DescribeClocks(stream);
        _market.Describe(stream);
        _surface.Describe(stream);
        DescribeModels(stream);
        _classes.Describe(stream);
        if (!stream.IsReading)
        {
            ForgetUnits();
        }

        _book.Describe(stream);
        DescribeEvent(stream);
        _sources.Describe(stream);
        if (stream.IsReading)
        {
            RestoreRows(stream);
        }
        else
        {
            SaveRows(stream);
        }

        long evaluations = Evaluations;
        stream.Field(ref evaluations, "evaluations");
        Evaluations = evaluations;
        _decisions.Describe(stream);
        _book.DescribeLinks(stream);
        if (stream.IsReading)
        {
            LookAtAll();
        }
    }

    private void DescribeClocks(StateStream stream)
    {
        long sequence = LastSequence;
        uint epoch = Epoch;
        stream.Field(ref sequence, "sequence");
        stream.Field(ref epoch, "epoch");
        LastSequence = sequence;
        Epoch = epoch;
        stream.Field(ref _now, "time");
        stream.Field(ref _lastHeartbeat, "time of the last heartbeat");
        stream.Field(ref _hasMarketTime, "has market time");
        stream.Field(ref _marketTime, "market time");
        stream.Field(ref _isHalted, "is halted");
        stream.Field(ref _isReduceOnly, "is reduce-only");
    }

    // Where the running market event stands, and whose turn it is.
    private void DescribeEvent(StateStream stream)
    {
        stream.Field(ref _pendingMessages, "messages of this event");
        stream.Field(ref _anyIndexMoved, "an index moved in this event");
        for (int underlying = 0; underlying < _market.UnderlyingCount; underlying++)
        {
            stream.Enter("underlying", _market.UnderlyingCodeAt(underlying));
            stream.Field(ref _movedUnderlyings[underlying], "moved in this event");
            stream.Leave();
        }

        stream.Field(ref _refreshCursor, "account refreshed last");
        stream.Field(ref _riskArrayCursor, "instrument of the last risk array");
        stream.Field(ref _lastRiskArray, "time of the last risk array");
    }

    private void DescribeModels(StateStream stream)
    {
        _clearedParameters ??= new ModelParameters(_limits);
        stream.Field(ref _pendingModels, "model versions to come");
        for (int slot = 0; slot < _models.Length; slot++)
        {
            stream.Enter("model slot", (ulong)slot);
            _models[slot].Describe(stream, _market, _clearedParameters);
            stream.Leave();
        }

        stream.Enter("model version that is not whole yet");
        stream.Field(ref _staging.Id, "model");
        stream.Field(ref _staging.Version, "version");
        stream.Field(ref _staging.Parts, "parts taken");
        stream.Field(ref _staging.Total, "parts");
        _staging.Digest.Describe(stream, "digest");
        if (_staging.Id != 0)
        {
            _parameters.Describe(stream, _clearedParameters);
        }

        stream.Leave();
    }

    // A contract without a price counts the notional it had when it was last looked at: the index of then is the one thing
    // about rows that stands nowhere else in the state.
    private void SaveRows(StateStream stream)
    {
        stream.Count(_rows.Remembered().Count(), int.MaxValue, "rows that remember an index");
        foreach (RememberedRow row in _rows.Remembered())
        {
            RememberedRow told = row;
            stream.Enter("row of", _market.SymbolAt(row.Instrument));
            told.Describe(stream);
            stream.Leave();
        }
    }

    private void RestoreRows(StateStream stream)
    {
        int count = stream.Count(0, _models.Length * _market.InstrumentCount, "rows that remember an index");
        for (int index = 0; index < count; index++)
        {
            RememberedRow row = default;
            row.Describe(stream);
            if ((uint)row.Model >= (uint)_models.Length || (uint)row.Instrument >= (uint)_market.InstrumentCount)
            {
                throw new StateFormatException($"the snapshot has a row of model {row.Model} and instrument {row.Instrument}");
            }

            _rows.PriceAt(row);
        }
    }
}

/// <content>A model in a snapshot: its parameters, from which it is compiled again.</content>
public sealed partial class CompiledModel
{
    internal void Describe(StateStream stream, MarketState market, ModelParameters cleared)
    {
        (ushort id, uint version, long activation, bool isCompared) = (Id, Version, Activation, IsCompared);
        (ulong digest, int underlyings, int currencies) = (Digest, KnownUnderlyings, KnownCurrencies);
        stream.Field(ref id, "id");
        stream.Field(ref version, "version");
        stream.Field(ref activation, "activation");
        stream.Field(ref isCompared, "is compared");
        stream.Field(ref digest, "digest");
        (Id, Version, Activation, IsCompared, Digest) = (id, version, activation, isCompared, digest);
        if (id == 0)
        {
            return;
        }

        stream.Bytes(Name, "name");
        stream.Field(ref underlyings, "underlyings known to it");
        stream.Field(ref currencies, "currencies known to it");
        Parameters.Describe(stream, cleared);
        if (stream.IsReading)
        {
            (KnownUnderlyings, KnownCurrencies) = (underlyings, currencies);
            ModelCompiler.Compile(market, this);
        }
    }
}
