using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>What a liquidation instruction promises: once its legs are closed at their marks and the cost is paid, the account is at its target or empty.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class LiquidationTests
{
    private static readonly BookStyle Style = new() { HasDoubt = true, HasFunding = true, LargestNotional = 1e7 };

    [Test]
    public void After_every_leg_is_closed_at_its_mark_and_cost_the_account_is_at_the_target_or_empty_under_every_model()
    {
        Property property = new("liquidation");
        SortedDictionary<string, int> instructed = [];
        for (int seed = 1; seed <= 120; seed++)
        {
            RandomBook book = BookMaker.Make(seed, Style);
            Random random = new(seed);
            using Stage probe = new(book);
            using Stage stage = new(book, isHalted: false);
            stage.Desk.Open(Limits.FundAccount);
            stage.Charge(stage.Open(stage.Models[0]), 0);
            foreach (string model in stage.Models)
            {
                // As much cash as leaves equity at a part of the maintenance margin.
                AccountMargin bare = probe.Report(probe.Hold(model, withDeposits: false)).Margin;
                long cash = (long)(bare.Maintenance * (0.2 + (0.75 * random.NextDouble()))) - bare.Equity;
                if (bare.Maintenance < 1_000 || cash <= 0)
                {
                    continue;
                }

                ulong account = stage.Open(model);
                stage.Give(account, RandomBook.UsdId, cash);
                foreach (BookFill fill in book.Fills)
                {
                    stage.Desk.Fill(account, fill.InstrumentId, fill.Lots, fill.Price, flags: OriginFlags.None);
                }

                stage.Report(account);
                stage.Desk.Clear();
                stage.Desk.Time(book.Now);
                if (Instruction(stage, account) is not { } plan)
                {
                    continue;
                }

                instructed[model] = instructed.GetValueOrDefault(model) + 1;
                stage.Charge(account, plan.Cost);
                foreach ((uint instrument, long lots, decimal mark) in plan.Legs)
                {
                    stage.Desk.LiquidationFill(account, instrument, -lots, mark, plan.Id);
                }

                MarginReport after = stage.Report(account);
                long rounding = Rounding(book, plan);
                bool isEmpty = after.Units.SelectMany(unit => unit.Positions).All(position => position.Lots == 0);
                decimal target = ModelDocument.Shipped(model).Number("states.targetRatio");
                property.That(
                    isEmpty || after.Margin.Maintenance <= (long)Math.Ceiling(target * (after.Margin.Equity + rounding)),
                    () => $"{model}: maintenance {after.Margin.Maintenance} of equity {after.Margin.Equity} after {plan}, rounding {rounding}: {book}");
                property.That(
                    Math.Abs(after.Margin.Maintenance - plan.Maintenance) <= (IsCharged(model) ? rounding : 0),
                    () => $"{model}: maintenance {after.Margin.Maintenance} instead of {plan.Maintenance} after {plan}: {book}");
            }
        }

        TestContext.Out.WriteLine(string.Join(", ", instructed.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Key} {each.Value}"))));
        property.Finish(atLeast: 800);
    }

    // Requirements of these look at balances, which a mark of eight decimals moves.
    private static bool IsCharged(string model) => model.StartsWith("derive", StringComparison.Ordinal);

    private static Plan? Instruction(Stage stage, ulong account)
    {
        foreach (byte[] message in stage.Desk.Of(LiquidationInstructionDecoder.TemplateId))
        {
            LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder decoder);
            if (decoder.AccountId != account)
            {
                continue;
            }

            List<(uint, long, decimal)> legs = [];
            foreach (LiquidationInstructionDecoder.LegsDecoder.Entry leg in decoder.Legs)
            {
                legs.Add((leg.InstrumentId, leg.Side == Side.Sell ? leg.Quantity : -leg.Quantity, leg.MarkPrice.Mantissa / 100_000_000m));
            }

            return new Plan(decoder.LiquidationId, legs, decoder.ExpectedMaintenanceMargin.Mantissa, decoder.ExpectedCost.Mantissa);
        }

        return null;
    }

    // Micro-USD that marks of eight decimals and atoms of coin are off, and a micro-USD a leg.
    private static long Rounding(RandomBook book, Plan plan)
    {
        double usd = 0.0;
        foreach ((uint instrument, long lots, decimal mark) in plan.Legs)
        {
            BookInstrument contract = book.Instrument(instrument);
            double coin = contract.CurrencyId == RandomBook.UsdId ? 1.0 : (double)book.Underlying(contract.UnderlyingId).Index;
            usd += (contract.IsOption ? Math.Abs((double)(lots * contract.Size)) * 1e-8 * coin : 0.0) + (2.0 * (double)book.Currency(contract.CurrencyId).Atom * coin) + 2e-6;
        }

        return (long)Math.Ceiling(usd * 1e6);
    }

    private sealed record Plan(ulong Id, List<(uint Instrument, long Lots, decimal Mark)> Legs, long Maintenance, long Cost)
    {
        public override string ToString() => $"{Id}: {string.Join(", ", Legs)}, expected maintenance {Maintenance}, cost {Cost}";
    }
}
