using System.IO.Compression;
using System.Text;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

[Parallelizable(ParallelScope.Self)]
public class ImportRefusalTests
{
    private const string ChainHeader = "timestamp,instrument_name,underlying,option_type,strike,expiry_datetime,mark_price,implied_volatility,delta";
    private const string ChainRow = "2026-02-04T04:24:03.263823+00:00,BTC-24APR26-65000-P,77341.96,put,65000.0,2026-04-24T08:00:00+00:00,0.0290265,0.5076,-0.19664";
    private const string CandleHeader = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore";
    private const string Summary = """
        {"jsonrpc":"2.0","result":[
        {"instrument_name":"BTC-27MAR26-65000-C","mark_price":0.1201,"mark_iv":55.31,"underlying_price":70012.5,"underlying_index":"BTC-27MAR26","creation_timestamp":1770179043263,"bid_price":null,"ask_price":0.1215,"open_interest":12.5,"volume":1.5,"interest_rate":0},
        {"instrument_name":"BTC-PERPETUAL","mark_price":69980.12,"creation_timestamp":1770179043263,"funding_8h":0.0001},
        {"instrument_name":"BTC-FS-27MAR26_PERP","mark_price":30.5,"creation_timestamp":1770179043263}
        ],"usIn":1,"usOut":2,"usDiff":1,"testnet":false}
        """;

    [Test]
    public void A_chain_row_keeps_every_digit()
    {
        OptionQuote option = Import(ChainHeader + "\r\n" + ChainRow + "\r\n").Options.Single();
        Assert.That(option.Mark, Is.EqualTo(2_902_650));
        Assert.That(option.MarkVolatility, Is.EqualTo(50_760_000));
        Assert.That(option.ListedForward, Is.EqualTo(7_734_196_000_000));
        Assert.That(option.Contract.Strike, Is.EqualTo(6_500_000_000_000));
        Assert.That(option.Contract.IsCall, Is.False);
        Assert.That(option.Contract.ExpiryNanos, Is.EqualTo(UnixTime.Nanos(2026, 4, 24, 8)));
        Assert.That(option.TimeNanos, Is.EqualTo(UnixTime.Nanos(2026, 2, 4, 4) + 24 * UnixTime.Minute + 3_263_823_000));
    }

    [Test]
    public void A_book_summary_gives_options_and_perpetuals_and_counts_what_it_skips()
    {
        ImportedFile file = Import(Summary);
        Assert.That(file.Format, Is.EqualTo(DataFormat.DeribitBookSummary));
        Assert.That(file.Skipped, Is.EqualTo(1));
        Assert.That(file.TimeNanos, Is.EqualTo(1_770_179_043_263_000_000));
        Assert.That(file.Futures.Single().Price, Is.EqualTo(6_998_012_000_000));
        OptionQuote option = file.Options.Single();
        Assert.That(option.Mark, Is.EqualTo(12_010_000));
        Assert.That(option.MarkVolatility, Is.EqualTo(55_310_000));
        Assert.That(option.Bid, Is.Null);
        Assert.That(option.Ask, Is.EqualTo(12_150_000));
    }

    [Test]
    public void The_result_array_alone_packed_with_gzip_reads_the_same()
    {
        string array = Summary[Summary.IndexOf('[')..(Summary.IndexOf(']') + 1)];
        ImportedFile plain = Import(Summary);
        ImportedFile packed = DataFile.Parse("anything", Gzip(Encoding.UTF8.GetBytes(array))).Single();
        Assert.That(packed.Options, Is.EqualTo(plain.Options));
        Assert.That(packed.Futures, Is.EqualTo(plain.Futures));
    }

    [TestCase("USDC", "XRP_USDC-27MAR26-2d5-P", 250_000_000L)]
    [TestCase("none", "BTC-3JAN25-100000-C", 10_000_000_000_000L)]
    public void Names_tell_pair_and_strike(string quote, string name, long strike)
    {
        Assert.That(VenueName.TryParse(name, out VenueName contract), Is.True);
        Assert.That(contract.Quote ?? "none", Is.EqualTo(quote));
        Assert.That(contract.Strike, Is.EqualTo(strike));
    }

    [TestCase("BTC")]
    [TestCase("BTC-")]
    [TestCase("-27MAR26")]
    [TestCase("BTC-32MAR26")]
    [TestCase("BTC-27MAR26-65000")]
    [TestCase("BTC-27MAR26-65000-X")]
    [TestCase("BTC-27MAR26-0-C")]
    [TestCase("BTC-27MAR26--5-C")]
    [TestCase("BTC-FS-27MAR26_PERP")]
    [TestCase("btc-27MAR26")]
    public void What_is_no_contract_name_is_refused(string name) => Assert.That(VenueName.TryParse(name, out _), Is.False);

