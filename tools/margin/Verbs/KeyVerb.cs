// `margin key`: makes the keys that journals are signed with, and shows their public halves.
using System.CommandLine;
using MarginEngine.Signing;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class KeyVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> what = new("WHAT") { Description = "create: a new key; public: the public halves of the keys of a file or a device." };
        what.AcceptOnlyFromAmong("create", "public");
        Argument<string> file = new("FILE") { Description = "PEM file of private keys, which only its owner may read; public: or pkcs11:token=T?module-path=FILE&pin-source=FILE." };
        Option<bool> add = new("--add") { Description = "create: append to the file, for a change of key (margin operate --signing-key)." };
        Verb verb = new("key", "Makes a key to sign journals with (ECDSA P-256), or shows its public half: what auditors get.",
            "margin key create signing.pem > public.pem", "margin key create signing.pem --add", "margin key public signing.pem")
        {
            what, file, add,
        };
        return verb.Does(line => Run(terminal, line.GetValue(what) == "create", line.GetValue(file)!, line.GetValue(add)));
    }

    private static int Run(Terminal terminal, bool create, string file, bool add)
    {
        try
        {
            IReadOnlyList<SigningKey> keys = create ? [SigningKeys.Create(file, add)] : SigningKeys.ReadPrivate(file);
            foreach (SigningKey key in keys)
            {
                terminal.Say($"key {key.Name}");
                terminal.Out.WriteLine(key.PublicPem);
                key.Dispose();
            }

            return ExitCode.Done;
        }
        catch (SigningKeyException failure)
        {
            throw CommandFailure.Refused(failure.Message);
        }
    }
}
