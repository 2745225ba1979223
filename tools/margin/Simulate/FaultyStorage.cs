// A disk in memory with a real disk's bad habits, and a few worse ones. Used by the simulation and by the tests of the journal.
using System.Runtime.CompilerServices;
using MarginEngine.Journal;

namespace MarginEngine.Tool.Simulate;

/// <summary>Thrown at the step where the simulated machine stops, and by every call after it.</summary>
internal sealed class SimulatedCrashException() : StorageException("the machine has stopped");

/// <summary>What becomes of one write that the disk reports as done.</summary>
internal enum WriteFault
{
    None,

    /// <summary>One bit is wrong on the medium.</summary>
    Corrupt,

    /// <summary>It went to another block of the file.</summary>
    Misdirect,

    /// <summary>It went nowhere.</summary>
    Lose,
}

/// <summary>
/// A disk in memory that behaves as badly as a real one may: unsynced sectors and names survive a power cut or not, a crash stops at
/// any step, calls fail with a chosen error, a failed sync loses the data and the next one lies, space runs out.
/// Every call is one step and can stop the machine before it has taken effect or after.
/// </summary>
internal sealed class FaultyStorage : IStorage
{
    const int Sector = Format.SectorBytes;

    sealed class FileState
    {
        public byte[] Disk = [];
        public byte[] Cache = [];
        public HashSet<int> Dirty = [];

        public FileState Clone() => new() { Disk = [.. Disk], Cache = [.. Cache], Dirty = [.. Dirty] };
    }

    readonly record struct NameChange(string? Removed, string? Added, FileState? File);

    Dictionary<string, FileState> _names = [];
    Dictionary<string, FileState> _durableNames = [];
    List<NameChange> _pendingNames = [];
    readonly HashSet<string> _locks = [];
    bool _stopped;

    /// <summary>Calls so far.</summary>
    public int Steps { get; private set; }
    /// <summary>The step at which the machine stops; 0 never.</summary>
    public int CrashAt { get; set; }
    /// <summary>Whether the step of the crash has taken effect.</summary>
    public bool CrashAfter { get; set; }
    /// <summary>The step that fails with <see cref="FailWith"/>; 0 none.</summary>
    public int FailAt { get; set; }
    public int FailWith { get; set; } = 5; // EIO
    public long CapacityBytes { get; set; } = long.MaxValue;
    public bool RefusesDirect { get; set; }
    /// <summary>A byte that the disk cannot read any more: its file and offset.</summary>
    public (string Path, long Offset) Unreadable { get; set; }
    public int Writes { get; private set; }
    public int Syncs { get; private set; }
    /// <summary>Decides how much of an interrupted write arrives.</summary>
    public Random Chance { get; init; } = new(1);
    public bool HasStopped => _stopped;
    /// <summary>Runs once, when a directory is listed next: what another process does meanwhile.</summary>
    public Action? OnList { get; set; }
    public string LastCall { get; private set; } = "";
    /// <summary>Asked before every write; the write is reported as done whatever becomes of it.</summary>
    public Func<WriteFault>? OnWrite { get; set; }
    /// <summary>Called after every write and sync that took effect: a slow disk lets time pass here.</summary>
    public Action? OnWaited { get; set; }
    /// <summary>The disk says that it has synced, and has not.</summary>
    public bool Lies { get; set; }

    /// <summary>A crash or a failure is set for one of the next calls, or the disk is no longer to be trusted.</summary>
    public bool HasTroubleAhead => CrashAt > Steps || FailAt > Steps || Lies || OnWrite is not null || CapacityBytes != long.MaxValue;

    /// <summary>The machine stops here and now: every later call throws.</summary>
    public void Stop() => _stopped = true;

    /// <summary>What a restarted process finds: everything the system had accepted, synced or not.</summary>
    public FaultyStorage AfterKill()
    {
        var next = new FaultyStorage { CapacityBytes = CapacityBytes, RefusesDirect = RefusesDirect };
        var copies = CopyFiles(file => file.Clone());
        next._names = _names.ToDictionary(pair => pair.Key, pair => copies[pair.Value]);
        next._durableNames = _durableNames.ToDictionary(pair => pair.Key, pair => copies[pair.Value]);
        next._pendingNames = [.. _pendingNames.Select(change => change with { File = change.File is null ? null : copies[change.File] })];
        return next;
    }

