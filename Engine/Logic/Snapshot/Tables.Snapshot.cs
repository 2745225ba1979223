namespace MarginEngine.Logic;

/// <content>Sources in a snapshot, in the order in which they were first heard.</content>
public sealed partial class SourceTable
{
    internal void Describe(StateStream stream)
    {
        Count = stream.Count(Count, _sources.Length, "sources");
        for (int index = 0; index < Count; index++)
        {
            stream.Enter("source", _sources[index]);
            stream.Field(ref _sources[index], "id");
            stream.Field(ref _last[_sources[index]], "last sequence");
            stream.Leave();
        }
    }
}

/// <content>Classes in a snapshot, in the order in which they were first defined.</content>
public sealed partial class AccountClasses
{
    internal void Describe(StateStream stream)
    {
        Count = stream.Count(Count, _classes.Length, "account classes");
        for (int index = 0; index < Count; index++)
        {
            stream.Enter("class", _classes[index].Id);
            stream.Record(ref _classes[index]);
            stream.Bytes(NameAt(index), "name");
            foreach (ref bool named in UnderlyingsAt(index))
            {
                stream.Field(ref named, "names an underlying");
            }

            stream.Leave();
            if (stream.IsReading)
            {
                Check.That(_ids.TryAdd(_classes[index].Id, index));
            }
        }
    }
}

/// <content>Decisions in a snapshot: how many there were, and their digest.</content>
public sealed partial class DecisionWriter
{
    internal void Describe(StateStream stream)
    {
        (ulong count, ulong rejects) = (Count, Rejects);
        stream.Field(ref count, "decisions");
        stream.Field(ref rejects, "rejects");
        (Count, Rejects) = (count, rejects);
        _digest.Describe(stream, "digest of all decisions");
    }
}

/// <summary>A row in which the index of some time ago counts until its contract changes.</summary>
internal struct RememberedRow
{
    public int Model;
    public int Instrument;
    public long IndexE8;
    public uint IndexFurther;

    public void Describe(StateStream stream)
    {
        stream.Field(ref Model, "model slot");
        stream.Field(ref Instrument, "instrument");
        stream.Field(ref IndexE8, "index");
        stream.Field(ref IndexFurther, "further digits of the index");
    }
}

/// <content>What of the rows a snapshot has to tell.</content>
public sealed unsafe partial class RiskRows
{
    /// <summary>Rows that are up to date and remember an index, by model and instrument.</summary>
    internal IEnumerable<RememberedRow> Remembered()
    {
        for (int model = 0; model < _models.Length; model++)
        {
            for (int instrument = 0; instrument < _market.InstrumentCount && _models[model].Id != 0; instrument++)
            {
                LotRisk risk = _risks[(model * _instruments) + instrument];
                if (risk.RemembersIndex && risk.ModelGeneration == _models[model].Generation
                    && risk.InstrumentVersion == _market.VersionOf(_market.InstrumentAt(instrument)))
                {
                    yield return new RememberedRow
                    {
                        Model = model, Instrument = instrument, IndexE8 = risk.RememberedIndex.E8, IndexFurther = risk.RememberedIndex.Further,
                    };
                }
            }
        }
    }

    /// <summary>Prices a contract as it was priced when its underlying's index was another.</summary>
    internal void PriceAt(in RememberedRow row)
    {
        ref Underlying underlying = ref _market.UnderlyingAt(_market.InstrumentAt(row.Instrument).Underlying);
        FinePrice now = underlying.Price;
        (underlying.IndexE8, underlying.IndexFurther) = (row.IndexE8, row.IndexFurther);
        ref readonly LotRisk risk = ref Price(row.Model, row.Instrument);
        (underlying.IndexE8, underlying.IndexFurther) = (now.E8, now.Further);
        if (!risk.RemembersIndex)
        {
            throw new StateFormatException($"the snapshot says that instrument {row.Instrument} remembers an index under model {row.Model}, and it does not");
        }
    }
}

/// <content>A published array in a snapshot: its rows, as many as the instrument has.</content>
public sealed partial class MarkArrays
{
    internal void Describe(StateStream stream, int instrument, int rows)
    {
        if ((uint)rows > Limits.Rows)
        {
            throw new StateFormatException($"the snapshot has an array of {rows} rows, this machine has room for {Limits.Rows}");
        }

        foreach (ref long profit in _profits.AsSpan(instrument * Limits.Rows, rows))
        {
            stream.Field(ref profit, "row of its array");
        }
    }
}
