namespace MarginEngine.Journal;

/// <summary>
/// The only seam between the journal and a disk. Every error is a <see cref="StorageException"/>. A name (new, renamed or
/// removed) is durable only after <see cref="SyncDirectory"/>, bytes only after <see cref="IStorageFile.Sync"/> or, in
/// <see cref="SyncMode.DirectSync"/>, after the write.
/// </summary>
public interface IStorage
{
    /// <summary>Creates the directory where it is missing and makes its name durable.</summary>
    void CreateDirectory(string directory);

    /// <summary>Holds the lock file until disposed or until the process ends; throws <see cref="JournalLockedException"/> where another holds it.</summary>
    IDisposable Lock(string path);

    /// <summary>Names of the files in a directory, in ordinal order; an error where there is no such directory.</summary>
    string[] List(string directory);

    /// <summary>Opens for reading.</summary>
    IStorageFile OpenToRead(string path);

    /// <summary>Opens an existing file for aligned writes that become durable in the given way.</summary>
    IStorageFile OpenToWrite(string path, SyncMode mode);

    /// <summary>Creates a file that must not exist, with room for <paramref name="bytes"/>; to be filled, then synced.</summary>
    IStorageFile Create(string path, long bytes);

    void Rename(string from, string to);

    void Delete(string path);

    void SyncDirectory(string directory);

    /// <summary>Free space of the disk that holds the directory.</summary>
    long FreeBytes(string directory);

    /// <summary>The mode that this directory's file system supports instead of the wanted one, found out by trying it.</summary>
    SyncMode Supported(string directory, SyncMode wanted);
}

/// <summary>One open file. Offset, length and memory address of a write are multiples of 4096.</summary>
public interface IStorageFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads until the target is full or the file ends; returns the bytes read.</summary>
    int Read(long offset, Span<byte> target);

    /// <summary>Writes all bytes.</summary>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Returns when everything written is on the disk.</summary>
    void Sync();

    /// <summary>Forgets what the system caches of this file, so that the next read shows what the disk has.</summary>
    void DropCache();
}
