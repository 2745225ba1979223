using System.Globalization;
using System.IO.Compression;
using System.Text;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

/// <summary>Two answers of the venue's public book summary, an hour apart, are a market to play: what a user can record with one command.</summary>
[Parallelizable(ParallelScope.Self)]
public class BookSummaryScriptTests
{
    private static readonly long Start = UnixTime.Nanos(2026, 5, 4, 12);

    [Test]
    public void Recorded_book_summaries_play_from_one_to_the_next_and_list_what_appears_in_between()
    {
        string folder = Directory.CreateTempSubdirectory("margin-summaries-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "first.json"), Summary(Start, 80_000, 0.50, strikes: 9));
            byte[] second = Encoding.UTF8.GetBytes(Summary(Start + UnixTime.Hour, 78_000, 0.56, strikes: 11));
            using (var stream = new GZipStream(File.Create(Path.Combine(folder, "second.json.gz")), CompressionLevel.Fastest))
                stream.Write(second);
            using var run = new ScriptRun(
                new MarketOptions { DataDirectory = folder, Accounts = 20, Seconds = 1, EventsPerSecond = 500, Seed = 2 }, withMachine: true);
            run.RunSetup();
            int listed = run.Script.Board.Contracts.Count;
            Assert.That(run.RunMarket(), Is.EqualTo(500));
            Assert.That(run.Rejected, Is.Empty);
            Assert.That(run.Script.Board.Contracts, Has.Count.EqualTo(listed + 2 * 2 * 2));
            Assert.That(run.Script.Board.Assets.Single().Index, Is.EqualTo(78_000).Within(0.01));
            Contract option = run.Script.Board.Contracts.First(contract => contract.IsOption);
            Assert.That(run.Script.Board.VolatilityOf(option), Is.EqualTo(0.56).Within(1e-9));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Summary(long nanos, double index, double volatility, int strikes)
    {
        var rows = new List<string> { Row("BTC-PERPETUAL", nanos, string.Create(CultureInfo.InvariantCulture, $"\"mark_price\":{index + 12.5:0.00}")) };
        foreach (int days in new[] { 4, 25 })
        {
            long expiry = UnixTime.Nanos(2026, 5, 4, 8) + days * UnixTime.Day;
            double forward = index * (1 + 0.0002 * days);
            for (int i = 0; i < strikes; i++)
            {
                int strike = 70_000 + 2_500 * i;
                (double call, double put) = Black76.Value(forward, strike, (expiry - nanos) / UnixTime.YearNanos, volatility);
                foreach ((char right, double value) in new[] { ('C', call), ('P', put) })
                {
                    rows.Add(Row($"BTC-{UnixTime.ShowDay(expiry)}-{strike}-{right}", nanos, string.Create(CultureInfo.InvariantCulture,
                        $"\"mark_price\":{value / forward:0.00000000},\"mark_iv\":{volatility * 100:0.00},\"underlying_price\":{forward:0.00},"
                        + $"\"underlying_index\":\"SYN.BTC\",\"estimated_delivery_price\":{index:0.00}")));
                }
            }
        }
        return $"{{\"jsonrpc\":\"2.0\",\"result\":[{string.Join(",\n", rows)}],\"testnet\":false}}";
    }

    private static string Row(string name, long nanos, string rest)
        => $"{{\"instrument_name\":\"{name}\",\"creation_timestamp\":{nanos / 1_000_000},{rest}}}";
}
