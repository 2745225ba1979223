// `margin calibrate`: option chains in, an arbitrage-free SVI surface of each out. Ends with 3 where an expiry has none.
using System.CommandLine;
using MarginEngine.Tool.Calibrate;
using MarginEngine.Tool.Import;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class CalibrateVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> source = new("PATH") { Description = "A file with an option chain, or a folder: every chain below it." };
        Option<bool> json = Options.Json();
        Verb verb = new("calibrate", "Fits an arbitrage-free SVI surface to the option chains of files, and shows forwards, parameters and residuals.",
            "margin calibrate chain.csv.gz", "margin calibrate ../shared/data/deribit_chain --json")
        {
            source, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(source)!, line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string path, bool json)
    {
        List<ImportedFile> files = Load(path);
        List<ChainCalibration> chains = [];
        using (Progress progress = new(terminal, "calibrating"))
        {
            for (int file = 0; file < files.Count; file++)
            {
                terminal.Interrupted.ThrowIfCancellationRequested();
                chains.AddRange(ChainCalibration.Of(files[file]).Where(chain => chain.Expiries.Count > 0));
                progress.Report((file + 1.0) / files.Count, always: true);
            }
        }

        if (chains.Count == 0) throw CommandFailure.Unreachable($"no option chain in {path}");
        if (json) CalibrationReport.WriteJson(terminal, chains);
        else CalibrationReport.WriteText(terminal, chains);
        return chains.TrueForAll(chain => chain.IsSound) ? ExitCode.Done : ExitCode.Difference;
    }

    private static List<ImportedFile> Load(string path)
    {
        try
        {
            if (Directory.Exists(path)) return [.. DataFile.LoadDirectory(path).Where(file => file.Options.Count > 0)];
            if (File.Exists(path)) return [.. DataFile.Load(path)];
        }
        catch (ImportException damage)
        {
            throw CommandFailure.Unreachable(damage.Message);
        }

        throw CommandFailure.Unreachable($"no file or folder {path}");
    }
}
