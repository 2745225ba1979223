// A market from its first definition to its last price as a sequence of events, each one or more input messages. Deterministic: the
// options decide every byte. Sent by the matching engine; benches and tests drain it directly.

using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>
/// First the set-up (definitions, model, prices, accounts with their books), as fast as the engine takes it; then exactly
/// <see cref="MarketOptions.EventCount"/> market events at equal distances of market time. Origins are not stamped yet.
/// </summary>
public sealed class MarketScript : IDisposable
{
    private const int DefinitionsAnEvent = 64;
    private const long FixingWindow = 30 * UnixTime.Minute;
    private const double VolatilityRefreshSeconds = 3_600;
    private const double VolatilitiesASecond = 3_000;
    private const double PriceRefreshSeconds = 100;
    private const int VolatilityEvery = 8;
    private const double Drains = 4;
    private const decimal OtherCoinHaircut = 0.30m;
    private const string StalePrice = "timing.stalePriceSeconds";
    private const string StaleVolatility = "timing.staleVolatilitySeconds";
    private const double LongestStaleSeconds = 604_800;

    private readonly MarketOptions _options;
    private readonly IPricePath _path;
    private readonly MessageWriter _writer;
    private readonly OrderFlow _flow;
    private readonly IEnumerator<bool> _setup;
    private readonly IEnumerator<bool> _market;
    private readonly Queue<Action> _pending = new();
    private readonly Dictionary<ushort, Queue<(long Nanos, double Index)>> _fixings = [];
    private readonly double _stepSeconds;
    private readonly double _refreshSeconds;
    private readonly Asset[] _traded;
    private readonly FundingSchedule _funding;
    private readonly PeggedCoin? _peg;
    private readonly bool _marksOptions;
    private int _portion = 1;
    private int _nextStop;
    private int _nextAsset;
    private int _nextExpiry;
    private int _defined;
    private long _ticked;
    private ulong _ids;

    private MarketScript(MarketOptions options, IPricePath path, Board board, Population population, Logic.ModelDocument model, PeggedCoin? peg)
    {
        _options = options;
        _path = path;
        Board = board;
        Population = population;
        Model = model;
        _writer = new MessageWriter(Batch);
        _stepSeconds = StepSeconds(options, path);
        _refreshSeconds = RefreshSeconds(options, path, board);
        _traded = [.. board.Traded];
        _funding = new FundingSchedule(board);
        _peg = peg;
        _marksOptions = options.AllMessages && model["pricing"]?["optionMark"]?.GetValue<string>() == "mark";
        _ids = 1_000_000_000;
        _flow = new OrderFlow(board, population, new SeededRandom(options.Seed), 2_000_000_000);
        foreach (Asset asset in board.Assets)
            _fixings.Add(asset.Id, new Queue<(long, double)>());
        _setup = Setup().GetEnumerator();
        _market = Market().GetEnumerator();
    }

    /// <summary>Where the prices come from, for people; says which of them are invented.</summary>
    public string Description => _path.Description;

    public long StartNanos => _path.StartNanos;

    public long EndNanos => _path.EndNanos;

    public Board Board { get; }

    public Population Population { get; }

    /// <summary>The margin model as it is sent.</summary>
    public Logic.ModelDocument Model { get; }

    /// <summary>The event made by the last call of <see cref="TryNextSetup"/> or <see cref="TryNext"/>.</summary>
    public MessageBatch Batch { get; } = new();

    /// <exception cref="ArgumentOutOfRangeException">An option that makes no market.</exception>
    /// <exception cref="Shell.CommandFailure">The source cannot be read.</exception>
    public static MarketScript Open(MarketOptions options)
    {
        options.Validate();
        var random = new SeededRandom(options.Seed);
        IPricePath path = PathSource.Open(options, random);
        var board = new Board();
        path.Open(board);
        PeggedCoin? peg = PeggedCoin.Open(board, options.Model ?? Logic.ModelDocument.Portfolio);
        double refresh = RefreshSeconds(options, path, board);
        Logic.ModelDocument model = Widen(TakingAll(board, options.Model ?? Logic.ModelDocument.Portfolio), StepSeconds(options, path), refresh, board.Traded.Count());
        Population population = BookFactory.Create(board, path, new BookPlan
        {
            Accounts = options.Accounts,
            Seed = options.Seed,
            PositionsPerAccount = options.PositionsPerAccount,
            Model = model,
            ModelId = options.ModelId,
        });
        return new MarketScript(options, path, board, population, model, peg);
    }

    /// <summary>Makes the next event of the set-up; false when the market can open.</summary>
    public bool TryNextSetup()
    {
        Batch.Clear();
        return _setup.MoveNext();
    }

