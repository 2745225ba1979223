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

    /// <summary>Groups of underlyings whose rows are netted across units; empty where the model adds units up.</summary>
    public required IReadOnlyList<GroupReport> Groups { get; init; }

    public required PolicyReport Policy { get; init; }

    /// <summary>Micro-USD by which the account's requirement differs from the sum of its units': netting across units, spreads, charges of collateral.</summary>
    public required long AcrossInitial { get; init; }

    public required long AcrossMaintenance { get; init; }

    /// <summary>The same with add-ons named as the model's document names them; the engine itself knows their formulas only.</summary>
    public MarginReport Named(IReadOnlyList<string> addOnNames) => this with
    {
        Units = [.. Units.Select(unit => unit with
        {
            Components = [.. unit.Components.Select(part => part.AddOn >= 0 && part.AddOn < addOnNames.Count ? part with { Name = addOnNames[part.AddOn] } : part)],
        })],
    };
}

/// <summary>A balance in atoms of its currency, and what it counts.</summary>
public sealed record BalanceReport(string Currency, int Decimals, long Balance, long PriceE8, long HaircutE8);

/// <summary>
/// Underlyings that net row by row, balances that move with them included. Amounts are micro-USD; the requirement is
/// <c>factor * max(max(measure, alternatives) + before, floors) + after</c>.
/// </summary>
/// <param name="Underlying">Code of its lowest underlying.</param>
/// <param name="WorstRow">The row that loses most; -1: no row loses.</param>
public sealed record GroupReport(string Underlying, int WorstRow, RequirementParts Initial, RequirementParts Maintenance, IReadOnlyList<GroupRowReport> Rows);

/// <summary>A netted row: its move of the group's lowest underlying, and the profit that counts in micro-USD.</summary>
public sealed record GroupRowReport(int Index, long SpotShockE8, VolatilityShock Volatility, bool IsMeasured, long Profit);

/// <summary>One risk unit. Amounts are atoms of the currency: divide by 10^<see cref="Decimals"/>.</summary>
public sealed record UnitReport
{
    public required string Underlying { get; init; }

    public required string Currency { get; init; }

    public required int Decimals { get; init; }

    public required UnitMargin Margin { get; init; }

    /// <summary>What the requirement is made of: <c>factor * max(max(measure, alternatives) + before, floors) + after</c>.</summary>
    public required IReadOnlyList<ComponentReport> Components { get; init; }

    /// <summary>Factors of initial and maintenance margin, exponent -16.</summary>
    public required long InitialFactorE16 { get; init; }

    public required long MaintenanceFactorE16 { get; init; }

    public required IReadOnlyList<RowReport> Rows { get; init; }

    public required IReadOnlyList<PositionReport> Positions { get; init; }
}

/// <summary>A part of a requirement in atoms. <paramref name="AddOn"/> is its index among the model's add-ons; -1: it is none.</summary>
public sealed record ComponentReport(string Name, int AddOn, AddOnPlace? Place, long Initial, long Maintenance);

