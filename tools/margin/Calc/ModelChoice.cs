// The value of --model: the name of a shipped margin model, or a JSON file.
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Calc;

internal static class ModelChoice
{
    public const string Default = "portfolio";

    /// <exception cref="CommandFailure">Usage: neither a shipped name nor a margin model; unreachable: the file cannot be read.</exception>
    public static ModelDocument Load(string choice)
    {
        if (ModelDocument.ShippedNames.Contains(choice)) return ModelDocument.Shipped(choice);
        if (!File.Exists(choice))
            throw CommandFailure.Unreachable($"--model: '{choice}' is neither a shipped model ({string.Join(", ", ModelDocument.ShippedNames)}) nor a file");
        try
        {
            return ModelDocument.Parse(File.ReadAllText(choice));
        }
        catch (FormatException failure)
        {
            throw CommandFailure.Usage($"{choice}: {failure.Message}");
        }
    }
}
