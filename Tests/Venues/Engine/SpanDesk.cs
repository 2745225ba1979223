using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Tests.VenueTests.Reference;
using MarginEngine.Tool.Span;
using NUnit.Framework;
using ListedContract = MarginEngine.Tool.Span.SpanContract;
using SpanContract = MarginEngine.Tests.VenueTests.Reference.SpanContract;

namespace MarginEngine.Tests.VenueTests.EngineTests;

/// <summary>
/// A real parameter file in a machine: one underlying a combined commodity, every series defined, the model that <c>margin span --model</c> writes, and the market
/// of the file: index = price of the physical, forward = S e^((r - q) t), rates by expiry, volatilities by option; and its own risk arrays where they are to be taken.
/// A lot is a contract, USD is the file's money.
/// </summary>
internal sealed class SpanDesk : IDisposable
{
    private const decimal NanosPerYear = ReferenceOptions.SecondsPerYear * 1e9m;
    private const ushort Coin = 2;
    private const ushort FirstUnderlying = 1;
    private const int Room = 8_192;

    // Margin never calls: planning liquidations is not what these tests are about.
    private const decimal Collateral = 1_000_000_000m;

    private readonly Desk _desk;
    private readonly Dictionary<SpanContract, uint> _instruments = [];
    private ulong _accounts;

    public SpanDesk(string path, bool takesArrays = false)
    {
        File = SpanFile.Load(path);
        Market = SpanMarket.Of(SpanReader.Read(path), []);
        _desk = new Desk(
            new Limits
            {
                Accounts = 1_024, Units = Room, Positions = Room, Orders = 64, Instruments = 4_096, Underlyings = 64, Expiries = 1_024,
                Currencies = 8, Models = 1, EventMessages = 2 * Room, Sources = 2,
            },
            withMarket: false)
        {
            Now = (long)Desk.At($"{Market.File.Date:yyyy-MM-dd}T08:00:00Z"),
        };
        Define(takesArrays);
        SendMarket();
        if (takesArrays)
            SendArrays();
        Assert.That(_desk.HasRejected, Is.False, () => $"{File.Name}: {_desk.Rejected()}");
    }

    /// <summary>The file as the reference reads it.</summary>
    public SpanFile File { get; }

    /// <summary>The file as the command reads it.</summary>
    public SpanMarket Market { get; }

    /// <summary>Contracts of the file that the engine holds.</summary>
    public IReadOnlyCollection<SpanContract> Contracts => _instruments.Keys;

    public void Dispose() => _desk.Dispose();

    /// <summary>A new account with numbers of contracts; its report.</summary>
    public MarginReport Hold(IEnumerable<(SpanContract Contract, long Number)> positions)
    {
        ulong account = ++_accounts;
        _desk.Open(account);
        _desk.Transfer(account, Desk.Usd, Collateral);
        foreach ((SpanContract contract, long number) in positions)
        {
            _desk.Fill(account, _instruments[contract], number, contract.Strike is null ? PriceOf(contract) : 1m, flags: OriginFlags.None);
        }

        _desk.Time((ulong)_desk.Now);
        Assert.That(_desk.HasRejected, Is.False, () => $"{File.Name}: {_desk.Rejected()}");
        MarginReport report = _desk.Report(account);
        Assert.That(report.Margin.Flags & (MarginFlags.Unpriced | MarginFlags.Saturated), Is.EqualTo(MarginFlags.None), File.Name);
        return report;
    }

    public PositionReport PositionIn(MarginReport report, SpanContract contract) =>
        report.Units.SelectMany(unit => unit.Positions).Single(position => position.InstrumentId == _instruments[contract]);

    /// <summary>Spot shock of the worst row in the newest margin update.</summary>
    public long LastWorstShockE8()
    {
        MarginUpdateDecoder.TryWrap(_desk.Of(MarginUpdateDecoder.TemplateId).Last(), out MarginUpdateDecoder update);
        return update.WorstSpotShock.Mantissa;
    }

