using System.Numerics;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Decimals 9 to 16 of a price, a confidence, a volatility and a row's weight: they count, and without them nothing is different.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class FurtherDigitTests
{
    private const int Seed = 1616;
    private const ushort Usdc = 5;
    private const ushort Stable = 9;

    [Test]
    public void Money_at_a_fine_price_is_the_exact_product_rounded_once()
    {
        Random random = new(Seed);
        for (int round = 0; round < 200_000; round++)
        {
            long value = random.NextInt64(-Fixed.Ceiling, Fixed.Ceiling) >> random.Next(60);
            FinePrice price = Price(random), by = Price(random);
            long denominator = Fixed.LongPower10(random.Next(2, 15));
            BigInteger product = value * Digits(price);
            BigInteger divisor = denominator * (BigInteger)Fixed.One;
            string input = $"{value} * {price} / {denominator} (/ {by})";
            Assert.That((BigInteger)price.MultiplyFloor(value, denominator), Is.EqualTo(Clamp(Floor(product, divisor))), input);
            Assert.That((BigInteger)price.MultiplyCeiling(value, denominator), Is.EqualTo(Clamp(-Floor(-product, divisor))), input);

            // Of the quotient of two prices it is so where both sides stay inside 128 bits.
            if (BigInteger.Abs(product) * 1_000_000 < BigInteger.Pow(10, 38) && denominator * Digits(by) < BigInteger.Pow(10, 44) && price.Further != 0)
            {
                BigInteger quotient = Floor(product * Fixed.One, denominator * Digits(by));
                Assert.That((BigInteger)price.MultiplyFloor(value, denominator, by), Is.EqualTo(Clamp(quotient)), input);
            }
        }

        static FinePrice Price(Random random) =>
            new(random.NextInt64(1, 1_000_000_000_000_000_000) >> random.Next(59) | 1, random.Next(3) == 0 ? 0 : (uint)random.Next(100_000_000));
        static BigInteger Digits(FinePrice price) => ((BigInteger)price.E8 * Fixed.One) + price.Further;
        static BigInteger Clamp(BigInteger value) => BigInteger.Clamp(value, -Fixed.Ceiling, Fixed.Ceiling);
        static BigInteger Floor(BigInteger value, BigInteger divisor)
        {
            BigInteger quotient = BigInteger.DivRem(value, divisor, out BigInteger rest);
            return rest < 0 ? quotient - 1 : quotient;
        }
    }

    [Test]
    public void A_balance_is_worth_its_price_to_the_sixteenth_decimal()
    {
        using Desk desk = Open();
        desk.Transfer(1, Usdc, 1_000_000_000m);
        Index(desk, 99_984_231, 17_500_000);
        Assert.That(Desk.Usd6(desk.Report(1).Margin.GrossEquity), Is.EqualTo(999_842_311.75m), "0.99984231175 USD each");
        long evaluations = desk.Machine.Evaluations;
        Index(desk, 99_984_231, 17_600_000);
        Assert.That((Desk.Usd6(desk.Report(1).Margin.GrossEquity), desk.Machine.Evaluations), Is.EqualTo((999_842_311.76m, evaluations + 1)));
    }

    [Test]
    public void No_further_digits_and_zeros_are_one_and_the_same()
    {
        using Desk silent = Open(), zeros = Open(), fine = Open();
        foreach ((Desk desk, uint? further) in new (Desk, uint?)[] { (silent, null), (zeros, 0), (fine, 1) })
        {
            desk.Transfer(1, Usdc, 1_000m);
            Index(desk, 99_984_231, further);
        }

        Assert.Multiple(() =>
        {
            Assert.That((zeros.Machine.StateDigest(), zeros.Machine.DecisionDigest), Is.EqualTo((silent.Machine.StateDigest(), silent.Machine.DecisionDigest)));
            Assert.That(fine.Machine.StateDigest(), Is.Not.EqualTo(silent.Machine.StateDigest()), "what can show later is in the state");
        });
    }

    [Test]
    public void Doubt_is_charged_to_the_sixteenth_decimal_and_more_than_certainty_is_refused()
    {
        using Desk desk = Open("derive-standard");
        desk.Transfer(1, Desk.Btc, 1_000m);
        long certain = desk.Report(1).Margin.Initial;
        Confidence(desk, 30_000_000, null);
        long coarse = desk.Report(1).Margin.Initial;
        Confidence(desk, 30_000_000, 50_000_000);

        // 0.3 + 5e-9: the charge of 70 % falls by 5e-9 of the same base.
        decimal charge = coarse - certain;
        Assert.That((decimal)(coarse - desk.Report(1).Margin.Initial), Is.EqualTo(charge / 0.7m * 5e-9m).Within(1m));
        desk.Clear();
        Confidence(desk, 100_000_000, 1);
        Assert.That(desk.Rejected(), Is.EqualTo((RejectCode.OutOfRange, IndexPriceDecoder.FieldIds.ConfidenceFurther, 0UL)));
    }

    [Test]
    public void An_option_is_priced_at_all_decimals_of_its_volatility()
    {
        using Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 64_000m, Desk.Usd, size: 1_000m);
        desk.Forward(64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 1_000_000m);
        desk.Fill(1, call, 1, 1m);
        double[] values = [.. new (long, uint)[] { (50_000_000, 0), (50_000_000, 50_000_000), (50_000_001, 0) }.Select(volatility =>
        {
            Volatility(desk, call, volatility.Item1, volatility.Item2);
            return desk.Report(1).Units.Single().Positions.Single().Value / 1e6;
        })];
        Assert.That(values[1] - values[0], Is.EqualTo((values[2] - values[0]) / 2.0).Within(2e-6), "half a unit of the eighth decimal, half the change");
        Assert.That(values[2] - values[0], Is.GreaterThan(1e-2));
    }

    [Test]
    public void A_weight_takes_sixteen_decimals_and_no_more()
    {
        ModelDocument Weighted(decimal weight) => ModelDocument.Parse($$"""{"name": "tested", "version": 2, "rows": [{"spot": 0.1, "weight": {{weight}} }]}""");

        using Desk desk = new();
        desk.Model(TestModels.Matrix.WithVersion(2).With("rows", null).With("grid", null).With("rows", Weighted(0.0545454545454545m)["rows"]));
        uint perpetual = desk.Perpetual(Desk.Usd, size: 1_000m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Fill(1, perpetual, -10, 64_000m);

        // 640,000,000 USD short, a tenth up, times 3 / 55 to sixteen decimals.
        Assert.That(Desk.Usd6(desk.Report(1).Margin.WorstLoss), Is.EqualTo(3_490_909.090909m));
        Assert.That(Assert.Throws<FormatException>(() => Weighted(0.05454545454545454m))!.Message, Does.Contain("rows[0].weight").And.Contain("more than 16 decimals"));
        Assert.That(Assert.Throws<FormatException>(() => Weighted(10.000000001m))!.Message, Does.Contain("rows[0].weight: 10.000000001 is not between 0 and 10"));
        Assert.That(Assert.Throws<FormatException>(() => Weighted(-0.000000001m))!.Message, Does.Contain("rows[0].weight"));
    }

    private static Desk Open(string model = "derive-pmrm2")
    {
        Desk desk = new(withMarket: false);
        desk.Currency(Desk.Usd, 6, "USD");
        desk.Currency(Desk.Btc, 8, "BTC");
        desk.Currency(Usdc, 6, "USDC");
        desk.Underlying(1, Desk.Btc, "BTC");
        desk.Underlying(Stable, Usdc, "USDC");
        foreach (byte[] part in ModelDocument.Shipped(model).With("currencies.USDC.haircut", 0m).With("peg", new JsonObject()).ToMessages(
            1, desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent, [(1, "BTC"), (Stable, "USDC")],
            [(Desk.Usd, "USD"), (Desk.Btc, "BTC"), (Usdc, "USDC")]))
        {
            desk.Apply(part);
        }

        desk.SkipOrigin(desk.Machine.LastSourceSequence(desk.Source));
        desk.Index(64_000m);
        desk.Open(1);
        return desk;
    }

    private static void Index(Desk desk, long price, uint? further) => Send(desk, Stable, price, further, null, null);

    private static void Confidence(Desk desk, int confidence, uint? further) => Send(desk, 1, Desk.E8(64_000m), null, confidence, further);

    private static void Send(Desk desk, ushort underlying, long price, uint? priceFurther, int? confidence, uint? confidenceFurther)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        IndexPriceEncoder message = IndexPriceEncoder.Wrap(buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent);
        message.UnderlyingId = underlying;
        message.SetPrice(price);
        message.SetPriceFurther(priceFurther);
        message.SetConfidence(confidence);
        message.SetConfidenceFurther(confidenceFurther);
        desk.Apply(buffer.AsSpan(0, message.EncodedLength));
    }

    private static void Volatility(Desk desk, uint instrument, long volatility, uint further)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        MarkVolatilityEncoder message = MarkVolatilityEncoder.Wrap(buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.SetVolatility(volatility);
        message.SetVolatilityFurther(further);
        desk.Apply(buffer.AsSpan(0, message.EncodedLength));
    }
}
