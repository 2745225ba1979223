// How `margin promote` reaches a running node: a UNIX socket in the journal's directory, so that whoever may write there may ask, and
// nobody else. One question, one answer, a line of JSON each.
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Running;

/// <param name="Because">Why a standby is to be promoted although something stands against it; null: then it is not.</param>
internal sealed record ControlRequest(string? Because);

/// <param name="Objection">What stands against it; null: nothing.</param>
/// <param name="Epoch">Of the new primary; 0: not yet, the witness is asked.</param>
internal sealed record ControlAnswer(string? Objection, long Epoch);

/// <summary>The node's end. Polled by the thread that runs the node, so that a promotion meets no other change.</summary>
internal sealed class ControlSocket : IDisposable
{
    private const int PatienceMillis = 1_000;
    private const int LongestPath = 107;
    private readonly string _path;
    private readonly Socket _socket;

    private ControlSocket(string path, Socket socket)
    {
        _path = path;
        _socket = socket;
    }

    public static string PathIn(string journal) => Path.Combine(Path.GetFullPath(journal), "control.sock");

    /// <summary>Null where it cannot be: then the node runs without, and says why.</summary>
    public static ControlSocket? Open(string journal, out string reason)
    {
        string path = PathIn(journal);
        reason = IsTooLong(path) ? $"{path} is longer than the {LongestPath} bytes that a socket's name may have" : "";
        if (reason.Length > 0) return null;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // One that was killed leaves its name behind. A live one keeps it: two nodes of one journal part at its lock.
            if (File.Exists(path) && !IsAnswered(path)) File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            socket.Listen(1);
            return new ControlSocket(path, socket);
        }
        catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException)
        {
            reason = failure.Message;
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Answers who asks now; returns at once where nobody does.</summary>
    public void Answer(Func<ControlRequest, ControlAnswer> answer)
    {
        while (_socket.Poll(0, SelectMode.SelectRead))
        {
            using Socket asking = _socket.Accept();
            asking.ReceiveTimeout = asking.SendTimeout = PatienceMillis;
            try
            {
                ControlRequest? request = JsonSerializer.Deserialize(ReadLine(asking), ControlJson.Default.ControlRequest);
                if (request is not null) WriteLine(asking, JsonSerializer.Serialize(answer(request), ControlJson.Default.ControlAnswer));
            }
            catch (Exception failure) when (failure is SocketException or JsonException)
            {
                // Whoever asked has gone or speaks another language; the node goes on.
            }
        }
    }

    /// <summary>Asks a node.</summary>
    /// <exception cref="CommandFailure">Unreachable: no node runs on this journal.</exception>
    public static ControlAnswer Ask(string journal, ControlRequest request)
    {
        const int AnswerMillis = 30_000; // a handover first finishes what was received
        string path = PathIn(journal);
        if (IsTooLong(path)) throw CommandFailure.Unreachable($"{path} is longer than the {LongestPath} bytes that a socket's name may have: the node runs without it");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = AnswerMillis };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            WriteLine(socket, JsonSerializer.Serialize(request, ControlJson.Default.ControlRequest));
            return JsonSerializer.Deserialize(ReadLine(socket), ControlJson.Default.ControlAnswer)
                ?? throw CommandFailure.Unreachable("the node did not answer");
        }
        catch (Exception failure) when (failure is SocketException or JsonException)
        {
            throw CommandFailure.Unreachable($"no node answers in {journal}: {failure.Message}");
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }

    private static bool IsTooLong(string path) => Encoding.UTF8.GetByteCount(path) > LongestPath;

    private static bool IsAnswered(string path)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void WriteLine(Socket socket, string line) => socket.Send(Encoding.UTF8.GetBytes(line + "\n"));

    private static string ReadLine(Socket socket)
    {
        const int LongestLine = 4_096;
        byte[] bytes = new byte[LongestLine];
        int count = 0;
        while (count < bytes.Length && (count == 0 || bytes[count - 1] != (byte)'\n'))
        {
            int read = socket.Receive(bytes, count, bytes.Length - count, SocketFlags.None);
            if (read == 0) break;
            count += read;
        }

        return Encoding.UTF8.GetString(bytes, 0, count);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
internal sealed partial class ControlJson : JsonSerializerContext;
