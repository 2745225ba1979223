using MarginEngine.Codecs;
using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <content>Margin models part by part.</content>
internal sealed partial class Desk
{
    public static readonly (ushort Id, string Code)[] UnderlyingCodes = [(1, "BTC"), (2, "ETH")];

    public static readonly (ushort Id, string Code)[] CurrencyCodes = [(Usd, "USD"), (Btc, "BTC"), (Eth, "ETH")];

    /// <summary>One part with these parameters, whatever they are.</summary>
    public void Part(
        IReadOnlyList<(ParameterPlace Place, long Value)> parameters, ushort id = 1, uint version = 2, ushort part = 1, ushort parts = 1,
        ulong activation = 0, bool isCompared = false) =>
        Apply(PartOf(parameters, id, version, part, parts, activation, isCompared));

    /// <summary>The same, not applied; it has the next number of this source.</summary>
    public byte[] PartOf(
        IReadOnlyList<(ParameterPlace Place, long Value)> parameters, ushort id, uint version, ushort part, ushort parts, ulong activation = 0,
        bool isCompared = false)
    {
        MarginModelPartEncoder message = MarginModelPartEncoder.Wrap(_buffer);
        message.SetOrigin(NextOrigin(), (ulong)Now, Source, OriginFlags.EndOfEvent);
        message.ModelId = id;
        message.ModelVersion = version;
        message.Part = part;
        message.Parts = parts;
        message.Activation = activation;
        message.IsCompared = (byte)(isCompared ? 1 : 0);
        message.SetName("tested");
        MarginModelPartEncoder.ParametersEncoder group = message.ParametersCount(parameters.Count);
        for (int index = 0; index < parameters.Count; index++)
        {
            (ParameterPlace place, long value) = parameters[index];
            MarginModelPartEncoder.ParametersEncoder.Entry entry = group[index];
            entry.Section = place.Section;
            entry.Key = place.Key;
            entry.First = place.First;
            entry.Second = place.Second;
            entry.Third = place.Third;
            entry.Value = value;
        }

        return _buffer[..message.EncodedLength];
    }

    /// <summary>A message that is refused for certain and changes nothing but the count of messages: what a refusal is compared with.</summary>
    public void Refused() => Index(1, underlying: 99);
}
