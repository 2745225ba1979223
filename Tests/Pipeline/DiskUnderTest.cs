// The real disk with a hand on it: syncs can be held back or made to fail, and it can seem full.
using MarginEngine.Journal;

namespace MarginEngine.Tests.PipelineTests;

/// <summary>For journals in <see cref="SyncMode.FileSync"/>: everything is passed on, and a sync waits while it is held.</summary>
internal sealed class DiskUnderTest : IStorage, IDisposable
{
    private readonly Storage _disk = new();
    private readonly ManualResetEventSlim _free = new(initialState: true);
    private volatile bool _fails;
    private volatile bool _isFull;

    public void HoldSyncs() => _free.Reset();

    public void ReleaseSyncs() => _free.Set();

    public void FailSyncs() => _fails = true;

    /// <summary>From now on the disk says that nothing is free.</summary>
    public void FillUp() => _isFull = true;

    public void MakeRoom() => _isFull = false;

    public void CreateDirectory(string directory) => _disk.CreateDirectory(directory);

    public IDisposable Lock(string path) => _disk.Lock(path);

    public string[] List(string directory) => _disk.List(directory);

    public IStorageFile OpenToRead(string path) => _disk.OpenToRead(path);

    public IStorageFile OpenToWrite(string path, SyncMode mode) => new File(this, _disk.OpenToWrite(path, mode));

    public IStorageFile Create(string path, long bytes) => _disk.Create(path, bytes);

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void Delete(string path) => _disk.Delete(path);

    public void SyncDirectory(string directory) => _disk.SyncDirectory(directory);

    public long FreeBytes(string directory) => _isFull ? 0 : _disk.FreeBytes(directory);

    public SyncMode Supported(string directory, SyncMode wanted) => _disk.Supported(directory, wanted);

    public void Dispose()
    {
        _free.Set();
        _free.Dispose();
    }

    private sealed class File(DiskUnderTest disk, IStorageFile file) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> target) => file.Read(offset, target);

        public void Write(long offset, ReadOnlySpan<byte> source) => file.Write(offset, source);

        public void Sync()
        {
            disk._free.Wait();
            if (disk._fails)
                throw new StorageException("the disk under test fails its syncs", 5);
            file.Sync();
        }

        public void DropCache() => file.DropCache();

        public void Dispose() => file.Dispose();
    }
}
