// Is a journal what was signed? The check of a third party, who has the journal, its signatures and a public key. Used by `margin verify --public-key`.
using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Journal;

namespace MarginEngine.Signing;

/// <summary>What the check found.</summary>
public sealed record SignedHistory
{
    private const byte InputKind = 1;

    /// <summary>Null: everything up to <see cref="SignedUpTo"/> is complete and unaltered. Otherwise what is wrong, in words.</summary>
    public string? Problem { get; private set; }

    /// <summary>First record of the journal; more than 1 where retention has deleted what was before.</summary>
    public long FirstSequence { get; private set; }

    public long LastSequence { get; private set; }

    /// <summary>Last record that a good signature covers; 0: none.</summary>
    public long SignedUpTo { get; private set; }

    /// <summary>Of that record.</summary>
    public long SignedTimeNanos { get; private set; }

    /// <summary>The last signature was made when the node stopped in order, at the journal's last record.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Signatures that were found good.</summary>
    public int Signatures { get; private set; }

    /// <summary>Names of the keys that were in force, in order.</summary>
    public List<string> Keys { get; } = [];

    /// <summary>Worth knowing, but not wrong: withdrawals, changes of key that were not signed by the key in force.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Reads the whole journal and all its signatures.</summary>
    /// <param name="storage">The disk.</param>
    /// <param name="directory">The journal's directory.</param>
    /// <param name="trusted">The key that the reader trusts: the one in force where the journal begins, or one that it was changed to.</param>
    /// <exception cref="JournalDamagedException">The journal itself is damaged.</exception>
    /// <exception cref="InvalidDataException">The signatures cannot be read.</exception>
    public static SignedHistory Check(IStorage storage, string directory, SigningKey trusted)
    {
        IReadOnlyList<Statement> said = SignatureLog.Read(directory);
        var history = new SignedHistory();
        if (said.Count == 0)
        {
            history.Problem = $"there are no signatures in {SignatureLog.PathIn(directory)}";
            return history;
        }

        List<Statement> statements = InForce(said, out List<Statement> withdrawals);
        using JournalReader reader = JournalReader.Open(storage, directory);
        new Walk(history, statements, withdrawals, trusted).Run(reader);
        return history;
    }

    /// <summary>What is left of a log when withdrawals have taken back what was signed beyond them; the withdrawals stand in it themselves.</summary>
    internal static List<Statement> InForce(IReadOnlyList<Statement> said, out List<Statement> withdrawals)
    {
        List<Statement> left = [];
        withdrawals = [];
        foreach (Statement statement in said)
        {
            if (statement.Kind == StatementKind.Withdrawn)
            {
                left.RemoveAll(earlier => earlier.Sequence > statement.Sequence);
                withdrawals.Add(statement);
            }

            left.Add(statement);
        }

        return left;
    }

    /// <summary>One pass over the journal beside the statements, both in the order of sequences.</summary>
    private sealed class Walk(SignedHistory history, List<Statement> statements, List<Statement> withdrawals, SigningKey trusted)
    {
        private readonly HashChain _chain = new();
        private SigningKey? _inForce;
        private bool _wasReplaced;
        private string? _journal;
        private int _next, _before;

        public void Run(JournalReader reader)
        {
            while (history.Problem is null && reader.TryRead(out JournalRecord record))
            {
                if (history.FirstSequence == 0)
                    Begin(record);
                if (history.Problem is not null)
                    return;
                if (record.Kind == InputKind)
                    ChangeKey(record);
                _chain.Add(record, reader.Identity!.Value);
                history.LastSequence = record.Sequence;
                _journal ??= _chain.Text[..32];
                for (; history.Problem is null && _next < statements.Count && statements[_next].Sequence == record.Sequence; _next++)
                    Compare(statements[_next], record);
                if (history.Problem is null && _next < statements.Count && statements[_next].Sequence < record.Sequence)
                    history.Problem = Invariant($"a signature of sequence {statements[_next].Sequence} stands out of its order");
            }

            if (history.Problem is null)
                End();
        }

