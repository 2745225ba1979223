using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests.Crossings;

/// <summary>
/// A market of two underlyings with expiries from minutes to a year, half of them with a slice, half with a volatility for each option, and accounts under every
/// shipped model, all evaluated by crossings, near their thresholds. It moves as a seed says: ticks, lagging marks, volatilities, slices, time, jumps.
/// </summary>
internal sealed class CrossingMarket : IDisposable
{
    private static readonly string[] Lives = ["00:20:00", "06:00:00", "1.08:00:00", "9.20:00:00", "60.20:00:00", "300.20:00:00"];

    public static readonly Limits Capacities = new()
    {
        Accounts = 512, Units = 4_096, Positions = 16_384, Orders = 64, Instruments = 512, Underlyings = 4, Expiries = 32, Grids = 4, Currencies = 8, Models = 15,
        Legs = 64, Sources = 2, RefreshSlice = 4,
    };

    private readonly Random _random;
    private readonly List<Contract> _contracts = [];
    private readonly decimal[] _price = [0m, 64_000m, 1_900m];
    private readonly List<(ushort Underlying, ulong Time, bool HasSlice, decimal Level)> _expiries = [];
    private readonly CrossingStyle _style;

    public CrossingMarket(int seed, CrossingStyle style, IReadOnlyList<ModelDocument>? models = null)
    {
        _random = new Random(seed);
        _style = style;
        Models = models ?? [.. ModelDocument.ShippedNames.Select(ModelDocument.Shipped)];
        Desk = new Desk(Capacities, withMarket: false) { Now = (long)Desk.At("2026-02-05T12:00:00Z") };
        Define();
        Price(1.0m);
        Desk.Open(Limits.FundAccount);
        Desk.Transfer(Limits.FundAccount, Desk.Usd, 1_000_000m);
        for (ulong account = 1; account <= (ulong)style.Accounts; account++)
        {
            Populate(account);
        }
    }

    public Desk Desk { get; }

    public IReadOnlyList<ModelDocument> Models { get; }

    public int Accounts => _style.Accounts;

    public void Dispose() => Desk.Dispose();

    /// <summary>One event of the market.</summary>
    public void Move()
    {
        Desk.Now += _random.Next(5) == 0 ? 400_000_000 : 3_000_000;
        switch (_random.Next(20))
        {
            case 0 when _style.HasTime:
                Desk.Now += (long)(_random.NextDouble() * 90e9);
                Desk.Time((ulong)Desk.Now);
                break;
            case 1 or 2 when _style.HasVolatility:
                Volatility();
                break;
            case 3 when _style.HasVolatility:
                Slices();
                break;
            case 4:
                Lag();
                break;
            case 5 when _random.Next(8) == 0:
                Tick((_random.NextDouble() - 0.5) * 0.06);
                break;
            default:
                Tick((_random.NextDouble() - 0.5) * _style.Step * (_random.Next(6) == 0 ? 12 : 1));
                break;
        }
    }

    /// <summary>Every price of both underlyings moves by one factor.</summary>
    public void MoveTogether(decimal factor)
    {
        for (ushort underlying = 1; underlying <= 2; underlying++)
        {
            _price[underlying] *= factor;
            Send(underlying, isWhole: true, noise: 0.0);
        }
    }

    /// <summary>Every volatility and every slice moves by one factor.</summary>
    public void MoveVolatilities(decimal factor)
    {
        foreach (Contract contract in _contracts.Where(contract => contract.IsOption && !contract.HasSlice))
        {
            contract.Volatility = decimal.Round(contract.Volatility * factor, 8);
            Desk.Volatility(contract.Id, contract.Volatility, OriginFlags.None);
        }

        for (int index = 0; index < _expiries.Count; index++)
        {
            (ushort underlying, ulong time, bool hasSlice, decimal level) = _expiries[index];
            _expiries[index] = (underlying, time, hasSlice, level * factor);
            if (hasSlice)
            {
                Slice(underlying, time, level * factor, OriginFlags.None);
            }
        }

        Desk.Time();
    }

    /// <summary>Time passes, nothing else.</summary>
    public void Pass(long nanos)
    {
        Desk.Now += nanos;
        Desk.Time((ulong)Desk.Now);
    }

    private void Tick(double move)
    {
        int underlying = 1 + _random.Next(2);
        _price[underlying] = decimal.Round(_price[underlying] * (1m + (decimal)move), 4);
        Send((ushort)underlying, isWhole: _random.Next(10) > 0, noise: _random.Next(3) == 0 ? 1e-4 : 0.0);
    }

    // One price alone.
    private void Lag()
    {
        if (_random.Next(2) == 0)
        {
            Contract[] linear = [.. _contracts.Where(contract => !contract.IsOption)];
            Contract one = linear[_random.Next(linear.Length)];
            Desk.Mark(one.Id, Near(_price[one.Underlying], 2e-4));
            return;
        }

        (ushort underlying, ulong time, _, _) = _expiries[_random.Next(_expiries.Count)];
        Desk.Forward(Near(_price[underlying], 3e-4), time, underlying: underlying);
    }

