// Real option chains played through: at every snapshot exactly the venue's own marks, between two of them a seeded Brownian bridge.

using MarginEngine.Logic;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Index: a bridge in its logarithm with the first expiry's volatility at the money. Forwards: the index times a basis that moves in a
/// straight line between snapshots. Volatilities: each option's own straight line plus a bridge that the options of one expiry share.
/// </summary>
internal sealed class ChainPath : IPricePath
{
    /// <summary>
    /// Deviation of the shared bridge of volatilities, as a part of them and a square root of a year: about 2 % over half a day.
    /// </summary>
    private const double VolatilityOfVolatility = 1.1;
    private const double LargestPremium = 0.0015;
    private const double LeastVolatility = 0.02;
    private const byte CollateralDecimals = 8;

    private readonly ChainSession _session;
    private readonly SeededRandom _walks;
    private readonly List<AssetTrack> _tracks = [];
    private readonly List<CollateralTrack> _collaterals = [];
    private readonly IReadOnlyList<(string Code, IReadOnlyList<Candle> Candles)> _candles;

    /// <param name="candles">Of coins that are collateral beside the chains' own; those that do not cover the whole time are left
    /// out.</param>
    public ChainPath(ChainSession session, IReadOnlyList<(string Code, IReadOnlyList<Candle> Candles)> candles, SeededRandom random)
    {
        _session = session;
        _walks = random.Fork("bridges");
        // All assets must have prices from the start on: the path begins where the last of them first appears.
        StartNanos = session.Snapshots.GroupBy(snapshot => snapshot.Code).Max(group => group.First().TimeNanos);
        EndNanos = session.Snapshots[^1].TimeNanos;
        _candles = [.. candles.Where(coin => coin.Candles[0].OpenNanos <= StartNanos && coin.Candles[^1].CloseNanos >= EndNanos
            && session.Snapshots.All(snapshot => snapshot.Code != coin.Code))];
        Stops = [.. session.Snapshots.Select(snapshot => snapshot.TimeNanos).Where(time => time > StartNanos).Distinct()];
    }

    public string Description
    {
        get
        {
            string counts = string.Join(", ",
                _session.Snapshots.GroupBy(snapshot => snapshot.Code).Select(group => $"{group.Count()} of {group.Key}"));
            string others = _session.LeftOut == 0 ? string.Empty : $"; {_session.LeftOut} snapshots of other days are left out";
            return $"real option chains, {UnixTime.Show(StartNanos)} to {UnixTime.Show(EndNanos)}: {counts} snapshots;"
                + $" between snapshots index, forwards and volatilities follow a seeded bridge{Coins}{others}";
        }
    }

    private string Coins => _candles.Count == 0 ? string.Empty
        : $"; {string.Join(", ", _candles.Select(coin => coin.Code))} as collateral from real candles";

    public long StartNanos { get; }

    public long EndNanos { get; }

    public VolatilityForm Form => VolatilityForm.Marks;

    public IReadOnlyList<long> Stops { get; }

    public void Open(Board board)
    {
        board.Now = StartNanos;
        board.AddCurrency("USD", 6);
        foreach (IGrouping<string, AssetSnapshot> group in _session.Snapshots.GroupBy(snapshot => snapshot.Code)
                     .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Currency coin = board.AddCurrency(group.Key, group.Key == "BTC" ? (byte)10 : (byte)9);
            Asset asset = board.AddAsset(group.Key, coin);
            board.AddPerpetual(asset, inverse: true, FutureSize(asset));
            _tracks.Add(new AssetTrack(board, asset, [.. group], StartNanos));
        }
        foreach ((string code, IReadOnlyList<Candle> candles) in _candles)
            _collaterals.Add(new CollateralTrack(board.AddAsset(code, board.AddCurrency(code, CollateralDecimals)), candles, StartNanos));
        board.VolatilityOf = option => _tracks[option.Asset.Id - 1].VolatilityOf(option, board.Now);
    }

