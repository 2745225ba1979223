using System.Globalization;
using System.Text.Json;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Published and 50-digit prices, Greeks and smiles of margin-vectors.json, wherever in the data folder it lies.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class PublishedPriceTests
{
    private const string FileName = "margin-vectors.json";

    [Test]
    public void Values_and_Greeks_agree_with_the_fifty_digit_table()
    {
        int cases = 0;
        double worstValue = 0.0;
        double worstGreek = 0.0;
        foreach (JsonElement item in Cases("black76_greeks_computed"))
        {
            double forward = Number(item, "F");
            double strike = Number(item, "K");
            double volatility = Number(item, "vol");
            double years = Number(item, "days") / 365.0;
            double rate = Number(item, "r");
            OptionGreeks call = Black76.Greeks(isCall: true, forward, strike, years, volatility, rate);
            OptionGreeks put = Black76.Greeks(isCall: false, forward, strike, years, volatility, rate);
            string inputs = item.GetRawText();

            // Discounting adds two roundings and the table's years = days / 365 another.
            double scale = Math.Max(forward, strike);
            worstValue = Worst(worstValue, call.Value, item, "call", scale, 1.5e-15, inputs);
            worstValue = Worst(worstValue, put.Value, item, "put", scale, 1.5e-15, inputs);
            double root = Math.Sqrt(years);
            double peak = 1.0 / Math.Sqrt(2.0 * Math.PI);
            double vega = peak * forward * root;
            (double Value, string Name, double Scale)[] greeks =
            [
                (call.Delta, "delta_call", 1.0),
                (put.Delta, "delta_put", 1.0),
                (call.Gamma, "gamma", peak / (forward * volatility * root)),
                (call.Vega, "vega_per_1", vega),
                (call.Theta, "theta_call_per_year", vega * volatility / (2.0 * years) + rate * scale),
                (put.Theta, "theta_put_per_year", vega * volatility / (2.0 * years) + rate * scale),
                (call.Vanna, "vanna_dDelta_dVol", 1.0 / volatility),
                (call.Volga, "volga_dVega_dVol", vega / volatility),
            ];
            foreach ((double value, string name, double largest) in greeks)
                worstGreek = Worst(worstGreek, value, item, name, largest, 1e-13, inputs);
            cases++;
        }

        TestContext.Out.WriteLine($"{cases} cases: values within {worstValue:E2} of max(F, K), Greeks within {worstGreek:E2} of their peaks");
        Assert.That(cases, Is.GreaterThanOrEqualTo(15));
    }

    [Test]
    public void Values_agree_with_Derive_to_1e_12()
    {
        int cases = 0;
        foreach (JsonElement item in Cases("black76_derive"))
        {
            double years = Number(item, "sec") / 31_536_000.0;
            double volatility = Number(item, "vol");
            (double call, double put) = Black76.Value(Number(item, "F"), Number(item, "K"), years, volatility);
            double discount = Number(item, "disc");
            Assert.That(discount * call, Is.EqualTo(Number(item, "call")).Within(1e-12), item.GetRawText());
            Assert.That(discount * put, Is.EqualTo(Number(item, "put")).Within(1e-12), item.GetRawText());
            double delta = Black76.Greeks(isCall: true, Number(item, "F"), Number(item, "K"), years, volatility).Delta;
            Assert.That(delta, Is.EqualTo(Number(item, "call_delta_undisc")).Within(1e-14), item.GetRawText());
            cases++;
        }

        Assert.That(cases, Is.GreaterThanOrEqualTo(7));
    }

    [Test]
    public void Values_agree_with_the_textbook_tables_through_the_cost_of_carry()
    {
        int cases = 0;
        foreach (JsonElement item in Cases("black_scholes_haug_quantlib"))
        {
            OptionGreeks greeks = FromSpot(item);
            Assert.That(greeks.Value, Is.EqualTo(Number(item, "price")).Within(Number(item, "tol")), item.GetRawText());
            cases++;
        }

        foreach (JsonElement item in Group("black_scholes_haug_quantlib", "greeks"))
        {
            OptionGreeks greeks = FromSpot(item);
            double carry = Functions.Exp((Number(item, "r") - Number(item, "q")) * Number(item, "t"));
            double spot = Number(item, "spot");
            double? value = item.GetProperty("greek").GetString() switch
            {
                "delta" => greeks.Delta * carry,
                "elasticity" => greeks.Delta * carry * spot / greeks.Value,
                "gamma" => greeks.Gamma * carry * carry,
                "vega" => greeks.Vega,
                "rho" => greeks.Rho,

                // The spot's theta moves the forward along its carry as well.
                "theta_per_year" => SpotTheta(item, greeks),
                "theta_per_day" => SpotTheta(item, greeks) / 365.0,
                "dividend_rho" => -greeks.Delta * carry * spot * Number(item, "t"),
                _ => null,
            };
            if (value is null)
                continue;
            Assert.That(value.Value, Is.EqualTo(Number(item, "value")).Within(0.51e-4), item.GetRawText());
            cases++;
        }

        Assert.That(cases, Is.GreaterThanOrEqualTo(31));
    }

    [Test]
    public void Smiles_agree_with_Derive_clamps_included()
    {
        int cases = 0;
        foreach (string list in new[] { "cases", "clamp_cases" })
        {
            foreach (JsonElement item in Group("svi_derive", list))
            {
                double forward = Number(item, "fwd");
                double years = Number(item, "tau");
                bool clamped = list == "clamp_cases";
                double[] strikes = clamped ? [Number(item, "strike")] : Numbers(item, "strikes");
                double[] expected = clamped ? [Number(item, "vol")] : Numbers(item, "vols");
                SviSlice slice = Slice(item);
                for (int i = 0; i < strikes.Length; i++)
                {
                    double variance = slice.ClampedTotalVariance(VarianceCurve.LogMoneyness(strikes[i], forward));
                    Assert.That(VarianceCurve.Volatility(variance, years), Is.EqualTo(expected[i]).Within(clamped ? 1e-6 : 1e-9), item.GetRawText());
                    if (!clamped)
                        Assert.That(VarianceCurve.Volatility(slice, strikes[i], forward, years), Is.EqualTo(expected[i]).Within(1e-9), item.GetRawText());
                    cases++;
                }
            }
        }

        Assert.That(cases, Is.GreaterThanOrEqualTo(15));
    }

    [Test]
    public void The_smile_of_Vogt_has_its_published_variances_and_is_refused()
    {
        foreach (JsonElement group in Roots("svi_vogt_butterfly"))
        {
            SviSlice slice = Slice(group.GetProperty("raw"));
            foreach (JsonElement point in group.GetProperty("total_variance_computed").EnumerateArray())
                Assert.That(slice.TotalVariance(Number(point, "k")), Is.EqualTo(Number(point, "w")).Within(1e-14), point.GetRawText());
            Assert.That(slice.Check(), Is.EqualTo(SviFault.Butterfly));
        }
    }

    [Test]
    public void The_variance_at_the_centre_of_a_published_smile_is_a_plus_b_sigma()
    {
        foreach (JsonElement group in Roots("svi_quantlib"))
        {
            JsonElement parameters = group.GetProperty("params");
            SviSlice slice = Slice(parameters);
            double forward = Number(parameters, "forward");
            double strike = forward * Functions.Exp(slice.M);
            double variance = slice.TotalVariance(VarianceCurve.LogMoneyness(strike, forward));
            Assert.That(variance, Is.EqualTo(Number(group, "expected_variance")).Within(1e-10).Percent);
        }
    }

    private static OptionGreeks FromSpot(JsonElement item)
    {
        double years = Number(item, "t");
        double forward = Number(item, "spot") * Functions.Exp((Number(item, "r") - Number(item, "q")) * years);
        bool isCall = item.GetProperty("type").GetString() == "Call";
        return Black76.Greeks(isCall, forward, Number(item, "strike"), years, Number(item, "vol"), Number(item, "r"));
    }

    private static double SpotTheta(JsonElement item, OptionGreeks greeks)
    {
        double carry = Number(item, "r") - Number(item, "q");
        double forward = Number(item, "spot") * Functions.Exp(carry * Number(item, "t"));
        return greeks.Theta - greeks.Delta * forward * carry;
    }

    private static double Worst(double worst, double value, JsonElement item, string name, double scale, double bound, string inputs)
    {
        DoubleDouble exact = DoubleDouble.Parse(item.GetProperty(name).GetString()!);
        double error = Math.Abs((double)(exact - value)) / scale;
        Assert.That(error, Is.LessThanOrEqualTo(bound), $"{name} is {value:R} in {inputs}");
        return Math.Max(worst, error);
    }

    private static SviSlice Slice(JsonElement item) =>
        new(Number(item, "a"), Number(item, "b"), Number(item, "rho"), Number(item, "m"), Number(item, "sigma"));

    private static double[] Numbers(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(x => x.GetDouble())];

    private static double Number(JsonElement item, string name)
    {
        JsonElement value = item.GetProperty(name);
        return value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetDouble();
    }

    private static IEnumerable<JsonElement> Cases(string group) => Group(group, "cases");

    private static IEnumerable<JsonElement> Group(string group, string list) => Roots(group).SelectMany(root => root.GetProperty(list).EnumerateArray());

    private static List<JsonElement> Roots(string group)
    {
        var roots = new List<JsonElement>();
        foreach (string path in MarginData.Files(".", FileName))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.TryGetProperty(group, out JsonElement element))
                roots.Add(element.Clone());
        }

        if (roots.Count == 0)
            Assert.Ignore($"no data: no {FileName} holds a group '{group}'");
        return roots;
    }
}
