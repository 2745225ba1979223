// What the matching engine knows of its clients besides prices: positions, resting orders, and who may not trade just now. Fed by every
// message that is sent and by the engine's margin calls.

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Market;

/// <summary>Decides which client events of the script still make sense after the engine has acted on accounts.</summary>
public sealed class Venue
{
    private readonly Dictionary<ulong, HashSet<ulong>> _ordersOf = [];
    private readonly HashSet<ulong> _killed = [];
    private readonly HashSet<ulong> _barred = [];

    public PositionBook Positions { get; } = new();

    /// <summary>Accounts that are in reduce-only or liquidation.</summary>
    public int Barred => _barred.Count;

    public void OnState(ulong account, AccountState state)
    {
        if (state >= AccountState.ReduceOnly)
            _barred.Add(account);
        else
            _barred.Remove(account);
    }

    /// <summary>
    /// Resting orders of an account, which a liquidation takes out of the book; the script's later cancels of them are not sent.
    /// </summary>
    public IReadOnlyList<ulong> KillOrders(ulong account)
    {
        if (!_ordersOf.Remove(account, out HashSet<ulong>? orders))
            return [];
        _killed.UnionWith(orders);
        return [.. orders.Order()];
    }

    /// <summary>Takes note of a message that is sent.</summary>
    public void OnSent(ReadOnlySpan<byte> message)
    {
        Positions.Apply(message);
        switch (OriginStamp.TemplateOf(message))
        {
            case OrderOpenDecoder.TemplateId when OrderOpenDecoder.TryWrap(message, out OrderOpenDecoder order):
                if (!_ordersOf.TryGetValue(order.AccountId, out HashSet<ulong>? orders))
                    _ordersOf.Add(order.AccountId, orders = []);
                orders.Add(order.OrderId);
                break;
            case OrderCancelDecoder.TemplateId when OrderCancelDecoder.TryWrap(message, out OrderCancelDecoder cancel):
                Forget(cancel.AccountId, cancel.OrderId);
                break;
            case FillDecoder.TemplateId when FillDecoder.TryWrap(message, out FillDecoder fill):
                Forget(fill.AccountId, fill.OrderId);
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// Copies what may be sent of an event. A trade goes as a whole or not at all: not when one side may not trade, nor on an order that
    /// was killed. Returns how many messages were held back.
    /// </summary>
    public int Admit(MessageBatch from, MessageBatch to)
    {
        bool trade = true;
        for (int i = 0; i < from.Count; i++)
            trade &= OriginStamp.TemplateOf(from[i]) != FillDecoder.TemplateId || MayFill(from[i]);
        for (int i = 0; i < from.Count; i++)
        {
            ReadOnlySpan<byte> message = from[i];
            bool admitted = OriginStamp.TemplateOf(message) switch
            {
                FillDecoder.TemplateId => trade,
                OrderOpenDecoder.TemplateId
                    => OrderOpenDecoder.TryWrap(message, out OrderOpenDecoder order) && MayOpen(order.AccountId, order.OrderId),
                OrderCancelDecoder.TemplateId
                    => OrderCancelDecoder.TryWrap(message, out OrderCancelDecoder cancel) && !_killed.Remove(cancel.OrderId),
                _ => true,
            };
            if (admitted)
                to.Add(message);
        }
        return from.Count - to.Count;
    }

    // An order that was never let in is as dead as one that was taken out: what the script does with it later must not be sent either.
    private bool MayOpen(ulong account, ulong order)
    {
        bool may = !_barred.Contains(account);
        if (!may)
            _killed.Add(order);
        return may;
    }

    private bool MayFill(ReadOnlySpan<byte> message)
        => FillDecoder.TryWrap(message, out FillDecoder fill) && !_barred.Contains(fill.AccountId) && !_killed.Contains(fill.OrderId);

    private void Forget(ulong account, ulong order)
    {
        if (order != 0 && _ordersOf.TryGetValue(account, out HashSet<ulong>? orders) && orders.Remove(order) && orders.Count == 0)
            _ordersOf.Remove(account);
    }
}
