// The messages that stand before the market opens: definitions, model, first prices, accounts. Used by the script and by the margin probe.

using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

internal static class SetupWriter
{
    private const double DollarRate = 0.0;

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
        foreach (Contract option in expiry.Options)
            writer.Volatility(option, board.VolatilityOf(option));
    }

    /// <summary>An account's opening: collateral, then every leg with the provider on its other side.</summary>
    public static void Account(
        MessageWriter writer, Board board, AccountBook book, ushort modelId, Func<Contract, ulong> providerOf, ref ulong ids)
    {
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
