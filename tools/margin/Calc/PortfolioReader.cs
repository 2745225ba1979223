// Checks the meaning of a calc document and resolves it into a Portfolio. Every complaint names the key it is about.
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Calc;

internal sealed class PortfolioReader
{
    private const long NanosPerTick = 100;

    private readonly CalcDocument _document;
    private readonly string _file;
    private readonly List<string> _notes = [];
    private readonly List<Coin> _coins = [];
    private readonly List<Slice> _slices = [];
    private readonly Dictionary<string, Contract> _contracts = [];

    private PortfolioReader(CalcDocument document, string file)
    {
        _document = document;
        _file = file;
    }

    /// <exception cref="CommandFailure">Usage: the document contradicts itself or leaves something out.</exception>
    public static Portfolio Read(string file) => Resolve(JsonDocumentFile.Read(file, CalcJson.Default.CalcDocument), file);

    /// <inheritdoc cref="Read"/>
    public static Portfolio Resolve(CalcDocument document, string file) => new PortfolioReader(document, file).Resolve();

    private Portfolio Resolve()
    {
        if (_document.ValuationTime < DateTimeOffset.UnixEpoch) throw Wrong("$.valuationTime", "is before 1970");
        ReadCoins();
        IEnumerable<string> named =
        [
            .. _document.Account.Positions.Select(position => position.Instrument), .. _document.Account.Orders.Select(order => order.Instrument),
            .. _document.Marks.Keys, .. _document.Volatilities.Keys, .. _document.Contracts.Keys,
            .. _document.Arrays.Keys, .. _document.OpenInterest.Keys,
        ];
        foreach (string symbol in named.Distinct()) _contracts.Add(symbol, ReadContract(symbol));
        return new Portfolio
        {
            AccountId = ReadAccountId(),
            ValuationTime = Nanos(_document.ValuationTime),
            Coins = _coins,
            Contracts = [.. _contracts.Values],
            Slices = _slices,
            Rates = Currencies(_document.Rates, "$.rates"),
            Collateral = Currencies(_document.Account.Collateral, "$.account.collateral"),
            Positions = ReadPositions(),
            Orders = [.. _document.Account.Orders.Select(ReadOrder)],
            Notes = _notes,
        };
    }

    private void ReadCoins()
    {
        ushort id = 1;
        foreach ((string code, UnderlyingDocument underlying) in _document.Underlyings)
        {
            string key = $"$.underlyings.{code}";
            if (code == "USD") throw Wrong(key, "USD is the money of account and needs no entry");
            if (!InstrumentName.IsCode(code)) throw Wrong(key, "a code has 1 to 8 capital letters or digits");
            if (underlying.Decimals is < 0 or > 12) throw Wrong($"{key}.decimals", "must be 0 to 12");
            Positive(underlying.Index, $"{key}.index");
            id++;
            _coins.Add(new Coin(code, (ushort)(id - 1), id, underlying.Decimals, underlying.Index));
            foreach ((string day, ExpiryDocument expiry) in underlying.Expiries)
            {
                string place = $"{key}.expiries.{day}";
                if (!InstrumentName.TryExpiry(day, out long time)) throw Wrong(place, "is not a day such as 27MAR26");
                if (time <= Nanos(_document.ValuationTime)) throw Wrong(place, "has expired at the valuation time");
                Positive(expiry.Forward, $"{place}.forward");
                if (expiry is { Svi: not null, Grid: not null }) throw Wrong($"{place}.grid", "an expiry has a slice or a grid, not both");
                if (expiry.Grid is { Count: < VarianceGrid.FewestNodes or > VarianceGrid.MostNodes })
                    throw Wrong($"{place}.grid", $"has {VarianceGrid.FewestNodes} to {VarianceGrid.MostNodes} nodes");
                _slices.Add(new Slice((ushort)(id - 1), day, time, expiry.Forward, expiry.Rate, expiry.Svi, expiry.Grid));
            }
        }
    }

