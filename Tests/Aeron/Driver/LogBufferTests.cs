// A log as the bytes of its file: the layout others read, what is refused as a log, and the turning of terms among many producers.

using System.Buffers.Binary;
using MarginEngine.Aeron;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

[TestFixture]
public sealed class LogBufferTests
{
    private const int Term = 64 * 1024;

    private TemporaryDirectory _directory = null!;

    [SetUp]
    public void MakeDirectory() => _directory = new TemporaryDirectory();

    [TearDown]
    public void RemoveDirectory() => _directory.Dispose();

    [Test]
    public void The_file_has_the_layout_that_other_clients_read()
    {
        string path = _directory["7.logbuffer"];
        using LogBuffer log = LogBuffer.Create(path, Spec with
        {
            Type = LogType.Concurrent, CorrelationId = 0x1122334455, LingerNanos = 5_000_000_000, SignalsEndOfStream = true,
            StartPosition = Term + 96,
        });

        byte[] file = File.ReadAllBytes(path);
        Assert.That(file, Has.Length.EqualTo((3 * Term) + 4096));
        ReadOnlySpan<byte> metadata = file.AsSpan(3 * Term);
        (int Offset, long Value)[] longs =
        [
            (0, Tail(-7, 0)), (8, Tail(-6, 96)), (16, Tail(-8, 0)), (128, long.MaxValue), (256, 0x1122334455), (448, -1), (456, -1),
            (464, 5_000_000_000), (472, 5_000_000_000), (480, 10_000_000_000), (500, 5_000_000_000),
        ];
        (int Offset, int Value)[] ints =
        [
            (24, 1), (136, 0), (140, 0), (264, -7), (268, 32), (272, 1408), (276, Term), (280, 4096), (284, 4096), (288, 0),
            (320, 0), (324, 0x0001C000), (328, 0), (332, 77), (336, 1001), (340, -7), (488, 0), (492, 0x00000101), (496, 0),
        ];
        foreach ((int offset, long value) in longs)
            Assert.That(BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan((3 * Term) + offset)), Is.EqualTo(value), $"offset {offset}");
        foreach ((int offset, int value) in ints)
            Assert.That(BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan((3 * Term) + offset)), Is.EqualTo(value), $"offset {offset}");
        Assert.That(file.AsSpan(0, 3 * Term).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
    }

    [Test]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Only_its_user_may_open_the_file()
    {
        using LogBuffer log = LogBuffer.Create(_directory["a"], Spec);
        Assert.That(File.GetUnixFileMode(_directory["a"]), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public unsafe void Two_mappings_of_a_file_are_one_log([Values] bool reserved)
    {
        using LogBuffer made = LogBuffer.Create(_directory["a"], Spec with { IsReserved = reserved, Type = LogType.Image, CorrelationId = 9 });
        using LogBuffer opened = LogBuffer.Open(_directory["a"]);
        Assert.That(
            (opened.TermLength, opened.Mtu, opened.InitialTermId, opened.SessionId, opened.StreamId, opened.CorrelationId, opened.Type),
            Is.EqualTo((Term, 1408, -7, 77, 1001, 9L, LogType.Image)));
        made.At(3 * Term - 32)[31] = 42;
        made.EndOfStreamPosition = 4096;
        made.IsConnected = true;
        Assert.That((opened.At(3 * Term - 32)[31], opened.EndOfStreamPosition, opened.IsConnected), Is.EqualTo(((byte)42, 4096L, true)));
    }

    [Test]
    public void A_file_that_is_there_is_not_overwritten()
    {
        File.WriteAllText(_directory["a"], "mine");
        Assert.That(() => LogBuffer.Create(_directory["a"], Spec), Throws.InstanceOf<IOException>());
        Assert.That(File.ReadAllText(_directory["a"]), Is.EqualTo("mine"));
    }

    [Test]
    public void A_log_larger_than_the_disk_is_refused_and_leaves_nothing()
    {
        const long Immense = 1L << 50;
        Assert.That(
            () =>
            {
                unsafe
                {
                    MappedFile.Create(_directory["a"], Immense, false);
                }
            },
            Throws.InstanceOf<StorageSpaceException>());
        Assert.That(File.Exists(_directory["a"]), Is.False);
    }

    [TestCase(276, 65537, TestName = "Term length no power of two")]
    [TestCase(276, 131072, TestName = "Term length that is not the file's")]
    [TestCase(276, 0, TestName = "Term length zero")]
    [TestCase(276, int.MinValue, TestName = "Term length negative")]
    [TestCase(272, 0, TestName = "MTU zero")]
    [TestCase(272, 1409, TestName = "MTU not aligned")]
    [TestCase(272, 65536, TestName = "MTU too long")]
    [TestCase(268, 24, TestName = "Header length")]
    public void A_file_whose_metadata_describes_no_log_is_refused(int offset, int value)
    {
        LogBuffer.Create(_directory["a"], Spec).Dispose();
        using (FileStream file = File.OpenWrite(_directory["a"]))
        {
            file.Position = (3 * Term) + offset;
            file.Write(BitConverter.GetBytes(value));
        }
        Assert.That(() => LogBuffer.Open(_directory["a"]), Throws.InstanceOf<IOException>());
    }

    [TestCase(0)]
    [TestCase(4096)]
    [TestCase((3 * Term) + 4095)]
    public void A_file_of_another_length_is_no_log(int length)
    {
        File.WriteAllBytes(_directory["a"], new byte[length]);
        Assert.That(() => LogBuffer.Open(_directory["a"]), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void Many_producers_claim_every_byte_once_and_turn_each_term_once()
    {
        const int Producers = 4;
        const int Turns = 200;
        using var log = new LogBuffer(Spec with { Type = LogType.Concurrent });
        long claimed = 0;
        int turned = 0;
        var threads = new Thread[Producers];
        for (int i = 0; i < Producers; i++)
        {
            threads[i] = new Thread(() =>
            {
                while (log.ActiveTermCount < Turns)
                {
                    int count = log.ActiveTermCount;
                    int index = count % 3;
                    if (LogBuffer.TermIdOf(log.LoadTail(index)) != unchecked(-7 + count))
                        continue;
                    long tail = log.ClaimTail(index, 1024);
                    int offset = log.OffsetOf(tail);
                    if (offset + 1024 <= Term)
                        Interlocked.Add(ref claimed, 1024);
                    else if (log.TryRotate(unchecked(LogBuffer.TermIdOf(tail) + 7), LogBuffer.TermIdOf(tail)))
                        Interlocked.Increment(ref turned);
                }
            });
            threads[i].Start();
        }
        foreach (Thread thread in threads)
            thread.Join();
        Assert.That(turned, Is.EqualTo(Turns));
        Assert.That(claimed, Is.EqualTo(log.TailPosition()).Within(Producers * 1024));
        Assert.That(claimed, Is.GreaterThanOrEqualTo((long)Turns * Term));
    }

    [Test]
    public unsafe void Any_position_points_into_a_term()
    {
        using var log = new LogBuffer(Spec);
        long[] positions = [0, -1, long.MinValue, long.MaxValue, 3L * Term, (3L * Term) - 1, -Term, int.MaxValue];
        foreach (long position in positions)
        {
            long distance = log.At(position) - log.Term(0);
            Assert.That(distance, Is.InRange(0, (3 * Term) - 1), $"position {position}");
        }
    }

    private static LogSpec Spec => new()
    {
        TermLength = Term, Mtu = 1408, InitialTermId = -7, SessionId = 77, StreamId = 1001, WindowLength = 4096,
    };

    private static long Tail(int termId, int offset) => ((long)termId << 32) | (uint)offset;
}
