// Opens a population of accounts: books of all styles, sized and collateralised so that none is near a margin call at the start and a
// crash of a fifth brings some there. The requirement comes from the engine's own machine, so it holds for any margin model.

using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

/// <summary>How many accounts, and what is in them.</summary>
public sealed record BookPlan
{
    public required int Accounts { get; init; }
    public required ulong Seed { get; init; }

    /// <summary>At least this many positions an account; 0: as the style has it.</summary>
    public int PositionsPerAccount { get; init; }

    public int LiquidityProviders { get; init; } = 4;
    public ushort ModelId { get; init; } = 1;
    public ModelDocument Model { get; init; } = ModelDocument.Portfolio;

    /// <summary>Number of the first client; providers are 1, 2, .. and the insurance fund is 0.</summary>
    public const ulong FirstClient = 1001;
}

/// <summary>Collateral in atoms of its currency.</summary>
public sealed record Deposit(Currency Currency, long Atoms);

/// <summary>One account as it is opened.</summary>
public sealed record AccountBook(
    ulong AccountId, BookStyle Style, Asset Asset, IReadOnlyList<BookLeg> Legs, IReadOnlyList<Deposit> Deposits)
{
    /// <summary>Coins the book was sized for; random trades of the account are a small part of it.</summary>
    public double Coins { get; init; }
}

/// <summary>Everybody at the start: clients, providers, and the fund's capital.</summary>
public sealed record Population(IReadOnlyList<AccountBook> Clients, IReadOnlyList<AccountBook> Providers, Deposit Fund)
{
    /// <summary>The provider that is the other side of all trades in a contract.</summary>
    public AccountBook ProviderOf(Contract contract) => Providers[(int)(contract.Id % (uint)Providers.Count)];
}

/// <summary>Seeded: the same board, plan and model give the same population.</summary>
public static class BookFactory
{
    private const double HighestRatio = 0.60;
    private const double ProviderCover = 12;
    private const double FundPart = 0.004;

    /// <summary>Of so many accounts one is long with all it has: a small population sees a liquidation too.</summary>
    private const int GamblerEvery = 40;
    private const long Dollar = 1_000_000;

    /// <param name="path">Has opened the board; gives the volatilities.</param>
    internal static Population Create(Board board, IPricePath path, BookPlan plan)
    {
        SeededRandom random = new SeededRandom(plan.Seed).Fork("books");
        using var probe = new MarginProbe(board, path, plan);
        var clients = new List<AccountBook>(plan.Accounts);
        double total = 0;
        for (int i = 0; i < plan.Accounts; i++)
        {
            bool isGambler = i % GamblerEvery == GamblerEvery / 2;
            AccountBook drawn = Draw(board, plan, BookPlan.FirstClient + (ulong)i, isGambler, random);
            double ratio = isGambler ? random.Between(0.54, 0.58) : DrawRatio(drawn.Style, random);
            (long maintenance, long equity) = probe.Open(drawn);
            double needed = Math.Max(maintenance / ratio, 200.0 * Dollar) - equity;
            List<Deposit> deposits = Split(board, drawn, needed, plan.Model, random);
            long missing = probe.Fund(drawn.AccountId, deposits, Math.Min(HighestRatio, ratio * 1.1));
            if (missing > 0)
                deposits.Add(new Deposit(board.Currencies[0], missing));
            clients.Add(drawn with { Deposits = Merge(deposits) });
            total += maintenance / ratio;
        }
        var providers = new List<AccountBook>();
        for (int i = 0; i < plan.LiquidityProviders; i++)
        {
            (long maintenance, long equity) = probe.MarginOf((ulong)i + 1);
            long cover = checked((long)(maintenance * ProviderCover) + Math.Abs(equity) + 20_000_000 * Dollar);
            var deposit = new Deposit(board.Currencies[0], cover);
            providers.Add(new AccountBook((ulong)i + 1, BookStyle.LiquidityProvider, board.Assets[0], [], [deposit]));
        }
        return new Population(clients, providers, new Deposit(board.Currencies[0], (long)(total * FundPart) + 100_000 * Dollar));
    }

    private static AccountBook Draw(Board board, BookPlan plan, ulong id, bool isGambler, SeededRandom random)
    {
        BookStyle style = isGambler ? BookStyle.LeveragedLong : BookStyles.Draw(random);
        Asset[] traded = [.. board.Traded];
        Asset asset = traded[random.Chance(0.6) ? 0 : random.Below(traded.Length)];
        // Notional: median 150,000 USD, from retail to funds.
        double notional = Math.Clamp(150_000 * Functions.Exp(1.15 * random.Gaussian()), 12_000, 30_000_000);
        double coins = notional / asset.Index;
        List<BookLeg> legs = BookStyles.Legs(style, board, asset, coins, random);
        if (legs.Count < plan.PositionsPerAccount)
            BookStyles.Fill(legs, plan.PositionsPerAccount, board, asset, coins, random);
        return new AccountBook(id, style, asset, legs, []) { Coins = coins };
    }

    // Where maintenance margin / equity starts: most far from trouble, some of those with a view at the edge of comfort.
    private static double DrawRatio(BookStyle style, SeededRandom random)
    {
        if (!BookStyles.IsDirectional(style))
            return random.Between(0.04, 0.35);
        return random.Chance(0.88) ? random.Between(0.05, 0.24) : random.Between(0.24, 0.55);
    }

    // USD, coin, or both; a covered call and a cash-and-carry hold the coin itself.
    private static List<Deposit> Split(Board board, AccountBook book, double microDollars, ModelDocument model, SeededRandom random)
    {
        bool isCarry = book.Style == BookStyle.Basis && book.Legs.Count == 1;
        bool needsCoin = book.Style == BookStyle.CoveredCall || isCarry;
        Asset[] others = [.. board.Assets.Where(other => other.Perpetuals.Count == 0)];
        Asset asset = !needsCoin && others.Length > 0 && random.Chance(0.15) ? random.Pick(others) : book.Asset;
        double haircut = (double)model.Haircuts().GetValueOrDefault(asset.Coin.Code, 1m);
        double inCoin = needsCoin ? 1 : random.Unit() switch { < 0.5 => 0.0, < 0.75 => 0.5, _ => 1.0 };
        var deposits = new List<Deposit>();
        if (haircut < 1 && inCoin > 0)
        {
            double coins = microDollars * inCoin / (asset.Index * (1 - haircut) * Dollar);
            if (needsCoin)
                coins = Math.Max(coins, book.Coins);
            if (coins > 0)
                deposits.Add(new Deposit(asset.Coin, Scaled(coins, asset.Coin.Decimals)));
            microDollars = Math.Max(0, microDollars - Math.Max(0, coins) * asset.Index * (1 - haircut) * Dollar);
        }
        if (microDollars > 1)
            deposits.Add(new Deposit(asset.Quote, (long)Math.Ceiling(microDollars)));
        return deposits;
    }

    private static List<Deposit> Merge(List<Deposit> deposits)
        => [.. deposits.GroupBy(deposit => deposit.Currency).Select(group => new Deposit(group.Key, group.Sum(deposit => deposit.Atoms)))];

    private static long Scaled(double value, int decimals)
    {
        for (int i = 0; i < decimals; i++)
            value *= 10;
        return checked((long)Math.Ceiling(value));
    }
}
