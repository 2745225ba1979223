// Several margin models on one portfolio, each in a machine of its own.
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Compare;

/// <param name="Name">Of the file, for headings.</param>
/// <param name="Columns">In the order asked for.</param>
internal sealed record ModelComparison(string Name, Portfolio Portfolio, IReadOnlyList<ModelColumn> Columns, PortfolioPicture Picture)
{
    private const int LongestModel = 64;

    /// <summary>Columns with an answer, and the answers.</summary>
    public IEnumerable<(ModelColumn Column, ModelAnswer Answer)> Answers =>
        Columns.Where(column => column.Answer is not null).Select(column => (column, column.Answer!));

    /// <param name="choices">Names of shipped models and model files, separated by commas.</param>
    /// <param name="portfolio">What to value.</param>
    /// <param name="file">Named in complaints.</param>
    /// <exception cref="CommandFailure">
    /// Usage: a name that is neither shipped nor a file, none at all, or one twice; a faulty model file. What the engine refuses of a model
    /// is no exception: it stands in the model's column.
    /// </exception>
    public static ModelComparison Run(string choices, Portfolio portfolio, string file)
    {
        List<(string Choice, ModelDocument Model)> models = [.. Split(choices).Select(choice => (choice, Load(choice)))];
        return Of(file, portfolio, [.. Named(models).Select(named => Column(named.Name, named.Model, portfolio, file))]);
    }

    public static ModelComparison Of(string file, Portfolio portfolio, IReadOnlyList<ModelColumn> columns) =>
        new(Path.GetFileName(file), portfolio, columns, PortfolioPicture.Of(portfolio));

    private static string[] Split(string choices)
    {
        string[] names = choices.Split(',', StringSplitOptions.TrimEntries);
        if (names.Contains("")) throw CommandFailure.Usage($"--compare: give names of models or files, separated by commas ({Shipped})");
        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw CommandFailure.Usage($"--compare: '{twice.Key}' is named twice");
        return names;
    }

    private static ModelDocument Load(string choice)
    {
        if (!ModelDocument.ShippedNames.Contains(choice) && !File.Exists(choice))
            throw CommandFailure.Usage($"--compare: '{choice}' is neither a shipped model ({Shipped}) nor a file");
        return ModelChoice.Load(choice);
    }

    private static string Shipped => string.Join(", ", ModelDocument.ShippedNames);

    // Two files may carry one name, for example two versions of a model: then the file tells them apart.
    private static IEnumerable<(string Name, ModelDocument Model)> Named(List<(string Choice, ModelDocument Model)> models) =>
        models.Select(entry => (models.Count(other => other.Model.Name == entry.Model.Name) == 1
            ? Short(entry.Model.Name) : $"{Short(entry.Model.Name)} ({entry.Choice})", entry.Model));

    private static string Short(string name) => name.Length <= LongestModel ? name : $"{name[..LongestModel]}…";

    private static ModelColumn Column(string name, ModelDocument model, Portfolio portfolio, string file)
    {
        try
        {
            return ReportColumn.Of(name, model, Calculation.Run(portfolio, model, file), portfolio);
        }
        catch (CommandFailure refusal) when (refusal.Code == ExitCode.Refused)
        {
            return new ModelColumn(name, model.Version, model.Note ?? "", null, refusal.Message);
        }
        catch (FormatException refusal)
        {
            return new ModelColumn(name, model.Version, model.Note ?? "", null, refusal.Message);
        }
    }
}
