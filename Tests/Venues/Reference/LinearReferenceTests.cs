using System.Globalization;
using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Brackets, dYdX arithmetic, Derive's auction, collateral haircuts and the small worked examples of other venues.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class LinearReferenceTests
{
    [Test]
    public void Every_bracket_continues_the_one_below_and_equals_the_sum_of_slices()
    {
        var tally = new Reproduction("Binance brackets [V]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("binance_brackets"))
        {
            foreach (JsonProperty symbol in group.Root.GetProperty("symbols").EnumerateObject())
            {
                NotionalBracket[] brackets = [.. symbol.Value.EnumerateArray().Select(row => new NotionalBracket(
                    row[0].GetDecimal(), row[1].GetDecimal(), row[2].GetDecimal(), row[4].GetDecimal()))];
                for (int i = 0; i < brackets.Length; i++)
                {
                    string name = $"{symbol.Name} bracket {i + 1}";
                    decimal cumulative = i == 0 ? 0m : brackets[i - 1].Cumulative + brackets[i].From * (brackets[i].MaintenanceRate - brackets[i - 1].MaintenanceRate);
                    tally.Case();
                    tally.Relative(cumulative, brackets[i].Cumulative, $"{name} cumulative");
                    foreach (decimal notional in new[] { brackets[i].From, (brackets[i].From + brackets[i].To) / 2m, brackets[i].To })
                    {
                        tally.Relative(BracketMargin.BySlices(brackets, notional), BracketMargin.Maintenance(brackets, notional), $"{name} at {notional}");
                    }
                }
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_dYdX_requirement_rounds_up_as_published()
    {
        var tally = new Reproduction("dYdX initial margin by open interest [V]", 0.0);
        foreach (ReferenceDocument group in ReferenceData.Groups("dydx_v4"))
        {
            foreach (JsonElement test in group.Root.Items("oimf"))
            {
                tally.Case();
                decimal actual = DydxMargin.InitialRequirement(
                    test.Number("im_ppm") / 1_000_000m, test.Number("quote"), test.Number("oi", 0m),
                    test.Number("lower", 0m), test.Number("upper", 0m));
                tally.Absolute(actual, test.Number("expected"), $"{group.Name} {test.Number("im_ppm")} ppm of {test.Number("quote")}");
            }
        }

        tally.Finish();
    }

    // The cases of the venue's test: one BTC position at 50,000 with maintenance 10 %.
    [Test]
    public void Every_dYdX_fillable_price_is_reproduced()
    {
        var tally = new Reproduction("dYdX fillable price [V]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("dydx_v4"))
        {
            foreach (JsonElement test in group.Root.GetProperty("fillable_price").Items("cases"))
            {
                decimal size = test.GetProperty("pos").GetDecimal();
                decimal notional = size * 50_000m;
                decimal maintenance = Math.Abs(notional) * 0.1m;
                tally.Case();
                decimal price = DydxMargin.FillablePrice(
                    size, notional, maintenance, test.GetProperty("quote").GetDecimal() + notional, maintenance, test.Number("BA"), test.Number("SMMR"));
                tally.Absolute(price, test.Number("price"), $"{group.Name} size {size} quote {test.Number("quote")}");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_figure_of_Derives_auction_is_reproduced_to_its_printed_digit()
    {
        var tally = new Reproduction("Derive auction [V]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("derive_dutch_auction"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                tally.Case();
                CompareAuction(tally, test, $"{group.Name} {test.Text("kind")}");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_worked_collateral_example_is_reproduced()
    {
        var tally = new Reproduction("Collateral haircuts [D]", 1e-9);
        var published = Rows("venue,asset,haircut,source_url").ToDictionary(row => (row[0], row[1]), row => Number(row[2]));
        foreach (KeyValuePair<(string, string), decimal> haircut in published)
        {
            Assert.That(haircut.Value, Is.InRange(0m, 1m), $"{haircut.Key}");
        }

        var totals = new Dictionary<(string, string), decimal>();
        foreach (string[] row in Rows("venue,asset,qty,index_usd,haircut,collateral_usd,source_url"))
        {
            string name = $"{row[0]} {row[1]}";
            tally.Case();
            if (row[2].Length == 0)
            {
                tally.Relative(totals[(row[0], row[6])], Number(row[5]), $"{name} of the page");
                continue;
            }

            decimal credit = CollateralCredit.Flat(Number(row[2]), Number(row[3]), Number(row[4]));
            tally.Relative(credit, Number(row[5]), name);
            totals[(row[0], row[6])] = totals.GetValueOrDefault((row[0], row[6])) + credit;
            (string Venue, string Asset)[] tables = [.. published.Keys.Where(key => key.Item1.StartsWith(row[0], StringComparison.Ordinal) && key.Item2 == row[1])];
            if (tables.Length == 1 && published[tables[0]] != Number(row[4]))
                tally.Skip($"{name} against the venue's table", $"the page works with {row[4]}, its table says {published[tables[0]]}");
        }

        tally.Finish();
    }

    [Test]
    public void Small_worked_examples_of_other_venues_are_reproduced()
    {
        var tally = new Reproduction("Worked examples of help pages [S]", 5.1e-5);
        foreach (ReferenceDocument document in ReferenceData.With("classic_examples"))
        {
            foreach (JsonElement test in document.Root.Items("classic_examples"))
            {
                CompareClassic(tally, test, test.Text("source"));
            }
        }

        tally.Finish();
    }

    private static void CompareAuction(Reproduction tally, JsonElement test, string name)
    {
        switch (test.Text("kind"))
        {
            case "discount":
                foreach (JsonProperty point in test.GetProperty("t_to_discount").EnumerateObject())
                {
                    decimal discount = DeriveAuction.Discount(decimal.Parse(point.Name), test.Number("start"), test.Number("cutoff"), test.Number("fast"), test.Number("slow"));
                    tally.Absolute(discount, point.Value.AsNumber(), $"{name} at {point.Name} s");
                }

                break;
            case "max_fraction":
                decimal price = DeriveAuction.BidPrice(test.Number("MtM"), test.Number("R"), test.Number("discount"));
                decimal fraction = DeriveAuction.LargestFraction(test.Number("MM"), test.Number("MtM"), test.Number("buffer"), test.Number("discount"), test.Number("R"));
                tally.Absolute(price, test.Number("bid"), $"{name} price");
                tally.Truncated(1_000m * fraction, 1_000m * test.Number("fraction"), $"{name} fraction, thousandths");
                if (test.TryGetProperty("cash_from_bidder_floor", out JsonElement cash))
                    tally.Truncated(fraction * price, cash.AsNumber(), $"{name} cash");
                break;
            case "sequence":
                CompareSequence(tally, [.. test.Items("steps")], test.Number("buffer"), name);
                break;
            case "insolvent":
                foreach (JsonProperty point in test.GetProperty("t_to_payout_100pct").EnumerateObject())
                {
                    decimal payout = DeriveAuction.InsolventPayout(test.Number("MM"), test.Number("MtM"), decimal.Parse(point.Name), test.Number("length"));
                    tally.Absolute(payout, point.Value.AsNumber(), $"{name} at {point.Name} s");
                }

                break;
            case "reserved_cash":
                JsonElement then = test.GetProperty("then");
                tally.Absolute(test.Number("bid") * DeriveAuction.BidPrice(test.Number("MtM"), 0m, 1m), test.Number("cash"), $"{name} cash");
                tally.Absolute(DeriveAuction.BidPrice(then.Number("MtM"), test.Number("cash"), then.Number("discount")), then.Number("bid_price"), $"{name} price");
                break;
            default:
                Assert.Fail($"{name}: a kind of auction case that no formula here knows");
                break;
        }
    }

    /// <summary>A bid on part of the account, then the largest bid on what is left, whose cash from the first is reserved.</summary>
    private static void CompareSequence(Reproduction tally, JsonElement[] steps, decimal buffer, string name)
    {
        JsonElement first = steps[0];
        JsonElement second = steps[1];
        decimal discount = first.Number("discount");
        decimal price = DeriveAuction.BidPrice(first.Number("MtM"), 0m, discount);
        decimal cash = first.Number("bid") * price;
        tally.Absolute(price, first.Number("bid_price"), $"{name} first price");
        tally.Absolute(cash, first.Number("cash"), $"{name} first cash");
        tally.Absolute((1m - first.Number("bid")) * first.Number("MM") + cash, second.Number("MM"), $"{name} maintenance left");
        tally.Absolute((1m - first.Number("bid")) * first.Number("MtM") + cash, second.Number("MtM"), $"{name} mark to market left");
        decimal fraction = DeriveAuction.LargestFraction(second.Number("MM"), second.Number("MtM"), buffer, discount, second.Number("R"));
        tally.Truncated(10_000m * fraction, 10_000m * second.Number("max_fraction"), $"{name} fraction, ten-thousandths");
        tally.Truncated(fraction * DeriveAuction.BidPrice(second.Number("MtM"), second.Number("R"), discount), second.Number("cash_floor"), $"{name} second cash");
    }

    private static void CompareClassic(Reproduction tally, JsonElement test, string name)
    {
        if (test.TryGetProperty("bankruptcy", out JsonElement bankruptcy))
        {
            tally.Case();
            tally.Absolute(IsolatedMargin.BankruptcyPriceOfLong(test.Number("long_entry"), test.Number("leverage")), bankruptcy.AsNumber(), $"{name} bankruptcy");
            decimal liquidation = IsolatedMargin.LiquidationPriceOfLong(test.Number("long_entry"), test.Number("im"), test.Number("mm"));
            tally.Absolute(liquidation, test.Number("liquidation"), $"{name} liquidation");
        }
        else if (test.TryGetProperty("pnl_xbt", out JsonElement pnl))
        {
            tally.Case();
            tally.Absolute(IsolatedMargin.InversePnl(test.Number("contracts"), test.Number("multiplier"), test.Number("entry"), test.Number("exit")), pnl.AsNumber(), name);
        }
        else if (test.TryGetProperty("collateral_tiers", out JsonElement tiers))
        {
            tally.Case();
            decimal credit = CollateralCredit.Tiered(test.Number("holding"), tiers.EnumerateArray().Select(tier => (tier[0].AsNumber(), tier[1].AsNumber(), tier[2].AsNumber())));
            tally.Absolute(credit, test.Number("credit"), name);
        }
        else if (test.TryGetProperty("haircut", out JsonElement haircut))
        {
            tally.Case();
            tally.Absolute(CollateralCredit.Flat(test.Number("btc"), test.Number("price"), haircut.AsNumber()), test.Number("credit"), name);
        }
        else
        {
            tally.Skip(name, "a note in words");
        }
    }

    /// <summary>Rows of every .csv of the data folder with this header, comments left out.</summary>
    internal static IEnumerable<string[]> Rows(string header)
    {
        string[][] rows = [.. MarginData.Files("", "*.csv")
            .Select(path => File.ReadLines(path).Where(line => !line.StartsWith('#')))
            .Where(lines => lines.FirstOrDefault() == header)
            .SelectMany(lines => lines.Skip(1)).Select(line => line.Split(','))];
        if (rows.Length == 0)
            Assert.Ignore($"no data: no .csv with the header {header}");
        return rows;
    }

    internal static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
