using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;
using Field = MarginEngine.Codecs.MarginModelPartDecoder.FieldIds;

namespace MarginEngine.Tests.LogicTests;

/// <content>Every bound of the two tables, at it and one beyond, through messages.</content>
internal sealed partial class ModelTests
{
    /// <summary>Parameters to send together; the last one is what is tested.</summary>
    private sealed record Sent(string Name, (ParameterPlace Place, long Value)[] Parameters, RejectCode Code = RejectCode.OutOfRange)
    {
        public ParameterPlace Tested => Parameters[^1].Place;
    }

    [Test]
    public void Every_parameter_beyond_either_bound_is_refused_with_its_place_and_changes_nothing() =>
        RefuseAll(Parameters().SelectMany(parameter => new[]
        {
            parameter.With(parameter.Minimum - 1, "below"), parameter.With(parameter.Maximum + 1, "above"),
            parameter.With(long.MinValue + 1, "least"), parameter.With(long.MaxValue, "largest"),
        }), least: 400);

    [Test]
    public void Every_parameter_at_either_bound_is_taken()
    {
        using Desk desk = Opened();
        int taken = 0;
        foreach (Bounded parameter in Parameters().Where(parameter => !parameter.IsUnderlying))
        {
            foreach (long value in new[] { parameter.Minimum, parameter.Maximum })
            {
                desk.Clear();
                // The first of two parts: nothing is compiled, so that nothing contradicts it.
                desk.Part(parameter.With(value, "").Parameters, part: 1, parts: 2);
                Assert.That(desk.HasRejected, Is.False, $"{parameter.Name} at {value}");
                taken++;
            }
        }

        Assert.That(taken, Is.GreaterThan(200));
    }

    [Test]
    public void What_there_is_no_room_for_no_name_for_and_no_order_for_is_refused_with_its_place() => RefuseAll(Misplaced(), least: 30);

    private static IEnumerable<Sent> Misplaced()
    {
        foreach (ModelSection section in Enum.GetValues<ModelSection>().Where(section => section is not ModelSection.AddOn && (int)section < 16 && section != 0))
        {
            ushort second = section is ModelSection.Model or ModelSection.Row or ModelSection.AddOnTier ? (ushort)0 : (ushort)1;
            foreach (byte key in new byte[] { 0, 63, 64, 254 })
            {
                yield return new Sent($"{section} has no key {key}", [.. KindFor(section, key), (new ParameterPlace(section, key, 0, second, 0), 0)]);
            }
        }

        yield return Full("rows", ModelSection.Row, (byte)RowKey.SpotMove, Limits.NamedRows);
        yield return Full("joint rows", ModelSection.RowUnderlying, (byte)JointKey.SpotMove, Limits.NamedRows, second: 1);
        yield return Full("rows to the last number", ModelSection.Row, (byte)RowKey.SpotMove, ushort.MaxValue - 1);
        yield return Full("add-ons", ModelSection.AddOn, (byte)AddOnKey.Kind, Limits.AddOns, value: 1);
        yield return Full("tiers of too many add-ons", ModelSection.AddOnTier, (byte)TierKey.From, Limits.AddOns);
        yield return Full("haircut tiers", ModelSection.HaircutTier, (byte)HaircutTierKey.From, 0, second: Desk.Btc, third: Limits.HaircutTiers);
        yield return Full("spreads", ModelSection.SpreadLeg, (byte)SpreadKey.Rate, Limits.Spreads);
        yield return new Sent("too many tiers", [Kind(AddOnKind.TieredRate), (new ParameterPlace(ModelSection.AddOnTier, (byte)TierKey.From, 0, 0, Limits.Tiers), 0)], RejectCode.Capacity);

        yield return Unknown("underlying", ModelSection.Underlying, (byte)UnderlyingKey.PriceRange, 9, RejectCode.UnknownUnderlying);
        yield return Unknown("underlying of a row", ModelSection.RowUnderlying, (byte)JointKey.SpotMove, 9, RejectCode.UnknownUnderlying);
        yield return Unknown("underlying of a spread", ModelSection.SpreadLeg, (byte)SpreadKey.DeltaPerSpread, 9, RejectCode.UnknownUnderlying);
        yield return Unknown("currency", ModelSection.Currency, (byte)CurrencyKey.Haircut, 9, RejectCode.UnknownCurrency);
        yield return Unknown("currency of a tier", ModelSection.HaircutTier, (byte)HaircutTierKey.From, 9, RejectCode.UnknownCurrency);
        yield return new Sent("unknown peg", [(new ParameterPlace(ModelSection.Model, (byte)ModelKey.PegUnderlying, 0, 0, 0), 9)], RejectCode.UnknownUnderlying);
        yield return new Sent("unknown redemption", [(new ParameterPlace(ModelSection.Currency, (byte)CurrencyKey.RedemptionOf, 0, Desk.Btc, 0), 65_535)], RejectCode.UnknownUnderlying);
        yield return new Sent("unknown underlying of an add-on", [Kind(AddOnKind.Fees), (Slot(0, underlying: 9), 0)], RejectCode.UnknownUnderlying);

        foreach (long kind in new[] { 0L, -1, AddOnTable.Kinds.Count, 255, long.MaxValue })
        {
            yield return new Sent($"kind {kind}", [(new ParameterPlace(ModelSection.AddOn, (byte)AddOnKey.Kind, 0, 0, 0), kind)]);
        }

        yield return new Sent("kind by underlying", [(new ParameterPlace(ModelSection.AddOn, (byte)AddOnKey.Kind, 0, 1, 0), 1)]);
        yield return new Sent("place by underlying", [Kind(AddOnKind.Fees), (new ParameterPlace(ModelSection.AddOn, (byte)AddOnKey.Place, 0, 2, 0), 1)]);
        yield return new Sent("number before the kind", [(Slot(0), 0)]);
        yield return new Sent("tier before the kind", [(new ParameterPlace(ModelSection.AddOnTier, (byte)TierKey.From, 0, 0, 0), 0)]);
        yield return new Sent("tier of a kind without tiers", [Kind(AddOnKind.Fees), (new ParameterPlace(ModelSection.AddOnTier, (byte)TierKey.From, 0, 0, 0), 0)]);
        yield return new Sent("rate of a spread by underlying", [(new ParameterPlace(ModelSection.SpreadLeg, (byte)SpreadKey.Rate, 0, 1, 0), 0)]);
        yield return new Sent("leg of a spread without one", [(new ParameterPlace(ModelSection.SpreadLeg, (byte)SpreadKey.DeltaPerSpread, 0, 0, 0), 0)]);
        foreach (byte key in new byte[] { 0, 3, 9, 254 })
        {
            yield return new Sent($"an add-on has no key {key}", [Kind(AddOnKind.Fees), (new ParameterPlace(ModelSection.AddOn, key, 0, 0, 0), 0)]);
        }
    }

