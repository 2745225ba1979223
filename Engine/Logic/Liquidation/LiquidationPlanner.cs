namespace MarginEngine.Logic;

/// <summary>Lots of one position to close: signed as the position is.</summary>
public record struct Leg(int Position, int Instrument, long Lots, long MarkE8);

/// <summary>
/// Chooses what to close: one leg after the other, each time the one that frees most maintenance margin, until the ratio is at the
/// target; the last leg only in the part that is needed. A hedge frees nothing, so hedges are left standing.
/// Where no leg alone frees margin, all of them are named.
/// </summary>
public sealed class LiquidationPlanner
{
    private readonly MarketState _market;
    private readonly Book _book;
    private readonly CompiledModel[] _models;
    private readonly RiskRows _rows;
    private readonly AccountCalculator _calculator;
    private readonly Leg[] _legs;
    private readonly long[] _original;
    private readonly int[] _positions;
    private readonly long[] _balances;
    private int _legCount;
    private int _positionCount;

    public LiquidationPlanner(
        Limits limits, MarketState market, Book book, CompiledModel[] models, RiskRows rows, AccountCalculator calculator)
    {
        _market = market;
        _book = book;
        _models = models;
        _rows = rows;
        _calculator = calculator;
        _legs = new Leg[limits.Legs];
        _positions = new int[limits.Legs];
        _original = new long[limits.Legs];
        _balances = new long[limits.Currencies];
    }

    public ReadOnlySpan<Leg> Legs => _legs.AsSpan(0, _legCount);

    /// <summary>Fees and slippage of closing the legs, micro-USD.</summary>
    public long ExpectedCost { get; private set; }

    /// <summary>Plans for an account whose units are up to date. The book is as before when this returns.</summary>
    /// <returns>The account's margin once all legs are closed at their marks and the cost is paid.</returns>
    public AccountMargin Plan(int account, long nowNanos)
    {
        _legCount = 0;
        ExpectedCost = 0;
        _book.BalancesOf(account).CopyTo(_balances);
        CollectPositions(account);
        CompiledModel rules = _models[_book.AccountAt(account).Model];
        _calculator.Detail = Detail.StateOnly;
        AccountMargin margin = Margin(account, nowNanos);
        while (_legCount < _positionCount && !IsSafe(rules, margin))
        {
            int chosen = Choose(account, margin, nowNanos);
            if (chosen < 0)
            {
                CloseAll(account);
                margin = Margin(account, nowNanos);
                break;
            }

            margin = CloseUntilSafe(account, rules, chosen, nowNanos);
        }

        _calculator.Detail = Detail.Margin;
        margin = Margin(account, nowNanos);
        Restore(account, nowNanos);
        return margin;
    }

    private static bool IsSafe(CompiledModel rules, in AccountMargin margin) => margin.Equity > 0 && margin.RatioE8 <= rules.TargetRatioE8;

