using System.Globalization;
using System.Text;
using System.Text.Json;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin calibrate` on a chain made from a known smile, on damage, and on every chain of the data folder.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class CalibrateTests
{
    private const double Forward = 66_385.0;
    private static readonly SviSlice Smile = new(0.012, 0.11, -0.3, 0.03, 0.22);

    // Marks of 41 strikes as the venue writes them: eight decimals of a coin.
    private static string Chain(Func<double, double>? price = null)
    {
        StringBuilder csv = new("timestamp,instrument_name,underlying,option_type,strike,expiry_datetime,mark_price,implied_volatility\n");
        double years = 49.0 / 365.0;
        for (int strike = 40_000; strike <= 120_000; strike += 2_000)
        {
            double volatility = Math.Sqrt(Smile.TotalVariance(Math.Log(strike / Forward)) / years);
            (double call, double put) = Black76.Value(Forward, strike, years, volatility);
            foreach ((string type, double value) in new[] { ("call", call), ("put", put) })
            {
                double mark = (price ?? (coin => coin))(value / Forward);
                csv.Append(CultureInfo.InvariantCulture, $"2026-02-06T08:00:00+00:00,BTC-27MAR26-{strike}-{char.ToUpperInvariant(type[0])},66000.0,{type},{strike}.0,2026-03-27T08:00:00+00:00,{mark:F8},0.5\n");
            }
        }

        return csv.ToString();
    }

    [Test]
    public void The_forward_and_the_smile_behind_a_chain_are_found()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("chain.csv"), Chain());
        CommandResult text = MarginCommand.Run("calibrate", scratch.File("chain.csv")), json = MarginCommand.Run("calibrate", scratch.File(""), "--json");
        Assert.That((text.Code, json.Code), Is.EqualTo((ExitCode.Done, ExitCode.Done)), text + "\n" + json);
        Assert.That(text.Out, Does.Contain("27MAR26").And.Contain("1 chains, 1 expiries").And.Contain("all free of arbitrage"), text.ToString());
        using JsonDocument document = JsonDocument.Parse(json.Out);
        JsonElement expiry = document.RootElement.GetProperty("chains")[0].GetProperty("expiries")[0];
        double Number(string name) => double.Parse(expiry.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
        Assert.Multiple(() =>
        {
            Assert.That(Number("forward"), Is.EqualTo(Forward).Within(0.01), "not the listed 66000");
            Assert.That(Number("years"), Is.EqualTo(49.0 / 365.0).Within(1e-12));
            Assert.That(expiry.GetProperty("quotes").GetInt32(), Is.EqualTo(82));
            Assert.That(expiry.GetProperty("used").GetInt32(), Is.EqualTo(41));
            Assert.That(Number("vegaWeightedResidual"), Is.LessThan(1e-4));
            Assert.That(expiry.GetProperty("sound").GetBoolean(), Is.True);
            Assert.That(document.RootElement.GetProperty("failed").GetInt32(), Is.Zero);
        });
        double Parameter(string name) => double.Parse(expiry.GetProperty("svi").GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
        SviSlice found = new(Parameter("a"), Parameter("b"), Parameter("rho"), Parameter("m"), Parameter("sigma"));
        for (double k = -0.4; k <= 0.4; k += 0.1)
            Assert.That(found.TotalVariance(k), Is.EqualTo(Smile.TotalVariance(k)).Within(1e-5), $"k = {k:F1} of {found}");
    }

    [Test]
    public void A_chain_without_usable_marks_ends_with_difference_and_says_so()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("chain.csv"), Chain(_ => 0.0));
        CommandResult result = MarginCommand.Run("calibrate", scratch.File("chain.csv"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Out, Does.Contain("no fit").And.Contain("1 expiries failed"), result.ToString());
    }

    [Test]
    public void What_cannot_be_read_is_named()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("damaged.csv"), Chain().Replace("66000.0,put,40000.0", "66000.0,put,4x000.0", StringComparison.Ordinal));
        Directory.CreateDirectory(scratch.File("empty"));
        foreach ((string path, string reason) in new[] { ("damaged.csv", "damaged.csv:3:"), ("none.csv", "no file or folder"), ("empty", "no option chain in") })
        {
            CommandResult result = MarginCommand.Run("calibrate", scratch.File(path));
            Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
            Assert.That(result.Error, Does.StartWith("margin: ").And.Contain(reason), result.ToString());
            Assert.That(result.Out, Is.Empty, result.ToString());
        }
    }
}
