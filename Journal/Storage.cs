using System.Runtime.InteropServices;

namespace MarginEngine.Journal;

/// <summary>
/// The real disk, through the operating system's own calls: the only file of the product that touches journal files.
/// An interrupted call is continued; any other error is thrown with its number and never retried.
/// </summary>
public sealed partial class Storage : IStorage
{
    static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    const int ReadOnly = 0x0;
    const int WriteOnly = 0x1;
    const int ReadWrite = 0x2;
    const int CreateNew = 0x40 | 0x80; // O_CREAT | O_EXCL
    const int CreateIfMissing = 0x40;
    const int DataSync = 0x1000;
    const int CloseOnExec = 0x80000;
    static readonly int Direct = IsArm ? 0x10000 : 0x4000;
    static readonly int DirectoryOnly = IsArm ? 0x4000 : 0x10000;

    const int OwnerAndGroup = 0x1A0; // rw-r-----
    const int LockExclusive = 2;
    const int LockAttempts = 30;
    const int LockNonBlocking = 4;
    const int AdviceDontNeed = 4;
    const int NoEntry = 2;
    const int Interrupted = 4;
    const int WouldBlock = 11;
    const int InvalidArgument = 22;
    const int NotSupported = 95;

    public Storage()
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            throw new PlatformNotSupportedException("The journal writes with the calls of 64-bit Linux; run the engine there.");
    }

    public void CreateDirectory(string directory)
    {
        string full = Path.GetFullPath(directory);
        if (Directory.Exists(full))
            return;
        string? parent = Path.GetDirectoryName(full);
        if (parent is not null)
            CreateDirectory(parent);
        Directory.CreateDirectory(full);
        if (parent is not null)
            SyncDirectory(parent);
    }

    public IDisposable Lock(string path)
    {
        var file = new StorageFile(path, OpenOrThrow(path, ReadWrite | CreateIfMissing | CloseOnExec));
        int error = 0;
        // A child that somebody in this process is just starting holds every descriptor until it executes: what it holds is no writer, and it is gone in a moment.
        for (int attempt = 0; attempt < LockAttempts; attempt++)
        {
            if (flock(file.Descriptor, LockExclusive | LockNonBlocking) == 0)
                return file;
            error = Marshal.GetLastPInvokeError();
            if (error != WouldBlock)
                break;
            Thread.Sleep(10);
        }

        file.Dispose();
        if (error == WouldBlock)
            throw new JournalLockedException($"Another writer has the journal open: {path} is locked.");
        throw Failure("lock", path, error);
    }

    public string[] List(string directory)
    {
        if (!Directory.Exists(directory))
            throw new StorageException($"There is no directory {directory}.", NoEntry);
        string[] names = Array.ConvertAll(Directory.GetFiles(directory), path => Path.GetFileName(path)!);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    public IStorageFile OpenToRead(string path) => new StorageFile(path, OpenOrThrow(path, ReadOnly | CloseOnExec));

    public IStorageFile OpenToWrite(string path, SyncMode mode) =>
        new StorageFile(path, OpenOrThrow(path, ReadWrite | CloseOnExec | (mode == SyncMode.DirectSync ? Direct | DataSync : 0)));

    public IStorageFile Create(string path, long bytes)
    {
        var file = new StorageFile(path, OpenOrThrow(path, ReadWrite | CreateNew | CloseOnExec));
        if (fallocate(file.Descriptor, 0, 0, bytes) == 0)
            return file;
        int error = Marshal.GetLastPInvokeError();
        if (error is NotSupported or InvalidArgument or Interrupted)
            return file;
        file.Dispose();
        throw Failure("reserve space for", path, error);
    }

    public void Rename(string from, string to)
    {
        if (rename(from, to) != 0)
            throw Failure("rename", from, Marshal.GetLastPInvokeError());
    }

    public void Delete(string path)
    {
        if (unlink(path) != 0)
            throw Failure("delete", path, Marshal.GetLastPInvokeError());
    }

    public void SyncDirectory(string directory)
    {
        using var file = new StorageFile(directory, OpenOrThrow(directory, ReadOnly | DirectoryOnly | CloseOnExec));
        file.SyncAll();
    }

    // Asked by the writer's thread at every segment: it allocates nothing.
    public long FreeBytes(string directory)
    {
        if (statvfs(directory, out FileSystemCounts counts) != 0)
            throw Failure("look for room in", directory, Marshal.GetLastPInvokeError());
        return counts.AvailableBlocks * counts.BlockBytes;
    }

    public SyncMode Supported(string directory, SyncMode wanted)
    {
        if (wanted != SyncMode.DirectSync)
            return wanted;
        string path = Path.Combine(directory, "direct.probe");
        using var block = new AlignedBuffer(Format.BlockBytes);
        if (File.Exists(path)) // a crash left it
            Delete(path);
        Create(path, Format.BlockBytes).Dispose();
        try
        {
            int descriptor = open(path, WriteOnly | CloseOnExec | Direct | DataSync, 0);
            if (descriptor < 0)
                return Refusal("open", path);
            using var file = new StorageFile(path, descriptor);
            return file.TryWrite(0, block.Span) ? SyncMode.DirectSync : Refusal("write", path);
        }
        finally
        {
            Delete(path);
        }
    }

    static SyncMode Refusal(string operation, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return error is InvalidArgument or NotSupported ? SyncMode.FileSync : throw Failure(operation, path, error);
    }

    static int OpenOrThrow(string path, int flags)
    {
        while (true)
        {
            int descriptor = open(path, flags, OwnerAndGroup);
            if (descriptor >= 0)
                return descriptor;
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
                throw Failure("open", path, error);
        }
    }

    static StorageException Failure(string operation, string path, int error) =>
        new($"Cannot {operation} {path}: {Marshal.GetPInvokeErrorMessage(error)} (error {error}).", error);

    sealed unsafe class StorageFile(string path, int descriptor) : IStorageFile
    {
        int _descriptor = descriptor;

        ~StorageFile() => Close();

        public int Descriptor => _descriptor;

        public long Length
        {
            get
            {
                long length = lseek(_descriptor, 0, 2);
                return length >= 0 ? length : throw Failure("measure", path, Marshal.GetLastPInvokeError());
            }
        }

        public int Read(long offset, Span<byte> target)
        {
            int done = 0;
            fixed (byte* start = target)
            {
                while (done < target.Length)
                {
                    nint count = pread(_descriptor, start + done, (nuint)(target.Length - done), offset + done);
                    if (count > 0)
                        done += (int)count;
                    else if (count == 0)
                        break;
                    else if (Marshal.GetLastPInvokeError() is int error && error != Interrupted)
                        throw Failure("read", path, error);
                }
            }
            return done;
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            if (!TryWrite(offset, source))
                throw Failure("write", path, Marshal.GetLastPInvokeError());
        }

        public bool TryWrite(long offset, ReadOnlySpan<byte> source)
        {
            int done = 0;
            fixed (byte* start = source)
            {
                while (done < source.Length)
                {
                    nint count = pwrite(_descriptor, start + done, (nuint)(source.Length - done), offset + done);
                    if (count > 0)
                        done += (int)count;
                    else if (count == 0 || Marshal.GetLastPInvokeError() != Interrupted)
                        return false;
                }
            }
            return true;
        }

        public void Sync()
        {
            if (fdatasync(_descriptor) != 0)
                throw Failure("sync", path, Marshal.GetLastPInvokeError());
        }

        /// <summary>Syncs the metadata too: for directories.</summary>
        public void SyncAll()
        {
            if (fsync(_descriptor) != 0)
                throw Failure("sync", path, Marshal.GetLastPInvokeError());
        }

        // Advice may be ignored by the file system; there is then nothing better to do.
        public void DropCache() => _ = posix_fadvise(_descriptor, 0, 0, AdviceDontNeed);

        public void Dispose()
        {
            Close();
            GC.SuppressFinalize(this);
        }

        void Close()
        {
            int descriptor = Interlocked.Exchange(ref _descriptor, -1);
            if (descriptor >= 0)
                _ = close(descriptor);
        }
    }

    /// <summary>The beginning of struct statvfs of 64-bit Linux, and room for the rest of it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct FileSystemCounts
    {
        public long PreferredBytes;
        public long BlockBytes;
        public long Blocks;
        public long FreeBlocks;
        public long AvailableBlocks;
    }

#pragma warning disable IDE1006 // the names are libc's
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statvfs(string path, out FileSystemCounts counts);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);
    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint pread(int descriptor, byte* target, nuint count, long offset);
    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint pwrite(int descriptor, byte* source, nuint count, long offset);
    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int descriptor, long offset, int whence);
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(int descriptor);
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int descriptor, int mode, long offset, long bytes);
    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_fadvise(int descriptor, long offset, long bytes, int advice);
    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);
#pragma warning restore IDE1006
}
