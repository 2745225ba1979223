// The bench program: one verb a bench. Without a verb, or with one that it does not know, it lists them.
using MarginEngine.Bench;

return args switch
{
    ["ring", .. var options] => RingBench.Command(options, Console.Out, Console.Error),
    ["wire", .. var options] => WireBench.Run(options),
    ["path", .. var options] => PathBench.Command(options, Console.Out, Console.Error),
    ["path-node", .. var options] => PathNode.Run(options),
    ["journal"] => Journal(".", readsBack: false),
    ["journal", var directory] when IsName(directory) => Journal(directory, readsBack: false),
    ["journal", var directory, "--read-back"] when IsName(directory) => Journal(directory, readsBack: true),
    ["--report", .. var options] => ReportCommand.Run(options, Console.Out, Console.Error),
    ["--check", .. var options] => BaselineBench.Check(options, Console.Out, Console.Error),
    ["baseline", .. var options] => BaselineBench.Command(options, Console.Out, Console.Error),
    ["ticks", .. var options] => TickBench.Command(options, Console.Out, Console.Error),
    ["memory", .. var sizes] => MemoryBench.Command(sizes, Console.Out, Console.Error),
    ["replay"] => ReplayBench.Command(null, Console.Out, Console.Error),
    ["replay", var directory] when IsName(directory) => ReplayBench.Command(directory, Console.Out, Console.Error),
    ["snapshot", var accounts] when int.TryParse(accounts, out int count) && count is > 0 and <= 1_000_000 => ReplayBench.Snapshot(count, Console.Out),
    ["codec", .. var options] => CodecBench.Command(options, Console.Out, Console.Error),
    ["pricing"] => PricingBench.Command(Console.Out),
    ["kernel-digest", .. var options] => KernelDigestCommand.Run(options, Console.Out, Console.Error),
    _ => List(),
};

bool IsName(string directory) => !directory.StartsWith('-');

int Journal(string directory, bool readsBack)
{
    JournalBench.Run(new JournalBench.Settings(directory) { VerifyReadBack = readsBack }, Console.Out);
    return 0;
}

int List()
{
    Console.Error.WriteLine("--report PAGE.html, --check, or a verb: baseline, codec, ring, wire, journal [DIRECTORY [--read-back]], path, path-node, pricing, "
        + "kernel-digest, replay [JOURNAL], snapshot ACCOUNTS, ticks, memory [ACCOUNTS POSITIONS INSTRUMENTS]");
    return args.Length == 0 ? 0 : 1;
}