    /// <summary>
    /// What a machine finds after a power cut: a random part of the unsynced sectors, in any order, and of the changed names,
    /// in their order.
    /// </summary>
    public FaultyStorage AfterPowerCut(Random random)
    {
        double survives = random.Next(4) switch { 0 => 0.0, 1 => 1.0, 2 => 0.9, _ => 0.5 };
        var copies = CopyFiles(file =>
        {
            byte[] disk = new byte[file.Cache.Length];
            file.Disk.AsSpan(0, Math.Min(file.Disk.Length, disk.Length)).CopyTo(disk);
            foreach (int sector in file.Dirty.Order())
            {
                if (random.NextDouble() < survives)
                    file.Cache.AsSpan(sector * Sector, Sector).CopyTo(disk.AsSpan(sector * Sector));
            }
            return new FileState { Disk = disk, Cache = [.. disk] };
        });
        var names = new Dictionary<string, FileState>(_durableNames);
        foreach (NameChange change in _pendingNames.Take(random.Next(_pendingNames.Count + 1)))
            Apply(names, change);
        var next = new FaultyStorage { CapacityBytes = CapacityBytes, RefusesDirect = RefusesDirect };
        next._names = names.ToDictionary(pair => pair.Key, pair => copies[pair.Value]);
        next._durableNames = new(next._names);
        return next;
    }

    /// <summary>An independent copy with everything durable.</summary>
    public FaultyStorage Copy()
    {
        FaultyStorage copy = AfterKill();
        copy._pendingNames = [];
        copy._durableNames = new(copy._names);
        foreach (FileState file in copy._names.Values)
        {
            file.Disk = [.. file.Cache];
            file.Dirty = [];
        }
        return copy;
    }

    /// <summary>The bytes of a file, to be damaged: both on the disk and in the cache.</summary>
    public void Damage(string path, Func<byte[], byte[]> change)
    {
        FileState file = _names[path];
        file.Cache = change([.. file.Cache]);
        file.Disk = [.. file.Cache];
        file.Dirty = [];
    }

    public byte[] BytesOf(string path) => [.. _names[path].Cache];
    public string[] Paths => [.. _names.Keys.Order(StringComparer.Ordinal)];

    public void CreateDirectory(string directory) => Step("create directory", static () => { });

    public IDisposable Lock(string path)
    {
        IDisposable? held = null;
        Step("lock", () => held = _locks.Add(path) ? new HeldLock(this, path) : throw new JournalLockedException($"{path} is locked"));
        return held!;
    }

