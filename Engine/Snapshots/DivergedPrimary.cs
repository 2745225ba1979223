// The primary's part after a divergence: the state that its journal leads to at the place where the standby stopped, written beside that journal,
// and compared with the standby's where that can be reached. Polled by a cold thread; no stage waits for it.
using System.Globalization;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Snapshots;

/// <summary>
/// The decider goes on, so the state is made by replay from the newest snapshot, in a machine of its own. A replay shows what the records lead to, not
/// what is in memory: whether the two are one is told by the heartbeat that both had last.
/// </summary>
internal sealed class DivergedPrimary(IStorage storage, NodeOptions options, NodeGauges gauges, Func<int, bool> hasEnded)
{
    private const int SettledPolls = 4;
    private const int PeerPolls = 120;
    private const int PauseMillis = 250;
    private readonly string _dumps = DumpsOf(options.Journal.Directory);
    private long _seen;
    private long _written;
    private int _polls;
    private string _told = "";

    /// <summary>What became of it, in sentences; empty before the first divergence. Any thread.</summary>
    public string Told => Volatile.Read(ref _told);

    /// <summary>Where dumps stand beside a journal.</summary>
    public static string DumpsOf(string journal) => Path.Combine(journal, StateDump.FolderName);

    /// <summary>Until the node ends. Never throws: a primary whose standby is lost must not be lost to this.</summary>
    public void Run()
    {
        while (!hasEnded(PauseMillis))
        {
            if (!IsDue(gauges.DivergedAt.Value))
                continue;
            try
            {
                Volatile.Write(ref _told, Write(_written));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failure)
            {
                Volatile.Write(ref _told, $"the state after sequence {_written} could not be made again: {failure.Message}");
            }
        }
    }

    // A standby that has seen a difference applies what it was at, and names the place again: it stands still when the place does.
    private bool IsDue(long at)
    {
        if (at == 0 || at == _written)
            return false;
        _polls = at == _seen ? _polls + 1 : 0;
        _seen = at;
        if (_polls < SettledPolls || gauges.Journalled.Value < at)
            return false;
        _written = at;
        return true;
    }

    private string Write(long at)
    {
        HeartbeatDigest last = default;
        OfflineSnapshotResult made = OfflineSnapshot.Take(
            storage, new OfflineSnapshotRequest(options.Journal.Directory, _dumps, At: at), options.Limits,
            _ =>
            {
                if (hasEnded(0))
                    throw new OperationCanceledException();
            },
            heartbeat => last = heartbeat);
        return string.Create(CultureInfo.InvariantCulture, $"the state after sequence {at}, by a replay of this journal, is in {made.Path}{Verdict(last)}{Compared(made.Path, at)}");
    }

    /// <summary>Whether what this node has said of itself is what its records lead to.</summary>
    private string Verdict(in HeartbeatDigest replayed)
    {
        if (!gauges.Heartbeats.TryFind(replayed.Sequence, out HeartbeatDigest live))
            return "";
        return live == replayed
            ? $"; the replay has this primary's digests at sequence {replayed.Sequence}"
            : $"; THE REPLAY HAS OTHER DIGESTS AT SEQUENCE {replayed.Sequence} THAN THIS PRIMARY HAD: what is in this node's memory is not what its records lead to";
    }

    private string Compared(string ours, long at)
    {
        if (options.PeerJournal is null)
            return "";
        string theirs = SnapshotFolder.PathOf(DumpsOf(options.PeerJournal), at);
        for (int polls = 0; !File.Exists(theirs); polls++)
        {
            if (polls == PeerPolls)
                return $"; the standby's is not in {theirs}";
            if (hasEnded(PauseMillis))
                throw new OperationCanceledException();
        }

        try
        {
            return SnapshotComparison.Between(storage, ours, theirs) is { } difference
                ? $"; the first field that differs, here against the standby: {difference}"
                : "; the standby's state there is the same";
        }
        catch (SnapshotUnusableException unusable)
        {
            return $"; the two cannot be compared: {unusable.Message}";
        }
    }
}
