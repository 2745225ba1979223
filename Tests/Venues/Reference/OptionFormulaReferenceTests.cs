using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>The option formulas that the reference margins stand on, against Haug's tables, Derive's test prices and figures of 50 digits.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class OptionFormulaReferenceTests
{
    [Test]
    public void Every_price_of_Haug_is_reproduced()
    {
        var tally = new Reproduction("Haug prices [V]", 1e-4);
        foreach (ReferenceDocument group in ReferenceData.Groups("black_scholes_haug_quantlib"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                tally.Case();
                tally.Absolute(Haug(test).Price, test.Number("price"), $"{test.Text("type")} {test.Number("strike")} on {test.Number("spot")}");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_Greek_of_Haug_is_reproduced_to_half_a_printed_digit()
    {
        var tally = new Reproduction("Haug Greeks [V]", 0.5e-4 * (1 + 1e-9));
        foreach (ReferenceDocument group in ReferenceData.Groups("black_scholes_haug_quantlib"))
        {
            foreach (JsonElement test in group.Root.Items("greeks"))
            {
                SpotGreeks greeks = Haug(test);
                tally.Case();
                decimal actual = test.Text("greek") switch
                {
                    "delta" => greeks.Delta,
                    "elasticity" => greeks.Delta * test.Number("spot") / greeks.Price,
                    "gamma" => greeks.Gamma,
                    "vega" => greeks.Vega,
                    "theta_per_year" => greeks.Theta,
                    "theta_per_day" => greeks.Theta / 365m,
                    "rho" => greeks.Rho,
                    "dividend_rho" => greeks.DividendRho,
                    _ => throw new InvalidDataException($"Greek '{test.Text("greek")}'"),
                };
                tally.Absolute(actual, test.Number("value"), $"{test.Text("greek")} {test.Text("type")}");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_Black_76_price_of_Derive_is_reproduced()
    {
        var tally = new Reproduction("Derive Black-76 [V]", 1e-12);
        foreach (ReferenceDocument group in ReferenceData.Groups("black76_derive"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                decimal years = test.Number("sec") / ReferenceOptions.SecondsPerYear;
                decimal discount = test.Number("disc");
                string name = $"F {test.Number("F")} K {test.Number("K")} vol {test.Number("vol")}";
                tally.Case();
                tally.Absolute(discount * Value(test, years, true), test.Number("call"), $"{name} call");
                tally.Absolute(discount * Value(test, years, false), test.Number("put"), $"{name} put");
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_Greek_computed_with_fifty_digits_is_reproduced()
    {
        var tally = new Reproduction("Black-76 Greeks of 50 digits (computed, not published)", 1e-18);
        foreach (ReferenceDocument group in ReferenceData.Groups("black76_greeks_computed"))
        {
            foreach (JsonElement test in group.Root.Items("cases"))
            {
                decimal years = test.Number("days") / 365m;
                ReferenceGreeks call = ReferenceGreeks.OnForward(test.Number("F"), test.Number("K"), years, test.Number("vol"), test.Number("r"), true);
                ReferenceGreeks put = ReferenceGreeks.OnForward(test.Number("F"), test.Number("K"), years, test.Number("vol"), test.Number("r"), false);
                string name = $"F {test.Number("F")} K {test.Number("K")} vol {test.Number("vol")} days {test.Number("days")}";
                tally.Case();
                tally.Relative(call.Price, test.Number("call"), $"{name} call");
                tally.Relative(put.Price, test.Number("put"), $"{name} put");
                tally.Relative(call.Delta, test.Number("delta_call"), $"{name} call delta", 1e-3m);
                tally.Relative(put.Delta, test.Number("delta_put"), $"{name} put delta", 1e-3m);
                tally.Relative(call.Gamma, test.Number("gamma"), $"{name} gamma", 1e-12m);
                tally.Relative(call.Vega, test.Number("vega_per_1"), $"{name} vega");
                tally.Relative(call.Theta, test.Number("theta_call_per_year"), $"{name} call theta");
                tally.Relative(put.Theta, test.Number("theta_put_per_year"), $"{name} put theta");
                tally.Relative(call.Vanna, test.Number("vanna_dDelta_dVol"), $"{name} vanna", 1e-3m);
                tally.Relative(call.Volga, test.Number("volga_dVega_dVol"), $"{name} volga");
            }
        }

        tally.Finish();
    }

    /// <summary>The polynomial differs from the series and the continued fraction by no more than its stated error, and these two meet without a step.</summary>
    [Test]
    public void Three_normal_distributions_agree()
    {
        for (decimal x = -8m; x <= 8m; x += 1m / 128m)
        {
            Assert.That(DecimalMath.NormalCdf(x), Is.EqualTo(ReferenceOptions.PolynomialNormalCdf(x)).Within(ReferenceOptions.PolynomialError), $"x = {x}");
            Assert.That(DecimalMath.NormalCdf(x) + DecimalMath.NormalCdf(-x), Is.EqualTo(1m).Within(4e-16m), $"x = {x}");
        }

        decimal step = 1e-9m * DecimalMath.NormalDensity(3m);
        Assert.That(DecimalMath.NormalCdf(3m + 1e-9m) - DecimalMath.NormalCdf(3m), Is.EqualTo(step).Within(5e-16m), "at 3");
    }

    private static decimal Value(JsonElement test, decimal years, bool isCall)
        => ReferenceOptions.Black76(test.Number("F"), test.Number("K"), years, test.Number("vol"), isCall);

    private static SpotGreeks Haug(JsonElement test) => SpotGreeks.Of(
        test.Number("spot"), test.Number("strike"), test.Number("t"), test.Number("vol"), test.Number("r"), test.Number("q"), test.Text("type") == "Call");
}
