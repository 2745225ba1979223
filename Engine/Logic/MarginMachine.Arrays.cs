using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Arrays that a clearing house publishes, and open interest: what the market as a whole says of one contract.</content>
public sealed partial class MarginMachine
{
    private RejectCode OnMarkArray(ReadOnlySpan<byte> message, out ushort field)
    {
        MarkArrayDecoder.TryWrap(message, out MarkArrayDecoder array);
        RejectCode code = FindLiveInstrument(array.InstrumentId, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        field = MarkArrayDecoder.FieldIds.Rows;
        if (array.Rows.Count is 0 or > Limits.Rows)
        {
            return RejectCode.OutOfRange;
        }

        ref Instrument instrument = ref _market.InstrumentAt(index);
        _pendingMessages++;
        bool changed = _market.Arrays.Take(index, array.Rows);
        if (changed || instrument.ArrayRows != array.Rows.Count || instrument.ArrayExponent != array.Exponent || instrument.ArrayDeltaE8 != array.Delta.Mantissa)
        {
            instrument.ArrayRows = array.Rows.Count;
            instrument.ArrayExponent = array.Exponent;
            instrument.ArrayDeltaE8 = array.Delta.Mantissa;
            _market.Touch(index);
        }

        return default;
    }

    private RejectCode OnOpenInterest(ReadOnlySpan<byte> message, out ushort field)
    {
        OpenInterestDecoder.TryWrap(message, out OpenInterestDecoder told);
        RejectCode code = FindLiveInstrument(told.InstrumentId, out int index, out field);
        if (code != 0)
        {
            return code;
        }

        ref Instrument instrument = ref _market.InstrumentAt(index);
        _pendingMessages++;
        if (instrument.OpenInterest != told.Quantity)
        {
            instrument.OpenInterest = told.Quantity;
            _market.Touch(index);
        }

        return default;
    }
}
