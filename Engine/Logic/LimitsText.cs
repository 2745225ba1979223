// The capacities as one line of text. A journal carries it in every segment header, because what is refused depends on them: the same
// records under other capacities can be other decisions. Written by the node, read by the replay.
using System.Globalization;

namespace MarginEngine.Logic;

public static class LimitsText
{
    private static readonly string[] Names =
    [
        "accounts", "units", "positions", "orders", "instruments", "underlyings", "expiries", "currencies", "models", "legs",
        "eventMessages", "sources", "refreshSlice", "grids", "slice", "digest",
    ];

    // Journals of before name fewer: the first so many. Grids stand at their default then, which none of their messages depends on, and a refresh had no
    // other bound than its number of accounts, and the accounts were one digest. The header of a segment has room for 255 bytes: hence the short last name.
    private const int FirstNames = 13;
    private const int RefreshPositionsAt = 14;
    private const int DigestAt = 15;

    /// <summary>For example <c>accounts 256 units 512 ..</c>: every capacity, always in the same order.</summary>
    public static string Of(Limits limits) => string.Join(
        ' ', Names.Zip(Values(limits), (name, value) => string.Create(CultureInfo.InvariantCulture, $"{name} {value}")));

    /// <summary>Null where the text is not one that <see cref="Of"/> writes or wrote, or names capacities that cannot be.</summary>
    public static Limits? Parse(string text)
    {
        string[] words = text.Split(' ');
        int[] values = Values(new Limits());
        if (words.Length % 2 != 0 || words.Length < 2 * FirstNames || words.Length > 2 * Names.Length)
            return null;
        values[RefreshPositionsAt] = Limits.MostRefreshPositions;
        values[DigestAt] = 1;
        for (int i = 0; i < words.Length / 2; i++)
        {
            if (words[2 * i] != Names[i] || !int.TryParse(words[(2 * i) + 1], NumberStyles.None, CultureInfo.InvariantCulture, out values[i]))
                return null;
        }

        Limits limits = new()
        {
            Accounts = values[0],
            Units = values[1],
            Positions = values[2],
            Orders = values[3],
            Instruments = values[4],
            Underlyings = values[5],
            Expiries = values[6],
            Currencies = values[7],
            Models = values[8],
            Legs = values[9],
            EventMessages = values[10],
            Sources = values[11],
            RefreshSlice = values[12],
            Grids = values[13],
            RefreshPositions = values[RefreshPositionsAt],
            Digest = values[DigestAt],
        };
        try
        {
            limits.Validate();
        }
        catch (InvariantException)
        {
            return null;
        }

        return limits;
    }

    private static int[] Values(Limits limits) =>
    [
        limits.Accounts, limits.Units, limits.Positions, limits.Orders, limits.Instruments, limits.Underlyings, limits.Expiries,
        limits.Currencies, limits.Models, limits.Legs, limits.EventMessages, limits.Sources, limits.RefreshSlice, limits.Grids,
        limits.RefreshPositions, limits.Digest,
    ];
}