/// <summary>
/// A scenario row: its shocks, the sum of the positions' contributions, and what counts after everything that happens to sums (policy discount, skew, weight,
/// dampener). <see cref="Adjustment"/> is the difference: contributions and adjustment add up to what counts, to the last unit.
/// </summary>
public sealed record RowReport(int Index, long SpotShockE8, VolatilityShock Volatility, bool IsTail, bool IsMeasured, double Weight, long Profit, long Counted)
{
    public long Adjustment => Counted - Profit;
}

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
                    Text(_market.CurrencyCodeAt(currency)), _market.CurrencyAt(currency).Decimals, balance, _calculator.Collateral.Price(rules, currency).E8, HaircutOf(rules, currency, balance)));
            }
        }

        // Under a model by crossings the margin that was published last may be older than the prices the units below are reported at.
        AccountMargin margin = account.Margin;
        if (rules.IsByCrossings)
        {
            RefreshUnits(index);
            margin = MarginOf(index);
        }

        return new MarginReport
        {
            AccountId = account.Id,
            Sequence = LastSequence,
            Model = Text(rules.Name),
            ModelVersion = rules.Version,
            State = account.State,
            Margin = margin,
            WorstUnderlying = margin.WorstUnderlying < 0 ? "" : Text(_market.UnderlyingCodeAt(margin.WorstUnderlying)),
            Balances = balances,
            Units = units,
            Groups = ReportGroups(index, rules),
            AcrossInitial = margin.Initial - SumOfUnits(account, part => part.Margin.Initial),
            AcrossMaintenance = margin.Maintenance - SumOfUnits(account, part => part.Margin.Maintenance),
            Policy = ReportPolicy(index),
        };
    }

    private List<GroupReport> ReportGroups(int account, CompiledModel rules)
    {
        List<GroupReport> groups = [];
        if (!rules.NetsAcross)
        {
            return groups;
        }

        _calculator.Total(account, PriceClock);
        for (int group = 0; group < _calculator.Groups.Count; group++)
        {
            int underlying = _calculator.Groups.FirstUnderlying(group);
            (RequirementParts initial, RequirementParts maintenance) = _calculator.Groups.PartsOf(group);
            List<GroupRowReport> rows = [];
            int worst = -1;
            for (int row = 0; row < rules.RowCount; row++)
            {
                long profit = _calculator.Groups.RowsOf(group, rules)[row];
                worst = rules.Rows[row].IsMeasured && profit < (worst < 0 ? 0 : rows[worst].Profit) ? row : worst;
                rows.Add(new GroupRowReport(row, rules.SpotShockE8(underlying)[row], rules.VolatilityShocks[row], rules.Rows[row].IsMeasured, profit));
            }

            groups.Add(new GroupReport(Text(_market.UnderlyingCodeAt(underlying)), worst, initial, maintenance, rows));
        }

        groups.Sort((left, right) => string.CompareOrdinal(left.Underlying, right.Underlying));
        return groups;
    }

    private long SumOfUnits(in Account account, Func<RiskUnit, long> amount)
    {
        long sum = 0;
        for (int unit = account.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            sum = Fixed.Add(sum, _market.ToMoney(_book.UnitAt(unit).Currency, amount(_book.UnitAt(unit)), roundUp: true));
        }

        return sum;
    }

    // Of a tiered currency what its tiers come to for the balance there is.
    private long HaircutOf(CompiledModel rules, int currency, long balance)
    {
        long money = _calculator.Collateral.Money(rules, currency, balance);
        return balance <= 0 || money <= 0 || rules.Collaterals[currency].TierCount == 0
            ? rules.Collaterals[currency].HaircutE8
            : Fixed.One - Fixed.MultiplyFloor(_calculator.Collateral.Counted(rules, currency, balance, money), Fixed.One, money);
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
        long[] counted = _calculator.Units.Profits.ToArray();
        List<ComponentReport> components = Components(rules, margin, UnpricedLoss(model, unit));
        List<PositionReport> positions = [];
        for (int position = unit.FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
        {
            positions.Add(ReportPosition(model, _book.PositionAt(position)));
        }

        positions.Sort((left, right) => left.InstrumentId.CompareTo(right.InstrumentId));
        List<RowReport> rows = [];
        for (int row = 0; row < rules.RowCount; row++)
        {
            long profit = 0;
            foreach (PositionReport position in positions)
            {
                profit = Fixed.Add(profit, position.RowProfits[row]);
            }

            rows.Add(new RowReport(
                row, rules.ReportedShockE8(unit.Underlying, row, _market.UnderlyingAt(unit.Underlying).IndexE8), rules.VolatilityShocks[row], rules.Rows[row].IsTail, rules.Rows[row].IsMeasured,
                rules.Rows[row].Weight, profit, counted[row]));
        }

        return new UnitReport
        {
            Underlying = Text(_market.UnderlyingCodeAt(unit.Underlying)),
            Currency = Text(_market.CurrencyCodeAt(unit.Currency)),
            Decimals = _market.CurrencyAt(unit.Currency).Decimals,
            Margin = margin,
            Components = components,
            InitialFactorE16 = _calculator.Units.InitialFactorE16(rules),
            MaintenanceFactorE16 = UnitCalculator.MaintenanceFactorE16(rules),
            Rows = rows,
            Positions = positions,
        };
    }

    // Of models without rows: what positions may lose of which nothing is known. Rows carry it where there are rows.
    private long UnpricedLoss(int model, in RiskUnit unit)
    {
        long loss = 0;
        for (int index = unit.FirstPosition; index >= 0 && _models[model].RowCount == 0; index = _book.PositionAt(index).NextOfUnit)
        {
            ref readonly LotRisk risk = ref _rows.Price(model, _book.PositionAt(index).Instrument);
            loss = risk.IsUnpriced ? Fixed.Add(loss, Fixed.CeilingToAtoms(Math.Abs((double)_book.PositionAt(index).Lots) * risk.Notional)) : loss;
        }

        return loss;
    }

    private List<ComponentReport> Components(CompiledModel rules, in UnitMargin margin, long unpriced)
    {
        List<ComponentReport> components = [];
        if (rules.RowCount > 0)
        {
            components.Add(new ComponentReport("rows", -1, null, margin.WorstCase, margin.WorstCase));
        }

        for (int addOn = 0; addOn < rules.AddOnCount; addOn++)
        {
            components.Add(new ComponentReport(
                AddOnTable.Kinds[(int)rules.Kinds[addOn]], addOn, rules.Places[addOn], _calculator.Units.AddOnsInitial[addOn], _calculator.Units.AddOnsMaintenance[addOn]));
        }

        if (rules.ChargesLiquidation)
        {
            components.Add(new ComponentReport("liquidationCost", -1, AddOnPlace.After, margin.LiquidationCost, margin.LiquidationCost));
        }

        if (unpriced != 0)
        {
            components.Add(new ComponentReport("unpriced", -1, AddOnPlace.After, unpriced, unpriced));
        }

        if (rules.Orders != OrderRule.None)
        {
            components.Add(new ComponentReport("openOrders", -1, AddOnPlace.After, OrdersAdd(rules, margin, components), 0));
        }

        return components;
    }

    // Orders move the measure, which the factor multiplies and an alternative or a floor may hide: told is what they add after all of that.
    private long OrdersAdd(CompiledModel rules, in UnitMargin margin, List<ComponentReport> components)
    {
        RequirementParts held = new() { Measure = margin.WorstCase };
        foreach (ComponentReport part in components)
        {
            if (part.Place is AddOnPlace place)
            {
                UnitCalculator.Place(place, part.Initial, ref held);
            }
        }

        return margin.Initial - held.Total(_calculator.Units.InitialFactorE16(rules));
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
            Greeks = UnitCalculator.GreeksOf(risk, lots),
            LiquidationCost = _calculator.Units.LiquidationCost(rules, contract, risk, position.Lots),
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
