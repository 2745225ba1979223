// The newest margin update of each account, against a dictionary and a list.
using System.Buffers.Binary;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class ConflaterTests
{
    [Test]
    public void Every_account_is_heard_once_in_turn_with_its_newest_update([Values(1, 2, 3, 4)] int seed)
    {
        var random = new Random(seed);
        const int Capacity = 37;
        var conflater = new Conflater(Capacity);
        var newest = new Dictionary<ulong, long>();
        var turn = new List<ulong>();
        for (int step = 0; step < 20_000; step++)
        {
            if (random.Next(3) > 0)
            {
                ulong account = (ulong)random.Next(60) * 0x1_0000_0001;
                bool known = newest.ContainsKey(account);
                Assert.That(conflater.HasRoomFor(account), Is.EqualTo(known || turn.Count < Capacity), $"step {step}, seed {seed}");
                if (!known && turn.Count == Capacity)
                    continue;
                Assert.That(conflater.Put(account, step, 0, Update(account, step)), Is.EqualTo(known), $"step {step}, seed {seed}");
                newest[account] = step;
                if (!known)
                    turn.Add(account);
            }
            else if (conflater.TryPeek(out SlotMessage update))
            {
                Assert.That(update.Bytes.SequenceEqual(Update(turn[0], newest[turn[0]])), Is.True, $"step {step}, seed {seed}");
                Assert.That(update.Sequence, Is.EqualTo(newest[turn[0]]));
                conflater.Remove();
                newest.Remove(turn[0]);
                turn.RemoveAt(0);
            }

            Assert.That(conflater.Count, Is.EqualTo(turn.Count), $"step {step}, seed {seed}");
        }
    }

    private static byte[] Update(ulong account, long step)
    {
        byte[] bytes = new byte[40 + (int)(step % 100)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(0), account);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), step);
        return bytes;
    }
}
