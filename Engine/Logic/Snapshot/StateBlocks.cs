// The bytes of a state in memory: blocks of one size, reused from one snapshot to the next.
namespace MarginEngine.Logic;

/// <summary>
/// Filled by <see cref="StateStream"/>, written to a file by somebody else and read back the same way. A field never lies across two blocks, so
/// a block may end before it is full. Blocks are kept for the next use: only a larger state allocates.
/// </summary>
public sealed class StateBlocks
{
    /// <summary>Most bytes of a block; the file's own header of a block makes a mebibyte of it.</summary>
    public const int BlockBytes = (1 << 20) - 16;

    private readonly List<byte[]> _blocks = [];
    private readonly List<int> _lengths = [];

    /// <summary>Blocks in use.</summary>
    public int Count => _lengths.Count;

    /// <summary>Bytes in use.</summary>
    public long Bytes
    {
        get
        {
            long bytes = 0;
            foreach (int length in _lengths)
            {
                bytes += length;
            }

            return bytes;
        }
    }

    public ReadOnlySpan<byte> this[int block] => _blocks[block].AsSpan(0, _lengths[block]);

    /// <summary>Forgets the content, keeps the memory.</summary>
    public void Clear() => _lengths.Clear();

    /// <summary>Appends a copy of a whole block.</summary>
    public void Add(ReadOnlySpan<byte> block)
    {
        byte[] memory = Begin();
        block.CopyTo(memory);
        End(block.Length);
    }

    /// <summary>Memory for the next block; <see cref="End"/> makes it one.</summary>
    internal byte[] Begin()
    {
        if (_blocks.Count == _lengths.Count)
        {
            _blocks.Add(GC.AllocateUninitializedArray<byte>(BlockBytes));
        }

        return _blocks[_lengths.Count];
    }

    internal void End(int bytes) => _lengths.Add(bytes);

    internal byte[] MemoryOf(int block) => _blocks[block];
}
