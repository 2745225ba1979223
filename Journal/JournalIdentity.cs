namespace MarginEngine.Journal;

/// <summary>
/// Who wrote a segment: it stands in every segment header. Another schema, a newer schema version or another digest of the
/// arithmetic, or another configuration, is refused at opening, with the reason; another build, runtime or processor starts a new segment.
/// </summary>
/// <param name="SchemaId">Id of the message schema.</param>
/// <param name="SchemaVersion">Version of the message schema; older ones are read, newer ones refused.</param>
/// <param name="ArithmeticDigest">Known-answer digest of the pricing kernel.</param>
/// <param name="BuildId">Build that writes, at most 55 bytes of UTF-8.</param>
/// <param name="Runtime">Runtime version, at most 39 bytes of UTF-8.</param>
/// <param name="Processor">Processor and the features in use, at most 79 bytes of UTF-8.</param>
/// <param name="Configuration">What the decisions depend on beside the records, at most 255 bytes of UTF-8; empty in the identity of
/// one that only reads and takes it from the journal.</param>
public readonly record struct JournalIdentity(
    ushort SchemaId, ushort SchemaVersion, ulong ArithmeticDigest, string BuildId, string Runtime, string Processor, string Configuration)
{
    /// <summary>The reason why a journal written by <paramref name="written"/> cannot be continued or replayed here, or null.</summary>
    public string? ReasonToRefuse(in JournalIdentity written)
    {
        if (written.SchemaId != SchemaId)
            return $"it was written with message schema {written.SchemaId}, this program speaks schema {SchemaId}";
        if (written.SchemaVersion > SchemaVersion)
            return $"it was written with version {written.SchemaVersion} of the message schema, this program knows versions up to {SchemaVersion}";
        if (written.ArithmeticDigest != ArithmeticDigest)
            return $"it was written by arithmetic with digest 0x{written.ArithmeticDigest:x16} ({written.BuildId}, {written.Runtime}, "
                + $"{written.Processor}), this machine computes 0x{ArithmeticDigest:x16}";
        if (Configuration.Length > 0 && written.Configuration != Configuration)
            return $"it was written with \"{written.Configuration}\", this program is set to \"{Configuration}\": the same records could be decided otherwise";
        return null;
    }
}