    // In the order of instrument ids, so that the order in which positions were opened does not show; the lots most at risk first
    // would differ between replicas only if ids did.
    private void CollectPositions(int account)
    {
        _positionCount = 0;
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int position = _book.UnitAt(unit).FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
            {
                if (_book.PositionAt(position).Lots != 0)
                {
                    Insert(position);
                }
            }
        }
    }

    // Keeps the lowest instrument ids where there are more positions than an instruction can name; the next attempt names the rest.
    private void Insert(int position)
    {
        uint id = IdOf(position);
        int at = _positionCount;
        while (at > 0 && IdOf(_positions[at - 1]) > id)
        {
            at--;
        }

        if (at == _positions.Length)
        {
            return;
        }

        int moved = Math.Min(_positionCount, _positions.Length - 1) - at;
        Array.Copy(_positions, at, _positions, at + 1, moved);
        Array.Copy(_original, at, _original, at + 1, moved);
        _positions[at] = position;
        _original[at] = _book.PositionAt(position).Lots;
        _positionCount = Math.Min(_positionCount + 1, _positions.Length);
    }

    private uint IdOf(int position) => _market.InstrumentAt(_book.PositionAt(position).Instrument).Id;

    // The open position whose closing lowers maintenance margin most; ties go to the lowest instrument id.
    private int Choose(int account, in AccountMargin margin, long nowNanos)
    {
        int chosen = -1;
        long best = 0;
        for (int index = 0; index < _positionCount; index++)
        {
            ref Position position = ref _book.ChangePosition(_positions[index]);
            if (position.Lots == 0)
            {
                continue;
            }

            long lots = position.Lots;
            long paid = Worth(account, position);
            position.Lots = 0;
            UnitMargin without = UnitOf(account, position.Unit, nowNanos);
            WhatIf closed = new()
            {
                Unit = position.Unit,
                Replacement = without,
                CashCurrency = _market.InstrumentAt(position.Instrument).Currency,
                CashAtoms = paid,
            };
            long freed = margin.Maintenance - _calculator.Total(account, nowNanos, closed).Maintenance;
            position.Lots = lots;
            if (freed > best)
            {
                best = freed;
                chosen = index;
            }
        }

        return chosen;
    }

    // Closes the whole position where that is still not enough, else the least number of lots that is.
    private AccountMargin CloseUntilSafe(int account, CompiledModel rules, int index, long nowNanos)
    {
        ref Position position = ref _book.ChangePosition(_positions[index]);
        long lots = position.Lots;
        long low = 0;
        long high = Math.Abs(lots);
        AccountMargin margin = Try(account, ref position, lots, high, nowNanos);
        if (IsSafe(rules, margin))
        {
            while (high - low > 1)
            {
                long middle = low + ((high - low) / 2);
                if (IsSafe(rules, Try(account, ref position, lots, middle, nowNanos)))
                {
                    high = middle;
                }
                else
                {
                    low = middle;
                }
            }

            margin = Try(account, ref position, lots, high, nowNanos);
        }

        AddLeg(index, lots > 0 ? high : -high);
        ExpectedCost = Fixed.Add(ExpectedCost, CostOf(account, position, high));
        return margin;
    }

    // The margin with part of a position closed at its mark and the cost of closing paid.
    private AccountMargin Try(int account, ref Position position, long lots, long closed, long nowNanos)
    {
        Close(account, ref position, lots > 0 ? lots - closed : lots + closed);
        _book.UnitAt(position.Unit).Margin = UnitOf(account, position.Unit, nowNanos);
        AccountMargin margin = _calculator.Total(account, nowNanos);
        return Charged(margin, Fixed.Add(ExpectedCost, CostOf(account, position, closed)));
    }

    private static AccountMargin Charged(AccountMargin margin, long cost)
    {
        margin.Equity = Fixed.Add(margin.Equity, -cost);
        margin.RatioE8 = AccountCalculator.Ratio(margin.Maintenance, margin.Equity);
        return margin;
    }

    private void CloseAll(int account)
    {
        for (int index = 0; index < _positionCount; index++)
        {
            ref Position position = ref _book.ChangePosition(_positions[index]);
            if (position.Lots != 0)
            {
                AddLeg(index, position.Lots);
                ExpectedCost = Fixed.Add(ExpectedCost, CostOf(account, position, Math.Abs(position.Lots)));
                Close(account, ref position, 0);
            }
        }
    }

    // Leaves so many lots. What the others were worth becomes a balance: a requirement and a haircut may look at balances, and where the value of
    // options is no equity only now it is any.
    private void Close(int account, ref Position position, long left)
    {
        long worth = Worth(account, position);
        position.Lots = left;
        ref long balance = ref _book.ChangeBalances(account)[_market.InstrumentAt(position.Instrument).Currency];
        balance = Fixed.Add(balance, Fixed.Add(worth, -Worth(account, position)));
    }

    // What closing all of a position at its mark would bring, in atoms; nothing where it has no price.
    private long Worth(int account, in Position position)
    {
        ref readonly LotRisk risk = ref _rows.Price(_book.AccountAt(account).Model, position.Instrument);
        if (position.Lots == 0 || risk.IsUnpriced)
        {
            return 0;
        }

        long value = Fixed.ToAtoms(position.Lots * risk.Value);
        return _market.InstrumentAt(position.Instrument).IsOption ? value : Fixed.Add(value, -position.EntryCost);
    }

    private void AddLeg(int index, long lots)
    {
        int instrument = _book.PositionAt(_positions[index]).Instrument;
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        _legs[_legCount++] = new Leg(_positions[index], instrument, lots, MarkOf(contract, account: _book.UnitAt(_book.PositionAt(_positions[index]).Unit).Account, instrument));
    }

    // Price a lot in the contract's quote: of options the model value a unit of size.
    private long MarkOf(in Instrument contract, int account, int instrument)
    {
        if (!contract.IsOption)
        {
            return contract.MarkE8;
        }

        ref readonly LotRisk risk = ref _rows.Price(_book.AccountAt(account).Model, instrument);
        double atoms = Fixed.ToDouble(contract.SizeE8) * Fixed.Power10(_market.CurrencyAt(contract.Currency).Decimals);
        return Fixed.ToAtoms(risk.Value / atoms * 1e8);
    }

    private long CostOf(int account, in Position position, long lots)
    {
        int model = _book.AccountAt(account).Model;
        ref readonly LotRisk risk = ref _rows.Price(model, position.Instrument);
        ref readonly Instrument contract = ref _market.InstrumentAt(position.Instrument);
        return _market.ToMoney(contract.Currency, _calculator.Units.LiquidationCost(_models[model], contract, risk, lots), roundUp: true);
    }

    private AccountMargin Margin(int account, long nowNanos)
    {
        for (int unit = _book.AccountAt(account).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            _book.UnitAt(unit).Margin = UnitOf(account, unit, nowNanos);
        }

        return Charged(_calculator.Total(account, nowNanos), ExpectedCost);
    }

    // Where rows net across units the account's total calculates every unit itself.
    private UnitMargin UnitOf(int account, int unit, long nowNanos)
    {
        ref readonly RiskUnit part = ref _book.UnitAt(unit);
        if (_models[_book.AccountAt(account).Model].NetsAcross)
        {
            return part.Margin;
        }

        return _calculator.Units.Calculate(
            _book.AccountAt(account).Model, part.Underlying, part.Currency, part.FirstPosition, nowNanos, Hypothesis.None);
    }

    private void Restore(int account, long nowNanos)
    {
        for (int index = 0; index < _positionCount; index++)
        {
            _book.ChangePosition(_positions[index]).Lots = _original[index];
        }

        _balances.AsSpan().CopyTo(_book.ChangeBalances(account));
        _calculator.RefreshUnits(account, all: true, nowNanos);
    }
}
