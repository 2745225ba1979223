// Deliberate defects. The simulation plants one, on its own thread, and has to find it: a checker that never fails proves nothing.
namespace MarginEngine.Journal;

internal enum Defect
{
    None,

    /// <summary>The journal reports a commit as durable without having synced the file.</summary>
    SkipSync,

    /// <summary>A reopened journal begins its hash chain anew.</summary>
    ForgetChain,

    /// <summary>Damage at the end of a journal passes for a torn write and is cut off.</summary>
    CutDamage,

    /// <summary>Decisions leave when they are made, not when their input is confirmed.</summary>
    PublishBeforeDurable,

    /// <summary>Epochs are not compared: a standby takes records of an older one, a primary does not stop for a newer one.</summary>
    AcceptOldEpoch,

    /// <summary>A standby takes a record behind a gap.</summary>
    AcceptGap,

    /// <summary>The gateway takes the newest input of a source once more.</summary>
    TakeTwice,

    /// <summary>A restarted primary publishes nothing of what it decided before.</summary>
    RepublishNothing,

    /// <summary>The state digest leaves out balances and what follows from them; planted in the machine itself.</summary>
    DigestWithoutMoney,
}

/// <summary>Which defect is planted on this thread; none, ever, outside tests and <c>margin simulate</c>.</summary>
internal static class Planted
{
    [ThreadStatic]
    private static Defect s_defect;

    public static bool Is(Defect defect) => s_defect == defect;

    public static void Set(Defect defect) => s_defect = defect;
}
