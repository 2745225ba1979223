using System.Globalization;
using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Deribit's documented portfolio-margin reply, vector by vector, and the standard margin's worked figures.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DeribitReferenceTests
{
    [Test]
    public void Every_documented_simulate_reply_is_reproduced_with_its_vectors()
    {
        var tally = new Reproduction("Deribit pme/simulate [V on futures and perpetuals; options S, no published vector]", 1e-8);
        foreach (ReferenceDocument document in ReferenceData.With("jsonrpc", "result"))
        {
            JsonElement result = document.Root.GetProperty("result");
            if (!result.TryGetProperty("initial_risk_vectors", out JsonElement vectors))
                continue;
            foreach (JsonProperty aggregated in result.GetProperty("aggregated_risk_vectors").EnumerateObject())
            {
                string coin = aggregated.Name.Split('_')[0];
                DeribitParameters parameters = ReplyParameters(result.GetProperty("model_params"), coin);
                DeribitPosition[] positions = ReplyPositions(result, coin);
                JsonElement margins = result.GetProperty("margins").GetProperty(coin);
                JsonElement initial = margins.GetProperty("initial_margin_details");
                decimal added = initial.Number("spot_margin") + initial.Number("mmp_margin") + initial.Number("open_orders_margin");
                DeribitResult margin = DeribitPortfolioMargin.Margin(positions, result.GetProperty("index_price").Number(coin + "_usd"), parameters, added);
                tally.Case();
                for (int i = 0; i < positions.Length; i++)
                {
                    JsonElement published = vectors.GetProperty(positions[i].Name);
                    CompareVector(tally, margin.Standard[i], published, "standard", $"{document.Name} {positions[i].Name}");
                    CompareVector(tally, margin.Extended[i], published, "extended", $"{document.Name} {positions[i].Name}");
                }

                CompareVector(tally, margin.AggregatedStandard, aggregated.Value, "standard", $"{document.Name} aggregated");
                CompareVector(tally, margin.AggregatedExtended, aggregated.Value, "extended", $"{document.Name} aggregated");
                JsonElement details = initial.GetProperty("risk_matrix_margin_details");
                tally.Absolute(margin.WorstCase, details.Number("worst_case"), $"{document.Name} worst case");
                tally.Absolute(margin.WorstIndex / 3 + 1, details.GetProperty("worst_case_bucket").Number("index"), $"{document.Name} worst bucket");
                tally.Absolute(margin.RollShock, details.Number("roll_shock"), $"{document.Name} roll shock");
                tally.Absolute(margin.DeltaShock, details.Number("delta_shock"), $"{document.Name} delta shock");
                tally.Absolute(margin.RiskMatrix, initial.Number("risk_matrix_margin"), $"{document.Name} risk matrix");
                tally.Absolute(margin.Initial, margins.Number("initial_margin"), $"{document.Name} initial");
                tally.Absolute(margin.Maintenance, margins.Number("maintenance_margin"), $"{document.Name} maintenance");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_transcribed_portfolio_vector_is_reproduced()
    {
        var tally = new Reproduction("Deribit portfolio vectors [V on futures and perpetuals]", 1e-8);
        foreach (ReferenceDocument group in ReferenceData.Groups("deribit_pm"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                JsonElement expected = test.GetProperty("expected");
                DeribitPosition[] positions = [.. test.GetProperty("positions").EnumerateObject().Select((position, i) =>
                    new DeribitPosition(position.Name, position.Value.AsNumber(), test.GetProperty("marks").Number(position.Name), 1e-6m * i))];
                decimal added = expected.Number("spot_margin") + expected.Number("mmp_margin") + expected.Number("open_orders_margin");
                DeribitResult margin = DeribitPortfolioMargin.Margin(positions, test.Number("index"), Parameters(test.GetProperty("params")), added);
                string name = $"{group.Name} {test.Text("name")}";
                tally.Case();
                tally.Absolute(margin.WorstCase, expected.Number("worst_case"), $"{name} worst case");
                tally.Absolute(margin.RollShock, expected.Number("roll_shock"), $"{name} roll shock");
                tally.Absolute(margin.RiskMatrix, expected.Number("risk_matrix_margin"), $"{name} risk matrix");
                tally.Absolute(margin.Initial, expected.Number("initial_margin"), $"{name} initial");
                tally.Absolute(margin.Maintenance, expected.Number("maintenance_margin"), $"{name} maintenance");
                JsonElement[] prices = [.. test.Items("aggregated_standard_per_price")];
                for (int i = 0; i < prices.Length; i++)
                {
                    tally.Absolute(margin.AggregatedStandard[3 * i], prices[i].AsNumber(), $"{name} price {i}");
                }
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_worked_standard_margin_is_reproduced()
    {
        var tally = new Reproduction("Deribit standard margin [S: third-party rules, figures computed from them]", 1e-12);
        foreach (ReferenceDocument group in ReferenceData.Groups("deribit_standard_margin"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                (decimal initial, decimal maintenance) = DeribitStandardMargin.Short(test.Text("type") == "call", test.Number("S"), test.Number("K"), test.Number("mark"));
                tally.Case();
                tally.Absolute(initial, test.Number("IM"), $"{test.Text("type")} {test.Number("K")} initial");
                tally.Absolute(maintenance, test.Number("MM"), $"{test.Text("type")} {test.Number("K")} maintenance");
            }
        }

        tally.Finish();
    }

    // The options' branch has no published vector [S]. What any reading of it must keep: a long call and a short put are K/F of a future, cell by cell.
    [TestCase(30_000.0, 3.0)]
    [TestCase(60_000.0, 30.0)]
    [TestCase(90_000.0, 200.0)]
    public void A_synthetic_forward_moves_like_its_part_of_a_future_in_every_standard_cell(decimal strike, decimal days)
    {
        const decimal Forward = 61_500m;
        DeribitPosition[] synthetic =
        [
            new("call", 2m, Forward, days / 365m, strike, true, 0.65m),
            new("put", -2m, Forward, days / 365m, strike, false, 0.65m),
        ];
        DeribitResult options = DeribitPortfolioMargin.Margin(synthetic, 60_000m, Plain);
        DeribitResult future = DeribitPortfolioMargin.Margin([new("future", 2m * strike / Forward, Forward, days / 365m)], 60_000m, Plain);
        for (int cell = 0; cell < 27; cell++)
        {
            Assert.That(options.Standard[0][cell] + options.Standard[1][cell], Is.EqualTo(future.Standard[0][cell]).Within(1e-13m), $"cell {cell}");
        }
    }

    [Test]
    public void A_gain_offsets_in_part_and_up_to_its_cap_and_a_loss_counts_in_full()
    {
        DeribitPosition[] position = [new("future", 100m, 60_000m, 0.1m)];
        DeribitResult margin = DeribitPortfolioMargin.Margin(position, 60_000m, Plain with { PnlOffset = 0.6m, MaximumOffset = 300_000m, ExtendedDampener = 0m });
        Assert.Multiple(() =>
        {
            Assert.That(margin.AggregatedStandard[0], Is.EqualTo(100m * (1m - 1m / 0.84m)).Within(1e-12m), "loss in full");
            Assert.That(margin.AggregatedStandard[15], Is.EqualTo(0.6m * 100m * (1m - 1m / 1.04m)).Within(1e-12m), "gain in part");
            Assert.That(margin.AggregatedStandard[26], Is.EqualTo(300_000m / 60_000m).Within(1e-12m), "gain at its cap");
            Assert.That(margin.AggregatedExtended[0], Is.EqualTo(margin.AggregatedStandard[0]).Within(1e-12m), "linear instruments stay at the clamp");
        });
    }

    [TestCase(300.0, 0.0)]
    [TestCase(400.0, 400.0 * (400.0 * 60_000.0 - 20e6) * 0.00005 / 60_000.0)]
    [TestCase(5_000.0, 500.0)]
    public void The_delta_shock_starts_at_its_threshold_and_ends_at_its_share_of_the_delta(decimal delta, decimal coins)
        => Assert.That(DeribitPortfolioMargin.Margin([new("perpetual", delta, 60_000m, 0m)], 60_000m, Plain).DeltaShock, Is.EqualTo(coins).Within(1e-9m));

    [Test]
    public void The_roll_shock_takes_the_larger_of_minimum_and_exponential_by_expiry()
    {
        DeribitPosition[] calendar = [new("near", 10m, 60_000m, 0.05m), new("far", -10m, 60_000m, 1m)];
        decimal expected = 10m * 0.01m + 10m * (DecimalMath.Exp(0.075m) - 1m);
        Assert.That(DeribitPortfolioMargin.Margin(calendar, 60_000m, Plain).RollShock, Is.EqualTo(expected).Within(1e-12m));
    }

    private static DeribitParameters Plain => ReferenceParameters.DeribitBitcoin;

    private static void CompareVector(Reproduction tally, decimal[] actual, JsonElement published, string table, string name)
    {
        JsonElement[] cells = [.. published.Items(table)];
        Assert.That(cells, Has.Length.EqualTo(actual.Length), $"{name} {table}: cells");
        for (int i = 0; i < cells.Length; i++)
        {
            tally.Absolute(actual[i], cells[i].AsNumber(), $"{name} {table}[{i}]");
        }
    }

    /// <summary>Futures and perpetuals of a coin. An option would need its volatility, which the reply does not give.</summary>
    private static DeribitPosition[] ReplyPositions(JsonElement result, string coin)
    {
        DateTime now = DateTimeOffset.FromUnixTimeMilliseconds(result.GetProperty("model_params").GetProperty("general").GetProperty("timestamp").GetInt64()).UtcDateTime;
        var positions = new List<DeribitPosition>();
        foreach (JsonProperty position in result.GetProperty("portfolio").GetProperty("position").EnumerateObject())
        {
            string[] parts = position.Name.Split('-');
            if (!string.Equals(parts[0], coin, StringComparison.OrdinalIgnoreCase))
                continue;
            Assert.That(parts, Has.Length.EqualTo(2), $"{position.Name}: an option's volatility is not in the reply");
            bool dated = DateTime.TryParseExact(parts[1], "dMMMyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime day);
            decimal years = dated ? (day.AddHours(8) - now).Ticks / (decimal)TimeSpan.TicksPerSecond / ReferenceOptions.SecondsPerYear : 0m;
            positions.Add(new DeribitPosition(position.Name, position.Value.AsNumber(), result.GetProperty("ticker").GetProperty(position.Name).Number("mark_price"), years));
        }

        return [.. positions];
    }

    private static DeribitParameters ReplyParameters(JsonElement model, string coin)
    {
        JsonElement pair = model.GetProperty("currency_pair").GetProperty(coin + "_usd");
        JsonElement currency = model.GetProperty("currency").GetProperty(coin);
        JsonElement general = model.GetProperty("general");
        return new DeribitParameters
        {
            PriceRange = pair.Number("price_range"),
            BucketsEachSide = (int)general.Number("buckets_count"),
            VolatilityUp = pair.Number("volatility_range_up"),
            VolatilityDown = pair.Number("volatility_range_down"),
            ShortTermPower = pair.Number("short_term_vega_power"),
            LongTermPower = pair.Number("long_term_vega_power"),
            MinimumVolatilityUp = pair.Number("min_volatility_for_shock_up"),
            ExtendedFactor = pair.Number("extended_table_factor"),
            ExtendedDampener = currency.Number("extended_dampener"),
            DeltaThreshold = pair.Number("delta_total_liq_shock_threshold"),
            MaximumDeltaShock = pair.Number("max_delta_shock"),
            DeltaIncrement = pair.Number("m_inc"),
            MinimumAnnualisedMove = currency.Number("min_annualised_move"),
            AnnualisedMoveRisk = currency.Number("annualised_move_risk"),
            PnlOffset = currency.Number("pnl_offset"),
            MaximumOffset = currency.Number("max_offsetable_pnl"),
            MaintenanceFactor = general.Number("mm_factor"),
        };
    }

    private static DeribitParameters Parameters(JsonElement parameters) => new()
    {
        PriceRange = parameters.Number("price_range"),
        BucketsEachSide = (int)parameters.Number("buckets_each_side"),
        VolatilityUp = parameters.Number("volatility_range_up"),
        VolatilityDown = parameters.Number("volatility_range_down"),
        ShortTermPower = parameters.Number("short_term_vega_power"),
        LongTermPower = parameters.Number("long_term_vega_power"),
        MinimumVolatilityUp = parameters.Number("min_volatility_for_shock_up"),
        ExtendedFactor = parameters.Number("extended_table_factor"),
        ExtendedDampener = parameters.Number("extended_dampener_usd"),
        DeltaThreshold = parameters.Number("delta_total_liq_shock_threshold"),
        MaximumDeltaShock = parameters.Number("max_delta_shock"),
        DeltaIncrement = parameters.Number("m_inc"),
        MinimumAnnualisedMove = parameters.Number("min_annualised_move"),
        AnnualisedMoveRisk = parameters.Number("annualised_move_risk"),
        PnlOffset = parameters.Number("pnl_offset"),
        MaximumOffset = parameters.Number("max_offsetable_pnl", 0m),
        MaintenanceFactor = parameters.Number("mm_factor"),
    };
}
