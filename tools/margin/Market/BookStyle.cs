// The kinds of books that accounts hold: what a desk, a fund or a gambler typically has. Called by BookFactory, once an account.

using MarginEngine.Codecs;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

public enum BookStyle
{
    /// <summary>Coin as collateral, calls sold against it.</summary>
    CoveredCall,
    ShortStrangle,
    CalendarSpread,

    /// <summary>Straddle sold, delta hedged with the perpetual at the opening.</summary>
    HedgedShortVolatility,
    NakedShortPut,
    NakedShortCall,

    /// <summary>Perpetual or coin against a dated future.</summary>
    Basis,
    LeveragedLong,
    LeveragedShort,
    Box,
    ProtectivePut,

    /// <summary>Takes the other side of everybody, with collateral to spare.</summary>
    LiquidityProvider,
}

/// <summary>Signed lots of one contract.</summary>
public sealed record BookLeg(Contract Contract, long Lots);

internal static class BookStyles
{
    private static readonly (BookStyle Style, double Weight)[] Mix =
    [
        (BookStyle.CoveredCall, 14), (BookStyle.ShortStrangle, 12), (BookStyle.CalendarSpread, 10), (BookStyle.HedgedShortVolatility, 10),
        (BookStyle.NakedShortPut, 9), (BookStyle.NakedShortCall, 6), (BookStyle.Basis, 12), (BookStyle.LeveragedLong, 10),
        (BookStyle.LeveragedShort, 5), (BookStyle.Box, 6), (BookStyle.ProtectivePut, 6),
    ];

    public static BookStyle Draw(SeededRandom random)
    {
        double left = random.Unit() * Mix.Sum(entry => entry.Weight);
        foreach ((BookStyle style, double weight) in Mix)
        {
            left -= weight;
            if (left < 0)
                return style;
        }
        return BookStyle.LeveragedLong;
    }

    /// <summary>Books that a crash hurts by design, and that fewer traders run at high leverage.</summary>
    public static bool IsDirectional(BookStyle style) => style is BookStyle.ShortStrangle or BookStyle.HedgedShortVolatility
        or BookStyle.NakedShortPut or BookStyle.NakedShortCall or BookStyle.LeveragedLong or BookStyle.LeveragedShort;

    /// <summary>The legs of a book of about that many coins. Falls back to the perpetual where a chain has no fitting options.</summary>
    public static List<BookLeg> Legs(BookStyle style, Board board, Asset asset, double coins, SeededRandom random)
    {
        var maker = new LegMaker(board, asset, coins, random);
        switch (style)
        {
            case BookStyle.CoveredCall:
                maker.Option(-random.Between(0.5, 1.0), 4, 70, isCall: true, random.Between(0.15, 0.35));
                break;
            case BookStyle.ShortStrangle:
                maker.SameExpiry(3, 45, (-1, false, -random.Between(0.12, 0.25)), (-1, true, random.Between(0.12, 0.25)));
                break;
            case BookStyle.CalendarSpread:
                maker.Calendar();
                break;
            case BookStyle.HedgedShortVolatility:
                maker.SameExpiry(5, 60, (-1, true, 0.5), (-1, false, -0.5));
                maker.Hedge();
                break;
            case BookStyle.NakedShortPut:
                maker.Option(-1, 3, 60, isCall: false, -random.Between(0.1, 0.3));
                break;
            case BookStyle.NakedShortCall:
                maker.Option(-1, 3, 60, isCall: true, random.Between(0.1, 0.3));
                break;
            case BookStyle.Basis:
                maker.Future(-1);
                if (random.Chance(0.5))
                    maker.Perpetual(1);
                break;
            case BookStyle.LeveragedShort:
                maker.Perpetual(-1);
                break;
            case BookStyle.Box:
                maker.Box();
                break;
            case BookStyle.ProtectivePut:
                maker.Perpetual(1);
                maker.Option(1, 5, 60, isCall: false, -0.3);
                break;
            default:
                maker.Perpetual(1);
                break;
        }
        if (maker.Legs.Count == 0)
            maker.Perpetual(IsDirectional(style) ? 1 : -0.2);
        return maker.Legs;
    }

    /// <summary>More small positions, until the book has that many: for benches.</summary>
    public static void Fill(List<BookLeg> legs, int count, Board board, Asset asset, double coins, SeededRandom random)
    {
        Contract[] choice = [.. asset.Expiries.Where(expiry => !expiry.IsSettled).SelectMany(expiry => expiry.Options)];
        HashSet<uint> taken = [.. legs.Select(leg => leg.Contract.Id)];
        while (legs.Count < count && taken.Count < choice.Length)
        {
            Contract contract = random.Pick(choice);
            if (!taken.Add(contract.Id))
                continue;
            long lots = Math.Max(1, (long)(coins * random.Between(0.02, 0.2) / contract.LotSize));
            legs.Add(new BookLeg(contract, random.Chance(0.5) ? lots : -lots));
        }
        _ = board;
    }

