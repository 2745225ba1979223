using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>
/// What happens to the options of an expiry as a sum, under models that discount by policy or take sizes in skew rows. With v the value of lots now, w in a row,
/// l and s the factors of long and short sums, a fill of n lots moves a row by f(A + n w) - f(A) - n v with l &lt;= f' &lt;= s; an order counts n (w - v) only.
/// </summary>
internal static class ExpirySumTerms
{
    /// <summary>
    /// Atoms by which the rows can lose more after a fill than an order of it said:
    /// <code>
    /// discounted rows   max(1 - l, s - 1) |n| w
    /// skew rows         the same + max(0, n (w - v)), because there a gain costs as much as a loss
    /// </code>
    /// </summary>
    public static double Excess(Stage stage, ModelDocument document, UnitReport filled, BookOrder order)
    {
        BookInstrument contract = stage.Book.Instrument(order.InstrumentId);
        if (!contract.IsOption || !Sums(document))
        {
            return 0.0;
        }

        (double[] changes, double value) = OfLots(stage, document.Name, order);
        (double longFactor, double shortFactor) = Factors(stage.Book, document, contract);
        double largest = 0.0;
        foreach (RowReport row in filled.Rows.Where(row => row.IsMeasured))
        {
            double worth = Math.Abs(value + changes[row.Index]);
            double excess = Math.Max(1.0 - longFactor, shortFactor - 1.0) * worth;
            excess += IsSkew(row) ? Math.Max(0.0, changes[row.Index]) : 0.0;
            largest = Math.Max(largest, row.Weight * excess);
        }

        return largest;
    }

    public static bool Sums(ModelDocument document) => document["policyDiscount"] is not null || document["skew"] is not null;

    public static bool IsSkew(RowReport row) => row.Volatility is Codecs.VolatilityShock.LinearSkew or Codecs.VolatilityShock.AbsoluteSkew;

    /// <summary>l and s of a contract's expiry: long static e^(-T (r m + a)); short the smaller of e^(r T) and static e^(T (r m + a)); 1 where the document is silent.</summary>
    public static (double Long, double Short) Factors(RandomBook book, ModelDocument document, BookInstrument option)
    {
        double years = (double)book.Years(option);
        double rate = Math.Max((double)book.Currency(option.CurrencyId).Rate, 0.0);
        double Term(string name) => (double)document.Number($"policyDiscount.{name}");
        double longFactor = Term("longStatic") > 0.0 ? Term("longStatic") * Math.Exp(-years * ((rate * Term("longRateMultiple")) + Term("longRateAdd"))) : 1.0;
        double shortFactor = Term("shortStatic") > 0.0
            ? Math.Min(Math.Exp(rate * years), Term("shortStatic") * Math.Exp(years * ((rate * Term("shortRateMultiple")) + Term("shortRateAdd"))))
            : 1.0;
        return (longFactor, shortFactor);
    }

    /// <summary>Changes by row and value of lots alone, in atoms.</summary>
    public static (double[] Changes, double Value) OfLots(Stage stage, string model, BookOrder order)
    {
        ulong probe = stage.Open(model);
        stage.Fill(probe, new BookFill(order.InstrumentId, order.Lots, order.Price));
        PositionReport position = stage.Report(probe).Units.Single().Positions.Single();
        return ([.. position.RowProfits.Select(profit => (double)profit)], position.Value);
    }
}
