// SoftHSM: a PKCS#11 device in software, with tokens of its own for this run.
using System.Diagnostics;
using System.Runtime.InteropServices;
using MarginEngine.Tests.CommandTests;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

internal sealed partial class SoftHsm : IDisposable
{
    public const string Pin = "271828";
    private static readonly string[] Libraries = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"];
    private static readonly Pkcs11InteropFactories Factories = new();
    private static IPkcs11Library? _library; // for ever: to end it would end it for the whole process
    private readonly ScratchFolder _scratch = new();

    private SoftHsm(string module)
    {
        Module = module;
        Directory.CreateDirectory(TokenFolder);
        File.WriteAllText(Configuration, $"directories.tokendir = {TokenFolder}\nobjectstore.backend = file\nlog.level = ERROR\n");
        WritePin("pin", Pin);
        // The library asks the C environment, which that of the runtime is only a copy of.
        if (SetEnvironment("SOFTHSM2_CONF", Configuration, 1) != 0)
            throw new InvalidOperationException("setenv");
    }

    public string Module { get; }

    public string Configuration => _scratch.File("softhsm2.conf");

    public string TokenFolder => _scratch.File("tokens");

    public string Path(string name) => _scratch.File(name);

    /// <summary>Ignores the test where there is no SoftHSM. Once in a process: the library reads once which tokens there are.</summary>
    public static SoftHsm Start(params string[] tokens)
    {
        string? module = Array.Find(Libraries, File.Exists);
        if (module is null)
            Assert.Ignore("SoftHSM is not installed: apt-get install softhsm2");
        SoftHsm device = new(module!);
        foreach (string token in tokens)
            device.Run("--init-token", "--free", "--label", token, "--pin", Pin, "--so-pin", "314159");
        return device;
    }

    /// <summary>The address of keys of a token.</summary>
    public string Address(string token, string key = "", string pin = "pin") => $"pkcs11:token={token}{key}?module-path={Module}&pin-source=file:{_scratch.File(pin)}";

    /// <param name="token">Its label.</param>
    /// <param name="label">Of the key.</param>
    /// <param name="id">Of the key, hexadecimal.</param>
    /// <param name="file">PEM, PKCS #8.</param>
    public void Import(string token, string label, string id, string file) =>
        Run("--import", file, "--token", token, "--label", label, "--id", id, "--pin", Pin);

    public void WritePin(string name, string pin)
    {
        File.WriteAllText(_scratch.File(name), pin + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_scratch.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>As if the token had been pulled and put back: every session of this process is gone, and so is its login.</summary>
    public void CutSessions(string token)
    {
        _library ??= Factories.Pkcs11LibraryFactory.LoadPkcs11Library(Factories, Module, AppType.MultiThreaded);
        _library.GetSlotList(SlotsType.WithTokenPresent).Single(slot => slot.GetTokenInfo().Label.TrimEnd() == token).CloseAllSessions();
    }

    public void Dispose() => _scratch.Dispose();

    private void Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("softhsm2-util", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SOFTHSM2_CONF"] = Configuration;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, output.Result + error.Result);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
