// What clients do while prices move: trades with each other, pre-trade checks, orders, deposits. Called by the script between price events.

using MarginEngine.Codecs;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Seeded client activity. Sizes are a small part of each account's book, so that the crash decides over accounts, not this.
/// </summary>
internal sealed class OrderFlow
{
    private const int MostOrders = 200;
    private const int Tries = 12;
    private const double FarthestStrike = 0.2;
    private const long LastHour = UnixTime.Hour;

    private readonly Board _board;
    private readonly Population _population;
    private readonly SeededRandom _random;
    private readonly List<RestingOrder> _orders = [];
    private readonly Dictionary<ushort, AccountBook[]> _byAsset;
    private ulong _ids;

    public OrderFlow(Board board, Population population, SeededRandom random, ulong firstId)
    {
        _board = board;
        _population = population;
        _random = random.Fork("orders");
        _ids = firstId;
        _byAsset = population.Clients.GroupBy(book => book.Asset.Id).ToDictionary(group => group.Key, group => group.ToArray());
    }

    public int RestingOrders => _orders.Count;

    /// <summary>One event of client activity.</summary>
    public void Act(MessageWriter writer)
    {
        double draw = _random.Unit();
        if (draw < 0.35)
            Trade(writer);
        else if (draw < 0.70)
            Check(writer);
        else if (draw < 0.98)
            Order(writer);
        else
            Deposit(writer);
    }

    /// <summary>Before an expiry is settled its orders are gone.</summary>
    public void CancelAll(MessageWriter writer, Expiry expiry)
    {
        foreach (RestingOrder order in _orders.Where(order => ReferenceEquals(order.Contract.Expiry, expiry)))
            writer.CancelOrder(order.AccountId, order.OrderId);
        _orders.RemoveAll(order => ReferenceEquals(order.Contract.Expiry, expiry));
    }

    private void Trade(MessageWriter writer)
    {
        AccountBook buyer = _random.Pick(_population.Clients);
        AccountBook[] others = _byAsset[buyer.Asset.Id];
        AccountBook seller = others.Length > 1 ? _random.Pick(others) : _population.ProviderOf(buyer.Asset.Perpetuals[0]);
        if (seller.AccountId == buyer.AccountId)
            seller = _population.ProviderOf(buyer.Asset.Perpetuals[0]);
        double coins = seller.Style == BookStyle.LiquidityProvider ? buyer.Coins : Math.Min(buyer.Coins, seller.Coins);
        Contract contract = PickContract(buyer.Asset, coins);
        long lots = PickLots(contract, coins);
        double price = Spread(contract);
        ulong trade = ++_ids;
        writer.Fill(buyer.AccountId, contract, lots, price, Fees.Atoms(contract, lots, price, Fees.Taker), 0, trade);
        writer.Fill(seller.AccountId, contract, -lots, price, 0, 0, trade);
    }

    private void Check(MessageWriter writer)
    {
        AccountBook book = _random.Pick(_population.Clients);
        Contract contract = PickContract(book.Asset, book.Coins);
        // Now and then somebody asks for far more than the account can carry.
        long lots = PickLots(contract, book.Coins) * (_random.Chance(0.1) ? 2_000 : 1);
        writer.Check(book.AccountId, contract, _random.Chance(0.5) ? lots : -lots, Spread(contract), ++_ids);
    }

    private void Order(MessageWriter writer)
    {
        if (_orders.Count == 0 || (_orders.Count < MostOrders && _random.Chance(0.55)))
        {
            AccountBook book = _random.Pick(_population.Clients);
            Contract contract = PickContract(book.Asset, book.Coins);
            long lots = PickLots(contract, book.Coins);
            var order = new RestingOrder(++_ids, book.AccountId, contract, _random.Chance(0.5) ? lots : -lots, Spread(contract));
            _orders.Add(order);
            writer.OpenOrder(in order);
            return;
        }
        int place = _random.Below(_orders.Count);
        RestingOrder taken = _orders[place];
        _orders[place] = _orders[^1];
        _orders.RemoveAt(_orders.Count - 1);
        if (_random.Chance(0.7))
        {
            writer.CancelOrder(taken.AccountId, taken.OrderId);
            return;
        }
        // Filled whole by a provider: an order that is filled needs no cancel.
        ulong trade = ++_ids;
        writer.Fill(taken.AccountId, taken.Contract, taken.Lots, taken.Price, 0, taken.OrderId, trade);
        writer.Fill(_population.ProviderOf(taken.Contract).AccountId, taken.Contract, -taken.Lots, taken.Price, 0, 0, trade);
    }

    private void Deposit(MessageWriter writer)
    {
        AccountBook book = _random.Pick(_population.Clients);
        Currency dollar = _board.Currencies[0];
        writer.Transfer(book.AccountId, dollar, 1_000_000L * (1 + _random.Below(500)), ++_ids);
    }

    private Contract PickContract(Asset asset, double coins)
    {
        double draw = _random.Unit();
        for (int attempt = 0; draw > 0.35 && attempt < Tries; attempt++)
        {
            Expiry expiry = _random.Pick(asset.Expiries);
            if (expiry.IsSettled || expiry.Nanos - _board.Now < LastHour)
                continue;
            if (draw < 0.45 && expiry.Futures.Count > 0)
                return expiry.Futures[0];
            if (expiry.Options.Count == 0)
                continue;
            Contract option = _random.Pick(expiry.Options);
            if (Math.Abs(option.StrikePrice / expiry.Forward - 1) < FarthestStrike && option.LotSize <= coins * 0.1)
                return option;
        }
        return _random.Pick(asset.Perpetuals);
    }

    private long PickLots(Contract contract, double coins)
    {
        double perLot = contract.IsOption ? contract.LotSize : Math.Abs(_board.DeltaOf(contract));
        return Math.Max(1, (long)(coins * _random.Between(0.002, 0.015) / perLot));
    }

    private double Spread(Contract contract) => Math.Max(1e-8, _board.PriceOf(contract) * _random.Between(0.999, 1.001));
}
