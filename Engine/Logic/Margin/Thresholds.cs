using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Which state a margin ratio puts an account in. Worse at once, better only when the ratio is clear of the threshold by the hysteresis.</summary>
public static class Thresholds
{
    public static AccountState Next(CompiledModel rules, AccountState current, long ratioE8)
    {
        AccountState reached = Reached(rules, ratioE8);
        if (reached >= current)
        {
            return reached;
        }

        AccountState next = current;
        while (next > reached && ratioE8 < rules.ThresholdE8[(int)next] - rules.HysteresisE8)
        {
            next--;
        }

        return next;
    }

    private static AccountState Reached(CompiledModel rules, long ratioE8)
    {
        for (AccountState state = AccountState.Liquidation; state > AccountState.Healthy; state--)
        {
            if (ratioE8 >= rules.ThresholdE8[(int)state])
            {
                return state;
            }
        }

        return AccountState.Healthy;
    }

    /// <summary>Micro-USD of equity that would bring the ratio back below the warning threshold, hysteresis included; 0: none is missing.</summary>
    public static long Shortfall(CompiledModel rules, in AccountMargin margin)
    {
        long wanted = rules.ThresholdE8[(int)AccountState.Warning] - rules.HysteresisE8;
        long equity = Fixed.MultiplyCeiling(margin.Maintenance, Fixed.One, wanted);
        return Math.Max(0, Fixed.Add(equity + 1, -margin.Equity));
    }
}
