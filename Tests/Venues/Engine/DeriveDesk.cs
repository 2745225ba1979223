using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>An account of the portfolio cases in the engine: margins in Derive's sign, USD of the case's own size, and the report they come from.</summary>
internal sealed record DeriveRun(decimal Initial, decimal Maintenance, decimal MarkToMarket, MarginReport Report, decimal Scale)
{
    public decimal Usd(long micro) => micro / 1e6m / Scale;
}

/// <summary>
/// Derive's portfolio accounts as messages. The methods are homogeneous in amounts and cash, and the engine counts whole micro-USD: every amount is made a
/// power of ten larger, so that a case of a few dollars shows as many digits as one of millions.
/// </summary>
internal static class DeriveDesk
{
    private const int CoinDecimals = 8;

    // Half of what a position and row may have and stay exact: 2^51 micro-USD.
    private const decimal LargestProduct = 1_125_899_906.842624m;

    /// <summary>The largest power of ten at which no position leaves the exact range in any row.</summary>
    public static decimal ScaleOf(DeriveAccount account, decimal largestMove)
    {
        decimal largest = Math.Abs(account.Perpetuals) * account.PerpetualPrice * largestMove;
        foreach (DeriveOption option in account.Options)
        {
            decimal forward = account.Expiries.First(expiry => expiry.Seconds == option.Seconds) is var feed ? feed.FixedForward + feed.VariableForward : 0m;
            decimal value = option.IsCall ? forward * (largestMove + 1m) : option.Strike;
            largest = Math.Max(largest, Math.Abs(option.Amount) * value);
        }

        foreach (DeriveCollateral collateral in account.Collaterals)
        {
            largest = Math.Max(largest, Math.Abs(collateral.Amount * Math.Max(collateral.Price, 1m)));
        }

        decimal scale = 1m;
        while (scale < 1e5m && largest * scale * 10m < LargestProduct)
        {
            scale *= 10m;
        }

        return scale;
    }

    /// <summary>The account scaled and with the digits that messages hold. A coin without a price is the underlying itself.</summary>
    public static DeriveAccount OnTheWire(DeriveAccount account, decimal scale)
    {
        decimal Amount(decimal amount) => VenueDesk.Wire(amount * scale);

        return account with
        {
            Cash = Math.Round((account.Cash + account.PerpetualPnl + account.Funding) * scale * 1e6m) / 1e6m,
            PerpetualPnl = 0m,
            Funding = 0m,
            Perpetuals = Amount(account.Perpetuals),
            PerpetualPrice = VenueDesk.Wire(account.PerpetualPrice),
            PerpetualConfidence = VenueDesk.Wire(account.PerpetualConfidence),
            Options = [.. account.Options.Select(option => option with { Amount = Amount(option.Amount) })],
            Expiries = [.. account.Expiries.Select(expiry => expiry with
            {
                FixedForward = VenueDesk.Wire(expiry.FixedForward),
                VariableForward = VenueDesk.Wire(expiry.FixedForward + expiry.VariableForward) - VenueDesk.Wire(expiry.FixedForward),
                Rate = VenueDesk.Wire(expiry.Rate),
                Confidence = VenueDesk.Wire(expiry.Confidence),
            })],
            Collaterals = [.. account.Collaterals.Select(collateral => collateral with
            {
                Amount = Amount(collateral.Amount),
            })],
        };
    }

    /// <summary>Runs an account of <see cref="OnTheWire"/>.</summary>
    public static DeriveRun Run(DeriveAccount account, ModelDocument document, decimal scale, string name)
    {
        using var desk = new VenueDesk();
        ushort coin = desk.Currency("ETH", CoinDecimals);
        ushort stable = desk.Currency("USDC", CoinDecimals);
        ushort main = desk.Underlying("ETH", coin);
        ushort peg = desk.Underlying("USDC", stable);
        var coins = new List<(ushort Currency, ushort Underlying, DeriveCollateral Held)>();
        foreach (DeriveCollateral collateral in account.Collaterals)
        {
            string code = $"C{coins.Count}";
            ushort currency = collateral.Price == 0m ? coin : desk.Currency(code, CoinDecimals);
            coins.Add((currency, collateral.Price == 0m ? main : desk.Underlying(code, currency), collateral));
            document = collateral.Price == 0m ? document : document.With($"currencies.{code}", Terms(collateral));
        }

        desk.Model(document);
        desk.Index(main, account.Spot, account.SpotConfidence);
        desk.Index(peg, account.Stable);
        foreach ((ushort _, ushort underlying, DeriveCollateral held) in coins.Where(item => item.Underlying != main))
        {
            desk.Index(underlying, held.Price, held.Confidence);
        }

        var positions = new List<(uint Instrument, decimal Amount, decimal Price)>();
        var expiries = new HashSet<decimal>();
        foreach (DeriveOption option in account.Options)
        {
            DeriveExpiry feed = account.Expiries.First(expiry => expiry.Seconds == option.Seconds);
            uint instrument = desk.Option(main, VenueDesk.Usd, option.IsCall, option.Strike, desk.In(option.Seconds));
            if (expiries.Add(option.Seconds))
            {
                desk.Forward(main, desk.In(option.Seconds), feed.FixedForward + feed.VariableForward, feed.FixedForward, feed.Confidence);
                desk.Rate(main, desk.In(option.Seconds), feed.Rate, feed.Confidence);
            }

            desk.Volatility(instrument, option.Volatility, feed.Confidence);
            positions.Add((instrument, option.Amount, 1e-8m));
        }

        if (account.Perpetuals != 0m)
        {
            uint perpetual = desk.Perpetual(main);
            desk.Mark(perpetual, account.PerpetualPrice, account.PerpetualConfidence);
            positions.Add((perpetual, account.Perpetuals, account.PerpetualPrice));
        }

        foreach ((uint instrument, decimal amount, decimal price) in positions)
        {
            desk.Hold(instrument, amount, price);
        }

        foreach ((ushort currency, ushort _, DeriveCollateral held) in coins)
        {
            desk.Deposit(currency, held.Amount, CoinDecimals);
        }

        desk.Cash(account.Cash, main);
        MarginReport report = desk.Report(name);
        decimal equity = report.Margin.Equity / 1e6m / scale;
        return new DeriveRun(equity - report.Margin.Initial / 1e6m / scale, equity - report.Margin.Maintenance / 1e6m / scale, equity, report, scale);
    }

    /// <summary>A number of a document: at most eight decimals.</summary>
    public static JsonNode Number(decimal value) => JsonValue.Create(VenueDesk.Wire(value));

    /// <summary>A number of a document that may have sixteen.</summary>
    public static JsonNode Fine(decimal value) => JsonValue.Create(decimal.Round(value, 16));

    private static JsonObject Terms(DeriveCollateral collateral)
    {
        var terms = new JsonObject
        {
            ["haircut"] = 0,
            ["maintenanceHaircut"] = Number(collateral.MaintenanceHaircut),
            ["initialHaircut"] = Number(collateral.InitialHaircut),
        };
        if (collateral.InScenarios)
            terms["rowsOf"] = "ETH";
        return terms;
    }
}
