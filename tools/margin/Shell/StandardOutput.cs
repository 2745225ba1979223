// Standard output that notices when nobody reads any more. The console stream of the runtime swallows a broken pipe, so that
// `margin watch .. | head -1` would never end; this one throws and Program ends quietly.
using System.Runtime.InteropServices;

namespace MarginEngine.Tool.Shell;

/// <summary>The reader of standard output has gone.</summary>
internal sealed class BrokenPipe : IOException;

/// <summary>Unbuffered write-only stream over file descriptor 1.</summary>
internal sealed class StandardOutput : Stream
{
    private const int BrokenPipeError = 32;
    private const int InterruptedError = 4;

    public static Stream Open() => OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutput();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written;
            fixed (byte* start = buffer) written = WriteDescriptor(1, start, buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error == BrokenPipeError) throw new BrokenPipe();
            if (error != InterruptedError) throw new IOException($"Cannot write to standard output: error {error}");
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    private static extern unsafe nint WriteDescriptor(int descriptor, byte* buffer, nint length);
}