    [Test]
    public void Candles_read_with_and_without_header_and_in_microseconds()
    {
        const string Row = "1759968000000,123277.83064680,123326.1,123274.87146947,123310.1,0,1759968059999,0,60,0,0,0\n";
        ImportedFile named = Import(CandleHeader + "\n" + Row, "x_BTCUSD_PERP-1m-2025-10-09.csv");
        ImportedFile bare = Import(Row);
        ImportedFile micro = Import(Row.Replace("1759968000000", "1759968000000000").Replace("1759968059999", "1759968059999000"));
        Assert.That(named.Symbol, Is.EqualTo("BTCUSD_PERP"));
        Assert.That(named.Candles.Single().Open, Is.EqualTo(12_327_783_064_680));
        Assert.That(bare.Candles, Is.EqualTo(named.Candles));
        Assert.That(micro.Candles, Is.EqualTo(named.Candles));
    }

    [Test]
    public void A_quoted_field_may_hold_commas_quotes_and_line_breaks()
    {
        var csv = new CsvReader("f", Encoding.UTF8.GetBytes("a,b\n\"1,\"\"2\"\"\n3\",x\ny,z\n"));
        Assert.That(csv.Next(), Is.True);
        Assert.That(csv.Text(0), Is.EqualTo("1,\"2\"\n3"));
        Assert.That(csv.Next(), Is.True);
        Assert.That(csv.Line, Is.EqualTo(4));
        Assert.That(csv.Next(), Is.False);
    }

    // What is replaced in a good chain row, by what, and where the error must point.
    [TestCase("0.0290265", "abc", 101, "mark_price")]
    [TestCase("0.0290265", "-0.1", 101, "below zero")]
    [TestCase("0.0290265", "", 101, "mark_price")]
    [TestCase("0.5076", "NaN", 111, "implied_volatility")]
    [TestCase("0.5076", "0", 111, "above zero")]
    [TestCase("0.5076", "51", 111, "5000 %")]
    [TestCase("77341.96", "0.0", 54, "above zero")]
    [TestCase("77341.96", "1e12", 54, "range")]
    [TestCase("65000.0", "65001.0", 67, "differs from the name")]
    [TestCase("put,", "call,", 63, "differs from the name")]
    [TestCase("put,", "both,", 63, "neither call nor put")]
    [TestCase("BTC-24APR26-65000-P", "BTC-PERPETUAL", 34, "name of an option")]
    [TestCase("2026-04-24", "2026-04-25", 75, "another day")]
    [TestCase("2026-02-04T04", "2026-02-34T04", 1, "not a time")]
    [TestCase("-0.19664", "--", 118, "delta")]
    [TestCase(",0.5076,-0.19664", "", 1, "fields")]
    public void A_bad_field_of_a_chain_is_named_with_line_and_column(string good, string bad, int column, string reason)
    {
        string text = ChainHeader + "\n" + ChainRow + "\n" + ChainRow.Replace(good, bad, StringComparison.Ordinal) + "\n";
        var error = Assert.Throws<ImportException>(() => Import(text, "chain.csv"));
        Assert.That(error!.Message, Does.StartWith($"chain.csv:3:{column}: ").And.Contains(reason));
    }

    [TestCase("0.1201", "\"0.1201\"", 2, "mark_price")]
    [TestCase("0.1201", "1e300", 2, "mark_price")]
    [TestCase("0.1201", "-1", 2, "below zero")]
    [TestCase("55.31", "5001", 2, "5000 %")]
    [TestCase("70012.5", "0", 2, "underlying_price")]
    [TestCase("69980.12", "0", 3, "mark_price")]
    [TestCase("\"creation_timestamp\":1770179043263,\"bid_price\"", "\"bid_price\"", 2, "creation_timestamp")]
    [TestCase("1770179043263", "-5", 2, "not a time")]
    [TestCase("null", "nul", 2, "not valid JSON")]
    [TestCase("\"testnet\":false}", "\"testnet\":false", 5, "not valid JSON")]
    [TestCase("false}", "false}}", 5, "not valid JSON")]
    [TestCase("\"BTC-27MAR26\"", "\"\\ud800\"", 2, "not valid text")]
    public void A_bad_value_of_a_book_summary_is_named_with_its_line(string good, string bad, int line, string reason)
    {
        var error = Assert.Throws<ImportException>(() => Import(Summary.Replace(good, bad, StringComparison.Ordinal), "summary.json"));
        Assert.That(error!.Message, Does.StartWith("summary.json:").And.Contains(reason));
        Assert.That(error.Line, Is.EqualTo(line), error.Message);
        Assert.That(error.Column, Is.GreaterThan(0), error.Message);
    }

