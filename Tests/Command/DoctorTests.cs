using MarginEngine.Logic;
using MarginEngine.Tool.Doctor;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>What `margin doctor` makes of the settings of a kernel, over trees like /proc and /sys.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DoctorTests
{
    private const string
        Huge = "sys/kernel/mm/transparent_hugepage/enabled",
        Reserved = "sys/kernel/mm/hugepages/hugepages-2048kB",
        Isolated = "sys/devices/system/cpu/isolated",
        Tickless = "sys/devices/system/cpu/nohz_full",
        Clock = "sys/devices/system/clocksource/clocksource0/current_clocksource",
        Locked = "proc/self/limits";

    private static readonly (string File, string Text)[] Suited =
    [
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"), ("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n"),
        (Huge, "always [madvise] never\n"), ($"{Reserved}/free_hugepages", "0\n"), ($"{Reserved}/nr_hugepages", "0\n"), (Isolated, "1-5\n"), (Tickless, "1-5\n"),
        (Clock, "tsc\n"), (Locked, "Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         unlimited            unlimited            bytes\n"),
    ];

    private static IEnumerable<TestCaseData> Settings()
    {
        yield return Case("frequency governor", "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n", "performance on cpu0, powersave on cpu1", "performance");
        yield return Case("transparent huge pages", Huge, "[always] madvise never\n", "always", "madvise");
        yield return Case("reserved huge pages", $"{Reserved}/free_hugepages", "12\n", "12 free of 0, 2 MiB each", "0 free");
        yield return Case("isolated cores", Isolated, "\n", "none", "1-5");
        yield return Case("tickless cores", Tickless, "(null)\n", "none", "1-5");
        yield return Case("clock source", Clock, "hpet\n", "hpet", "tsc");
        yield return Case("locked memory limit", Locked, "Max locked memory         65536                65536                bytes\n", "65536 bytes", "unlimited");

        static TestCaseData Case(string subject, string file, string text, string value, string recommended) => new TestCaseData(subject, file, text, value, recommended)
            .SetArgDisplayNames(subject, value);
    }

    [Test]
    public void A_machine_that_is_set_up_for_it_needs_nothing()
    {
        using ScratchFolder scratch = Tree(Suited);
        Finding[] findings = Of(scratch, cores: 8);
        Assert.That(findings, Has.Length.EqualTo(6));
        Assert.That(findings.Where(finding => finding.Severity != Severity.Good || finding.Fix is not null), Is.Empty);
        Assert.That(findings.Where(finding => finding.Recommended is null), Is.Empty);
    }

    [TestCaseSource(nameof(Settings))]
    public void Another_setting_is_told_with_what_it_should_be_and_why(string subject, string file, string text, string value, string recommended)
    {
        using ScratchFolder scratch = Tree([.. Suited.Where(each => each.File != file), (file, text)]);
        Finding[] findings = [.. Of(scratch, cores: 8), .. MachineChecks.All(new SystemFiles(scratch.Path)).Where(each => each.Subject == "locked memory limit")];
        Finding other = findings.Single(finding => finding.Severity != Severity.Good);
        Assert.That((other.Subject, other.Value, other.Severity, other.Recommended!.Setting), Is.EqualTo((subject, value, Severity.Advice, recommended)));
        Assert.That(other.Fix, Does.StartWith(other.Recommended.How).And.EndsWith(other.Recommended.Why));
    }

    [Test]
    public void What_a_container_does_not_show_is_never_good()
    {
        using ScratchFolder scratch = Tree([]);
        Finding[] findings = [.. MachineChecks.All(new SystemFiles(scratch.Path)).Where(finding => finding.Recommended is not null)];
        Assert.That(findings, Has.Length.EqualTo(9));
        Assert.That(findings.Select(finding => (finding.Severity, finding.Value)), Is.All.EqualTo((Severity.Unseen, Finding.NotVisible)));
        Assert.That(findings.Select(finding => finding.Fix), Is.All.Contains("on the host"));
    }

    [Test]
    public void With_too_few_cores_to_pin_stages_isolated_ones_would_never_be_used()
    {
        using ScratchFolder isolated = Tree(Suited), none = Tree([.. Suited.Where(each => each.File is not Isolated and not Tickless), (Isolated, "\n"), (Tickless, "\n")]);
        Assert.That(SeveritiesOfCores(isolated), Is.All.EqualTo(Severity.Advice));
        Assert.That(SeveritiesOfCores(none), Is.All.EqualTo(Severity.Good));

        static Severity[] SeveritiesOfCores(ScratchFolder scratch) =>
            [.. Of(scratch, cores: 2).Where(finding => finding.Subject.EndsWith(" cores", StringComparison.Ordinal)).Select(finding => finding.Severity)];
    }

    [Test]
    public void The_memory_of_the_book_is_told_by_record_and_held_against_what_is_free()
    {
        const string enough = "MemAvailable:    8000000 kB\n", little = "MemAvailable:    1000000 kB\n";
        Limits limits = BookMemory.Read("accounts=1000001,units=2000000,positions=10000000,instruments=5000");
        Assert.That((limits.Accounts, limits.Units, limits.Positions, limits.Orders), Is.EqualTo((1_000_001, 2_000_000, 10_000_000, new Limits().Orders)));
        foreach ((string text, Severity severity) in new[] { (enough, Severity.Good), (little, Severity.Advice) })
        {
            using ScratchFolder scratch = Tree([("proc/meminfo", text)]);
            Finding[] findings = [.. BookMemory.Of(limits, new SystemFiles(scratch.Path))];
            Assert.That(findings[^1].Severity, Is.EqualTo(severity), findings[^1].Value);
            Assert.That(findings[2].Value, Is.EqualTo("76 bytes; 724 MiB for 10000000"));
        }
    }

    [TestCase("accounts")]
    [TestCase("traders=5")]
    [TestCase("5=5")]
    [TestCase("accounts=-1")]
    [TestCase("accounts=17000000")]
    [TestCase("16384=5")]
    public void Limits_that_cannot_be_are_refused(string text) => Assert.That(() => BookMemory.Read(text), Throws.InstanceOf<CommandFailure>());

    private static Finding[] Of(ScratchFolder scratch, int cores) => [.. KernelChecks.All(new SystemFiles(scratch.Path), cores)];

    private static ScratchFolder Tree((string File, string Text)[] files)
    {
        ScratchFolder scratch = new();
        foreach ((string file, string text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(scratch.File(file))!);
            File.WriteAllText(scratch.File(file), text);
        }

        return scratch;
    }
}
