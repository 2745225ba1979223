// Nodes under test: options with fresh ports and a fresh journal on the real disk, removed at the end.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Tests.PipelineTests;

/// <summary>A directory that goes when the test ends.</summary>
internal sealed class TestDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("margin-pipeline-").FullName;

    public string Journal(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class TestNode
{
    /// <summary>A primary with its own ports, a small machine and a small journal.</summary>
    public static NodeOptions Primary(string journal, Placement placement = Placement.Paired) => new()
    {
        Role = NodeRole.Primary,
        Input = new StreamOptions { Channel = Ports.Channel(), Stream = 10 },
        Output = new OutputOptions { Channel = Ports.Channel() },
        Journal = SmallJournal(journal),
        Limits = Limits.Small,
        Placement = placement,
        IdleSpinMicros = 20,
    };

    /// <summary>The primary with a standby configured, and that standby.</summary>
    public static (NodeOptions Primary, NodeOptions Standby) Pair(TestDirectory directory, Gate gate = Gate.Journal, Placement placement = Placement.Paired)
    {
        var replication = new StreamOptions { Channel = Ports.Channel(), Stream = 30 };
        var acks = new StreamOptions { Channel = Ports.Channel(), Stream = 31 };
        NodeOptions primary = Primary(directory.Journal("primary"), placement) with { Replication = replication, Acks = acks, Gate = gate };
        return (primary, primary with { Role = NodeRole.Standby, Gate = Gate.Journal, Journal = SmallJournal(directory.Journal("standby")) });
    }

    public static JournalOptions SmallJournal(string directory) => new()
    {
        Directory = directory,
        SegmentBytes = 4 << 20,
        BatchBytes = 256 << 10,
        ReserveBytes = 0,
    };

    public static World WorldOf(NodeOptions primary) =>
        new(primary.Input!.Channel, primary.Input.Stream, primary.Output!.Channel, primary.Output.MarginStream, primary.Output.ReplyStream);

    /// <summary>Starts a node whose fault, should there be one, is thrown at the test by <see cref="Running.Check"/>.</summary>
    public static Running Start(NodeOptions options, IStorage? storage = null, Action<Node>? before = null)
    {
        var node = new Node(options, storage: storage);
        before?.Invoke(node);
        return Run(node);
    }

    /// <summary>Starts a node that was made elsewhere.</summary>
    public static Running Run(Node node)
    {
        node.Start();
        return new Running(node);
    }

    internal sealed class Running(Node node) : IDisposable
    {
        public Node Node => node;

        public void Check()
        {
            if (node.Fault is { } fault)
                throw new InvalidOperationException(fault.ToString(), fault.Cause);
        }

        public void Dispose() => node.Dispose();
    }
}