        private void Begin(in JournalRecord first)
        {
            long before = first.Sequence - 1;
            history.FirstSequence = first.Sequence;
            int edge = statements.FindLastIndex(statement => statement.Sequence == before);
            Statement? earliest = edge >= 0 ? statements[edge] : statements.Find(statement => statement.Sequence >= before);
            _inForce = earliest?.Key == trusted.Name ? trusted : null;
            if (edge < 0)
            {
                // Signed from this record on; where it is not, the journal's name will tell.
                if (statements[0].Sequence < before)
                    history.Problem = Invariant($"the journal begins at sequence {first.Sequence}, and no signature stands at its edge: what was before is missing");
                return;
            }

            // What retention deleted is vouched for by the signature at its edge.
            _next = edge + 1;
            if (_inForce is null || !earliest!.IsSignedBy(trusted.Key))
            {
                history.Problem = Invariant($"the journal begins at sequence {first.Sequence}, and the signature before it is not by key {trusted.Name}");
                return;
            }

            _chain.Resume(Convert.FromHexString(earliest.Chain), segment: -1);
            _journal = earliest.Journal.Length > 0 ? earliest.Journal : null;
            history.SignedUpTo = earliest.Sequence;
        }

        private void ChangeKey(in JournalRecord record)
        {
            if (!Schema.TryTemplateOf(record.Message, out ushort template) || template != SigningKeyDecoder.TemplateId || !SigningKeyDecoder.TryWrap(record.Message, out SigningKeyDecoder change))
                return;
            string name = SigningKeys.NameOf(change.PublicKey);
            // Where the trusted key comes by this record, what was before it is proved by the chain alone.
            bool isTrusted = _inForce is null && name == trusted.Name;
            if (!isTrusted && !SigningKeys.IsChange((_inForce ?? trusted).Key, change.PublicKey, change.Signature))
            {
                if (_inForce is not null)
                    history.Notes.Add(Invariant($"sequence {record.Sequence} names key {name}, but the key in force has not signed that: it changes nothing"));
                return;
            }

            SigningKey? next = isTrusted ? trusted : SigningKeys.FromPublic(change.PublicKey);
            if (next is null)
                return;
            _wasReplaced |= _inForce is not null;
            _inForce = next;
        }

        private void Compare(Statement statement, in JournalRecord record)
        {
            if (_inForce is null)
            {
                _before++;
                return;
            }

            bool isOurs = statement.Key == _inForce.Name && statement.IsSignedBy(_inForce.Key);
            if (!isOurs)
                history.Problem = statement.Key == _inForce.Name
                    ? Invariant($"the signature at sequence {statement.Sequence} is false")
                    : Invariant($"the signature at sequence {statement.Sequence} is by key {statement.Key}, in force is {_inForce.Name}");
            else if (statement.Journal != _journal)
                history.Problem = Invariant($"the signature at sequence {statement.Sequence} is of another journal: {statement.Journal}, this is {_journal}");
            else if (statement.Chain != _chain.Text || statement.Epoch != record.Epoch || statement.TimeNanos != record.TimestampNanos)
                history.Problem = Invariant($"what the journal holds is not what was signed: something between sequences {history.SignedUpTo + 1} and {statement.Sequence} was altered, added or taken away");
            if (history.Problem is not null)
                return;
            history.Signatures++;
            history.SignedUpTo = statement.Sequence;
            history.SignedTimeNanos = statement.TimeNanos;
            history.IsClosed = statement.Kind == StatementKind.Closed;
            if (history.Keys.Count == 0 || history.Keys[^1] != statement.Key)
                history.Keys.Add(statement.Key);
        }

        private void End()
        {
            if (_before > 0)
                history.Notes.Add(Invariant($"{_before} signatures are by keys from before key {trusted.Name} was in force; the chain proves what they covered"));
            history.IsClosed &= history.SignedUpTo == history.LastSequence;
            foreach (Statement withdrawal in withdrawals)
                history.Notes.Add(Invariant($"what was signed beyond sequence {withdrawal.Sequence} was withdrawn: a successor of a newer epoch never had it"));
            if (_next < statements.Count)
                history.Problem = Invariant($"the journal ends at sequence {history.LastSequence}, but was signed up to {statements[^1].Sequence}: its end is missing");
            else if (history.Signatures == 0)
                history.Problem = Invariant($"no signature is by key {trusted.Name}; the last is by {statements[^1].Key}");
            else if (_wasReplaced && _inForce!.Name != statements[^1].Key)
                history.Notes.Add(Invariant($"key {_inForce.Name} was put in force and has signed nothing yet"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
