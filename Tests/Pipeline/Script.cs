// Input for nodes under test: a small real market and a seeded stream of ticks, fills and questions, as whole SBE messages.
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;

namespace MarginEngine.Tests.PipelineTests;

/// <summary>Messages of source 7, numbered from 1; the desk's own machine shows that they are taken.</summary>
internal static class Script
{
    public const ushort Source = 7;

    /// <summary>A market with one perpetual, some accounts with money, then a random walk with fills and pre-trade checks.</summary>
    public static List<byte[]> Messages(int ticks, int accounts = 8, int seed = 1, int asksInTen = 1)
    {
        var random = new Random(seed);
        using var desk = new Desk();
        uint perpetual = desk.Perpetual();
        desk.Mark(perpetual, 64_000m);
        for (ulong account = 1; account <= (ulong)accounts; account++)
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, 20_000m);
            desk.Fill(account, perpetual, account % 2 == 0 ? 3_000 : -3_000, 64_000m);
        }

        decimal price = 64_000m;
        for (int tick = 0; tick < ticks; tick++)
        {
            desk.Now += 1_000_000;
            price = Math.Clamp(price + random.Next(-150, 151), 55_000m, 75_000m);
            int choice = random.Next(10);
            if (choice == 0)
            {
                desk.Fill((ulong)random.Next(1, accounts + 1), perpetual, random.Next(2) == 0 ? 5 : -5, price);
            }
            else if (choice <= asksInTen)
            {
                desk.Ask((ulong)random.Next(1, accounts + 1), perpetual, 10, price);
            }
            else
            {
                desk.Index(price);
                desk.Mark(perpetual, price);
            }
        }

        return [.. desk.Applied.Select(applied => applied.Message)];
    }
}
