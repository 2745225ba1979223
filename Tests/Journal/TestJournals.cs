using MarginEngine.Journal;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>What the journal tests share: an identity, small sizes, seeded messages, a folder on the real disk.</summary>
internal static class TestJournals
{
    public static readonly JournalIdentity Identity = new(7, 3, 0xFEED_BEEF_0123_4567, "build 1", ".NET 10", "x64 avx2", "accounts 8");

    public static JournalOptions SmallOptions(string directory) => new()
    {
        Directory = directory,
        SegmentBytes = 8 * 4096,
        BatchBytes = 3 * 4096,
        ReserveBytes = 0,
    };

    /// <summary>The message of a sequence: the same bytes for the same seed, with runs of zeros in some.</summary>
    public static byte[] Message(int seed, long sequence, int limitBytes = 3000)
    {
        var random = new Random(seed * 7919 + (int)sequence);
        byte[] message = new byte[random.Next(4) switch { 0 => 0, 1 => 200, _ => random.Next(limitBytes) }];
        random.NextBytes(message);
        if (random.Next(5) == 0)
            Array.Clear(message);
        return message;
    }

    public static byte Kind(long sequence) => (byte)(sequence % 251);
    public static long Timestamp(long sequence) => 1_000_000_000 + sequence * 17;

    /// <summary>Appends and commits the given sequences, one commit for about <paramref name="perCommit"/> of them.</summary>
    public static void Append(JournalWriter writer, int seed, long first, long last, int perCommit, long epoch = 1)
    {
        for (long sequence = first; sequence <= last; sequence++)
        {
            byte[] message = Message(seed, sequence);
            if (!writer.TryAppend(Kind(sequence), epoch, sequence, Timestamp(sequence), message))
            {
                writer.Commit();
                Assert.That(writer.TryAppend(Kind(sequence), epoch, sequence, Timestamp(sequence), message), Is.True, $"sequence {sequence} after a commit");
            }
            if (sequence % perCommit == 0)
                writer.Commit();
        }
        writer.Commit();
    }

    /// <summary>Reads the whole journal, checks every record against its seed and returns the last sequence.</summary>
    public static long ReadAndCheck(IStorage storage, string directory, int seed, long first = 1)
    {
        using var reader = JournalReader.Open(storage, directory, Identity);
        long expected = first;
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Sequence != expected || record.Kind != Kind(expected) || record.TimestampNanos != Timestamp(expected)
                || !record.Message.SequenceEqual(Message(seed, expected)))
                Assert.Fail($"record {record.Sequence} at segment {record.Segment} byte {record.Offset} is not the one written as {expected} with seed {seed}");
            expected++;
        }
        return expected - 1;
    }
}