    /// <summary>Makes the next market event; false after the last.</summary>
    public bool TryNext()
    {
        Batch.Clear();
        return _market.MoveNext();
    }

    public void Dispose()
    {
        _setup.Dispose();
        _market.Dispose();
    }

    private static double StepSeconds(MarketOptions options, IPricePath path)
        => (path.EndNanos - path.StartNanos) / (double)UnixTime.Second / options.EventCount;

    private static Logic.ModelDocument TakingAll(Board board, Logic.ModelDocument model)
    {
        foreach (Currency currency in board.Currencies)
        {
            if (!model.Haircuts().ContainsKey(currency.Code))
                model = model.With($"currencies.{currency.Code}.haircut", OtherCoinHaircut);
        }

        return model;
    }

    // A replay at a thousand times the speed has its ticks minutes apart: what is stale is meant in ticks then.
    private static Logic.ModelDocument Widen(Logic.ModelDocument model, double stepSeconds, double refresh, int assets) => model
        .With(StalePrice, AtLeast(model.Number(StalePrice), stepSeconds * assets * 12))
        .With(StaleVolatility, AtLeast(model.Number(StaleVolatility), 1.2 * refresh + stepSeconds * VolatilityEvery * 6));

    // Market time between two volatilities of one option: an hour, or longer where that would be more messages a second of wall time than
    // prices are. Slices are few and need no such bound.
    private static double RefreshSeconds(MarketOptions options, IPricePath path, Board board)
    {
        if (path.Form != VolatilityForm.Marks)
            return VolatilityRefreshSeconds;
        double speed = (path.EndNanos - path.StartNanos) / (double)UnixTime.Second / options.Seconds;
        return Math.Max(VolatilityRefreshSeconds, board.Contracts.Count(contract => contract.IsOption) * speed / VolatilitiesASecond);
    }

    private static decimal AtLeast(decimal wanted, double seconds)
        => Math.Max(wanted, (decimal)Math.Min(Math.Ceiling(seconds), LongestStaleSeconds));

    private IEnumerable<bool> Setup()
    {
        var definitions = new MessageBatch();
        SetupWriter.Definitions(new MessageWriter(definitions), Board);
        for (int i = 0; i < definitions.Count; i++)
        {
            Batch.Add(definitions[i]);
            if (Batch.Count == DefinitionsAnEvent)
                yield return true;
        }
        _defined = Board.Contracts.Count;
        SetupWriter.Model(_writer, Board, Model, _options.ModelId);
        yield return true;
        if (_options.AllMessages)
            SetupWriter.Terms(_writer, Board, _options.ModelId);
        SetupWriter.Prices(_writer, Board, _path);
        foreach (Asset asset in _traded)
            OptionMarks(asset);
        yield return true;
        _ticked = Board.Now;
        _writer.Open(0, _options.ModelId);
        _writer.Transfer(0, Population.Fund.Currency, Population.Fund.Atoms, ++_ids);
        yield return true;
        foreach (AccountBook book in Population.Providers.Concat(Population.Clients))
        {
            ushort? named = !_options.AllMessages ? null : book.AccountId < BookPlan.FirstClient ? SetupWriter.ProviderClass : SetupWriter.ClientClass;
            SetupWriter.Account(_writer, Board, book, _options.ModelId, named, contract => Population.ProviderOf(contract).AccountId, ref _ids);
            yield return true;
        }
        if (_options.AllMessages)
        {
            SetupWriter.Interest(_writer, Population);
            yield return true;
        }
    }

    private IEnumerable<bool> Market()
    {
        int count = _options.EventCount;
        for (int number = 0; number < count; number++)
        {
            long target = StartNanos + (long)((Int128)(EndNanos - StartNanos) * (number + 1) / count);
            bool isLast = number == count - 1;
            do
            {
                if (_pending.Count == 0 && NextStop() is long stop && stop <= target)
                    ArriveAt(stop);
                for (int left = isLast ? _pending.Count : _portion; left > 0 && _pending.TryDequeue(out Action? write); left--)
                {
                    Tick();
                    write();
                }
            }
            while (isLast && (_pending.Count > 0 || NextStop() <= target));
            if (Batch.Count == 0 || isLast)
                Advance(target);
            if (isLast)
                PlayPrices(_traded.Length);
            else if (Batch.Count == 0)
                Play(number);
            yield return true;
        }
    }

