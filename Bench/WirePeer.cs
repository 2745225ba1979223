// The other end of a wire measurement: echoes, or takes and acknowledges. A process of its own, or a thread where a test runs it small.

using System.Diagnostics;
using System.Globalization;
using MarginEngine.Aeron;

namespace MarginEngine.Bench;

/// <summary>The measuring side tells where it listens and learns where the peer does.</summary>
internal interface IWireEnd : IDisposable
{
    string Listen { get; }

    string PeerRole { get; }

    void Connect(string peer);

    bool TryConnect(TimeSpan patience);
}

internal interface IEcho : IWireEnd
{
    void RoundTrip(int number);
}

internal interface ISource : IWireEnd
{
    AeronCounters Counters { get; }

    /// <summary>Sends, and returns when the peer has said that it took them all.</summary>
    void Send(int messages, int before);
}

internal sealed class WirePeer : IDisposable
{
    private readonly Process? _process;
    private readonly Thread? _thread;
    private readonly nint _affinity;
    private volatile bool _stop;

    private WirePeer(in WireSetup setup, IWireEnd end)
    {
        string role = end.PeerRole;
        string listen = end.Listen;
        int length = setup.Length;
        var answer = new TaskCompletionSource<string>();
        if (setup.Threads)
        {
            _thread = new Thread(() => Serve(role, listen, length, answer.SetResult, () => _stop)) { IsBackground = true };
            _thread.Start();
        }
        else
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
            // Under `dotnet X.dll` the process is the host and wants the assembly first.
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
                start.ArgumentList.Add(typeof(WirePeer).Assembly.Location);
            foreach (string argument in (string[])["wire", "peer", role, listen, length.ToString(CultureInfo.InvariantCulture)])
                start.ArgumentList.Add(argument);
            _process = Process.Start(start)!;
            if (OperatingSystem.IsLinux())
                _affinity = Process.GetCurrentProcess().ProcessorAffinity;
            Pin(0);
            answer.SetResult(_process.StandardOutput.ReadLine() ?? throw new IOException("the peer ended at its start"));
        }
        end.Connect(answer.Task.GetAwaiter().GetResult());
    }

    public static WirePeer Start(in WireSetup setup, IWireEnd end) => new(setup, end);

    /// <summary>The peer process: says on its output where it listens, and ends when its input does.</summary>
    public static int Run(ReadOnlySpan<string> args)
    {
        if (args.Length != 3)
            return 1;
        Pin(1);
        bool ended = false;
        new Thread(() =>
        {
            while (Console.In.Read() >= 0)
            {
            }
            Volatile.Write(ref ended, true);
        }) { IsBackground = true }.Start();
        Serve(args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture), Console.WriteLine, () => Volatile.Read(ref ended));
        return 0;
    }

    public void Dispose()
    {
        _stop = true;
        _thread?.Join();
        if (_process is null)
            return;
        _process.StandardInput.Close();
        if (!_process.WaitForExit(10_000))
            _process.Kill();
        _process.Dispose();

        // The next peer inherits it, and would find itself alone with this process on one core.
        if (OperatingSystem.IsLinux())
            Process.GetCurrentProcess().ProcessorAffinity = _affinity;
    }

    /// <summary>Two spinning processes on one core would wait for each other's time slice at each message.</summary>
    private static void Pin(int core)
    {
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > core)
            Process.GetCurrentProcess().ProcessorAffinity = 1 << core;
    }

    private static void Serve(string role, string peer, int length, Action<string> announce, Func<bool> stop)
    {
        if (role == "raw-echo")
            RawEcho.Serve(peer, length, announce, stop);
        else if (role == "driver")
            IpcEnd.ServeDriver(peer, announce, stop);
        else if (role.StartsWith("ipc", StringComparison.Ordinal))
            IpcEnd.Serve(role, peer, announce, stop);
        else
            AeronEcho.Serve(role, peer, announce, stop);
    }
}

/// <summary>Round trips over bare sockets: what the machine gives without a protocol.</summary>
internal sealed unsafe class RawEcho : IEcho
{
    private readonly UdpNetwork _network = new();
    private readonly AeronCounters _counters = new();
    private readonly DatagramBatch _received = new(1, 2048);
    private readonly DatagramBatch _sent = new(1, 0);
    private readonly IDatagramSocket _socket;
    private readonly byte[] _message;
    private Ipv4Endpoint _peer;

    public RawEcho(in WireSetup setup)
    {
        _socket = _network.Open(new SocketSpec { Bind = new Ipv4Endpoint(Ipv4Endpoint.Loopback, 0) });
        _message = GC.AllocateArray<byte>(Math.Min(setup.Length, 2048), pinned: true);
    }

    public string Listen => _socket.LocalEndpoint.ToString();

    public string PeerRole => "raw-echo";

    public void Connect(string peer)
    {
        if (!Ipv4Endpoint.TryParse(peer, out _peer))
            throw new IOException($"the peer listens at '{peer}'");
    }

    public bool TryConnect(TimeSpan patience) => true;

    public void RoundTrip(int number)
    {
        fixed (byte* message = _message)
        {
            _sent.Clear();
            _sent.Add(message, _message.Length, _peer);
            _socket.Send(_sent, _counters);
        }
        while (_socket.Receive(_received, _counters) == 0)
        {
        }
    }

    public static void Serve(string peer, int length, Action<string> announce, Func<bool> stop)
    {
        var setup = new WireSetup { Length = length };
        using var echo = new RawEcho(setup);
        echo.Connect(peer);
        announce(echo.Listen);
        while (!stop())
        {
            if (echo._socket.Receive(echo._received, echo._counters) == 0)
                continue;
            echo._sent.Clear();
            echo._sent.Add(echo._received.Data(0), echo._received.Length(0), echo._peer);
            echo._socket.Send(echo._sent, echo._counters);
        }
    }

    public void Dispose()
    {
        _network.Dispose();
        _received.Dispose();
        _sent.Dispose();
    }
}
