// A portfolio as the input messages that a matching engine would send: definitions, model, market, account, and one end of event.
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Calc;

/// <param name="Bytes">A whole SBE message.</param>
/// <param name="About">What of the document it carries, for the case that the engine rejects it.</param>
internal sealed record InputMessage(byte[] Bytes, string About);

/// <summary>Builds the messages in the order the engine needs them. Figures that do not fit their field are usage errors.</summary>
internal sealed class PortfolioMessages
{
    private const ushort Source = 1;
    private const int PriceExponent = 8;
    private const int SliceExponent = 12;
    private const ushort ModelId = 1;
    private const decimal TokenPrice = 1;

    private readonly Portfolio _portfolio;
    private readonly string _file;
    private readonly byte[] _buffer = new byte[Limits.MessageBytes];
    private readonly List<InputMessage> _messages = [];

    private PortfolioMessages(Portfolio portfolio, string file)
    {
        _portfolio = portfolio;
        _file = file;
    }

    /// <param name="portfolio">What to value.</param>
    /// <param name="model">The margin model; it is given the number of the account's model here.</param>
    /// <param name="file">Named in complaints.</param>
    public static IReadOnlyList<InputMessage> Build(Portfolio portfolio, ModelDocument model, string file)
    {
        PortfolioMessages messages = new(portfolio, file);
        messages.Currencies();
        messages.Contracts();
        messages.Model(model);
        messages.Market();
        messages.Account();
        messages.EndOfEvent();
        return messages._messages;
    }

    private ulong Time => (ulong)_portfolio.ValuationTime;

    private ulong Next => (ulong)_messages.Count + 1;

    private void Currencies()
    {
        Currency(Limits.MoneyCurrency, Limits.MoneyDecimals, "USD");
        foreach (Coin coin in _portfolio.Coins)
        {
            Currency(coin.CurrencyId, coin.Decimals, coin.Code);
            UnderlyingDefinitionEncoder underlying = UnderlyingDefinitionEncoder.Wrap(_buffer);
            underlying.SetOrigin(Next, Time, Source, default);
            underlying.UnderlyingId = coin.UnderlyingId;
            underlying.CurrencyId = coin.CurrencyId;
            underlying.SetCode(coin.Code);
            Add(underlying.EncodedLength, $"underlying {coin.Code}");
        }
    }

    private void Currency(ushort id, int decimals, string code)
    {
        CurrencyDefinitionEncoder currency = CurrencyDefinitionEncoder.Wrap(_buffer);
        currency.SetOrigin(Next, Time, Source, default);
        currency.CurrencyId = id;
        currency.Decimals = (byte)decimals;
        currency.SetCode(code);
        Add(currency.EncodedLength, $"currency {code}");
    }

    private void Contracts()
    {
        foreach (Contract contract in _portfolio.Contracts)
        {
            InstrumentName name = contract.Name;
            InstrumentDefinitionEncoder definition = InstrumentDefinitionEncoder.Wrap(_buffer);
            definition.SetOrigin(Next, Time, Source, default);
            definition.InstrumentId = contract.Id;
            definition.UnderlyingId = contract.UnderlyingId;
            definition.SettlementCurrencyId = _portfolio.CurrencyId(name.SettlementCurrency);
            definition.Kind = name.Kind;
            definition.Settlement = name.Settlement;
            definition.Right = name.Right;
            definition.SetContractSize(Mantissa(contract.Terms.Lot, PriceExponent, $"the lot of {name.Symbol}"));
            definition.SetStrike(name.IsOption ? Mantissa(name.Strike, PriceExponent, $"the strike of {name.Symbol}") : null);
            definition.Expiry = (ulong?)contract.Expiry;
            definition.SetSymbol(name.Symbol);
            Add(definition.EncodedLength, name.Symbol);
        }
    }

