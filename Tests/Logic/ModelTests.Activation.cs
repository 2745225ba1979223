using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;
using Field = MarginEngine.Codecs.MarginModelPartDecoder.FieldIds;

namespace MarginEngine.Tests.LogicTests;

/// <content>Versions that wait for a sequence, what they would ask meanwhile, and models side by side.</content>
internal sealed partial class ModelTests
{
    private static readonly ModelDocument Strict = TestModels.Matrix.With("requirement.maintenanceFactor", 1m);

    [Test]
    public void A_version_counts_from_its_sequence_on_for_every_account_of_the_model()
    {
        using Desk desk = Opened();
        desk.Model(Strict, id: 2);
        desk.Configure(3, model: 2);
        long[] before = Maintenance(desk);
        ulong activation = (ulong)desk.Machine.LastSequence + 4;
        desk.Model(Strict.WithVersion(2), activation: activation);
        Assert.That(desk.HasRejected, Is.False);
        while ((ulong)desk.Machine.LastSequence + 1 < activation)
        {
            desk.Time((ulong)desk.Now);
            Assert.That((Versions(desk), Maintenance(desk)), Is.EqualTo((new uint[] { 1, 1, 1 }, before)), $"sequence {desk.Machine.LastSequence} of {activation}");
        }

        desk.Clear();
        desk.Time((ulong)desk.Now);
        Assert.That((ulong)desk.Machine.LastSequence, Is.EqualTo(activation));
        Assert.That(Versions(desk), Is.EqualTo(new uint[] { 2, 2, 1 }), "account 3 has another model");
        Assert.That(Maintenance(desk)[0], Is.GreaterThan(before[0]));
        Assert.That(Maintenance(desk)[1], Is.GreaterThan(before[1]));
        Assert.That(Maintenance(desk)[2], Is.EqualTo(before[2]));
        Assert.That(Updated(desk), Is.EqualTo(new[] { (1UL, 2u), (2UL, 2u) }), "those it concerns are told");
    }

