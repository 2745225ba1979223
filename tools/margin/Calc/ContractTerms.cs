// How large a contract is and in what steps it trades, where the document does not say: the sizes of a Deribit-like venue.
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Calc;

/// <summary>Base units; quote units for inverse futures and perpetuals.</summary>
/// <param name="Size">Units of one contract.</param>
/// <param name="Lot">Units of one lot, the quantity that the engine counts in.</param>
internal readonly record struct ContractTerms(decimal Size, decimal Lot)
{
    public static ContractTerms Of(InstrumentName name) => (name.IsInverse, name.IsOption, name.Underlying) switch
    {
        (true, true, "BTC") => new(1m, 0.1m),
        (true, true, _) => new(1m, 1m),
        (true, false, "BTC") => new(10m, 10m),
        (true, false, _) => new(1m, 1m),
        (false, true, "BTC") => new(1m, 0.01m),
        (false, true, _) => new(1m, 0.1m),
        (false, false, _) => new(1m, 0.0001m),
    };
}
