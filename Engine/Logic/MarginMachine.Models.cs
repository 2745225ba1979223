using MarginEngine.Codecs;
using Field = MarginEngine.Codecs.MarginModelPartDecoder.FieldIds;

namespace MarginEngine.Logic;

/// <content>
/// Margin models: collected part by part, checked, compiled, activated at once or at a sequence; a version to come can be compared with the one in
/// force while it waits.
/// </content>
public sealed partial class MarginMachine
{
    private readonly ModelParameters _parameters;
    private Staging _staging;
    private ulong _faultPlace;

    private RejectCode OnModel(ReadOnlySpan<byte> message, out ushort field)
    {
        MarginModelDecoder.TryWrap(message, out MarginModelDecoder model);
        field = FirstModelMessage.FaultyField(model, _market, out RejectCode code);
        if (field != 0)
        {
            return code;
        }

        code = FindSlot(model.ModelId, model.ModelVersion, out int slot);
        if (code != 0)
        {
            field = code == RejectCode.Capacity ? MarginModelDecoder.FieldIds.ModelId : MarginModelDecoder.FieldIds.ModelVersion;
            return code;
        }

        // The message and the parts of another version share one workbench: an unfinished version starts again.
        _staging = default;
        FirstModelMessage.Read(model, _market, _parameters);
        Digest64 digest = new(4);
        digest.Add(message[(MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength)..]);
        CompiledModel into = _models[slot];
        ModelCompiler.Compile(_parameters, _market, into);
        into.Id = model.ModelId;
        into.Version = model.ModelVersion;
        into.Digest = digest.Value;
        into.Name.AsSpan().Clear();
        model.Name.CopyTo(into.Name);
        TouchAccountsOf(slot);
        return default;
    }

    private RejectCode OnModelPart(ReadOnlySpan<byte> message, out ushort field)
    {
        MarginModelPartDecoder.TryWrap(message, out MarginModelPartDecoder part);
        RejectCode code = Collect(part, out field);
        if (code != 0)
        {
            // A version is whole or nothing: after a bad part it starts again at part 1.
            _staging = default;
            return code;
        }

        _staging.Digest.Add(message[(MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength)..]);
        _staging.Parts = part.Part;
        if (part.Part < part.Parts)
        {
            return default;
        }

        code = Complete(part, out field);
        _staging = default;
        return code;
    }

    // Checks that the part is the next of its version and takes its parameters.
    private RejectCode Collect(in MarginModelPartDecoder part, out ushort field)
    {
        field = Field.Part;
        if (part.Part == 1)
        {
            RejectCode code = FindSlot(part.ModelId, part.ModelVersion, out _);
            if (code != 0)
            {
                field = code == RejectCode.Capacity ? Field.ModelId : Field.ModelVersion;
                return code;
            }

            _parameters.Clear();
            _staging = new Staging { Id = part.ModelId, Version = part.ModelVersion, Total = part.Parts, Digest = new Digest64(5) };
        }

        field = Field.Part;
        if (_staging.Id != part.ModelId || _staging.Version != part.ModelVersion || part.Part != _staging.Parts + 1 || part.Part > part.Parts
            || part.Parts != _staging.Total)
        {
            return RejectCode.OutOfOrder;
        }

        field = Field.Parameters;
        foreach (MarginModelPartDecoder.ParametersDecoder.Entry entry in part.Parameters)
        {
            ParameterPlace place = new(entry.Section, entry.Key, entry.First, entry.Second, entry.Third);
            RejectCode code = _parameters.Set(place, entry.Value, _market);
            if (code != 0)
            {
                _faultPlace = place.Packed;
                return code;
            }
        }

        field = 0;
        return default;
    }

