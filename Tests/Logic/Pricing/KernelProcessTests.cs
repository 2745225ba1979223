using System.Diagnostics;
using System.Globalization;
using MarginEngine.Bench;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>One digest under every processor setting, in processes of their own; and the refusal of a processor without fused multiply-add.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class KernelProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // No setting is the reference; on .NET 10 the AVX2 switch takes the fused multiply-add with it.
    private static readonly string[] Settings =
    [
        "",
        "DOTNET_EnableAVX512=0",
        "DOTNET_EnableAVX2=0",
        "DOTNET_EnableHWIntrinsic=0",
        "DOTNET_PreferredVectorBitWidth=128",
        "DOTNET_PreferredVectorBitWidth=256",
        "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2",
        "DOTNET_EnableHWIntrinsic=0;GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4",
        "DOTNET_TieredCompilation=0",
        "DOTNET_ReadyToRun=0",
        "DOTNET_TieredPGO=0;DOTNET_TC_QuickJitForLoops=0",
        "LANG=de_DE.UTF-8;LC_ALL=de_DE.UTF-8;TZ=Asia/Kathmandu",
    ];

    [TestCaseSource(nameof(Settings))]
    public void The_digests_do_not_depend_on(string settings)
    {
        (int code, string output, string messages) = Run(settings, KernelDigestCommand.AcceptSoftware);
        TestContext.Out.WriteLine(messages.Trim());
        Assert.That(code, Is.Zero, messages);
        Assert.That(output, Does.Contain(string.Create(CultureInfo.InvariantCulture, $"known answers {Kernel.ExpectedDigest:x16}")), messages);
        Assert.That(output, Does.Contain(string.Create(CultureInfo.InvariantCulture, $"random 100000 {Kernel.RandomDigest():x16}")), messages);
        Assert.That(output, Does.Contain(string.Create(CultureInfo.InvariantCulture, $"columns 20000 {Kernel.ColumnDigest():x16}")), messages);
    }

    [Test]
    public void Without_fused_multiply_add_the_kernel_refuses_to_start()
    {
        (int code, string output, string messages) = Run("DOTNET_EnableHWIntrinsic=0");
        Assert.That(code, Is.EqualTo(4), messages);
        Assert.That(messages, Does.Contain("fused multiply-add"));
        Assert.That(output, Is.Empty);
    }

    [Test]
    public void The_check_agrees_with_the_processor()
    {
        Assert.That(() => Kernel.CheckProcessor(acceptSoftware: true), Throws.Nothing);
        if (Kernel.HasFusedMultiplyAdd)
            Assert.That(() => Kernel.CheckProcessor(), Throws.Nothing);
        else
            Assert.That(() => Kernel.CheckProcessor(), Throws.InstanceOf<PlatformNotSupportedException>());
    }

    [Test]
    public void The_digest_command_refuses_an_unknown_option() =>
        Assert.That(KernelDigestCommand.Run(["--accept"], TextWriter.Null, TextWriter.Null), Is.EqualTo(1));

    private static (int Code, string Output, string Messages) Run(string settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "MarginEngine.Bench.dll"));
        start.ArgumentList.Add("kernel-digest");
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (string setting in settings.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            int sign = setting.IndexOf('=', StringComparison.Ordinal);
            start.Environment[setting[..sign]] = setting[(sign + 1)..];
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> messages = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            Assert.Fail($"the digest under '{settings}' took more than {Patience}");
        }

        return (process.ExitCode, output.Result, messages.Result);
    }
}