    private Contract ReadContract(string symbol)
    {
        InstrumentName name = InstrumentName.Parse(symbol)
            ?? throw Wrong(symbol, "is not the name of a contract such as BTC-PERPETUAL, BTC-27MAR26, BTC-27MAR26-80000-C or BTC_USDC-PERPETUAL");
        Coin coin = _coins.Find(candidate => candidate.Code == name.Underlying)
            ?? throw Wrong(symbol, $"needs the index of {name.Underlying}: add $.underlyings.{name.Underlying}");
        if (name.SettlementCurrency != "USD" && _coins.All(candidate => candidate.Code != name.SettlementCurrency))
            throw Wrong(symbol, $"settles in {name.SettlementCurrency}: add $.underlyings.{name.SettlementCurrency} with its index in USD");
        Slice? slice = _slices.Find(candidate => candidate.UnderlyingId == coin.UnderlyingId && candidate.Day == name.ExpiryDay);
        if (name.ExpiryDay is not null && slice is null)
            throw Wrong(symbol, $"needs the forward of its expiry: add $.underlyings.{name.Underlying}.expiries.{name.ExpiryDay}");
        ContractTerms terms = ReadTerms(name);
        return new Contract(
            (uint)_contracts.Count + 1, name, terms, coin.UnderlyingId, slice?.Expiry,
            ReadMark(name, coin, slice), ReadVolatility(name, slice))
        {
            Array = ReadArray(symbol),
            OpenInterest = ReadOpenInterest(name, terms),
        };
    }

    private ArrayDocument? ReadArray(string symbol)
    {
        ArrayDocument? array = _document.Arrays.GetValueOrDefault(symbol);
        return array is { Profits.Count: 0 or > Limits.Rows } ? throw Wrong($"$.arrays.{symbol}.profits", $"has 1 to {Limits.Rows} rows") : array;
    }

    private long ReadOpenInterest(InstrumentName name, ContractTerms terms)
    {
        string key = $"$.openInterest.{name.Symbol}";
        decimal lots = _document.OpenInterest.GetValueOrDefault(name.Symbol) * terms.Size / terms.Lot;
        if (name.IsOption && lots != 0m) throw Wrong(key, "is of a future or a perpetual");
        return lots is >= 0m and <= 1_000_000_000_000_000m && lots == Math.Truncate(lots) ? (long)lots : throw Wrong(key, "must be a whole number of lots, not below zero");
    }

    private ContractTerms ReadTerms(InstrumentName name)
    {
        if (!_document.Contracts.TryGetValue(name.Symbol, out ContractDocument? given)) return ContractTerms.Of(name);
        string key = $"$.contracts.{name.Symbol}";
        Positive(given.Lot, $"{key}.lot");
        Positive(given.Size, $"{key}.size");
        if (given.Size % given.Lot != 0) throw Wrong($"{key}.size", "must be a whole number of lots");
        return new ContractTerms(given.Size, given.Lot);
    }

    private decimal? ReadMark(InstrumentName name, Coin coin, Slice? slice)
    {
        bool given = _document.Marks.TryGetValue(name.Symbol, out decimal mark);
        if (name.IsOption)
            return given ? throw Wrong($"$.marks.{name.Symbol}", "an option is marked by its volatility, not by a price") : null;
        if (given) return Positive(mark, $"$.marks.{name.Symbol}");
        _notes.Add($"{name.Symbol} has no mark: taken from {(slice is null ? "the index" : "the forward of its expiry")}.");
        return slice?.Forward ?? coin.Index;
    }

    private decimal? ReadVolatility(InstrumentName name, Slice? slice)
    {
        string key = $"$.volatilities.{name.Symbol}";
        bool given = _document.Volatilities.TryGetValue(name.Symbol, out decimal volatility);
        if (!name.IsOption) return given ? throw Wrong(key, "only options have a volatility") : null;
        if (given) return volatility is > 0 and <= 10_000 ? volatility : throw Wrong(key, "must be above 0 and at most 10000 (1,000,000 %)");
        if (slice is { Svi: null, Grid: null })
            throw Wrong(name.Symbol, $"has no volatility: add {key}, or svi or grid to $.underlyings.{name.Underlying}.expiries.{name.ExpiryDay}");
        return null;
    }

