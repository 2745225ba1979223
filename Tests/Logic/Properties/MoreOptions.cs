using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Tests.VenueTests.Agreement;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>A book with three more options that nobody holds, so that there is something new to buy.</summary>
internal static class MoreOptions
{
    public static RandomBook Of(RandomBook book, Random random)
    {
        bool isInverse = book.Instruments[0].IsInverse;
        List<BookInstrument> instruments = [.. book.Instruments];
        for (int count = 0; count < 3; count++)
        {
            BookExpiry expiry = book.Expiries[random.Next(book.Expiries.Count)];
            double moneyness = Math.Exp((random.NextDouble() - 0.5) * (random.Next(2) == 0 ? 0.2 : 2.0));
            decimal strike = Math.Max(decimal.Round(expiry.Forward * (decimal)moneyness, 2), 0.01m);
            if (instruments.Any(each => each.IsOption && each.UnderlyingId == expiry.UnderlyingId && each.Expiry == expiry.Time && each.Strike == strike))
            {
                continue;
            }

            instruments.Add(new BookInstrument(
                (uint)instruments.Count + 1, InstrumentKind.Option, isInverse ? Settlement.Inverse : Settlement.Linear, expiry.UnderlyingId,
                isInverse ? (ushort)(expiry.UnderlyingId + 1) : RandomBook.UsdId, random.Next(2) == 0 ? 1m : 0.1m, expiry.Forward / 20m, 1m, expiry.Time,
                random.Next(2) == 0 ? OptionRight.Call : OptionRight.Put, strike, decimal.Round((decimal)(0.2 + random.NextDouble()), 4)));
        }

        return book with { Instruments = [.. instruments.Select(each => each with { Mark = decimal.Round(each.Mark, 8) })], HasOptionMarks = false };
    }
}

/// <summary>A number of a document that stands once or by underlying.</summary>
internal readonly record struct JsonAmounts(JsonNode Node)
{
    public double Largest => Node is JsonObject by ? by.Max(each => each.Value!.GetValue<double>()) : Node.GetValue<double>();
}
