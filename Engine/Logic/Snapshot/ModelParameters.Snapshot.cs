namespace MarginEngine.Logic;

/// <content>
/// The parameters of a model in a snapshot. Most of the tables are zero or at their defaults, so each is told as its entries that are not what
/// <see cref="Clear"/> leaves, in the order of places.
/// </content>
public sealed partial class ModelParameters
{
    /// <param name="stream">The snapshot.</param>
    /// <param name="cleared">Parameters as <see cref="Clear"/> leaves them.</param>
    internal void Describe(StateStream stream, ModelParameters cleared)
    {
        if (stream.IsReading)
        {
            Clear();
        }

        RowCount = stream.Count(RowCount, Limits.NamedRows, "rows");
        AddOnCount = stream.Count(AddOnCount, Limits.AddOns, "add-ons");
        SpreadCount = stream.Count(SpreadCount, Limits.Spreads, "spreads");
        bool hasJointRows = HasJointRows;
        stream.Field(ref hasJointRows, "has joint rows");
        HasJointRows = hasJointRows;
        Sparse(stream, "parameter of the model", _model, cleared._model);
        Sparse(stream, "parameter of the rows", _rows, cleared._rows);
        Sparse(stream, "parameter of joint rows", _joint, cleared._joint);
        Sparse(stream, "parameter of the underlyings", _underlyings, cleared._underlyings);
        Sparse(stream, "underlying named", _isUnderlyingNamed, cleared._isUnderlyingNamed);
        Sparse(stream, "parameter of the currencies", _currencies, cleared._currencies);
        Sparse(stream, "currency named", _isCurrencyNamed, cleared._isCurrencyNamed);
        Sparse(stream, "tier of haircuts", _haircutTiers, cleared._haircutTiers);
        Sparse(stream, "number of tiers of haircuts", _haircutTierCount, cleared._haircutTierCount);
        Sparse(stream, "parameter of the add-ons", _addOns, cleared._addOns);
        Sparse(stream, "tier of add-ons", _tiers, cleared._tiers);
        Sparse(stream, "number of tiers of add-ons", _tierCount, cleared._tierCount);
        Sparse(stream, "leg of spreads", _spreadLegs, cleared._spreadLegs);
        Sparse(stream, "rate of spreads", _spreadRates, cleared._spreadRates);
    }

    private static void Sparse<T>(StateStream stream, string name, T[] values, T[] cleared)
        where T : unmanaged, IEquatable<T>
    {
        int count = 0;
        for (int place = 0; place < values.Length && !stream.IsReading; place++)
        {
            count += values[place].Equals(cleared[place]) ? 0 : 1;
        }

        count = stream.Count(count, values.Length, name);
        int at = 0;
        for (int entry = 0; entry < count; entry++, at++)
        {
            while (!stream.IsReading && values[at].Equals(cleared[at]))
            {
                at++;
            }

            stream.Enter(name, (ulong)at);
            stream.Field(ref at, "place");
            if ((uint)at >= (uint)values.Length)
            {
                throw new StateFormatException($"the snapshot has a {name} at {at}, this machine has {values.Length}");
            }

            stream.Field(ref values[at], "value");
            stream.Leave();
        }
    }
}
