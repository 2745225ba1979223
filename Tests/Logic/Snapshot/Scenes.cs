using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests.Properties;
using MarginEngine.Tests.VenueTests.Agreement;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>Runs in which every part of the state is used, most of them by more than one message of a market event.</summary>
internal static class Scenes
{
    public static readonly ulong[] Expiries = [Desk.Expiry, Desk.At("2026-04-24T08:00:00Z"), Desk.At("2026-06-26T08:00:00Z")];

    /// <summary>
    /// Classes, owners, orders, grids and slices, two versions of a model, one of them waiting and compared, one half taken; funding, halt, liquidations
    /// in part, settlement with fees in the middle of an event, contracts without a price, rejects.
    /// </summary>
    public static Desk Everything(int seed, int ticks, bool byCrossings = false)
    {
        Random random = new(seed);
        ModelDocument Rule(ModelDocument document) => byCrossings ? document.With("timing.evaluation", "crossings") : document;
        Desk desk = new(model: Rule) { Source = 7 };
        desk.Model(Rule(TestModels.Matrix.With("requirement.across", "rows")), id: 2);
        desk.Model(Rule(ModelDocument.Shipped("derive-pmrm2")), id: 3);
        desk.Class(1, leverage: 20m);
        desk.Class(2, model: 2, minimumEquity: 1_000m, underlyings: [1]);
        uint inverse = desk.Perpetual();
        uint linear = desk.Perpetual(Desk.Usd, 0.001m);
        List<uint> options = [];
        foreach (ulong expiry in Expiries)
        {
            for (int strike = 56_000; strike <= 72_000; strike += 8_000)
            {
                options.Add(desk.Option(OptionRight.Call, strike, expiry: expiry));
                options.Add(desk.Option(OptionRight.Put, strike, Desk.Usd, size: 0.001m, expiry: expiry));
            }

            desk.Forward(64_200m, expiry);
        }

        uint never = desk.Perpetual(Desk.Usd, 0.01m);
        uint future = desk.Instrument(InstrumentKind.Future, Settlement.Inverse, 1, Desk.Btc, 10, expiry: Desk.Expiry, symbol: "BTC-27MAR26");
        desk.Mark(inverse, 64_000m);
        desk.Mark(linear, 64_000m);
        desk.Mark(future, 64_050m);
        desk.Fees(0.0002m, 0.0002m, 0.1m);
        desk.Open(Limits.FundAccount);
        desk.Transfer(Limits.FundAccount, Desk.Usd, 3_000);
        for (ulong account = 1; account <= 12; account++)
        {
            desk.OpenSub(account, owner: 100 + (account % 3), classId: account % 4 == 0 ? null : (ushort)(1 + (account % 2)), model: account % 4 == 0 ? (ushort)(1 + (account % 3)) : null);
            desk.Transfer(account, Desk.Usd, random.Next(4_000, 60_000));
            desk.Transfer(account, Desk.Btc, random.Next(0, 2));
            for (int leg = 0; leg < 4; leg++)
            {
                desk.Fill(account, options[random.Next(options.Count)], random.Next(1, 30) * (random.Next(3) == 0 ? 1 : -1), 0.02m);
            }

            desk.Fill(account, random.Next(2) == 0 ? inverse : linear, random.Next(1, 900) * (random.Next(2) == 0 ? 1 : -1), 64_000m);
            desk.Fill(account, future, random.Next(-90, 90), 64_010m);
        }

        desk.Fill(3, never, 5, 100m);

        // This one is going to owe more than the fund has.
        desk.Open(Broke);
        desk.Transfer(Broke, Desk.Usd, 9_000m);
        desk.Fill(Broke, linear, 1_000, 64_000m);
        desk.Source = 9;
        desk.SkipOrigin(0);
        decimal price = 64_000m;
        ulong order = 0;
        for (int tick = 0; tick < ticks; tick++)
        {
            desk.Now += 90_000_000;
            price = tick == 15 ? price * 0.75m : price;
            price = decimal.Round(price * (1 + ((decimal)(random.NextDouble() - 0.56) * 0.03m)), 2);
            Tick(desk, random, price, inverse, linear);
            switch (tick % 12)
            {
                case 1:
                    desk.Order((ulong)random.Next(1, 13), options[random.Next(options.Count)], random.Next(1, 9), 0.01m, ++order);
                    desk.Order((ulong)random.Next(1, 13), linear, -random.Next(1, 9), price + 10, ++order);
                    break;
                case 2:
                    desk.Ask((ulong)random.Next(1, 13), options[random.Next(6, options.Count)], random.Next(1, 9), 0.01m);
                    break;
                case 3:
                    Surfaces(desk, random);
                    break;
                case 4:
                    desk.AnnounceFunding(inverse, 0.0001m);
                    desk.PayFunding(linear, (random.Next(20) - 10) / 10_000m);
                    break;
                case 5:
                    desk.Cancel((ulong)random.Next(1, 13), order);
                    desk.OwnerTransfer(1, 4, Desk.Usd, 5);
                    break;
                case 6:
                    desk.Operator(tick % 24 == 6 ? Command.Halt : Command.ReduceOnly);
                    break;
                case 7:
                    desk.Operator(Command.Resume);
                    break;
                case 8:
                    desk.Configure((ulong)random.Next(1, 13), classId: (ushort)random.Next(1, 3));
                    break;
                case 9:
                    Versions(desk, tick);
                    break;
                case 10:
                    Close(desk, price);
                    break;
                case 11 when tick == 35:
                    desk.Index(price + 1, flags: OriginFlags.None);
                    Surfaces(desk, random);
                    desk.Settle(price);
                    break;
            }
        }

        return desk;
    }

