// Where a key in a device is: RFC 7512, the part of it that names a private key on one token.
using System.Text;

namespace MarginEngine.Signing;

/// <summary><c>pkcs11:token=T;object=O;id=%01?module-path=FILE&amp;pin-source=FILE</c>.</summary>
/// <param name="Module">The device's library.</param>
/// <param name="PinFile">Holds the user's PIN, for its owner alone.</param>
/// <param name="Token">Label of the token; null: any.</param>
/// <param name="Serial">Its serial number; null: any.</param>
/// <param name="Label">Label of the key; null: any.</param>
/// <param name="Id">Id of the key; null: any.</param>
internal sealed record Pkcs11Uri(string Module, string PinFile, string? Token, string? Serial, string? Label, byte[]? Id)
{
    private const string Scheme = "pkcs11:";
    private const string FileScheme = "file:";

    public static bool Is(string path) => path.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="SigningKeyException">It is no such address; the message says why.</exception>
    public static Pkcs11Uri Parse(string text)
    {
        string[] halves = text[Scheme.Length..].Split('?', 2);
        Dictionary<string, string> given = [];
        foreach (string attribute in halves[0].Split(';').Concat(halves.Length == 2 ? halves[1].Split('&') : []).Where(attribute => attribute.Length > 0))
        {
            string[] parts = attribute.Split('=', 2);
            if (parts.Length != 2 || parts[1].Length == 0)
                throw new SigningKeyException($"the key's address has '{parts[0]}' without a value");
            if (!given.TryAdd(parts[0], parts[1]))
                throw new SigningKeyException($"the key's address has '{parts[0]}' twice");
        }

        string? Take(string name) => given.Remove(name, out string? value) ? Uri.UnescapeDataString(value) : null;
        if (given.ContainsKey("pin-value"))
            throw new SigningKeyException("the key's address holds its PIN, where logs and process lists show it: put it into a file of mode 600 and say pin-source=FILE");
        byte[]? id = given.Remove("id", out string? raw) ? Bytes(raw) : null;
        string? type = Take("type");
        if (type is not (null or "private"))
            throw new SigningKeyException($"the key's address asks for a {type}: only a private key signs");
        string? module = Take("module-path"), pin = Take("pin-source"), token = Take("token"), serial = Take("serial"), label = Take("object");
        if (given.Count > 0)
            throw new SigningKeyException($"the key's address has '{given.Keys.First()}', which is not known here: token, serial, object, id, module-path, pin-source are");
        if (module is null || pin is null)
            throw new SigningKeyException($"the key's address lacks {(module is null ? "module-path=FILE, the device's library" : "pin-source=FILE, the file with its PIN")}");
        if (pin.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase))
            pin = pin[FileScheme.Length..].Replace("//", "", StringComparison.Ordinal);
        return new Pkcs11Uri(module, pin, token, serial, label, id);
    }

    // Percent signs give bytes here, of which any may occur; the rest stands for itself.
    private static byte[] Bytes(string text)
    {
        List<byte> bytes = [];
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] != '%')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, at, 1));
                continue;
            }

            if (at + 3 > text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                throw new SigningKeyException("the key's address has an id that is not written in bytes of the form %1f");
            bytes.Add(Convert.FromHexString(text.AsSpan(at + 1, 2))[0]);
            at += 2;
        }

        return [.. bytes];
    }
}
