namespace MarginEngine.Aeron;

/// <summary>A channel that cannot be used; <see cref="Parameter"/> is the parameter at fault, or the part of the URI before it.</summary>
public sealed class ChannelException : FormatException
{
    public ChannelException(string channel, string parameter, string reason)
        : base($"channel '{channel}': {parameter}: {reason}") => Parameter = parameter;

    public string Parameter { get; }
}
