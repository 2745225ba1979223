// Random messages of an independent codec against the generated one: same JSON, same octets after a round trip, and no damage accepted.

using System.Text.Json;
using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

[TestFixtureSource(nameof(Named))]
[Parallelizable(ParallelScope.Self)]
internal sealed class PropertyTests(string name)
{
    private const int Rounds = 60;

    private OracleSchema _schema = null!;
    private Func<byte[], int, int, string> _json = null!;
    private Func<byte[], int, int, string> _validate = null!;
    private Func<byte[], int, int, int> _wrap = null!;
    private Func<byte[], byte[], int> _transcode = null!;

    private static readonly string[] Named = ["product", "little", "big", "wide", "versioned"];

    [OneTimeSetUp]
    public void Compile()
    {
        string xml = name switch
        {
            "product" => Schemas.Product,
            "little" => Schemas.Everything(bigEndian: false),
            "big" => Schemas.Everything(bigEndian: true),
            "wide" => Schemas.Wide,
            _ => Schemas.Versioned,
        };
        _schema = new OracleSchema(xml);
        Compiled compiled = Compiled.Of(xml, Transcoder.Probe(_schema), name == "product" ? "MarginEngine.Codecs" : "Feature");
        _json = compiled.Method<Func<byte[], int, int, string>>("Json");
        _validate = compiled.Method<Func<byte[], int, int, string>>("Validate");
        _wrap = compiled.Method<Func<byte[], int, int, int>>("Wrap");
        _transcode = compiled.Method<Func<byte[], byte[], int>>("Transcode");
    }

    private void ForEach(int rounds, Action<OracleMessage, Random, string> check, Func<OMessage, Random, (int Version, int Padding)>? sender = null)
    {
        for (int seed = 0; seed < rounds; seed++)
        {
            var random = new Random(seed);
            foreach (OMessage type in _schema.Messages)
            {
                (int version, int padding) = sender?.Invoke(type, random) ?? (_schema.Version, 0);
                OracleMessage message = new OracleWriter(_schema, random).Write(type, version, padding);
                check(message, random, $"{type.Name}, seed {seed}, version {version}: {Convert.ToHexString(message.Octets)}");
            }
        }
    }

    [Test]
    public void Every_message_reads_as_it_was_written() => ForEach(Rounds, (message, _, about) =>
    {
        Assert.That(_validate(message.Octets, 0, message.Octets.Length), Is.EqualTo("None"), about);
        Assert.That(_wrap(message.Octets, 0, message.Octets.Length), Is.EqualTo(message.Octets.Length), about);
        AssertSameJson(_json(message.Octets, 0, message.Octets.Length), message.Json, about);
    });

    [Test]
    public void Decoding_and_encoding_again_gives_the_same_octets_in_a_dirty_buffer() => ForEach(Rounds, (message, random, about) =>
    {
        var buffer = new byte[message.Octets.Length + 64];
        random.NextBytes(buffer);
        int length = _transcode(message.Octets, buffer);
        Assert.That(Convert.ToHexString(buffer.AsSpan(0, Math.Max(0, length))), Is.EqualTo(Convert.ToHexString(message.Octets)), about);
    });

    [Test]
    public void An_encoder_never_writes_behind_its_buffer() => ForEach(20, (message, random, about) =>
    {
        for (int room = 0; room < message.Octets.Length; room++)
        {
            var buffer = new byte[room];
            Assert.That(() => _transcode(message.Octets, buffer), Throws.ArgumentException, $"room {room}: {about}");
        }

        Assert.That(_transcode(message.Octets, new byte[message.Octets.Length]), Is.EqualTo(message.Octets.Length), about);
        _ = random;
    });

    [Test]
    public void Every_truncation_is_refused() => ForEach(Rounds / 3, (message, _, about) =>
    {
        for (int length = 0; length < message.Octets.Length; length++)
        {
            Assert.That(_wrap(message.Octets, 0, length), Is.EqualTo(-1), $"cut to {length}: {about}");
            Assert.That(_validate(message.Octets, 0, length), Is.Not.EqualTo("None"), $"cut to {length}: {about}");
        }
    });

