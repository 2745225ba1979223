// Which record each price in force came with. Fed by a replay with every input and every decision; the machine itself keeps times, not sequences.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Explain;

/// <summary>A record and when the engine took it.</summary>
internal readonly record struct RecordPlace(long Sequence, long TimeNanos);

/// <summary>A price that the machine refuses, at once or when its market event ends, gives way to the one before it.</summary>
internal sealed class PriceSources
{
    private readonly Dictionary<PriceKey, RecordPlace> _places = [];
    private readonly List<(ushort Source, ulong SourceSequence, PriceKey Key, RecordPlace? Before)> _event = [];
    private bool _isOver;

    /// <summary>Null: no such price has been taken.</summary>
    public RecordPlace? PlaceOf(PriceKey key) => _places.TryGetValue(key, out RecordPlace place) ? place : null;

    public void OnInput(long sequence, long timeNanos, ReadOnlySpan<byte> message)
    {
        if (_isOver) _event.Clear();
        _isOver = false;
        if (!MessageHeaderDecoder.TryWrap(message, out MessageHeaderDecoder header) || message.Length < MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength) return;
        OriginDecoder.TryWrap(message[MessageHeaderDecoder.EncodedLength..], out OriginDecoder origin);
        _isOver = (origin.Flags & OriginFlags.EndOfEvent) != 0;
        if (KeyOf(header.TemplateId, message) is not PriceKey key) return;
        _event.Add((origin.Source, origin.Sequence, key, PlaceOf(key)));
        _places[key] = new RecordPlace(sequence, timeNanos);
    }

    public void OnDecision(ReadOnlySpan<byte> decision)
    {
        if (_event.Count == 0 || !RejectDecoder.TryWrap(decision, out RejectDecoder reject)) return;
        for (int index = _event.Count - 1; index >= 0; index--)
        {
            if (_event[index].Source != reject.Source || _event[index].SourceSequence != reject.SourceSequence) continue;
            if (_event[index].Before is RecordPlace before) _places[_event[index].Key] = before;
            else _places.Remove(_event[index].Key);
            _event.RemoveAt(index);
            return;
        }
    }

    private static PriceKey? KeyOf(ushort template, ReadOnlySpan<byte> message) => template switch
    {
        IndexPriceDecoder.TemplateId when IndexPriceDecoder.TryWrap(message, out IndexPriceDecoder index) => new(PriceKind.Index, index.UnderlyingId),
        MarkPriceDecoder.TemplateId when MarkPriceDecoder.TryWrap(message, out MarkPriceDecoder mark) => new(PriceKind.Mark, mark.InstrumentId),
        ForwardPriceDecoder.TemplateId when ForwardPriceDecoder.TryWrap(message, out ForwardPriceDecoder forward) =>
            new(PriceKind.Forward, forward.UnderlyingId, (long)forward.Expiry),
        MarkVolatilityDecoder.TemplateId when MarkVolatilityDecoder.TryWrap(message, out MarkVolatilityDecoder own) => new(PriceKind.MarkVolatility, own.InstrumentId),
        VolatilitySliceDecoder.TemplateId when VolatilitySliceDecoder.TryWrap(message, out VolatilitySliceDecoder slice) =>
            new(PriceKind.Surface, slice.UnderlyingId, (long)slice.Expiry),
        VolatilityGridDecoder.TemplateId when VolatilityGridDecoder.TryWrap(message, out VolatilityGridDecoder grid) => new(PriceKind.Surface, grid.UnderlyingId, (long)grid.Expiry),
        InterestRateDecoder.TemplateId when InterestRateDecoder.TryWrap(message, out InterestRateDecoder rate) => new(PriceKind.InterestRate, rate.CurrencyId),
        ExpiryRateDecoder.TemplateId when ExpiryRateDecoder.TryWrap(message, out ExpiryRateDecoder rate) => new(PriceKind.ExpiryRate, rate.UnderlyingId, (long)rate.Expiry),
        MarkArrayDecoder.TemplateId when MarkArrayDecoder.TryWrap(message, out MarkArrayDecoder array) => new(PriceKind.Array, array.InstrumentId),
        OpenInterestDecoder.TemplateId when OpenInterestDecoder.TryWrap(message, out OpenInterestDecoder interest) => new(PriceKind.OpenInterest, interest.InstrumentId),
        _ => null,
    };
}
