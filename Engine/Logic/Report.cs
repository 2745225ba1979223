using System.Text;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Everything that is known of one account's margin at a sequence. Cold: made for people and tools, it allocates.</summary>
public sealed record MarginReport
{
    public required ulong AccountId { get; init; }

    public required long Sequence { get; init; }

    public required string Model { get; init; }

    public required uint ModelVersion { get; init; }

    public required AccountState State { get; init; }

    /// <summary>Equity, requirements, ratio and Greeks in micro-USD.</summary>
    public required AccountMargin Margin { get; init; }

    /// <summary>Code of the underlying whose worst row costs most; empty: no row loses.</summary>
    public required string WorstUnderlying { get; init; }

    public required IReadOnlyList<BalanceReport> Balances { get; init; }

    public required IReadOnlyList<UnitReport> Units { get; init; }

    public required PolicyReport Policy { get; init; }
}

/// <summary>A balance in atoms of its currency, and what it counts.</summary>
public sealed record BalanceReport(string Currency, int Decimals, long Balance, long PriceE8, long HaircutE8);

/// <summary>One risk unit. Amounts are atoms of the currency: divide by 10^<see cref="Decimals"/>.</summary>
public sealed record UnitReport
{
    public required string Underlying { get; init; }

    public required string Currency { get; init; }

    public required int Decimals { get; init; }

    public required UnitMargin Margin { get; init; }

    public required IReadOnlyList<RowReport> Rows { get; init; }

    public required IReadOnlyList<PositionReport> Positions { get; init; }
}

/// <summary>A scenario row: its shocks, the summed profit as it is, and after the dampener.</summary>
public sealed record RowReport(int Index, long SpotShockE8, VolatilityShock Volatility, bool IsExtended, long Profit, long Counted);

/// <summary>A position: value and profit in atoms of the unit's currency, contributions to every row; they add up to the row's profit to the last unit.</summary>
public sealed record PositionReport
{
    public required uint InstrumentId { get; init; }

    public required string Symbol { get; init; }

    public required long Lots { get; init; }

    public required bool IsPriced { get; init; }

    public required long Value { get; init; }

    public required long UnrealisedProfit { get; init; }

    /// <summary>Base units, exponent -9.</summary>
    public required long DeltaBaseE9 { get; init; }

    public required Greeks Greeks { get; init; }

    public required long LiquidationCost { get; init; }

    public required IReadOnlyList<long> RowProfits { get; init; }

    public required long BuyOrderLots { get; init; }

    public required long SellOrderLots { get; init; }
}

/// <content>Reports.</content>
public sealed partial class MarginMachine
{
    /// <summary>The report of an account as of <see cref="LastSequence"/>; null: there is no such account. Changes nothing.</summary>
    public MarginReport? Report(ulong accountId)
    {
        if (!_book.TryAccount(accountId, out int index))
        {
            return null;
        }

        ref readonly Account account = ref _book.AccountAt(index);
        CompiledModel rules = _models[account.Model];
        List<UnitReport> units = [];
        for (int unit = account.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            units.Add(ReportUnit(account.Model, _book.UnitAt(unit)));
        }

        units.Sort((left, right) => string.CompareOrdinal(left.Underlying + left.Currency, right.Underlying + right.Currency));
        List<BalanceReport> balances = [];
        for (int currency = 0; currency < _market.CurrencyCount; currency++)
        {
            long balance = _book.BalancesOf(index)[currency];
            if (balance != 0)
            {
                balances.Add(new BalanceReport(
                    Text(_market.CurrencyCodeAt(currency)), _market.CurrencyAt(currency).Decimals, balance, _market.PriceOfCurrencyE8(currency), rules.HaircutE8[currency]));
            }
        }

        return new MarginReport
        {
            AccountId = account.Id,
            Sequence = LastSequence,
            Model = Text(rules.Name),
            ModelVersion = rules.Version,
            State = account.State,
            Margin = account.Margin,
            WorstUnderlying = account.Margin.WorstUnderlying < 0 ? "" : Text(_market.UnderlyingCodeAt(account.Margin.WorstUnderlying)),
            Balances = balances,
            Units = units,
            Policy = ReportPolicy(index),
        };
    }

