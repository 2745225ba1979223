using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Slices and grids on their way into the book: what is refused names its field, and the last good surface stands.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SurfaceTests
{
    private const int Seed = 20_266;
    private const ushort ExpiryField = 3, LevelField = 4, NodesField = 100, MoneynessField = 101, VolatilityField = 102;
    private static readonly ulong Late = Desk.At("2026-06-26T08:00:00Z");
    private static readonly GridNodes Front = GridNodes.Of((-0.3, 0.62), (0.0, 0.5), (0.3, 0.58));
    private static readonly GridNodes Back = GridNodes.Of((-0.5, 0.64), (0.0, 0.52), (0.5, 0.6));
    private static readonly SviSlice Vogt = new(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153);

    /// <summary>An account short one option in each of two expiries, both priced by grids.</summary>
    private static Desk TwoExpiries()
    {
        Desk desk = new();
        uint front = desk.Option(OptionRight.Call, 70_000m), back = desk.Option(OptionRight.Put, 50_000m, expiry: Late);
        desk.Forward(64_500m);
        desk.Forward(65_500m, Late);
        desk.Grid(Front, flags: OriginFlags.None);
        desk.Grid(Back, Late);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 100_000m);
        desk.Fill(1, front, -10, 0.03m);
        desk.Fill(1, back, -10, 0.03m);
        Assert.That(desk.HasRejected, Is.False);
        desk.Clear();
        return desk;
    }

    private static readonly (string Name, Action<Desk> Send, RejectCode Code, ushort Field)[] Bad =
    [
        ("grid of one node", desk => desk.Grid(GridNodes.Of((0.0, 0.5))), RejectCode.OutOfRange, NodesField),
        ("grid of 65 nodes", desk => desk.Grid(GridNodes.Of([.. Enumerable.Range(0, 65).Select(node => (node * 0.01, 0.5))])), RejectCode.OutOfRange, NodesField),
        ("node without volatility", desk => desk.Grid(GridNodes.Of((0.0, 0.5), (0.1, 0.0))), RejectCode.OutOfRange, VolatilityField),
        ("node of 5001 %", desk => desk.Grid(GridNodes.Of((0.0, 0.5), (0.1, 50.01))), RejectCode.OutOfRange, VolatilityField),
        ("nodes out of order", desk => desk.Grid(GridNodes.Of((0.0, 0.5), (-0.1, 0.5))), RejectCode.Arbitrage, MoneynessField),
        ("a hump", desk => desk.Grid(GridNodes.Of((-0.1, 0.5), (0.0, 0.6), (0.1, 0.5))), RejectCode.Arbitrage, VolatilityField),
        ("a steep wing", desk => desk.Grid(GridNodes.Of((-0.1, 0.5), (0.0, 0.5), (0.01, 2.0))), RejectCode.Arbitrage, VolatilityField),
        ("Vogt's smile as a slice", desk => desk.Slice(Vogt), RejectCode.Arbitrage, LevelField),
        ("Vogt's smile as a grid", desk => desk.Grid(VogtGrid()), RejectCode.Arbitrage, VolatilityField),
        ("a front grid above the back grid", desk => desk.Grid(GridNodes.Of((-0.3, 1.0), (0.0, 0.9), (0.3, 1.0))), RejectCode.Arbitrage, ExpiryField),
        ("a front slice above the back grid", desk => desk.Slice(0.30m, 0.05m, 0, 0, 0.2m), RejectCode.Arbitrage, ExpiryField),
        ("a back grid below the front grid", desk => desk.Grid(GridNodes.Of((-0.5, 0.3), (0.0, 0.3), (0.5, 0.3)), Late), RejectCode.Arbitrage, ExpiryField),
        ("a back slice below the front grid", desk => desk.Slice(0.01m, 0.01m, 0, 0, 0.2m, Late), RejectCode.Arbitrage, ExpiryField),
        ("a grid of an unknown expiry", desk => desk.Grid(Front, Late + 1_000_000_000), RejectCode.UnknownInstrument, ExpiryField),
    ];

    [TestCaseSource(nameof(Bad))]
    public void A_bad_surface_is_refused_and_the_last_good_one_stands((string Name, Action<Desk> Send, RejectCode Code, ushort Field) bad)
    {
        using Desk desk = TwoExpiries();
        MarginReport before = desk.Report(1);
        bad.Send(desk);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((bad.Code, bad.Field)), bad.Name);
        AssertSamePositions(desk.Report(1), before, bad.Name);
        desk.Clear();

        // A message that is malformed in itself has not used its number up.
        desk.SkipOrigin(desk.Machine.LastSourceSequence(desk.Source));
        desk.Grid(Front, flags: OriginFlags.None);
        desk.Grid(Back, Late);
        Assert.That(desk.HasRejected, Is.False, "what was good still is");
        AssertSamePositions(desk.Report(1), before, bad.Name);
    }

    [Test]
    public void A_grid_prices_an_option_at_a_node_like_its_mark_volatility()
    {
        using Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 60_000m);
        desk.Forward(60_000m);
        desk.Open(1);
        desk.Fill(1, call, -10, 0.03m);
        desk.Grid(Front);
        MarginReport byGrid = desk.Report(1);
        desk.Volatility(call, 0.5m);
        AssertSamePositions(desk.Report(1), byGrid, "mark volatility");
    }

    [Test]
    public void The_newest_of_slice_and_grid_counts()
    {
        using Desk desk = TwoExpiries();
        long Value() => desk.Report(1).Units[0].Positions[0].Value;
        long byGrid = Value();
        desk.Slice(0.04m, 0.02m, -0.1m, 0, 0.3m);
        long bySlice = Value();
        Assert.That(bySlice, Is.Not.EqualTo(byGrid));
        desk.Grid(Front);
        Assert.That(Value(), Is.EqualTo(byGrid));
        desk.Slice(0.04m, 0.02m, -0.1m, 0, 0.3m, flags: OriginFlags.None);
        desk.Grid(Front);
        Assert.That(Value(), Is.EqualTo(byGrid), "two in one event");
        desk.Grid(Front, flags: OriginFlags.None);
        desk.Slice(0.04m, 0.02m, -0.1m, 0, 0.3m);
        Assert.That(Value(), Is.EqualTo(bySlice));
        Assert.That(desk.HasRejected, Is.False);
    }

    [Test]
    public void A_surface_of_grids_that_rises_as_a_whole_is_taken_and_a_front_that_rises_alone_is_not()
    {
        using Desk desk = TwoExpiries();
        GridNodes high = GridNodes.Of((-0.3, 1.5), (0.0, 1.4), (0.3, 1.5));
        desk.Grid(high, flags: OriginFlags.None);
        desk.Grid(high, Late);
        Assert.That(desk.HasRejected, Is.False, "the front alone would cross the old back");
        desk.Grid(GridNodes.Of((-0.3, 3.0), (0.3, 3.0)));
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Arbitrage, ExpiryField)));
    }

    [Test]
    public void Grids_beyond_the_capacity_are_refused_and_room_comes_back_when_they_go()
    {
        using Desk desk = new(Limits.Small with { Grids = 2 });
        ulong[] expiries = [Desk.Expiry, Late, Desk.At("2026-09-25T08:00:00Z")];
        foreach (ulong expiry in expiries)
            desk.Option(OptionRight.Call, 64_000m, expiry: expiry);
        for (int round = 0; round < 5; round++)
            desk.Grid(Front);
        desk.Grid(Front, Late);
        Assert.That(desk.HasRejected, Is.False, "a grid that is replaced gives its room back");
        desk.Grid(Front, expiries[2]);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Capacity));
        desk.Clear();
        desk.Settle(64_000m, Late);
        desk.Grid(Front, expiries[2]);
        Assert.That(desk.HasRejected, Is.False, "a settled expiry gives its room back");
        desk.Slice(0.03m, 0.02m, 0, 0, 0.3m);
        desk.Grid(Front, Desk.Expiry);
        Assert.That(desk.HasRejected, Is.False, "a slice in place of a grid gives its room back");
    }

    [Test]
    public void Ten_thousand_random_arbitrage_free_surfaces_are_taken_as_slices_as_grids_and_mixed()
    {
        using Desk desk = new();
        ulong[] expiries = [Desk.At("2026-02-13T08:00:00Z"), Desk.Expiry, Late];
        foreach (ulong expiry in expiries)
            desk.Option(OptionRight.Call, 64_000m, expiry: expiry);
        PricingRandom random = new(Seed);
        int[] taken = new int[3];
        for (int draw = 0; draw < 10_000; draw++)
        {
            desk.Now += 1_000_000;
            desk.Applied.Clear();
            SendSurface(desk, random, expiries, form: draw % 3);
            Assert.That(desk.HasRejected, Is.False, () => $"surface {draw}, form {draw % 3}, seed {Seed}: {desk.Rejected()}");
            taken[draw % 3]++;
            desk.Clear();
        }

        TestContext.Out.WriteLine($"taken: {taken[0]} of grids, {taken[1]} of slices, {taken[2]} of both");
        Assert.That(desk.Machine.RejectCount, Is.Zero);
    }

    // Half of the surfaces have nodes common to all expiries, half have each its own, with as many nodes as keep chords nearer to the smile than
    // the expiries are to each other.
    private static void SendSurface(Desk desk, PricingRandom random, ulong[] expiries, int form)
    {
        Ssvi surface = new(random);
        bool isShared = random.Between(0.0, 1.0) < 0.5;
        double theta = random.LogBetween(1e-4, 0.3), reach = random.Between(0.5, 5.0);
        double[] shared = At(random, theta, reach);
        for (int index = 0; index < expiries.Length; index++)
        {
            OriginFlags flags = index == expiries.Length - 1 ? OriginFlags.EndOfEvent : OriginFlags.None;
            SviSlice slice = surface.Slice(theta);
            double years = ((long)expiries[index] - desk.Now) / MarketState.NanosPerYear;
            bool isGrid = form == 0 || (form == 2 && random.Between(0.0, 1.0) < 0.5);
            if (isGrid)
                desk.Grid(GridNodes.Of(slice, years, isShared && form == 0 ? shared : At(random, theta, reach)), expiries[index], flags);
            else
                desk.Slice(slice, expiries[index], flags);
            theta *= isShared && form == 0 ? random.Between(1.0, 1.5) : random.Between(1.3, 2.5);
        }
    }

    private static double[] At(PricingRandom random, double theta, double reach)
    {
        int count = (int)random.Between(24, 65);
        return [.. Enumerable.Range(0, count).Select(node => reach * Math.Sqrt(theta) * ((2.0 * node / (count - 1)) - 1.0))];
    }

    private static GridNodes VogtGrid() => GridNodes.Of(Vogt, 0.14, Enumerable.Range(0, 61).Select(node => -1.5 + (node * 0.05)));

    internal static void AssertSamePositions(MarginReport actual, MarginReport expected, string what)
    {
        PositionReport[] left = [.. actual.Units.SelectMany(unit => unit.Positions)], right = [.. expected.Units.SelectMany(unit => unit.Positions)];
        Assert.That(left.Select(position => (position.InstrumentId, position.IsPriced, position.Value)),
            Is.EqualTo(right.Select(position => (position.InstrumentId, position.IsPriced, position.Value))), what);
        Assert.That(left.SelectMany(position => position.RowProfits), Is.EqualTo(right.SelectMany(position => position.RowProfits)), what);
        Assert.That(actual.Margin.Initial, Is.EqualTo(expected.Margin.Initial), what);
    }
}
