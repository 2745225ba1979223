// How the decider gets room in a full output ring: by running the stages behind it itself, or by waiting for their threads.
namespace MarginEngine.Pipeline;

/// <summary>Merged placement: nobody else polls the stages downstream.</summary>
internal sealed class PollingRelief(StageLoop loop, IStage[] downstream, Node node) : IRelief
{
    public void Relieve()
    {
        if (loop.IsStopping)
            throw new NodeStoppingException();
        loop.NoteWaiting();
        foreach (IStage stage in downstream)
            stage.Poll();
        node.WhileWaiting?.Invoke();
    }
}

/// <summary>The stages downstream have threads of their own; they may be parked.</summary>
internal sealed class WaitingRelief(StageLoop loop) : IRelief
{
    public void Relieve()
    {
        if (loop.IsStopping)
            throw new NodeStoppingException();
        loop.NoteWaiting();
        loop.WakePeers();
        Thread.Yield();
    }
}
