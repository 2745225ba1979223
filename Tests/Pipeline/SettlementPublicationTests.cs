// What moves cash is told like a margin call: in order, every one, however slow the subscriber is.
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class SettlementPublicationTests
{
    private const int Fundings = 1_500;

    [Test]
    public void A_slow_subscriber_gets_every_funding_and_every_settlement_in_order()
    {
        List<byte[]> script = Messages();
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"), Placement.Merged) with { TimeTickMillis = 60_000 };
        options = options with { Output = options.Output! with { Channel = options.Output.Channel + "|term-length=65536" } };
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        world.WorkUntil(() => world.IsConnected, () => $"no connection: {running.Node.Fault}");
        world.Margins.IsDeaf = true;
        foreach (byte[] message in script)
            world.Send(message);
        NodeGauges gauges = running.Node.Gauges;
        world.WorkUntil(
            () => gauges.Applied.Value >= script.Count && gauges.Events(NodeEvent.Conflated) > 0,
            () => $"a deaf subscriber slowed the decider, or nothing was conflated: {running.Node.Status()}");

        world.Margins.IsDeaf = false;
        Reference reference = Reference.Of(options);
        byte[][] wanted = [.. reference.Decisions.Where(IsCash)];
        world.WorkUntil(() => world.Margins.Heard.Count(IsCash) >= wanted.Length, () => $"{running.Node.Status()}");
        Assert.That(world.Margins.Heard.Where(IsCash), Is.EqualTo(wanted));
        Assert.That(wanted.Count(message => Reference.Template(message) == FundingSettledDecoder.TemplateId), Is.EqualTo(Fundings));
        Assert.That(wanted.Count(message => Reference.Template(message) == AccountSettledDecoder.TemplateId), Is.EqualTo(2));
    }

    private static bool IsCash(byte[] message) =>
        Reference.Template(message) is FundingSettledDecoder.TemplateId or AccountSettledDecoder.TemplateId;

    private static List<byte[]> Messages()
    {
        using var desk = new Desk();
        uint perpetual = desk.Perpetual();
        uint put = desk.Option(OptionRight.Put, 60_000m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(Limits.FundAccount);
        desk.Fees(0.0002m, 0.0002m, 0.125m);
        foreach (ulong account in new ulong[] { 1, 2 })
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, 100_000m);
            desk.Fill(account, perpetual, account == 1 ? 3_000 : -3_000, 64_000m);
            desk.Fill(account, put, account == 1 ? 3 : -3, 0.05m);
        }

        for (int round = 0; round < Fundings; round++)
        {
            desk.Now += 1_000_000;
            desk.PayFunding(perpetual, round % 2 == 0 ? 0.0001m : -0.0001m);
        }

        desk.Settle(55_000m);
        return [.. desk.Applied.Select(applied => applied.Message)];
    }
}
