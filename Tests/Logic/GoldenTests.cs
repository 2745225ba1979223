using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>
/// Runs whose decisions and state were written down when the schema had version 1. A journal that uses nothing newer is decided the same
/// for ever: these constants do not change with the code.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class GoldenTests
{
    private const ushort FirstVersion = 1;

    // What version 1 had: origin, account, model. Later fields stand behind it.
    private const int AccountBlockBytes = OriginDecoder.EncodedLength + 8 + 2;

    // Capacities as they were then: refreshes had no bound in positions, the state was one digest.
    private static readonly Limits s_first = Limits.Small with { RefreshPositions = Limits.MostRefreshPositions, Digest = 1 };

    private static readonly (string Name, Func<Desk> Run, ulong Decisions, ulong State)[] Runs =
    [
        ("twenty accounts under a random walk", () => Desk.Lively(seed: 11, ticks: 600, limits: s_first, firstModel: true), 0xa5d16f812840c4e0, 0x506e5d656a77f613),
        ("liquidation, deleveraging and a settled expiry", Crash, 0xfd6704efffc9b43b, 0x7c008c3717643cc1),
    ];

    private static IEnumerable<TestCaseData> Cases() => Runs.Select((run, index) => new TestCaseData(index).SetName($"Golden: {run.Name}"));

    [TestCaseSource(nameof(Cases))]
    public void What_was_decided_in_version_1_is_decided_still(int index)
    {
        (string name, Func<Desk> run, ulong decisions, ulong state) = Runs[index];
        using Desk desk = run();
        using Desk old = new(s_first, withMarket: false);
        foreach ((long time, byte[] message) in desk.Applied)
        {
            old.Now = time;
            old.Apply(AsFirstVersion(message));
        }

        Assert.Multiple(() =>
        {
            Assert.That($"{old.Machine.DecisionDigest:x16}", Is.EqualTo($"{decisions:x16}"), $"decisions of {name}");
            Assert.That($"{old.Machine.StateDigest():x16}", Is.EqualTo($"{state:x16}"), $"state after {name}");
            Assert.That(
                (desk.Machine.DecisionDigest, desk.Machine.StateDigest()),
                Is.EqualTo((old.Machine.DecisionDigest, old.Machine.StateDigest())),
                "the newest encoders say the same");
        });
    }

    [Test]
    public void The_golden_crash_has_every_kind_of_decision()
    {
        using Desk desk = Crash();
        ushort[] heard = [.. desk.Heard.Select(message => BitConverter.ToUInt16(message, 2)).Distinct()];
        Assert.That(heard, Is.EquivalentTo(new[]
        {
            MarginUpdateDecoder.TemplateId, MarginCallDecoder.TemplateId, LiquidationInstructionDecoder.TemplateId, PreTradeAnswerDecoder.TemplateId,
            RejectDecoder.TemplateId, FundEventDecoder.TemplateId, DeleveragingDecoder.TemplateId, RiskArrayDecoder.TemplateId, HeartbeatDecoder.TemplateId,
        }));
    }

    // Who is long, who is short; the mark falls, the long one is closed out, the fund runs dry, the winners pay; what is left expires.
    private static Desk Crash()
    {
        Desk desk = new(s_first, firstModel: true);
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        uint inverse = desk.Perpetual();
        uint put = desk.Option(OptionRight.Put, 60_000m);
        uint call = desk.Option(OptionRight.Call, 56_000m, Desk.Usd, size: 0.001m);
        uint future = desk.Instrument(InstrumentKind.Future, Settlement.Inverse, 1, Desk.Btc, 10, expiry: Desk.Expiry, symbol: "BTC-27MAR26");
        desk.Forward(64_500m);
        foreach (uint linear in new[] { perpetual, inverse, future })
        {
            desk.Mark(linear, 64_000m);
        }

        desk.Volatility(put, 0.5m);
        desk.Volatility(call, 0.5m);
        desk.Open(Limits.FundAccount);
        desk.Transfer(Limits.FundAccount, Desk.Usd, 1_000);
        foreach ((ulong account, long lots, decimal collateral) in new[] { (5UL, 1_000L, 10_000m), (6UL, -300L, 50_000m), (7UL, -700L, 50_000m) })
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, collateral);
            desk.Fill(account, perpetual, lots, 64_000m, fee: 1.25m);
        }

        desk.Transfer(6, Desk.Btc, 1);
        desk.Configure(6, model: 1);
        desk.Fill(6, put, 7, 0.03m);
        desk.Fill(7, put, -7, 0.03m);
        desk.Fill(6, call, -300, 9_000m, fee: 0.5m);
        desk.Fill(7, call, 300, 9_000m);
        desk.Fill(6, future, 1_234, 64_100m);
        desk.Fill(7, future, -1_234, 64_100m);
        desk.Order(6, inverse, 200, 61_000m, order: 1);
        desk.Order(6, put, 3, 0.02m, order: 2);
        desk.Ask(7, inverse, 500, 63_000m);
        desk.Mark(perpetual, 50_000m);
        byte[] message = desk.Of(LiquidationInstructionDecoder.TemplateId).Single();
        LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder instruction);
        desk.LiquidationFill(5, perpetual, -instruction.Legs[0].Quantity, 50_000m, instruction.LiquidationId, fee: 50);
        desk.Now += 3 * Desk.Second;
        desk.Index(51_000m, flags: OriginFlags.None);
        desk.Mark(inverse, 51_010m, flags: OriginFlags.None);
        desk.Forward(51_100m);
        desk.Settle(51_234.56m);
        desk.Settle(51_234.56m);
        desk.Cancel(6, 1);
        desk.Transfer(6, Desk.Usd, -1_000_000);
        desk.Now += 3 * Desk.Second;
        desk.Time((ulong)desk.Now);
        return desk;
    }

    private static byte[] AsFirstVersion(byte[] message)
    {
        byte[] old = [.. message];
        BitConverter.TryWriteBytes(old.AsSpan(6), FirstVersion);
        if (BitConverter.ToUInt16(old, 2) is not (AccountOpenDecoder.TemplateId or AccountConfigureDecoder.TemplateId))
        {
            return old;
        }

        BitConverter.TryWriteBytes(old, (ushort)AccountBlockBytes);
        return old[..(MessageHeaderDecoder.EncodedLength + AccountBlockBytes)];
    }
}
