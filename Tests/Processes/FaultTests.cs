// kill -9 and SIGSTOP of real nodes under load, in every mode: alone, durable, fast. A client keeps what it heard and compares it with the
// journals in the end; what a fault costs is time, and that is printed (the promise table of the README).
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tests.PromotionTests;
using NUnit.Framework;

namespace MarginEngine.Tests.ProcessTests;

[NonParallelizable]
public sealed class FaultTests
{
    private const int Step = 150;
    private const int LeaseMillis = 1_000;

    [Test]
    public void A_primary_alone_that_is_killed_or_paused_costs_time_and_nothing_else()
    {
        List<byte[]> script = Script.Messages(ticks: 4_000 * Rounds.Count, seed: 21);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("node")) with { SubscriberGraceMillis = 20_000, RepublishMillis = 100_000 };
        using var client = new PairClient(script, options);
        var watch = new DecisionWatch(client, sides: 1);
        MemberProcess node = new("node", options, directory.Journal("node.json"));
        try
        {
            for (int round = 1; round <= Rounds.Count; round++)
            {
                Advance(client, watch, () => node.Messages);
                watch.Begin();
                node.Kill();
                node.Dispose();
                node = new MemberProcess("node", options, directory.Journal("node.json"));
                Advance(client, watch, () => node.Messages);
                Print("alone", "kill -9 and start", watch);
                watch.Begin();
                Pause(node, watch);
                Advance(client, watch, () => node.Messages);
                Print("alone", $"paused {PauseMillis} ms", watch);
            }

            client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed} of {script.Count}; {node.Messages}");
            Assert.That(node.Stop(), Is.Zero, node.Messages);
            watch.WorkFor(TimeSpan.FromMilliseconds(100));
            Reference reference = Reference.Of(options);
            Assert.That(reference.InputsOf(Script.Source), Is.EqualTo(script), "every input once, in order");
            Successor.AssertNothingMissing(reference, client.Margins, client.Replies);
        }
        finally
        {
            node.Dispose();
        }
    }

    [TestCase(Gate.Both, "durable")]
    [TestCase(Gate.Replica, "fast")]
    public void A_node_of_a_pair_that_is_killed_or_paused_costs_time_and_nothing_else(Gate gate, string mode)
    {
        List<byte[]> script = Script.Messages(ticks: 14_000 * Rounds.Count, seed: 22);
        using var pair = new Pair(gate, LeaseMillis);
        using var client = new PairClient(script, pair.Options);
        var watch = new DecisionWatch(client, sides: 2);
        MemberProcess[] nodes = pair.Start();
        for (int round = 1; round <= Rounds.Count; round++)
        {
            (MemberProcess primary, MemberProcess standby) = Ready(pair, watch, nodes);
            Advance(client, watch, () => pair.Messages);

            watch.Begin();
            Pause(standby, watch);
            Advance(client, watch, () => pair.Messages);
            Print(mode, $"standby paused {PauseMillis} ms", watch);

            watch.Begin();
            standby.Kill();
            nodes[Array.IndexOf(nodes, standby)] = pair.Restart(Array.IndexOf(nodes, standby));
            Advance(client, watch, () => pair.Messages);
            Print(mode, "standby kill -9 and start", watch);

            (primary, standby) = Ready(pair, watch, nodes);
            watch.Begin();
            primary.Kill();
            Advance(client, watch, () => pair.Messages);
            Print(mode, "primary kill -9, standby takes over", watch);
            watch.WorkUntil(() => standby.IsPrimary, () => pair.Messages);
            nodes[Array.IndexOf(nodes, primary)] = pair.Restart(Array.IndexOf(nodes, primary));
        }

        client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed} of {script.Count}; {pair.Messages}");
        (MemberProcess last, _) = Ready(pair, watch, nodes);
        pair.StopAll(client, last);
        pair.AssertOneHistory(client, script);
    }

    [Test]
    public void A_standby_that_was_away_catches_up_while_the_primary_goes_on()
    {
        List<byte[]> script = Script.Messages(ticks: 6_000, seed: 23);
        using var pair = new Pair(Gate.Journal, LeaseMillis, hasWitness: false);
        using var client = new PairClient(script, pair.Options);
        var watch = new DecisionWatch(client, sides: 2);
        MemberProcess primary = pair.Restart(0);
        client.WorkUntil(() => client.Confirmed >= script.Count - 1_000, () => pair.Messages);
        MemberProcess standby = pair.Restart(1);
        watch.Begin();
        watch.WorkUntil(() => Received(standby) > 0, () => pair.Messages);
        long begin = System.Diagnostics.Stopwatch.GetTimestamp();
        long first = Received(standby);
        watch.WorkUntil(() => client.IsDone && Received(standby) >= Received(primary), () => pair.Messages);
        double seconds = System.Diagnostics.Stopwatch.GetElapsedTime(begin).TotalSeconds;
        long records = Received(standby) - first;
        TestContext.Out.WriteLine(
            $"standby from nothing: {records} records in {seconds * 1_000:F0} ms behind its first, {records / seconds:F0} records/s as a status line every 40 ms shows it;"
            + $" the primary's longest silence meanwhile {watch.LongestSilence.TotalMilliseconds:F0} ms");
        client.WorkUntil(() => standby.Status("applied") == primary.Status("received") && pair.HasComparedDigests(standby), () => pair.Messages);
        pair.StopAll(client, primary);
        pair.AssertOneHistory(client, script);
    }

    private const int PauseMillis = 300;

    private static void Pause(MemberProcess node, DecisionWatch watch)
    {
        node.Signal("STOP");
        watch.WorkFor(TimeSpan.FromMilliseconds(PauseMillis));
        node.Signal("CONT");
    }

    private static long Received(MemberProcess node) => long.TryParse(node.Status("received"), out long received) ? received : 0;

    /// <summary>Works until decisions on a good many more inputs were heard.</summary>
    private static void Advance(PairClient client, DecisionWatch watch, Func<string> picture)
    {
        // What was on its way when the fault happened says nothing.
        watch.WorkFor(TimeSpan.FromMilliseconds(100));
        long goal = watch.Newest + Step;
        watch.WorkUntil(() => watch.Newest >= goal, () => $"heard up to {watch.Newest} of {goal}, confirmed {client.Confirmed}; {picture()}");
    }

    private static (MemberProcess Primary, MemberProcess Standby) Ready(Pair pair, DecisionWatch watch, MemberProcess[] nodes)
    {
        watch.WorkUntil(() => nodes.Any(node => node is { HasExited: false, IsPrimary: true, TakesInput: true }), () => pair.Messages);
        MemberProcess primary = nodes.Single(node => node is { HasExited: false, IsPrimary: true }), standby = nodes.Single(node => node != primary);
        watch.WorkUntil(() => pair.IsReady(standby), () => pair.Messages);
        return (primary, standby);
    }

    private static void Print(string mode, string fault, DecisionWatch watch) =>
        TestContext.Out.WriteLine($"{mode}: {fault}: longest silence {watch.LongestSilence.TotalMilliseconds:F0} ms");
}
