using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The volatility comes back from prices computed in about 100 bits, over the whole domain, as far as a rounded price tells it.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class ImpliedVolatilityTests
{
    /// <summary>One unit in the last place of a price, with room for the rounding of its share of the bound.</summary>
    private const double PriceRounding = 4.5E-16;

    [Test]
    public void Every_out_of_the_money_price_gives_its_volatility_back_within_1e_12()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        double worst = 0.0;
        int tried = 0;
        for (int i = 0; i < 60_000; i++)
        {
            double reach = (i % 4) switch { 0 => 0.001, 1 => 0.1, 2 => 1.0, _ => 3.0 };
            double forward = 100.0 * Math.Exp((8.0 * random.NextDouble()) - 4.0);
            double strike = forward * Math.Exp(reach * ((2.0 * random.NextDouble()) - 1.0));
            double years = 60.0 / 31_536_000.0 * Math.Pow(3.0 * 31_536_000.0 / 60.0, random.NextDouble());
            double volatility = 0.01 * Math.Pow(500.0, random.NextDouble());
            if (Math.Abs(Math.Log(strike / forward)) > 37.0 * volatility * Math.Sqrt(years))
                continue; // worth less than the smallest double
            var exact = ReferencePrice.Of(forward, strike, years, volatility);
            double price = (double)(strike >= forward ? exact.Call : exact.Put);
            if (price < 1E-300 * forward)
                continue;

            double found = ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price);
            double error = Math.Abs((found / volatility) - 1.0);
            double conditioning = price / (volatility * (double)exact.Vega);
            tried++;
            if (conditioning < 100.0)
                worst = Math.Max(worst, error);
            Assert.That(error, Is.LessThanOrEqualTo(1E-12 + (conditioning * PriceRounding)),
                $"seed {Seed}, {i}: F {forward:R} K {strike:R} T {years:R} volatility {volatility:R} price {price:R}");
        }

        TestContext.Out.WriteLine($"{tried} prices, largest relative error where the price determines it {worst:E1}");
        Assert.That(tried, Is.GreaterThan(30_000));
        Assert.That(worst, Is.LessThan(1E-12));
    }

    [Test]
    public void Calls_and_puts_in_and_out_of_the_money_agree([Values] bool isCall, [Values(60.0, 95.0, 100.0, 105.0, 160.0)] double strike)
    {
        (double call, double put) = Black76.Value(100.0, strike, 0.25, 0.8);
        double found = ImpliedVolatility.Of(100.0, strike, 0.25, isCall ? call : put, isCall ? OptionRight.Call : OptionRight.Put);
        Assert.That(found, Is.EqualTo(0.8).Within(1E-12));
    }

    [TestCase(100.0, 100.0, 1.0, 0.0, OptionRight.Call, ExpectedResult = 0.0, Description = "no time value")]
    [TestCase(120.0, 100.0, 1.0, 20.0, OptionRight.Call, ExpectedResult = 0.0, Description = "the intrinsic value")]
    [TestCase(120.0, 100.0, 1.0, 19.0, OptionRight.Call, ExpectedResult = double.NaN, Description = "below the intrinsic value")]
    [TestCase(100.0, 120.0, 1.0, 100.0, OptionRight.Call, ExpectedResult = double.NaN, Description = "a call worth the forward")]
    [TestCase(120.0, 100.0, 1.0, 100.0, OptionRight.Put, ExpectedResult = double.NaN, Description = "a put worth the strike")]
    [TestCase(100.0, 120.0, 1.0, -1.0, OptionRight.Call, ExpectedResult = double.NaN)]
    [TestCase(100.0, 120.0, 1.0, double.NaN, OptionRight.Call, ExpectedResult = double.NaN)]
    [TestCase(100.0, 120.0, 0.0, 1.0, OptionRight.Call, ExpectedResult = double.NaN)]
    [TestCase(0.0, 120.0, 1.0, 1.0, OptionRight.Call, ExpectedResult = double.NaN)]
    [TestCase(100.0, double.PositiveInfinity, 1.0, 1.0, OptionRight.Call, ExpectedResult = double.NaN)]
    public double What_no_volatility_gives_is_not_a_number(double forward, double strike, double years, double price, OptionRight right) =>
        ImpliedVolatility.Of(forward, strike, years, price, right);

    [Test]
    public void A_price_one_bit_below_its_bound_has_a_volatility_that_gives_it_back([Values(0.5, 0.99, 1.0, 1.01, 2.0)] double ratio)
    {
        double strike = 100.0 * ratio;
        double price = Math.BitDecrement(Math.Min(100.0, strike));
        double found = ImpliedVolatility.OfOutOfTheMoney(100.0, strike, 1.0, price);
        (double call, double put) = Black76.Value(100.0, strike, 1.0, found);
        Assert.That(strike >= 100.0 ? call : put, Is.EqualTo(price).Within(3E-14));
    }

    [Test]
    public void The_least_prices_have_a_volatility_too([Values(1E-307, 1E-200, 1E-100, 1E-20)] double share, [Values(1.0001, 1.5, 20.0)] double ratio)
    {
        double found = ImpliedVolatility.OfOutOfTheMoney(1.0, ratio, 1.0, share);
        var back = ReferencePrice.Of(1.0, ratio, 1.0, found);
        Assert.That((double)(back.Call / share), Is.EqualTo(1.0).Within(1E-10), $"volatility {found:R}");
    }
}