    private void Model(ModelDocument model)
    {
        IReadOnlyList<byte[]> messages = model.ToMessages(
            ModelId, Next, Time, Source, default,
            [.. _portfolio.Coins.Select(coin => (coin.UnderlyingId, coin.Code))],
            [(Limits.MoneyCurrency, "USD"), .. _portfolio.Coins.Select(coin => (coin.CurrencyId, coin.Code))]);
        _messages.AddRange(messages.Select(message => new InputMessage(message, $"the margin model {model.Name}")));
    }

    private void Market()
    {
        TimeTickEncoder tick = TimeTickEncoder.Wrap(_buffer);
        tick.SetOrigin(Next, Time, Source, default);
        tick.Time = Time;
        Add(tick.EncodedLength, "valuationTime");
        foreach (Coin coin in _portfolio.Coins)
        {
            IndexPriceEncoder index = IndexPriceEncoder.Wrap(_buffer);
            index.SetOrigin(Next, Time, Source, default);
            index.UnderlyingId = coin.UnderlyingId;
            (long price, uint further) = Fine(coin.Index, $"the index of {coin.Code}");
            index.SetPrice(price);
            index.SetPriceFurther(further);
            Add(index.EncodedLength, $"the index of {coin.Code}");
        }

        foreach ((string code, decimal rate) in _portfolio.Rates)
        {
            InterestRateEncoder interest = InterestRateEncoder.Wrap(_buffer);
            interest.SetOrigin(Next, Time, Source, default);
            interest.CurrencyId = _portfolio.CurrencyId(code);
            interest.SetRate(Mantissa(rate, PriceExponent, $"the rate of {code}"));
            Add(interest.EncodedLength, $"the rate of {code}");
        }

        foreach (Slice slice in _portfolio.Slices) Expiry(slice);
        foreach (Contract contract in _portfolio.Contracts) Mark(contract);
    }

    private void Expiry(Slice slice)
    {
        ForwardPriceEncoder forward = ForwardPriceEncoder.Wrap(_buffer);
        forward.SetOrigin(Next, Time, Source, default);
        forward.UnderlyingId = slice.UnderlyingId;
        forward.Expiry = (ulong)slice.Expiry;
        forward.SetPrice(Mantissa(slice.Forward, PriceExponent, $"the forward of {slice.Day}"));
        Add(forward.EncodedLength, $"the forward of {slice.Day}");
        if (slice.Rate is decimal annual)
        {
            ExpiryRateEncoder rate = ExpiryRateEncoder.Wrap(_buffer);
            rate.SetOrigin(Next, Time, Source, default);
            rate.UnderlyingId = slice.UnderlyingId;
            rate.Expiry = (ulong)slice.Expiry;
            rate.SetRate(Mantissa(annual, PriceExponent, $"the rate of {slice.Day}"));
            Add(rate.EncodedLength, $"the rate of {slice.Day}");
        }

        if (slice.Grid is { } nodes) Grid(slice, nodes);
        if (slice.Svi is not SliceDocument svi) return;
        VolatilitySliceEncoder surface = VolatilitySliceEncoder.Wrap(_buffer);
        surface.SetOrigin(Next, Time, Source, default);
        surface.UnderlyingId = slice.UnderlyingId;
        surface.Expiry = (ulong)slice.Expiry;
        surface.SetA(Mantissa(svi.A, SliceExponent, $"svi.a of {slice.Day}"));
        surface.SetB(Mantissa(svi.B, SliceExponent, $"svi.b of {slice.Day}"));
        surface.SetRho(Mantissa(svi.Rho, SliceExponent, $"svi.rho of {slice.Day}"));
        surface.SetM(Mantissa(svi.M, SliceExponent, $"svi.m of {slice.Day}"));
        surface.SetSigma(Mantissa(svi.Sigma, SliceExponent, $"svi.sigma of {slice.Day}"));
        Add(surface.EncodedLength, $"the svi slice of {slice.Day}");
    }

