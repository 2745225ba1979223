using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests;

/// <summary>Every option quote that any file of the data folder holds, by format: more files of the same formats can be dropped in.</summary>
internal static class VenueFiles
{
    private static readonly Lazy<IReadOnlyList<ImportedFile>> All = new(Load);

    /// <summary>Files of a format. Ends the test as skipped where there is none.</summary>
    public static IReadOnlyList<ImportedFile> Of(DataFormat format)
    {
        if (MarginData.Folder is null)
            Assert.Ignore("no data: $MARGIN_DATA is not set and no ../shared/data stands beside the repository");
        ImportedFile[] files = [.. All.Value.Where(file => file.Format == format)];
        if (files.Length == 0)
            Assert.Ignore($"no data: no file of format {format} below {MarginData.Folder}");
        return files;
    }

    private static List<ImportedFile> Load()
    {
        var files = new List<ImportedFile>();
        foreach (string path in Directory.EnumerateFiles(MarginData.Folder!, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            try
            {
                files.AddRange(DataFile.Load(path).Where(file => file.Options.Count > 0));
            }
            catch (ImportException error) when (error.IsUnknownFormat)
            {
                // Licences, margin vectors and the like lie in the same folder.
            }
        }

        return files;
    }
}
