using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>Who and why stand on a margin model's parts, and cost none of its parameters.</summary>
[TestFixture]
internal sealed class OperatorEntryTests
{
    private static readonly (ushort, string)[] Underlyings = [.. Enumerable.Range(1, 60).Select(id => ((ushort)id, $"C{id}"))];

    private static List<(ModelSection, byte, ushort, ushort, ushort, long)> Parameters(IEnumerable<byte[]> messages)
    {
        List<(ModelSection, byte, ushort, ushort, ushort, long)> all = [];
        foreach (byte[] message in messages)
        {
            Assert.That(MarginModelPartDecoder.TryWrap(message, out MarginModelPartDecoder part), Is.True);
            foreach (MarginModelPartDecoder.ParametersDecoder.Entry entry in part.Parameters)
                all.Add((entry.Section, entry.Key, entry.First, entry.Second, entry.Third, entry.Value));
        }

        return all;
    }

    [Test]
    public void A_reason_of_any_length_fits_beside_a_model_of_many_parts([Values(0, 1, 16, 17, 500, 1_024)] int length)
    {
        string reason = new('w', length);
        IReadOnlyList<byte[]> plain = ModelDocument.Portfolio.ToMessages(1, 5, 7, 3, OriginFlags.EndOfEvent, Underlyings, []);
        IReadOnlyList<byte[]> told = ModelDocument.Portfolio.ToMessages(1, 5, 7, 3, OriginFlags.EndOfEvent, Underlyings, [], author: "risk", reason: reason);
        Assert.That(plain, Has.Count.GreaterThan(1), "the test wants several parts");
        Assert.That(Parameters(told), Is.EqualTo(Parameters(plain)));
        Assert.That(told.Select(message => Schema.Validate(message, out _)), Has.All.EqualTo(SbeError.None));
        OperatorEntry[] entries = [.. told.Select((message, index) => OperatorEntry.Of(index + 1, 9, message)!)];
        Assert.That(entries.Select(entry => entry.Who), Has.All.EqualTo("risk"));
        Assert.That(entries.Select(entry => entry.SourceSequence), Is.EqualTo(Enumerable.Range(5, told.Count).Select(number => (ulong)number)));
        Assert.That(entries[0].Why, Is.EqualTo(reason));
        Assert.That(entries[^1].What, Does.EndWith($"part {told.Count} of {told.Count}"));
    }

    [Test]
    public void What_is_no_operators_message_is_none()
    {
        byte[] buffer = new byte[256];
        IndexPriceEncoder price = IndexPriceEncoder.Wrap(buffer);
        price.SetOrigin(1, 1, 1, OriginFlags.None);
        Assert.That(OperatorEntry.Of(1, 1, buffer.AsSpan(0, price.EncodedLength)), Is.Null);
        Assert.That(OperatorEntry.Of(1, 1, []), Is.Null);
        OperatorCommandEncoder command = OperatorCommandEncoder.Wrap(buffer);
        Assert.That(OperatorEntry.Of(1, 1, buffer.AsSpan(0, command.EncodedLength - 1)), Is.Null, "it is cut");
    }
}