    private void Volatility()
    {
        Contract[] marked = [.. _contracts.Where(contract => contract.IsOption && !contract.HasSlice)];
        for (int count = _random.Next(1, 5); count > 0; count--)
        {
            Contract one = marked[_random.Next(marked.Length)];
            one.Volatility = decimal.Round(Math.Clamp(one.Volatility * (1m + ((decimal)(_random.NextDouble() - 0.5) * 0.02m)), 0.1m, 3m), 8);
            Desk.Volatility(one.Id, one.Volatility, count == 1 ? OriginFlags.EndOfEvent : OriginFlags.None);
        }
    }

    private void Slices()
    {
        for (int index = 0; index < _expiries.Count; index++)
        {
            if (_expiries[index].HasSlice && _random.Next(3) > 0)
            {
                (ushort underlying, ulong time, bool hasSlice, decimal level) = _expiries[index];
                level = Math.Clamp(level * (1m + ((decimal)(_random.NextDouble() - 0.5) * 0.01m)), 0.3m, 1.2m);
                _expiries[index] = (underlying, time, hasSlice, level);
                Slice(underlying, time, level, OriginFlags.None);
            }
        }

        Desk.Time((ulong)Desk.Now);
    }

    private void Define()
    {
        Desk.Currency(Desk.Usd, 6, "USD");
        Desk.Currency(Desk.Btc, 10, "BTC");
        Desk.Currency(Desk.Eth, 9, "ETH");
        Desk.Currency(4, 6, "USDC");
        Desk.Underlying(1, Desk.Btc, "BTC");
        Desk.Underlying(2, Desk.Eth, "ETH");
        Desk.Underlying(3, 4, "USDC");
        for (int model = 0; model < Models.Count; model++)
        {
            ModelDocument document = Models[model].With("timing.evaluation", "crossings");
            foreach (byte[] part in document.ToMessages(
                (ushort)(model + 1), Desk.NextOrigin(), (ulong)Desk.Now, Desk.Source, OriginFlags.EndOfEvent, [(1, "BTC"), (2, "ETH"), (3, "USDC")],
                [(Desk.Usd, "USD"), (Desk.Btc, "BTC"), (Desk.Eth, "ETH"), (4, "USDC")]))
            {
                Desk.Apply(part);
            }

            Desk.SkipOrigin(Desk.Machine.LastSourceSequence(Desk.Source));
        }

        Desk.Time((ulong)Desk.Now);
        Desk.Index(1m, underlying: 3);
        for (ushort underlying = 1; underlying <= 2; underlying++)
        {
            Desk.Index(_price[underlying], underlying);
            Define(underlying, underlying == 1 ? Desk.Btc : Desk.Eth, _price[underlying]);
        }
    }

    private void Define(ushort underlying, ushort coin, decimal price)
    {
        Add(InstrumentKind.Perpetual, underlying, coin, 10m, OptionRight.None, 0m, null, false);
        Add(InstrumentKind.Perpetual, underlying, Desk.Usd, 0.01m, OptionRight.None, 0m, null, false);
        for (int index = 0; index < Lives.Length; index++)
        {
            ulong time = (ulong)(Desk.Now + (long)(TimeSpan.Parse(Lives[index], System.Globalization.CultureInfo.InvariantCulture).TotalSeconds * 1e9));
            bool hasSlice = index % 2 == underlying % 2;
            _expiries.Add((underlying, time, hasSlice, 0.6m));
            foreach (decimal moneyness in new[] { 0.7m, 0.9m, 0.99m, 1m, 1.02m, 1.15m, 1.4m })
            {
                decimal strike = decimal.Round(price * moneyness, 0);
                Add(InstrumentKind.Option, underlying, _random.Next(2) == 0 ? coin : Desk.Usd, 0.1m, OptionRight.Call, strike, time, hasSlice);
                Add(InstrumentKind.Option, underlying, _random.Next(2) == 0 ? coin : Desk.Usd, 0.1m, OptionRight.Put, strike, time, hasSlice);
            }

            if (index % 2 == 1)
            {
                Add(InstrumentKind.Future, underlying, index == 1 ? coin : Desk.Usd, index == 1 ? 10m : 0.01m, OptionRight.None, 0m, time, false);
            }
        }
    }

    private void Add(InstrumentKind kind, ushort underlying, ushort currency, decimal size, OptionRight right, decimal strike, ulong? expiry, bool hasSlice)
    {
        uint id = Desk.Instrument(
            kind, currency == Desk.Usd ? Settlement.Linear : Settlement.Inverse, underlying, currency, size, right, right == OptionRight.None ? null : strike, expiry);
        _contracts.Add(new Contract(id, underlying, currency, right != OptionRight.None, hasSlice) { Volatility = 0.6m });
    }

