using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <summary>
/// The first model that shipped, as the message that models first came in: nine prices by three volatilities, eight tails, roll and delta shock,
/// BTC and ETH. No tool writes this message any more; journals that carry it must replay.
/// </summary>
internal static class FirstModel
{
    private static readonly decimal[] Tails = [-0.66m, -0.33m, 0.5m, 1, 2, 3, 4, 5];

    public static byte[] Message(ulong originSequence, ulong eventTime, ushort source, uint version = 1)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        MarginModelEncoder model = MarginModelEncoder.Wrap(buffer);
        model.SetOrigin(originSequence, eventTime, source, OriginFlags.EndOfEvent);
        model.ModelId = 1;
        model.ModelVersion = version;
        model.SetName("portfolio");
        model.SetMaintenanceFactor(Desk.E8(0.8m));
        model.SetShortTermPower(Desk.E8(0.30m));
        model.SetLongTermPower(Desk.E8(0.13m));
        model.SetTermFloorDays(Desk.E8(1));
        model.SetLiquidationFee(Desk.E8(0.0005m));
        model.SetLiquidationSlippage(Desk.E8(0.0005m));
        model.SetWarningRatio(Desk.E8(0.70m));
        model.SetMarginCallRatio(Desk.E8(0.85m));
        model.SetReduceOnlyRatio(Desk.E8(0.95m));
        model.SetLiquidationRatio(Desk.E8(1.0m));
        model.SetHysteresis(Desk.E8(0.02m));
        model.SetTargetRatio(Desk.E8(0.80m));
        model.StalePriceNanos = 180_000_000_000;
        model.StaleVolatilityNanos = 1_200_000_000_000;
        model.RepriceNanos = 60_000_000_000;
        model.SetPublishRatioStep(Desk.E8(0.001m));
        model.RefreshNanos = 1_000_000_000;
        model.LiquidationRetryNanos = 2_000_000_000;
        WriteRows(model);
        MarginModelEncoder.UnderlyingsEncoder underlyings = model.UnderlyingsCount(2);
        WriteUnderlying(underlyings[0], 1, 0.16m, 0.50m, 100_000, 0.01m, 0.075m, 50_000_000);
        WriteUnderlying(underlyings[1], 2, 0.18m, 0.40m, 200_000, 0.005m, 0.05m, 4_000_000);
        MarginModelEncoder.CollateralsEncoder collaterals = model.CollateralsCount(3);
        (ushort Currency, decimal Haircut)[] haircuts = [(Desk.Usd, 0), (Desk.Btc, 0.05m), (Desk.Eth, 0.08m)];
        for (int index = 0; index < haircuts.Length; index++)
        {
            MarginModelEncoder.CollateralsEncoder.Entry entry = collaterals[index];
            entry.CurrencyId = haircuts[index].Currency;
            entry.SetHaircut(Desk.E8(haircuts[index].Haircut));
        }

        return buffer[..model.EncodedLength];
    }

    private static void WriteRows(in MarginModelEncoder model)
    {
        VolatilityShock[] shocks = [VolatilityShock.Down, VolatilityShock.None, VolatilityShock.Up];
        MarginModelEncoder.ScenariosEncoder rows = model.ScenariosCount(27 + Tails.Length);
        for (int index = 0; index < 27; index++)
        {
            MarginModelEncoder.ScenariosEncoder.Entry row = rows[index];
            row.SetSpotShock(Desk.E8(-1 + (0.25m * (index / 3))));
            row.SpotScale = ShockScale.PriceRange;
            row.VolatilityShock = shocks[index % 3];
            row.Extended = 0;
        }

        for (int index = 0; index < Tails.Length; index++)
        {
            MarginModelEncoder.ScenariosEncoder.Entry row = rows[27 + index];
            row.SetSpotShock(Desk.E8(Tails[index]));
            row.SpotScale = ShockScale.Absolute;
            row.VolatilityShock = VolatilityShock.Up;
            row.Extended = 1;
        }
    }

    private static void WriteUnderlying(
        MarginModelEncoder.UnderlyingsEncoder.Entry entry, ushort id, decimal range, decimal up, long dampenerUsd, decimal minimumMove, decimal moveRisk,
        long incrementE12)
    {
        entry.UnderlyingId = id;
        entry.SetPriceRange(Desk.E8(range));
        entry.SetVolatilityUp(Desk.E8(up));
        entry.SetVolatilityDown(Desk.E8(0.25m));
        entry.SetMinimumVolatilityUp(Desk.E8(0.50m));
        entry.SetExtendedFactor(Desk.E8(1));
        entry.SetExtendedDampener(dampenerUsd * 1_000_000);
        entry.SetMinimumAnnualisedMove(Desk.E8(minimumMove));
        entry.SetAnnualisedMoveRisk(Desk.E8(moveRisk));
        entry.SetDeltaThreshold(20_000_000L * 1_000_000);
        entry.SetMaximumDeltaShock(Desk.E8(0.10m));
        entry.SetDeltaIncrement(incrementE12);
    }
}
