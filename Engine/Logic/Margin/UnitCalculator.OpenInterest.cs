namespace MarginEngine.Logic;

/// <content>
/// A rate that grows with the open interest of the contract. In whole numbers from end to end: a requirement that comes out whole must not be rounded up to the next
/// unit because 0.2 + 0.8 / 2 is a little more than 0.6 in binary.
/// </content>
public sealed partial class UnitCalculator
{
    // Sums beyond this would leave 128 bits; there a double's rounding does not show.
    private const double LargestSum = 1.6e38;

    private void AddOpenInterest(int addOn, in AddOnTerms terms, in Instrument contract, long lots)
    {
        if (!Notional.TryAtoms(contract, _market.CurrencyAt(_scope.Currency).Decimals, Math.Abs(lots), contract.MarkE8, roundUp: true, out long notional))
        {
            notional = Fixed.Ceiling;
        }

        long rate = Fixed.ToAtoms(terms[1] * Fixed.One), maintenance = Fixed.ToAtoms(terms[2] * Fixed.One);
        long lower = Fixed.ToAtoms(terms[3] * 1e6), upper = Fixed.ToAtoms(terms[4] * 1e6);
        long initial = Fixed.MultiplyCeiling(notional, rate, Fixed.One);
        if (upper > lower && contract.OpenInterest > 0)
        {
            long interest = Notional.Exposure(contract, _market.UnderlyingAt(contract.Underlying), contract.OpenInterest);
            initial = Grown(notional, rate, Math.Clamp(interest, lower, upper) - lower, upper - lower);
        }

        _addOnInitial[addOn] = Fixed.Add(_addOnInitial[addOn], initial);
        _addOnMaintenance[addOn] = Fixed.Add(_addOnMaintenance[addOn], Fixed.MultiplyCeiling(notional, maintenance, Fixed.One));
    }

    // notional (rate + (1 - rate) part / whole), rounded up.
    private static long Grown(long notional, long rateE8, long part, long whole)
    {
        Int128 grown = ((Int128)rateE8 * whole) + ((Int128)(Fixed.One - rateE8) * part);
        Int128 divisor = (Int128)Fixed.One * whole;
        if (notional * (double)grown >= LargestSum)
        {
            return Fixed.CeilingToAtoms(notional * ((double)grown / (double)divisor));
        }

        return Fixed.Saturate(((notional * grown) + divisor - 1) / divisor);
    }
}
