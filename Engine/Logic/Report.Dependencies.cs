using System.Text;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>What kind of price an account's margin depends on.</summary>
public enum PriceKind
{
    Index,
    Mark,
    Forward,

    /// <summary>Volatility of one option alone.</summary>
    MarkVolatility,

    /// <summary>Volatility surface of an expiry, as SVI parameters or as a grid.</summary>
    Surface,
    InterestRate,
    ExpiryRate,

    /// <summary>Rows that a clearing house publishes of a contract.</summary>
    Array,
    OpenInterest,
}

/// <summary>Which price: the ids of the message that brings it.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Id">Underlying, instrument or currency.</param>
/// <param name="ExpiryNanos">Of an expiry's prices; otherwise 0.</param>
public readonly record struct PriceKey(PriceKind Kind, uint Id, long ExpiryNanos = 0);

/// <summary>A price as it stood, with its age.</summary>
/// <param name="Key">Which one.</param>
/// <param name="Name">Symbol or code, with the expiry where it has one.</param>
/// <param name="Value">All digits of it; null: none has come. A surface and an array have no single value; of open interest, lots.</param>
/// <param name="TimeNanos">When it came, on the clock that prices age by; null: rates do not age.</param>
/// <param name="AgeNanos">Time since then.</param>
/// <param name="LimitNanos">Age at which the account's model takes it for stale; 0: never.</param>
/// <param name="Confidence">How far its feed trusts it, 0 to 1.</param>
public sealed record PriceReport(PriceKey Key, string Name, decimal? Value, long? TimeNanos, long? AgeNanos, long LimitNanos, decimal Confidence)
{
    public bool IsStale => LimitNanos > 0 && AgeNanos > LimitNanos;
}

/// <summary>What decides between states and when something is said, of the model an account is under. Ratios with exponent -8.</summary>
/// <param name="ThresholdE8">Ratio at which each state is entered, by state; index 0 unused.</param>
public sealed record RulesReport(
    ushort ModelId, string Model, uint Version, IReadOnlyList<long> ThresholdE8, long HysteresisE8, long TargetRatioE8, long StalePriceNanos, long StaleVolatilityNanos,
    long PublishRatioStepE8, long RefreshNanos, long LiquidationRetryNanos);

/// <summary>An account as of its last evaluation.</summary>
public readonly record struct AccountStanding(ulong AccountId, AccountState State, AccountMargin Margin, ushort ModelId, uint ModelVersion);

/// <content>What a margin depends on: prices with their ages, the model's thresholds. Cold but for <see cref="StandingAt"/>.</content>
public sealed partial class MarginMachine
{
    /// <summary>The clock that prices age by: market time where ticks bring it, else stamped time.</summary>
    public long PriceTime => PriceClock;

    /// <summary>By index, 0 to <see cref="AccountCount"/> - 1, in the order of opening. Allocates nothing.</summary>
    public AccountStanding StandingAt(int index)
    {
        ref readonly Account account = ref _book.AccountAt(index);
        return new AccountStanding(account.Id, account.State, account.Margin, _models[account.Model].Id, _models[account.Model].Version);
    }

    /// <summary>Null: there is no such account.</summary>
    public AccountStanding? Standing(ulong accountId) => _book.TryAccount(accountId, out int index) ? StandingAt(index) : null;

