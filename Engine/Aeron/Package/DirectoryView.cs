// The same look into a driver's directory, by a client of the package.
using Client = Adaptive.Aeron;

namespace MarginEngine.Aeron;

public readonly record struct CounterLine(int Id, int Type, long Value, string Label);

public sealed class DirectoryView : IDisposable
{
    private readonly Client.Aeron _client;

    /// <exception cref="IOException">no driver serves the directory</exception>
    public DirectoryView(string directory)
    {
        try
        {
            _client = Client.Aeron.Connect(new Client.Aeron.Context().AeronDirectoryName(directory));
        }
        catch (Client.Exceptions.AeronException error)
        {
            throw new IOException($"no media driver answers in {directory}: {error.Message}", error);
        }
    }

    /// <summary>Unknown to a client: 0.</summary>
    public long ProcessId { get; }

    /// <summary>The driver lives as long as the client is not closed: now, or -1.</summary>
    public long HeartbeatMillis => _client.IsClosed ? -1 : _client.Ctx.EpochClock().Time();

    public List<CounterLine> Counters()
    {
        List<CounterLine> lines = [];
        _client.CountersReader.ForEach((id, type, _, label) => lines.Add(new CounterLine(id, type, _client.CountersReader.GetCounterValue(id), label)));
        return lines;
    }

    public void Dispose() => _client.Dispose();
}
