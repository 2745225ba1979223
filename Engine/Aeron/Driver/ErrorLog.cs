// The distinct errors of the driver, in the CnC file: each text once, with how often and when it was seen first and last.
//
//   record: i32 length (24 + text), written last · i32 count · i64 last seen ms · i64 first seen ms · UTF-8 text, aligned to 8

using System.Text;

namespace MarginEngine.Aeron;

internal sealed unsafe class ErrorLog
{
    private const int HeaderLength = 24;
    private const int MaxTextLength = 1024;

    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);
    private readonly byte* _log;
    private readonly int _length;
    private int _end;

    public ErrorLog(byte* memory, int length)
    {
        _log = memory;
        _length = length;
    }

    /// <summary>Counts an error; false when it is a new one and there is no room to tell.</summary>
    public bool Record(string text, long nowMillis)
    {
        if (text.Length > MaxTextLength)
            text = text[..MaxTextLength];
        if (!_offsets.TryGetValue(text, out int offset))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            int aligned = (HeaderLength + bytes.Length + 7) & ~7;
            if (aligned > _length - _end)
                return false;
            offset = _end;
            _end += aligned;
            _offsets.Add(text, offset);
            *(long*)(_log + offset + 16) = nowMillis;
            bytes.CopyTo(new Span<byte>(_log + offset + HeaderLength, bytes.Length));
            Count(offset, nowMillis);
            Volatile.Write(ref *(int*)(_log + offset), HeaderLength + bytes.Length);
            return true;
        }
        Count(offset, nowMillis);
        return true;
    }

    private void Count(int offset, long nowMillis)
    {
        *(long*)(_log + offset + 8) = nowMillis;
        Volatile.Write(ref *(int*)(_log + offset + 4), unchecked(*(int*)(_log + offset + 4) + 1));
    }
}
