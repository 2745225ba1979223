using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>SPAN: every array of every real parameter file, McMillan's printed arrays, and portfolios whose requirement can be told by hand.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SpanReferenceTests
{
    private static readonly Lazy<IReadOnlyList<SpanFile>> Loaded = new(() => [.. MarginData.Files("", "*.spn*").Select(SpanFile.Load)]);

    [Test]
    public void Every_futures_array_of_a_real_file_is_reproduced_to_a_millionth_of_the_scan_range()
        => CompareArrays("SPAN futures arrays [V], in scan ranges", 1e-6, contract => contract.Strike is null);

    [Test]
    public void Every_option_array_of_a_real_file_is_reproduced_currency_options_included()
        => CompareArrays("SPAN option arrays [V], in scan ranges", 1e-5, contract => contract.Strike is not null);

    [Test]
    public void Every_composite_delta_of_a_real_file_is_reproduced()
    {
        var tally = new Reproduction("SPAN composite deltas [V]", 1e-5);
        foreach (SpanFile file in Loaded.Value)
        {
            tally.Case();
            foreach (SpanContract contract in file.Contracts)
            {
                tally.Absolute(SpanReference.CompositeDelta(contract, file.DeltaPoints), contract.CompositeDelta, $"{file.Name} {contract.Name}");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_printed_covered_write_is_the_sum_of_its_arrays_and_scans_to_its_requirement()
    {
        var tally = new Reproduction("SPAN, McMillan's arrays [V]", 0.0);
        foreach (ReferenceDocument group in ReferenceData.Groups("span_mcmillan"))
        {
            decimal[] future = Row(group, "long_1_future");
            decimal[] call = Row(group, "long_1_dec410_call");
            decimal[] covered = Row(group, "covered_write_long_future_short_call");
            JsonElement expected = group.Root.GetProperty("expected");
            tally.Case();
            for (int i = 0; i < covered.Length; i++)
            {
                tally.Absolute(future[i] - call[i], covered[i], $"{group.Name} row {i + 1}");
            }

            tally.Absolute(-call.Min(), expected.Number("long_call_requirement"), $"{group.Name} long call");
            tally.Absolute(-future.Min(), expected.Number("future_requirement"), $"{group.Name} future");
            tally.Absolute(-covered.Min(), expected.Number("covered_write_scan_risk"), $"{group.Name} covered write");
        }

        tally.Finish();
    }

    [Test]
    public void A_future_alone_is_margined_at_its_scan_range_and_a_calendar_at_the_spread_rate()
    {
        var tally = new Reproduction("SPAN one future, and two periods of one commodity [S]", 1e-5);
        foreach (SpanFile file in Loaded.Value)
        {
            foreach (IGrouping<string, SpanContract> commodity in file.Contracts.Where(contract => contract.Strike is null).GroupBy(contract => contract.Commodity))
            {
                SpanContract[] periods = [.. commodity.DistinctBy(contract => contract.Period).OrderBy(contract => contract.Period, StringComparer.Ordinal)];
                string name = $"{file.Name} {commodity.Key}";
                tally.Case();
                tally.Relative(SpanReference.Margin(file, [(periods[0], -3m)])[0].Total, 3m * periods[0].PriceScan, $"{name} alone");
                if (periods.Length < 2)
                    continue;
                SpanRequirement calendar = SpanReference.Margin(file, [(periods[0], 2m), (periods[1], -2m)])[0];
                decimal rate = file.Commodities[commodity.Key].IntraSpreads[0].Rate;
                tally.Relative(calendar.IntraCharge, 2m * rate, $"{name} calendar charge");
                tally.Relative(calendar.Total, 2m * rate + 2m * Math.Abs(periods[0].PriceScan - periods[1].PriceScan), $"{name} calendar", floor: periods[0].PriceScan);
            }
        }

        tally.Finish();
    }

    [Test]
    public void Opposite_futures_of_two_commodities_earn_the_credit_of_their_spread_on_both_legs()
    {
        var tally = new Reproduction("SPAN inter-commodity credits [S]", 1e-5);
        foreach (SpanFile file in Loaded.Value)
        {
            foreach (SpanSpread spread in file.InterSpreads)
            {
                SpanContract?[] futures = [.. spread.Legs.Select(leg => file.Contracts.FirstOrDefault(contract => contract.Commodity == leg.Commodity && contract.Strike is null))];
                string name = $"{file.Name} {string.Join('/', spread.Legs.Select(leg => leg.Commodity))}";
                if (futures.Any(future => future is null))
                {
                    tally.Skip(name, "a leg without a future");
                    continue;
                }

                tally.Case();
                (SpanContract, decimal)[] positions = [.. spread.Legs.Select((leg, i) => (futures[i]!, (leg.Side == "A" ? 1m : -1m) * leg.DeltaPerSpread))];
                foreach (SpanRequirement leg in SpanReference.Margin(file, positions))
                {
                    tally.Relative(leg.InterCredit, spread.Rate * leg.ScanRisk, $"{name} credit of {leg.Commodity}", floor: leg.ScanRisk);
                }

                (SpanContract, decimal)[] sameSide = [.. spread.Legs.Select((leg, i) => (futures[i]!, leg.DeltaPerSpread))];
                Assert.That(SpanReference.Margin(file, sameSide).Sum(leg => leg.InterCredit), Is.Zero, $"{name}: long both");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Short_options_that_cannot_lose_in_the_scan_still_owe_the_minimum()
    {
        var tally = new Reproduction("SPAN short option minimum [S]", 1e-12);
        foreach (SpanFile file in Loaded.Value)
        {
            foreach (IGrouping<string, SpanContract> commodity in file.Contracts.Where(contract => contract.Strike is not null).GroupBy(contract => contract.Commodity))
            {
                decimal rate = file.Commodities[commodity.Key].ShortOptionRate;
                SpanContract? safe = commodity.FirstOrDefault(contract => -contract.RiskArray.Min() < rate);
                if (safe is null)
                    continue;
                tally.Case();
                tally.Relative(SpanReference.Margin(file, [(safe, -7m)])[0].Total, 7m * rate, $"{file.Name} {safe.Name}");
            }
        }

        tally.Finish();
    }

    private static void CompareArrays(string subject, double tolerance, Func<SpanContract, bool> chosen)
    {
        var tally = new Reproduction(subject, tolerance);
        foreach (SpanFile file in Loaded.Value)
        {
            foreach (SpanContract contract in file.Contracts.Where(chosen))
            {
                tally.Case();
                decimal[] losses = SpanReference.RiskArray(contract, file.Points);
                for (int i = 0; i < losses.Length; i++)
                {
                    tally.Absolute(losses[i] / contract.PriceScan, contract.RiskArray[i] / contract.PriceScan, $"{file.Name} {contract.Name} point {i + 1}");
                }
            }
        }

        tally.Finish();
    }

    private static decimal[] Row(ReferenceDocument group, string property) => [.. group.Root.Items(property).Select(cell => cell.AsNumber())];
}
