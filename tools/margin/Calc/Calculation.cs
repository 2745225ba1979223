// Runs a portfolio through a fresh machine: the same code and the same messages as live, so the same margin to the last unit.
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Calc;

/// <summary>Applies the messages one by one; the first reject ends the calculation with the engine's reason.</summary>
internal sealed class Calculation : IDecisionSink
{
    // Bounds of the engine's own limits.
    private const int MostUnderlyings = 1_024;
    private const int MostCurrencies = 64;

    private string _about = "";

    /// <exception cref="CommandFailure">Refused: the engine rejects a message; the text names the part of the document and the reason.</exception>
    public static MarginReport Run(Portfolio portfolio, ModelDocument model, string file)
    {
        using MarginMachine machine = new(LimitsOf(portfolio));
        Calculation calculation = new();
        foreach (InputMessage message in PortfolioMessages.Build(portfolio, model, file))
        {
            calculation._about = message.About;
            machine.Apply(machine.LastSequence + 1, portfolio.ValuationTime, message.Bytes, calculation);
        }

        MarginReport report = machine.Report(portfolio.AccountId) ?? throw CommandFailure.Refused("the engine has no such account");
        return report.Named(model.AddOnNames);
    }

    // As much room as the document needs: a venue's whole market may stand in it. What the engine cannot hold at all is left to its reject.
    private static Limits LimitsOf(Portfolio portfolio) => Limits.Small with
    {
        Instruments = Math.Max(Limits.Small.Instruments, portfolio.Contracts.Count),
        Underlyings = Math.Clamp(portfolio.Coins.Count, Limits.Small.Underlyings, MostUnderlyings),
        Expiries = Math.Max(Limits.Small.Expiries, portfolio.Slices.Count),
        Currencies = Math.Clamp(portfolio.Coins.Count + 1, Limits.Small.Currencies, MostCurrencies),
        Positions = Math.Max(Limits.Small.Positions, portfolio.Positions.Count + portfolio.Orders.Count),
    };

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        if (!RejectDecoder.TryWrap(message, out RejectDecoder reject)) return;
        if (reject.RefusedTemplateId == MarginModelPartDecoder.TemplateId && reject.Expected != 0)
            throw CommandFailure.Refused($"the engine rejects {_about}: {Words(reject.Code)}, {ParameterPlace.Unpack(reject.Expected)}");
        string field = reject.FieldId == 0 ? "" : $", field {Schema.FieldNameOf(reject.RefusedTemplateId, reject.FieldId)}";
        throw CommandFailure.Refused($"the engine rejects {_about}: {Words(reject.Code)}{field}");
    }

    private static string Words(RejectCode code) => code switch
    {
        RejectCode.Arbitrage => "arbitrage (the slice admits a butterfly or calendar arbitrage)",
        RejectCode.InsufficientCollateral => "insufficient collateral (a balance may not be negative)",
        RejectCode.Capacity => "capacity (more than one calculation holds)",
        _ => code.ToString(),
    };
}
