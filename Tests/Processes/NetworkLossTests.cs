// Two real nodes, a source and a subscriber over a network that loses datagrams: slower, and the same history.
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tests.PromotionTests;
using NUnit.Framework;

namespace MarginEngine.Tests.ProcessTests;

[NonParallelizable]
public sealed class NetworkLossTests
{
    [Test]
    public void A_network_that_loses_datagrams_costs_time_and_nothing_else()
    {
        using LossyNetwork network = LossyNetwork.Enter();
        List<byte[]> script = Script.Messages(ticks: 4_000 * Rounds.Count, seed: 31);
        using var pair = new Pair(Gate.Both, leaseMillis: 1_000, hasWitness: false);
        using var client = new PairClient(script, pair.Options);
        var watch = new DecisionWatch(client, sides: 2, messagesASecond: 1_000_000);
        MemberProcess[] nodes = pair.Start();
        watch.WorkUntil(() => watch.Newest > 0, () => pair.Messages);
        watch.Begin();
        watch.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed} of {script.Count}; {pair.Messages}");
        long dropped = network.Dropped;
        TestContext.Out.WriteLine($"{network.Loss}: {dropped} datagrams lost, longest silence {watch.LongestSilence.TotalMilliseconds:F0} ms");
        Assert.That(dropped, Is.Positive, "nothing was lost");
        watch.WorkUntil(() => pair.IsReady(nodes[1]), () => pair.Messages);
        pair.StopAll(client, nodes[0]);
        pair.AssertOneHistory(client, script);
    }
}
