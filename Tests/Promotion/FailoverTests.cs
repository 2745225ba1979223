// Two real processes and a lease: the primary is killed, or stopped and woken again, under load. What a client heard stays true,
// nothing is missing, and never do two primaries speak in overlapping times.
using System.Diagnostics;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tool.Audit;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class FailoverTests
{
    private const int LeaseMillis = 2_000;
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("MARGIN_FAILOVER_ROUNDS"), out int rounds) && rounds > 0 ? rounds : 3;

    [Test]
    public void A_primary_that_is_killed_is_replaced_and_comes_back_as_the_standby_again_and_again()
    {
        const int Seed = 20_260_205;
        var random = new Random(Seed);
        using var pair = new Pair(Gate.Both, LeaseMillis);
        List<byte[]> script = Script.Messages(ticks: 1_000 * (Rounds + 1), seed: Seed);
        using var client = new PairClient(script, pair.Options);
        MemberProcess[] nodes = pair.Start();
        List<double> silences = [];
        for (int round = 1; round <= Rounds; round++)
        {
            MemberProcess first = pair.Primary(client), second = nodes.Single(node => node != first);
            int side = Array.IndexOf(nodes, first);
            client.WorkUntil(() => second.Status("role") == "standby" && pair.IsReady(second), () => pair.Messages);
            int goal = Math.Min(script.Count, client.Confirmed + random.Next(200, 900));
            client.WorkUntil(() => client.Confirmed >= goal, () => $"round {round}: confirmed {client.Confirmed} of {goal}; {pair.Messages}");
            int before = client.Heard(1 - side);
            first.Kill();
            long begin = Stopwatch.GetTimestamp();
            client.WorkUntil(() => client.Heard(1 - side) > before, () => $"round {round}: nobody took over; {pair.Messages}");
            silences.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            nodes[side] = pair.Restart(side);
        }

        client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed} of {script.Count}; {pair.Messages}");
        MemberProcess last = pair.Primary(client);
        client.WorkUntil(() => pair.IsReady(nodes.Single(node => node != last)), () => pair.Messages);
        TestContext.Out.WriteLine(
            $"{Rounds} kills, seed {Seed}, lease {LeaseMillis} ms: silence {string.Join(", ", silences.Select(silence => $"{silence:F0}"))} ms;"
            + $" {client.Margins.Count() + client.Replies.Count()} messages heard, {client.Duplicates} of them twice");
        pair.StopAll(client, last);
        pair.AssertOneHistory(client, script);
    }

    [Test]
    public void A_primary_that_is_stopped_past_its_lease_says_nothing_when_it_wakes_and_comes_back_as_the_standby()
    {
        using var pair = new Pair(Gate.Both, LeaseMillis);
        List<byte[]> script = Script.Messages(ticks: 1_500, seed: 3);
        using var client = new PairClient(script, pair.Options);
        MemberProcess[] nodes = pair.Start();
        MemberProcess first = pair.Primary(client), second = nodes.Single(node => node != first);
        int side = Array.IndexOf(nodes, first);
        client.WorkUntil(() => pair.IsReady(second) && client.Confirmed >= 300, () => pair.Messages);
        first.Signal("STOP");
        client.WorkUntil(() => second.TakesInput && client.Heard(1 - side) > 0, () => $"nobody took over; {pair.Messages}");
        for (int i = 0; i < 500; i++)
            client.Work(0);
        int heard = client.Heard(side);
        first.Signal("CONT");
        client.WorkUntil(() => first.HasExited, () => $"the woken primary goes on; {pair.Messages}");
        for (int i = 0; i < 500; i++)
            client.Work(0);
        Assert.That(client.Heard(side), Is.EqualTo(heard), "said by the woken primary after its lease");
        Assert.That(first.ExitCode, Is.EqualTo(Tool.Shell.ExitCode.Unreachable));
        Assert.That(first.Messages, Does.Contain("LeaseLostException").And.Contain("is not held any more"));
        nodes[side] = pair.Restart(side);
        client.WorkUntil(() => client.IsDone && pair.IsReady(nodes[side]), () => $"confirmed {client.Confirmed}; {pair.Messages}");
        pair.StopAll(client, second);
        pair.AssertOneHistory(client, script);
    }

    [Test]
    public void A_primary_that_ends_in_order_hands_over_at_once()
    {
        using var pair = new Pair(Gate.Both, leaseMillis: 60_000);
        List<byte[]> script = Script.Messages(ticks: 600, seed: 4);
        using var client = new PairClient(script, pair.Options);
        MemberProcess[] nodes = pair.Start();
        MemberProcess first = pair.Primary(client), second = nodes.Single(node => node != first);
        client.WorkUntil(() => pair.IsReady(second) && client.Confirmed >= 300, () => pair.Messages);
        Task<int> ending = Task.Run(first.Stop);
        client.WorkBusily(() => ending.IsCompleted && second.TakesInput, () => $"nobody took over, long before the lease can run out; {pair.Messages}");
        Assert.That(ending.Result, Is.Zero, first.Messages);
        client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed}; {pair.Messages}");
        pair.StopAll(client, second);
        Successor.AssertNothingMissing(Reference.Of(pair.Options[Array.IndexOf(nodes, second)]), client.Margins, client.Replies);
    }

    [Test]
    public void Without_a_witness_a_standby_takes_over_on_command_and_only_when_its_primary_is_gone()
    {
        using var pair = new Pair(Gate.Both, LeaseMillis, hasWitness: false);
        List<byte[]> script = Script.Messages(ticks: 600, seed: 6);
        using var client = new PairClient(script, pair.Options);
        MemberProcess[] nodes = pair.Start();
        Assert.That(pair.Primary(client), Is.SameAs(nodes[0]));
        client.WorkUntil(() => pair.IsReady(nodes[1]) && client.Confirmed >= 300, () => pair.Messages);
        CommandTests.CommandResult tooEarly = Promote(client, pair.Options[1]);
        Assert.That(tooEarly.Code, Is.EqualTo(Tool.Shell.ExitCode.Refused), tooEarly.ToString());
        Assert.That(tooEarly.Error, Does.Contain("not promoted: the primary is alive"));
        CommandTests.CommandResult wrong = Promote(client, pair.Options[0]);
        Assert.That(wrong.Error, Does.Contain("not promoted: it is the primary"), wrong.ToString());
        nodes[0].Kill();
        Assert.That(Promote(client, pair.Options[0]).Code, Is.EqualTo(Tool.Shell.ExitCode.Unreachable), "nobody runs there");
        CommandTests.CommandResult promoted = tooEarly;
        client.WorkUntil(() => (promoted = Promote(client, pair.Options[1])).Code == Tool.Shell.ExitCode.Done, () => $"{promoted} {pair.Messages}");
        Assert.That(promoted.Out, Does.Contain("promoted: primary of epoch 2"));
        client.WorkUntil(() => client.IsDone, () => $"confirmed {client.Confirmed}; {pair.Messages}");
        pair.StopAll(client, nodes[1]);
        Successor.AssertNothingMissing(Reference.Of(pair.Options[1]), client.Margins, client.Replies);
    }

    // The client goes on hearing meanwhile: one that is silent for seconds counts as gone.
    private static CommandTests.CommandResult Promote(PairClient client, NodeOptions node)
    {
        Task<CommandTests.CommandResult> command = Task.Run(() => CommandTests.MarginCommand.Run("promote", node.Journal.Directory));
        client.WorkUntil(() => command.IsCompleted, () => "the command does not end");
        return command.Result;
    }

    [Test]
    public void A_standby_whose_primary_did_not_wait_for_it_does_not_take_over_and_says_why()
    {
        using var pair = new Pair(Gate.Journal, LeaseMillis);
        List<byte[]> script = Script.Messages(ticks: 300, seed: 5);
        using var client = new PairClient(script, pair.Options);
        MemberProcess[] nodes = pair.Start();
        MemberProcess first = pair.Primary(client), second = nodes.Single(node => node != first);
        client.WorkUntil(() => client.IsDone && pair.HasComparedDigests(second), () => pair.Messages);
        first.Kill();
        // Before it had heard its primary it had other reasons, and told them.
        client.WorkUntil(() => second.Messages.Contains("the primary's gate did not wait for this standby", StringComparison.Ordinal), () => pair.Messages);
        Assert.That(second.Messages, Does.Contain("acceptLoss"));
        Assert.That(second.IsPrimary, Is.False);
        CommandTests.CommandResult refused = Promote(client, pair.Options[Array.IndexOf(nodes, second)]);
        Assert.That(refused.Code, Is.EqualTo(Tool.Shell.ExitCode.Refused), refused.ToString());
        CommandTests.CommandResult forced = CommandTests.MarginCommand.Run(
            "promote", pair.Options[Array.IndexOf(nodes, second)].Journal.Directory, "--force", "the test wants it");
        Assert.That(forced.Code, Is.Zero, forced.ToString());
        client.WorkUntil(() => second.TakesInput, () => pair.Messages);
        Assert.That(second.Messages, Does.Contain("promotion was forced: the test wants it"));
    }
}