    private sealed class LegMaker(Board board, Asset asset, double coins, SeededRandom random)
    {
        private readonly bool _isLinear = random.Chance(0.2);

        public List<BookLeg> Legs { get; } = [];

        public void Perpetual(double weight)
        {
            Contract contract = asset.Perpetuals.Find(perpetual => perpetual.IsInverse != _isLinear) ?? asset.Perpetuals[0];
            Add(contract, weight * coins / board.DeltaOf(contract));
        }

        public void Future(double weight)
        {
            Contract[] futures = [.. asset.Expiries.Where(expiry => Days(expiry) > 3).SelectMany(expiry => expiry.Futures)];
            Contract contract = futures.Length > 0 ? random.Pick(futures) : asset.Perpetuals[0];
            Add(contract, weight * coins / board.DeltaOf(contract));
        }

        public void Option(double weight, double fromDays, double toDays, bool isCall, double delta)
            => SameExpiry(fromDays, toDays, (weight, isCall, delta));

        public void SameExpiry(double fromDays, double toDays, params (double Weight, bool IsCall, double Delta)[] wanted)
        {
            if (!TryExpiry(fromDays, toDays, out Expiry? expiry))
                return;
            foreach ((double weight, bool isCall, double delta) in wanted)
            {
                Contract? option = Side(expiry!, isCall).MinBy(choice => Math.Abs(board.DeltaOf(choice) / choice.LotSize - delta));
                if (option is not null)
                    Add(option, weight * coins / option.LotSize);
            }
        }

        public void Calendar()
        {
            bool isCall = random.Chance(0.5);
            if (!TryExpiry(2, 20, out Expiry? near) || !TryExpiry(21, 200, out Expiry? far))
                return;
            Contract? sold = Side(near!, isCall).MinBy(option => Math.Abs(option.StrikePrice - near!.Forward));
            Contract? bought = sold is null ? null : Side(far!, isCall).MinBy(option => Math.Abs(option.Strike - sold.Strike));
            if (bought is null)
                return;
            Add(sold!, -coins / sold!.LotSize);
            Add(bought, coins / bought.LotSize);
        }

        public void Box()
        {
            if (!TryExpiry(20, 250, out Expiry? expiry))
                return;
            long[] strikes = [.. Side(expiry!, true).Select(option => option.Strike)
                .Intersect(Side(expiry!, false).Select(option => option.Strike))
                .Where(strike => strike * 1e-8 > 0.8 * expiry!.Forward && strike * 1e-8 < 1.25 * expiry.Forward).Order()];
            if (strikes.Length < 2)
                return;
            int low = random.Below(strikes.Length - 1);
            int high = low + 1 + random.Below(strikes.Length - 1 - low);
            foreach ((long strike, int sign) in new[] { (strikes[low], 1), (strikes[high], -1) })
            {
                foreach (bool isCall in new[] { true, false })
                {
                    Contract option = Side(expiry!, isCall).First(choice => choice.Strike == strike);
                    Add(option, (isCall ? sign : -sign) * coins / option.LotSize);
                }
            }
        }

        /// <summary>The perpetual against the delta of what is there.</summary>
        public void Hedge() => Perpetual(-Legs.Sum(leg => leg.Lots * board.DeltaOf(leg.Contract)) / coins);

        private IEnumerable<Contract> Side(Expiry expiry, bool isCall)
        {
            bool hasLinear = expiry.Options.Exists(option => !option.IsInverse);
            return expiry.Options.Where(option => option.IsCall == isCall && option.IsInverse != (_isLinear && hasLinear));
        }

        private double Days(Expiry expiry) => (expiry.Nanos - board.Now) / (double)UnixTime.Day;

        private bool TryExpiry(double fromDays, double toDays, out Expiry? expiry)
        {
            Expiry[] choice = [.. asset.Expiries.Where(each => Days(each) >= fromDays && Days(each) <= toDays && each.Options.Count > 3)];
            expiry = choice.Length > 0 ? random.Pick(choice) : null;
            return expiry is not null;
        }

        private void Add(Contract contract, double lots)
        {
            long whole = (long)Math.Round(lots);
            Legs.Add(new BookLeg(contract, whole != 0 ? whole : lots < 0 ? -1 : 1));
        }
    }
}
