using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <content>Random parts: whatever they say, they are taken whole or refused whole.</content>
[Parallelizable(ParallelScope.Self)]
internal sealed partial class ModelTests
{
    [TestCase(1, 25_000)]
    [TestCase(2, 25_000)]
    [TestCase(3, 25_000)]
    [TestCase(4, 25_000)]
    public void Random_parts_never_throw_and_a_refused_one_leaves_the_state_alone(int seed, int messages)
    {
        Random random = new(seed);
        using Desk desk = Opened(), twin = Opened();
        RandomParts parts = new(random);
        int taken = 0, refused = 0, counted = 0;
        for (int message = 0; message < messages; message++)
        {
            desk.Clear();
            desk.Now += Desk.Second / 25;
            twin.Now = desk.Now;
            byte[] bytes = parts.Next(desk);
            string hint = $"seed {seed}, message {message}: {Convert.ToHexString(bytes)}";
            Assert.That(() => desk.Apply(bytes), Throws.Nothing, hint);
            if (desk.HasRejected)
            {
                refused++;
                twin.Refused();

                // A refused part also ends the version that was being collected: the twin's is ended by a refused part of its own.
                twin.Part(Nothing, id: 999, version: 1, part: 2, parts: 2);
                desk.Part(Nothing, id: 999, version: 1, part: 2, parts: 2);
            }
            else
            {
                taken++;
                counted += desk.Report(1).ModelVersion > 1 ? 1 : 0;
                twin.NextOrigin();
                twin.Apply(bytes);
            }

            Assert.That(desk.Machine.StateDigest(), Is.EqualTo(twin.Machine.StateDigest()), hint);
        }

        TestContext.Out.WriteLine($"{taken} taken, {refused} refused, {counted} times a random version was in force");
        Assert.That(taken, Is.GreaterThan(messages / 10));
        Assert.That(refused, Is.GreaterThan(messages / 10));
        Assert.That(counted, Is.GreaterThan(messages / 10));
    }

    /// <summary>Mostly sensible parts: real keys, values between their bounds or at them, ids that exist; one of some twenty is not.</summary>
    private sealed class RandomParts(Random random)
    {
        private static readonly Bounded[] Known = [.. Parameters()];

        private readonly Dictionary<ushort, uint> _versions = new() { [1] = 1 };
        private ushort _id;
        private ushort _part;
        private ushort _parts;

        public byte[] Next(Desk desk)
        {
            if (_part >= _parts || random.Next(20) == 0)
            {
                _id = (ushort)random.Next(1, 6);
                _versions[_id] = _versions.GetValueOrDefault(_id) + 1;
                _part = 0;
                _parts = (ushort)(random.Next(4) == 0 ? random.Next(1, 4) : 1);
            }

            _part++;
            return desk.PartOf(
                Some(), _id, random.Next(50) == 0 ? (uint)random.Next(1, (int)_versions[_id] + 1) : _versions[_id], random.Next(50) == 0 ? (ushort)random.Next(1, 9) : _part, _parts,
                random.Next(6) == 0 ? (ulong)(desk.Machine.LastSequence + random.Next(0, 30)) : 0, random.Next(2) == 0);
        }

        private List<(ParameterPlace, long)> Some()
        {
            List<(ParameterPlace, long)> some = [];
            int count = random.Next(25);
            for (int index = 0; index < count; index++)
            {
                Bounded parameter = Known[random.Next(Known.Length)];
                ushort first = (ushort)random.Next(4);
                foreach ((ParameterPlace place, long kind) in parameter.Before)
                {
                    some.Add((place with { First = first }, kind));
                }

                ParameterPlace at = parameter.Place with { First = parameter.Place.Section == ModelSection.Row ? (ushort)random.Next(40) : first };
                some.Add(random.Next(400) == 0 ? Wild(at) : (at, Value(parameter)));
            }

            return some;
        }

        private (ParameterPlace, long) Wild(ParameterPlace at) => random.Next(5) switch
        {
            // 255, 65535 and the least integer are nulls of the wire: refused before the machine looks.
            0 => (at with { Key = (byte)random.Next(255) }, 0),
            1 => (at with { First = (ushort)random.Next(65_535) }, 0),
            2 => (at with { Second = (ushort)random.Next(65_535) }, 0),
            3 => (at with { Third = (ushort)random.Next(65_535) }, 0),
            _ => (at, random.NextInt64(long.MinValue + 1, long.MaxValue)),
        };

        private long Value(Bounded parameter) => parameter.IsUnderlying ? random.Next(3) : random.Next(4) switch
        {
            0 => parameter.Minimum,
            1 => parameter.Maximum,
            _ => random.NextInt64(parameter.Minimum, parameter.Maximum == long.MaxValue ? long.MaxValue : parameter.Maximum + 1),
        };
    }
}
