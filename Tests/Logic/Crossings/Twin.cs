using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Crossings;

/// <summary>A second machine that takes every message of a desk's and looks at every account with every move.</summary>
internal sealed class Twin : IDecisionSink, IDisposable
{
    private readonly Desk _desk;
    private readonly List<byte[]> _heard = [];
    private int _taken;
    private int _compared;

    public Twin(Desk desk, Limits? limits = null)
    {
        _desk = desk;
        Machine = new MarginMachine(limits ?? CrossingMarket.Capacities) { IsExhaustive = true };
        Follow();
    }

    public MarginMachine Machine { get; }

    /// <summary>Decisions compared so far, those that are a change of state.</summary>
    public int Calls { get; private set; }

    public int Liquidations { get; private set; }

    public void Dispose() => Machine.Dispose();

    public void OnDecision(ReadOnlySpan<byte> message) => _heard.Add(message.ToArray());

    /// <summary>Takes what the desk has taken since, and compares what both decided.</summary>
    public void Follow()
    {
        for (; _taken < _desk.Applied.Count; _taken++)
        {
            (long time, byte[] message) = _desk.Applied[_taken];
            Machine.Apply(Machine.LastSequence + 1, time, message, this);
        }

        for (; _compared < Math.Max(_heard.Count, _desk.Heard.Count); _compared++)
        {
            byte[] wanted = _compared < _heard.Count ? _heard[_compared] : [];
            byte[] got = _compared < _desk.Heard.Count ? _desk.Heard[_compared] : [];
            if (!wanted.AsSpan().SequenceEqual(got))
            {
                Assert.Fail($"decision {_compared} on input {_taken}: {Text(got)} where the whole book says {Text(wanted)}");
            }

            Calls += IsOf(got, MarginCallDecoder.TemplateId);
            Liquidations += IsOf(got, LiquidationInstructionDecoder.TemplateId);
        }
    }

    public void AssertSame(string where)
    {
        TestContext.Out.WriteLine(
            $"{where}: {_taken} inputs, {_compared} decisions, {Calls} changes of state, {Liquidations} liquidations; looks {_desk.Machine.Looks} where the whole book takes {Machine.Looks}: "
            + $"{100.0 * _desk.Machine.Looks / Math.Max(1, Machine.Looks):F2} %");
        Assert.That(_desk.Machine.StateDigest(), Is.EqualTo(Machine.StateDigest()), where);
        Assert.That(_desk.Machine.DecisionDigest, Is.EqualTo(Machine.DecisionDigest), where);
    }

    private static int IsOf(byte[] message, ushort templateId) => BitConverter.ToUInt16(message, 2) == templateId ? 1 : 0;

    private static string Text(byte[] message)
    {
        if (message.Length == 0)
        {
            return "nothing";
        }

        ushort template = BitConverter.ToUInt16(message, 2);
        return MarginCallDecoder.TryWrap(message, out MarginCallDecoder call) && template == MarginCallDecoder.TemplateId
            ? $"account {call.AccountId} {call.PreviousState} -> {call.State} ratio {call.Ratio.Mantissa}"
            : $"a {Schema.NameOf(template)} of {message.Length} bytes";
    }
}