    /// <summary>A random book held under every shipped model, under moving forwards and indices.</summary>
    public static Stage AllModels(int seed)
    {
        RandomBook book = BookMaker.Make(seed, new BookStyle { HasOrders = true, HasDoubt = true, HasFunding = true, HasOptionMarks = true, HasExpiryFeeds = true, HasStableDeposits = true });
        Stage stage = new(book, isHalted: false);
        foreach (string model in stage.Models)
        {
            stage.Hold(model);
        }

        Random random = new(seed);
        for (int tick = 0; tick < 6; tick++)
        {
            stage.Desk.Now += 400_000_000;
            foreach (BookExpiry expiry in book.Expiries.Where(expiry => book.Instruments.Any(contract => contract.UnderlyingId == expiry.UnderlyingId && contract.Expiry == expiry.Time)))
            {
                MarketMessages.Forward(stage.Desk, expiry with { Forward = decimal.Round(expiry.Forward * (decimal)(0.95 + (0.09 * random.NextDouble())), 8) });
            }

            BookUnderlying moved = book.Underlyings[random.Next(book.Underlyings.Count)];
            stage.Desk.Index(decimal.Round(moved.Index * (decimal)(0.95 + (0.09 * random.NextDouble())), 8), moved.Id);
        }

        return stage;
    }

    private const ulong Broke = 20;

    private static void Tick(Desk desk, Random random, decimal price, uint inverse, uint linear)
    {
        desk.Time((ulong)desk.Now);
        desk.Index(price, flags: OriginFlags.None);
        desk.Forward(price + 200, Expiries[random.Next(Expiries.Length)], flags: OriginFlags.None);
        desk.Mark(linear, price + 1, flags: OriginFlags.None);
        desk.Mark(inverse, price, flags: OriginFlags.EndOfEvent);
    }

    // A slice and two grids of one event; now and then they cross and are taken back.
    private static void Surfaces(Desk desk, Random random)
    {
        decimal level = 0.4m + (decimal)Math.Round(random.NextDouble() * 0.4, 4);
        desk.Slice(0.02m * level, 0.05m, -0.3m, 0m, 0.2m, Expiries[0], OriginFlags.None);
        desk.Grid(GridNodes.Of((-0.3, (double)level + 0.1), (0.0, (double)level), (0.3, (double)level + 0.1)), Expiries[1], OriginFlags.None);
        desk.Grid(GridNodes.Of((-0.2, (double)level), (0.0, (double)level), (0.2, (double)level)), Expiries[1], OriginFlags.None);
        if (random.Next(2) == 0)
        {
            desk.Slice(0.3m, 0.1m, 0m, 0m, 0.3m, Expiries[0], OriginFlags.None);
        }
    }

    // One version that waits and is compared, one that comes at once, one of which only a part comes.
    private static void Versions(Desk desk, int tick)
    {
        uint version = (uint)(10 + tick);
        ModelDocument next = TestModels.Matrix.With("requirement.maintenanceFactor", 0.8m + (tick % 5 * 0.01m));
        desk.Model(next.WithVersion(version), activation: (ulong)desk.Machine.LastSequence + 60, isCompared: true);
        desk.Class((ushort)(1 + (tick % 2)), version: version, model: (ushort)(1 + (tick % 2)), leverage: 15m);
        desk.Part([(new ParameterPlace(ModelSection.Model, (byte)ModelKey.MaintenanceFactor, 0, 0, 0), 81_000_000)], id: 2, version: version, part: 1, parts: 3);
    }

    // Carries half of the newest liquidation instructions out.
    private static void Close(Desk desk, decimal price)
    {
        foreach (byte[] message in desk.Of(LiquidationInstructionDecoder.TemplateId).ToArray())
        {
            LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder instruction);
            if (instruction.AccountId != Broke && instruction.AccountId > 3)
            {
                continue;
            }

            LiquidationInstructionDecoder.LegsDecoder.Entry leg = instruction.Legs[0];
            long lots = Math.Max(1, instruction.AccountId == Broke ? leg.Quantity : leg.Quantity / 2) * (leg.Side == Side.Buy ? 1 : -1);
            desk.LiquidationFill(instruction.AccountId, leg.InstrumentId, lots, leg.MarkPrice.Mantissa is long mark ? mark / 100_000_000m : price, instruction.LiquidationId, fee: 2);
        }
    }
}