    public string[] List(string directory)
    {
        StopIfStopped();
        Action? listed = OnList;
        OnList = null;
        listed?.Invoke();
        return [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
    }

    public IStorageFile OpenToRead(string path) => Open(path, SyncMode.FileSync);

    public IStorageFile OpenToWrite(string path, SyncMode mode) => Open(path, mode);

    public IStorageFile Create(string path, long bytes)
    {
        var file = new FileState();
        Step("create", () =>
        {
            if (_names.ContainsKey(path))
                throw new StorageException($"{path} exists", 17);
            if (FreeBytes("") < bytes)
                throw new StorageException($"no space for {path}", 28);
            Change(new NameChange(null, path, file));
        });
        return new OpenFile(this, file, SyncMode.FileSync);
    }

    public void Rename(string from, string to) => Step("rename", () => Change(new NameChange(from, to, _names[from])));

    public void Delete(string path) => Step("delete", () =>
    {
        if (!_names.ContainsKey(path))
            throw new StorageException($"{path} does not exist", 2);
        Change(new NameChange(path, null, null));
    });

    public void SyncDirectory(string directory) => Step("sync directory", () =>
    {
        _durableNames = new(_names);
        _pendingNames = [];
    });

    public long FreeBytes(string directory) => CapacityBytes == long.MaxValue
        ? CapacityBytes
        : CapacityBytes - _names.Values.Sum(file => (long)file.Cache.Length);

    public SyncMode Supported(string directory, SyncMode wanted) => RefusesDirect && wanted == SyncMode.DirectSync ? SyncMode.FileSync : wanted;

    Dictionary<FileState, FileState> CopyFiles(Func<FileState, FileState> copy)
    {
        var all = _names.Values.Concat(_durableNames.Values).Concat(_pendingNames.Where(change => change.File is not null).Select(change => change.File!));
        return all.Distinct().ToDictionary(file => file, copy);
    }

    OpenFile Open(string path, SyncMode mode)
    {
        OpenFile? file = null;
        Step("open", () => file = _names.TryGetValue(path, out FileState? state)
            ? new OpenFile(this, state, mode)
            : throw new StorageException($"{path} does not exist", 2));
        return file!;
    }

    void Change(NameChange change)
    {
        Apply(_names, change);
        _pendingNames.Add(change);
    }

    static void Apply(Dictionary<string, FileState> names, NameChange change)
    {
        if (change.Removed is not null)
            names.Remove(change.Removed);
        if (change.Added is not null)
            names[change.Added] = change.File!;
    }

    void StopIfStopped()
    {
        if (_stopped)
            throw new SimulatedCrashException();
    }

    void Step(string call, Action effect, Action? onCrash = null, Action? onFailure = null)
    {
        StopIfStopped();
        Steps++;
        LastCall = call;
        if (Steps == FailAt)
        {
            onFailure?.Invoke();
            throw new StorageException($"{call} failed as told", FailWith);
        }
        if (Steps != CrashAt)
        {
            effect();
            return;
        }
        if (CrashAfter)
            effect();
        else
            onCrash?.Invoke();
        _stopped = true;
        throw new SimulatedCrashException();
    }

    sealed class HeldLock(FaultyStorage storage, string path) : IDisposable
    {
        public void Dispose() => storage._locks.Remove(path);
    }

    sealed class OpenFile(FaultyStorage storage, FileState file, SyncMode mode) : IStorageFile
    {
        public long Length => file.Cache.Length;

        public int Read(long offset, Span<byte> target)
        {
            storage.StopIfStopped();
            if (storage.Unreadable is ({ } path, long bad) && storage._names.GetValueOrDefault(path) == file && bad >= offset && bad < offset + target.Length)
                throw new StorageException($"{path} cannot be read at {bad}", 5);
            int count = (int)Math.Clamp(file.Cache.Length - offset, 0, target.Length);
            file.Cache.AsSpan((int)Math.Min(offset, file.Cache.Length), count).CopyTo(target);
            return count;
        }

        public unsafe void Write(long offset, ReadOnlySpan<byte> source)
        {
            if (offset % Format.BlockBytes != 0 || source.Length % Format.BlockBytes != 0 || source.Length == 0
                || (nuint)Unsafe.AsPointer(ref Unsafe.AsRef(in source[0])) % Format.BlockBytes != 0)
                throw new StorageException($"a write of {source.Length} bytes at {offset} is not aligned", 22);
            storage.Writes++;
            byte[] bytes = source.ToArray();
            switch (storage.OnWrite?.Invoke() ?? WriteFault.None)
            {
                case WriteFault.Corrupt:
                    bytes[storage.Chance.Next(bytes.Length)] ^= (byte)(1 << storage.Chance.Next(8));
                    break;
                case WriteFault.Misdirect:
                    long blocks = Math.Max(0, file.Cache.Length - bytes.Length) / Format.BlockBytes;
                    offset = storage.Chance.NextInt64(blocks + 1) * Format.BlockBytes;
                    break;
                case WriteFault.Lose:
                    storage.OnWaited?.Invoke();
                    return;
            }
            storage.Step("write", () => Put(offset, bytes), onCrash: () => PutPagesToCache(offset, bytes), onFailure: () => PutToCache(offset, bytes));
            storage.OnWaited?.Invoke();
        }

        public void Sync()
        {
            storage.Syncs++;
            // As Linux does: after a failed sync the pages count as clean, and the next sync reports success.
            storage.Step("sync", Flush, onFailure: file.Dirty.Clear);
            storage.OnWaited?.Invoke();
        }

        public void DropCache() => storage.Step("drop cache", () =>
        {
            byte[] shown = new byte[file.Cache.Length];
            file.Disk.AsSpan(0, Math.Min(file.Disk.Length, shown.Length)).CopyTo(shown);
            foreach (int sector in file.Dirty)
                file.Cache.AsSpan(sector * Sector, Sector).CopyTo(shown.AsSpan(sector * Sector));
            file.Cache = shown;
        });

        public void Dispose()
        {
        }

        void Put(long offset, byte[] bytes)
        {
            PutToCache(offset, bytes);
            if (mode == SyncMode.DirectSync)
                Flush();
        }

        void PutToCache(long offset, byte[] bytes)
        {
            if (offset + bytes.Length > file.Cache.Length)
                Array.Resize(ref file.Cache, (int)offset + bytes.Length);
            bytes.CopyTo(file.Cache, offset);
            for (int sector = (int)offset / Sector; sector < (offset + bytes.Length) / Sector; sector++)
                file.Dirty.Add(sector);
        }

        /// <summary>A write that is cut short has reached the system up to some page.</summary>
        void PutPagesToCache(long offset, byte[] bytes)
        {
            int pages = bytes.Length / Format.BlockBytes;
            PutToCache(offset, bytes[..((pages - storage.Chance.Next(2) * storage.Chance.Next(pages + 1)) * Format.BlockBytes)]);
        }

        void Flush()
        {
            if (storage.Lies)
                return;
            Array.Resize(ref file.Disk, file.Cache.Length);
            foreach (int sector in file.Dirty)
                file.Cache.AsSpan(sector * Sector, Sector).CopyTo(file.Disk.AsSpan(sector * Sector));
            file.Dirty = [];
        }
    }
}