    public void Advance(Board board, long nanos)
    {
        board.Now = nanos;
        foreach (AssetTrack track in _tracks)
            track.Advance(board, nanos, _walks);
        foreach (CollateralTrack track in _collaterals)
            track.MoveTo(nanos);
    }

    public SviSlice SliceOf(Expiry expiry) => throw new InvalidOperationException("real chains have mark volatilities, no slices");

    public VolatilityNodes GridOf(Expiry expiry) => throw new InvalidOperationException("real chains have mark volatilities, no grids");

    private static long FutureSize(Asset asset) => asset.Code == "BTC" ? 10_00000000 : 1_00000000;

    private static long OptionSize(Asset asset) => asset.Code == "BTC" ? 10_000_000 : 1_00000000;

    /// <summary>One asset between its last and its next snapshot.</summary>
    private sealed class AssetTrack
    {
        private readonly Asset _asset;
        private readonly AssetSnapshot[] _snapshots;
        private readonly Bridge _index;
        private readonly Dictionary<long, ExpiryTrack> _expiries = [];
        private readonly List<(double From, double To)> _volatilities = [];
        private int _at;
        private double _premiumFrom;
        private double _premiumTo;

        public AssetTrack(Board board, Asset asset, AssetSnapshot[] snapshots, long startNanos)
        {
            _asset = asset;
            _snapshots = snapshots;
            while (_at + 1 < snapshots.Length && snapshots[_at + 1].TimeNanos <= startNanos)
                _at++;
            _index = new Bridge(snapshots[_at].TimeNanos, Functions.Log(snapshots[_at].Index));
            Arrive(board);
            Price(startNanos, null);
        }

        private AssetSnapshot From => _snapshots[_at];

        private AssetSnapshot To => _snapshots[Math.Min(_at + 1, _snapshots.Length - 1)];

        public void Advance(Board board, long nanos, SeededRandom walks)
        {
            bool arrived = false;
            while (_at + 1 < _snapshots.Length && nanos >= To.TimeNanos)
            {
                _index.MoveTo(To.TimeNanos, 0, walks);
                _at++;
                arrived = true;
            }
            if (arrived)
                Arrive(board);
            Price(nanos, walks);
        }

        public double VolatilityOf(Contract option, long nanos)
        {
            (double from, double to) = _volatilities[(int)option.Id];
            double shared = _expiries[option.Expiry!.Nanos].Shared.Value;
            return Math.Max(LeastVolatility, (from + (to - from) * Part(nanos)) * (1 + shared));
        }

        private double Part(long nanos)
            => To.TimeNanos == From.TimeNanos ? 0 : Math.Clamp((nanos - From.TimeNanos) / (double)(To.TimeNanos - From.TimeNanos), 0, 1);

        // At a snapshot: list what is new, and set where every line starts and ends.
        private void Arrive(Board board)
        {
            _index.Aim(To.TimeNanos, Functions.Log(To.Index));
            (_premiumFrom, _premiumTo) = (Premium(From), Premium(To));
            KeepWhatIsNotNamed();
            Dictionary<long, ExpirySnapshot> ends = To.Expiries.ToDictionary(expiry => expiry.Nanos);
            foreach (ExpirySnapshot start in From.Expiries)
            {
                Expiry expiry = board.ExpiryOf(_asset, start.Nanos);
                ExpirySnapshot end = ends.GetValueOrDefault(start.Nanos, start);
                if (start.HasFuture && expiry.Futures.Count == 0)
                    board.AddFuture(expiry, inverse: true, FutureSize(_asset));
                foreach ((long strike, bool isCall) in start.Volatilities.Keys.OrderBy(key => key))
                {
                    if (!expiry.Options.Exists(option => option.Strike == strike && option.IsCall == isCall))
                        board.AddOption(expiry, inverse: true, OptionSize(_asset), strike, isCall);
                }
                foreach (Contract option in expiry.Options)
                    Aim(option, start, end);
                bool isLast = ReferenceEquals(start, end);
                double basis = Basis(start.Forward / From.Index, expiry.Years(From.TimeNanos));
                double basisEnd = isLast ? basis : Basis(end.Forward / To.Index, expiry.Years(To.TimeNanos));
                var shared = new Bridge(From.TimeNanos, 0);
                shared.Aim(isLast ? Math.Min(start.Nanos, To.TimeNanos) : To.TimeNanos, 0);
                _expiries[start.Nanos] = new ExpiryTrack(expiry, shared, basis, basisEnd);
            }
        }

