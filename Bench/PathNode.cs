// A bare node as a process: started by the kill tests and by whoever wants a node without the command.
// `path-node CONFIG.json` runs until its standard input ends, then stops in order; a fault ends it with exit code 70.
using MarginEngine.Pipeline;

namespace MarginEngine.Bench;

internal static class PathNode
{
    private const int FaultExitCode = 70;

    public static int Run(ReadOnlySpan<string> options)
    {
        if (options.Length != 1)
        {
            Console.Error.WriteLine("path-node: give one configuration file");
            return 1;
        }

        using var node = new Node(NodeOptions.Parse(File.ReadAllText(options[0])));
        node.OnFault = fault =>
        {
            Console.Error.WriteLine(fault);
            Console.Error.WriteLine(fault.Cause);
            Console.Error.WriteLine(fault.FlightRecord);
            Environment.Exit(FaultExitCode);
        };
        node.Start();
        Console.Out.WriteLine($"running from sequence {node.Recovered.LastSequence}");
        while (Console.In.ReadLine() is not null)
        {
        }

        return node.Stop(TimeSpan.FromSeconds(30)) ? 0 : 3;
    }
}