    private RejectCode Complete(in MarginModelPartDecoder part, out ushort field)
    {
        field = Field.Parameters;
        int inForce = FindModel(part.ModelId);
        ParameterPlace? fault = ModelCompiler.Fault(_parameters, _market)
            ?? (inForce < 0 ? null : ModelCompiler.FaultyStep(_parameters, _models[inForce], _models[inForce].MaximumStep, _market));
        if (fault is ParameterPlace place)
        {
            _faultPlace = place.Packed;
            return RejectCode.Inconsistent;
        }

        field = Field.Activation;
        long activation = part.Activation > long.MaxValue ? long.MaxValue : (long)part.Activation;
        bool waits = activation > LastSequence && inForce >= 0;
        if (activation != 0 && !waits)
        {
            return inForce < 0 ? RejectCode.UnknownModel : RejectCode.OutOfRange;
        }

        // What waits gives way to something newer only; an immediate version may be older than what waits.
        int waiting = FindPending(part.ModelId);
        if (waits && waiting >= 0 && _models[waiting].Version >= part.ModelVersion)
        {
            field = Field.ModelVersion;
            return RejectCode.Inconsistent;
        }

        field = Field.ModelId;
        int slot = waits ? waiting : inForce;
        slot = slot >= 0 ? slot : FindFree();
        if (slot < 0)
        {
            return RejectCode.Capacity;
        }

        CompiledModel into = _models[slot];
        ModelCompiler.Compile(_parameters, _market, into);
        into.Id = part.ModelId;
        into.Version = part.ModelVersion;
        into.Activation = waits ? activation : 0;
        into.IsCompared = waits && part.IsCompared == 1;
        into.Digest = _staging.Digest.Value;
        into.Name.AsSpan().Clear();
        part.Name.CopyTo(into.Name);
        _pendingModels += waits && slot != inForce ? 1 : 0;
        if (!waits)
        {
            TouchAccountsOf(slot);
        }

        return default;
    }

    private int _pendingModels;

    // Versions whose sequence has come replace those in force, for every account of the model.
    private void ActivateModels()
    {
        if (_pendingModels == 0)
        {
            return;
        }

        _pendingModels = 0;
        for (int slot = 0; slot < _models.Length; slot++)
        {
            if (_models[slot].Activation == 0)
            {
                continue;
            }

            if (_models[slot].Activation > LastSequence)
            {
                _pendingModels++;
                continue;
            }

            int old = FindModel(_models[slot].Id);
            _models[slot].Activation = 0;
            _models[slot].IsCompared = false;
            if (old >= 0 && _models[old].Version >= _models[slot].Version)
            {
                // A newer version came in the meantime and went ahead of this one.
                _models[slot].Id = 0;
                continue;
            }

            for (int account = 0; account < _book.AccountCount && old >= 0; account++)
            {
                if (_book.AccountAt(account).Model == old)
                {
                    _book.ChangeAccount(account).Model = slot;
                }
            }

            if (old >= 0)
            {
                MoveClasses(old, slot);
                _models[old].Id = 0;
            }

            TouchAccountsOf(slot);
        }
    }

    // Classes name their model by slot, and accounts to be opened or moved into them take it from there.
    private void MoveClasses(int old, int slot)
    {
        for (int index = 0; index < _classes.Count; index++)
        {
            ref AccountClass rules = ref _classes.At(index);
            rules.Model = rules.Model == old ? slot : rules.Model;
        }
    }

    private void TouchAccountsOf(int slot)
    {
        for (int account = 0; account < _book.AccountCount; account++)
        {
            if (_book.AccountAt(account).Model == slot)
            {
                TouchWhole(account);
            }
        }
    }

    // A slot where a version may go; a version must be newer than what is there.
    private RejectCode FindSlot(ushort id, uint version, out int slot)
    {
        slot = FindModel(id);
        if (slot >= 0 && version <= _models[slot].Version)
        {
            return RejectCode.Inconsistent;
        }

        slot = slot >= 0 ? slot : FindFree();
        return slot < 0 ? RejectCode.Capacity : default;
    }

    // Slot of the version in force of a model; -1: none.
    private int FindModel(ushort id)
    {
        for (int slot = 0; slot < _models.Length; slot++)
        {
            if (_models[slot].Id == id && _models[slot].Activation == 0)
            {
                return slot;
            }
        }

        return -1;
    }

    private int FindPending(ushort id)
    {
        for (int slot = 0; slot < _models.Length; slot++)
        {
            if (_models[slot].Id == id && _models[slot].Activation != 0)
            {
                return slot;
            }
        }

        return -1;
    }

    private int FindFree() => FindModel(0);

    // What the version to come would ask of the account, where that is wanted: once a refresh time, however often its margin is published.
    private void PublishComparison(int index, CompiledModel inForce)
    {
        ref Account account = ref _book.ChangeAccount(index);
        if (_pendingModels == 0 || _now - account.ComparedTime < inForce.RefreshNanos)
        {
            return;
        }

        int pending = FindPending(inForce.Id);
        if (pending >= 0 && _models[pending].IsCompared)
        {
            account.ComparedTime = _now;
            AccountMargin next = _calculator.TotalUnder(index, pending, PriceClock);
            _decisions.Compare(account, inForce, _models[pending], next);
        }
    }

    /// <summary>A version that is not whole yet.</summary>
    private struct Staging
    {
        public ushort Id;
        public uint Version;
        public ushort Parts;

        /// <summary>Parts that the first one announced.</summary>
        public ushort Total;
        public Digest64 Digest;
    }
}
