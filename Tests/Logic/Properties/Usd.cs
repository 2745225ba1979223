using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>Atoms of a unit in USD, and what rounding up can add: an atom a part of a requirement and half a one a row, a micro-USD a unit and part.</summary>
internal static class Usd
{
    /// <summary>Rows half an atom a contract in two states; measure, add-ons and product of the factor an atom each.</summary>
    public const double AtomsOfRounding = 6.0;

    public const long MicrosOfRounding = 6;

    public static double PerAtom(RandomBook book, UnitReport unit) => unit.Currency == "USD"
        ? 1e-6
        : (double)book.Underlyings.First(underlying => underlying.Code == unit.Currency).Index / Math.Pow(10, unit.Decimals);
}
