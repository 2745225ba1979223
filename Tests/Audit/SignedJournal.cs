// Journals with signatures, made as a node makes them, and what a forger does to them: he can write every checksum anew.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Signing;
using MarginEngine.Tests.CommandTests;

namespace MarginEngine.Tests.AuditTests;

/// <summary>A record as a forger holds it.</summary>
internal sealed record Forged(long Epoch, long Time, byte[] Message);

internal sealed class SignedJournal : IDisposable
{
    public const int EveryRecords = 100;
    private readonly ScratchFolder _scratch = new();
    private readonly Storage _storage = new();
    private long _now = 1;

    public SignedJournal()
    {
        using SigningKey key = SigningKeys.Create(KeyFile, add: false);
        System.IO.File.WriteAllText(PublicFile, key.PublicPem);
    }

    public string KeyFile => _scratch.File("signing.pem");

    /// <summary>Where the signer has its keys from, if not from the file.</summary>
    public string? Device { get; set; }

    public string PublicFile => _scratch.File("public.pem");

    public string Directory => _scratch.File("journal");

    public string File(string name) => _scratch.File(name);

    private static JournalOptions Options(string directory) => new()
    {
        Directory = directory, SegmentBytes = 64 << 10, BatchBytes = 16 << 10, ReserveBytes = 0, SyncMode = SyncMode.FileSync,
    };

    private static byte[] Plain(long sequence)
    {
        byte[] message = new byte[60 + sequence % 40];
        message.AsSpan().Fill((byte)(sequence % 251));
        return message;
    }

    /// <summary>Appends records and lets the signer follow, as a node would; then stops it in order.</summary>
    /// <param name="count">Records.</param>
    /// <param name="epoch">Their epoch.</param>
    /// <param name="message">What they hold; null: anything.</param>
    /// <param name="close">False: the node ends without its last signature.</param>
    public void Append(int count, long epoch = 1, Func<long, byte[]>? message = null, bool close = true)
    {
        using JournalWriter writer = JournalWriter.Open(Options(Directory), EngineIdentity.Current, _storage);
        using Signer signer = new(_storage, Directory, new SigningOptions { KeyFile = Device ?? KeyFile, EveryRecords = EveryRecords, EveryMillis = 1_000_000 }, writer.LastSequence);
        for (int index = 0; index < count; index++)
        {
            long sequence = writer.LastSequence + 1;
            byte[] bytes = message?.Invoke(sequence) ?? Plain(sequence);
            if (!writer.TryAppend(1, epoch, sequence, 1_000 * sequence, bytes)) throw new InvalidOperationException("the group is full");
            if (index % 10 != 9 && index != count - 1) continue;
            writer.Commit();
            writer.PrepareNext();
            Problem = signer.Poll(writer.DurableSequence, ++_now) ? null : signer.Problem;
        }

        if (close) signer.Close(writer.DurableSequence, ++_now);
        Problem = signer.Problem;
        SignedUpTo = signer.SignedUpTo;
    }

    /// <summary>Of the last signer.</summary>
    public string? Problem { get; private set; }

    public long SignedUpTo { get; private set; }

    /// <summary>The change of key as an operator sends it.</summary>
    public static byte[] ChangeOfKey(SigningKey next, SigningKey by)
    {
        byte[] buffer = new byte[1024];
        SigningKeyEncoder message = SigningKeyEncoder.Wrap(buffer);
        message.SetOrigin(1, 1, 1, OriginFlags.None);
        message.SetOperator("security");
        message.SetPublicKey(next.PublicKey);
        message.SetSignature(SigningKeys.SignChange(by.Key, next.PublicKey));
        message.SetReason("yearly"u8);
        return buffer[..message.EncodedLength];
    }

    /// <summary>Writes the whole journal anew, with all checksums right, and leaves the signatures as they are.</summary>
    public void Forge(Func<List<Forged>, IEnumerable<Forged>> change)
    {
        List<Forged> records = [];
        using (JournalReader reader = JournalReader.Open(_storage, Directory))
            while (reader.TryRead(out JournalRecord record)) records.Add(new Forged(record.Epoch, record.TimestampNanos, record.Message.ToArray()));
        foreach (string segment in System.IO.Directory.GetFiles(Directory, "*.segment")) System.IO.File.Delete(segment);
        using JournalWriter writer = JournalWriter.Open(Options(Directory), EngineIdentity.Current, _storage);
        int written = 0;
        foreach (Forged record in change(records))
        {
            // Committed as before, so that segments end where they ended.
            if (!writer.TryAppend(1, record.Epoch, writer.LastSequence + 1, record.Time, record.Message)) throw new InvalidOperationException("the group is full");
            if (++written % 10 == 0) writer.Commit();
        }

        writer.Commit();
    }

    public SignedHistory Check(string? publicFile = null)
    {
        using SigningKey key = SigningKeys.ReadPublic(publicFile ?? PublicFile);
        return SignedHistory.Check(_storage, Directory, key);
    }

    public string[] Lines
    {
        get => System.IO.File.ReadAllLines(SignatureLog.PathIn(Directory));
        set => System.IO.File.WriteAllText(SignatureLog.PathIn(Directory), string.Concat(value.Select(line => line + "\n")));
    }

    public void Dispose() => _scratch.Dispose();
}