    // Each is compared with a twin that refuses something else: after a refusal both are in one state, source sequence and all.
    private static void RefuseAll(IEnumerable<Sent> cases, int least)
    {
        using Desk desk = Opened(), twin = Opened();
        int refused = 0;
        foreach (Sent sent in cases)
        {
            desk.Clear();
            desk.Part(sent.Parameters);
            twin.Refused();
            (RejectCode code, ushort field, ulong expected) = desk.Rejected();
            Assert.That((code, field, ParameterPlace.Unpack(expected)), Is.EqualTo((sent.Code, Field.Parameters, sent.Tested)), sent.Name);
            Assert.That(expected, Is.EqualTo(sent.Tested.Packed), sent.Name);
            Assert.That(desk.Machine.StateDigest(), Is.EqualTo(twin.Machine.StateDigest()), sent.Name);
            refused++;
        }

        Assert.That(refused, Is.GreaterThanOrEqualTo(least));
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(2));
        twin.Model(TestModels.Matrix.WithVersion(2));
        Assert.That((desk.HasRejected, desk.Machine.StateDigest()), Is.EqualTo((false, twin.Machine.StateDigest())), "a good version after all of them");
    }

    /// <summary>A parameter with what must stand before it.</summary>
    private sealed record Bounded(string Name, (ParameterPlace, long)[] Before, ParameterPlace Place, long Minimum, long Maximum, bool IsUnderlying = false)
    {
        public Sent With(long value, string side) => new($"{Name} {side} ({value})", [.. Before, (Place, value)]);
    }

    private static IEnumerable<Bounded> Parameters()
    {
        foreach (ParameterRule rule in ParameterTable.All)
        {
            bool isByUnderlying = rule.Section is ModelSection.RowUnderlying or ModelSection.Underlying
                || (rule.Section == ModelSection.SpreadLeg && rule.Key == (byte)SpreadKey.DeltaPerSpread);
            ushort second = isByUnderlying ? (ushort)1 : rule.Section is ModelSection.Currency or ModelSection.HaircutTier ? Desk.Btc : (ushort)0;
            yield return new Bounded(
                $"{rule.Section}.{rule.Path}", [.. KindFor(rule.Section, rule.Key)], new ParameterPlace(rule.Section, rule.Key, 0, second, 0),
                rule.Minimum, rule.Maximum, rule.IsUnderlying);
        }

        for (int kind = 1; kind < AddOnTable.Kinds.Count; kind++)
        {
            AddOnSlot[] slots = AddOnTable.SlotsOf((AddOnKind)kind).ToArray();
            for (int slot = 0; slot < slots.Length; slot++)
            {
                string name = $"{AddOnTable.Kinds[kind]}.{slots[slot].Name}";
                yield return new Bounded(name, [Kind((AddOnKind)kind)], Slot(slot), slots[slot].Minimum, slots[slot].Maximum);
                yield return new Bounded($"{name} of ETH", [Kind((AddOnKind)kind)], Slot(slot, underlying: 2), slots[slot].Minimum, slots[slot].Maximum);
            }

            yield return new Bounded(
                $"{AddOnTable.Kinds[kind]}.place", [Kind((AddOnKind)kind)], new ParameterPlace(ModelSection.AddOn, (byte)AddOnKey.Place, 0, 0, 0), 0,
                AddOnTable.Places.Count - 1);
        }
    }

    private static (ParameterPlace, long)[] KindFor(ModelSection section, byte key) => section == ModelSection.AddOnTier && key < 255 ? [Kind(AddOnKind.TieredRate)] : [];

    private static (ParameterPlace, long) Kind(AddOnKind kind) => (new ParameterPlace(ModelSection.AddOn, (byte)AddOnKey.Kind, 0, 0, 0), (long)kind);

    private static ParameterPlace Slot(int slot, ushort underlying = 0) => new(ModelSection.AddOn, (byte)((int)AddOnKey.FirstSlot + slot), 0, underlying, 0);

    private static Sent Full(string name, ModelSection section, byte key, int first, ushort second = 0, int third = 0, long value = 0) =>
        new($"too many {name}", [(new ParameterPlace(section, key, (ushort)first, second, (ushort)third), value)], RejectCode.Capacity);

    private static Sent Unknown(string name, ModelSection section, byte key, ushort second, RejectCode code) =>
        new($"unknown {name}", [(new ParameterPlace(section, key, 0, second, 0), 0)], code);
}