    [TestCase("close_time", "1759968059999", "1759967999999", "after the opening")]
    [TestCase("high", "123326.1", "100.0", "below open or close")]
    [TestCase("low", "123274.87146947", "999999", "above open or close")]
    [TestCase("open", "123277.83064680", "0", "above zero")]
    [TestCase("open_time", "1759968000000", "yesterday", "not a time")]
    public void A_bad_candle_is_named(string column, string good, string bad, string reason)
    {
        const string Row = "1759968000000,123277.83064680,123326.1,123274.87146947,123310.1,0,1759968059999,0,60,0,0,0\n";
        var error = Assert.Throws<ImportException>(() => Import(CandleHeader + "\n" + Row.Replace(good, bad, StringComparison.Ordinal)));
        Assert.That(error!.Message, Does.Contain(column + ": ").And.Contains(reason));
        Assert.That(error.Line, Is.EqualTo(2));
    }

    [TestCase("", "empty")]
    [TestCase("  \n ", "empty")]
    [TestCase("timestamp_ms,value,value\n1,2,3\n", "twice")]
    [TestCase("a,b\n1,2\n", "no known format")]
    [TestCase("{\"a\":1}", "neither")]
    [TestCase("{\"result\":[{\"a\":1}]}", "instrument_name")]
    [TestCase("[1,2]", "object")]
    [TestCase("{\"error\":{\"code\":11}}", "answered with an error")]
    [TestCase("{\"result\":[]}", "no row")]
    [TestCase("timestamp_ms,value\n", "without rows")]
    [TestCase("timestamp_ms,value\n\"1", "no end")]
    [TestCase("timestamp_ms,value\n2,1\n1,1\n", "after the row before")]
    public void A_document_without_use_is_refused(string text, string reason)
        => Assert.That(Assert.Throws<ImportException>(() => Import(text))!.Message, Does.Contain(reason));

    [Test]
    public void A_gzip_or_zip_cut_at_any_byte_is_refused_never_shorter()
    {
        byte[] plain = Encoding.UTF8.GetBytes(ChainHeader + "\n" + string.Concat(Enumerable.Repeat(ChainRow + "\n", 3)));
        foreach (byte[] packed in new[] { Gzip(plain), Zip(plain) })
        {
            Assert.That(DataFile.Parse("whole", packed).Single().Options, Has.Count.EqualTo(3));
            for (int length = 2; length < packed.Length; length++)
                Assert.Throws<ImportException>(() => DataFile.Parse("cut", packed[..length]), $"cut to {length} of {packed.Length}");
        }
    }

    [Test]
    public void Any_damage_ends_in_an_import_or_in_its_named_error()
    {
        const int Seed = 77;
        var random = new Random(Seed);
        byte[] chain = Encoding.UTF8.GetBytes(ChainHeader + "\n" + ChainRow + "\n" + ChainRow + "\n");
        byte[][] seeds = [chain, Encoding.UTF8.GetBytes(Summary), Gzip(chain), Zip(chain), Encoding.UTF8.GetBytes(CandleHeader + "\n")];
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (int change = random.Next(1, 6); change > 0; change--)
            {
                switch (random.Next(3))
                {
                    case 0: bytes[random.Next(bytes.Length)] = (byte)random.Next(256); break;
                    case 1: bytes = bytes[..random.Next(1, bytes.Length + 1)]; break;
                    default: bytes[random.Next(bytes.Length)] = "\",{}[]\n:-e."u8[random.Next(11)]; break;
                }
            }
            try
            {
                DataFile.Parse("fuzz", bytes);
            }
            catch (ImportException error)
            {
                refused++;
                Assert.That(error.Message, Does.StartWith("fuzz").Or.StartWith("chain"), $"round {round} seed {Seed}");
            }
            catch (Exception error) when (error is not AssertionException)
            {
                Assert.Fail($"round {round} seed {Seed}: {error}");
            }
        }
        Assert.That(refused, Is.GreaterThan(5_000));
    }

    private static ImportedFile Import(string text, string name = "f") => DataFile.Parse(name, Encoding.UTF8.GetBytes(text)).Single();

    private static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.SmallestSize))
            stream.Write(plain);
        return packed.ToArray();
    }

    private static byte[] Zip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        using (Stream entry = archive.CreateEntry("chain.csv").Open())
            entry.Write(plain);
        return packed.ToArray();
    }
}
