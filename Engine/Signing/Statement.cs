// What a signature says, as one line of text that any tool can check.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MarginEngine.Signing;

public enum StatementKind
{
    /// <summary>The history up to the sequence is this.</summary>
    Signed,

    /// <summary>The same, said when the node stopped in order.</summary>
    Closed,

    /// <summary>What was signed beyond the sequence is no part of this history any more: a successor of a newer epoch never had it.</summary>
    Withdrawn,
}

/// <param name="Kind">What it says.</param>
/// <param name="Journal">Name of the journal: the first 16 bytes of the chain after its first signed record, hexadecimal.</param>
/// <param name="Sequence">Last record that it covers.</param>
/// <param name="Epoch">Of that record.</param>
/// <param name="TimeNanos">Of that record.</param>
/// <param name="Chain">The chain after it, hexadecimal.</param>
/// <param name="Key">Name of the key.</param>
public sealed record Statement(StatementKind Kind, string Journal, long Sequence, long Epoch, long TimeNanos, string Chain, string Key)
{
    private const string Start = "margin-signature 1";
    private const string SignatureWord = " signature=";

    /// <summary>What is signed.</summary>
    public string Words => string.Create(CultureInfo.InvariantCulture,
        $"{Start} kind={Kind.ToString().ToLowerInvariant()} journal={Journal} sequence={Sequence} epoch={Epoch} time={TimeNanos} chain={Chain} key={Key}");

    /// <summary>DER, as it stands in the line; empty in one that is not signed yet.</summary>
    public byte[] Signature { get; init; } = [];

    /// <summary>The line of the log, without its end.</summary>
    public string Line => Words + SignatureWord + Convert.ToBase64String(Signature);

    public Statement SignedBy(ECDsa key) => this with { Signature = key.SignData(Encoding.ASCII.GetBytes(Words), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence) };

    public bool IsSignedBy(ECDsa key) => key.VerifyData(Encoding.ASCII.GetBytes(Words), Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>Null: the line is none.</summary>
    public static Statement? Parse(string line)
    {
        int end = line.IndexOf(SignatureWord, StringComparison.Ordinal);
        if (end < 0)
            return null;
        byte[] signature = new byte[line.Length];
        if (!Convert.TryFromBase64String(line[(end + SignatureWord.Length)..], signature, out int bytes))
            return null;
        string[] words = line[..end].Split(' ');
        string[] names = ["kind", "journal", "sequence", "epoch", "time", "chain", "key"];
        if (words.Length != names.Length + 2)
            return null;
        string[] values = new string[names.Length];
        for (int index = 0; index < names.Length; index++)
        {
            string word = words[index + 2];
            if (!word.StartsWith(names[index] + "=", StringComparison.Ordinal))
                return null;
            values[index] = word[(names[index].Length + 1)..];
        }

        if (!Enum.TryParse(values[0], ignoreCase: true, out StatementKind kind) || !TryNumber(values[2], out long sequence) || !TryNumber(values[3], out long epoch)
            || !TryNumber(values[4], out long time) || values[5].Length != HashChain.Bytes * 2 || !values[5].All(char.IsAsciiHexDigitLower))
            return null;
        var parsed = new Statement(kind, values[1], sequence, epoch, time, values[5], values[6]) { Signature = signature[..bytes] };
        return parsed.Words == line[..end] ? parsed : null; // what is not written exactly so is not ours
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
