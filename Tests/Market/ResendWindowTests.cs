using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

[Parallelizable(ParallelScope.Self)]
public class ResendWindowTests
{
    [Test]
    public void Messages_come_out_in_order_and_again_after_a_rewind()
    {
        var window = new ResendWindow(8, 1_000);
        for (byte i = 1; i <= 5; i++)
            window.Append([i, i]);
        Assert.That(Drain(window), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5 }));
        window.Release(2);
        Assert.That(window.Rewind(1), Is.EqualTo(3UL), "confirmed messages are not sent again");
        Assert.That(Drain(window), Is.EqualTo(new byte[] { 3, 4, 5 }));
        Assert.That(window.Rewind(6), Is.Zero);
        window.Release(99);
        Assert.That(window.IsAllConfirmed, Is.True);
        Assert.That(window.Last, Is.EqualTo(5UL));
    }

    [Test]
    public void A_full_window_refuses_until_something_is_confirmed()
    {
        var window = new ResendWindow(4, 100);
        for (byte i = 1; i <= 4; i++)
        {
            Assert.That(window.HasRoom(1, 1, 1), Is.True);
            window.Append([i]);
        }
        Assert.That(window.HasRoom(1, 1, 1), Is.False, "places");
        window.Release(1);
        Assert.That(window.HasRoom(1, 1, 1), Is.True);
        Assert.That(window.HasRoom(1, 97, 97), Is.False, "bytes");
    }

    [Test]
    public void Random_traffic_never_damages_a_message_that_is_still_held()
    {
        const int Seed = 9;
        var random = new Random(Seed);
        var window = new ResendWindow(64, 700);
        var model = new SortedDictionary<ulong, byte[]>();
        for (int round = 0; round < 50_000; round++)
        {
            switch (random.Next(4))
            {
                case 0:
                case 1:
                    byte[] message = new byte[1 + random.Next(60)];
                    random.NextBytes(message);
                    if (!window.HasRoom(1, message.Length, message.Length))
                        break;
                    window.Append(message);
                    model.Add(window.Last, message);
                    break;
                case 2:
                    ulong upTo = window.First + (ulong)random.Next(5) - 1;
                    window.Release(upTo);
                    foreach (ulong gone in model.Keys.Where(key => key < window.First).ToArray())
                        model.Remove(gone);
                    break;
                default:
                    window.Rewind(window.First + (ulong)random.Next(4));
                    break;
            }
            for (int i = random.Next(4); i > 0 && !window.IsAllSent; i--)
            {
                Assert.That(window.Peek().ToArray(), Is.EqualTo(model[window.Next]), $"round {round} seed {Seed}");
                window.MarkSent();
            }
            if (window.IsAllConfirmed)
                Assert.That(window.HasRoom(1, 60, 60), Is.True, $"round {round} seed {Seed}");
        }
        Assert.That(window.Last, Is.GreaterThan(5_000UL));
    }

    private static byte[] Drain(ResendWindow window)
    {
        var first = new List<byte>();
        for (; !window.IsAllSent; window.MarkSent())
            first.Add(window.Peek()[0]);
        return [.. first];
    }
}
