// Why an account stood where it stood at a sequence. Made by Explainer, written by ExplanationText and ExplanationJson, kept by the export.
using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Explain;

/// <summary>A point on the way: an evaluation that changed the account's figures. Amounts in micro-USD.</summary>
internal readonly record struct PathPoint(long Sequence, long TimeNanos, long Equity, long Maintenance, long RatioE8, AccountState State);

/// <summary>A message of the journal or a decision, as JSON of the codecs.</summary>
internal sealed record ToldMessage(long Sequence, long TimeNanos, string Template, string Json);

/// <summary>A price with the record that brought it; null: it never came.</summary>
internal sealed record SourcedPrice(PriceReport Price, RecordPlace? Place);

internal sealed record Explanation
{
    public required long Sequence { get; init; }

    /// <summary>When the engine took that input.</summary>
    public required long TimeNanos { get; init; }

    /// <summary>The clock that prices age by, then.</summary>
    public required long PriceTimeNanos { get; init; }

    public required MarginReport Report { get; init; }

    public required RulesReport Rules { get; init; }

    public required IReadOnlyList<SourcedPrice> Prices { get; init; }

    /// <summary>The newest last; the point of <see cref="Report"/> is the last.</summary>
    public required IReadOnlyList<PathPoint> Path { get; init; }

    /// <summary>Points in all, those beyond <see cref="Path"/> included.</summary>
    public required long PathLength { get; init; }

    /// <summary>Inputs that changed balances, positions, orders or rules of the account, the newest last.</summary>
    public required IReadOnlyList<ToldMessage> Inputs { get; init; }

    public required long InputCount { get; init; }

    /// <summary>Calls, instructions and payments of the fund, the newest last.</summary>
    public required IReadOnlyList<ToldMessage> Decisions { get; init; }

    public required long DecisionCount { get; init; }

    /// <summary>The answer in a sentence.</summary>
    public required string Answer { get; init; }
}
