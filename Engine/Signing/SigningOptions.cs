namespace MarginEngine.Signing;

/// <summary>How a node signs its journal.</summary>
public sealed record SigningOptions
{
    /// <summary>PEM file of private keys, ECDSA P-256, that only its owner can read; the newest last. Or the address of keys in a device, <c>pkcs11:..</c>.</summary>
    public required string KeyFile { get; set; }

    /// <summary>A signature after so many records,</summary>
    public int EveryRecords { get; set; } = 10_000;

    /// <summary>and at the latest so long after a record.</summary>
    public int EveryMillis { get; set; } = 1_000;

    /// <summary>Null: they can be used.</summary>
    internal string? Fault() =>
        KeyFile.Length == 0 ? "signing.keyFile is empty"
        : EveryRecords is < 1 or > 100_000_000 ? $"signing.everyRecords is {EveryRecords}: it must be between 1 and 100000000"
        : EveryMillis is < 1 or > 3_600_000 ? $"signing.everyMillis is {EveryMillis}: it must be between 1 and 3600000"
        : null;
}
