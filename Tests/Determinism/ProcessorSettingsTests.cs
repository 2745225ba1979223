using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.DeterminismTests;

/// <summary>
/// One journal, replayed by child processes under every setting that is known to change floating-point results or text: vector widths, no
/// vectors at all, the C library's other code paths, compilers, culture, time zone. State and decisions must agree to the bit.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ProcessorSettingsTests
{
    private static readonly Dictionary<string, Dictionary<string, string>> Settings = new()
    {
        // The run of these tests leaves profiles out, see tests.runsettings.
        ["as the machine is"] = new() { ["DOTNET_TieredPGO"] = "1" },
        ["without AVX-512"] = new() { ["DOTNET_EnableAVX512F"] = "0", ["DOTNET_EnableAVX512"] = "0" },
        ["without AVX2"] = new() { ["DOTNET_EnableAVX2"] = "0", [MarginMachine.SoftwareSwitch] = "1" },
        ["without any vectors"] = new() { ["DOTNET_EnableHWIntrinsic"] = "0", [MarginMachine.SoftwareSwitch] = "1" },
        ["with 128-bit vectors preferred"] = new() { ["DOTNET_PreferredVectorBitWidth"] = "128" },
        ["with a C library without FMA and AVX2"] = new() { ["GLIBC_TUNABLES"] = "glibc.cpu.hwcaps=-FMA,-AVX2" },
        ["compiled once, fully"] = new() { ["DOTNET_TieredCompilation"] = "0" },
        ["without precompiled code"] = new() { ["DOTNET_ReadyToRun"] = "0" },
        ["in Turkey, at an odd time"] = new() { ["LC_ALL"] = "tr_TR.UTF-8", ["LANG"] = "tr_TR.UTF-8", ["TZ"] = "Asia/Kathmandu" },
    };

    [Test]
    [CancelAfter(300_000)]
    public void One_journal_has_one_digest_under_every_processor_setting()
    {
        using ScratchFolder folder = new();
        string journal = folder.File("journal");
        (ulong state, ulong decisions) = WriteJournal(journal);
        string expected = $"0x{state:x16} 0x{decisions:x16}";
        Assert.Multiple(() =>
        {
            foreach ((string name, Dictionary<string, string> environment) in Settings)
            {
                CommandResult result = MarginCommand.RunIn(folder.Path, environment, "replay", journal, "--json");
                Assert.That(result.Code, Is.Zero, $"{name}: {result}");
                Assert.That(DigestsOf(result), Is.EqualTo(expected), name);
            }
        });
    }

    [Test]
    public void A_processor_without_fused_multiply_add_is_refused()
    {
        using ScratchFolder folder = new();
        string journal = folder.File("journal");
        WriteJournal(journal);
        CommandResult result = MarginCommand.RunIn(folder.Path, new() { ["DOTNET_EnableHWIntrinsic"] = "0" }, "replay", journal);
        Assert.That(result.Code, Is.EqualTo(4), result.ToString());
    }

    private static string DigestsOf(CommandResult result)
    {
        using JsonDocument summary = JsonDocument.Parse(result.Out.Trim().Split('\n')[^1]);
        return $"{summary.RootElement.GetProperty("stateDigest").GetString()} {summary.RootElement.GetProperty("decisionDigest").GetString()}";
    }

    private static (ulong State, ulong Decisions) WriteJournal(string directory)
    {
        using Desk desk = Desk.Lively(seed: 29, ticks: 400, limits: new Limits());
        JournalOptions options = new() { Directory = directory, SegmentBytes = 4 << 20, ReserveBytes = 0, SyncMode = SyncMode.FileSync };
        using JournalWriter writer = JournalWriter.Open(options, EngineIdentity.Of(new Limits()), new Storage());
        long sequence = 0;
        foreach ((long time, byte[] message) in desk.Applied)
        {
            if (!writer.TryAppend(1, 1, ++sequence, time, message))
            {
                writer.Commit();
                Assert.That(writer.TryAppend(1, 1, sequence, time, message));
            }
        }

        writer.Commit();
        return (desk.Machine.StateDigest(), desk.Machine.DecisionDigest);
    }
}
