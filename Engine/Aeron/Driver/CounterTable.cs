// The counters of the CnC file: values that the driver and its clients write and anybody may watch, with a label and a key each.
// The driver gives them out and takes them back; the ids it keeps in memory of its own, for clients write to the file too.
//
//   value slot 128 bytes: 0 value · 8 registration id · 16 owner · 24 reference
//   metadata slot 512 bytes: 0 state · 4 type · 8 free for reuse from (ms) · 16 key (112) · 128 label length · 132 label (380)

using System.Text;

namespace MarginEngine.Aeron;

internal static class CounterType
{
    public const int System = 0;
    public const int PublisherLimit = 1;
    public const int SenderPosition = 2;
    public const int ReceiverHighWater = 3;
    public const int SubscriberPosition = 4;
    public const int ReceiverPosition = 5;
    public const int SendChannel = 6;
    public const int ReceiveChannel = 7;
    public const int SenderLimit = 9;
    public const int ClientHeartbeat = 11;
    public const int PublisherPosition = 12;
    public const int LocalAddress = 14;
    public const int LastOfDriver = 21;
}

/// <summary>Reads counters: a client's view.</summary>
internal unsafe class CounterReader
{
    public const int ValueLength = 128;
    public const int MetadataLength = 512;
    public const int KeyLength = 112;
    public const int MaxLabelLength = 380;
    public const int StateAllocated = 1;
    public const int StateReclaimed = -1;

    protected const int RegistrationOffset = 8;
    protected const int OwnerOffset = 16;
    protected const int ReferenceOffset = 24;
    protected const int TypeOffset = 4;
    protected const int DeadlineOffset = 8;
    protected const int KeyOffset = 16;
    protected const int LabelLengthOffset = 128;
    protected const int LabelOffset = 132;

    private readonly byte* _metadata;
    private readonly byte* _values;

    public CounterReader(byte* metadata, int metadataLength, byte* values, int valuesLength)
    {
        _metadata = metadata;
        _values = values;
        Capacity = Math.Min(metadataLength / MetadataLength, valuesLength / ValueLength);
    }

    public int Capacity { get; }

    public bool IsAllocated(int id) => Volatile.Read(ref *(int*)Metadata(id)) == StateAllocated;

    public int TypeOf(int id) => *(int*)(Metadata(id) + TypeOffset);

    public long Value(int id) => Volatile.Read(ref *Pointer(id));

    public void Store(int id, long value) => Volatile.Write(ref *Pointer(id), value);

    public long RegistrationOf(int id) => Volatile.Read(ref *(long*)((byte*)Pointer(id) + RegistrationOffset));

    public string LabelOf(int id)
    {
        byte* slot = Metadata(id);
        int length = Math.Clamp(*(int*)(slot + LabelLengthOffset), 0, MaxLabelLength);
        return Encoding.ASCII.GetString(slot + LabelOffset, length);
    }

    /// <summary>The address of a counter's value; the id is checked.</summary>
    public long* Pointer(int id)
    {
        Require(id);
        return (long*)(_values + ((long)id * ValueLength));
    }

    /// <summary>The counter of this type and registration; -1 when there is none.</summary>
    public int Find(int type, long registrationId)
    {
        for (int id = 0; id < Capacity; id++)
        {
            int state = Volatile.Read(ref *(int*)Metadata(id));
            if (state == StateAllocated && TypeOf(id) == type && RegistrationOf(id) == registrationId)
                return id;
            if (state == 0)
                break;
        }
        return -1;
    }

    protected byte* Metadata(int id)
    {
        Require(id);
        return _metadata + ((long)id * MetadataLength);
    }

    private void Require(int id)
    {
        if ((uint)id >= (uint)Capacity)
            throw new ArgumentOutOfRangeException(nameof(id), $"there is no counter {id}, only {Capacity}");
    }
}

/// <summary>Gives counters out: the driver's view.</summary>
internal sealed unsafe class CounterTable : CounterReader
{
    /// <summary>A counter just freed is not given out again before everybody has had time to notice.</summary>
    private const long ReuseDelayMillis = 1_000;

    private readonly Queue<(int Id, long FromMillis)> _freed = new();
    private readonly bool[] _isUsed;
    private int _next;

    public CounterTable(byte* metadata, int metadataLength, byte* values, int valuesLength)
        : base(metadata, metadataLength, values, valuesLength) => _isUsed = new bool[Capacity];

    public int InUse { get; private set; }

    /// <returns>the counter's id; -1 when all are in use</returns>
    /// <param name="type">one of <see cref="CounterType"/>, or a client's own</param>
    /// <param name="key">at most 112 bytes; longer ones are cut</param>
    /// <param name="label">at most 380 ASCII characters; longer ones are cut</param>
    /// <param name="initial">the first value</param>
    /// <param name="registrationId">what the counter belongs to</param>
    /// <param name="ownerId">the client it belongs to; -1 for the driver</param>
    /// <param name="nowMillis">milliseconds since 1970</param>
    public int Allocate(
        int type, ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, long initial, long registrationId, long ownerId, long nowMillis)
    {
        int id = NextId(nowMillis);
        if (id < 0)
            return -1;
        byte* slot = Metadata(id);
        byte* value = (byte*)Pointer(id);
        Volatile.Write(ref *(long*)value, initial);
        *(long*)(value + RegistrationOffset) = registrationId;
        *(long*)(value + OwnerOffset) = ownerId;
        *(long*)(value + ReferenceOffset) = 0;
        *(int*)(slot + TypeOffset) = type;
        *(long*)(slot + DeadlineOffset) = long.MaxValue;
        Fill(slot + KeyOffset, KeyLength, key);
        int length = Fill(slot + LabelOffset, MaxLabelLength, label);
        Volatile.Write(ref *(int*)(slot + LabelLengthOffset), length);
        Volatile.Write(ref *(int*)slot, StateAllocated);
        _isUsed[id] = true;
        InUse++;
        return id;
    }

    public void Free(int id, long nowMillis)
    {
        if (id < 0 || !_isUsed[id])
            return;
        byte* slot = Metadata(id);
        *(long*)(slot + DeadlineOffset) = nowMillis + ReuseDelayMillis;
        Volatile.Write(ref *(int*)slot, StateReclaimed);
        _isUsed[id] = false;
        InUse--;
        _freed.Enqueue((id, nowMillis + ReuseDelayMillis));
    }

    private int NextId(long nowMillis)
    {
        if (_freed.TryPeek(out (int Id, long FromMillis) oldest) && nowMillis >= oldest.FromMillis)
            return _freed.Dequeue().Id;
        return _next < Capacity ? _next++ : -1;
    }

    private static int Fill(byte* destination, int capacity, ReadOnlySpan<byte> bytes)
    {
        int length = Math.Min(capacity, bytes.Length);
        var all = new Span<byte>(destination, capacity);
        all.Clear();
        bytes[..length].CopyTo(all);
        return length;
    }
}
