using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Engine;

/// <summary>dYdX's published cases out of the engine: an initial fraction that grows with open interest and rounds up to whole units, and the price of a liquidation's fill.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DydxEngineTests
{
    // The venue counts USDC in millionths, as the engine counts USD: a lot of a millionth at a price of 1 is one unit.
    private const decimal Unit = 1e-6m;

    [Test]
    public void Every_initial_requirement_by_open_interest_comes_out_of_the_engine_to_the_unit()
    {
        var tally = new Reproduction("engine: dYdX initial margin by open interest [V]", 0.0);
        foreach (ReferenceDocument group in ReferenceData.Groups("dydx_v4"))
        {
            foreach (JsonElement test in group.Root.Items("oimf"))
            {
                string name = $"{group.Name} {test.Number("im_ppm")} ppm of {test.Number("quote")}";
                using var desk = new VenueDesk();
                ushort main = desk.Underlying("BTC", desk.Currency("BTC", 8));
                desk.Model(ModelOf(test.Number("im_ppm") / 1e6m, 0m, test.Number("lower", 0m) * Unit, test.Number("upper", 0m) * Unit));
                desk.Index(main, 1m);
                uint perpetual = desk.Perpetual(main, size: Unit);
                desk.Mark(perpetual, 1m);
                desk.OpenInterest(perpetual, (long)test.Number("oi", 0m));
                desk.Hold(perpetual, test.Number("quote") * Unit, 1m, Unit);
                tally.Case();
                tally.Absolute(desk.Report(name).Margin.Initial, test.Number("expected"), name);
            }
        }

        tally.Finish();
    }

    [Test]
    public void Every_fillable_price_comes_out_of_the_engine()
    {
        var tally = new Reproduction("engine: dYdX fillable price [V]", 0.0);
        foreach (ReferenceDocument group in ReferenceData.Groups("dydx_v4"))
        {
            foreach (JsonElement test in group.Root.GetProperty("fillable_price").Items("cases"))
            {
                decimal size = test.Number("pos"), quote = test.Number("quote");
                string name = $"{group.Name} size {size} quote {quote}";
                using var desk = new VenueDesk();
                ushort main = desk.Underlying("BTC", desk.Currency("BTC", 8));
                desk.Model(ModelOf(0.2m, 0.1m, 0m, 0m)
                    .With("liquidation.spreadToMaintenance", DeriveDesk.Number(test.Number("SMMR")))
                    .With("liquidation.bankruptcyAdjustment", DeriveDesk.Number(test.Number("BA"))));
                desk.Index(main, 50_000m);
                uint perpetual = desk.Perpetual(main);
                desk.Mark(perpetual, 50_000m);

                // What was paid for the position is all the account has.
                desk.Hold(perpetual, size, -quote / size);
                tally.Case();
                tally.Absolute(desk.FillablePrices().Single(), test.Number("price"), name);
            }
        }

        tally.Finish();
    }

    private static ModelDocument ModelOf(decimal initial, decimal maintenance, decimal lower, decimal upper) => ModelDocument.Shipped("brackets")
        .With("states.liquidationRatio", 1m)
        .With("addOns", new JsonArray(new JsonObject
        {
            ["kind"] = "openInterest",
            ["initial"] = DeriveDesk.Number(initial),
            ["maintenance"] = DeriveDesk.Number(maintenance),
            ["lower"] = DeriveDesk.Number(lower),
            ["upper"] = DeriveDesk.Number(upper),
        }));
}
