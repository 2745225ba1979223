using System.Diagnostics;
using MarginEngine.Journal;
using MarginEngine.Signing;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>A forger who can write every checksum anew is found; an honest history is not doubted.</summary>
[TestFixture]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
[Parallelizable(ParallelScope.Self)]
internal sealed class SignedHistoryTests
{
    private const int Records = 2_345;

    private static SignedJournal Signed(int records = Records)
    {
        SignedJournal journal = new();
        journal.Append(records);
        Assert.That(journal.Problem, Is.Null);
        return journal;
    }

    [Test]
    public void A_whole_history_is_complete_and_unaltered_to_its_last_record()
    {
        using SignedJournal journal = Signed();
        SignedHistory found = journal.Check();
        Assert.Multiple(() =>
        {
            Assert.That(found.Problem, Is.Null);
            Assert.That((found.SignedUpTo, found.LastSequence, found.IsClosed), Is.EqualTo((Records, Records, true)));
            Assert.That(found.SignedTimeNanos, Is.EqualTo(1_000L * Records));
            Assert.That(found.Signatures, Is.GreaterThanOrEqualTo(Records / SignedJournal.EveryRecords));
            Assert.That(found.Keys, Has.Count.EqualTo(1));
        });
        CommandResult verify = MarginCommand.Run("verify", journal.Directory, "--public-key", journal.PublicFile);
        Assert.That(verify.Code, Is.Zero, verify.ToString());
        Assert.That(verify.Out, Does.Contain($"up to sequence {Records}").And.Contain($"complete and unaltered as signed up to {Records}").And.Contain("stopped in order"));
    }

    [Test]
    public void The_signer_goes_on_over_restarts_and_after_a_crash_without_its_last_word()
    {
        using SignedJournal journal = Signed(333);
        journal.Append(444, close: false);
        Assert.That(journal.SignedUpTo, Is.LessThan(777).And.GreaterThan(333));
        SignedHistory between = journal.Check();
        Assert.That((between.Problem, between.SignedUpTo, between.LastSequence, between.IsClosed), Is.EqualTo(((string?)null, journal.SignedUpTo, 777L, false)));
        journal.Append(100, epoch: 2);
        SignedHistory found = journal.Check();
        Assert.That((found.Problem, found.SignedUpTo, found.IsClosed), Is.EqualTo(((string?)null, 877L, true)));
    }

