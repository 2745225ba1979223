namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Accounts of the shapes that margin methods differ on: naked, spread, box, conversion, calendar, covered, hedged across underlyings, a single lot,
/// huge, deep in or out of the money, or anything; then up to twelve positions of noise in half of the books.
/// </summary>
internal static class BookShapes
{
    private const int MostPositions = 12;

    public static string Fill(BookMaker maker)
    {
        Deposit(maker);
        string shape = maker.Style.HasOptions ? WithOptions(maker) : WithoutOptions(maker);
        if (maker.Random.Next(2) == 0 || maker.Positions == 0)
        {
            for (int left = maker.Random.Next(1, MostPositions); left > 0 && maker.Positions < MostPositions; left--)
            {
                Anything(maker, Size(maker));
            }
        }

        return shape;
    }

    private static string WithOptions(BookMaker maker)
    {
        double size = Size(maker);
        BookExpiry expiry = maker.Any(maker.Expiries);
        switch (maker.Random.Next(11))
        {
            case 0:
                Option(maker, expiry, maker.Between(0.7, 1.4), -size);
                return "naked";
            case 1:
                bool isCall = maker.Random.Next(2) == 0;
                Leg(maker, expiry, isCall, maker.Between(0.8, 1.0), size);
                Leg(maker, expiry, isCall, maker.Between(1.0, 1.3), -size);
                return "vertical spread";
            case 2:
                Box(maker, expiry, size);
                return "box";
            case 3:
                Conversion(maker, expiry, size);
                return "conversion";
            case 4:
                foreach (BookExpiry each in maker.Expiries.Where(each => each.UnderlyingId == expiry.UnderlyingId))
                {
                    Leg(maker, each, true, 1.02, size);
                    size = -size;
                }

                return "calendar";
            case 5:
                Covered(maker, expiry, size);
                return "covered call";
            case 6:
                foreach (BookUnderlying underlying in maker.Underlyings)
                {
                    Follow(maker, underlying, size);
                    size = -size;
                }

                return "hedged across underlyings";
            case 7:
                maker.Hold(maker.Option(expiry, maker.Random.Next(2) == 0, maker.Strike(expiry, maker.Between(0.8, 1.2))), maker.Any([1L, -1L]));
                return "a single lot";
            case 8:
                Option(maker, expiry, maker.Any([0.2, 0.4, 2.5, 5.0]), maker.Any([size, -size]));
                return "deep";
            case 9:
                Leg(maker, expiry, true, maker.Between(1.0, 1.2), -size);
                Leg(maker, expiry, false, maker.Between(0.8, 1.0), -size);
                return "short strangle";
            default:
                Anything(maker, maker.Style.LargestNotional);
                return "huge";
        }
    }

    private static string WithoutOptions(BookMaker maker)
    {
        double size = Size(maker);
        foreach (BookUnderlying underlying in maker.Underlyings)
        {
            Follow(maker, underlying, size);
            size = -size;
        }

        return "futures and perpetuals";
    }

    private static double Size(BookMaker maker) => maker.Spread(100.0, maker.Style.LargestNotional);

    private static void Option(BookMaker maker, BookExpiry expiry, double moneyness, double notional) =>
        Leg(maker, expiry, maker.Random.Next(2) == 0, moneyness, notional);

    private static void Leg(BookMaker maker, BookExpiry expiry, bool isCall, double moneyness, double notional)
    {
        BookInstrument option = maker.Option(expiry, isCall, maker.Strike(expiry, moneyness));
        maker.Hold(option, maker.Lots(option, Math.Abs(notional)) * Math.Sign(notional));
    }

    private static void Box(BookMaker maker, BookExpiry expiry, double size)
    {
        decimal low = maker.Strike(expiry, maker.Between(0.8, 1.0));
        decimal high = maker.Strike(expiry, maker.Between(1.05, 1.3));
        foreach ((bool isCall, decimal strike, int side) in new[] { (true, low, 1), (false, low, -1), (true, high, -1), (false, high, 1) })
        {
            BookInstrument option = maker.Option(expiry, isCall, strike);
            maker.Hold(option, maker.Lots(option, size) * side);
        }
    }

    private static void Conversion(BookMaker maker, BookExpiry expiry, double size)
    {
        Leg(maker, expiry, true, 1.0, -size);
        Leg(maker, expiry, false, 1.0, size);
        Follow(maker, maker.Underlyings.First(underlying => underlying.Id == expiry.UnderlyingId), size);
    }

    private static void Covered(BookMaker maker, BookExpiry expiry, double size)
    {
        BookUnderlying underlying = maker.Underlyings.First(underlying => underlying.Id == expiry.UnderlyingId);
        Leg(maker, expiry, true, maker.Between(1.0, 1.3), -size);
        maker.Deposits[underlying.Id] += BookMaker.Round(size / (double)underlying.Index, 6);
    }

    private static void Follow(BookMaker maker, BookUnderlying underlying, double notional)
    {
        BookExpiry[] expiries = [.. maker.Expiries.Where(expiry => expiry.UnderlyingId == underlying.Id)];
        bool isDated = maker.Style.HasFutures && (!maker.Style.HasPerpetuals || maker.Random.Next(2) == 0);
        if (!isDated && !maker.Style.HasPerpetuals)
        {
            // Options only: a synthetic forward follows it as well.
            Leg(maker, expiries[0], true, 1.0, notional);
            Leg(maker, expiries[0], false, 1.0, -notional);
            return;
        }

        BookInstrument contract = isDated ? maker.Future(maker.Any(expiries)) : maker.Perpetual(underlying);
        maker.Hold(contract, maker.Lots(contract, Math.Abs(notional)) * Math.Sign(notional));
    }

    private static void Anything(BookMaker maker, double size)
    {
        double signed = maker.Any([size, -size]);
        if (maker.Style.HasOptions && maker.Random.Next(3) > 0)
            Option(maker, maker.Any(maker.Expiries), maker.Any([maker.Between(0.95, 1.05), maker.Between(0.5, 2.0), maker.Spread(0.2, 5.0)]), signed);
        else
            Follow(maker, maker.Any(maker.Underlyings), signed);
    }

    private static void Deposit(BookMaker maker)
    {
        maker.Deposits[0] = maker.Random.Next(4) == 0 ? 0m : BookMaker.Round(maker.Spread(10.0, 1e7), 6);
        foreach (BookUnderlying underlying in maker.Underlyings.Where(_ => maker.Random.Next(2) == 0))
        {
            maker.Deposits[underlying.Id] = BookMaker.Round(maker.Spread(1.0, 1e6) / (double)underlying.Index, 6);
        }

        if (maker.Style.HasStableDeposits && maker.Random.Next(3) == 0)
            maker.Deposits[^1] = BookMaker.Round(maker.Spread(1.0, 1e6), 6);
    }
}