    private void Price(decimal factor)
    {
        foreach ((ushort underlying, ulong time, bool hasSlice, decimal level) in _expiries)
        {
            Desk.Forward(_price[underlying] * factor, time, underlying: underlying);
            if (hasSlice)
            {
                Slice(underlying, time, level, OriginFlags.EndOfEvent);
            }
        }

        foreach (Contract contract in _contracts.Where(contract => contract.IsOption && !contract.HasSlice))
        {
            Desk.Volatility(contract.Id, contract.Volatility);
        }

        Send(1, isWhole: true, noise: 0.0);
        Send(2, isWhole: true, noise: 0.0);
    }

    private void Send(ushort underlying, bool isWhole, double noise)
    {
        Desk.Index(_price[underlying], underlying, OriginFlags.None);
        foreach ((ushort of, ulong time, _, _) in _expiries.Where(expiry => expiry.Underlying == underlying && (isWhole || _random.Next(2) == 0)))
        {
            Desk.Forward(Near(_price[underlying], noise), time, of, OriginFlags.None);
        }

        Contract[] linear = [.. _contracts.Where(contract => !contract.IsOption && contract.Underlying == underlying)];
        for (int index = 0; index < linear.Length; index++)
        {
            Desk.Mark(linear[index].Id, Near(_price[underlying], noise), index == linear.Length - 1 ? OriginFlags.EndOfEvent : OriginFlags.None);
        }
    }

    private void Slice(ushort underlying, ulong time, decimal level, OriginFlags flags)
    {
        if (time <= (ulong)Desk.Now)
        {
            return;
        }

        decimal years = (decimal)((time - (ulong)Desk.Now) / 1e9 / (365.0 * 86_400.0));
        decimal variance = level * level * Math.Max(years, 0.00001m);
        decimal root = (decimal)Math.Sqrt((double)variance);
        Desk.Slice(variance * 0.6m, root * 0.12m, -0.3m + ((level - 0.6m) * 0.5m), root * 0.1m, root * 1.2m, time, flags, underlying);
    }

    private void Populate(ulong account)
    {
        Desk.Open(account, (ushort)(1 + _random.Next(Models.Count)));
        int legs = _random.Next(1, _style.Legs);
        bool isHedged = _random.Next(3) == 0;
        for (int leg = 0; leg < legs; leg++)
        {
            Contract contract = _contracts[_random.Next(_contracts.Count)];
            decimal notional = _price[contract.Underlying] * 0.1m;
            long lots = (long)(_random.Next(1, 40) * (contract.IsOption ? 1m : contract.Currency == Desk.Usd ? 10m : notional / 10m));
            lots = Math.Max(1, lots) * (_random.Next(3) == 0 ? 1 : -1);
            decimal price = contract.IsOption ? contract.Currency == Desk.Usd ? _price[contract.Underlying] * 0.02m : 0.02m : _price[contract.Underlying];
            Desk.Fill(account, contract.Id, lots, decimal.Round(price, 4));
            if (isHedged)
            {
                Contract other = _contracts[_random.Next(_contracts.Count)];
                Desk.Fill(account, other.Id, -Math.Sign(lots) * Math.Max(1, Math.Abs(lots) / (other.IsOption ? 1 : 2)), decimal.Round(price, 4));
            }
        }

        // Collateral that puts it near one of its thresholds.
        MarginReport report = Desk.Report(account);
        decimal ratio = 0.55m + ((decimal)_random.NextDouble() * _style.Spread);
        if (_style.IsPinned)
        {
            double near = _random.NextDouble();
            ratio = new[] { 0.7m, 0.85m, 0.95m, 1m }[_random.Next(4)] * (1m - (decimal)(near * near * 0.01));
        }

        decimal wanted = Desk.Usd6(report.Margin.Maintenance) / ratio - Desk.Usd6(report.Margin.Equity);
        Desk.Transfer(account, Desk.Usd, decimal.Round(wanted, 6));
        if (_random.Next(3) == 0)
        {
            decimal coins = decimal.Round(Math.Abs(wanted) / _price[1] * 0.3m, 6);
            Desk.Transfer(account, Desk.Btc, coins, -10);
            Desk.Transfer(account, Desk.Usd, -decimal.Round(coins * _price[1] * 0.9m, 6));
        }
    }

    private decimal Near(decimal price, double noise) => decimal.Round(price * (1m + ((decimal)((_random.NextDouble() - 0.5) * noise))), 4);

    private sealed record Contract(uint Id, ushort Underlying, ushort Currency, bool IsOption, bool HasSlice)
    {
        public decimal Volatility { get; set; }
    }
}

/// <summary>What moves, and how far the accounts are from their thresholds.</summary>
internal sealed record CrossingStyle
{
    public int Accounts { get; init; } = 100;

    public int Legs { get; init; } = 12;

    /// <summary>Relative size of a tick.</summary>
    public double Step { get; init; } = 4e-4;

    /// <summary>Ratios lie between 0.55 and this much more.</summary>
    public decimal Spread { get; init; } = 0.5m;

    /// <summary>Ratios lie within a hundredth of a threshold, most of them nearer, in place of that.</summary>
    public bool IsPinned { get; init; }

    public bool HasTime { get; init; } = true;

    public bool HasVolatility { get; init; } = true;
}
