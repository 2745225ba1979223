using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// What every reference must keep on books that no venue published: margin does not depend on the order of positions nor on splitting one, grows in
/// proportion with the book where nothing is a threshold, and initial is never less than maintenance. Books are random from a printed seed.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ReferencePropertyTests
{
    private const int Books = 60;
    private const decimal Within = 1e-9m;

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
            decimal scale = Within * (1e3m + account.Options.Sum(option => Math.Abs(option.Amount) * account.Spot));
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
                DeribitResult margin = DeribitPortfolioMargin.Margin(positions, 60_000m, parameters);
                DeribitResult shuffled = DeribitPortfolioMargin.Margin(Shuffled(positions, random), 60_000m, parameters);
                DeribitPosition[] halves = [.. positions.SelectMany(position => new[] { position with { Size = 0.25m * position.Size }, position with { Size = 0.75m * position.Size } })];
                string name = $"seed {seed} book {book}: {string.Join("; ", (object[])positions)}";
                Assert.Multiple(() =>
                {
                    Assert.That(shuffled.Initial, Is.EqualTo(margin.Initial).Within(1e-10m), name);
                    Assert.That(DeribitPortfolioMargin.Margin(halves, 60_000m, parameters).Initial, Is.EqualTo(margin.Initial).Within(1e-10m), name);
                    Assert.That(margin.Initial, Is.GreaterThanOrEqualTo(margin.Maintenance), name);
                    Assert.That(margin.WorstCase, Is.GreaterThanOrEqualTo(0m), name);
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
                (SpanContract, decimal)[] positions = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ =>
                    (file.Contracts[random.Next(file.Contracts.Count)], random.Next(-20, 21)))];
                (SpanContract Contract, decimal Number)[] doubled = [.. positions.Concat(Shuffled(positions, random))];
                decimal once = SpanReference.Margin(file, positions).Sum(requirement => requirement.Total);
                decimal twice = SpanReference.Margin(file, doubled).Sum(requirement => requirement.Total);
                string name = $"{file.Name} book {book}: {string.Join("; ", positions.Select(position => $"{position.Item2} {position.Item1.Name}"))}";
                Assert.That(twice, Is.EqualTo(2m * once).Within(1e-6m * (1m + once)), name);
            }
        }
    }

    private static DeriveAccount RandomDerive(Random random)
    {
        decimal spot = 2_000m + 2_000m * (decimal)random.NextDouble();
        DeriveExpiry[] expiries = [.. Enumerable.Range(1, 3).Select(i => new DeriveExpiry(
            86_400m * i * (1 + random.Next(60)), 0m, spot * (1m + 0.02m * (decimal)random.NextDouble()), 0.2m * (decimal)random.NextDouble() - 0.05m, 0.4m + 0.6m * (decimal)random.NextDouble()))];
        return new DeriveAccount
        {
            Spot = spot,
            Stable = 0.95m + 0.1m * (decimal)random.NextDouble(),
            Cash = 1_000m * (decimal)random.NextDouble(),
            Perpetuals = random.Next(-5, 6),
            PerpetualPrice = spot,
            Expiries = [.. expiries.DistinctBy(expiry => expiry.Seconds)],
            Options = [.. Enumerable.Range(0, 12).Select(_ => new DeriveOption(
                expiries[random.Next(expiries.Length)].Seconds, 100m * Math.Round(spot * (0.5m + (decimal)random.NextDouble()) / 100m), random.Next(2) == 0, random.Next(-9, 10), 0.4m + (decimal)random.NextDouble()))],
            Collaterals = [new DeriveCollateral((decimal)random.NextDouble(), spot, 1m, random.Next(2) == 0, 0.05m, 0.02m)],
        };
    }

    private static DeribitPosition[] RandomDeribit(Random random) => [.. Enumerable.Range(0, 10).Select(i =>
    {
        decimal years = (1 + random.Next(4)) * 0.03m;
        decimal size = random.Next(-20, 21) / 4m;
        return random.Next(3) == 0
            ? new DeribitPosition($"future {i}", size, 60_000m * (1m + years * 0.05m), years)
            : new DeribitPosition($"option {i}", size, 60_000m * (1m + years * 0.05m), years, 1_000m * random.Next(30, 100), random.Next(2) == 0, 0.3m + (decimal)random.NextDouble());
    })];

    private static T[] Shuffled<T>(IEnumerable<T> items, Random random)
    {
        T[] shuffled = [.. items];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static DeriveOption[] Split(IEnumerable<DeriveOption> options, Random random) => [.. options.SelectMany(option =>
    {
        decimal part = (decimal)random.NextDouble();
        return new[] { option with { Amount = part * option.Amount }, option with { Amount = (1m - part) * option.Amount } };
    })];
}
