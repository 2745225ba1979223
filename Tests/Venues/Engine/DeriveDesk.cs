using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>An account of the portfolio cases in the engine: margins in Derive's sign, USD of the case's own size, and the report they come from.</summary>
internal sealed record DeriveRun(double Initial, double Maintenance, double MarkToMarket, MarginReport Report, double Scale)
{
    public double Usd(long micro) => micro / 1e6 / Scale;
}

/// <summary>
/// Derive's portfolio accounts as messages. The methods are homogeneous in amounts and cash, and the engine counts whole micro-USD: every amount is made a
/// power of ten larger, so that a case of a few dollars shows as many digits as one of millions.
/// </summary>
internal static class DeriveDesk
{
    private const int CoinDecimals = 8;

    // Half of what a position and row may have and stay exact: 2^51 micro-USD.
    private const double LargestProduct = 1_125_899_906.842624;

    /// <summary>The largest power of ten at which no position leaves the exact range in any row.</summary>
    public static double ScaleOf(DeriveAccount account, double largestMove)
    {
        double largest = Math.Abs(account.Perpetuals) * account.PerpetualPrice * largestMove;
        foreach (DeriveOption option in account.Options)
        {
            double forward = account.Expiries.First(expiry => expiry.Seconds == option.Seconds) is var feed ? feed.FixedForward + feed.VariableForward : 0.0;
            double value = option.IsCall ? forward * (largestMove + 1.0) : option.Strike;
            largest = Math.Max(largest, Math.Abs(option.Amount) * value);
        }

        foreach (DeriveCollateral collateral in account.Collaterals)
        {
            largest = Math.Max(largest, Math.Abs(collateral.Amount * Math.Max(collateral.Price, 1.0)));
        }

        double scale = 1.0;
        while (scale < 1e5 && largest * scale * 10.0 < LargestProduct)
        {
            scale *= 10.0;
        }

        return scale;
    }

    /// <summary>The account scaled and with the digits that messages hold. A coin without a price is the underlying itself.</summary>
    public static DeriveAccount OnTheWire(DeriveAccount account, double scale)
    {
        double Amount(double amount) => VenueDesk.Wire(amount * scale);

        return account with
        {
            Cash = Math.Round((account.Cash + account.PerpetualPnl + account.Funding) * scale * 1e6) / 1e6,
            PerpetualPnl = 0.0,
            Funding = 0.0,
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
    public static DeriveRun Run(DeriveAccount account, ModelDocument document, double scale, string name)
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
            ushort currency = collateral.Price == 0.0 ? coin : desk.Currency(code, CoinDecimals);
            coins.Add((currency, collateral.Price == 0.0 ? main : desk.Underlying(code, currency), collateral));
            document = collateral.Price == 0.0 ? document : document.With($"currencies.{code}", Terms(collateral));
        }

        desk.Model(document);
        desk.Index(main, account.Spot, account.SpotConfidence);
        desk.Index(peg, account.Stable);
        foreach ((ushort _, ushort underlying, DeriveCollateral held) in coins.Where(item => item.Underlying != main))
        {
            desk.Index(underlying, held.Price, held.Confidence);
        }

        var positions = new List<(uint Instrument, double Amount, double Price)>();
        var expiries = new HashSet<double>();
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
            positions.Add((instrument, option.Amount, 1e-8));
        }

        if (account.Perpetuals != 0.0)
        {
            uint perpetual = desk.Perpetual(main);
            desk.Mark(perpetual, account.PerpetualPrice, account.PerpetualConfidence);
            positions.Add((perpetual, account.Perpetuals, account.PerpetualPrice));
        }

        foreach ((uint instrument, double amount, double price) in positions)
        {
            desk.Hold(instrument, amount, price);
        }

        foreach ((ushort currency, ushort _, DeriveCollateral held) in coins)
        {
            desk.Deposit(currency, held.Amount, CoinDecimals);
        }

        desk.Cash(account.Cash, main);
        MarginReport report = desk.Report(name);
        double equity = report.Margin.Equity / 1e6 / scale;
        return new DeriveRun(equity - report.Margin.Initial / 1e6 / scale, equity - report.Margin.Maintenance / 1e6 / scale, equity, report, scale);
    }

    /// <summary>A number of a document: at most eight decimals.</summary>
    public static JsonNode Number(double value) => JsonValue.Create(VenueDesk.E8(value) / 100_000_000m);

    /// <summary>A number of a document that may have sixteen.</summary>
    public static JsonNode Fine(double value)
    {
        (long coarse, uint further) = VenueDesk.E16(value);
        return JsonValue.Create((coarse / 100_000_000m) + (further / 10_000_000_000_000_000m));
    }

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
