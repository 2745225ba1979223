// Operators' commands that concern the node: handed to its owner, once each, when they are facts.
namespace MarginEngine.Pipeline;

/// <content>The observer of applied commands.</content>
public sealed partial class Node
{
    private readonly CommandWatch _commands = new();

    /// <summary>
    /// Called on the housekeeping thread, in order, with every operator's command that was taken, applied and is on this node's disk;
    /// on a standby as on a primary. Commands of a replay are not told again: after a crash between record and call nobody acts on it, and
    /// the operator asks once more. An exception stops the node. Set before <see cref="Start"/>.
    /// </summary>
    public Action<OperatorEntry>? OnOperatorCommand { get; set; }

    private void TellCommands()
    {
        while (_commands.TryTake(Gauges.Journalled.Value, out OperatorEntry? entry))
            OnOperatorCommand?.Invoke(entry);
    }
}
