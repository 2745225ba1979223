// Follows one account through a replay and explains it where the replay stands. Used by `replay --at --explain`.
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Explain;

/// <summary>Hand the three observers to a replay; <see cref="Explain"/> when it has reached its end.</summary>
/// <param name="account">Whom it follows.</param>
/// <param name="machine">The replay's machine; asked first after the first input.</param>
/// <param name="prices">Shared by the explainers of one replay, and fed by it.</param>
/// <param name="keep">Points, inputs and decisions kept, the newest of each.</param>
internal sealed class Explainer(ulong account, Func<MarginMachine> machine, PriceSources prices, int keep)
{
    private readonly Queue<PathPoint> _path = [];
    private readonly Queue<ToldMessage> _inputs = [];
    private readonly Queue<ToldMessage> _decisions = [];
    private byte[] _input = [];
    private int _inputLength;
    private long _sequence, _time, _points, _inputCount, _decisionCount;
    private ulong _holdings;
    private PathPoint _last;

    public void OnInput(long sequence, long timeNanos, ReadOnlySpan<byte> message)
    {
        (_sequence, _time, _inputLength) = (sequence, timeNanos, message.Length);
        if (_input.Length < message.Length) _input = new byte[Math.Max(message.Length, 512)];
        message.CopyTo(_input);
    }

    public void OnDecision(ReadOnlySpan<byte> decision)
    {
        if (!Schema.TryTemplateOf(decision, out ushort template) || !Concerns(template, decision)) return;
        _decisionCount++;
        Keep(_decisions, Tell(template, decision));
    }

    public void OnApplied(long sequence)
    {
        if (machine().Standing(account) is not AccountStanding now) return;
        ulong holdings = machine().HoldingsDigest(account);
        if (holdings != _holdings)
        {
            _holdings = holdings;
            _inputCount++;
            ReadOnlySpan<byte> message = _input.AsSpan(0, _inputLength);
            Keep(_inputs, Tell(Schema.TryTemplateOf(message, out ushort template) ? template : (ushort)0, message));
        }

        PathPoint point = new(sequence, _time, now.Margin.Equity, now.Margin.Maintenance, now.Margin.RatioE8, now.State);
        if (_points > 0 && point with { Sequence = _last.Sequence, TimeNanos = _last.TimeNanos } == _last) return;
        _last = point;
        _points++;
        Keep(_path, point);
    }

    /// <summary>Null: there is no such account.</summary>
    public Explanation? Explain()
    {
        MarginMachine at = machine();
        if (at.Report(account) is not MarginReport report || at.Rules(account) is not RulesReport rules) return null;
        return new Explanation
        {
            Sequence = at.LastSequence,
            TimeNanos = at.LastTime,
            PriceTimeNanos = at.PriceTime,
            Report = report,
            Rules = rules,
            Prices = [.. at.Prices(account).Select(price => new SourcedPrice(price, prices.PlaceOf(price.Key)))],
            Path = [.. _path],
            PathLength = _points,
            Inputs = [.. _inputs],
            InputCount = _inputCount,
            Decisions = [.. _decisions],
            DecisionCount = _decisionCount,
            Answer = Answer(report, rules),
        };
    }

    private static string Answer(MarginReport report, RulesReport rules)
    {
        AccountState state = report.State;
        AccountMargin margin = report.Margin;
        string ratio = margin.RatioE8 >= Limits.RatioCeiling ? "there is no equity left" : $"that is a ratio of {Decimal(margin.RatioE8, 8)}";
        StringBuilder answer = new();
        answer.Append(CultureInfo.InvariantCulture, $"Account {report.AccountId} is in state {Names.Of(state)}: maintenance margin {Decimal(margin.Maintenance, 6)} USD");
        answer.Append(CultureInfo.InvariantCulture, $" against equity {Decimal(margin.Equity, 6)} USD, {ratio}");
        if (state > AccountState.Healthy)
            answer.Append(CultureInfo.InvariantCulture, $", and {Names.Of(state)} begins at {Decimal(rules.ThresholdE8[(int)state], 8)} (left {Decimal(rules.HysteresisE8, 8)} below it)");
        else
            answer.Append(CultureInfo.InvariantCulture, $", below {Decimal(rules.ThresholdE8[(int)AccountState.Warning], 8)} where the first warning begins");
        answer.Append(" under model ").Append(rules.Model).Append(CultureInfo.InvariantCulture, $" version {rules.Version}.");
        if (WorstRow(report) is (UnitReport unit, RowReport row))
            answer.Append(CultureInfo.InvariantCulture, $" Its worst row in {unit.Underlying} is row {row.Index}: spot {Decimal(row.SpotShockE8 * 100, 8)} %, ")
                .Append(CultureInfo.InvariantCulture, $"volatility {Names.Of(row.Volatility)}, {Decimal(row.Counted, unit.Decimals)} {unit.Currency}.");
        return answer.ToString();
    }

    /// <summary>The row of the account's worst underlying that loses most; null: no row loses.</summary>
    public static (UnitReport Unit, RowReport Row)? WorstRow(MarginReport report)
    {
        UnitReport? unit = report.Units.FirstOrDefault(unit => unit.Underlying == report.WorstUnderlying && unit.Margin.WorstRow >= 0);
        return unit is null ? null : (unit, unit.Rows[unit.Margin.WorstRow]);
    }

    private bool Concerns(ushort template, ReadOnlySpan<byte> decision)
    {
        if (template is not (MarginCallDecoder.TemplateId or LiquidationInstructionDecoder.TemplateId or FundEventDecoder.TemplateId or DeleveragingDecoder.TemplateId
            or AccountSettledDecoder.TemplateId or LiquidationPricesDecoder.TemplateId)) return false;
        if (MessageAccount.Of(decision) == account) return true;
        if (template != DeleveragingDecoder.TemplateId || !DeleveragingDecoder.TryWrap(decision, out DeleveragingDecoder shared)) return false;
        foreach (DeleveragingDecoder.SharesDecoder.Entry share in shared.Shares)
            if (share.AccountId == account)
                return true;
        return false;
    }

    private void Keep<T>(Queue<T> queue, T item)
    {
        if (queue.Count == keep) queue.Dequeue();
        queue.Enqueue(item);
    }

    private ToldMessage Tell(ushort template, ReadOnlySpan<byte> message) => new(_sequence, _time, Schema.NameOf(template), ToJson(message));

    /// <summary>A message as one line of JSON; `null` where it cannot be decoded.</summary>
    public static string ToJson(ReadOnlySpan<byte> message)
    {
        ArrayBufferWriter<byte> bytes = new(512);
        using Utf8JsonWriter writer = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        if (Schema.WriteJson(message, writer) != SbeError.None) return "null";
        writer.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static string Decimal(long mantissa, int decimals) => Shell.JsonOutput.Decimal(mantissa, -decimals);
}
