// A network that asks before every send. The last place before the socket: what waits in a term, is sent again for a NAK or is a sign of
// life passes here as well.

namespace MarginEngine.Aeron;

/// <summary>Drops what may not leave, as a network may. See <see cref="AeronOptions.MaySend"/>.</summary>
internal sealed class GuardedNetwork(IDatagramNetwork network, Func<bool> maySend) : IDatagramNetwork
{
    public IDatagramSocket Open(in SocketSpec spec) => new GuardedSocket(network.Open(spec), maySend);

    public void BeginReceive() => network.BeginReceive();

    public bool Wait(long timeoutNanos) => network.Wait(timeoutNanos);

    public void Wake() => network.Wake();

    public void Dispose() => network.Dispose();

    private sealed class GuardedSocket(IDatagramSocket socket, Func<bool> maySend) : IDatagramSocket
    {
        public Ipv4Endpoint LocalEndpoint => socket.LocalEndpoint;

        public int ReceiveBufferLength => socket.ReceiveBufferLength;

        public int Receive(DatagramBatch batch, AeronCounters counters) => socket.Receive(batch, counters);

        public int Send(DatagramBatch batch, AeronCounters counters) => maySend() ? socket.Send(batch, counters) : batch.Count;

        public void Dispose() => socket.Dispose();
    }
}
