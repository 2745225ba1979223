using System.Security.Cryptography;
using MarginEngine.Signing;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>A journal signed by a key in a PKCS#11 device is the same as one signed by the same key in a file.</summary>
[TestFixture]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
internal sealed class DeviceKeyTests
{
    private SoftHsm _device = null!;

    [OneTimeSetUp]
    public void Start() => _device = SoftHsm.Start("whole", "change", "blind", "command", "locks", "empty", "away");

    [OneTimeTearDown]
    public void Stop() => _device?.Dispose();

    [Test]
    public void A_history_signed_in_a_device_is_checked_with_the_public_half_alone_and_goes_on_over_restarts()
    {
        using SignedJournal journal = Signed("whole", out SigningKey inFile);
        using (inFile)
        {
            using SigningKey inDevice = SigningKeys.ReadPrivate(journal.Device!).Single();
            Assert.That((inDevice.Name, inDevice.PublicPem), Is.EqualTo((inFile.Name, inFile.PublicPem)));
            Assert.That(() => inDevice.Key.ExportPkcs8PrivateKey(), Throws.InstanceOf<CryptographicException>());
        }

        journal.Append(222, close: false);
        journal.Append(100, epoch: 2);
        SignedHistory found = journal.Check();
        Assert.That((journal.Problem, found.Problem, found.SignedUpTo, found.IsClosed), Is.EqualTo(((string?)null, (string?)null, 655L, true)));
        journal.Forge(records => records.Where((_, index) => index != 77));
        Assert.That(journal.Check().Problem, Is.Not.Null, "a record is missing");
    }

