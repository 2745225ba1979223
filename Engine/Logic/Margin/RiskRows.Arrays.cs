namespace MarginEngine.Logic;

/// <content>
/// Rows that a clearing house has published, in place of rows priced here. The value of a lot, its notional and its Greeks stay those of the market; an option whose
/// volatility nobody tells is worth its mark, where the model measures from marks, and has no Greeks but its published delta.
/// </content>
public sealed unsafe partial class RiskRows
{
    // False: the array is of another table of rows, or the contract has no price at all.
    private bool TryTakeArray(CompiledModel rules, int instrument, in Instrument contract, double scale, Span<double> row, ref LotRisk risk)
    {
        if (contract.ArrayRows != rules.RowCount || (risk.IsUnpriced && !TryTakeMark(rules, contract, scale, ref risk)))
        {
            return false;
        }

        // 10^exponent units of the currency are scale * 10^exponent atoms; both powers are exact.
        double divisor = Fixed.Power10(-contract.ArrayExponent);
        ReadOnlySpan<long> profits = _market.Arrays.Of(instrument, contract.ArrayRows);
        for (int index = 0; index < profits.Length; index++)
        {
            row[index] = profits[index] * scale / divisor;
        }

        risk.DeltaBase = Fixed.ToDouble(contract.ArrayDeltaE8);
        return true;
    }

    private bool TryTakeMark(CompiledModel rules, in Instrument contract, double scale, ref LotRisk risk)
    {
        double index = _market.UnderlyingAt(contract.Underlying).Index;
        if (!contract.IsOption || !rules.MeasuresFromMark || contract.MarkE8 == 0 || index <= 0.0 || !rules.Underlyings[contract.Underlying].IsNamed)
        {
            return false;
        }

        double size = Fixed.ToDouble(contract.SizeE8);
        risk.RemembersIndex = true;
        risk.RememberedIndex = _market.UnderlyingAt(contract.Underlying).Price;
        risk.Value = size * Fixed.ToDouble(contract.MarkE8) * scale;
        risk.Notional = contract.IsInverse ? size * scale : size * index * scale;
        risk.DeltaUsd = Fixed.ToDouble(contract.ArrayDeltaE8) * index;
        return true;
    }
}
