// The measuring ends over shared memory: this process embeds the driver, the peer is a client of its directory, as any stock client is.

using System.Diagnostics;
using System.Runtime.InteropServices;
using MarginEngine.Aeron;

namespace MarginEngine.Bench;

/// <summary>The side that measures, with the driver and a stream each way.</summary>
internal sealed class IpcEnd : IEcho, ISource
{
    private const int OutStream = 1001;
    private const int BackStream = 1002;
    private static int Ends;

    private readonly string _directory;
    private readonly AeronAgent _agent;
    private readonly Publication _publication;
    private readonly Subscription _subscription;
    private readonly byte[] _message;
    private readonly bool _isThroughput;
    private Counting _echoes;
    private LastNumber _told;

    public IpcEnd(in WireSetup setup)
    {
        string root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _directory = Path.Combine(root, $"margin-bench-{Environment.ProcessId}-{Interlocked.Increment(ref Ends)}");
        _isThroughput = setup.Throughput;
        _message = new byte[setup.Length];
        var clock = new WireClock();
        // The shorter the term, the more of it stays in the processor's caches.
        _agent = new AeronAgent(new AeronOptions(clock) { Driver = new DriverOptions(_directory, clock) { IpcTermLength = 1 << 20 } });
        _publication = _agent.AddPublication("aeron:ipc", OutStream);
        _subscription = _agent.AddSubscription("aeron:ipc", BackStream);
    }

    public AeronCounters Counters => _agent.Counters;

    public string Listen => _directory;

    public string PeerRole => _isThroughput ? "ipc-count" : "ipc-echo";

    public void Connect(string peer)
    {
    }

    public bool TryConnect(TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        while (!_publication.IsConnected || !_subscription.IsConnected)
        {
            if (Stopwatch.GetElapsedTime(start) > patience)
                return false;
            _agent.DoWork();
        }
        return true;
    }

    public void RoundTrip(int number)
    {
        MemoryMarshal.Write(_message, number);
        int expected = _echoes.Messages + 1;
        while (_publication.Offer(_message) < 0)
            _agent.DoWork();
        for (int spins = 0; _echoes.Messages < expected; spins++)
        {
            // The messages need no driver: it works between them.
            if (spins % 64 == 63)
                _agent.DoWork();
            _subscription.Poll(ref _echoes, 10);
        }
        if (number % 64 == 0)
            _agent.DoWork();
    }

    public void Send(int messages, int before)
    {
        for (int i = 0; i < messages;)
        {
            for (int burst = 0; burst < 256 && i < messages; burst++)
            {
                if (_publication.Offer(_message) < 0)
                    break;
                i++;
            }
            _agent.DoWork();
        }
        while (_told.Value < before + messages)
        {
            _agent.DoWork();
            _subscription.Poll(ref _told, 100);
        }
    }

    /// <summary>The peer: a client of the directory.</summary>
    public static void Serve(string role, string directory, Action<string> announce, Func<bool> stop)
    {
        announce(directory);
        var clock = new WireClock();
        // The other side drives the driver only once it has heard from this process.
        using var client = new AeronClient(new AeronClientOptions(directory, clock, clock));
        Subscription subscription = client.AddSubscription("aeron:ipc", OutStream);
        Publication publication = client.AddPublication("aeron:ipc", BackStream);
        if (role == "ipc-echo")
            ServeEcho(client, subscription, publication, stop);
        else
            ServeCounts(client, subscription, publication, stop);
    }

    /// <summary>A media driver and nothing else, for any clients: stock ones to be measured, or a test's.</summary>
    public static void ServeDriver(string directory, Action<string> announce, Func<bool> stop)
    {
        var clock = new WireClock();
        using var agent = new AeronAgent(new AeronOptions(clock) { Driver = new DriverOptions(directory, clock) });
        announce(directory);
        while (!stop())
        {
            if (agent.DoWork() == 0)
                agent.WaitForInput(1_000);
        }
    }

    public void Dispose() => _agent.Dispose();

    private static void ServeEcho(AeronClient client, Subscription subscription, Publication publication, Func<bool> stop)
    {
        var handler = new Echoing(publication);
        for (int pass = 0; pass % 256 != 0 || !stop(); pass = (pass + 1) & 0xFFFF)
        {
            if (pass % 256 == 0)
                client.DoWork();
            subscription.Poll(ref handler, 10);
        }
    }

    private static void ServeCounts(AeronClient client, Subscription subscription, Publication publication, Func<bool> stop)
    {
        var counting = default(Counting);
        var count = new byte[8];
        int told = 0;
        for (int pass = 0; pass % 256 != 0 || !stop(); pass = (pass + 1) & 0xFFFF)
        {
            if (pass % 256 == 0)
                client.DoWork();
            if (subscription.Poll(ref counting, 1000) > 0 || counting.Messages == told)
                continue;
            MemoryMarshal.Write(count, (long)counting.Messages);
            if (publication.Offer(count) > 0)
                told = counting.Messages;
        }
    }
}
