// Where the witness is and what this node is called, as a configuration or the command line tells it.
using System.Globalization;

namespace MarginEngine.Promotion;

/// <summary>The part of a node's configuration that concerns its witness.</summary>
public sealed record LeaseOptions
{
    /// <summary>A file's path, or <c>etcd:http://HOST:PORT</c> with an optional prefix of the keys behind it.</summary>
    public required string Witness { get; set; }

    /// <summary>This node's name at the witness; the two nodes of a pair need different ones.</summary>
    public required string Node { get; set; }

    /// <summary>How long a grant lasts: the longest time without a primary before the standby may take its place. etcd rounds up to whole seconds, at least two.</summary>
    public int TtlMillis { get; set; } = 3_000;

    /// <summary>
    /// True: a standby promotes itself also where the primary's gate did not wait for it. Decisions may then have left on inputs that are lost: what
    /// the primary had journalled and the standby had not received.
    /// </summary>
    public bool AcceptLoss { get; set; }

    /// <summary>What is wrong with it; null: nothing.</summary>
    internal string? Fault()
    {
        if (Node.Length is 0 or > 64 || Node.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '.' or '_')))
            return $"lease.node is '{Node}': it must be 1 to 64 letters, digits, dots, dashes and underscores";
        if (TtlMillis is < 200 or > 600_000)
            return string.Create(CultureInfo.InvariantCulture, $"lease.ttlMillis is {TtlMillis}: it must be between 200 and 600000");
        if (Witness.Length == 0 || IsEtcd && Endpoint() is null)
            return $"lease.witness is '{Witness}': it must be a file's path or etcd:http://HOST:PORT";
        return null;
    }

    /// <summary>Opens no connection yet.</summary>
    public ILease Open()
    {
        const string DefaultPrefix = "margin";
        long ttlNanos = TtlMillis * 1_000_000L;
        if (!IsEtcd)
            return new LeaseFile(Path.GetFullPath(Witness), Node, ttlNanos);
        Uri endpoint = Endpoint()!;
        string prefix = endpoint.AbsolutePath.Trim('/');
        return new EtcdLease(endpoint, prefix.Length > 0 ? prefix : DefaultPrefix, Node, ttlNanos);
    }

    private const string EtcdScheme = "etcd:";

    private bool IsEtcd => Witness.StartsWith(EtcdScheme, StringComparison.Ordinal);

    private Uri? Endpoint() =>
        Uri.TryCreate(Witness[EtcdScheme.Length..], UriKind.Absolute, out Uri? endpoint) && endpoint.Scheme is "http" or "https" ? endpoint : null;
}
