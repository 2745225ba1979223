using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>SVI slices: Derive's volatilities and clamps, and Vogt's smile, whose butterflies must be found negative.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SviReferenceTests
{
    [Test]
    public void Every_volatility_of_Derives_slices_is_reproduced()
    {
        var tally = new Reproduction("Derive SVI [V]", 1e-9);
        foreach (ReferenceDocument group in ReferenceData.Groups("svi_derive"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                JsonElement[] strikes = [.. test.Items("strikes")];
                tally.Case();
                for (int i = 0; i < strikes.Length; i++)
                {
                    decimal actual = Slice(test).DeriveVolatility(strikes[i].AsNumber(), test.Number("fwd"), test.Number("tau"));
                    tally.Relative(actual, test.GetProperty("vols")[i].AsNumber(), $"{group.Name} tau {test.Number("tau")} strike {strikes[i]}", 0.1m);
                }
            }
        }

        tally.Finish();
    }

    [Test]
    public void Far_strikes_take_the_volatility_of_the_clamp()
    {
        var tally = new Reproduction("Derive SVI clamps [V]", 1e-6);
        foreach (ReferenceDocument group in ReferenceData.Groups("svi_derive"))
        {
            foreach (JsonElement test in group.Root.Items("clamp_cases"))
            {
                tally.Case();
                tally.Absolute(Slice(test).DeriveVolatility(test.Number("strike"), test.Number("fwd"), test.Number("tau")), test.Number("vol"), $"strike {test.Number("strike")}");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Vogts_smile_has_the_published_wings_and_negative_butterflies_and_its_repairs_have_none()
    {
        var exact = new Reproduction("Vogt's smile [V], against 15 digits", 1e-8);
        var printed = new Reproduction("Vogt's smile [V], against printed digits", 1e-6);
        foreach (ReferenceDocument group in ReferenceData.Groups("svi_vogt_butterfly"))
        {
            ReferenceSvi smile = Slice(group.Root.GetProperty("raw"));
            decimal years = group.Root.GetProperty("raw").Number("t");
            (decimal v, decimal psi, decimal p, decimal c, decimal vTilde) = smile.JumpWings(years);
            foreach ((Reproduction tally, string set) in new[] { (exact, "jw_computed"), (printed, "jw_published") })
            {
                JsonElement wings = group.Root.GetProperty(set);
                tally.Case();
                tally.Absolute(v, wings.Number("v"), $"{set} v");
                tally.Absolute(psi, wings.Number("psi"), $"{set} psi");
                tally.Absolute(p, wings.Number("p"), $"{set} p");
                tally.Absolute(c, wings.Number("c"), $"{set} c");
                tally.Absolute(vTilde, wings.Number("vtilde"), $"{set} minimum variance");
            }

            foreach (JsonElement point in group.Root.Items("total_variance_computed"))
            {
                exact.Absolute(smile.TotalVariance(point.Number("k")), point.Number("w"), $"w({point.Number("k")})");
            }

            JsonElement expected = group.Root.GetProperty("expected");
            (decimal worst, decimal at) = Lowest(smile);
            exact.Absolute(smile.ButterflyDensity(expected.Number("argmin_k")), expected.Number("min_g"), "lowest g");
            Assert.That(at, Is.EqualTo(expected.Number("argmin_k")).Within(0.005m), $"{group.Name}: where g is lowest");
            Assert.That(worst >= 0m, Is.EqualTo(expected.GetProperty("butterfly_free").GetBoolean()), $"{group.Name}: g = {worst} at {at}");
            foreach (string set in new[] { "repaired_guaranteed", "repaired_optimal" })
            {
                JsonElement repair = group.Root.GetProperty(set);
                ReferenceSvi repaired = ReferenceSvi.FromJumpWings(v, psi, p, repair.Number("c"), repair.Number("vtilde"), years);
                Assert.That(Lowest(repaired).G, Is.GreaterThanOrEqualTo(0m), $"{group.Name}: {set} {repaired}");
            }

            JsonElement guaranteed = group.Root.GetProperty("repaired_guaranteed");
            decimal wing = p + 2m * psi;
            printed.Absolute(wing, guaranteed.Number("c"), "guaranteed wing p + 2 psi");
            printed.Absolute(v * 4m * p * wing / ((p + wing) * (p + wing)), guaranteed.Number("vtilde"), "guaranteed minimum v 4 p c / (p + c)^2");
        }

        exact.Finish();
        printed.Finish();
    }

    [Test]
    public void Jump_wings_and_raw_parameters_are_each_others_inverse()
    {
        var slice = new ReferenceSvi(0.01m, 0.12m, -0.35m, 0.05m, 0.2m);
        (decimal v, decimal psi, decimal p, decimal c, decimal vTilde) = slice.JumpWings(0.25m);
        ReferenceSvi back = ReferenceSvi.FromJumpWings(v, psi, p, c, vTilde, 0.25m);
        for (decimal k = -2m; k <= 2m; k += 0.125m)
        {
            Assert.That(back.TotalVariance(k), Is.EqualTo(slice.TotalVariance(k)).Within(1e-13m), $"k = {k}");
        }
    }

    [Test]
    public void The_slice_of_QuantLib_has_its_variance_at_the_minimum_of_the_root()
    {
        var tally = new Reproduction("QuantLib SVI [V]", 1e-12);
        foreach (ReferenceDocument group in ReferenceData.Groups("svi_quantlib"))
        {
            JsonElement parameters = group.Root.GetProperty("params");
            tally.Case();
            tally.Relative(Slice(parameters).TotalVariance(parameters.Number("m")), group.Root.Number("expected_variance"), group.Name, 1e-3m);
        }

        tally.Finish();
    }

    private static (decimal G, decimal K) Lowest(ReferenceSvi slice)
        => Enumerable.Range(-300, 601).Select(step => (G: slice.ButterflyDensity(step / 100m), K: step / 100m)).MinBy(point => point.G);

    private static ReferenceSvi Slice(JsonElement parameters)
        => new(parameters.Number("a"), parameters.Number("b"), parameters.Number("rho"), parameters.Number("m"), parameters.Number("sigma"));
}