    [Test]
    public void A_torn_last_line_of_the_signatures_is_cut_and_written_again()
    {
        using SignedJournal journal = Signed(555);
        string path = SignatureLog.PathIn(journal.Directory);
        File.AppendAllText(path, journal.Lines[^1][..50]);
        Assert.That(journal.Check().Problem, Is.Null);
        journal.Append(50);
        SignedHistory found = journal.Check();
        Assert.That((found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, 605L)));
        Assert.That(journal.Lines, Has.All.StartsWith("margin-signature 1 "));
    }

    private static IEnumerable<TestCaseData> Forgeries()
    {
        static TestCaseData Case(string name, Func<List<Forged>, IEnumerable<Forged>> change, string complaint) => new TestCaseData(change, complaint).SetArgDisplayNames(name);
        static Forged Flip(Forged record)
        {
            byte[] message = [.. record.Message];
            message[30] ^= 1;
            return record with { Message = message };
        }

        yield return Case("nothing", all => all, "");
        yield return Case("one bit of one message", all => all.Select((record, index) => index == 1_234 ? Flip(record) : record), "between sequences 1201 and");
        yield return Case("the time of one record", all => all.Select((record, index) => index == 1_234 ? record with { Time = record.Time + 1 } : record), "between sequences 1201 and");
        yield return Case("the first record", all => all.Select((record, index) => index == 0 ? Flip(record) : record), "of another journal");
        yield return Case("the last record", all => all.Select((record, index) => index == Records - 1 ? Flip(record) : record), $"and {Records} was altered");
        yield return Case("a record left out", all => all.Where((_, index) => index != 1_234), "was altered, added or taken away");
        yield return Case("a hundred left out in the middle", all => all.Where((_, index) => index is < 1_000 or >= 1_100), "was altered, added or taken away");
        yield return Case("two exchanged", all => all.Select((record, index) => index == 1_233 ? all[1_234] with { Time = record.Time } : index == 1_234 ? all[1_233] with { Time = record.Time } : record),
            "was altered, added or taken away");
        yield return Case("the end cut", all => all.Take(Records - 1), "its end is missing");
        yield return Case("much of the end cut", all => all.Take(1_000), "its end is missing");
    }

    [TestCaseSource(nameof(Forgeries))]
    public void A_forger_who_writes_all_checksums_anew_is_found(Func<List<Forged>, IEnumerable<Forged>> change, string complaint)
    {
        using SignedJournal journal = Signed();
        journal.Forge(change);
        CommandResult plain = MarginCommand.Run("verify", journal.Directory);
        Assert.That(plain.Code, Is.Zero, "checksums alone do not show it\n" + plain);
        CommandResult signed = MarginCommand.Run("verify", journal.Directory, "--public-key", journal.PublicFile);
        Assert.That(signed.Code, Is.EqualTo(complaint.Length == 0 ? ExitCode.Done : ExitCode.Difference), signed.ToString());
        Assert.That(signed.Out, Does.Contain(complaint), signed.ToString());
    }

    [Test]
    public void A_middle_segment_that_is_gone_is_found()
    {
        using SignedJournal journal = Signed();
        string[] segments = [.. Directory.GetFiles(journal.Directory, "*.segment").Order(StringComparer.Ordinal)];
        Assert.That(segments, Has.Length.GreaterThan(3));
        File.Delete(segments[1]);
        CommandResult verify = MarginCommand.Run("verify", journal.Directory, "--public-key", journal.PublicFile);
        Assert.That(verify.Code, Is.EqualTo(ExitCode.Difference), verify.ToString());
    }

    [Test]
    public void Segments_that_retention_deleted_leave_a_provable_rest_and_one_too_few_does_not()
    {
        using SignedJournal journal = Signed();
        string[] segments = [.. Directory.GetFiles(journal.Directory, "*.segment").Order(StringComparer.Ordinal)];
        File.Delete(segments[0]);
        SignedHistory found = journal.Check();
        Assert.That((found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, (long)Records)));
        Assert.That(found.FirstSequence, Is.GreaterThan(1));

        // Without the signature at the edge nobody vouches for what came before.
        journal.Lines = [.. journal.Lines.Where(line => !line.Contains($"sequence={found.FirstSequence - 1} ", StringComparison.Ordinal))];
        Assert.That(journal.Check().Problem, Does.Contain("what was before is missing"));
    }

    [Test]
    public void Signatures_of_another_key_or_another_journal_are_found()
    {
        using SignedJournal journal = Signed(500), other = Signed(500);
        Assert.That(journal.Check(other.PublicFile).Problem, Does.Contain("no signature is by key"));
        journal.Lines = other.Lines;
        Assert.That(journal.Check().Problem, Does.Contain("no signature is by key"));
        Assert.That(journal.Check(other.PublicFile).Problem, Is.Null, "the same records under the same schema, signed by the other key, are as good");

        // The same key for two journals: lines of the one do not stand for the other.
        using SignedJournal third = new();
        File.Copy(journal.KeyFile, third.KeyFile, overwrite: true);
        third.Append(500, message: sequence => [.. BitConverter.GetBytes(sequence), 1, 2, 3]);
        using SignedJournal fourth = Signed(500);
        File.Copy(journal.KeyFile, fourth.KeyFile, overwrite: true);
        fourth.Lines = third.Lines;
        Assert.That(fourth.Check(journal.PublicFile).Problem, Does.Contain("of another journal"));
    }

    [TestCase("sequence=400", "sequence=401", "the signature at sequence 401 is false")]
    [TestCase("kind=signed", "kind=closed", "is false")]
    [TestCase("epoch=1", "epoch=2", "is false")]
    public void A_changed_statement_is_found(string from, string to, string complaint)
    {
        using SignedJournal journal = Signed(500);
        bool isDone = false;
        journal.Lines = [.. journal.Lines.Select(line =>
        {
            if (isDone || !line.Contains("sequence=400 ", StringComparison.Ordinal)) return line;
            isDone = true;
            return line.Replace(from, to, StringComparison.Ordinal);
        })];
        Assert.That(isDone, Is.True);
        Assert.That(journal.Check().Problem, Does.Contain(complaint));
    }

    [Test]
    public void A_forged_withdrawal_does_not_hide_a_cut()
    {
        using SignedJournal journal = Signed(500);
        journal.Forge(all => all.Take(400));
        Statement at = Statement.Parse(journal.Lines.First(line => line.Contains("sequence=400 ", StringComparison.Ordinal)))!;
        journal.Lines = [.. journal.Lines, (at with { Kind = StatementKind.Withdrawn }).Line];
        Assert.That(journal.Check().Problem, Does.Contain("is false"));
    }

    [Test]
    public void A_change_of_key_that_the_old_key_signed_is_followed_from_either_key()
    {
        using SignedJournal journal = Signed(150);
        string oldPublic = journal.File("old.pem"), newPublic = journal.File("new.pem");
        File.Copy(journal.PublicFile, oldPublic);
        using SigningKey next = SigningKeys.Create(journal.KeyFile, add: true);
        File.WriteAllText(newPublic, next.PublicPem);
        using SigningKey old = SigningKeys.ReadPrivate(journal.KeyFile)[0];
        byte[] change = SignedJournal.ChangeOfKey(next, old);
        journal.Append(300, message: sequence => sequence == 222 ? change : [.. BitConverter.GetBytes(sequence)]);
        Assert.That(journal.Problem, Is.Null);
        SignedHistory byOld = journal.Check(oldPublic), byNew = journal.Check(newPublic);
        Assert.Multiple(() =>
        {
            Assert.That((byOld.Problem, byOld.SignedUpTo), Is.EqualTo(((string?)null, 450L)));
            Assert.That(byOld.Keys, Is.EqualTo(new[] { old.Name, next.Name }));
            Assert.That((byNew.Problem, byNew.SignedUpTo), Is.EqualTo(((string?)null, 450L)));
            Assert.That(byNew.Keys, Is.EqualTo(new[] { next.Name }));
            Assert.That(byNew.Notes, Is.Not.Empty, "what was signed by the key before is told");
            Assert.That(journal.Lines.Any(line => line.Contains($"sequence=221 ", StringComparison.Ordinal) && line.Contains(old.Name, StringComparison.Ordinal)), Is.True, "the old key signs up to its end");
        });

        // A restart goes on with the key in force.
        journal.Append(50);
        Assert.That(journal.Check(oldPublic).SignedUpTo, Is.EqualTo(500));

        // The old key, should it be known to others, signs nothing any more.
        Statement last = Statement.Parse(journal.Lines[^1])!;
        journal.Lines = [.. journal.Lines[..^1], (last with { Key = old.Name }).SignedBy(old.Key).Line];
        Assert.That(journal.Check(oldPublic).Problem, Does.Contain($"by key {old.Name}, in force is {next.Name}"));
    }

    [Test]
    public void A_change_of_key_that_somebody_else_signed_changes_nothing()
    {
        using SignedJournal journal = Signed(150), thief = new();
        using SigningKey stolen = SigningKeys.ReadPrivate(thief.KeyFile)[0];
        byte[] change = SignedJournal.ChangeOfKey(stolen, stolen);
        journal.Append(100, message: sequence => sequence == 222 ? change : [.. BitConverter.GetBytes(sequence)]);
        SignedHistory found = journal.Check();
        Assert.That((found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, 250L)));
        Assert.That(found.Notes, Has.One.Contains("changes nothing"));
    }

    [Test]
    public void A_signer_without_the_new_key_says_so_and_catches_up_when_it_has_it()
    {
        using SignedJournal journal = Signed(150);
        using SigningKey old = SigningKeys.ReadPrivate(journal.KeyFile)[0], next = SigningKeys.Create(journal.File("elsewhere.pem"), add: false);
        byte[] change = SignedJournal.ChangeOfKey(next, old);
        journal.Append(100, message: sequence => sequence == 222 ? change : [.. BitConverter.GetBytes(sequence)]);
        Assert.That((journal.SignedUpTo, journal.Problem), Is.EqualTo((221L, $"the journal is signed by key {next.Name} from here on, which {journal.KeyFile} does not hold")));
        File.AppendAllText(journal.KeyFile, File.ReadAllText(journal.File("elsewhere.pem")));
        journal.Append(10);
        SignedHistory found = journal.Check();
        Assert.That((journal.Problem, found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, (string?)null, 260L)));
    }

    [Test]
    public void A_former_primary_withdraws_what_its_successor_never_had_and_a_cut_without_a_newer_epoch_is_refused()
    {
        using SignedJournal journal = Signed(500);
        journal.Forge(all => all.Take(450)); // what the cut of a tail leaves
        journal.Append(50, epoch: 1, message: sequence => [.. BitConverter.GetBytes(sequence)]);
        Assert.That(journal.Problem, Does.Contain("the journal was cut"));
        Assert.That(journal.Check().Problem, Does.Contain("was altered, added or taken away"), "the records differ from those that were signed");
        journal.Forge(all => all.Take(450));
        journal.Append(100, epoch: 2);
        SignedHistory found = journal.Check();
        Assert.That((journal.Problem, found.Problem, found.SignedUpTo), Is.EqualTo(((string?)null, (string?)null, 550L)));
        Assert.That(found.Notes, Has.One.Contains("beyond sequence 450 was withdrawn"));
    }

    [Test]
    public void Keys_that_others_can_read_or_of_another_kind_are_refused()
    {
        using ScratchFolder scratch = new();
        CommandResult created = MarginCommand.Run("key", "create", scratch.File("key.pem"));
        Assert.That(created.Code, Is.Zero, created.ToString());
        Assert.That(created.Out, Does.StartWith("-----BEGIN PUBLIC KEY-----").And.Not.Contain("PRIVATE"));
        Assert.That(File.GetUnixFileMode(scratch.File("key.pem")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(MarginCommand.Run("key", "public", scratch.File("key.pem")).Out, Is.EqualTo(created.Out));
        Assert.That(MarginCommand.Run("key", "create", scratch.File("key.pem")).Code, Is.EqualTo(ExitCode.Unreachable), "a key is not overwritten");
        File.SetUnixFileMode(scratch.File("key.pem"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        CommandResult open = MarginCommand.Run("key", "public", scratch.File("key.pem"));
        Assert.That((open.Code, open.Error), Is.EqualTo((ExitCode.Refused, open.Error)));
        Assert.That(open.Error, Does.Contain("mode 440"));
        using System.Security.Cryptography.ECDsa large = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        File.WriteAllText(scratch.File("p384.pem"), large.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(scratch.File("p384.pem"), UnixFileMode.UserRead);
        Assert.That(() => SigningKeys.ReadPrivate(scratch.File("p384.pem")), Throws.TypeOf<SigningKeyException>().With.Message.Contains("another curve"));
        scratch.Write("text.pem", "no key");
        File.SetUnixFileMode(scratch.File("text.pem"), UnixFileMode.UserRead);
        Assert.That(() => SigningKeys.ReadPrivate(scratch.File("text.pem")), Throws.TypeOf<SigningKeyException>());
    }

    [Test]
    public void Any_tool_can_check_a_line()
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Ignore("openssl is not installed");
        using SignedJournal journal = Signed(300);
        Statement statement = Statement.Parse(journal.Lines[1])!;
        File.WriteAllText(journal.File("statement"), journal.Lines[1].Split(" signature=")[0]);
        File.WriteAllBytes(journal.File("signature"), statement.Signature);
        Assert.That(Openssl(journal), Does.Contain("Verified OK"));
        File.AppendAllText(journal.File("statement"), " ");
        Assert.That(Openssl(journal), Does.Not.Contain("Verified OK"));
    }

    private static string Openssl(SignedJournal journal)
    {
        ProcessStartInfo start = new("/usr/bin/openssl", ["dgst", "-sha256", "-verify", journal.PublicFile, "-signature", journal.File("signature"), journal.File("statement")])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
