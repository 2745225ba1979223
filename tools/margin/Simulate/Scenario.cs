// What a seed decides before a run begins: how the system is set up, and which faults it is to live through.
using MarginEngine.Journal;
using MarginEngine.Pipeline;

namespace MarginEngine.Tool.Simulate;

/// <summary>Kinds of trouble, counted by the report.</summary>
internal enum Fault
{
    Kill,
    PowerCut,
    CrashInCall,
    FailedSync,
    LyingSync,
    LostWrite,
    MisdirectedWrite,
    CorruptWrite,
    SlowDisk,
    FullDisk,
    Pause,
    ClockStep,
    Partition,
    MemoryFlip,
    Promotion,
    WitnessAway,

    /// <summary>A primary that was stopped until it was replaced, and wakes.</summary>
    OldPrimary,
    ForcedPromotion,
    Rebuild,

    /// <summary>The only copy was damaged, and the node said so and did not start.</summary>
    Refusal,
}

/// <summary>One run's settings, drawn from its seed.</summary>
internal sealed record Scenario
{
    public required bool HasStandby { get; init; }

    /// <summary>A witness decides which node is the primary; without one an operator does.</summary>
    public required bool HasWitness { get; init; }

    /// <summary>Inputs between two snapshots of the standby; 0: none.</summary>
    public required long SnapshotEveryRecords { get; init; }

    public required Gate Gate { get; init; }

    public required bool DeciderWaits { get; init; }

    public required SyncMode SyncMode { get; init; }

    public required string Model { get; init; }

    public required int Accounts { get; init; }

    public required int Events { get; init; }

    public required Faults Network { get; init; }

    /// <summary>Faults that may happen in this run.</summary>
    public required Fault[] Repertoire { get; init; }

    /// <summary>Mean time between two of them.</summary>
    public required long FaultEveryNanos { get; init; }

    /// <summary>Bytes kept free on a simulated disk.</summary>
    public const long ReserveBytes = 256 << 10;

    // Cheap ones most of the time: what is simulated is the machine around the formula.
    private static readonly string[] s_models = ["cross", "cross", "isolated", "deribit-standard", "brackets", "deribit-pm", "portfolio"];

    public static Scenario Of(Random random)
    {
        bool hasStandby = random.Next(4) != 0;
        bool hasWitness = hasStandby && random.Next(2) == 0;
        Gate gate = hasStandby ? (Gate)random.Next(3) : Gate.Journal;
        List<Fault> faults = [Fault.Kill, Fault.Pause, Fault.ClockStep, Fault.SlowDisk, Fault.FullDisk, Fault.CrashInCall, Fault.FailedSync];
        // In the mode "replica" the local disk may be behind: a power cut of both at once may lose, of one must not.
        faults.Add(Fault.PowerCut);
        if (hasWitness)
            faults.AddRange([Fault.WitnessAway, Fault.OldPrimary]);
        if (hasStandby)
            faults.AddRange([Fault.Partition, Fault.MemoryFlip, Fault.MemoryFlip]);
        else
            faults.Add(Fault.CorruptWrite); // one copy: the node must refuse, and that is the end
        // A disk that says done and has not done needs a second copy.
        if (gate != Gate.Journal)
            faults.AddRange([Fault.LyingSync, Fault.LostWrite, Fault.MisdirectedWrite, Fault.CorruptWrite]);
        if (gate != Gate.Journal && !hasWitness)
            faults.AddRange([Fault.Promotion, Fault.OldPrimary]);
        return new Scenario
        {
            HasStandby = hasStandby,
            HasWitness = hasWitness,
            SnapshotEveryRecords = random.Next(3) switch { 0 => 0, 1 => 50, _ => 300 },
            Gate = gate,
            DeciderWaits = random.Next(4) == 0,
            SyncMode = random.Next(2) == 0 ? SyncMode.DirectSync : SyncMode.FileSync,
            Model = s_models[random.Next(s_models.Length)],
            Accounts = random.Next(3, 13),
            Events = random.Next(100, 400),
            Network = random.Next(4) == 0 ? Faults.None : Faults.Mixed(random, random.Next(1, 25)),
            Repertoire = [.. faults.Where(_ => random.Next(3) != 0)],
            FaultEveryNanos = random.NextInt64(40_000_000, 600_000_000),
        };
    }
}
