// The messages that stand before the market opens: definitions, model, first prices, accounts. Used by the script and by the margin probe.

using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

internal static class SetupWriter
{
    public const ushort ClientClass = 1;
    public const ushort ProviderClass = 2;

    private const double DollarRate = 0.0;

    // Wide enough for every book that the margin models let stand: a class's bound is seen by orders, not by fills.
    private const decimal ClientLeverage = 50m;

    private const decimal SettlementFee = 0.00015m;
    private const decimal SettlementFeeCap = 0.125m;

    public static void Definitions(MessageWriter writer, Board board)
    {
        foreach (Currency currency in board.Currencies)
            writer.Currency(currency);
        foreach (Asset asset in board.Assets)
            writer.Underlying(asset);
        foreach (Contract contract in board.Contracts)
            writer.Instrument(contract);
    }

    public static void Model(MessageWriter writer, Board board, ModelDocument model, ushort modelId)
    {
        foreach (byte[] part in model.ToMessages(modelId, 1, 0, 1, OriginFlags.None,
            [.. board.Assets.Select(asset => (asset.Id, asset.Code))],
            [.. board.Currencies.Select(currency => (currency.Id, currency.Code))]))
            writer.Batch.Add(part);
    }

    /// <summary>Time, every price and funding rate, the whole market of one moment.</summary>
    public static void Prices(MessageWriter writer, Board board, IPricePath path)
    {
        writer.Time(board.Now);
        writer.Rate(board.Currencies[0], DollarRate);
        foreach (Asset asset in board.Assets)
        {
            Linear(writer, asset);
            foreach (Contract perpetual in asset.Perpetuals)
                writer.AnnounceFunding(perpetual, FundingSchedule.RateOf(perpetual));
            foreach (Expiry expiry in asset.Expiries)
                Volatilities(writer, board, path, expiry);
        }
    }

    /// <summary>Index, forwards and marks of one asset: what moves together must arrive together, or hedged books look unhedged.</summary>
    public static void Linear(MessageWriter writer, Asset asset)
    {
        writer.Index(asset);
        foreach (Contract perpetual in asset.Perpetuals)
            writer.Mark(perpetual);
        foreach (Expiry expiry in asset.Expiries)
        {
            if (expiry.IsSettled)
                continue;
            if (expiry.Options.Count > 0)
                writer.Forward(expiry);
            foreach (Contract future in expiry.Futures)
                writer.Mark(future);
        }
    }

    public static void Volatilities(MessageWriter writer, Board board, IPricePath path, Expiry expiry)
    {
        if (expiry.IsSettled || expiry.Options.Count == 0 || expiry.Nanos - board.Now < UnixTime.Minute)
            return;
        if (path.Form == VolatilityForm.Slices)
        {
            writer.Slice(expiry, path.SliceOf(expiry));
            return;
        }
        if (path.Form == VolatilityForm.Grids)
        {
            writer.Grid(expiry, path.GridOf(expiry));
            return;
        }
        foreach (Contract option in expiry.Options)
            writer.Volatility(option, board.VolatilityOf(option));
    }

    /// <summary>Marks of all live options of an asset; they move with its forwards.</summary>
    public static void OptionMarks(MessageWriter writer, Board board, Asset asset)
    {
        foreach (Contract option in asset.Expiries.Where(expiry => !expiry.IsSettled && expiry.Nanos > board.Now).SelectMany(expiry => expiry.Options))
            writer.OptionMark(option, board.PriceOf(option));
    }

    /// <summary>Classes of accounts, and what settlement costs.</summary>
    public static void Terms(MessageWriter writer, Board board, ushort modelId)
    {
        writer.Class(ClientClass, "clients", modelId, ClientLeverage);
        writer.Class(ProviderClass, "providers", modelId, null);
        foreach (Asset asset in board.Traded)
            writer.SettlementTerms(asset, SettlementFee, SettlementFeeCap);
    }

    /// <summary>Lots that the books hold long, of every future and perpetual.</summary>
    public static void Interest(MessageWriter writer, Population population)
    {
        IEnumerable<(Contract Contract, long Lots)> held = population.Clients.SelectMany(book => book.Legs.GroupBy(leg => leg.Contract)
            .Select(legs => (legs.Key, legs.Sum(leg => leg.Lots))));
        foreach (IGrouping<Contract, (Contract Contract, long Lots)> holders in held.Where(leg => !leg.Contract.IsOption).GroupBy(leg => leg.Contract).OrderBy(group => group.Key.Id))
        {
            // The provider holds the other side of all of them.
            long longs = holders.Sum(holder => Math.Max(holder.Lots, 0)), shorts = holders.Sum(holder => Math.Max(-holder.Lots, 0));
            writer.Interest(holders.Key, Math.Max(longs, shorts));
        }
    }

    /// <summary>An account's opening: collateral, then every leg with the provider on its other side.</summary>
    /// <param name="classId">Its class, whose model it follows; null: it has the model itself.</param>
    public static void Account(
        MessageWriter writer, Board board, AccountBook book, ushort modelId, ushort? classId, Func<Contract, ulong> providerOf, ref ulong ids)
    {
        if (classId is ushort named)
            writer.OpenIn(book.AccountId, named);
        else
            writer.Open(book.AccountId, modelId);
        foreach (Deposit deposit in book.Deposits)
            writer.Transfer(book.AccountId, deposit.Currency, deposit.Atoms, ++ids);
        foreach (BookLeg leg in book.Legs)
        {
            double price = board.PriceOf(leg.Contract);
            long fee = Fees.Atoms(leg.Contract, leg.Lots, price, Fees.Taker);
            ulong trade = ++ids;
            writer.Fill(book.AccountId, leg.Contract, leg.Lots, price, fee, 0, trade);
            writer.Fill(providerOf(leg.Contract), leg.Contract, -leg.Lots, price, 0, 0, trade);
        }
    }
}
