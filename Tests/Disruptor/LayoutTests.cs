using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>Where things lie in memory: alignment of slots, distance between words that different threads write.</summary>
public sealed unsafe class LayoutTests
{
    [TestCase(1, 64)]
    [TestCase(2, 64)]
    [TestCase(1024, 64)]
    [TestCase(1024, 128)]
    [TestCase(64, 256)]
    [TestCase(8, 4096)]
    public void Every_slot_starts_on_a_cache_line(int count, int size)
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(count, size);
        var ring = new UnmanagedRingBuffer<Stamp>(memory, ProducerType.Single, new YieldingWaitStrategy());
        for (long sequence = 0; sequence < 2L * count; sequence++)
        {
            var address = (nuint)Unsafe.AsPointer(ref ring[sequence]);
            Assert.That((long)(address % 64), Is.Zero, $"slot {sequence} at {address}");
        }
    }

    [Test]
    public void Slots_are_as_far_apart_as_the_event_size_and_repeat_after_the_ring_size()
    {
        using var ring = new TestRing<Stamp>(8, slotBytes: 192);
        for (long sequence = 0; sequence < 8; sequence++)
        {
            nint offset = Unsafe.ByteOffset(ref ring.Ring[0], ref ring.Ring[sequence]);
            Assert.That((long)offset, Is.EqualTo(sequence * 192), $"slot {sequence}");
            Assert.That(Unsafe.AreSame(ref ring.Ring[sequence], ref ring.Ring[sequence + 8]), Is.True, $"slot {sequence} one lap later");
        }
    }

    [Test]
    public void New_memory_is_zero()
    {
        for (int round = 0; round < 20; round++)
        {
            using var memory = UnmanagedRingBufferMemory.Allocate(64, 128);
            var bytes = new Span<byte>((void*)memory.PointerToFirstEvent, 64 * 128);
            Assert.That(bytes.IndexOfAnyExcept((byte)0), Is.EqualTo(-1), $"round {round}");
            bytes.Fill(0xA5);
        }
    }

    [TestCase(1 << 26, 64, 4_294_967_296)]
    [TestCase(1 << 30, 4096, 4_398_046_511_104)]
    [TestCase(int.MaxValue, int.MaxValue, 4_611_686_014_132_420_609)]
    public void The_size_in_bytes_does_not_wrap(int count, int size, long bytes) =>
        Assert.That((long)UnmanagedRingBufferMemory.ByteCount(count, size), Is.EqualTo(bytes));

    [Test]
    public void Memory_that_is_not_to_be_had_is_refused() =>
        Assert.That(() => UnmanagedRingBufferMemory.Allocate(int.MaxValue, int.MaxValue), Throws.TypeOf<OutOfMemoryException>());

    [TestCase(0, 64)]
    [TestCase(-1, 64)]
    [TestCase(64, 0)]
    [TestCase(64, -64)]
    public void A_size_that_is_not_positive_is_refused(int count, int size) =>
        Assert.That(() => UnmanagedRingBufferMemory.Allocate(count, size), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_factory_fills_every_slot_and_ToArray_copies_them()
    {
        long next = 0;
        using var memory = UnmanagedRingBufferMemory.Allocate(16, () => new Stamp { Sequence = next++ });
        Assert.That(Array.ConvertAll(memory.ToArray<Stamp>(), stamp => stamp.Sequence), Is.EqualTo(Enumerable.Range(0, 16)));
        Assert.That(() => memory.ToArray<WideStamp>(), Throws.InvalidOperationException.With.Message.Contains("256"));
    }

    [Test]
    public void Memory_can_be_disposed_twice_and_not_used_afterwards()
    {
        var memory = UnmanagedRingBufferMemory.Allocate(16, 64);
        memory.Dispose();
        memory.Dispose();
        Assert.That(() => memory.PointerToFirstEvent, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_slot_smaller_than_the_event_is_refused()
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(16, 32);
        Assert.That(
            () => new UnmanagedRingBuffer<Stamp>(memory, ProducerType.Single, new YieldingWaitStrategy()),
            Throws.ArgumentException.With.Message.Contains("64").And.Message.Contains("32"));
    }

    [Test]
    public void A_ring_made_of_memory_keeps_it_reachable()
    {
        (UnmanagedRingBuffer<Stamp> ring, WeakReference memory) = RingOfForgottenMemory();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.That(memory.IsAlive, Is.True);
        ring[3].Sequence = 3;
        Assert.That(ring[3].Sequence, Is.EqualTo(3));
        ((UnmanagedRingBufferMemory)memory.Target!).Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (UnmanagedRingBuffer<Stamp> Ring, WeakReference Memory) RingOfForgottenMemory()
    {
        var memory = UnmanagedRingBufferMemory.Allocate(16, 64);
        return (new UnmanagedRingBuffer<Stamp>(memory, ProducerType.Single, new YieldingWaitStrategy()), new WeakReference(memory));
    }

    [Test]
    public void A_sequence_has_128_bytes_without_other_writers_on_each_side()
    {
        Dictionary<string, int> offsets = OffsetsOf(typeof(Sequence));
        Assert.That(offsets.Values.Min(), Is.EqualTo(offsets["_value"]), "nothing before the value");
        Assert.That(offsets["_value"] + MethodTableBytes, Is.GreaterThanOrEqualTo(128));
        Assert.That(SmallestDistance(() => new Sequence()) - offsets["_watchers"], Is.GreaterThanOrEqualTo(128 + 8 + MethodTableBytes));
    }

    [Test]
    public void The_producers_words_are_128_bytes_from_what_consumers_read()
    {
        Dictionary<string, int> offsets = OffsetsOf(typeof(SingleProducerSequencer));
        string[] producers = ["_nextValue", "_cachedGating"];
        int sharedEnd = offsets.Where(field => !producers.Contains(field.Key) && field.Key != "End").Max(field => field.Value) + 8;
        Assert.That(producers.Min(name => offsets[name]) - sharedEnd, Is.GreaterThanOrEqualTo(128), "before");
        int behind = SmallestDistance(() => new SingleProducerSequencer(2)) - producers.Max(name => offsets[name]);
        Assert.That(behind, Is.GreaterThanOrEqualTo(128 + 8 + MethodTableBytes), "behind");
    }

    private const int MethodTableBytes = 8;

    private static Dictionary<string, int> OffsetsOf(Type type) => type
        .GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
        .ToDictionary(field => field.Name, field => field.GetCustomAttribute<FieldOffsetAttribute>()!.Value);

    /// <summary>
    /// Bytes that the runtime really gives an object: objects that one thread allocates in a row lie side by side, so no two of
    /// many are closer. (It ignores StructLayout.Size on classes with references.)
    /// </summary>
    private static int SmallestDistance(Func<object> create)
    {
        object[] objects = [.. Enumerable.Range(0, 200).Select(_ => create())];
        long smallest = long.MaxValue;
        for (int i = 0; i < objects.Length; i++)
        {
            for (int j = 0; j < i; j++)
                smallest = Math.Min(smallest, Math.Abs((long)(AddressOf(objects[i]) - AddressOf(objects[j]))));
        }

        return (int)smallest;
    }

    private static nint AddressOf(object target) => *(nint*)Unsafe.AsPointer(ref target);
}
