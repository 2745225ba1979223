// Keys: private ones from a PEM file of the node, public ones from a PEM file of the auditor, ECDSA over P-256. And the words that a change of key is signed with.
using System.Security.Cryptography;
using System.Text;

namespace MarginEngine.Signing;

/// <summary>A key cannot be used; the message says why.</summary>
public sealed class SigningKeyException(string message) : Exception(message);

/// <summary>A key with its name and its public half in DER.</summary>
public sealed record SigningKey(string Name, byte[] PublicKey, ECDsa Key) : IDisposable
{
    /// <summary>The public half of it, as PEM.</summary>
    public string PublicPem => Key.ExportSubjectPublicKeyInfoPem();

    public static SigningKey Of(ECDsa key)
    {
        byte[] publicKey = key.ExportSubjectPublicKeyInfo();
        return new SigningKey(SigningKeys.NameOf(publicKey), publicKey, key);
    }

    public void Dispose() => Key.Dispose();
}

public static class SigningKeys
{
    private const string Unix = "who may read a key file is told by its Unix mode, which is not to be had here";
    private const string PrivateLabel = "PRIVATE KEY";
    private const string PublicLabel = "PUBLIC KEY";
    private const string CurveOid = "1.2.840.10045.3.1.7"; // P-256
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>The private keys of a file, in its order: the first, then those that it was changed to. Or those of a device, in the order of their ids.</summary>
    /// <param name="path">A PEM file, or the address of a PKCS#11 token or key on it (RFC 7512).</param>
    /// <exception cref="SigningKeyException">It cannot be read, others can read it, or it has no such key.</exception>
    public static IReadOnlyList<SigningKey> ReadPrivate(string path)
    {
        if (Pkcs11Uri.Is(path))
            return Pkcs11Session.ReadKeys(Pkcs11Uri.Parse(path));
        string text = Read(path);
        CheckOwnerOnly(path);
        return Parse(path, text, PrivateLabel);
    }

    /// <summary>The public key of a file, which may also be one of private keys: then its last, the newest.</summary>
    /// <exception cref="SigningKeyException">It cannot be read or has no such key.</exception>
    public static SigningKey ReadPublic(string path)
    {
        if (Pkcs11Uri.Is(path))
            return ReadPrivate(path)[^1];
        string text = Read(path);
        return text.Contains(PrivateLabel, StringComparison.Ordinal) ? ReadPrivate(path)[^1] : Parse(path, text, PublicLabel)[^1];
    }

    /// <summary>Makes a key and puts it at the end of a file that only its owner can read.</summary>
    /// <exception cref="IOException">The file is there and <paramref name="add"/> is false, or it cannot be written.</exception>
    /// <exception cref="SigningKeyException">It is no file, or no file of keys.</exception>
    public static SigningKey Create(string path, bool add)
    {
        if (Pkcs11Uri.Is(path))
            throw new SigningKeyException("a key in a device is made by the device's own tools, such as pkcs11-tool --keypairgen --key-type EC:prime256v1");
        if (add)
            ReadPrivate(path);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        FileStreamOptions how = new() { Mode = add ? FileMode.Append : FileMode.CreateNew, Access = FileAccess.Write };
        if (!add)
        {
            if (OperatingSystem.IsWindows())
                throw new SigningKeyException(Unix);
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, how);
        file.Write(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        file.Flush(flushToDisk: true);
        return SigningKey.Of(key);
    }

    /// <summary>Null: the bytes are no such public key.</summary>
    public static SigningKey? FromPublic(ReadOnlySpan<byte> publicKey)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out int read);
            if (read == publicKey.Length && IsCurve(key))
                return SigningKey.Of(key);
        }
        catch (CryptographicException)
        {
        }

        key.Dispose();
        return null;
    }

    /// <summary>A short name of a public key: the first 8 bytes of the SHA-256 of its DER form, hexadecimal.</summary>
    public static string NameOf(ReadOnlySpan<byte> publicKey) => Convert.ToHexStringLower(SHA256.HashData(publicKey).AsSpan(0, 8));

    /// <summary>By the key in force, that another takes its place.</summary>
    public static byte[] SignChange(ECDsa inForce, ReadOnlySpan<byte> newPublicKey) =>
        inForce.SignData(ChangeWords(newPublicKey), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    public static bool IsChange(ECDsa inForce, ReadOnlySpan<byte> newPublicKey, ReadOnlySpan<byte> signature) =>
        inForce.VerifyData(ChangeWords(newPublicKey), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private static byte[] ChangeWords(ReadOnlySpan<byte> newPublicKey) => Encoding.ASCII.GetBytes("margin signing key " + Convert.ToHexStringLower(newPublicKey));

    /// <exception cref="SigningKeyException">Others can use the file, or that cannot be told.</exception>
    internal static void CheckOwnerOnly(string path)
    {
        if (OperatingSystem.IsWindows())
            throw new SigningKeyException(Unix);
        UnixFileMode mode;
        try
        {
            mode = File.GetUnixFileMode(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SigningKeyException($"cannot read {path}: {failure.Message}");
        }

        if ((mode & Others) != 0)
            throw new SigningKeyException($"{path} can be used by others than its owner (mode {Convert.ToString((int)mode, 8)}): chmod 600 it, and take what it holds for known to them");
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SigningKeyException($"cannot read the key file {path}: {failure.Message}");
        }
    }

    private static List<SigningKey> Parse(string path, string text, string label)
    {
        List<SigningKey> keys = [];
        ReadOnlySpan<char> rest = text;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            string found = rest[fields.Label].ToString();
            if (found == label || found == "EC " + label)
                keys.Add(Import(path, rest[fields.Location]));
            rest = rest[fields.Location.End..];
        }

        return keys.Count > 0 ? keys : throw new SigningKeyException($"{path} holds no {label.ToLowerInvariant()} in PEM form");
    }

    private static SigningKey Import(string path, ReadOnlySpan<char> pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return IsCurve(key) ? SigningKey.Of(key) : throw new SigningKeyException($"{path} holds a key of another curve than P-256");
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new SigningKeyException($"{path} holds a key that cannot be read: {failure.Message}");
        }
    }

    private static bool IsCurve(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == CurveOid;
}
