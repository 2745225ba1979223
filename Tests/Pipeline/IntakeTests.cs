// What the gateway lets in, what it refuses with which code and field, and that a refusal changes nothing.
using System.Buffers.Binary;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class IntakeTests
{
    private const ushort Source = 7;
    private const int Longest = 4096;

    private static IEnumerable<TestCaseData> BadInput()
    {
        yield return Bad("An_empty_frame", [], RejectCode.Malformed, 0);
        yield return Bad("Half_a_header", Index(1)[..4], RejectCode.Malformed, 0);
        yield return Bad("A_header_without_a_body", Index(1)[..8], RejectCode.Malformed, 0);
        yield return Bad("A_trailing_byte", [.. Index(1), 0], RejectCode.Malformed, 0);
        yield return Bad("An_oversized_message", new byte[Longest + 1], RejectCode.TooLarge, 0);
        yield return Bad("An_unknown_template", With(Index(1), 2, 98), RejectCode.UnknownTemplate, 0);
        yield return Bad("Another_schema", With(Index(1), 4, 1), RejectCode.WrongSchema, 0);
        yield return Bad("A_block_that_is_too_short", With(Index(1), 0, 12), RejectCode.Malformed, 0);
        yield return Bad("A_decision_sent_as_input", Heartbeat(), RejectCode.UnknownTemplate, 0);
        yield return Bad("A_price_of_zero", Index(1, price: 0), RejectCode.OutOfRange, IndexPriceDecoder.FieldIds.Price);
        yield return Bad("A_negative_price", Index(1, price: -1), RejectCode.OutOfRange, IndexPriceDecoder.FieldIds.Price);
        yield return Bad("No_price", Index(1, price: long.MinValue), RejectCode.OutOfRange, IndexPriceDecoder.FieldIds.Price);
        yield return Bad("A_price_beyond_the_range", Index(1, price: long.MaxValue), RejectCode.OutOfRange, IndexPriceDecoder.FieldIds.Price);
        yield return Bad("A_volatility_of_zero", Volatility(1, 0), RejectCode.OutOfRange, MarkVolatilityDecoder.FieldIds.Volatility);
        yield return Bad("A_volatility_of_1000001_percent", Volatility(1, 1_000_001_000_000), RejectCode.OutOfRange, MarkVolatilityDecoder.FieldIds.Volatility);
        yield return Bad("A_quantity_of_zero", Fill(1, quantity: 0), RejectCode.OutOfRange, FillDecoder.FieldIds.Quantity);
        yield return Bad("A_side_that_is_none", Fill(1, side: (Side)9), RejectCode.OutOfRange, FillDecoder.FieldIds.Side);
        yield return Bad("Source_zero", Index(1, source: 0), RejectCode.OutOfRange, Frame.OriginField);
        yield return Bad("The_null_source", Index(1, source: ushort.MaxValue), RejectCode.OutOfRange, Frame.OriginField);
        yield return Bad("The_engines_own_source", Index(1, source: Intake.OwnSource), RejectCode.Unauthorised, Frame.OriginField);
        yield return Bad("Sequence_zero", Index(0), RejectCode.OutOfRange, Frame.OriginField);
        yield return Bad("A_gap", Index(3), RejectCode.SequenceGap, Frame.OriginField, 1);
    }

    [TestCaseSource(nameof(BadInput))]
    public void Bad_input_is_refused_by_code_and_field_and_changes_nothing(byte[] frame, RejectCode code, ushort field, ulong expected)
    {
        var door = new Door();
        Assert.That(door.Intake.TryTake(frame), Is.True);
        Assert.That(door.NextReject(), Is.EqualTo((code, field, expected)));
        Assert.That(door.Gauges.GatewayRejects[(int)code], Is.EqualTo(1));
        Assert.That(door.Gauges.Received.Value, Is.Zero);
        Assert.That(door.Input.TryPeek(out _), Is.False, "it reached the ring");
        Assert.That(door.Intake.TryTake(Index(1)), Is.True);
        Assert.That(door.NextInput().Bytes, Is.EqualTo(Index(1)), "the next good message of the source");
    }

    [TestCase(3, RejectCode.Duplicate, TestName = "The_last_one_again_is_a_duplicate")]
    [TestCase(2, RejectCode.OutOfOrder, TestName = "An_older_one_is_out_of_order")]
    [TestCase(5, RejectCode.SequenceGap, TestName = "A_later_one_leaves_a_gap")]
    public void The_sequence_of_a_source_is_one_more_than_the_last(int sequence, RejectCode code)
    {
        var door = new Door();
        for (int i = 1; i <= 3; i++)
            Assert.That(door.Intake.TryTake(Index(i)), Is.True);
        door.Intake.TryTake(Index(sequence));
        Assert.That(door.NextReject(), Is.EqualTo((code, Frame.OriginField, 4UL)));
        Assert.That(door.Gauges.Received.Value, Is.EqualTo(3));
    }

    [Test]
    public void Sources_are_numbered_apart()
    {
        var door = new Door();
        door.Intake.TryTake(Index(1, source: 1));
        door.Intake.TryTake(Index(1, source: 2));
        door.Intake.TryTake(Index(2, source: 1));
        Assert.That(door.Gauges.Received.Value, Is.EqualTo(3));
        Assert.That(door.Gauges.GatewayRejects.Total(), Is.Zero);
    }

    [Test]
    public void Every_truncation_of_every_message_is_refused()
    {
        foreach (byte[] message in Script.Messages(ticks: 40).DistinctBy(message => Frame.TemplateId(message)))
        {
            var door = new Door(rejectSlots: 8_192);
            for (int length = 0; length < message.Length; length++)
            {
                Assert.That(door.Intake.TryTake(message.AsSpan(0, length)), Is.True);
                Assert.That(door.Gauges.GatewayRejects.Total(), Is.EqualTo(length + 1), $"{Schema.NameOf(Frame.TemplateId(message))} cut at {length}");
            }

            Assert.That(door.Gauges.Received.Value, Is.Zero, Schema.NameOf(Frame.TemplateId(message)));
        }
    }

    [Test]
    public void Random_damage_is_refused_or_taken_and_what_is_taken_never_breaks_the_machine([Values(1, 2, 3, 4)] int seed)
    {
        var random = new Random(seed);
        List<byte[]> script = Script.Messages(ticks: 200, seed: seed);
        var door = new Door(rejectSlots: 16_384);
        using var machine = new MarginMachine(Limits.Small);
        var deaf = new Deaf();
        for (int i = 0; i < 3_000; i++)
        {
            byte[] frame = [.. script[random.Next(script.Count)]];
            if (frame.Length >= Frame.OriginEnd)
                BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(8), 1 + (ulong)door.Gauges.Received.Value);
            for (int flips = random.Next(4); flips > 0; flips--)
                frame[random.Next(2) == 0 ? random.Next(frame.Length) : random.Next(12)] ^= (byte)(1 << random.Next(8));
            if (random.Next(10) == 0)
                frame = frame[..random.Next(frame.Length)];
            Assert.That(door.Intake.TryTake(frame), Is.True, $"frame {i}, seed {seed}");
            while (door.Input.TryPeek(out SlotMessage input))
            {
                machine.Apply(input.Sequence, input.TimestampNanos, input.Bytes, deaf);
                Assert.That(machine.LastSourceSequence(Script.Source), Is.LessThanOrEqualTo((ulong)input.Sequence), $"frame {i}, seed {seed}");
                door.Input.Advance();
            }

            door.Input.Release();
        }

        Assert.That(door.Gauges.Received.Value, Is.GreaterThan(100));
        Assert.That(door.Gauges.GatewayRejects.Total(), Is.GreaterThan(100));
    }

    [Test]
    public void Stamps_rise_by_at_least_one_even_when_the_clock_stands_or_goes_back()
    {
        var door = new Door();
        door.Intake.TryTake(Index(1));
        door.Intake.TryTake(Index(2));
        door.Clock.WallNanos -= 5_000_000_000;
        door.Intake.TryTake(Index(3));
        door.Clock.WallNanos += 9_000_000_000;
        door.Intake.TryTake(Index(4));
        long[] stamps = [.. Enumerable.Range(0, 4).Select(_ => door.NextInput().TimestampNanos)];
        Assert.That(stamps[1] - stamps[0], Is.EqualTo(1));
        Assert.That(stamps[2] - stamps[1], Is.EqualTo(1));
        Assert.That(stamps[3], Is.EqualTo(door.Clock.WallNanos));
    }

    [Test]
    public void A_full_input_ring_holds_the_frame_and_takes_it_later()
    {
        var door = new Door(inputSlots: 64);
        int taken = 0;
        while (door.Intake.TryTake(Index(taken + 1)))
            taken++;
        Assert.That(taken, Is.EqualTo(64));
        Assert.That(door.Gauges.InputEvents[(int)NodeEvent.InputHeld], Is.EqualTo(1));
        Assert.That(door.Gauges.GatewayRejects.Total(), Is.Zero);
        door.NextInput();
        Assert.That(door.Intake.TryTake(Index(65)), Is.True);
        Assert.That(door.Gauges.Received.Value, Is.EqualTo(65));
    }

    [Test]
    public void A_full_reject_ring_holds_the_frame_instead_of_losing_the_answer()
    {
        var door = new Door(rejectSlots: 16);
        for (int i = 0; i < 16; i++)
            Assert.That(door.Intake.TryTake([]), Is.True);
        Assert.That(door.Intake.TryTake([]), Is.False);
        door.NextReject();
        Assert.That(door.Intake.TryTake([]), Is.True);
        Assert.That(door.Gauges.GatewayRejects.Total(), Is.EqualTo(17));
    }

    [Test]
    public void No_more_is_taken_ahead_of_the_journal_than_a_part_of_its_reserve_holds()
    {
        var door = new Door(aheadBytes: 1_000);
        int taken = 0;
        while (door.Intake.TryTake(Index(taken + 1)))
            taken++;
        Assert.That(taken, Is.InRange(5, 1_000 / 64), "each message with the header of its record");
        Assert.That(door.Gauges.Events(NodeEvent.InputHeld), Is.EqualTo(1));
        door.Gauges.Journalled.Set(taken - 1);
        for (int more = 0; more < 2; more++)
            door.Intake.TryTake(Index(taken + 1 + more));
        door.Gauges.Journalled.Set(door.Gauges.Received.Value);
        long received = door.Gauges.Received.Value;
        Assert.That(door.Intake.TryTake(Index((int)received + 1)), Is.True, "what the journal has is not ahead of it");
        for (int message = 0; message < 1_000; message++)
        {
            long next = door.Gauges.Received.Value + 1;
            if (!door.Intake.TryTake(Index((int)next)))
                door.Gauges.Journalled.Set(next - 1);
            Assert.That((door.Gauges.Received.Value - door.Gauges.Journalled.Value) * 64, Is.LessThanOrEqualTo(1_000));
            while (door.Input.TryPeek(out _))
                door.Input.Advance();
            door.Input.Release();
        }

        Assert.That(door.Gauges.Received.Value, Is.GreaterThan(800));
    }

    [Test]
    public void A_disk_without_reserve_refuses_input_and_ticks_go_on_while_there_is_room_for_them()
    {
        var door = new Door();
        door.Gauges.DiskNearlyFull.Set(1);
        Assert.That(door.Intake.TryTake(Index(1)), Is.True);
        Assert.That(door.NextReject(), Is.EqualTo((RejectCode.Capacity, (ushort)0, 1UL)));
        Assert.That(door.Intake.TryTick(), Is.True);
        door.Gauges.TimeStands.Set(1);
        Assert.That(door.Intake.TryTick(), Is.False);
        door.Gauges.TimeStands.Set(0);
        door.Gauges.DiskNearlyFull.Set(0);
        door.Intake.TryTake(Index(1));
        Assert.That(door.Gauges.Received.Value, Is.EqualTo(2), "the same message is welcome when there is room again");
    }

    [Test]
    public void More_sources_than_the_machine_has_room_for_are_refused_at_the_door()
    {
        var door = new Door(sources: 4);
        for (ushort source = 1; source <= 4; source++)
            door.Intake.TryTake(Index(1, source: source));
        Assert.That(door.Gauges.Received.Value, Is.EqualTo(3), "one place is kept for the ticks");
        Assert.That(door.NextReject(), Is.EqualTo((RejectCode.Capacity, Frame.OriginField, 0UL)));
        Assert.That(door.Intake.TryTick(), Is.True);
        door.Intake.TryTake(Index(2, source: 3));
        Assert.That(door.Gauges.Received.Value, Is.EqualTo(5));
    }

    [Test]
    public void Input_waits_while_publication_lags_by_half_the_republished_time()
    {
        var door = new Door(limitNanos: 1_000_000_000);
        int taken = 0;
        while (taken < 10_000 && door.Intake.TryTake(Index(taken + 1)))
        {
            taken++;
            door.Clock.WallNanos += 1_000_000;
            door.NextInput();
        }

        Assert.That(taken, Is.InRange(900, 1_200), "milliseconds of input");
        Assert.That(door.Gauges.InputEvents[(int)NodeEvent.InputHeldForPublication], Is.EqualTo(1));
        door.Gauges.Published.Set(taken);
        Assert.That(door.Intake.TryTake(Index(taken + 1)), Is.True);
    }

    [Test]
    public void A_time_tick_is_a_valid_message_of_the_engines_own_source()
    {
        var door = new Door();
        Assert.That(door.Intake.TryTick(), Is.True);
        Assert.That(door.Intake.TryTick(), Is.True);
        door.NextInput();
        (_, _, byte[] bytes) = door.NextInput();
        Assert.That(Schema.Validate(bytes), Is.EqualTo(SbeError.None));
        Assert.That(TimeTickDecoder.TryWrap(bytes, out TimeTickDecoder tick), Is.True);
        Assert.That((tick.Origin.Source, tick.Origin.Sequence, tick.Time), Is.EqualTo((Intake.OwnSource, 2UL, (ulong?)null)));
    }

    [Test]
    public void The_origin_stands_where_the_frame_reader_looks_for_it()
    {
        Assert.That(Frame.TryReadOrigin(Index(5, source: 3), out MessageOrigin origin), Is.True);
        Assert.That((origin.Sequence, origin.Source, origin.EventTimeNanos), Is.EqualTo((5UL, (ushort)3, 77UL)));
        Assert.That(Frame.TemplateId(Index(1)), Is.EqualTo(IndexPriceDecoder.TemplateId));
    }

    private static TestCaseData Bad(string name, byte[] frame, RejectCode code, int field, ulong expected = 0) =>
        new TestCaseData(frame, code, (ushort)field, expected).SetName(name);

    private static byte[] With(byte[] message, int offset, ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(offset), value);
        return message;
    }

    internal static byte[] Index(int sequence, long price = 6_400_000_000_000, ushort source = Source)
    {
        byte[] bytes = new byte[128];
        IndexPriceEncoder message = IndexPriceEncoder.Wrap(bytes);
        message.SetOrigin((ulong)sequence, 77, source, OriginFlags.EndOfEvent);
        message.UnderlyingId = 1;
        message.SetPrice(price);
        return bytes[..message.EncodedLength];
    }

    private static byte[] Volatility(int sequence, long volatility)
    {
        byte[] bytes = new byte[128];
        MarkVolatilityEncoder message = MarkVolatilityEncoder.Wrap(bytes);
        message.SetOrigin((ulong)sequence, 77, Source, OriginFlags.EndOfEvent);
        message.InstrumentId = 1;
        message.SetVolatility(volatility);
        return bytes[..message.EncodedLength];
    }

    internal static byte[] Fill(int sequence, long quantity = 1, Side side = Side.Buy, ulong account = 1)
    {
        byte[] bytes = new byte[128];
        FillEncoder message = FillEncoder.Wrap(bytes);
        message.SetOrigin((ulong)sequence, 77, Source, OriginFlags.EndOfEvent);
        message.AccountId = account;
        message.InstrumentId = 1;
        message.Side = side;
        message.Quantity = quantity;
        message.SetPrice(1);
        message.SetFee(0, -6);
        return bytes[..message.EncodedLength];
    }

    private static byte[] Heartbeat()
    {
        byte[] bytes = new byte[256];
        HeartbeatEncoder message = HeartbeatEncoder.Wrap(bytes);
        return bytes[..message.EncodedLength];
    }

    private sealed class Deaf : IDecisionSink
    {
        public void OnDecision(ReadOnlySpan<byte> message)
        {
        }
    }

    /// <summary>An intake with its rings and a clock that stands.</summary>
    private sealed class Door
    {
        private readonly SlotReader _rejects;

        public Door(int inputSlots = 1024, int rejectSlots = 256, int sources = 64, long limitNanos = 5_000_000_000, long aheadBytes = long.MaxValue)
        {
            var input = Rings.Create(inputSlots);
            var rejects = Rings.Create(rejectSlots);
            Input = new SlotReader(input);
            _rejects = new SlotReader(rejects);
            input.AddGatingSequences(Input.Released);
            rejects.AddGatingSequences(_rejects.Released);
            Intake = new Intake(new SlotWriter(input, Longest), new SlotWriter(rejects, 256), sources, limitNanos, Clock, Gauges, aheadBytes);
        }

        public ManualClock Clock { get; } = new();

        public NodeGauges Gauges { get; } = new();

        public Intake Intake { get; }

        public SlotReader Input { get; }

        public (long Sequence, long TimestampNanos, byte[] Bytes) NextInput()
        {
            Assert.That(Input.TryPeek(out SlotMessage message), Is.True, "no input in the ring");
            (long Sequence, long TimestampNanos, byte[] Bytes) copy = (message.Sequence, message.TimestampNanos, message.Bytes.ToArray());
            Input.Advance();
            Input.Release();
            return copy;
        }

        public (RejectCode Code, ushort Field, ulong Expected) NextReject()
        {
            Assert.That(_rejects.TryPeek(out SlotMessage message), Is.True, "no reject in the ring");
            Assert.That(RejectDecoder.TryWrap(message.Bytes, out RejectDecoder reject), Is.True);
            (RejectCode Code, ushort FieldId, ulong Expected) copy = (reject.Code, reject.FieldId, reject.Expected);
            _rejects.Advance();
            _rejects.Release();
            return copy;
        }
    }
}