    private ulong ReadAccountId() =>
        _document.Account.Id is > 0 and < ulong.MaxValue ? _document.Account.Id : throw Wrong("$.account.id", "0 is the insurance fund; take another number");

    private List<Position> ReadPositions()
    {
        List<Position> positions = [];
        for (int index = 0; index < _document.Account.Positions.Count; index++)
        {
            PositionDocument position = _document.Account.Positions[index];
            string key = $"$.account.positions[{index}]";
            if (positions.Any(earlier => earlier.Contract.Name.Symbol == position.Instrument))
                throw Wrong(key, $"{position.Instrument} stands in an earlier position already");
            Contract contract = _contracts[position.Instrument];
            long lots = Lots(contract, position.Contracts, position.Base, position.Quote, key);
            if (position.EntryPrice is decimal entry) Positive(entry, $"{key}.entryPrice");
            positions.Add(new Position(contract, lots, position.EntryPrice ?? contract.Mark));
        }

        return positions;
    }

    private Order ReadOrder(OrderDocument order, int index)
    {
        string key = $"$.account.orders[{index}]";
        Contract contract = _contracts[order.Instrument];
        long lots = Lots(contract, order.Contracts, order.Base, order.Quote, key);
        if (lots <= 0) throw Wrong(key, "the quantity of an order is positive; its side tells the direction");
        return new Order((ulong)index + 1, contract, order.Side, lots, Positive(order.Price, $"{key}.price"));
    }

    private long Lots(Contract contract, decimal? contracts, decimal? baseUnits, decimal? quoteUnits, string key)
    {
        if ((contracts is null ? 0 : 1) + (baseUnits is null ? 0 : 1) + (quoteUnits is null ? 0 : 1) != 1)
            throw Wrong(key, "give exactly one of contracts, base and quote");
        bool countsQuote = contract.Name is { IsInverse: true, IsOption: false };
        if (quoteUnits is not null && !countsQuote)
            throw Wrong($"{key}.quote", $"{contract.Name.Symbol} is counted in {contract.Name.Underlying}; quote is for inverse futures and perpetuals");
        ContractTerms terms = contract.Terms;
        decimal lots = contracts * terms.Size / terms.Lot ?? quoteUnits / terms.Lot
            ?? (countsQuote ? Math.Round((decimal)baseUnits! * (decimal)contract.Mark! / terms.Lot) : (decimal)baseUnits! / terms.Lot);
        if (baseUnits is not null && countsQuote)
            _notes.Add($"{contract.Name.Symbol}: {JsonOutput.Text(baseUnits.Value)} {contract.Name.Underlying} at the mark is {JsonOutput.Text(lots * terms.Lot)} USD of contracts, rounded to a lot.");
        if (lots != Math.Truncate(lots))
            throw Wrong(key, $"the quantity is not a whole number of lots of {JsonOutput.Text(terms.Lot)}; set $.contracts.{contract.Name.Symbol} for another lot");
        if (lots == 0 || Math.Abs(lots) > 1_000_000_000_000_000m) throw Wrong(key, "the quantity is zero or too large");
        return (long)lots;
    }

    private Dictionary<string, decimal> Currencies(Dictionary<string, decimal> byCode, string key)
    {
        foreach (string code in byCode.Keys)
            if (code != "USD" && _coins.All(coin => coin.Code != code))
                throw Wrong($"{key}.{code}", $"is an unknown currency: add $.underlyings.{code} with its index in USD");
        return byCode;
    }

    private decimal Positive(decimal value, string key) => value > 0 ? value : throw Wrong(key, "must be above zero");

    private CommandFailure Wrong(string key, string message) => CommandFailure.Usage($"{_file}: {key}: {message}");

    private static long Nanos(DateTimeOffset time) => checked((time.UtcTicks - DateTime.UnixEpoch.Ticks) * NanosPerTick);
}
