using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Expiries with a forward and no surface: priced from the surfaces around them, and moved, aged and lost with those. MARGIN_SURFACE_ROUNDS sets how many random ways are tried.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class NeighbourTests
{
    private const int Seed = 5_150;
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("MARGIN_SURFACE_ROUNDS"), out int rounds) ? rounds : 20;
    private static readonly ulong Early = Desk.At("2026-02-27T08:00:00Z"), Middle = Desk.Expiry, Late = Desk.At("2026-06-26T08:00:00Z");
    private static readonly GridNodes Front = GridNodes.Of((-0.3, 0.62), (0.0, 0.5), (0.3, 0.58));
    private static readonly SviSlice Back = new(0.10, 0.05, -0.2, 0.0, 0.3);

    private static Desk Opened(out uint middle, Func<ModelDocument, ModelDocument>? model = null)
    {
        Desk desk = new(model: model);
        foreach (ulong expiry in new[] { Early, Late })
        {
            desk.Option(OptionRight.Call, 70_000m, expiry: expiry);
            desk.Forward(64_000m, expiry);
        }

        middle = desk.Option(OptionRight.Call, 70_000m, expiry: Middle);
        desk.Forward(64_500m, Middle);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 100_000m);
        desk.Fill(1, middle, -10, 0.03m);
        return desk;
    }

    private static double Years(ulong expiry, Desk desk) => ((long)expiry - desk.Now) / MarketState.NanosPerYear;

    private static PositionReport Position(Desk desk) => desk.Report(1).Units[0].Positions[0];

    private static void AssertPricedAt(Desk desk, uint option, double volatility)
    {
        PositionReport byNeighbours = Position(desk);
        Assert.That(byNeighbours.IsPriced, Is.True);
        desk.Volatility(option, (decimal)Math.Round(volatility, 8));
        Assert.That(Position(desk).Value, Is.EqualTo(byNeighbours.Value).Within(20_000), "2e-6 coin: the volatility in 1e-8");
        Assert.That(Position(desk).Value, Is.Not.Zero);
    }

    [Test]
    public void Between_two_surfaces_total_variance_is_linear_in_time_at_the_options_own_log_moneyness()
    {
        using Desk desk = Opened(out uint option);
        desk.Grid(Front, Early, OriginFlags.None);
        desk.Slice(Back, Late);
        double k = Math.Log(70_000.0 / 64_500.0), years = Years(Middle, desk);
        double before = Front.View.YearlyVariance(k) * Years(Early, desk), after = Back.TotalVariance(k);
        double share = (years - Years(Early, desk)) / (Years(Late, desk) - Years(Early, desk));
        AssertPricedAt(desk, option, Math.Sqrt((before + (share * (after - before))) / years));
    }

    [Test]
    public void With_a_surface_on_one_side_only_its_volatility_is_kept()
    {
        double k = Math.Log(70_000.0 / 64_500.0);
        using (Desk desk = Opened(out uint option))
        {
            desk.Grid(Front, Early);
            AssertPricedAt(desk, option, Math.Sqrt(Front.View.YearlyVariance(k)));
        }

        using (Desk desk = Opened(out uint option))
        {
            desk.Slice(Back, Late);
            AssertPricedAt(desk, option, Math.Sqrt(Back.TotalVariance(k) / Years(Late, desk)));
        }
    }

    [Test]
    public void Without_any_surface_the_option_is_unpriced_and_the_first_one_prices_it()
    {
        using Desk desk = Opened(out _);
        Assert.That((Position(desk).IsPriced, desk.Report(1).Margin.Flags & MarginFlags.Unpriced), Is.EqualTo((false, MarginFlags.Unpriced)));
        desk.Clear();
        desk.Grid(Front, Late);
        Assert.That((Position(desk).IsPriced, desk.Report(1).Margin.Flags & MarginFlags.Unpriced), Is.EqualTo((true, default(MarginFlags))));
        Assert.That(desk.Of(MarginUpdateDecoder.TemplateId), Is.Not.Empty, "and its holder hears of it");
    }

    [Test]
    public void A_nearer_surface_takes_over_and_one_beyond_it_no_longer_counts()
    {
        using Desk desk = Opened(out _);
        ulong beyond = Desk.At("2026-09-25T08:00:00Z");
        desk.Option(OptionRight.Call, 70_000m, expiry: beyond);
        desk.Grid(Front, beyond);
        long far = Position(desk).Value;
        desk.Slice(Back, Late);
        long near = Position(desk).Value;
        Assert.That(near, Is.Not.EqualTo(far));
        desk.Clear();
        desk.Grid(GridNodes.Of((-0.3, 0.8), (0.3, 0.8)), beyond);
        Assert.That((Position(desk).Value, desk.HasRejected), Is.EqualTo((near, false)));
        Assert.That(desk.Of(MarginUpdateDecoder.TemplateId), Is.Empty, "nobody holds anything it prices");
    }

    [Test]
    public void Staleness_follows_the_older_neighbour()
    {
        using Desk desk = Opened(out _, model => model.With("timing.staleVolatilitySeconds", 60).With("timing.stalePriceSeconds", 6_000));
        desk.Grid(Front, Early, OriginFlags.None);
        desk.Slice(Back, Late);
        MarginFlags Stale() => desk.Report(1).Margin.Flags & MarginFlags.StaleVolatility;
        for (int step = 0; step < 3; step++)
        {
            Assert.That(Stale(), Is.EqualTo(default(MarginFlags)), $"step {step}");
            desk.Now += 40 * Desk.Second;
            desk.Time((ulong)desk.Now);
            desk.Grid(Front, Early);
            if (step == 0)
                desk.Slice(Back, Late);
        }

        Assert.That(Stale(), Is.EqualTo(MarginFlags.StaleVolatility), "the late slice is 80 s old, the early grid is new");
    }

    [Test]
    public void A_settled_neighbour_prices_nothing_any_more()
    {
        using Desk desk = Opened(out uint option);
        desk.Grid(Front, Early, OriginFlags.None);
        desk.Slice(Back, Late);
        long between = Position(desk).Value;
        desk.Settle(64_000m, Early);
        Assert.That(Position(desk).Value, Is.Not.EqualTo(between));
        AssertPricedAt(desk, option, Math.Sqrt(Back.TotalVariance(Math.Log(70_000.0 / 64_500.0)) / Years(Late, desk)));
    }

    [Test]
    public void Whatever_the_way_to_a_surface_the_prices_are_those_of_its_last_state()
    {
        for (int round = 0; round < Rounds; round++)
        {
            PricingRandom random = new(Seed + round);
            using Desk desk = Five(out ulong[] expiries);
            var last = new Dictionary<ulong, byte[]>();
            for (int step = 0; step < 25; step++)
            {
                List<(ulong Expiry, byte[] Message, ulong Sequence)> sent = Send(desk, random, expiries);
                HashSet<ulong> refused = [.. desk.Of(RejectDecoder.TemplateId).Select(SequenceOf)];
                foreach ((ulong expiry, byte[] message, ulong sequence) in sent)
                {
                    if (!refused.Contains(sequence))
                        last[expiry] = message;
                }

                desk.Clear();
                AssertLikeFresh(desk, last, $"seed {Seed + round}, step {step}");
            }
        }
    }

    private static ulong SequenceOf(byte[] message)
    {
        RejectDecoder.TryWrap(message, out RejectDecoder reject);
        return reject.SourceSequence;
    }

    private static Desk Five(out ulong[] expiries)
    {
        Desk desk = new();
        expiries = [.. Enumerable.Range(0, 5).Select(month => Desk.At($"2026-0{3 + month}-27T08:00:00Z"))];
        desk.Open(1);

        // Not in the order of time.
        foreach (int index in new[] { 3, 0, 4, 2, 1 })
        {
            uint option = desk.Option(OptionRight.Put, 60_000m, expiry: expiries[index]);
            desk.Forward(64_000m + (index * 200), expiries[index]);
            desk.Fill(1, option, -10, 0.03m);
        }

        return desk;
    }

    // One event: some of the expiries, never the second, in either form; some events cross what stands and are partly taken back.
    private static List<(ulong, byte[], ulong)> Send(Desk desk, PricingRandom random, ulong[] expiries)
    {
        List<(ulong, byte[], ulong)> sent = [];
        Ssvi surface = new(random);
        double level = random.LogBetween(0.3, 0.6);
        for (int index = 0; index < expiries.Length; index++)
        {
            if (index == 1 || random.Between(0.0, 1.0) < 0.6)
                continue;
            double years = Years(expiries[index], desk);
            SviSlice slice = surface.Slice(level * level * years);
            if (random.Between(0.0, 1.0) < 0.5)
                desk.Slice(slice, expiries[index], OriginFlags.None);
            else
                desk.Grid(GridNodes.Of(slice, years, Enumerable.Range(-15, 31).Select(node => node * 0.04)), expiries[index], OriginFlags.None);
            byte[] message = desk.Applied[^1].Message;
            sent.Add((expiries[index], message, BitConverter.ToUInt64(message, 8)));
        }

        // Ends the event, and reading the report prices everything on the way.
        desk.Index(64_000m);
        return sent;
    }

    private static void AssertLikeFresh(Desk desk, Dictionary<ulong, byte[]> last, string what)
    {
        using Desk fresh = Five(out _);
        foreach (byte[] message in last.Values)
        {
            byte[] copy = [.. message];
            BitConverter.TryWriteBytes(copy.AsSpan(8), fresh.NextOrigin());
            fresh.Apply(copy);
        }

        fresh.Index(64_000m);
        Assert.That(fresh.HasRejected, Is.False, what);
        SurfaceTests.AssertSamePositions(desk.Report(1), fresh.Report(1), what);
    }
}
