namespace MarginEngine.Logic;

/// <content>
/// Definitions and prices in a snapshot, in the order of definition. Maps, strikes and the lists of an expiry and of an underlying follow from
/// the definitions and are made again in the same order; versions only tell that a row is out of date, and nothing is priced yet.
/// </content>
public sealed partial class MarketState
{
    internal void Describe(StateStream stream)
    {
        long valuationTime = ValuationTime;
        ulong dirtyCurrencies = DirtyCurrencies;
        stream.Field(ref valuationTime, "valuation time");
        stream.Field(ref dirtyCurrencies, "currencies that moved in this event");
        ValuationTime = valuationTime;
        DirtyCurrencies = dirtyCurrencies;
        DescribeCurrencies(stream);
        DescribeUnderlyings(stream);
        DescribeExpiries(stream);
        DescribeInstruments(stream);
    }

    private void DescribeCurrencies(StateStream stream)
    {
        CurrencyCount = stream.Count(CurrencyCount, _currencies.Length, "currencies");
        for (int index = 0; index < CurrencyCount; index++)
        {
            stream.Enter("currency", CurrencyCodeAt(index));
            stream.Record(ref _currencies[index]);
            stream.Bytes(_currencyCodes.AsSpan(index * CodeBytes, CodeBytes), "code");
            stream.Leave();
            if (stream.IsReading)
            {
                Check.That(_currencyIds.TryAdd(_currencies[index].Id, index));
            }
        }
    }

    private void DescribeUnderlyings(StateStream stream)
    {
        UnderlyingCount = stream.Count(UnderlyingCount, _underlyings.Length, "underlyings");
        for (int index = 0; index < UnderlyingCount; index++)
        {
            stream.Enter("underlying", UnderlyingCodeAt(index));
            stream.Record(ref _underlyings[index]);
            stream.Bytes(_underlyingCodes.AsSpan(index * CodeBytes, CodeBytes), "code");
            stream.Leave();
            if (stream.IsReading)
            {
                _underlyings[index].LastExpiry = -1;
                Check.That(_underlyingIds.TryAdd(_underlyings[index].Id, index));
            }
        }
    }

    private void DescribeExpiries(StateStream stream)
    {
        ExpiryCount = stream.Count(ExpiryCount, _expiries.Length, "expiries");
        for (int index = 0; index < ExpiryCount; index++)
        {
            ref Expiry expiry = ref _expiries[index];
            stream.Enter("expiry of", UnderlyingCodeAt(expiry.Underlying));
            stream.Enter("at", (ulong)expiry.TimeNanos);
            stream.Record(ref expiry);
            stream.Surface(ref expiry, Grids);
            stream.Leave();
            stream.Leave();
            if (!stream.IsReading)
            {
                continue;
            }

            expiry.FirstInstrument = -1;
            expiry.Earlier = -1;
            expiry.Later = -1;
            Check.That(_expiryIds.TryAdd(ExpiryKey(expiry.Underlying, expiry.TimeNanos), index));
            if (!expiry.IsSettled)
            {
                LinkExpiry(index);
            }
        }
    }

    private void DescribeInstruments(StateStream stream)
    {
        int count = stream.Count(InstrumentCount, _instruments.Length, "instruments");
        for (int index = 0; index < count; index++)
        {
            ref Instrument instrument = ref _instruments[index];
            Span<byte> symbol = _symbols.AsSpan(index * SymbolBytes, SymbolBytes);
            stream.Enter("instrument", symbol);
            stream.Record(ref instrument);
            stream.Bytes(symbol, "symbol");
            Arrays.Describe(stream, index, instrument.ArrayRows);
            stream.Leave();
            if (stream.IsReading)
            {
                Check.That(_instrumentIds.TryAdd(instrument.Id, index));
                InstrumentCount++;
                instrument.Version = 1;
                instrument.FirstHolder = -1;
                Place(index);
                if (instrument.IsDirty)
                {
                    _dirty[DirtyCount++] = index;
                }
            }
        }
    }
}

/// <content>A grid in a snapshot: its nodes, wherever they lie.</content>
public sealed partial class VolatilityGrids
{
    /// <param name="stream">The snapshot.</param>
    /// <param name="slot">Slot of the grid, -1: none; a grid that is read takes a new one.</param>
    internal void Describe(StateStream stream, ref int slot)
    {
        int nodes = stream.Count(slot < 0 || stream.IsReading ? 0 : _slots[slot], VarianceGrid.MostNodes, "nodes of its grid");
        if (stream.IsReading)
        {
            slot = -1;
            if (nodes == 0)
            {
                return;
            }

            if (_slots.IsFull)
            {
                throw new StateFormatException("the snapshot has more grids than this machine has room for");
            }

            slot = _slots.Take();
            _slots[slot] = nodes;
        }

        for (int node = 0; node < nodes; node++)
        {
            stream.Field(ref _logMoneynessE12[(slot * VarianceGrid.MostNodes) + node], "log moneyness of a node");
            stream.Field(ref _volatilityE8[(slot * VarianceGrid.MostNodes) + node], "volatility of a node");
        }
    }
}

/// <content>The surfaces of an event that has not ended, and what they replaced.</content>
public sealed partial class SurfaceUpdate
{
    internal void Describe(StateStream stream)
    {
        _count = stream.Count(_count, _staged.Length, "surfaces of this event");
        for (int entry = 0; entry < _count; entry++)
        {
            ref Staged staged = ref _staged[entry];
            stream.Enter("surface of this event", (ulong)entry);
            stream.Field(ref staged.Expiry, "expiry");
            stream.Field(ref staged.Source, "source");
            stream.Field(ref staged.TemplateId, "message");
            stream.Field(ref staged.Sequence, "sequence");
            stream.Field(ref staged.IsOver, "is over");

            // What an entry that is over replaced no longer matters, and its grid may have been given to another.
            if (!staged.IsOver)
            {
                stream.Surface(ref staged.Before, _market.Grids);
            }

            stream.Leave();
        }
    }
}
