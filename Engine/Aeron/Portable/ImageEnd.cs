namespace MarginEngine.Aeron;

/// <summary>Why an image ended.</summary>
public enum ImageEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>The sender closed its publication and everything arrived.</summary>
    EndOfStream,

    /// <summary>Nothing was heard from the sender for the liveness time.</summary>
    Silent,

    /// <summary>The sender withdrew the stream; what had not arrived is lost.</summary>
    Revoked,

    /// <summary>The last subscription to it was closed.</summary>
    Unsubscribed,

    /// <summary>The application here refused it.</summary>
    Rejected,

    /// <summary>What stands next in its shared log is no frame; nothing behind it can be read.</summary>
    Damaged,
}
