// The venue as the matching engine's stand-in knows it: currencies, underlyings, expiries, contracts, and the current prices of each.
// Price paths move it, the script reads it, the message writer puts it on the wire.

using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>A currency; amounts of it are whole units of 10^-decimals.</summary>
public sealed record Currency(ushort Id, byte Decimals, string Code);

/// <summary>One contract. Size is base units a lot, for inverse futures and perpetuals USD a lot; size and strike in 1e-8.</summary>
public sealed class Contract
{
    public required uint Id { get; init; }
    public required Asset Asset { get; init; }
    public required InstrumentKind Kind { get; init; }
    public required bool IsInverse { get; init; }
    public required long Size { get; init; }
    public required string Symbol { get; init; }
    public Expiry? Expiry { get; init; }
    public long Strike { get; init; }
    public bool IsCall { get; init; }

    /// <summary>Mark of a perpetual or future in USD; of an option unused, its price follows from forward and volatility.</summary>
    public double Mark { get; set; }

    public Currency Settlement => IsInverse ? Asset.Coin : Asset.Quote;

    public bool IsOption => Kind == InstrumentKind.Option;

    public double LotSize => Size * 1e-8;

    public double StrikePrice => Strike * 1e-8;
}

/// <summary>One expiry of an asset: its forward, its options and its future.</summary>
public sealed class Expiry
{
    public required Asset Asset { get; init; }
    public required long Nanos { get; init; }
    public List<Contract> Options { get; } = [];
    public List<Contract> Futures { get; } = [];

    /// <summary>USD.</summary>
    public double Forward { get; set; }

    public bool IsSettled { get; set; }

    /// <summary>Years of 365 days left, 0 once passed.</summary>
    public double Years(long nowNanos) => Math.Max(0, Nanos - nowNanos) / UnixTime.YearNanos;
}

/// <summary>An underlying: what its index prices, its coin, and all that is listed on it.</summary>
public sealed class Asset
{
    public required ushort Id { get; init; }
    public required string Code { get; init; }
    public required Currency Coin { get; init; }
    public required Currency Quote { get; init; }

    /// <summary>In the order of time; settled ones stay in the list.</summary>
    public List<Expiry> Expiries { get; } = [];

    public List<Contract> Perpetuals { get; } = [];

    /// <summary>Index in USD.</summary>
    public double Index { get; set; }
}

/// <summary>Everything listed, with ids in the order of definition, and the market time its prices stand at.</summary>
public sealed class Board
{
    private readonly Dictionary<(ushort, long), Expiry> _expiries = [];

    public List<Currency> Currencies { get; } = [];
    public List<Asset> Assets { get; } = [];
    public List<Contract> Contracts { get; } = [];

    /// <summary>Assets with contracts on them; the others are collateral only.</summary>
    public IEnumerable<Asset> Traded => Assets.Where(asset => asset.Perpetuals.Count > 0);

    /// <summary>Market time, nanoseconds since 1970.</summary>
    public long Now { get; set; }

    /// <summary>Volatility of an option at the market time; supplied by the price path.</summary>
    public Func<Contract, double> VolatilityOf { get; set; } = _ => throw new InvalidOperationException("no price path is attached");

    public Currency AddCurrency(string code, byte decimals)
    {
        var currency = new Currency(checked((ushort)(Currencies.Count + 1)), decimals, code);
        Currencies.Add(currency);
        return currency;
    }

    public Asset AddAsset(string code, Currency coin)
    {
        var asset = new Asset { Id = checked((ushort)(Assets.Count + 1)), Code = code, Coin = coin, Quote = Currencies[0] };
        Assets.Add(asset);
        return asset;
    }

    /// <summary>The expiry of that time, made when it is new.</summary>
    public Expiry ExpiryOf(Asset asset, long nanos)
    {
        if (_expiries.TryGetValue((asset.Id, nanos), out Expiry? known))
            return known;
        var expiry = new Expiry { Asset = asset, Nanos = nanos };
        _expiries.Add((asset.Id, nanos), expiry);
        int place = asset.Expiries.FindIndex(other => other.Nanos > nanos);
        asset.Expiries.Insert(place < 0 ? asset.Expiries.Count : place, expiry);
        return expiry;
    }

    public Contract AddPerpetual(Asset asset, bool inverse, long size)
    {
        Contract contract = Add(asset, InstrumentKind.Perpetual, inverse, size, Pair(asset, inverse) + "-PERPETUAL", null, 0, false);
        asset.Perpetuals.Add(contract);
        return contract;
    }

    public Contract AddFuture(Expiry expiry, bool inverse, long size)
    {
        Contract contract = Add(expiry.Asset, InstrumentKind.Future, inverse, size,
            $"{Pair(expiry.Asset, inverse)}-{UnixTime.ShowDay(expiry.Nanos)}", expiry, 0, false);
        expiry.Futures.Add(contract);
        return contract;
    }

    public Contract AddOption(Expiry expiry, bool inverse, long size, long strike, bool isCall)
    {
        string price = (strike % 100_000_000 == 0 ? (strike / 100_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture)
            : (strike * 1e-8m).ToString("0.########", System.Globalization.CultureInfo.InvariantCulture)).Replace('.', 'd');
        Contract contract = Add(expiry.Asset, InstrumentKind.Option, inverse, size,
            $"{Pair(expiry.Asset, inverse)}-{UnixTime.ShowDay(expiry.Nanos)}-{price}-{(isCall ? 'C' : 'P')}", expiry, strike, isCall);
        expiry.Options.Add(contract);
        return contract;
    }

    /// <summary>Price of a contract as it trades: USD, of an inverse option the coin. Never below one unit of the wire (1e-8).</summary>
    public double PriceOf(Contract contract)
    {
        if (!contract.IsOption)
            return contract.Mark;
        double value = ValueOf(contract);
        return Math.Max(1e-8, contract.IsInverse ? value / contract.Expiry!.Forward : value);
    }

    /// <summary>Value of an option on one base unit, in USD.</summary>
    public double ValueOf(Contract option)
    {
        Expiry expiry = option.Expiry!;
        (double call, double put) = Black76.Value(expiry.Forward, option.StrikePrice, expiry.Years(Now), VolatilityOf(option));
        return option.IsCall ? call : put;
    }

    /// <summary>Base units that one lot moves with the forward.</summary>
    public double DeltaOf(Contract contract)
    {
        if (!contract.IsOption)
            return contract.IsInverse ? contract.LotSize / contract.Mark : contract.LotSize;
        Expiry expiry = contract.Expiry!;
        return contract.LotSize
            * Black76.Greeks(contract.IsCall, expiry.Forward, contract.StrikePrice, expiry.Years(Now), VolatilityOf(contract)).Delta;
    }

    private Contract Add(Asset asset, InstrumentKind kind, bool inverse, long size, string symbol, Expiry? expiry, long strike, bool isCall)
    {
        var contract = new Contract
        {
            Id = checked((uint)(Contracts.Count + 1)),
            Asset = asset,
            Kind = kind,
            IsInverse = inverse,
            Size = size,
            Symbol = symbol,
            Expiry = expiry,
            Strike = strike,
            IsCall = isCall,
        };
        Contracts.Add(contract);
        return contract;
    }

    private static string Pair(Asset asset, bool inverse) => inverse ? asset.Code : $"{asset.Code}_{asset.Quote.Code}";
}
