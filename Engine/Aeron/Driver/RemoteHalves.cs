// What a client keeps of streams whose driver is another process: the mapped log, the counter, and the driver's answers to its commands.

using System.Buffers.Binary;
using System.Text;

namespace MarginEngine.Aeron;

internal sealed class RemotePublication(AeronClient client, long registrationId, LogBuffer log, Position limit) : IPublicationDriver
{
    private int _isClosed;

    public long RegistrationId { get; } = registrationId;

    public LogBuffer Log { get; } = log;

    public Position Limit { get; } = limit;

    public int MaxMessageLength { get; } = Math.Min(log.TermLength / 8, Limits.MaxMessageLength);

    /// <summary>The log is the driver's, and outlives this process: what was offered is not lost with it.</summary>
    public bool IsDrained => true;

    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    /// <summary>Any thread may call it; the client's next duty cycle tells the driver.</summary>
    public void Close()
    {
        Volatile.Write(ref _isClosed, 1);
        client.NoteClosed();
    }
}

internal sealed class RemoteImage(LogBuffer log, long id, Ipv4Endpoint source) : IImageDriver
{
    private long _endPosition = -1;

    public long Id { get; } = id;

    public LogBuffer Log { get; } = log;

    public Ipv4Endpoint Source { get; } = source;

    public IImageReader? Reader { get; set; }

    public ImageEnd EndReason { get; private set; }

    /// <summary>Walks on from where the reader is: the driver's own mark is not in the log.</summary>
    public unsafe long RebuiltPosition
    {
        get
        {
            if (_endPosition >= 0)
                return _endPosition;
            long begin = Reader?.Position ?? 0;
            int offset = LogPosition.TermOffset(begin, Log.TermLength);
            return begin - offset + TermScanner.Contiguous(Log.At(begin - offset), offset, Log.TermLength, Log.TermLength);
        }
    }

    /// <summary>The driver took the image away.</summary>
    public void End()
    {
        long consumed = Reader?.Position ?? 0;
        EndReason = Log.IsRevoked ? ImageEnd.Revoked : consumed >= Log.EndOfStreamPosition ? ImageEnd.EndOfStream : ImageEnd.Silent;
        _endPosition = consumed;
    }

    public void RemoveReader(IImageReader reader)
    {
        if (_endPosition < 0)
            _endPosition = reader.Position;
        if (EndReason == ImageEnd.None)
            EndReason = ImageEnd.Unsubscribed;
        Log.Dispose();
    }
}

/// <summary>The answer that a client is waiting for; there is one at a time.</summary>
internal sealed class Answer
{
    private long _expected = -1;

    public bool IsThere { get; private set; }
    public string? Error { get; private set; }
    public int ErrorCode { get; private set; }
    public int CounterId { get; private set; }
    public string LogFile { get; private set; } = "";

    public void Expect(long correlationId)
    {
        _expected = correlationId;
        IsThere = false;
        Error = null;
    }

    public bool Take(long correlationId)
    {
        if (correlationId != _expected)
            return false;
        IsThere = true;
        return true;
    }

    public void Fill(int counterId, string logFile)
    {
        CounterId = counterId;
        LogFile = logFile;
    }

    public void TakeError(long correlationId, int code, in CommandReader told)
    {
        if (!Take(correlationId))
            return;
        ErrorCode = code;
        Error = told.Text(12);
    }
}

/// <summary>A client's commands as bytes in the ring.</summary>
internal sealed class CommandWriter(CommandRing ring, long clientId)
{
    private readonly byte[] _scratch = new byte[64 + Limits.MaxChannelLength];

    public void AddPublication(long id, string channel, int streamId, bool isExclusive)
    {
        Begin(id);
        BinaryPrimitives.WriteInt32LittleEndian(_scratch.AsSpan(16), streamId);
        Send(isExclusive ? Command.AddExclusivePublication : Command.AddPublication, PutText(20, channel));
    }

    public void AddSubscription(long id, string channel, int streamId)
    {
        Begin(id);
        BinaryPrimitives.WriteInt64LittleEndian(_scratch.AsSpan(16), -1);
        BinaryPrimitives.WriteInt32LittleEndian(_scratch.AsSpan(24), streamId);
        Send(Command.AddSubscription, PutText(28, channel));
    }

    public void Remove(int command, long id, long registrationId)
    {
        Begin(id);
        BinaryPrimitives.WriteInt64LittleEndian(_scratch.AsSpan(16), registrationId);
        BinaryPrimitives.WriteInt64LittleEndian(_scratch.AsSpan(24), 0);
        Send(command, command == Command.RemovePublication ? 32 : 24);
    }

    /// <summary>Goodbye; a driver that takes no commands finds out by the silence.</summary>
    public void Close(long id)
    {
        Begin(id);
        _ = ring.TryWrite(Command.ClientClose, _scratch.AsSpan(0, CommandReader.HeadLength));
    }

    private void Begin(long correlationId)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_scratch, clientId);
        BinaryPrimitives.WriteInt64LittleEndian(_scratch.AsSpan(8), correlationId);
    }

    private int PutText(int offset, string text)
    {
        if (text.Length > Limits.MaxChannelLength)
            throw new ChannelException(text[..64] + "...", "length", $"longer than {Limits.MaxChannelLength} characters");
        int length = Encoding.ASCII.GetBytes(text, _scratch.AsSpan(offset + sizeof(int)));
        BinaryPrimitives.WriteInt32LittleEndian(_scratch.AsSpan(offset), length);
        return offset + sizeof(int) + length;
    }

    private void Send(int command, int length)
    {
        if (!ring.TryWrite(command, _scratch.AsSpan(0, length)))
            throw new DriverException(0, "the driver takes no commands: its ring is full");
    }
}
