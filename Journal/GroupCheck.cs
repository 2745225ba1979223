namespace MarginEngine.Journal;

/// <summary>What the history is up to some place: what the next group must continue.</summary>
internal record struct Chain(long NextSequence, uint Checksum, long Epoch, long TimestampNanos);

internal enum GroupState
{
    /// <summary>Every byte is as it was written and continues the chain.</summary>
    Intact,
    /// <summary>The header is intact, but more bytes are needed to check the group.</summary>
    NeedsMoreBytes,
    /// <summary>The sector where the group's header would stand is zero: nothing was written here, or that sector was lost.</summary>
    Missing,
    /// <summary>The header is intact and sectors of the group are missing: a torn write.</summary>
    Torn,
    /// <summary>No sector is missing and something is wrong: no crash does that.</summary>
    Damaged,
}

/// <summary>
/// Decides whether the bytes at one place are the group that must stand there. Used by the scan, that is by recovery and by
/// every reader; it never trusts a length before it has checked it.
/// </summary>
internal static class GroupCheck
{
    /// <param name="bytes">At least one block, from the group's start; may reach past its end.</param>
    /// <param name="segment">Number of the segment read.</param>
    /// <param name="offset">Offset of <paramref name="bytes"/> in the segment.</param>
    /// <param name="limitBytes">The largest group that may stand here.</param>
    /// <param name="chain">The chain before the group; after an intact group the chain after it, otherwise unchanged.</param>
    /// <param name="header">The group's header where it is intact.</param>
    /// <param name="reason">What is wrong, where the state is Torn or Damaged.</param>
    public static GroupState Check(
        ReadOnlySpan<byte> bytes, long segment, long offset, int limitBytes, ref Chain chain, out GroupHeader header, out string reason)
    {
        reason = "";
        header = default;
        if (Format.IsZero(bytes[..Format.SectorBytes]))
            return GroupState.Missing;
        if (!GroupHeader.TryRead(bytes, out header))
        {
            reason = "the group header is broken";
            return GroupState.Damaged;
        }
        reason = WrongPlace(header, segment, offset, limitBytes, chain);
        if (reason.Length > 0)
            return GroupState.Damaged;
        if (bytes.Length < header.TotalBytes)
            return GroupState.NeedsMoreBytes;

        ReadOnlySpan<byte> group = bytes[..header.TotalBytes];
        int zeroSectors = Format.CountZeroSectors(group);
        if (zeroSectors > header.ZeroSectors)
        {
            reason = $"{zeroSectors - header.ZeroSectors} sectors of the group of {header.RecordCount} records are missing";
            return GroupState.Torn;
        }
        Chain after = chain;
        reason = CheckRecords(group, header, ref after);
        if (reason.Length > 0)
            return GroupState.Damaged;
        chain = after;
        return GroupState.Intact;
    }

    static string WrongPlace(in GroupHeader header, long segment, long offset, int limitBytes, in Chain chain)
    {
        if (header.Segment != segment || header.Offset != offset)
            return $"a group of segment {header.Segment}, byte {header.Offset} stands here";
        if (header.FirstSequence != chain.NextSequence)
            return $"the group starts with sequence {header.FirstSequence}";
        if (header.PreviousChecksum != chain.Checksum)
            return $"the group continues another history (chain 0x{header.PreviousChecksum:x8} instead of 0x{chain.Checksum:x8})";
        if (header.TotalBytes > limitBytes)
            return $"the group's {header.TotalBytes} bytes exceed the {limitBytes} that fit here";
        return "";
    }

    static string CheckRecords(ReadOnlySpan<byte> group, in GroupHeader header, ref Chain chain)
    {
        ReadOnlySpan<byte> rest = group.Slice(GroupHeader.Bytes, header.RecordBytes);
        for (int index = 0; index < header.RecordCount; index++)
        {
            int recordBytes = RecordLayout.BytesAt(rest);
            if (recordBytes == 0)
                return $"record {index} of the group has an impossible length";
            ReadOnlySpan<byte> record = rest[..recordBytes];
            uint checksum = Checksum.OfStructure(record);
            if (checksum != RecordLayout.StoredChecksum(record))
                return $"the checksum of sequence {chain.NextSequence} is wrong";
            if (RecordLayout.PreviousChecksum(record) != chain.Checksum || RecordLayout.Sequence(record) != chain.NextSequence)
                return $"the record in place of sequence {chain.NextSequence} belongs to another history";
            if (RecordLayout.Epoch(record) < chain.Epoch)
                return $"sequence {chain.NextSequence} has epoch {RecordLayout.Epoch(record)} after epoch {chain.Epoch}";
            chain = new Chain(
                unchecked(chain.NextSequence + 1), checksum, RecordLayout.Epoch(record), RecordLayout.TimestampNanos(record));
            rest = rest[recordBytes..];
        }
        if (rest.Length != 0 || chain.Checksum != header.LastChecksum)
            return "the group's records do not end where its header says";
        return Format.IsZero(group[(GroupHeader.Bytes + header.RecordBytes)..]) ? "" : "the group's padding is not zero";
    }
}
