using System.Text.Json.Nodes;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The <c>history</c> of a document: past daily moves of every underlying, oldest first, that become one joint row a day. With a <c>decay</c> each move is scaled
/// to the volatility of now: move * volatility after the last day / volatility before its day, with
/// var_t = decay var_(t-1) + (1 - decay) move_(t-1)^2 from the mean square of all.
/// </summary>
internal static class ModelHistory
{
    public static void Read(ModelReader reader, JsonNode? node)
    {
        if (node is null)
        {
            return;
        }

        JsonObject history = ModelReader.Object(node, "history");
        decimal decay = 1m;
        int days = -1;
        Dictionary<string, JsonArray> spots = [];
        Dictionary<string, JsonArray> volatilities = [];
        foreach ((string name, JsonNode? value) in history)
        {
            switch (name)
            {
                case "decay":
                    decay = ModelReader.Stored(value, "history.decay", 8, 1, Fixed.One) / 100_000_000m;
                    break;
                case "spot" or "volatility":
                    foreach ((string code, JsonNode? moves) in ModelReader.Object(value, $"history.{name}"))
                    {
                        JsonArray list = ModelReader.Array(moves, $"history.{name}.{code}");
                        days = days < 0 ? list.Count : days;
                        if (list.Count != days)
                        {
                            throw ModelReader.Wrong($"history.{name}.{code}", $"has {list.Count} days where others have {days}");
                        }

                        (name == "spot" ? spots : volatilities)[code] = list;
                    }

                    break;
                default:
                    throw ModelReader.Wrong($"history.{name}", "is not known");
            }
        }

        int first = -1;
        for (int day = 0; day < days; day++)
        {
            ushort row = reader.BeginRow("history");
            first = first < 0 ? row : first;
            reader.Add(new DocumentParameter(ModelSection.Row, (byte)RowKey.Volatility, row, "", 0, (long)VolatilityShock.Proportional));
        }

        foreach ((string code, JsonArray moves) in spots)
        {
            AddMoves(reader, first, code, JointKey.SpotMove, Filtered(moves, decay, $"history.spot.{code}"), $"history.spot.{code}");
        }

        foreach ((string code, JsonArray moves) in volatilities)
        {
            AddMoves(reader, first, code, JointKey.VolatilityMove, Plain(moves, $"history.volatility.{code}"), $"history.volatility.{code}");
        }
    }

    private static void AddMoves(ModelReader reader, int firstRow, string code, JointKey key, decimal[] moves, string path)
    {
        ParameterRule rule = ParameterTable.Find(ModelSection.RowUnderlying, (int)key)!;
        for (int day = 0; day < moves.Length; day++)
        {
            decimal stored = decimal.Round(moves[day] * 100_000_000m);
            if (stored < rule.Minimum || stored > rule.Maximum)
            {
                throw ModelReader.Wrong($"{path}[{day}]", $"a move of {moves[day]} is out of range");
            }

            reader.Add(new DocumentParameter(ModelSection.RowUnderlying, (byte)key, (ushort)(firstRow + day), code, 0, (long)stored));
        }
    }

    private static decimal[] Plain(JsonArray moves, string path) => [.. moves.Select((move, day) => ModelReader.Decimal(move, $"{path}[{day}]"))];

    private static decimal[] Filtered(JsonArray list, decimal decay, string path)
    {
        decimal[] moves = Plain(list, path);
        if (decay == 1m || moves.Length == 0)
        {
            return moves;
        }

        double keep = (double)decay;
        double variance = moves.Average(move => (double)move * (double)move);
        double[] before = new double[moves.Length];
        for (int day = 0; day < moves.Length; day++)
        {
            before[day] = Math.Sqrt(variance);
            variance = (keep * variance) + ((1.0 - keep) * (double)moves[day] * (double)moves[day]);
        }

        double now = Math.Sqrt(variance);
        return [.. moves.Select((move, day) => before[day] > 0.0 ? (decimal)((double)move * now / before[day]) : move)];
    }
}