    /// <summary>Account numbers in the order of opening.</summary>
    public IEnumerable<ulong> AccountIds()
    {
        for (int index = 0; index < _book.AccountCount; index++)
        {
            yield return _book.AccountAt(index).Id;
        }
    }

    private UnitReport ReportUnit(int model, RiskUnit unit)
    {
        CompiledModel rules = _models[model];
        UnitMargin margin = _calculator.Units.Calculate(model, unit.Underlying, unit.Currency, unit.FirstPosition, PriceClock, Hypothesis.None);
        long[] sums = _calculator.Units.Sums.ToArray();
        List<RowReport> rows = [];
        for (int row = 0; row < rules.RowCount; row++)
        {
            rows.Add(new RowReport(
                row, rules.SpotShockE8(unit.Underlying)[row], rules.VolatilityShocks[row], rules.Extended[row], sums[row],
                _calculator.Units.Dampened(rules, unit.Underlying, unit.Currency, row, sums[row])));
        }

        List<PositionReport> positions = [];
        for (int position = unit.FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
        {
            positions.Add(ReportPosition(model, _book.PositionAt(position)));
        }

        positions.Sort((left, right) => left.InstrumentId.CompareTo(right.InstrumentId));
        return new UnitReport
        {
            Underlying = Text(_market.UnderlyingCodeAt(unit.Underlying)),
            Currency = Text(_market.CurrencyCodeAt(unit.Currency)),
            Decimals = _market.CurrencyAt(unit.Currency).Decimals,
            Margin = margin,
            Rows = rows,
            Positions = positions,
        };
    }

    private PositionReport ReportPosition(int model, Position position)
    {
        CompiledModel rules = _models[model];
        LotRisk risk = _rows.Price(model, position.Instrument);
        ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
        double lots = position.Lots;
        long[] profits = new long[rules.RowCount];
        if (risk.IsUnpriced)
        {
            Array.Fill(profits, -Fixed.CeilingToAtoms(Math.Abs(lots) * risk.Notional));
        }
        else
        {
            ReadOnlySpan<double> row = _rows.Row(model, position.Instrument);
            for (int index = 0; index < profits.Length; index++)
            {
                profits[index] = RowSums.Product(lots, row[index]);
            }
        }

        long value = Fixed.ToAtoms(lots * risk.Value);
        return new PositionReport
        {
            InstrumentId = contract.Id,
            Symbol = Text(_market.SymbolAt(position.Instrument)),
            Lots = position.Lots,
            IsPriced = !risk.IsUnpriced,
            Value = value,
            UnrealisedProfit = contract.IsOption || risk.IsUnpriced ? 0 : value - position.EntryCost,
            DeltaBaseE9 = Fixed.ToAtoms(lots * risk.DeltaBase * 1e9),
            Greeks = new Greeks
            {
                Delta = Fixed.ToAtoms(lots * risk.DeltaUsd * 1e6),
                Gamma = Fixed.ToAtoms(lots * risk.GammaUsd * 1e6),
                Vega = Fixed.ToAtoms(lots * risk.VegaUsd * 1e6),
                Theta = Fixed.ToAtoms(lots * risk.ThetaUsd * 1e6),
                Rho = Fixed.ToAtoms(lots * risk.RhoUsd * 1e6),
            },
            LiquidationCost = Fixed.CeilingToAtoms(Math.Abs(lots) * risk.Notional * rules.LiquidationRate),
            RowProfits = profits,
            BuyOrderLots = position.BuyLots,
            SellOrderLots = position.SellLots,
        };
    }

    private static string Text(ReadOnlySpan<byte> padded)
    {
        int end = padded.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? padded : padded[..end]);
    }
}
