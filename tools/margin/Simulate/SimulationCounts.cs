// What a series of runs went through.
namespace MarginEngine.Tool.Simulate;

/// <summary>Sums over seeds; what a report prints.</summary>
internal sealed class SimulationCounts
{
    public long Seeds { get; set; }

    public long Messages { get; set; }

    public long SimulatedNanos { get; set; }

    public long Restarts { get; set; }

    /// <summary>Records that a former primary cut when it came back.</summary>
    public long RecordsCut { get; set; }

    /// <summary>Decisions that a publisher sent while its hearer was cut off for longer than a stream lives.</summary>
    public long SentIntoTheVoid { get; set; }

    public long[] Faults { get; } = new long[Enum.GetValues<Fault>().Length];

    public NetworkCounts Network { get; } = new();

    public void Add(NetworkCounts network)
    {
        Network.Sent += network.Sent;
        Network.Dropped += network.Dropped;
        Network.Doubled += network.Doubled;
        Network.Delayed += network.Delayed;
        Network.Overtaken += network.Overtaken;
        Network.Cut += network.Cut;
        Network.Damaged += network.Damaged;
        Network.Severed += network.Severed;
    }

    public void Add(SimulationCounts other)
    {
        Seeds += other.Seeds;
        Messages += other.Messages;
        SimulatedNanos += other.SimulatedNanos;
        Restarts += other.Restarts;
        RecordsCut += other.RecordsCut;
        SentIntoTheVoid += other.SentIntoTheVoid;
        for (int fault = 0; fault < Faults.Length; fault++)
            Faults[fault] += other.Faults[fault];
        Add(other.Network);
    }
}
