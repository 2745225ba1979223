// Files mapped into memory and shared with other processes: made with the user's rights alone, and as long as they are said to be.
// LogBuffer and the CnC file are its callers. A file that another process cuts short under a mapping ends this process with SIGBUS;
// the directory's mode (0700) keeps everybody but the same user away from it.

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MarginEngine.Aeron;

internal static unsafe partial class MappedFile
{
    private const int MapShared = 1;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A new file of zeroes.</summary>
    /// <param name="isReserved">take its blocks now: then no write to it can meet a full disk</param>
    /// <exception cref="IOException">the file exists or there is no room for it</exception>
    public static byte* Create(string path, long length, bool isReserved)
    {
        try
        {
            RequireRoom(path, length);
            return CreateNew(path, length, isReserved);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException(refused.Message, refused);
        }
    }

    /// <summary>Deletes a file that may be gone already, with all its directory; false when the system does not let it go.</summary>
    public static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static byte* CreateNew(string path, long length, bool isReserved)
    {
        bool isMapped = false;
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using var file = new FileStream(path, options);
        try
        {
            if (isReserved && Allocate((int)file.SafeFileHandle.DangerousGetHandle(), 0, 0, length) != 0)
                throw new IOException($"{path}: {length} bytes cannot be reserved, error {LinuxCalls.LastError}");
            RandomAccess.SetLength(file.SafeFileHandle, length);
            byte* memory = Map(file.SafeFileHandle, path, length);
            isMapped = true;
            return memory;
        }
        finally
        {
            if (!isMapped)
                TryDelete(path);
        }
    }

    /// <summary>Maps a file that exists, whole.</summary>
    /// <exception cref="IOException">it is not there, or not between these lengths</exception>
    public static byte* Open(string path, long shortest, long longest, out long length)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        length = RandomAccess.GetLength(file);
        if (length < shortest || length > longest)
            throw new IOException($"{path} has {length} bytes: expected {shortest} to {longest}");
        return Map(file, path, length);
    }

    public static void Unmap(byte* memory, long length) => _ = LinuxCalls.Unmap(memory, (nuint)length);

    private static byte* Map(SafeFileHandle file, string path, long length)
    {
        void* memory = LinuxCalls.Map(
            null, (nuint)length, LinuxCalls.ProtectionReadWrite, MapShared, (int)file.DangerousGetHandle(), 0);
        if ((nint)memory == -1)
            throw new IOException($"{path} cannot be mapped, error {LinuxCalls.LastError}");
        return (byte*)memory;
    }

    /// <summary>A sparse file can promise more than there is, and the write that finds out ends the process.</summary>
    private static void RequireRoom(string path, long length)
    {
        long free = new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).AvailableFreeSpace;
        if (free < length)
            throw new StorageSpaceException($"{path} needs {length} bytes and the file system has {free}");
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(int descriptor, int mode, long offset, long length);
}

/// <summary>The file system has not the room a file needs.</summary>
internal sealed class StorageSpaceException(string message) : IOException(message);
