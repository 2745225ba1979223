using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Deribit's documented reply of private/pme/simulate, number by number: vectors, worst case, roll shock, margins.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class VenueExampleTests
{
    private const double Tolerance = 1e-8;

    [Test]
    public void The_documented_portfolio_margin_reply_is_reproduced_to_1e_8()
    {
        int cases = 0;
        foreach (string file in MarginData.Files("margin_reference", "*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("result", out JsonElement reply)
                && reply.TryGetProperty("initial_risk_vectors", out _))
            {
                Compare(Path.GetFileName(file), reply);
                cases++;
            }
        }

        if (cases == 0)
        {
            Assert.Ignore("no reply of pme/simulate in the data folder");
        }
    }

    private static void Compare(string file, JsonElement reply)
    {
        JsonElement rules = reply.GetProperty("model_params");
        using Desk desk = new(start: "2024-06-17T10:15:40Z", model: _ => ModelOf(ModelDocument.Shipped("deribit-pm"), rules));
        desk.Index(reply.GetProperty("index_price").GetProperty("btc_usd").GetDecimal());
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 1_000_000);
        Dictionary<uint, string> names = [];
        foreach (JsonProperty position in reply.GetProperty("portfolio").GetProperty("position").EnumerateObject())
        {
            // Sizes are in coin at the mark; lots of 10^-8 USD keep every digit of them.
            decimal mark = reply.GetProperty("ticker").GetProperty(position.Name).GetProperty("mark_price").GetDecimal();
            bool isFuture = !position.Name.EndsWith("PERPETUAL", StringComparison.Ordinal);
            uint instrument = desk.Instrument(
                isFuture ? InstrumentKind.Future : InstrumentKind.Perpetual, Settlement.Inverse, 1, Desk.Btc, 0.00000001m,
                expiry: isFuture ? Desk.At("2024-06-28T08:00:00Z") : null, symbol: position.Name);
            desk.Mark(instrument, mark);
            desk.Fill(1, instrument, (long)decimal.Round(position.Value.GetDecimal() * mark * 100_000_000m), mark);
            names[instrument] = position.Name;
        }

        Assert.That(desk.HasRejected, Is.False, $"{file}: an input was refused");
        UnitReport unit = desk.Report(1).Units.Single();
        Assert.Multiple(() =>
        {
            foreach (PositionReport position in unit.Positions)
            {
                JsonElement expected = reply.GetProperty("initial_risk_vectors").GetProperty(names[position.InstrumentId]);
                double[] vector = [.. Numbers(expected, "standard"), .. Numbers(expected, "extended")];
                Assert.That(position.RowProfits, Has.Count.EqualTo(vector.Length));
                for (int row = 0; row < vector.Length; row++)
                {
                    Assert.That(Coin(position.RowProfits[row]), Is.EqualTo(vector[row]).Within(Tolerance), $"{file}: {position.Symbol} row {row}");
                }
            }

            // The venue shows gains of the summed vector after its profit offset, which is 0 here; losses count in full.
            JsonElement summed = reply.GetProperty("aggregated_risk_vectors").GetProperty("btc_btc");
            double[] total = [.. Numbers(summed, "standard"), .. Numbers(summed, "extended")];
            for (int row = 0; row < total.Length; row++)
            {
                Assert.That(Math.Min(0, Coin(unit.Rows[row].Counted)), Is.EqualTo(total[row]).Within(Tolerance), $"{file}: summed row {row}");
            }

            JsonElement margins = reply.GetProperty("margins").GetProperty("btc");
            JsonElement details = margins.GetProperty("initial_margin_details");
            JsonElement matrix = details.GetProperty("risk_matrix_margin_details");
            double matrixMargin = details.GetProperty("risk_matrix_margin").GetDouble();
            double protection = details.GetProperty("mmp_margin").GetDouble() + details.GetProperty("open_orders_margin").GetDouble();
            Assert.That(Coin(unit.Margin.WorstCase), Is.EqualTo(matrix.GetProperty("worst_case").GetDouble()).Within(Tolerance), "worst case");
            Assert.That(Coin(unit.Components[1].Initial), Is.EqualTo(matrix.GetProperty("roll_shock").GetDouble()).Within(Tolerance), "roll shock");
            Assert.That(Coin(unit.Components[2].Initial), Is.EqualTo(matrix.GetProperty("delta_shock").GetDouble()).Within(Tolerance), "delta shock");
            Assert.That(Coin(unit.Margin.InitialParts.Risk), Is.EqualTo(matrixMargin).Within(Tolerance), "risk matrix");
            Assert.That(Coin(unit.Margin.Initial) + protection, Is.EqualTo(margins.GetProperty("initial_margin").GetDouble()).Within(Tolerance), "initial margin");
            Assert.That(Coin(unit.Margin.Maintenance), Is.EqualTo(margins.GetProperty("maintenance_margin").GetDouble()).Within(Tolerance), "maintenance margin");
            Assert.That(unit.Rows[unit.Margin.WorstRow].SpotShockE8, Is.EqualTo(-16_000_000), "the worst bucket is the first on the left");
        });
    }

    private static ModelDocument ModelOf(ModelDocument document, JsonElement rules)
    {
        JsonElement pair = rules.GetProperty("currency_pair").GetProperty("btc_usd");
        JsonElement coin = rules.GetProperty("currency").GetProperty("btc");
        const string Btc = "underlyings.BTC";
        return document
            .With("requirement.maintenanceFactor", rules.GetProperty("general").GetProperty("mm_factor").GetDecimal())
            .With("liquidation.charged", false)
            .With("volatility.shortTermPower", pair.GetProperty("short_term_vega_power").GetDecimal())
            .With("volatility.longTermPower", pair.GetProperty("long_term_vega_power").GetDecimal())
            .With($"{Btc}.priceRange", pair.GetProperty("price_range").GetDecimal())
            .With($"{Btc}.volatilityUp", pair.GetProperty("volatility_range_up").GetDecimal())
            .With($"{Btc}.volatilityDown", pair.GetProperty("volatility_range_down").GetDecimal())
            .With($"{Btc}.minimumVolatilityUp", pair.GetProperty("min_volatility_for_shock_up").GetDecimal())
            .With($"{Btc}.tailFactor", pair.GetProperty("extended_table_factor").GetDecimal())
            .With($"{Btc}.tailDampener", coin.GetProperty("extended_dampener").GetDecimal())
            .With("addOns", new JsonArray(
                new JsonObject
                {
                    ["kind"] = "expiryMove",
                    ["place"] = "before",
                    ["minimumMove"] = coin.GetProperty("min_annualised_move").GetDecimal(),
                    ["moveRisk"] = coin.GetProperty("annualised_move_risk").GetDecimal(),
                },
                new JsonObject
                {
                    ["kind"] = "deltaLiquidity",
                    ["place"] = "before",
                    ["threshold"] = pair.GetProperty("delta_total_liq_shock_threshold").GetDecimal(),
                    ["increment"] = pair.GetProperty("m_inc").GetDecimal(),
                    ["maximum"] = pair.GetProperty("max_delta_shock").GetDecimal(),
                }));
    }

    private static double Coin(long atoms) => atoms / 1e10;

    private static IEnumerable<double> Numbers(JsonElement vectors, string name) => vectors.GetProperty(name).EnumerateArray().Select(value => value.GetDouble());
}
