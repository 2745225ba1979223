using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>Resting orders, and one that might be placed: what they take away in each row, and what they add to the add-ons that count them.</content>
public sealed partial class UnitCalculator
{
    private void CountOrders(CompiledModel rules, in Hypothesis order, ref UnitMargin margin)
    {
        bool hypothesisFound = false;
        for (int index = _scope.FirstPosition; index >= 0; index = NextPosition(index))
        {
            ref readonly Position position = ref _book.PositionAt(index);
            Resting resting = new(position.BuyLots, position.SellLots, position.BuyCost, position.SellCost);
            if (position.Instrument == order.Instrument)
            {
                hypothesisFound = true;
                resting = resting.With(order);
            }

            if (!resting.IsEmpty)
            {
                AddOrders(rules, position.Instrument, resting, position.FirstOrder, position.Instrument == order.Instrument ? order : Hypothesis.None, ref margin);
            }
        }

        if (order.Instrument >= 0 && !hypothesisFound)
        {
            AddOrders(rules, order.Instrument, default(Resting).With(order), -1, order, ref margin);
        }
    }

    private void AddOrders(CompiledModel rules, int instrument, in Resting resting, int firstOrder, in Hypothesis order, ref UnitMargin margin)
    {
        _scope.HasOrders = true;
        ref readonly LotRisk risk = ref _rows.Price(_scope.Model, instrument);
        if (risk.IsUnpriced)
        {
            margin.Flags |= MarginFlags.Unpriced;
            _scope.Gap = Fixed.Add(_scope.Gap, Fixed.CeilingToAtoms(((double)resting.Buy + resting.Sell) * risk.Notional));
            return;
        }

        if (rules.AddOnCount > 0)
        {
            AddOrdersToAddOns(rules, _market.InstrumentAt(instrument), risk, resting);
        }

        ReadOnlySpan<double> row = _rows.Row(_scope.Model, instrument);
        if (rules.Orders == OrderRule.WorstFill)
        {
            AddWorstFill(row, risk, resting);
            return;
        }

        for (int index = firstOrder; index >= 0; index = _book.OrderAt(index).NextOfPosition)
        {
            ref readonly Order resting1 = ref _book.OrderAt(index);
            AddGaps(row, risk, resting1.Side, resting1.Lots, resting1.Cost);
        }

        if (order.Instrument >= 0)
        {
            AddGaps(row, risk, order.Side, order.Lots, order.Cost);
        }
    }

    // In each row the side that hurts is filled, at the mark; what the orders' own prices cost beyond the mark is a gap of its own.
    private void AddWorstFill(ReadOnlySpan<double> row, in LotRisk risk, in Resting resting)
    {
        for (int index = 0; index < row.Length; index++)
        {
            long bought = RowSums.Product(resting.Buy, row[index]);
            long sold = RowSums.Product(-resting.Sell, row[index]);
            _orders[index] = Fixed.Add(_orders[index], Math.Min(0, Math.Min(bought, sold)));
        }

        _scope.Gap = Fixed.Add(_scope.Gap, Fixed.Add(BuyGap(risk, resting), SellGap(risk, resting)));
    }

    private static long BuyGap(in LotRisk risk, in Resting resting) => Math.Max(0, Fixed.Add(resting.BuyCost, -Fixed.ToAtoms(resting.Buy * risk.Value)));

    private static long SellGap(in LotRisk risk, in Resting resting) => Math.Max(0, Fixed.Add(Fixed.ToAtoms(resting.Sell * risk.Value), -resting.SellCost));

    // What filling one side costs beyond its marks. Where the value of options is no equity, buying them costs all of the premium.
    private long PriceGap(CompiledModel rules, Side side, in Hypothesis order)
    {
        long gap = 0;
        bool found = order.Instrument < 0;
        for (int index = _scope.FirstPosition; index >= 0; index = _book.PositionAt(index).NextOfUnit)
        {
            ref readonly Position position = ref _book.PositionAt(index);
            Resting resting = new(position.BuyLots, position.SellLots, position.BuyCost, position.SellCost);
            bool isMeant = position.Instrument == order.Instrument;
            found |= isMeant;
            gap = Fixed.Add(gap, PriceGap(rules, side, position.Instrument, isMeant ? resting.With(order) : resting));
        }

        return found ? gap : Fixed.Add(gap, PriceGap(rules, side, order.Instrument, default(Resting).With(order)));
    }

    private long PriceGap(CompiledModel rules, Side side, int instrument, in Resting resting)
    {
        if (resting.IsEmpty)
        {
            return 0;
        }

        ref readonly LotRisk risk = ref _rows.Price(_scope.Model, instrument);
        bool isPaid = !rules.CountsOptionValue && _market.InstrumentAt(instrument).IsOption;
        if (risk.IsUnpriced)
        {
            return 0;
        }

        return side == Side.Buy ? isPaid ? resting.BuyCost : BuyGap(risk, resting) : isPaid ? 0 : SellGap(risk, resting);
    }

    // In each row the order loses what its price is worse than the contract's price in that row.
    private void AddGaps(ReadOnlySpan<double> row, in LotRisk risk, Side side, long lots, long cost)
    {
        for (int index = 0; index < row.Length; index++)
        {
            long worth = Fixed.ToAtoms(lots * (risk.Value + row[index]));
            long gap = side == Side.Buy ? Fixed.Add(cost, -worth) : Fixed.Add(worth, -cost);
            _orders[index] = Fixed.Add(_orders[index], -Math.Max(0, gap));
        }
    }

    /// <summary>Lots of resting orders in one contract, and their value at their own prices in atoms.</summary>
    private readonly record struct Resting(long Buy, long Sell, long BuyCost, long SellCost)
    {
        public bool IsEmpty => (Buy | Sell) == 0;

        public Resting With(in Hypothesis order) => order.Side == Side.Buy
            ? this with { Buy = Buy + order.Lots, BuyCost = Fixed.Add(BuyCost, order.Cost) }
            : this with { Sell = Sell + order.Lots, SellCost = Fixed.Add(SellCost, order.Cost) };
    }
}