    /// <summary>Digest of what an account holds and by which rules: balances, positions, orders, model, class; 0: there is no such account.</summary>
    public ulong HoldingsDigest(ulong accountId)
    {
        if (!_book.TryAccount(accountId, out int index))
        {
            return 0;
        }

        ref readonly Account account = ref _book.AccountAt(index);
        Digest64 digest = new(6);
        digest.Add(((ulong)_models[account.Model].Id << 32) | _models[account.Model].Version);
        AddMembership(account, ref digest);
        foreach (long balance in _book.BalancesOf(index))
        {
            digest.Add(balance);
        }

        ulong positions = 0;
        for (int unit = account.FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            for (int position = _book.UnitAt(unit).FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
            {
                positions = unchecked(positions + DigestOf(_book.PositionAt(position)));
            }
        }

        digest.Add(positions);
        return digest.Value;
    }

    /// <summary>Null: there is no such account.</summary>
    public RulesReport? Rules(ulong accountId)
    {
        if (!_book.TryAccount(accountId, out int index))
        {
            return null;
        }

        CompiledModel rules = _models[_book.AccountAt(index).Model];
        return new RulesReport(
            rules.Id, Text(rules.Name), rules.Version, [.. rules.ThresholdE8], rules.HysteresisE8, rules.TargetRatioE8, rules.StalePriceNanos, rules.StaleVolatilityNanos,
            rules.PublishRatioStepE8, rules.RefreshNanos, rules.LiquidationRetryNanos);
    }

    /// <summary>Every price that an account's margin depends on now, each once, by kind and name; empty where there is no such account.</summary>
    public IReadOnlyList<PriceReport> Prices(ulong accountId)
    {
        if (!_book.TryAccount(accountId, out int index))
        {
            return [];
        }

        Dictionary<PriceKey, PriceReport> found = [];
        CompiledModel rules = _models[_book.AccountAt(index).Model];
        for (int currency = 0; currency < _market.CurrencyCount; currency++)
        {
            if (_book.BalancesOf(index)[currency] != 0)
            {
                AddCurrency(found, rules, currency);
            }
        }

        for (int unit = _book.AccountAt(index).FirstUnit; unit >= 0; unit = _book.UnitAt(unit).NextOfAccount)
        {
            AddIndex(found, rules, _book.UnitAt(unit).Underlying);
            AddCurrency(found, rules, _book.UnitAt(unit).Currency);
            for (int position = _book.UnitAt(unit).FirstPosition; position >= 0; position = _book.PositionAt(position).NextOfUnit)
            {
                AddContract(found, rules, _book.PositionAt(position).Instrument);
            }
        }

        if (rules.PegUnderlying >= 0)
        {
            AddIndex(found, rules, rules.PegUnderlying);
        }

        return [.. found.Values.OrderBy(price => price.Key.Kind).ThenBy(price => price.Name, StringComparer.Ordinal).ThenBy(price => price.Key.ExpiryNanos)];
    }

    private void AddCurrency(Dictionary<PriceKey, PriceReport> found, CompiledModel rules, int currency)
    {
        ref readonly Currency held = ref _market.CurrencyAt(currency);
        if (!held.IsMoney && held.Underlying >= 0)
        {
            AddIndex(found, rules, held.Underlying);
        }

        int redemption = rules.Collaterals[currency].RedemptionOf;
        if (rules.Collaterals[currency].RedemptionValueE8 != 0 && redemption >= 0)
        {
            AddIndex(found, rules, redemption);
        }
    }

    private void AddIndex(Dictionary<PriceKey, PriceReport> found, CompiledModel rules, int underlying)
    {
        ref readonly Underlying of = ref _market.UnderlyingAt(underlying);
        Add(found, new PriceKey(PriceKind.Index, of.Id), Text(_market.UnderlyingCodeAt(underlying)), Exact(of.IndexE8, of.IndexFurther), of.IndexTime, rules.StalePriceNanos,
            Exact(of.ConfidenceE8, of.ConfidenceFurther));
    }

    private void AddContract(Dictionary<PriceKey, PriceReport> found, CompiledModel rules, int instrument)
    {
        ref readonly Instrument contract = ref _market.InstrumentAt(instrument);
        string symbol = Text(_market.SymbolAt(instrument));
        AddPublished(found, rules, contract, symbol);
        if (!contract.IsOption)
        {
            Add(found, new PriceKey(PriceKind.Mark, contract.Id), symbol, Exact(contract.MarkE8), contract.MarkTime, rules.StalePriceNanos, Exact(contract.MarkConfidenceE8));
            return;
        }

        ref readonly Expiry expiry = ref _market.ExpiryAt(contract.Expiry);
        PriceKey Of(PriceKind kind, in Expiry at) => new(kind, _market.UnderlyingAt(at.Underlying).Id, at.TimeNanos);
        string name = ExpiryName(contract.Expiry);
        Add(found, Of(PriceKind.Forward, expiry), name, Exact(expiry.ForwardE8), expiry.ForwardTime, rules.StalePriceNanos, Exact(expiry.ForwardConfidenceE8));
        if (contract.VolatilityE8 != 0)
        {
            Add(found, new PriceKey(PriceKind.MarkVolatility, contract.Id), symbol, Exact(contract.VolatilityE8, contract.VolatilityFurther), contract.VolatilityTime,
                rules.StaleVolatilityNanos, Exact(contract.VolatilityConfidenceE8));
        }
        else
        {
            AddSurfaces(found, rules, contract.Expiry);
        }

        ref readonly Currency currency = ref _market.CurrencyAt(contract.Currency);
        if (expiry.HasRate)
        {
            found.TryAdd(Of(PriceKind.ExpiryRate, expiry), new PriceReport(Of(PriceKind.ExpiryRate, expiry), name, Exact(expiry.RateE8), null, null, 0, Exact(expiry.RateConfidenceE8)));
        }
        else if (currency.RateTime != 0)
        {
            PriceKey key = new(PriceKind.InterestRate, currency.Id);
            found.TryAdd(key, new PriceReport(key, Text(_market.CurrencyCodeAt(contract.Currency)), Exact(currency.RateE8), null, null, 0, 1));
        }
    }

    private static void AddPublished(Dictionary<PriceKey, PriceReport> found, CompiledModel rules, in Instrument contract, string symbol)
    {
        if (rules.TakesArrays && contract.ArrayRows > 0)
        {
            found.TryAdd(new PriceKey(PriceKind.Array, contract.Id), new PriceReport(new PriceKey(PriceKind.Array, contract.Id), symbol, null, null, null, 0, 1));
        }

        if (contract.OpenInterest != 0)
        {
            found.TryAdd(
                new PriceKey(PriceKind.OpenInterest, contract.Id), new PriceReport(new PriceKey(PriceKind.OpenInterest, contract.Id), symbol, contract.OpenInterest, null, null, 0, 1));
        }
    }

    // An expiry's own surface, or those of its neighbours in time.
    private void AddSurfaces(Dictionary<PriceKey, PriceReport> found, CompiledModel rules, int expiry)
    {
        ReadOnlySpan<int> sources = _market.ExpiryAt(expiry).HasSurface
            ? [expiry]
            : [_market.SurfaceBefore(expiry, _market.ValuationTime), _market.SurfaceAfter(expiry, _market.ValuationTime)];
        foreach (int source in sources)
        {
            if (source >= 0)
            {
                ref readonly Expiry at = ref _market.ExpiryAt(source);
                PriceKey key = new(PriceKind.Surface, _market.UnderlyingAt(at.Underlying).Id, at.TimeNanos);
                found.TryAdd(key, new PriceReport(
                    key, ExpiryName(source), null, at.SurfaceTime, PriceClock - at.SurfaceTime, rules.StaleVolatilityNanos, Exact(at.SliceConfidenceE8)));
            }
        }
    }

    private void Add(Dictionary<PriceKey, PriceReport> found, PriceKey key, string name, decimal value, long time, long limit, decimal confidence) =>
        found.TryAdd(key, value == 0
            ? new PriceReport(key, name, null, null, null, limit, confidence)
            : new PriceReport(key, name, value, time, PriceClock - time, limit, confidence));

    // All sixteen decimals that a message can carry.
    private static decimal Exact(long e8, uint further = 0) => (e8 / 100_000_000m) + (further / 10_000_000_000_000_000m);

    private string ExpiryName(int expiry)
    {
        ref readonly Expiry at = ref _market.ExpiryAt(expiry);
        StringBuilder name = new(Text(_market.UnderlyingCodeAt(at.Underlying)));
        name.Append(' ').Append(DateTime.UnixEpoch.AddTicks(at.TimeNanos / 100).ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture)).Append('Z');
        return name.ToString();
    }
}
