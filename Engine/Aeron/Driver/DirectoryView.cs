// Looks into the directory of a media driver, ours or a stock one, without being its client: what `margin top` shows.
namespace MarginEngine.Aeron;

/// <summary>One counter of a driver or of a client.</summary>
/// <param name="Id">Its place; may be given to another counter once this one is freed.</param>
/// <param name="Type">What it counts: below 1000 Aeron's own kinds, 0 the driver's totals.</param>
public readonly record struct CounterLine(int Id, int Type, long Value, string Label);

/// <summary>A mapped cnc.dat, read only in effect: nothing is written.</summary>
public sealed class DirectoryView : IDisposable
{
    private readonly CncFile _cnc;
    private readonly CommandRing _commands;
    private readonly CounterReader _counters;

    /// <exception cref="IOException">there is no cnc.dat, it is not ready, or it does not describe itself</exception>
    public DirectoryView(string directory)
    {
        _cnc = CncFile.Open(directory);
        if (!_cnc.IsReady)
        {
            _cnc.Dispose();
            throw new IOException($"the driver of {directory} has not started yet");
        }

        _commands = _cnc.ToDriver();
        _counters = _cnc.CountersView();
    }

    /// <summary>The driver's process.</summary>
    public long ProcessId => _cnc.ProcessId;

    /// <summary>When the driver last said that it lives, in milliseconds since 1970; -1 when it has ended in order.</summary>
    public long HeartbeatMillis => _commands.ConsumerHeartbeat;

    /// <summary>Every counter in use, by id. A counter that is freed while it is read may show once more.</summary>
    public List<CounterLine> Counters()
    {
        List<CounterLine> lines = [];
        for (int id = 0; id < _counters.Capacity; id++)
        {
            if (_counters.IsAllocated(id))
                lines.Add(new CounterLine(id, _counters.TypeOf(id), _counters.Value(id), _counters.LabelOf(id)));
        }

        return lines;
    }

    public void Dispose() => _cnc.Dispose();
}
