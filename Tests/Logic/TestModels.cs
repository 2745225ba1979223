using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Models that tests reckon by hand.</summary>
internal static class TestModels
{
    /// <summary>
    /// Prices by volatilities, tails, roll and delta shock, the cost of closing, requirements of units added up: few parts, so that a test can tell each number.
    /// </summary>
    public static ModelDocument Matrix { get; } = ModelDocument.Shipped("deribit-pm")
        .With("name", "matrix")
        .With("requirement.across", "sum")
        .With("liquidation.charged", true);
}