    private void Grid(Slice slice, IReadOnlyList<NodeDocument> nodes)
    {
        VolatilityGridEncoder grid = VolatilityGridEncoder.Wrap(_buffer);
        grid.SetOrigin(Next, Time, Source, default);
        grid.UnderlyingId = slice.UnderlyingId;
        grid.Expiry = (ulong)slice.Expiry;
        VolatilityGridEncoder.NodesEncoder group = grid.NodesCount(nodes.Count);
        for (int index = 0; index < nodes.Count; index++)
        {
            VolatilityGridEncoder.NodesEncoder.Entry node = group[index];
            node.SetLogMoneyness(Mantissa(nodes[index].K, SliceExponent, $"grid[{index}].k of {slice.Day}"));
            node.SetVolatility(Mantissa(nodes[index].Volatility, PriceExponent, $"grid[{index}].volatility of {slice.Day}"));
        }

        Add(grid.EncodedLength, $"the grid of {slice.Day}");
    }

    private void Array(Contract contract, ArrayDocument published)
    {
        MarkArrayEncoder array = MarkArrayEncoder.Wrap(_buffer);
        array.SetOrigin(Next, Time, Source, default);
        array.InstrumentId = contract.Id;
        array.Exponent = -PriceExponent;
        array.SetDelta(Mantissa(published.Delta, PriceExponent, $"the delta of the array of {contract.Name.Symbol}"));
        MarkArrayEncoder.RowsEncoder rows = array.RowsCount(published.Profits.Count);
        for (int index = 0; index < published.Profits.Count; index++)
        {
            MarkArrayEncoder.RowsEncoder.Entry row = rows[index];
            row.Profit = Mantissa(published.Profits[index], PriceExponent, $"row {index + 1} of the array of {contract.Name.Symbol}");
        }

        Add(array.EncodedLength, $"the array of {contract.Name.Symbol}");
    }

    private void Mark(Contract contract)
    {
        string symbol = contract.Name.Symbol;
        if (contract.Mark is decimal price)
        {
            MarkPriceEncoder mark = MarkPriceEncoder.Wrap(_buffer);
            mark.SetOrigin(Next, Time, Source, default);
            mark.InstrumentId = contract.Id;
            mark.SetPrice(Mantissa(price, PriceExponent, $"the mark of {symbol}"));
            Add(mark.EncodedLength, $"the mark of {symbol}");
        }

        if (contract.Volatility is decimal annual)
        {
            MarkVolatilityEncoder volatility = MarkVolatilityEncoder.Wrap(_buffer);
            volatility.SetOrigin(Next, Time, Source, default);
            volatility.InstrumentId = contract.Id;
            (long coarse, uint further) = Fine(annual, $"the volatility of {symbol}");
            volatility.SetVolatility(coarse);
            volatility.SetVolatilityFurther(further);
            Add(volatility.EncodedLength, $"the volatility of {symbol}");
        }

        if (contract.Array is { } published) Array(contract, published);
        if (contract.OpenInterest == 0) return;
        OpenInterestEncoder interest = OpenInterestEncoder.Wrap(_buffer);
        interest.SetOrigin(Next, Time, Source, default);
        interest.InstrumentId = contract.Id;
        interest.Quantity = contract.OpenInterest;
        Add(interest.EncodedLength, $"the open interest of {symbol}");
    }

    private void Account()
    {
        AccountOpenEncoder account = AccountOpenEncoder.Wrap(_buffer);
        account.SetOrigin(Next, Time, Source, default);
        account.AccountId = _portfolio.AccountId;
        account.ModelId = ModelId;
        Add(account.EncodedLength, "the account");
        foreach ((string code, decimal amount) in _portfolio.Collateral) Transfer(code, amount);
        foreach (Position position in _portfolio.Positions) Fill(position);
        foreach (Order order in _portfolio.Orders) Open(order);
    }

