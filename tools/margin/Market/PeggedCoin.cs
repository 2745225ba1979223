// The coin that a margin model pegs its money to (peg.underlying), where the market does not have it: a currency whose index stands a little
// below 1 and slips with a crash. Made by MarketScript, moved with every advance of the market.

using System.Text.Json.Nodes;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

internal sealed class PeggedCoin
{
    private const double Usual = 0.9998;

    /// <summary>Part of the first asset's fall that the peg gives way.</summary>
    private const double Slip = 0.1;
    private const byte Decimals = 6;

    private readonly Asset _coin;
    private readonly Asset _leader;
    private readonly double _start;

    private PeggedCoin(Board board, string code)
    {
        _leader = board.Assets[0];
        _start = _leader.Index;
        _coin = board.AddAsset(code, board.Currencies.Find(currency => currency.Code == code) ?? board.AddCurrency(code, Decimals));
        Move();
    }

    /// <summary>Lists the coin of the model's peg on the board; null: the model has none, or the market has it already.</summary>
    /// <param name="board">With its first prices.</param>
    public static PeggedCoin? Open(Board board, ModelDocument model) =>
        model["peg"]?["underlying"] is JsonValue value && value.TryGetValue(out string? code) && !board.Assets.Exists(asset => asset.Code == code)
            ? new PeggedCoin(board, code)
            : null;

    public void Move() => _coin.Index = Usual - Slip * Math.Max(0, 1 - _leader.Index / _start);
}
