// cnc.dat, the file through which clients find the driver and talk with it: a header that tells the lengths, then five buffers.
// The driver creates it, DriverConductor works on it; AeronClient opens it.
//
//   0 version, written last · 4 to-driver length · 8 to-clients length · 12 counter metadata length · 16 counter values length
//   20 error log length · 24 client liveness ns · 32 start ms · 40 process id · 48 page size · 128 the buffers, back to back

namespace MarginEngine.Aeron;

internal sealed unsafe class CncFile : IDisposable
{
    public const string FileName = "cnc.dat";

    /// <summary>0.2.0, of which clients compare the first number.</summary>
    public const int Version = 512;

    private const int HeaderLength = 128;
    private const int PageLength = 4096;
    private const int BufferCount = 5;
    private const int LengthsOffset = 4;
    private const int ClientLivenessOffset = 24;
    private const int StartOffset = 32;
    private const int ProcessOffset = 40;
    private const int PageLengthOffset = 48;
    private const long LongestFile = 1L << 32;

    private readonly long _length;
    private byte* _memory;

    private CncFile(byte* memory, long length)
    {
        _memory = memory;
        _length = length;
    }

    public long ClientLivenessNanos => *(long*)(_memory + ClientLivenessOffset);

    public long ProcessId => *(long*)(_memory + ProcessOffset);

    public bool IsReady => Volatile.Read(ref *(int*)_memory) != 0;

    /// <exception cref="IOException">the file exists or there is no room for it</exception>
    public static CncFile Create(string directory, DriverOptions options, long nowMillis)
    {
        ReadOnlySpan<int> lengths =
        [
            options.ToDriverLength + CommandRing.TrailerLength, options.ToClientsLength + BroadcastBuffer.TrailerLength,
            options.MaxCounters * CounterTable.MetadataLength, options.MaxCounters * CounterTable.ValueLength, options.ErrorLogLength,
        ];
        long length = HeaderLength;
        foreach (int part in lengths)
            length += part;
        length = (length + PageLength - 1) / PageLength * PageLength;
        byte* memory = MappedFile.Create(Path.Combine(directory, FileName), length, isReserved: true);
        lengths.CopyTo(new Span<int>(memory + LengthsOffset, BufferCount));
        *(long*)(memory + ClientLivenessOffset) = options.ClientLivenessNanos;
        *(long*)(memory + StartOffset) = nowMillis;
        *(long*)(memory + ProcessOffset) = Environment.ProcessId;
        *(int*)(memory + PageLengthOffset) = PageLength;
        return new CncFile(memory, length);
    }

    /// <exception cref="IOException">there is no such file, it is not ready, or it does not describe itself</exception>
    public static CncFile Open(string directory)
    {
        string path = Path.Combine(directory, FileName);
        byte* memory = MappedFile.Open(path, HeaderLength, LongestFile, out long length);
        var file = new CncFile(memory, length);
        string? fault = file.FindFault();
        if (fault is null)
            return file;
        file.Dispose();
        throw new IOException($"{path}: {fault}");
    }

    /// <summary>Clients may come: everything else is in place.</summary>
    public void MarkReady() => Volatile.Write(ref *(int*)_memory, Version);

    public CommandRing ToDriver() => new(Buffer(0), LengthOf(0));

    public BroadcastTransmitter Transmitter() => new(Buffer(1), LengthOf(1));

    public BroadcastReceiver Receiver() => new(Buffer(1), LengthOf(1));

    public CounterTable Counters() => new(Buffer(2), LengthOf(2), Buffer(3), LengthOf(3));

    public CounterReader CountersView() => new(Buffer(2), LengthOf(2), Buffer(3), LengthOf(3));

    public ErrorLog Errors() => new(Buffer(4), LengthOf(4));

    public void Dispose()
    {
        if (_memory == null)
            return;
        MappedFile.Unmap(_memory, _length);
        _memory = null;
    }

    private int LengthOf(int index) => *(int*)(_memory + LengthsOffset + (index * sizeof(int)));

    private byte* Buffer(int index)
    {
        byte* start = _memory + HeaderLength;
        for (int i = 0; i < index; i++)
            start += LengthOf(i);
        return start;
    }

    private string? FindFault()
    {
        int version = Volatile.Read(ref *(int*)_memory);
        if (version == 0)
            return "the driver is not ready";
        if (version >> 16 != Version >> 16)
            return $"version {version >> 16}.{(version >> 8) & 0xFF}.{version & 0xFF} is not 0.x";
        long total = HeaderLength;
        for (int i = 0; i < BufferCount; i++)
        {
            if (LengthOf(i) < 0)
                return $"buffer {i} has a length of {LengthOf(i)}";
            total += LengthOf(i);
        }
        if (total > _length)
            return $"its buffers need {total} bytes and it has {_length}";
        return CommandRing.IsSound(LengthOf(0)) && BroadcastBuffer.IsSound(LengthOf(1)) ? null : "its rings have no sound length";
    }
}
