// One description of the state for both directions: what Field writes it also reads, so writer and reader cannot drift.
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <summary>A snapshot's bytes are not those of a state that this machine can hold.</summary>
public sealed class StateFormatException(string message) : Exception(message);

/// <summary>
/// Fields one behind the other, little endian, without padding. The state's classes describe themselves once (<c>Describe</c>) and pass here both when
/// they are written and when they are read. Fields and the scopes they stand in have names, which cost nothing unless one field is looked for.
/// </summary>
public sealed partial class StateStream
{
    private readonly StateBlocks _blocks;
    private byte[] _block = [];
    private int _position;
    private int _end;
    private int _next;
    private long _offset;

    private StateStream(StateBlocks blocks, bool reads, long target)
    {
        _blocks = blocks;
        IsReading = reads;
        _target = target;
    }

    /// <summary>False: fields are written.</summary>
    public bool IsReading { get; }

    public static StateStream Writer(StateBlocks into)
    {
        into.Clear();
        return new StateStream(into, reads: false, target: -1);
    }

    public static StateStream Reader(StateBlocks from) => new(from, reads: true, target: -1);

    /// <summary>Writes or reads a number, a flag or an enumeration.</summary>
    /// <exception cref="StateFormatException">There is nothing more to read.</exception>
    public unsafe void Field<T>(ref T value, string name)
        where T : unmanaged
    {
        Span<byte> bytes = Take(sizeof(T));
        if (IsReading)
        {
            value = MemoryMarshal.Read<T>(bytes);
        }
        else
        {
            MemoryMarshal.Write(bytes, in value);
        }

        if (_target >= 0)
        {
            Look(name, sizeof(T), value);
        }
    }

    /// <summary>Writes or reads bytes of a length that both sides know.</summary>
    public void Bytes(Span<byte> value, string name)
    {
        Span<byte> bytes = Take(value.Length);
        if (IsReading)
        {
            bytes.CopyTo(value);
        }
        else
        {
            value.CopyTo(bytes);
        }

        if (_target >= 0)
        {
            Look(name, value.Length, Text(value));
        }
    }

    /// <summary>Writes how many there are, or reads and returns it.</summary>
    /// <exception cref="StateFormatException">There are more than this machine has room for.</exception>
    public int Count(int count, int room, string name)
    {
        Field(ref count, name);
        if (count < 0 || count > room)
        {
            throw new StateFormatException($"the snapshot has {count} {name}, this machine has room for {room}");
        }

        return count;
    }

    /// <summary>The state is complete: closes the last block, or makes sure that nothing is left.</summary>
    public void Finish()
    {
        if (!IsReading)
        {
            _blocks.End(_position);
        }
        else if (_position != _end || _next != _blocks.Count)
        {
            throw new StateFormatException("the snapshot goes on where the state ends");
        }
    }

    private Span<byte> Take(int bytes)
    {
        if (bytes > _end - _position)
        {
            Turn(bytes);
        }

        Span<byte> taken = _block.AsSpan(_position, bytes);
        _position += bytes;
        return taken;
    }

    // To the next block.
    private void Turn(int bytes)
    {
        Check.That(bytes <= StateBlocks.BlockBytes);
        _offset += _position;
        if (!IsReading)
        {
            if (_end > 0)
            {
                _blocks.End(_position);
            }

            _block = _blocks.Begin();
            _end = StateBlocks.BlockBytes;
        }
        else
        {
            if (_position != _end || _next == _blocks.Count || _blocks[_next].Length < bytes)
            {
                throw new StateFormatException("the snapshot ends where the state goes on");
            }

            _block = _blocks.MemoryOf(_next);
            _end = _blocks[_next].Length;
            _next++;
        }

        _position = 0;
    }
}