    [Test]
    public void A_sequence_that_has_passed_and_a_model_that_is_not_there_cannot_wait()
    {
        using Desk desk = Opened();
        desk.Part(Nothing, activation: (ulong)desk.Machine.LastSequence + 1);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.OutOfRange, Field.Activation)), "its own sequence");
        desk.Clear();
        desk.Part(Nothing, activation: 1);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.OutOfRange, Field.Activation)));
        desk.Clear();
        desk.Part(Nothing, id: 3, activation: 1_000);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.UnknownModel, Field.Activation)));
        Assert.That(Versions(desk), Is.EqualTo(new uint[] { 1, 1, 1 }));
    }

    [Test]
    public void A_waiting_version_gives_way_to_a_newer_one_and_not_to_an_older_one()
    {
        using Desk desk = Opened();
        ulong late = (ulong)desk.Machine.LastSequence + 20, soon = (ulong)desk.Machine.LastSequence + 10;
        desk.Model(Strict.WithVersion(2), activation: late);
        desk.Model(Strict.WithVersion(4), activation: soon);
        Assert.That(desk.HasRejected, Is.False);
        desk.Model(Strict.WithVersion(3), activation: soon);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Inconsistent, Field.ModelVersion)));
        PassTo(desk, soon - 1);
        Assert.That(Versions(desk), Is.EqualTo(new uint[] { 1, 1, 1 }));
        PassTo(desk, soon);
        Assert.That(Versions(desk), Is.EqualTo(new uint[] { 4, 4, 4 }));
        PassTo(desk, late + 1);
        Assert.That(Versions(desk), Is.EqualTo(new uint[] { 4, 4, 4 }));
    }

    [Test]
    public void A_waiting_version_is_dropped_where_a_newer_one_went_ahead()
    {
        using Desk desk = Opened();
        ulong activation = (ulong)desk.Machine.LastSequence + 10;
        desk.Model(Strict.WithVersion(2), activation: activation);
        desk.Model(TestModels.Matrix.WithVersion(3));
        long[] before = Maintenance(desk);
        PassTo(desk, activation + 1);
        Assert.That((Versions(desk), Maintenance(desk)), Is.EqualTo((new uint[] { 3, 3, 3 }, before)));
        for (ushort id = 2; id <= 4; id++)
        {
            desk.Model(TestModels.Matrix, id);
        }

        Assert.That(desk.HasRejected, Is.False, "its slot is free again");
    }

    [Test]
    public void Slots_do_not_run_out_however_often_versions_wait_and_count()
    {
        using Desk desk = Opened();
        for (uint version = 2; version < 40; version++)
        {
            ulong activation = (ulong)desk.Machine.LastSequence + 3;
            desk.Model((version % 2 == 0 ? Strict : TestModels.Matrix).WithVersion(version), activation: activation);
            PassTo(desk, activation);
            Assert.That((desk.HasRejected, Versions(desk)), Is.EqualTo((false, new[] { version, version, version })));
        }
    }

    [Test]
    public void A_class_follows_its_model_to_the_version_that_began_to_count()
    {
        using Desk desk = Opened();
        desk.Class(5);
        ulong activation = (ulong)desk.Machine.LastSequence + 2;
        desk.Model(Strict.WithVersion(2), activation: activation);
        PassTo(desk, activation);
        desk.Model(TestModels.Matrix, id: 2);
        desk.OpenSub(9, classId: 5);
        Assert.That(desk.HasRejected, Is.False);
        Assert.That((desk.Report(9).Model, desk.Report(9).ModelVersion), Is.EqualTo(("matrix", 2u)), "neither the old version nor what took its slot");
    }

    [Test]
    public void A_replay_with_a_version_that_still_waits_is_the_same_to_the_bit()
    {
        using Desk desk = Desk.Lively(seed: 4, ticks: 200);
        ulong activation = (ulong)desk.Machine.LastSequence + 40;
        desk.Model(Strict.WithVersion(2), activation: activation, isCompared: true);
        desk.Model(Strict.WithVersion(3), activation: activation + 1_000_000, isCompared: true);
        desk.Part([(Factor, Fixed.One)], version: 9, part: 1, parts: 2);
        for (int beat = 0; beat < 60; beat++)
        {
            desk.Now += Desk.Second / 10;
            desk.Index(64_000 + beat);
        }

        using Desk replay = new(withMarket: false);
        foreach ((long time, byte[] message) in desk.Applied)
        {
            replay.Now = time;
            replay.Apply(message);
        }

        Assert.That(desk.Of(ModelComparisonDecoder.TemplateId), Is.Not.Empty);
        Assert.That(
            (replay.Machine.DecisionCount, replay.Machine.DecisionDigest, replay.Machine.StateDigest()),
            Is.EqualTo((desk.Machine.DecisionCount, desk.Machine.DecisionDigest, desk.Machine.StateDigest())));
        ulong waiting = desk.Machine.StateDigest();
        using Desk without = Desk.Lively(seed: 4, ticks: 200);
        Assert.That(without.Machine.StateDigest(), Is.Not.EqualTo(waiting));
    }

    private static IReadOnlyList<string> Shipped => ModelDocument.ShippedNames;

    [TestCaseSource(nameof(Shipped))]
    public void While_a_version_waits_both_figures_of_each_account_are_told_and_come_true(string name)
    {
        using Desk desk = Desk.Lively(seed: 6, ticks: 100);
        desk.Order(1, 1, 500, 63_000, order: 1);
        desk.Operator(Command.Halt);
        ulong activation = (ulong)desk.Machine.LastSequence + 40;
        desk.Model(ModelDocument.Shipped(name).WithVersion(5), activation: activation, isCompared: true);
        desk.Clear();
        desk.Now += 2 * Desk.Second;
        for (int slice = 0; slice < 15; slice++)
            desk.Time((ulong)desk.Now);
        Dictionary<ulong, MarginReport> now = desk.Machine.AccountIds().ToDictionary(account => account, desk.Report);
        byte[][] heard = [.. desk.Of(ModelComparisonDecoder.TemplateId)];
        PassTo(desk, activation);
        Assert.That(desk.HasRejected, Is.False);
        int different = 0;
        foreach (byte[] message in heard)
        {
            ModelComparisonDecoder.TryWrap(message, out ModelComparisonDecoder told);
            AccountMargin old = now[told.AccountId].Margin, next = desk.Report(told.AccountId).Margin;
            Assert.That((told.ModelId, told.ModelVersion, told.NextVersion), Is.EqualTo(((ushort)1, 1u, 5u)));
            Assert.That(
                (told.Equity.Mantissa, told.InitialMargin.Mantissa, told.MaintenanceMargin.Mantissa, told.Ratio.Mantissa),
                Is.EqualTo((old.Equity, old.Initial, old.Maintenance, old.RatioE8)), $"account {told.AccountId} before");
            Assert.That(
                (told.NextEquity.Mantissa, told.NextInitialMargin.Mantissa, told.NextMaintenanceMargin.Mantissa, told.NextRatio.Mantissa),
                Is.EqualTo((next.Equity, next.Initial, next.Maintenance, next.RatioE8)), $"account {told.AccountId} after");
            different += old.Maintenance != next.Maintenance ? 1 : 0;
        }

        Assert.That(heard, Has.Length.EqualTo(21), "every account and the fund");
        Assert.That(different, Is.EqualTo(20));
    }

    [Test]
    public void A_version_that_waits_unasked_tells_nothing_and_one_that_counts_no_more()
    {
        using Desk desk = Desk.Lively(seed: 6, ticks: 10);
        ulong activation = (ulong)desk.Machine.LastSequence + 10;
        desk.Model(Strict.WithVersion(2), activation: activation);
        desk.Now += 2 * Desk.Second;
        desk.Time((ulong)desk.Now);
        Assert.That(desk.Of(ModelComparisonDecoder.TemplateId), Is.Empty);
        desk.Model(Strict.WithVersion(3), activation: activation + 5, isCompared: true);
        PassTo(desk, activation + 5);
        desk.Clear();
        desk.Now += 2 * Desk.Second;
        desk.Time((ulong)desk.Now);
        Assert.That(desk.Of(MarginUpdateDecoder.TemplateId), Is.Not.Empty);
        Assert.That(desk.Of(ModelComparisonDecoder.TemplateId), Is.Empty);
    }

    [TestCase("priceRange", 0.2, 0.25, 0.26)]
    [TestCase("priceRange", 0.2, 0.15, 0.14)]
    [TestCase("volatilityUp", 0.4, 0.5, 0.51)]
    [TestCase("volatilityDown", 0.4, 0.3, 0.29)]
    public void A_version_may_not_step_farther_than_the_one_in_force_allows(string parameter, double from, double near, double far)
    {
        string path = $"underlyings.BTC.{parameter}";
        using Desk desk = Opened();
        desk.Model(TestModels.Matrix.WithVersion(2).With("requirement.maximumStep", 0.25m).With(path, (decimal)from));
        Assert.That(desk.HasRejected, Is.False, "the first version had no bound");
        desk.Model(TestModels.Matrix.WithVersion(3).With(path, (decimal)far));
        (RejectCode code, ushort field, ulong expected) = desk.Rejected();
        Assert.That(
            (code, field, ParameterPlace.Unpack(expected).ToString()), Is.EqualTo((RejectCode.Inconsistent, Field.Parameters, $"underlyings.1.{parameter}")));
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(3).With(path, (decimal)near));
        Assert.That(desk.HasRejected, Is.False);
        desk.Model(TestModels.Matrix.WithVersion(4).With(path, (decimal)far));
        Assert.That(desk.HasRejected, Is.False, "the version in force has no bound any more");
    }

    [Test]
    public void Accounts_of_different_models_stand_side_by_side_and_move_from_one_to_another()
    {
        using Desk desk = Opened();
        Dictionary<string, AccountMargin> alone = [];
        foreach (string name in new[] { "paradex-pm", "hvar", "brackets" })
        {
            using Desk single = Opened();
            single.Model(ModelDocument.Shipped(name), id: 2);
            single.Configure(1, model: 2);
            alone[name] = single.Report(1).Margin;
        }

        AccountMargin matrix = desk.Report(1).Margin;
        desk.Model(ModelDocument.Shipped("paradex-pm"), id: 2);
        desk.Model(ModelDocument.Shipped("hvar"), id: 3);
        desk.Model(ModelDocument.Shipped("brackets"), id: 4);
        foreach ((ushort id, string name) in new[] { ((ushort)2, "paradex-pm"), ((ushort)3, "hvar"), ((ushort)4, "brackets"), ((ushort)2, "paradex-pm") })
        {
            desk.Configure(1, model: id);
            Assert.That((desk.Report(1).Model, desk.Report(1).Margin), Is.EqualTo((name, alone[name])));
            Assert.That(desk.Report(2).Model, Is.EqualTo("matrix"));
        }

        Assert.That(alone.Values.Append(matrix).Select(margin => margin.Maintenance).Distinct().Count(), Is.EqualTo(4));
        desk.Configure(1, model: 1);
        Assert.That(desk.Report(1).Margin, Is.EqualTo(matrix));
        desk.Clear();
        desk.Configure(1, model: 9);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.UnknownModel));
    }

    [Test]
    public void Parts_comparisons_and_an_activation_allocate_nothing()
    {
        // Once on another desk, so that nothing is there for the first time.
        using (Desk first = Desk.Lively(seed: 5, ticks: 200))
        {
            PlayAll(first, new Counter());
        }

        using Desk desk = Desk.Lively(seed: 5, ticks: 200);
        Counter sink = new();
        long allocated = PlayAll(desk, sink);
        Assert.That(desk.Report(1).ModelVersion, Is.EqualTo(5), "all four versions came to count");
        Assert.That(sink.Comparisons, Is.GreaterThan(100));
        Assert.That(allocated, Is.Zero);
    }

    // Bytes allocated while four versions came, were compared and counted.
    private static long PlayAll(Desk desk, Counter sink)
    {
        byte[][] ticks = [.. desk.Applied.TakeLast(400).Select(applied => applied.Message)];
        byte[][][] versions =
        [
            .. new[] { "hvar", "derive-pmrm2", "matrix", "span" }.Select((name, index) =>
                PartsOf((name == "matrix" ? Strict : ModelDocument.Shipped(name)).WithVersion((uint)index + 2), pieces: 3)),
        ];
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        foreach (byte[][] parts in versions)
        {
            Play(desk, sink, ticks, parts, 2_000);
        }

        return GC.GetAllocatedBytesForCurrentThread() - allocated;
    }

    // Ticks, the parts of a version that waits compared, ticks until it counts, ticks.
    private static void Play(Desk desk, Counter sink, byte[][] ticks, byte[][] parts, int count)
    {
        ulong activation = (ulong)(desk.Machine.LastSequence + (count / 2));
        int quarter = count / 4;
        for (int index = 0; index < count; index++)
        {
            bool isPart = index >= quarter && index < quarter + parts.Length;
            byte[] message = isPart ? parts[index - quarter] : ticks[index % ticks.Length];
            if (isPart)
            {
                MarkCompared(message, activation);
            }

            BitConverter.TryWriteBytes(message.AsSpan(8), desk.Machine.LastSourceSequence(desk.Source) + 1);
            desk.Now += 20_000_000;
            desk.Machine.Apply(desk.Machine.LastSequence + 1, desk.Now, message, sink);
        }
    }

    private static void MarkCompared(byte[] message, ulong activation)
    {
        // Behind the header, the origin, the ids of model and version, part and parts: all of fixed size.
        int place = MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength + sizeof(ushort) + sizeof(uint) + sizeof(ushort) + sizeof(ushort);
        BitConverter.TryWriteBytes(message.AsSpan(place), activation);
        message[place + 8] = 1;
    }

    private sealed class Counter : IDecisionSink
    {
        public long Comparisons { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            ushort template = BitConverter.ToUInt16(message[2..]);
            Comparisons += template == ModelComparisonDecoder.TemplateId ? 1 : 0;
        }
    }

    private static void PassTo(Desk desk, ulong sequence)
    {
        while ((ulong)desk.Machine.LastSequence < sequence)
        {
            desk.Time((ulong)desk.Now);
        }
    }

    private static uint[] Versions(Desk desk) => [.. new ulong[] { 1, 2, 3 }.Select(account => desk.Report(account).ModelVersion)];

    private static long[] Maintenance(Desk desk) => [.. new ulong[] { 1, 2, 3 }.Select(account => desk.Report(account).Margin.Maintenance)];

    private static (ulong, uint)[] Updated(Desk desk) =>
        [.. desk.Of(MarginUpdateDecoder.TemplateId).Select(message =>
        {
            MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update);
            return (update.AccountId, update.ModelVersion);
        })];
}