        // An expiry that the snapshot leaves out stays where it is.
        private void KeepWhatIsNotNamed()
        {
            foreach (long nanos in _expiries.Keys.Except(From.Expiries.Select(expiry => expiry.Nanos)).ToArray())
            {
                ExpiryTrack old = _expiries[nanos];
                _expiries[nanos] = old with { Basis = old.BasisEnd };
                foreach (Contract option in old.Expiry.Options)
                    _volatilities[(int)option.Id] = (_volatilities[(int)option.Id].To, _volatilities[(int)option.Id].To);
            }
        }

        private void Aim(Contract option, ExpirySnapshot start, ExpirySnapshot end)
        {
            while (_volatilities.Count <= option.Id)
                _volatilities.Add((0, 0));
            (long, bool) key = (option.Strike, option.IsCall);
            // An option that a snapshot does not name keeps its last volatility.
            double from = start.Volatilities.TryGetValue(key, out double named) ? named : _volatilities[(int)option.Id].To;
            _volatilities[(int)option.Id] = (from, end.Volatilities.GetValueOrDefault(key, from));
        }

        private void Price(long nanos, SeededRandom? walks)
        {
            double part = Part(nanos);
            double deviation = From.Expiries.Count > 0 ? From.Expiries[0].AtTheMoney : 0;
            double log = walks is null ? _index.Value : _index.MoveTo(nanos, deviation, walks);
            _asset.Index = Functions.Exp(log);
            foreach (Expiry expiry in _asset.Expiries)
            {
                if (expiry.IsSettled)
                    continue;
                ExpiryTrack track = _expiries[expiry.Nanos];
                if (walks is not null)
                    track.Shared.MoveTo(nanos, VolatilityOfVolatility, walks);
                double basis = track.Basis + (track.BasisEnd - track.Basis) * part;
                expiry.Forward = _asset.Index * Functions.Exp(basis * expiry.Years(nanos));
                foreach (Contract future in expiry.Futures)
                    future.Mark = expiry.Forward;
            }
            foreach (Contract perpetual in _asset.Perpetuals)
                perpetual.Mark = _asset.Index * (1 + _premiumFrom + (_premiumTo - _premiumFrom) * part);
        }

        // A year; so that a forward that is off by the moment of its index does not run away from it as the expiry comes near.
        private static double Basis(double ratio, double years) => Functions.Log(ratio) / Math.Max(years, 1e-6);

        // Candle prices of the perpetual, up to a minute away from the index: what is more than a usual premium is that minute, not a
        // premium.
        private static double Premium(AssetSnapshot snapshot)
            => snapshot.Perpetual is double price ? Math.Clamp(price / snapshot.Index - 1, -LargestPremium, LargestPremium) : 0;
    }

    /// <summary>A coin without contracts: an index that follows its candles.</summary>
    private sealed class CollateralTrack
    {
        private readonly Asset _asset;
        private readonly IReadOnlyList<Candle> _candles;
        private int _at;

        public CollateralTrack(Asset asset, IReadOnlyList<Candle> candles, long startNanos)
        {
            _asset = asset;
            _candles = candles;
            MoveTo(startNanos);
        }

        public void MoveTo(long nanos)
        {
            while (_at + 1 < _candles.Count && _candles[_at + 1].OpenNanos <= nanos)
                _at++;
            _asset.Index = CandlePath.PriceWithin(_candles[_at], nanos);
        }
    }

    private readonly record struct ExpiryTrack(Expiry Expiry, Bridge Shared, double Basis, double BasisEnd);
}
