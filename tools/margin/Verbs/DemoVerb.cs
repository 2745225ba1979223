// `margin demo`: the whole machine in one command, ending with the proof that it can be recomputed.
using System.CommandLine;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Demo;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class DemoVerb
{
    public static Verb Create(Terminal terminal)
    {
        DemoOptions defaults = new();
        Option<string?> data = Options.Data();
        Option<string?> source = Options.Source();
        Option<int> accounts = Options.Accounts(defaults.Accounts);
        Option<int> seconds = Options.Seconds(defaults.Seconds);
        Option<int> rate = Options.Rate(defaults.Rate);
        Option<ulong> seed = Options.Seed(defaults.Seed);
        Option<string> model = Options.Model();
        Option<string> messages = Options.Messages();
        Option<string?> keep = new("--keep") { Description = "Leave journals and records in this folder instead of removing them.", HelpName = "DIR" };
        Option<bool> failover = new("--failover") { Description = "Kill the primary in the middle: the standby takes over, and the primary comes back as its standby." };
        Option<bool> json = Options.Json();
        Verb verb = new("demo", "Runs a market, a primary, a standby and a market maker on this machine, then recomputes everything and compares.",
            "margin demo", "margin demo --data ../shared/data --seconds 60", "margin demo --data ../shared/data --source btc-2025-10 --json",
            "margin demo --accounts 50 --seconds 5 --keep ./demo", "margin demo --model derive-pmrm2", "margin demo --seconds 20 --failover")
        {
            data, source, accounts, seconds, rate, seed, model, messages, keep, failover, json,
        };
        return verb.Does(line =>
        {
            // A name that nobody knows is told before anything is started.
            ModelChoice.Load(line.GetValue(model)!);
            return new DemoRun(terminal, new DemoOptions
            {
                Data = line.GetValue(data),
                Source = line.GetValue(source),
                Accounts = line.GetValue(accounts),
                Seconds = line.GetValue(seconds),
                Rate = line.GetValue(rate),
                Seed = line.GetValue(seed),
                Model = line.GetValue(model)!,
                Messages = line.GetValue(messages)!,
                Keep = line.GetValue(keep),
                Failover = line.GetValue(failover),
                Json = line.GetValue(json),
            }).Run();
        });
    }
}