    [Test]
    public void An_octet_too_many_is_refused() => ForEach(10, (message, _, about) =>
        Assert.That(_validate([.. message.Octets, 0], 0, message.Octets.Length + 1), Does.StartWith("TrailingOctets"), about));

    // A changed length either is refused, or moved a boundary so that the octets are another whole valid message of the same size.
    [Test]
    public void Every_changed_length_is_refused_unless_the_octets_are_another_valid_message()
    {
        int refused = 0;
        ForEach(Rounds / 3, (message, random, about) =>
        {
            foreach (LengthPlace place in message.Lengths)
            {
                foreach (ulong value in (ulong[])[0, 1, 2, 127, 128, 255, 32767, 65535, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, ulong.MaxValue, ulong.MaxValue / 2, (ulong)random.Next(64)])
                {
                    byte[] damaged = [.. message.Octets];
                    _schema.PutBits(damaged.AsSpan(place.Offset), value, OracleSchema.SizeOf(place.Primitive));
                    if (damaged.AsSpan().SequenceEqual(message.Octets))
                        continue;
                    int length = _wrap(damaged, 0, damaged.Length);
                    Assert.That(length, Is.LessThanOrEqualTo(damaged.Length), $"{place.What} = {value}: {about}");
                    if (_validate(damaged, 0, damaged.Length) != "None")
                        refused++;
                    else
                        Assert.That(length, Is.EqualTo(damaged.Length), $"{place.What} = {value}: {about}");
                }
            }
        });
        Assert.That(refused, Is.GreaterThan(1000));
    }

    // Octets around the span must never matter: the same answer whatever stands there.
    [Test]
    public void Damaged_octets_never_make_a_reader_look_outside_the_span() => ForEach(Rounds, (message, random, about) =>
    {
        for (int round = 0; round < 10; round++)
        {
            byte[] damaged = [.. message.Octets.AsSpan(0, random.Next(message.Octets.Length + 1))];
            for (int flips = random.Next(4); flips > 0 && damaged.Length > 0; flips--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            string first = Within(damaged, 0x00);
            Assert.That(Within(damaged, 0xFF), Is.EqualTo(first), about);
            Assert.That(Within(damaged, 0x01), Is.EqualTo(first), about);
        }
    });

    private string Within(byte[] octets, byte around)
    {
        var buffer = new byte[octets.Length + 128];
        buffer.AsSpan().Fill(around);
        octets.CopyTo(buffer, 64);
        return $"{_wrap(buffer, 64, octets.Length)} {_validate(buffer, 64, octets.Length)} {_json(buffer, 64, octets.Length)}";
    }

    [Test]
    public void A_newer_sender_with_longer_blocks_is_read() => ForEach(
        Rounds / 3,
        (message, _, about) => AssertSameJson(_json(message.Octets, 0, message.Octets.Length), message.Json, about),
        (_, random) => (_schema.Version + 1 + random.Next(3), random.Next(0, 9)));

    [Test]
    public void An_older_sender_is_read_and_what_it_does_not_have_is_null_or_empty()
    {
        ForEach(
            Rounds,
            (message, _, about) =>
            {
                AssertSameJson(_json(message.Octets, 0, message.Octets.Length), message.Json, about);
                Assert.That(_validate(message.Octets, 0, message.Octets.Length), Is.EqualTo("None"), about);
            },
            (type, random) => (random.Next(type.Block.Since, _schema.Version + 1), 0));
    }

    // Numbers compare as numbers: 1 and 1.0 are the same value.
    private static void AssertSameJson(string actual, string wanted, string about)
    {
        JsonElement found = default;
        Assert.That(() => found = JsonDocument.Parse(actual).RootElement, Throws.Nothing, $"{actual}: {about}");
        Assert.That(JsonElement.DeepEquals(found, JsonDocument.Parse(wanted).RootElement), Is.True, $"{about}\nfound  {actual}\nwanted {wanted}");
    }
}