    private void Transfer(string code, decimal amount)
    {
        if (amount == 0) return;
        int decimals = Decimals(code);
        CollateralTransferEncoder transfer = CollateralTransferEncoder.Wrap(_buffer);
        transfer.SetOrigin(Next, Time, Source, default);
        transfer.AccountId = _portfolio.AccountId;
        transfer.CurrencyId = _portfolio.CurrencyId(code);
        transfer.SetAmount(Mantissa(amount, decimals, $"the collateral in {code}"), (sbyte)-decimals);
        transfer.TransferId = Next;
        Add(transfer.EncodedLength, $"the collateral in {code}");
    }

    private void Fill(Position position)
    {
        string symbol = position.Contract.Name.Symbol;
        FillEncoder fill = FillEncoder.Wrap(_buffer);
        fill.SetOrigin(Next, Time, Source, default);
        fill.AccountId = _portfolio.AccountId;
        fill.InstrumentId = position.Contract.Id;
        fill.Side = position.Lots > 0 ? Side.Buy : Side.Sell;
        fill.Quantity = Math.Abs(position.Lots);
        fill.SetPrice(Mantissa(position.EntryPrice ?? TokenPrice, PriceExponent, $"the entry price of {symbol}"));
        // An option without an entry price was paid for before: it is filled at a token price, and the fee takes or gives just that back.
        int decimals = Decimals(position.Contract.Name.SettlementCurrency);
        decimal fee = position.EntryPrice is null ? -position.Lots * position.Contract.Terms.Lot * TokenPrice : 0;
        fill.SetFee(Mantissa(fee, decimals, $"the position in {symbol}"), (sbyte)-decimals);
        fill.OrderId = Next;
        fill.TradeId = Next;
        Add(fill.EncodedLength, $"the position in {symbol}");
    }

    private void Open(Order order)
    {
        string symbol = order.Contract.Name.Symbol;
        OrderOpenEncoder open = OrderOpenEncoder.Wrap(_buffer);
        open.SetOrigin(Next, Time, Source, default);
        open.AccountId = _portfolio.AccountId;
        open.InstrumentId = order.Contract.Id;
        open.Side = order.Side == OrderSide.Buy ? Side.Buy : Side.Sell;
        open.Quantity = order.Lots;
        open.SetPrice(Mantissa(order.Price, PriceExponent, $"the order price of {symbol}"));
        open.OrderId = order.Id;
        Add(open.EncodedLength, $"the order in {symbol}");
    }

    private void EndOfEvent()
    {
        TimeTickEncoder tick = TimeTickEncoder.Wrap(_buffer);
        tick.SetOrigin(Next, Time, Source, OriginFlags.EndOfEvent);
        tick.Time = Time;
        Add(tick.EncodedLength, "valuationTime");
    }

    private int Decimals(string code) => code == "USD" ? Limits.MoneyDecimals : _portfolio.Coins.First(coin => coin.Code == code).Decimals;

    private void Add(int length, string about) => _messages.Add(new InputMessage(_buffer.AsSpan(0, length).ToArray(), about));

    // Eight decimals, and the eight after them.
    private (long Coarse, uint Further) Fine(decimal value, string about)
    {
        decimal coarse = decimal.Floor(value * 100_000_000m) / 100_000_000m;
        return (Mantissa(coarse, PriceExponent, about), (uint)Mantissa(value - coarse, 2 * PriceExponent, about));
    }

    private long Mantissa(decimal value, int decimals, string about)
    {
        decimal scale = 1;
        for (int digit = 0; digit < decimals; digit++) scale *= 10;
        try
        {
            decimal mantissa = value * scale;
            if (mantissa == Math.Truncate(mantissa)) return decimal.ToInt64(mantissa);
        }
        catch (OverflowException)
        {
            throw CommandFailure.Usage($"{_file}: {about} is too large: {JsonOutput.Text(value)}");
        }

        throw CommandFailure.Usage($"{_file}: {about} has more than {decimals} decimals: {JsonOutput.Text(value)}");
    }
}
