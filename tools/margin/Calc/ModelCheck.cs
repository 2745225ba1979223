// Whether the engine would take a model: its messages go through a fresh machine with a market of every code it names.
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Calc;

internal sealed class ModelCheck : IDecisionSink
{
    private readonly ModelDocument _document;

    private ModelCheck(ModelDocument document) => _document = document;

    /// <exception cref="CommandFailure">Refused: the engine names the parameter that contradicts another.</exception>
    public static void Run(ModelDocument document)
    {
        Portfolio market = new()
        {
            AccountId = 1,
            ValuationTime = 1,
            Coins = [.. Coins(document)],
            Contracts = [],
            Slices = [],
            Rates = new Dictionary<string, decimal>(),
            Collateral = new Dictionary<string, decimal>(),
            Positions = [],
            Orders = [],
            Notes = [],
        };
        using MarginMachine machine = new(Limits.Small);
        ModelCheck check = new(document);
        foreach (InputMessage message in PortfolioMessages.Build(market, document, document.Name))
            machine.Apply(machine.LastSequence + 1, 1, message.Bytes, check);
    }

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        if (RejectDecoder.TryWrap(message, out RejectDecoder reject) && reject.RefusedTemplateId == MarginModelPartDecoder.TemplateId)
            throw CommandFailure.Refused($"the engine rejects the margin model {_document.Name}: {reject.Code}, {ParameterPlace.Unpack(reject.Expected)}");
    }

    // As many as fit a small machine; a model that names more is judged by the first.
    private static IEnumerable<Coin> Coins(ModelDocument document)
    {
        string[] codes = [.. document.Codes().Where(code => code is not "*" and not "USD").Take(12)];
        for (int index = 0; index < codes.Length; index++)
            yield return new Coin(codes[index], (ushort)(index + 1), (ushort)(index + 2), 8, 100m);
    }
}
