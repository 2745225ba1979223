using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

/// <summary>Every file of market data that the folder holds, whatever its name: more of the same formats can be dropped in.</summary>
[Parallelizable(ParallelScope.Self)]
public class ImportRealFilesTests
{
    private static IEnumerable<string?> ChainFiles => DataFolder.Files("deribit_chain");

    private static IEnumerable<string?> SeriesFiles => DataFolder.Files("crash_series");

    [TestCaseSource(nameof(ChainFiles))]
    [TestCaseSource(nameof(SeriesFiles))]
    public void A_file_imports_and_its_figures_are_sane(string? path)
    {
        DataFolder.Require();
        if (path is null)
            Assert.Ignore("the data folder has no such part");
        IReadOnlyList<ImportedFile> files = DataFile.Load(path!);
        Assert.That(files, Is.Not.Empty, path);
        foreach (ImportedFile file in files)
        {
            TestContext.Out.WriteLine($"{file.Format} {UnixTime.Show(file.TimeNanos)} options {file.Options.Count} futures {file.Futures.Count}"
                + $" candles {file.Candles.Count} {file.Symbol} values {file.Values.Count} depth {file.Depth.Count} skipped {file.Skipped}");
            Assert.That(file.Options.Count + file.Futures.Count + file.Candles.Count + file.Values.Count + file.Depth.Count, Is.GreaterThan(1), path);
            CheckOptions(file);
            CheckCandles(file);
            CheckDepth(file);
            foreach (FutureMark mark in file.Futures)
                Assert.That(mark.Contract.Kind, Is.Not.EqualTo(InstrumentKind.Option), mark.Name);
        }
    }

    [TestCaseSource(nameof(ChainFiles))]
    public void The_parity_forward_of_every_expiry_is_near_the_listed_one(string? path)
    {
        DataFolder.Require();
        foreach (ImportedFile file in DataFile.Load(path!))
        {
            foreach (IGrouping<(string, long), OptionQuote> expiry in file.Options.GroupBy(option => (option.Contract.Base, option.Contract.ExpiryNanos)))
            {
                if (!ChainForward.TryEstimate(expiry, out double forward))
                    continue;
                double[] listed = [.. expiry.Select(option => option.ListedForward * 1e-8).Order()];
                Assert.That(forward, Is.EqualTo(listed[listed.Length / 2]).Within(1).Percent, $"{path} {expiry.Key}");
            }
        }
    }

    private static void CheckOptions(ImportedFile file)
    {
        if (file.Options.Count == 0)
            return;
        Assert.That(file.Options.Count, Is.GreaterThan(50), file.File);
        Assert.That(file.Options.Select(option => option.Name), Is.Unique, file.File);
        foreach (OptionQuote option in file.Options)
        {
            string shown = $"{file.File} {option.Name}";
            Assert.That(option.MarkVolatility, Is.InRange(5_000_000, 1_000_000_000), shown);
            Assert.That(option.Mark, Is.InRange(0, 2_000_000_000), shown);
            Assert.That(option.TimeNanos, Is.LessThan(option.Contract.ExpiryNanos), shown);
            Assert.That(option.ListedForward, Is.InRange(100_00000000L, 1_000_000_00000000L), shown);
            Assert.That(Math.Abs(option.Greeks.Delta ?? 0), Is.LessThanOrEqualTo(1.0), shown);
        }
        // Marks of one expiry fall with the strike for calls and rise for puts, but for what the venue leaves standing in the far wings.
        foreach (IGrouping<(string, long, bool), OptionQuote> side in file.Options
                     .GroupBy(option => (option.Contract.Base, option.Contract.ExpiryNanos, option.Contract.IsCall)))
        {
            OptionQuote[] ordered = [.. side.OrderBy(option => option.Contract.Strike)];
            for (int i = 1; i < ordered.Length; i++)
            {
                long rise = ordered[i].Mark - ordered[i - 1].Mark;
                long slack = ordered[i].Mark / 100 + 20_000;
                Assert.That(side.Key.Item3 ? -rise : rise, Is.GreaterThanOrEqualTo(-slack), $"{file.File} {ordered[i - 1].Name} {ordered[i].Name}");
            }
        }
    }

    private static void CheckCandles(ImportedFile file)
    {
        for (int i = 0; i < file.Candles.Count; i++)
        {
            Candle candle = file.Candles[i];
            Assert.That(candle.Low, Is.GreaterThan(0), $"{file.File} candle {i}");
            Assert.That(candle.High, Is.InRange(candle.Low, candle.Low * 2), $"{file.File} candle {i}");
            Assert.That(candle.CloseNanos - candle.OpenNanos, Is.InRange(UnixTime.Minute - UnixTime.Second, UnixTime.Day), $"{file.File} candle {i}");
        }
        if (file.Candles.Count > 0)
            Assert.That(file.Symbol, Does.Match("^[A-Z0-9]+(USD|USDT|USDC)(_PERP)?$"), file.File);
    }

    private static void CheckDepth(ImportedFile file)
    {
        foreach (IGrouping<long, DepthLevel> stamp in file.Depth.GroupBy(level => level.TimeNanos))
        {
            foreach (DepthLevel[] side in new[] { stamp.Where(level => level.Percentage < 0).ToArray(), stamp.Where(level => level.Percentage > 0).ToArray() })
            {
                DepthLevel[] outward = [.. side.OrderBy(level => Math.Abs(level.Percentage))];
                for (int i = 1; i < outward.Length; i++)
                    Assert.That(outward[i].Depth, Is.GreaterThanOrEqualTo(outward[i - 1].Depth), $"{file.File} {UnixTime.Show(stamp.Key)}");
            }
        }
    }
}
