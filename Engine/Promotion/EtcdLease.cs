// A lease at etcd, version 3.4 or newer, through its HTTP gateway. Which node has it is decided by etcd alone: a lease with a time to
// live, and a transaction that compares before it writes.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace MarginEngine.Promotion;

/// <summary>
/// Two keys. `PREFIX/primary` is bound to the holder's etcd lease and goes with it; `PREFIX/epoch` counts grants and keeps the newest
/// holder's name ("12 name"). A grant writes both in one transaction, which compares that the first does not exist and the second is
/// as it was seen. A renewal counts only after etcd has said, too, that the first key still hangs on our lease.
/// </summary>
/// <remarks>etcd counts whole seconds, and none below about two: <see cref="TtlNanos"/> is what it granted.</remarks>
public sealed class EtcdLease : ILease
{
    private const long NanosPerSecond = 1_000_000_000;
    private const int RenewalsATtl = 4;
    private const int LooksATtl = 10;
    private readonly EtcdGateway _etcd;
    private readonly string _primaryKey;
    private readonly string _epochKey;
    private readonly string _node;
    private long _ttlNanos;
    private Task<Answer>? _pending;
    private Answer _newest = new(0, "", 0, 0);
    private string _problem = "";
    private bool _hasAnswer;
    private long _grant;
    private long _validUntilNanos;
    private long _nextNanos = long.MinValue;
    private long _wantedEpoch = -1;
    private bool _release;

    /// <param name="endpoint">Such as <c>http://127.0.0.1:2379</c>.</param>
    /// <param name="prefix">Of the keys: one for each pair of nodes.</param>
    /// <param name="node">This node's name, different from the other's.</param>
    /// <param name="ttlNanos">How long a grant lasts; rounded up to whole seconds.</param>
    public EtcdLease(Uri endpoint, string prefix, string node, long ttlNanos)
    {
        _ttlNanos = (ttlNanos + NanosPerSecond - 1) / NanosPerSecond * NanosPerSecond;
        _etcd = new EtcdGateway(endpoint, TimeSpan.FromTicks(_ttlNanos / 100 / RenewalsATtl));
        _primaryKey = $"{prefix}/primary";
        _epochKey = $"{prefix}/epoch";
        _node = node;
    }

    /// <summary>What etcd says after a request.</summary>
    /// <param name="Epoch">Newest grant.</param>
    /// <param name="Holder">Who got it.</param>
    /// <param name="LeaseOfPrimary">etcd's number of the lease on the primary's key; 0: nobody's.</param>
    /// <param name="TtlNanos">Time to live that a grant or renewal gave; 0: it was no such request.</param>
    private readonly record struct Answer(uint Epoch, string Holder, long LeaseOfPrimary, long TtlNanos)
    {
        public long Grant { get; init; }

        public long SentNanos { get; init; }
    }

    /// <inheritdoc/>
    public long TtlNanos => _ttlNanos;

    private bool IsMine => _grant != 0;

    /// <inheritdoc/>
    public void Acquire(uint epochSeen)
    {
        _wantedEpoch = epochSeen;
        _nextNanos = long.MinValue;
    }

    /// <inheritdoc/>
    public void Release()
    {
        _wantedEpoch = -1;
        _release = IsMine;
        _nextNanos = long.MinValue;
    }

    /// <inheritdoc/>
    public LeaseView Poll(long nowNanos)
    {
        if (_pending is { IsCompleted: true } done)
        {
            _pending = null;
            Take(done);
        }

        if (IsMine && nowNanos >= _validUntilNanos)
            _grant = 0;
        if (_pending is null && nowNanos >= _nextNanos)
        {
            _pending = Ask(nowNanos);
            _nextNanos = nowNanos + _ttlNanos / (IsMine ? RenewalsATtl : LooksATtl);
        }

        return View();
    }

    public void Dispose() => _etcd.Dispose();

    private LeaseView View()
    {
        LeaseState state = IsMine ? LeaseState.Mine
            : !_hasAnswer ? _problem.Length > 0 ? LeaseState.Unreachable : LeaseState.Unknown
            : _newest.LeaseOfPrimary == 0 ? LeaseState.Free
            : LeaseState.Others;
        return new LeaseView(state, _newest.Epoch, _newest.Holder, _validUntilNanos, _problem);
    }

    private Task<Answer> Ask(long nowNanos)
    {
        long wanted = _wantedEpoch;
        _wantedEpoch = -1;
        if (_release)
        {
            _release = false;
            long given = _grant;
            _grant = 0;
            return GiveBack(given);
        }

        if (IsMine)
            return Renew(_grant, nowNanos);
        return wanted == _newest.Epoch && _hasAnswer && _newest.LeaseOfPrimary == 0 ? Take(_newest, nowNanos) : Look();
    }