    private void Define(bool takesArrays)
    {
        _desk.Currency(Desk.Usd, 6, "USD");
        _desk.Currency(Coin, 8, "COIN");
        ushort id = FirstUnderlying;
        foreach (SpanUnderlying underlying in Market.Underlyings)
        {
            _desk.Underlying(id++, Coin, underlying.Commodity.Code);
        }

        foreach (byte[] part in SpanModel.Of(Market, takesArrays).ToMessages(
            1, _desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.EndOfEvent,
            [.. Market.Underlyings.Select(underlying => (IdOf(underlying), underlying.Commodity.Code))], [(Desk.Usd, "USD")]))
        {
            _desk.Apply(part);
        }

        _desk.SkipOrigin(_desk.Machine.LastSourceSequence(_desk.Source));
        var known = File.Contracts.ToDictionary(contract => (contract.Portfolio, contract.Period, contract.Strike, contract.IsCall));
        foreach (SpanUnderlying underlying in Market.Underlyings)
        {
            foreach (SpanInstrument instrument in underlying.Instruments)
            {
                ListedContract read = instrument.Contract;
                SpanContract contract = known[(read.Code, read.Period, read.Strike, read.IsCall)];
                _instruments[contract] = _desk.Instrument(
                    read.IsOption ? InstrumentKind.Option : InstrumentKind.Future, Settlement.Linear, IdOf(underlying), Desk.Usd, read.Size,
                    !read.IsOption ? OptionRight.None : read.IsCall ? OptionRight.Call : OptionRight.Put, read.Strike, ExpiryOf(read), instrument.Name);
            }
        }
    }

    private void SendMarket()
    {
        _desk.Time((ulong)_desk.Now);
        foreach (SpanUnderlying underlying in Market.Underlyings)
        {
            _desk.Index(underlying.Index, IdOf(underlying), OriginFlags.None);
        }

        var forwards = new HashSet<(ushort Underlying, ulong Expiry)>();
        foreach ((SpanContract contract, uint instrument) in _instruments)
        {
            SpanUnderlying underlying = Market.Find(contract.Commodity)!;
            ListedContract read = underlying.Instruments.First(each => each.Contract.Code == contract.Portfolio && each.Contract.Period == contract.Period).Contract;
            if (contract.Strike is null)
            {
                _desk.Mark(instrument, PriceOf(contract), OriginFlags.None);
                continue;
            }

            _desk.Volatility(instrument, contract.Volatility, OriginFlags.None);
            ulong expiry = ExpiryOf(read);
            if (forwards.Add((IdOf(underlying), expiry)))
            {
                decimal forward = contract.UnderlyingPrice * DecimalMath.Exp((contract.Rate - contract.Yield) * contract.Years);
                _desk.Forward(decimal.Round(forward, 8), expiry, IdOf(underlying), OriginFlags.None);
                _desk.ExpiryRate(contract.Rate, expiry, IdOf(underlying), OriginFlags.None);
            }
        }

        _desk.Time((ulong)_desk.Now);
    }

    private void SendArrays()
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        foreach ((SpanContract contract, uint instrument) in _instruments)
        {
            ListedContract read = Market.Find(contract.Commodity)!.Instruments.Select(each => each.Contract).First(each =>
                (each.Code, each.Period, each.Strike, each.IsCall) == (contract.Portfolio, contract.Period, contract.Strike, contract.IsCall));
            MarkArrayEncoder message = MarkArrayEncoder.Wrap(buffer);
            message.SetOrigin(_desk.NextOrigin(), (ulong)_desk.Now, _desk.Source, OriginFlags.None);
            message.InstrumentId = instrument;
            message.Exponent = -6;
            message.SetDelta(Desk.E8(read.CompositeDelta * read.Size));
            MarkArrayEncoder.RowsEncoder rows = message.RowsCount(read.Losses!.Count);
            for (int row = 0; row < read.Losses.Count; row++)
            {
                MarkArrayEncoder.RowsEncoder.Entry entry = rows[row];
                entry.Profit = -(long)(read.Losses[row] * 1_000_000m);
            }

            _desk.Apply(buffer.AsSpan(0, message.EncodedLength));
        }

        _desk.Time((ulong)_desk.Now);
    }

    // The time that the file prices with, to the nanosecond.
    private ulong ExpiryOf(ListedContract read) => (ulong)(_desk.Now + (long)(read.Years * NanosPerYear));

    private decimal PriceOf(SpanContract future) => Market.Find(future.Commodity)!.Instruments
        .First(each => !each.Contract.IsOption && each.Contract.Code == future.Portfolio && each.Contract.Period == future.Period).Contract.Price;

    private ushort IdOf(SpanUnderlying underlying)
    {
        for (int index = 0; index < Market.Underlyings.Count; index++)
        {
            if (ReferenceEquals(Market.Underlyings[index], underlying))
                return (ushort)(FirstUnderlying + index);
        }

        throw new ArgumentException($"{underlying.Commodity.Code} is of another file");
    }
}
