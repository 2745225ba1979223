// Signs a journal behind its writer. Polled by a thread of its own; reads what is on disk, never waits for anybody and nobody waits for it.
using System.Security.Cryptography;
using MarginEngine.Codecs;
using MarginEngine.Journal;

namespace MarginEngine.Signing;

/// <summary>
/// Goes on from the newest signature, or from the first record where there is none. Where it cannot sign it says why in <see cref="Problem"/>
/// and tries again at the next poll: the history stays whole, and the signatures catch up.
/// </summary>
public sealed class Signer : IDisposable
{
    private const int RecordsAPoll = 4096;
    private const byte InputKind = 1;
    private const long NanosPerMilli = 1_000_000;

    private readonly SigningOptions _options;
    private readonly SignatureLog _log;
    private readonly JournalReader _reader;
    private readonly HashChain _chain = new();
    private IReadOnlyList<SigningKey> _keys;
    private Withdrawal? _withdrawal;
    private Statement? _unsaid; // signed, but the disk did not take it
    private string _journal = "";
    private byte[] _publicKey = [];
    private string _keyName = "";
    private Place _last;
    private long _signed, _segment = -1, _unsigned, _unsignedSince;

    /// <summary>Signatures of records that are gone, and how far the journal has to come before that is known to be wrong.</summary>
    private sealed record Withdrawal(long Sequence, long Epoch);

    private readonly record struct Place(long Sequence, long Epoch, long TimeNanos);

