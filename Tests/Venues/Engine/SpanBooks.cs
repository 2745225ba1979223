using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.EngineTests;

/// <summary>
/// Random portfolios of a parameter file, from a seed: one commodity alone, a calendar, short options far out, or the commodities of two or three spreads
/// against each other, so that charges, minimums and credits all have their turn.
/// </summary>
internal sealed class SpanBooks(SpanDesk desk)
{
    private const int MostLegs = 6;
    private const int MostLots = 60;

    private readonly Dictionary<string, SpanContract[]> _contracts = desk.Contracts.GroupBy(contract => contract.Commodity)
        .ToDictionary(commodity => commodity.Key, commodity => commodity.OrderBy(contract => contract.Name, StringComparer.Ordinal).ToArray());

    public (SpanContract Contract, long Number)[] Make(int seed)
    {
        var random = new Random(seed);
        var book = new Dictionary<SpanContract, long>();
        foreach (string commodity in Commodities(random))
        {
            SpanContract[] contracts = _contracts[commodity];
            SpanContract[] chosen = random.Next(4) switch
            {
                0 => [.. contracts.Where(contract => contract.Strike is null)],
                1 => [.. contracts.Where(contract => contract.Strike is not null && contract.CompositeDelta < 0.2m)],
                _ => contracts,
            };
            chosen = chosen.Length == 0 ? contracts : chosen;
            long side = random.Next(3) - 1;
            for (int leg = random.Next(1, MostLegs + 1); leg > 0; leg--)
            {
                long lots = random.Next(1, MostLots) * (side != 0 ? side : random.Next(2) == 0 ? 1 : -1);
                SpanContract contract = chosen[random.Next(chosen.Length)];
                book[contract] = book.GetValueOrDefault(contract) + lots;
            }
        }

        return [.. book.Where(position => position.Value != 0).Select(position => (position.Key, position.Value))];
    }

    private HashSet<string> Commodities(Random random)
    {
        string[] all = [.. _contracts.Keys.Order(StringComparer.Ordinal)];
        var chosen = new HashSet<string> { all[random.Next(all.Length)] };
        if (random.Next(3) == 0)
            return chosen;
        SpanSpread[] spreads = [.. desk.File.InterSpreads.Where(spread => spread.Legs.All(leg => _contracts.ContainsKey(leg.Commodity)))];
        for (int count = spreads.Length == 0 ? 0 : random.Next(1, 4); count > 0; count--)
        {
            chosen.UnionWith(spreads[random.Next(spreads.Length)].Legs.Select(leg => leg.Commodity));
        }

        return chosen;
    }
}
