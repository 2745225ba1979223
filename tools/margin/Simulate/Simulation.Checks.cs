// What must hold at the end of every run, whatever happened in it; and what may stop a node.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;

namespace MarginEngine.Tool.Simulate;

/// <content>The journal of the last primary is the history; everything else is held against it.</content>
internal sealed partial class Simulation
{
    /// <summary>A node may stop for what was done to it, for nothing else.</summary>
    private void CheckFailure(SimulatedNode node)
    {
        switch (node.Failure)
        {
            case null:
            case SimulatedCrashException:
                return;
            case DivergenceException:
                Require(_expectsDivergence, $"{node.Host} found a difference that nobody made: {node.Failure.Message}");
                _expectsDivergence = false;
                node.ReplaceDisk();
                return;
            case StandbyAheadException:
                Require(_scenario.Gate != Gate.Journal || _troubledDisk is not null, $"the standby of a primary that gates on its journal is ahead: {node.Failure.Message}");
                return;
            case StorageException { IsOutOfSpace: true }:
            case LeaseLostException or FencedException when _witness is not null:
            case FencedException when node == _forgotten:
            // Whoever reads its own journal, for a snapshot or for its standby, may find what was done to the disk before a start does.
            case JournalDamagedException when node == _troubledDisk:
                return;
            case JournalFailedException when node.Disk.CapacityBytes != long.MaxValue:
                return;
        }

        Require(IsTold(node.Failure) || node.Failure.InnerException is SimulatedCrashException, $"{node.Host} stopped by itself: {node.Failure}");
    }

    private void CheckAll()
    {
        Require(!_expectsDivergence, $"a standby with another state than its primary's was not found out");
        foreach (SimulatedNode node in _nodes)
            Require(node.Stop(), $"{node.Host} does not stop: {node.Failure}");
        History history = History.Of(_nodes[_primary].Disk, Topology.Options(_primary, NodeRole.Primary, _epoch, _scenario));
        CheckInput(history);
        CheckPublished(history);
        Ledger.Check(history);
        if (!_scenario.HasStandby)
            return;
        History copy = History.Of(_nodes[1 - _primary].Disk, Topology.Options(1 - _primary, NodeRole.Standby, _epoch, _scenario));
        for (int i = 0; i < Math.Min(copy.Inputs.Count, history.Inputs.Count); i++)
            Require(copy.Inputs[i].Equals(history.Inputs[i]), $"the copies differ at sequence {i + 1}");
        Require(Math.Abs(copy.Inputs.Count - history.Inputs.Count) <= 4, $"the standby has {copy.Inputs.Count} records of {history.Inputs.Count}");
    }

    // Every input once, in its order, and epochs that only rise.
    private void CheckInput(History history)
    {
        List<byte[]> taken = [.. history.Inputs.Where(input => input.Source == Workload.Source).Select(input => input.Message)];
        Require(taken.Count == _workload.Messages.Count, $"the journal holds {taken.Count} messages of the source, which sent {_workload.Messages.Count}");
        for (int i = 0; i < taken.Count; i++)
            Require(taken[i].AsSpan().SequenceEqual(_workload.Messages[i]), $"message {i + 1} of the source is not what it sent");
        for (int i = 1; i < history.Inputs.Count; i++)
            Require(history.Inputs[i].Epoch >= history.Inputs[i - 1].Epoch, $"the epoch falls at sequence {i + 1}");
    }

    // Nothing published that was not decided, nothing decided that was not published, unless its hearer was cut off for longer than a stream lives.
    private void CheckPublished(History history)
    {
        HashSet<string> decided = [.. history.Decisions.Select(Key)];
        foreach (byte[] heard in _market.Heard)
            Require(decided.Contains(Key(heard)) || IsGatewayReject(heard, history), $"published but not in the history: {Name(heard)} on sequence {SequenceOf(heard)}");
        HashSet<string> published = [.. _market.Heard.Select(Key)];
        Dictionary<ulong, byte[]> newest = [];
        foreach (byte[] decision in history.Decisions)
        {
            if (MarginUpdateDecoder.TryWrap(decision, out MarginUpdateDecoder update))
                newest[update.AccountId] = decision;
            else if (SequenceOf(decision) < history.Inputs.Count - 3 && !published.Contains(Key(decision))) // the very last ones may still wait for their gate
                RequireHole(decision);
        }

        foreach ((ulong account, byte[] update) in newest)
        {
            if (SequenceOf(update) < history.Inputs.Count - 3)
                Require(published.Contains(Key(update)), $"the newest margin of account {account} was never published");
        }
    }

    private void RequireHole(byte[] decision)
    {
        long sequence = SequenceOf(decision);
        Require(_market.Holes.Exists(hole => sequence >= hole.From && sequence <= hole.To), $"decided and never published: {Name(decision)} on sequence {sequence}");
        Counts.SentIntoTheVoid++;
    }

    // A reject of the gateway is no decision: it names a message of ours that really was out of place, or a full disk.
    private bool IsGatewayReject(byte[] message, History history) => RejectDecoder.TryWrap(message, out RejectDecoder reject)
        && reject.Code is RejectCode.SequenceGap or RejectCode.Duplicate or RejectCode.OutOfOrder or RejectCode.Capacity
        && reject.Sequence <= (ulong)history.Inputs.Count && reject.SourceSequence <= (ulong)_workload.Messages.Count;

    private static string Key(byte[] message) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, char>(message.Length % 2 == 0 ? message : [.. message, 0]).ToString();

    private static long SequenceOf(byte[] decision) => BitConverter.ToInt64(decision, 8);

    private static string Name(byte[] message) => Schema.NameOf(BitConverter.ToUInt16(message, 2)) ?? "?";
}
