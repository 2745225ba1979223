// What the accounts of the path bench hold, and how much money they need for it: measured by a machine of our own before the node is asked.
using System.Globalization;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>
/// Books are drawn from a few templates, so that a million accounts are ready at once; each account has its own multiple of its requirement. Pinned accounts
/// hold mostly the perpetual, and their equity is their maintenance margin at one price.
/// </summary>
internal sealed class PathBooks
{
    private const int Templates = 64;

    // Equity over maintenance margin of the crowd: lognormal with median 2.5, and nobody so near that the walk of the prices reaches it.
    private const double MedianRatio = 2.5;
    private const double RatioDeviation = 0.6;
    private const double LeastRatio = 1.6;
    private readonly Random _random;
    private readonly Trade[][] _templates = new Trade[Templates][];
    private readonly AccountMargin[] _margins = new AccountMargin[Templates];
    private readonly Book[] _pinned = new Book[PathScript.Pins];

    public PathBooks(PathMarket market, Random random, int positions)
    {
        _random = random;
        var messages = new ScriptMessages();
        using var machine = new MarginMachine(new Limits
        {
            Accounts = 256, Units = 512, Positions = 256 * positions, Orders = 16, Instruments = 256, Underlyings = 4, Expiries = 16, Grids = 4, Currencies = 4, Models = 2,
        });
        var sink = new Refusals();
        void Apply(ReadOnlyMemory<byte> message) => machine.Apply(machine.LastSequence + 1, market.StartNanos, message.Span, sink);

        AccountMargin Measure(int account, Trade[] trades)
        {
            Apply(messages.Open((ulong)account));
            foreach (Trade trade in trades)
                Apply(messages.Fill((ulong)account, trade.Instrument, trade.Lots, trade.PriceE8));
            return machine.Report((ulong)account)!.Margin;
        }

        foreach (ReadOnlyMemory<byte> message in market.Opening(messages))
            Apply(message);
        for (int template = 0; template < Templates; template++)
        {
            _templates[template] = Draw(positions, perpetuals: _random.Next(2) == 0 ? 50 : -50, options: 50, anySide: true);
            _margins[template] = Measure(1 + template, _templates[template]);
        }

        for (int pin = 0; pin < _pinned.Length; pin++)
        {
            // Long ones fall below the start, short ones above it. Near where the price turns, because an account in liquidation is computed with every
            // tick: nobody carries its orders out here, so it stays there until the price is back.
            bool isLong = pin % 2 == 0;
            int level = (isLong ? -1 : 1) * (PathScript.Reach - (2 * (1 + pin)));
            Trade[] trades = Draw(positions, perpetuals: isLong ? 1_000 : -1_000, options: 10, anySide: false);
            for (int part = 0; part < PathMarket.Parts; part++)
                Apply(market.Part(messages, part, PathMarket.PriceAt(level)));
            AccountMargin margin = Measure(1 + Templates + pin, trades);
            _pinned[pin] = new Book(trades, Math.Max(1, margin.Maintenance - margin.Equity), level);
        }

        if (sink.Rejects > 0)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{sink.Rejects} messages of the books were refused"));
    }

    public readonly record struct Trade(uint Instrument, long Lots, long PriceE8);

    /// <param name="Level">Basis points from the start at which it is liquidated; 0: out of reach.</param>
    public readonly record struct Book(Trade[] Trades, long DepositMicros, int Level);

    public Book Pinned(int pin) => _pinned[pin];

    public Book OfCrowd(int account)
    {
        int template = account % Templates;
        ref readonly AccountMargin margin = ref _margins[template];
        double ratio = Math.Max(LeastRatio, MedianRatio * Math.Exp(RatioDeviation * Gaussian()));
        return new Book(_templates[template], Math.Max(1_000_000, (long)(margin.Maintenance * ratio) - margin.Equity), 0);
    }

    private Trade[] Draw(int positions, int perpetuals, int options, bool anySide)
    {
        var trades = new Trade[positions];
        trades[0] = new Trade(ScriptMessages.Perpetual, perpetuals, PathMarket.Price0);
        HashSet<uint> held = [];
        for (int position = 1; position < positions; position++)
        {
            uint option;
            do
                option = (uint)_random.Next((int)PathMarket.FirstOption, (int)PathMarket.FirstOption + PathMarket.Options);
            while (!held.Add(option));
            trades[position] = new Trade(option, _random.Next(1, options + 1) * (anySide && _random.Next(2) == 0 ? -1 : 1), PathMarket.Price0 / 50);
        }

        return trades;
    }

    private double Gaussian() => Math.Sqrt(-2.0 * Math.Log(1.0 - _random.NextDouble())) * Math.Cos(2.0 * Math.PI * _random.NextDouble());

    private sealed class Refusals : IDecisionSink
    {
        public int Rejects { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            if (Codecs.RejectDecoder.TryWrap(message, out _))
                Rejects++;
        }
    }
}
