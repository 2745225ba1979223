// The channel parameter `fc`: which receivers a publication waits for. Channel.cs reads it, FlowControl.cs keeps to it.
//   fc=max[,rrwm:N]    fc=min[,g:/SIZE][,t:TIME][,rrwm:N]    fc=tagged,g:TAG[/SIZE][,t:TIME][,rrwm:N]

using System.Globalization;

namespace MarginEngine.Aeron;

internal enum FlowKind
{
    Max,
    Min,
    Tagged,
}

internal readonly record struct FlowSpec
{
    private const string Name = "fc";

    public FlowKind Kind { get; private init; }

    /// <summary>Which receivers a `tagged` stream waits for.</summary>
    public long GroupTag { get; private init; }

    /// <summary>Members without which the publication is not connected; 0 for none.</summary>
    public int GroupSize { get; private init; }

    /// <summary>A member not heard for this long is out.</summary>
    public long TimeoutNanos { get; private init; }

    /// <summary>A retransmission is at most this multiple of the initial window.</summary>
    public int RetransmitWindows { get; private init; }

    /// <param name="isGroup">false for a unicast stream, which has one receiver to follow whatever the parameter says</param>
    /// <exception cref="ChannelException">the parameter is malformed</exception>
    public static FlowSpec Read(ChannelUri uri, bool isGroup, AeronOptions options)
    {
        string[] parts = (uri.Find(Name) ?? "max").Split(',');
        FlowSpec spec = new()
        {
            Kind = parts[0] switch
            {
                "max" => FlowKind.Max,
                "min" => FlowKind.Min,
                "tagged" => FlowKind.Tagged,
                var other => throw uri.Error(Name, $"'{other}' is none of max, min and tagged"),
            },
            TimeoutNanos = options.GroupReceiverTimeoutNanos,
            RetransmitWindows = isGroup ? Limits.RetransmitWindowsMulticast : Limits.RetransmitWindowsUnicast,
        };
        bool hasTag = false;
        foreach (string part in parts.AsSpan(1))
        {
            int colon = part.IndexOf(':', StringComparison.Ordinal);
            string key = colon < 0 ? part : part[..colon];
            string value = colon < 0 ? "" : part[(colon + 1)..];
            switch (key)
            {
                case "g" when spec.Kind != FlowKind.Max:
                    spec = spec.WithGroup(uri, value);
                    hasTag = !value.StartsWith('/');
                    break;
                case "t" when spec.Kind != FlowKind.Max:
                    spec = spec with { TimeoutNanos = uri.ParseDuration(Name, value) };
                    if (spec.TimeoutNanos == 0)
                        throw uri.Error(Name, "a time of 0 would drop every receiver");
                    break;
                case "rrwm":
                    spec = spec with { RetransmitWindows = Number(uri, value, 1) };
                    break;
                default:
                    throw uri.Error(Name, $"'{part}' does not belong to {parts[0]}");
            }
        }
        if (spec.Kind == FlowKind.Tagged && !hasTag)
            throw uri.Error(Name, "tagged needs a group tag: g:TAG");
        if (spec.Kind == FlowKind.Min && hasTag)
            throw uri.Error(Name, "min takes a group size (g:/SIZE) and no tag");
        return isGroup ? spec : spec with { Kind = FlowKind.Max, GroupSize = 0 };
    }

    private FlowSpec WithGroup(ChannelUri uri, string value)
    {
        int slash = value.IndexOf('/', StringComparison.Ordinal);
        string tag = slash < 0 ? value : value[..slash];
        FlowSpec spec = this;
        if (tag.Length > 0)
        {
            spec = spec with { GroupTag = uri.ParseLong(Name, tag) };
        }
        else if (slash < 0)
        {
            throw uri.Error(Name, "g: names neither a tag nor a size");
        }
        return slash < 0 ? spec : spec with { GroupSize = Number(uri, value[(slash + 1)..], 0) };
    }

    private static int Number(ChannelUri uri, string text, int low)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || number < low || number > Limits.TrackedReceivers)
            throw uri.Error(Name, $"'{text}' is not a number from {low} to {Limits.TrackedReceivers}");
        return number;
    }
}
