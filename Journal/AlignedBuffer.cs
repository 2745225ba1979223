using System.Runtime.InteropServices;

namespace MarginEngine.Journal;

/// <summary>Zeroed memory outside the heap, aligned to a block as direct writes need it.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    byte* _start;
    readonly int _bytes;

    public AlignedBuffer(int bytes)
    {
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Format.BlockBytes);
        _bytes = bytes;
        Span.Clear();
    }

    ~AlignedBuffer() => Free();

    public Span<byte> Span => _start == null ? throw new ObjectDisposedException(nameof(AlignedBuffer)) : new Span<byte>(_start, _bytes);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    void Free()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}
