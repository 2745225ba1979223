namespace MarginEngine.Journal;

/// <summary>The disk or the operating system refused an operation; names operation, file and error number.</summary>
public class StorageException(string message, int errorNumber = 0) : IOException(message)
{
    const int NoSpace = 28;
    const int QuotaExceeded = 122;

    public int ErrorNumber { get; } = errorNumber;
    public bool IsOutOfSpace => ErrorNumber is NoSpace or QuotaExceeded;
}

/// <summary>
/// A write or sync of the journal failed. It is final: nothing is retried, every later call throws, the process has to end
/// and recover from what is on the disk.
/// </summary>
public sealed class JournalFailedException(string message, Exception? cause = null) : IOException(message, cause);

/// <summary>The journal belongs to another schema or arithmetic; nothing was changed.</summary>
public sealed class JournalRefusedException(string message) : IOException(message);

/// <summary>Another writer has the journal open.</summary>
public sealed class JournalLockedException(string message) : IOException(message);

/// <summary>The history on disk is damaged in a way that no crash explains; nothing was changed.</summary>
public sealed class JournalDamagedException(string path, long segment, long offset, long sequence, string reason)
    : IOException($"{path} is damaged at byte {offset}, where sequence {sequence} is expected: {reason}.")
{
    public string Path { get; } = path;
    public long Segment { get; } = segment;
    public long Offset { get; } = offset;
    public long Sequence { get; } = sequence;
    public string Reason { get; } = reason;
}
