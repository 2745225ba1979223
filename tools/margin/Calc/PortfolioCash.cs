// Cash such that positions whose premium is already paid cost nothing. An option without an entry price is filled at a small price that
// its settlement currency can express exactly, and the deposit is raised or lowered by just that.
namespace MarginEngine.Tool.Calc;

internal static class PortfolioCash
{
    private const decimal PlaceholderPrice = 0.01m;

    /// <summary>Entry price, or the placeholder for an option whose premium is in the collateral already.</summary>
    public static decimal EntryPrice(Position position) => position.EntryPrice ?? PlaceholderPrice;

    /// <summary>What to transfer by currency: the collateral of the document and what the placeholder fills take or give.</summary>
    public static IEnumerable<KeyValuePair<string, decimal>> Deposits(Portfolio portfolio)
    {
        Dictionary<string, decimal> cash = new(portfolio.Collateral);
        foreach (Position position in portfolio.Positions)
        {
            if (position.EntryPrice is not null) continue;
            string code = position.Contract.Name.SettlementCurrency;
            decimal premium = position.Lots * position.Contract.Terms.Lot * PlaceholderPrice;
            cash[code] = cash.GetValueOrDefault(code) + premium;
        }

        return cash.Where(entry => entry.Value != 0);
    }
}