    /// <param name="storage">The journal's disk.</param>
    /// <param name="directory">The journal's directory.</param>
    /// <param name="options">Key and intervals.</param>
    /// <param name="lastSequence">Last record that the journal holds now.</param>
    /// <exception cref="SigningKeyException">The key file cannot be used, or the journal was signed by a key that it does not hold.</exception>
    /// <exception cref="InvalidDataException">The signatures so far cannot be read.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public Signer(IStorage storage, string directory, SigningOptions options, long lastSequence)
    {
        _options = options;
        _keys = SigningKeys.ReadPrivate(options.KeyFile);
        PutInForce(_keys[0].PublicKey);
        _log = new SignatureLog(directory);
        _reader = JournalReader.Open(storage, directory, follow: true);
        try
        {
            Resume(SignatureLog.Read(directory), lastSequence);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Last record that a signature covers; any thread may read it.</summary>
    public long SignedUpTo => Interlocked.Read(ref _signed);

    /// <summary>Why nothing is signed at the moment; null: all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>Takes what has become durable and signs when it is due. Returns whether there is more to take.</summary>
    /// <param name="durable">Last record on this disk.</param>
    /// <param name="nowNanos">Monotonic time.</param>
    public bool Poll(long durable, long nowNanos)
    {
        if (!TrySay())
            return false;
        _reader.Limit = durable;
        int taken = 0;
        while (taken < RecordsAPoll && _unsaid is null && _reader.TryRead(out JournalRecord record))
        {
            taken++;
            Take(record);
            if (_unsigned == 1)
                _unsignedSince = nowNanos;
            if (_unsigned >= _options.EveryRecords && Problem is null)
                Sign(StatementKind.Signed);
        }

        if (_unsigned > 0 && _unsaid is null && nowNanos - _unsignedSince >= _options.EveryMillis * NanosPerMilli)
        {
            Sign(StatementKind.Signed);
            _unsignedSince = nowNanos;
        }

        return taken == RecordsAPoll;
    }

    /// <summary>Signs the rest and says that the node ended in order.</summary>
    public void Close(long durable, long nowNanos)
    {
        while (Poll(durable, nowNanos))
        {
        }

        if (_last.Sequence > 0 && _unsaid is null)
            Sign(StatementKind.Closed);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _log.Dispose();
        Forget();
    }

    private void Resume(IReadOnlyList<Statement> said, long lastSequence)
    {
        List<Statement> valid = SignedHistory.InForce(said, out _);
        Statement? last = valid.FindLast(statement => statement.Sequence <= lastSequence);
        if (valid.Count > 0 && valid[^1].Sequence > lastSequence)
            _withdrawal = new Withdrawal(valid[^1].Sequence, valid[^1].Epoch);
        if (last is null)
            return;
        SigningKey key = _keys.FirstOrDefault(known => known.Name == last.Key)
            ?? throw new SigningKeyException($"the journal is signed by key {last.Key}, which {_options.KeyFile} does not hold");
        if (!last.IsSignedBy(key.Key))
            throw new SigningKeyException($"{SignatureLog.FileName} has a false signature at sequence {last.Sequence}");
        if (!_reader.SeekTo(last.Sequence) || !_reader.TryRead(out JournalRecord record))
            throw new SigningKeyException($"the journal does not hold sequence {last.Sequence}, up to which it is signed");
        _chain.Resume(Convert.FromHexString(last.Chain), record.Segment);
        _journal = last.Journal;
        PutInForce(key.PublicKey);
        _segment = record.Segment;
        _last = new Place(record.Sequence, record.Epoch, record.TimestampNanos);
        _signed = last.Sequence;
    }

    private void Take(in JournalRecord record)
    {
        if (_withdrawal is not null)
            Withdraw(record);

        // A segment that ends is signed whole, so that retention may delete it and what is left is still proved.
        bool isChange = record.Kind == InputKind && IsChangeOfKey(record.Message);
        if ((isChange || record.Segment != _segment) && _unsigned > 0)
            Sign(StatementKind.Signed);
        _segment = record.Segment;
        _chain.Add(record, _reader.Identity!.Value);
        if (_journal.Length == 0)
            _journal = _chain.Text[..32];
        _last = new Place(record.Sequence, record.Epoch, record.TimestampNanos);
        _unsigned++;
        if (isChange)
            ChangeKey(record.Message);
    }

    private void Withdraw(in JournalRecord record)
    {
        if (record.Epoch > _withdrawal!.Epoch)
        {
            _withdrawal = null;
            Problem = null;
            Sign(StatementKind.Withdrawn);
        }
        else
        {
            Problem = $"sequence {_withdrawal.Sequence} of epoch {_withdrawal.Epoch} was signed and is gone, and no newer epoch explains it: the journal was cut";
        }
    }

    // By the public half, which is here even while the private one is not: a change that is missed would make all that follows false.
    private bool IsChangeOfKey(ReadOnlySpan<byte> message)
    {
        if (!Schema.TryTemplateOf(message, out ushort template) || template != SigningKeyDecoder.TemplateId || !SigningKeyDecoder.TryWrap(message, out SigningKeyDecoder change))
            return false;
        using SigningKey? key = SigningKeys.FromPublic(_publicKey), next = SigningKeys.FromPublic(change.PublicKey);
        return key is not null && next is not null && SigningKeys.IsChange(key.Key, change.PublicKey, change.Signature);
    }

    private void ChangeKey(ReadOnlySpan<byte> message)
    {
        SigningKeyDecoder.TryWrap(message, out SigningKeyDecoder change);
        PutInForce(change.PublicKey.ToArray());
    }

    private void PutInForce(byte[] publicKey)
    {
        _publicKey = publicKey;
        _keyName = SigningKeys.NameOf(publicKey);
    }

    private void Forget()
    {
        foreach (SigningKey key in _keys)
            key.Dispose();
        _keys = [];
    }

    // The file may have got the key in the meantime.
    private SigningKey? KeyInForce()
    {
        if (_keys.FirstOrDefault(known => known.Name == _keyName) is { } key)
            return key;
        try
        {
            IReadOnlyList<SigningKey> read = SigningKeys.ReadPrivate(_options.KeyFile);
            Forget();
            _keys = read;
        }
        catch (SigningKeyException failure)
        {
            Problem = failure.Message;
            return null;
        }

        return _keys.FirstOrDefault(known => known.Name == _keyName);
    }

    private void Sign(StatementKind kind)
    {
        if (_withdrawal is not null || _unsaid is not null)
            return;
        SigningKey? key = KeyInForce();
        if (key is null)
        {
            Problem ??= $"the journal is signed by key {_keyName} from here on, which {_options.KeyFile} does not hold";
            return;
        }

        try
        {
            _unsaid = new Statement(kind, _journal, _last.Sequence, _last.Epoch, _last.TimeNanos, _chain.Text, key.Name).SignedBy(key.Key);
        }
        catch (CryptographicException failure)
        {
            // A device that was taken away: it may come back, with a session of its own.
            Problem = failure.Message;
            Forget();
            return;
        }

        _unsigned = 0;
        TrySay();
    }

    // Nothing more is taken while a statement waits for the disk, so that each stands at the place it is made for.
    private bool TrySay()
    {
        if (_unsaid is null)
            return true;
        try
        {
            _log.Append(_unsaid);
        }
        catch (IOException failure)
        {
            Problem = failure.Message;
            return false;
        }

        Problem = null;
        Interlocked.Exchange(ref _signed, _unsaid.Sequence);
        _unsaid = null;
        return true;
    }
}