    [Test]
    public void A_change_of_key_is_followed_from_one_key_of_the_token_to_the_next()
    {
        using SignedJournal journal = Signed("change", out SigningKey old);
        using SigningKey next = SigningKeys.Create(journal.File("next.pem"), add: false);
        _device.Import("change", "second", "02", journal.File("next.pem"));
        IReadOnlyList<SigningKey> keys = SigningKeys.ReadPrivate(journal.Device!);
        Assert.That(keys.Select(key => key.Name), Is.EqualTo(new[] { old.Name, next.Name }), "in the order of their ids");
        using (SigningKey byLabel = SigningKeys.ReadPrivate(_device.Address("change", ";object=second")).Single(), byId = SigningKeys.ReadPrivate(_device.Address("change", ";id=%02")).Single())
            Assert.That((byLabel.Name, byId.Name), Is.EqualTo((next.Name, next.Name)));
        byte[] change = SignedJournal.ChangeOfKey(next, keys[0]);
        journal.Append(300, message: sequence => sequence == 400 ? change : [.. BitConverter.GetBytes(sequence)]);
        SignedHistory found = journal.Check();
        Assert.That((journal.Problem, found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, (string?)null, 633L)));
        Assert.That(found.Keys, Is.EqualTo(new[] { old.Name, next.Name }));
        foreach (SigningKey key in keys.Append(old))
            key.Dispose();
    }

    [Test]
    public void The_command_shows_the_public_half_and_makes_no_key_in_a_device()
    {
        using SignedJournal journal = Signed("command", out SigningKey key);
        using (key)
        {
            CommandResult shown = Command("public", journal.Device!);
            Assert.That((shown.Code, shown.Out.Trim()), Is.EqualTo((ExitCode.Done, key.PublicPem.Trim())), shown.ToString());
        }

        CommandResult made = Command("create", journal.Device!);
        Assert.That((made.Code, made.Error), Is.EqualTo((ExitCode.Refused, made.Error)));
        Assert.That(made.Error, Does.Contain("the device's own tools"));
    }

    [Test]
    public void A_wrong_PIN_is_tried_once_and_not_again()
    {
        _device.WritePin("wrong", "000000");
        string address = _device.Address("locks", pin: "wrong");
        Assert.That(() => SigningKeys.ReadPrivate(address), Throws.TypeOf<SigningKeyException>().With.Message.Contains("CKR_PIN_INCORRECT"));
        for (int again = 0; again < 5; again++)
            Assert.That(() => SigningKeys.ReadPrivate(address), Throws.TypeOf<SigningKeyException>().With.Message.Contains("not tried again"));
    }

    [Test]
    public void What_cannot_sign_is_refused_with_its_reason()
    {
        using ECDsa large = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        File.WriteAllText(_device.Path("p384.pem"), large.ExportPkcs8PrivateKeyPem());
        _device.Import("empty", "large", "01", _device.Path("p384.pem"));
        _device.WritePin("open", SoftHsm.Pin);
        File.SetUnixFileMode(_device.Path("open"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        (string Address, string Reason)[] cases =
        [
            (_device.Address("empty"), "no key of P-256"),
            (_device.Address("nowhere"), "0 tokens"),
            (_device.Address("empty", pin: "open"), "mode 404"),
            (_device.Address("empty", pin: "none"), "cannot read"),
            (_device.Address("empty", ";colour=red"), "'colour'"),
            (_device.Address("empty", ";token=empty"), "twice"),
            (_device.Address("empty", ";id=%0"), "bytes"),
            (_device.Address("empty", ";object="), "without a value"),
            (_device.Address("empty", ";type=public"), "only a private key"),
            (_device.Address("empty") + "&pin-value=1", "pin-source=FILE"),
            ("pkcs11:token=empty?pin-source=/pin", "lacks module-path"),
            ($"pkcs11:token=empty?module-path={_device.Module}", "lacks pin-source"),
            ($"pkcs11:?module-path={_device.Path("gone.so")}&pin-source=/pin", "no library"),
            ($"pkcs11:?module-path={_device.Configuration}&pin-source=/pin", "the device behind"),
        ];
        Assert.Multiple(() =>
        {
            foreach ((string address, string reason) in cases)
                Assert.That(() => SigningKeys.ReadPrivate(address), Throws.TypeOf<SigningKeyException>().With.Message.Contains(reason), address);
        });
    }

    [Test]
    public void A_token_that_is_taken_away_stops_the_signatures_and_they_catch_up_when_it_is_back()
    {
        using SignedJournal journal = Signed("away", out SigningKey key);
        key.Dispose();
        byte[] CutAt(long when, long sequence)
        {
            if (sequence == when)
                _device.CutSessions("away");
            return BitConverter.GetBytes(sequence);
        }

        journal.Append(250, close: false, message: sequence => CutAt(450, sequence));
        Assert.That(journal.Problem, Does.Contain("the device does not sign"));
        Assert.That(journal.SignedUpTo, Is.EqualTo(433), "up to where it had a device");

        // The next signer takes it up, and so does the same one, with a session of its own.
        journal.Append(250, message: sequence => CutAt(700, sequence));
        SignedHistory found = journal.Check();
        Assert.That((journal.Problem, found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, (string?)null, 833L)));
    }

    [Test]
    public void A_change_of_key_while_the_token_is_away_is_not_missed()
    {
        using SignedJournal journal = Signed("blind", out SigningKey old);
        using SigningKey next = SigningKeys.Create(journal.File("next.pem"), add: false);
        _device.Import("blind", "second", "02", journal.File("next.pem"));
        byte[] change = SignedJournal.ChangeOfKey(next, old);
        _device.WritePin("lost", SoftHsm.Pin);
        journal.Device = _device.Address("blind", pin: "lost");
        journal.Append(300, message: sequence =>
        {
            if (sequence == 350)
            {
                _device.CutSessions("blind");
                File.Delete(_device.Path("lost"));
            }
            else if (sequence == 520)
            {
                _device.WritePin("lost", SoftHsm.Pin);
            }

            return sequence == 470 ? change : BitConverter.GetBytes(sequence);
        });
        SignedHistory found = journal.Check();
        Assert.That((journal.Problem, found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, (string?)null, 633L)));
        Assert.That(found.Keys[^1], Is.EqualTo(next.Name));
        old.Dispose();
    }

    // A token with the key that is also in the journal's file, and a journal of 333 records that it has signed.
    private SignedJournal Signed(string token, out SigningKey key)
    {
        SignedJournal journal = new() { Device = _device.Address(token) };
        _device.Import(token, "first", "01", journal.KeyFile);
        key = SigningKeys.ReadPrivate(journal.KeyFile).Single();
        journal.Append(333);
        Assert.That(journal.Problem, Is.Null);
        return journal;
    }

    private CommandResult Command(params string[] arguments) =>
        MarginCommand.RunIn(Environment.CurrentDirectory, new Dictionary<string, string> { ["SOFTHSM2_CONF"] = _device.Configuration }, ["key", .. arguments]);
}
