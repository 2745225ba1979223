namespace MarginEngine.Logic;

/// <summary>How much of a margin is calculated. What is left out is not right, and must not be looked at.</summary>
[Flags]
public enum Detail
{
    /// <summary>All of it: what is published and reported.</summary>
    Margin = 0,

    /// <summary>Equity, maintenance margin and their ratio alone, which states hang on: neither Greeks nor resting orders nor what only initial margin has.</summary>
    StateOnly = 1,

    /// <summary>How fast it can move besides, where the model is evaluated by crossings.</summary>
    Bounds = 2,
}
