using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// What every reference must keep on books that no venue published: margin does not depend on the order of positions nor on splitting one, grows in
/// proportion with the book where nothing is a threshold, and initial is never less than maintenance. Books are random from a printed seed.
/// </summary>
[TestFixture]
internal sealed class ReferencePropertyTests
{
    private const int Books = 60;
    private const double Within = 1e-9;

    [TestCase(20240617)]
    [TestCase(20260204)]
    public void Derive_margins_neither_see_the_order_of_positions_nor_where_one_is_split(int seed)
    {
        var random = new Random(seed);
        for (int book = 0; book < Books; book++)
        {
            DeriveAccount account = RandomDerive(random);
            DerivePmrm2Result margin = DerivePmrm2.Margin(account, ReferenceParameters.DeriveEther);
            DerivePmrm2Result shuffled = DerivePmrm2.Margin(account with { Options = Shuffled(account.Options, random) }, ReferenceParameters.DeriveEther);
            DerivePmrm2Result split = DerivePmrm2.Margin(account with { Options = Split(account.Options, random) }, ReferenceParameters.DeriveEther);
            double scale = Within * (1e3 + account.Options.Sum(option => Math.Abs(option.Amount) * account.Spot));
            string name = $"seed {seed} book {book}: {string.Join("; ", account.Options)}";
            Assert.Multiple(() =>
            {
                Assert.That(shuffled.Initial, Is.EqualTo(margin.Initial).Within(scale), name);
                Assert.That(split.Initial, Is.EqualTo(margin.Initial).Within(scale), name);
                Assert.That(split.Maintenance, Is.EqualTo(margin.Maintenance).Within(scale), name);
                Assert.That(margin.Initial, Is.LessThanOrEqualTo(margin.Maintenance + scale), name);
                Assert.That(margin.Maintenance, Is.LessThanOrEqualTo(margin.MarkToMarket + scale), name);
            });
        }
    }

    [TestCase(20240617)]
    [TestCase(20260204)]
    public void Deribit_margins_neither_see_the_order_of_positions_nor_where_one_is_split(int seed)
    {
        var random = new Random(seed);
        for (int book = 0; book < Books; book++)
        {
            DeribitPosition[] positions = RandomDeribit(random);
            foreach (DeribitParameters parameters in new[] { ReferenceParameters.DeribitBitcoin, ReferenceParameters.DeribitEther })
            {
                DeribitResult margin = DeribitPortfolioMargin.Margin(positions, 60_000.0, parameters);
                DeribitResult shuffled = DeribitPortfolioMargin.Margin(Shuffled(positions, random), 60_000.0, parameters);
                DeribitPosition[] halves = [.. positions.SelectMany(position => new[] { position with { Size = 0.25 * position.Size }, position with { Size = 0.75 * position.Size } })];
                string name = $"seed {seed} book {book}: {string.Join("; ", (object[])positions)}";
                Assert.Multiple(() =>
                {
                    Assert.That(double.IsFinite(margin.Initial), name);
                    Assert.That(shuffled.Initial, Is.EqualTo(margin.Initial).Within(1e-10), name);
                    Assert.That(DeribitPortfolioMargin.Margin(halves, 60_000.0, parameters).Initial, Is.EqualTo(margin.Initial).Within(1e-10), name);
                    Assert.That(margin.Initial, Is.GreaterThanOrEqualTo(margin.Maintenance), name);
                    Assert.That(margin.WorstCase, Is.GreaterThanOrEqualTo(0.0), name);
                });
            }
        }
    }

    [Test]
    public void SPAN_arrays_of_a_real_file_add_up_and_a_doubled_book_owes_double()
    {
        var random = new Random(20160517);
        foreach (string path in MarginData.Files("", "*.spn*"))
        {
            SpanFile file = SpanFile.Load(path);
            for (int book = 0; book < Books; book++)
            {
                (SpanContract, double)[] positions = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ =>
                    (file.Contracts[random.Next(file.Contracts.Count)], (double)random.Next(-20, 21)))];
                (SpanContract Contract, double Number)[] doubled = [.. positions.Concat(Shuffled(positions, random))];
                double once = SpanReference.Margin(file, positions).Sum(requirement => requirement.Total);
                double twice = SpanReference.Margin(file, doubled).Sum(requirement => requirement.Total);
                string name = $"{file.Name} book {book}: {string.Join("; ", positions.Select(position => $"{position.Item2} {position.Item1.Name}"))}";
                Assert.That(twice, Is.EqualTo(2.0 * once).Within(1e-6 * (1.0 + once)), name);
            }
        }
    }

    private static DeriveAccount RandomDerive(Random random)
    {
        double spot = 2_000.0 + 2_000.0 * random.NextDouble();
        DeriveExpiry[] expiries = [.. Enumerable.Range(1, 3).Select(i => new DeriveExpiry(
            86_400.0 * i * (1 + random.Next(60)), 0.0, spot * (1.0 + 0.02 * random.NextDouble()), 0.2 * random.NextDouble() - 0.05, 0.4 + 0.6 * random.NextDouble()))];
        return new DeriveAccount
        {
            Spot = spot,
            Stable = 0.95 + 0.1 * random.NextDouble(),
            Cash = 1_000.0 * random.NextDouble(),
            Perpetuals = random.Next(-5, 6),
            PerpetualPrice = spot,
            Expiries = [.. expiries.DistinctBy(expiry => expiry.Seconds)],
            Options = [.. Enumerable.Range(0, 12).Select(_ => new DeriveOption(
                expiries[random.Next(expiries.Length)].Seconds, 100.0 * Math.Round(spot * (0.5 + random.NextDouble()) / 100.0), random.Next(2) == 0, random.Next(-9, 10), 0.4 + random.NextDouble()))],
            Collaterals = [new DeriveCollateral(random.NextDouble(), spot, 1.0, random.Next(2) == 0, 0.05, 0.02)],
        };
    }

    private static DeribitPosition[] RandomDeribit(Random random) => [.. Enumerable.Range(0, 10).Select(i =>
    {
        double years = (1 + random.Next(4)) * 0.03;
        double size = random.Next(-20, 21) / 4.0;
        return random.Next(3) == 0
            ? new DeribitPosition($"future {i}", size, 60_000.0 * (1.0 + years * 0.05), years)
            : new DeribitPosition($"option {i}", size, 60_000.0 * (1.0 + years * 0.05), years, 1_000.0 * random.Next(30, 100), random.Next(2) == 0, 0.3 + random.NextDouble());
    })];

    private static T[] Shuffled<T>(IEnumerable<T> items, Random random)
    {
        T[] shuffled = [.. items];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static DeriveOption[] Split(IEnumerable<DeriveOption> options, Random random) => [.. options.SelectMany(option =>
    {
        double part = random.NextDouble();
        return new[] { option with { Amount = part * option.Amount }, option with { Amount = (1.0 - part) * option.Amount } };
    })];
}