    // Every second event is prices, every eighth volatilities, three times a day funding, the rest belongs to the clients: so that nothing grows stale by chance.
    private void Play(int number)
    {
        if (_funding.IsDue)
        {
            Tick();
            _funding.Write(_writer);
        }
        else if (number % 2 == 0)
        {
            bool isCoarse = 2 * _traded.Length * _stepSeconds > PriceRefreshSeconds;
            PlayPrices(isCoarse ? _traded.Length : 1);
        }
        else if (number % VolatilityEvery == 1)
        {
            PlayVolatilities();
        }
        else
        {
            _flow.Act(_writer);
        }
    }

    private void PlayPrices(int assets)
    {
        Tick();
        for (int i = assets; i > 0; i--)
        {
            Asset asset = _traded[_nextAsset++ % _traded.Length];
            SetupWriter.Linear(_writer, asset);
            OptionMarks(asset);
        }
        foreach (Asset asset in Board.Assets.Skip(_traded.Length))
            SetupWriter.Linear(_writer, asset);
    }

    private void OptionMarks(Asset asset)
    {
        if (_marksOptions)
            SetupWriter.OptionMarks(_writer, Board, asset);
    }

    private void PlayVolatilities()
    {
        Tick();
        if (_path.Form != VolatilityForm.Marks)
        {
            // All expiries of an asset at once: no slice may cross its neighbours, so they move together.
            foreach (Expiry expiry in _traded[_nextExpiry++ % _traded.Length].Expiries)
                SetupWriter.Volatilities(_writer, Board, _path, expiry);
            return;
        }
        Expiry[] live = [.. Board.Assets.SelectMany(asset => asset.Expiries).Where(expiry => !expiry.IsSettled)];
        int wanted = (int)Math.Ceiling(live.Length * _stepSeconds * VolatilityEvery / _refreshSeconds);
        for (int i = Math.Clamp(wanted, 1, live.Length); i > 0; i--)
            SetupWriter.Volatilities(_writer, Board, _path, live[_nextExpiry++ % live.Length]);
    }

    private long? NextStop()
    {
        long stop = _nextStop < _path.Stops.Count ? _path.Stops[_nextStop] : long.MaxValue;
        foreach (Asset asset in Board.Assets)
        {
            Expiry? front = asset.Expiries.Find(expiry => !expiry.IsSettled);
            if (front is not null)
                stop = Math.Min(stop, front.Nanos);
        }
        return stop == long.MaxValue ? null : stop;
    }

    // Stands exactly on a moment that must not be skipped: an expiry, or a snapshot of the venue, whose marks are all sent.
    private void ArriveAt(long stop)
    {
        Advance(stop);
        Expiry[] live = [.. Board.Assets.SelectMany(asset => asset.Expiries).Where(expiry => !expiry.IsSettled)];
        foreach (Expiry expiry in live.Where(expiry => expiry.Nanos <= stop))
            _pending.Enqueue(() => Settle(expiry));
        if (_nextStop < _path.Stops.Count && _path.Stops[_nextStop] == stop)
        {
            _nextStop++;
            for (; _defined < Board.Contracts.Count; _defined = Math.Min(_defined + DefinitionsAnEvent, Board.Contracts.Count))
            {
                int first = _defined;
                _pending.Enqueue(() => Define(first));
            }
            foreach (Asset asset in Board.Assets)
                _pending.Enqueue(() =>
                {
                    SetupWriter.Linear(_writer, asset);
                    OptionMarks(asset);
                });
            foreach (Expiry expiry in live.Where(expiry => expiry.Nanos > stop))
                _pending.Enqueue(() => SetupWriter.Volatilities(_writer, Board, _path, expiry));
        }
        double budget = Math.Max(1, _options.EventCount / (Drains * (_path.Stops.Count + 8)));
        _portion = (int)Math.Ceiling(_pending.Count / budget);
    }

    private void Define(int first)
    {
        for (int i = first; i < Math.Min(first + DefinitionsAnEvent, Board.Contracts.Count); i++)
            _writer.Instrument(Board.Contracts[i]);
    }

    private void Settle(Expiry expiry)
    {
        _flow.CancelAll(_writer, expiry);
        _writer.Settle(expiry, _fixings[expiry.Asset.Id].Average(sample => sample.Index));
        expiry.IsSettled = true;
    }

    private void Advance(long nanos)
    {
        _path.Advance(Board, nanos);
        _peg?.Move();
        foreach (Asset asset in Board.Assets)
        {
            Queue<(long Nanos, double Index)> fixing = _fixings[asset.Id];
            fixing.Enqueue((nanos, asset.Index));
            while (fixing.Peek().Nanos < nanos - FixingWindow)
                fixing.Dequeue();
        }
    }

    private void Tick()
    {
        if (Board.Now == _ticked)
            return;
        _ticked = Board.Now;
        _writer.Time(Board.Now);
    }
}
