// What a decision is worth when it is heard, in one word: the modes of the promise table, and the gate each of them stands for.
using System.Text.Json.Serialization;
using MarginEngine.Journal;

namespace MarginEngine.Pipeline;

/// <summary>What is promised of a decision that was heard.</summary>
public enum Mode
{
    /// <summary>One node: the input is on its disk.</summary>
    Alone,

    /// <summary>A pair: the input is on the primary's disk and the standby has received it.</summary>
    Durable,

    /// <summary>A pair: the standby has received the input, both disks follow.</summary>
    Fast,
}

/// <content>Mode and gate.</content>
public sealed partial record NodeOptions
{
    /// <summary>null: what <see cref="Gate"/> says; where that says nothing either, durable with a standby and alone without one.</summary>
    public Mode? Mode { get; set; }

    /// <summary>
    /// null: what <see cref="Mode"/> says. <see cref="Gate.Journal"/> with a standby is a gate without a mode: the standby follows and is not waited for.
    /// </summary>
    public Gate? Gate { get; set; }

    /// <summary>What must have confirmed an input.</summary>
    [JsonIgnore]
    public Gate GateInForce => Gate ?? GateOf(Mode ?? DefaultMode);

    /// <summary>null: the gate is the journal although there is a standby.</summary>
    [JsonIgnore]
    public Mode? ModeInForce => Mode ?? (Gate is not { } gate ? DefaultMode : gate switch
    {
        Pipeline.Gate.Both => Pipeline.Mode.Durable,
        Pipeline.Gate.Replica => Pipeline.Mode.Fast,
        _ when HasStandby => null,
        _ => Pipeline.Mode.Alone,
    });

    private bool HasStandby => Replication is not null;

    private Mode DefaultMode => HasStandby ? Pipeline.Mode.Durable : Pipeline.Mode.Alone;

    private static Gate GateOf(Mode mode) => mode switch
    {
        Pipeline.Mode.Durable => Pipeline.Gate.Both,
        Pipeline.Mode.Fast => Pipeline.Gate.Replica,
        _ => Pipeline.Gate.Journal,
    };

    /// <summary>A mode is a promise: settings that break it are refused, each by its name.</summary>
    private void CheckMode()
    {
        if (Role == NodeRole.Primary && GateInForce != Pipeline.Gate.Journal && !HasStandby)
        {
            string setting = Gate is { } given ? $"gate {given}" : $"mode {Mode}";
            throw new NodeOptionsException($"{setting} needs replication and acks: without a standby nothing would ever leave");
        }

        if (Mode is not { } mode)
            return;
        if (Gate is { } gate && gate != GateOf(mode))
            throw Contradiction($"gate {gate}", $"its gate is {GateOf(mode)}");
        if (mode == Pipeline.Mode.Alone && HasStandby)
            throw Contradiction("replication", "it names a standby; the mode is Durable or Fast then, or none with gate Journal where the standby is not to be waited for");
        if (mode == Pipeline.Mode.Fast && DeciderWaitsForJournal)
            throw Contradiction("deciderWaitsForJournal", "nothing waits for the disk in this mode");
        if (Journal.SyncMode == SyncMode.NoneLosesDataOnPowerCut)
            throw Contradiction($"journal.syncMode {Journal.SyncMode}", "what was heard would not be on a disk, or never come there");

        NodeOptionsException Contradiction(string setting, string because) => new($"mode {mode} and {setting} contradict each other: {because}");
    }
}
