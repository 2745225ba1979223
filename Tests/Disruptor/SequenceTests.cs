using Disruptor;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

public sealed class SequenceTests
{
    [Test]
    public void A_new_sequence_is_before_the_first_event() => Assert.That(new Sequence().Value, Is.EqualTo(-1));

    [Test]
    public void Values_are_kept_as_written()
    {
        var sequence = new Sequence(7);
        Assert.That(sequence.Value, Is.EqualTo(7));
        sequence.SetValue(long.MaxValue);
        Assert.That(sequence.Value, Is.EqualTo(long.MaxValue));
        sequence.SetValueVolatile(-1);
        Assert.That(sequence.ToString(), Is.EqualTo("-1"));
    }

    [Test]
    public void Compare_and_set_writes_only_over_the_expected_value()
    {
        var sequence = new Sequence(7);
        Assert.That(sequence.CompareAndSet(6, 8), Is.False);
        Assert.That(sequence.Value, Is.EqualTo(7));
        Assert.That(sequence.CompareAndSet(7, 8), Is.True);
        Assert.That(sequence.Value, Is.EqualTo(8));
    }

    [Test]
    public void Adding_from_several_threads_loses_nothing()
    {
        var sequence = new Sequence(0);
        const int Rounds = 200_000;
        Worker[] workers = [.. Enumerable.Range(0, 3).Select(i => Worker.Start($"adder {i}", () =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                sequence.IncrementAndGet();
                sequence.AddAndGet(2);
            }
        }))];
        Array.ForEach(workers, worker => worker.Join());
        Assert.That(sequence.Value, Is.EqualTo(3L * 3 * Rounds));
    }

    [Test]
    public void A_group_is_as_far_as_its_slowest_member()
    {
        Sequence cursor = new(9), fast = new(5), slow = new(3);
        var group = new DependentSequenceGroup(cursor, fast, slow);
        Assert.That(group.Value, Is.EqualTo(3));
        slow.SetValue(6);
        Assert.That(group.Value, Is.EqualTo(5));
        Assert.That(group.CursorValue, Is.EqualTo(9));
        Assert.That(group.DependsOnCursor, Is.False);
        Assert.That(group.DependentSequenceCount, Is.EqualTo(2));
    }

    [Test]
    public void A_group_of_nobody_follows_the_cursor()
    {
        var group = new DependentSequenceGroup(new Sequence(9));
        Assert.That(group.Value, Is.EqualTo(9));
        Assert.That(group.DependsOnCursor, Is.True);
        Assert.That(group.DependentSequenceCount, Is.Zero);
    }

    [Test]
    public void Groups_compare_by_their_members()
    {
        Sequence cursor = new(), first = new(), second = new();
        var group = new DependentSequenceGroup(cursor, first, second);
        Assert.That(group.HasSameDependencies(new DependentSequenceGroup(cursor, first, second)), Is.True);
        Assert.That(group.HasSameDependencies(new DependentSequenceGroup(cursor, first)), Is.False);
    }
}