    private void Take(Task<Answer> done)
    {
        if (!done.IsCompletedSuccessfully)
        {
            _problem = done.Exception?.InnerException?.Message ?? "no answer in time";
            _hasAnswer = false;
            return;
        }

        Answer answer = done.Result;
        (_problem, _hasAnswer, _newest) = ("", true, answer);
        if (answer.Grant == 0)
        {
            return;
        }

        bool holds = answer.LeaseOfPrimary == answer.Grant && answer.TtlNanos > 0;
        _grant = holds ? answer.Grant : 0;
        if (holds)
        {
            _ttlNanos = answer.TtlNanos;
            _validUntilNanos = answer.SentNanos + answer.TtlNanos;
        }
    }

    private async Task<Answer> Look() =>
        Read(await _etcd.Post("kv/txn", new JsonObject { ["success"] = Ranges() }).ConfigureAwait(false), "responses");

    private async Task<Answer> Take(Answer seen, long sentNanos)
    {
        JsonNode granted = await _etcd.Post("lease/grant", new JsonObject { ["TTL"] = _ttlNanos / NanosPerSecond }).ConfigureAwait(false);
        long grant = EtcdGateway.Number(granted["ID"]);
        long ttl = EtcdGateway.Number(granted["TTL"]) * NanosPerSecond;
        uint epoch = checked(seen.Epoch + 1);
        JsonObject compareEpoch = seen.Epoch == 0
            ? new JsonObject { ["key"] = EtcdGateway.Text(_epochKey), ["target"] = "CREATE", ["create_revision"] = "0" }
            : new JsonObject { ["key"] = EtcdGateway.Text(_epochKey), ["target"] = "VALUE", ["value"] = EtcdGateway.Text(EpochText(seen.Epoch, seen.Holder)) };
        JsonNode result = await _etcd.Post("kv/txn", new JsonObject
        {
            ["compare"] = new JsonArray(
                new JsonObject { ["key"] = EtcdGateway.Text(_primaryKey), ["target"] = "CREATE", ["create_revision"] = "0" }, compareEpoch),
            ["success"] = new JsonArray(
                Put(_primaryKey, _node, grant), Put(_epochKey, EpochText(epoch, _node), 0), Range(_primaryKey), Range(_epochKey)),
            ["failure"] = Ranges(),
        }).ConfigureAwait(false);
        if ((bool?)result["succeeded"] != true)
            await _etcd.Post("lease/revoke", new JsonObject { ["ID"] = Number(grant) }).ConfigureAwait(false);
        return Read(result, "responses") with { TtlNanos = ttl, Grant = grant, SentNanos = sentNanos };
    }

    private async Task<Answer> Renew(long grant, long sentNanos)
    {
        JsonNode kept = await _etcd.Post("lease/keepalive", new JsonObject { ["ID"] = Number(grant) }).ConfigureAwait(false);
        Answer after = await Look().ConfigureAwait(false);
        return after with { TtlNanos = EtcdGateway.Number(kept["result"]?["TTL"]) * NanosPerSecond, Grant = grant, SentNanos = sentNanos };
    }

    private async Task<Answer> GiveBack(long grant)
    {
        await _etcd.Post("lease/revoke", new JsonObject { ["ID"] = Number(grant) }).ConfigureAwait(false);
        return await Look().ConfigureAwait(false);
    }

    private static string EpochText(uint epoch, string holder) => string.Create(CultureInfo.InvariantCulture, $"{epoch} {holder}");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private JsonArray Ranges() => new(Range(_primaryKey), Range(_epochKey));

    private static JsonObject Range(string key) => new() { ["request_range"] = new JsonObject { ["key"] = EtcdGateway.Text(key) } };

    private static JsonObject Put(string key, string value, long grant) => new()
    {
        ["request_put"] = new JsonObject { ["key"] = EtcdGateway.Text(key), ["value"] = EtcdGateway.Text(value), ["lease"] = Number(grant) },
    };

    /// <summary>The two ranges at the end of a transaction's answer.</summary>
    private static Answer Read(JsonNode transaction, string list)
    {
        JsonArray responses = transaction[list]!.AsArray();
        JsonNode? primary = responses[^2]?["response_range"]?["kvs"]?[0];
        JsonNode? epoch = responses[^1]?["response_range"]?["kvs"]?[0];
        long lease = primary is null ? 0 : EtcdGateway.Number(primary["lease"]);
        if (epoch is null)
            return new Answer(0, "", lease, 0);
        string text = Encoding.UTF8.GetString(Convert.FromBase64String((string)epoch["value"]!));
        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        return blank > 0 && uint.TryParse(text.AsSpan(0, blank), CultureInfo.InvariantCulture, out uint number)
            ? new Answer(number, text[(blank + 1)..], primary is null ? 0 : Math.Max(lease, 1), 0)
            : throw new FormatException($"etcd holds '{text}' where an epoch and a name belong");
    }
}
