using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin span` on a small parameter file whose answer can be told by hand, on hostile ones, and on the real ones of the data folder.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class SpanTests
{
    // Two commodities of ten units a contract: GOLD with two futures and two options, OIL with a future; gold is worth half a spread of four oils.
    private static string Parameters(string extra = "") => $"""
        <?xml version="1.0" encoding="ISO-8859-1"?>
        <spanFile><fileFormat>4.00</fileFormat>{extra}
        <pointInTime><date>20260206</date><clearingOrg><ec>HOUSE</ec>
        <pointDef>{Point(0, 1, 1)}{Point(0, -1, 1)}{Point(3, 1, 1)}{Point(3, -1, 1)}{Point(-3, 1, 1)}{Point(-3, -1, 1)}{Point(9, 0, 0.32m)}{Point(-9, 0, 0.32m)}{Point(0, 0, 1, "delta")}</pointDef>
        <exchange><exch>X</exch>
        <phyPf><pfId>1</pfId><pfCode>G</pfCode><phy><cId>1</cId><p>100</p></phy></phyPf>
        <phyPf><pfId>2</pfId><pfCode>O</pfCode><phy><cId>1</cId><p>50</p></phy></phyPf>
        <futPf><pfId>11</pfId><pfCode>GF</pfCode><cvf>0</cvf>{Listed(1, "202603", 101, "20260308", "0.082192")}{Listed(2, "202607", 104, "20260701", "0.397260")}</futPf>
        <futPf><pfId>12</pfId><pfCode>OF</pfCode><cvf>0</cvf>{Listed(1, "202603", 51, "20260308", "0.082192")}</futPf>
        <oopPf><pfId>21</pfId><pfCode>GO</pfCode><exercise>EURO</exercise><cvf>0</cvf><undPf><pfType>PHY</pfType><pfId>1</pfId></undPf>
        <series><pe>202603</pe><setlDate>20260308</setlDate><t>0.082192</t><cvf>10</cvf><sc>1</sc><undC><exch>X</exch><pfId>1</pfId><cId>1</cId></undC>
        <intrRate><val>0.1</val></intrRate><divRate><val>0.04</val></divRate><scanRate><priceScan>60</priceScan><volScanPct>0.25</volScanPct></scanRate>
        <opt><cId>1</cId><o>C</o><k>150.5</k><v>0.2</v></opt><opt><cId>2</cId><o>P</o><k>95</k><v>0.3</v></opt></series></oopPf></exchange>
        {Commodity("GOLD", ("PHY", 1), ("FUT", 11), ("OOP", 21))}{Commodity("OIL", ("PHY", 2), ("FUT", 12))}
        <interSpreads><dSpread><spread>1</spread><chargeMeth>W</chargeMeth><rate><val>0.5</val></rate><tLeg><cc>GOLD</cc><rs>A</rs><i>1</i></tLeg><tLeg><cc>OIL</cc><rs>B</rs><i>4</i></tLeg></dSpread></interSpreads>
        </clearingOrg></pointInTime></spanFile>
        """;

    private static string Point(int thirds, int volatility, decimal weight, string kind = "scan") => FormattableString.Invariant(
        $"<{kind}PointDef><priceScanDef><numerator>{thirds}</numerator><denominator>3</denominator></priceScanDef><volScanDef><numerator>{volatility}</numerator><denominator>1</denominator></volScanDef><weight>{weight}</weight></{kind}PointDef>");

    private static string Listed(int id, string period, int price, string day, string years) =>
        $"<fut><cId>{id}</cId><pe>{period}</pe><p>{price}</p><cvf>10</cvf><sc>1</sc><setlDate>{day}</setlDate><t>{years}</t><scanRate><priceScan>60</priceScan></scanRate></fut>";

    private static string Commodity(string code, params (string Type, int Id)[] links) =>
        $"<ccDef><cc>{code}</cc><name>{code} of the house</name><currency>TRY</currency>{string.Concat(links.Select(link => $"<pfLink><exch>X</exch><pfId>{link.Id}</pfId><pfType>{link.Type}</pfType></pfLink>"))}"
        + $"<somTiers><tier><rate><val>130</val></rate></tier></somTiers><dSpread><spread>1</spread><chargeMeth>F</chargeMeth><rate><val>40</val></rate><tLeg><cc>{code}</cc><rs>A</rs><i>1</i></tLeg><tLeg><cc>{code}</cc><rs>B</rs><i>1</i></tLeg></dSpread></ccDef>";

    [Test]
    public void A_file_is_listed_with_ranges_charges_minimums_and_spreads()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters());
        CommandResult text = MarginCommand.Run("span", scratch.File("house.spn")), json = MarginCommand.Run("span", scratch.File("house.spn"), "--json");
        Assert.That((text.Code, json.Code), Is.EqualTo((ExitCode.Done, ExitCode.Done)), text + "\n" + json);
        Assert.That(text.Out, Does.Contain("GOLD of the house").And.Contain("spread 1: 50 % of A 1 GOLD, B 4 OIL").And.Contain("2 commodities, 3 futures, 2 options, 8 points, 1 spreads, 0 exceptions"), text.ToString());
        using JsonDocument document = JsonDocument.Parse(json.Out);
        JsonElement gold = document.RootElement.GetProperty("commodities")[0];
        string Of(string name) => gold.GetProperty(name).GetString()!;
        Assert.That(
            (Of("code"), Of("index"), Of("contractSize"), Of("scanRange"), Of("scanRangePerUnit"), Of("volatilityScan"), Of("shortOptionMinimum")),
            Is.EqualTo(("GOLD", "100", "10", "60", "6", "0.25", "130")));
        Assert.That((gold.GetProperty("futures").GetInt32(), gold.GetProperty("options").GetInt32()), Is.EqualTo((2, 2)));
        Assert.That(document.RootElement.GetProperty("currency").GetString(), Is.EqualTo("TRY"));
    }

    [TestCase(1, 0, 0, ExpectedResult = "60", TestName = "A future alone owes its scan range")]
    [TestCase(1, -1, 0, ExpectedResult = "40", TestName = "A future against a later one owes the calendar charge")]
    [TestCase(1, 0, -4, ExpectedResult = "150", TestName = "Gold against four oils owes half of both scan ranges")]
    [TestCase(0, 0, 0, ExpectedResult = "130", TestName = "A short option far out owes the minimum")]
    public string The_model_of_a_file_margins_its_market(int near, int far, int oil)
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters());
        CommandResult made = MarginCommand.Run("span", scratch.File("house.spn"), "--model", scratch.File("span.json"), "--calc", scratch.File("market.json"));
        Assert.That(made.Code, Is.EqualTo(ExitCode.Done), made.ToString());
        List<string> positions = [];
        void Hold(string instrument, int contracts) => positions.Add($$"""{ "instrument": "{{instrument}}", "contracts": "{{contracts}}" }""");
        if (near != 0) Hold("GOLD_USD-8MAR26", near);
        if (far != 0) Hold("GOLD_USD-1JUL26", far);
        if (oil != 0) Hold("OIL_USD-8MAR26", oil);
        if (near == 0) Hold("GOLD_USD-8MAR26-150d5-C", -1);
        string market = File.ReadAllText(scratch.File("market.json"));
        Assert.That(market, Does.Contain("\"positions\": []"));
        File.WriteAllText(scratch.File("book.json"), market.Replace("\"positions\": []", $"\"positions\": [{string.Join(", ", positions)}]", StringComparison.Ordinal));
        CommandResult answer = MarginCommand.Run("calc", scratch.File("book.json"), "--model", scratch.File("span.json"), "--json");
        Assert.That(answer.Code, Is.EqualTo(ExitCode.Done), answer.ToString());
        using JsonDocument document = JsonDocument.Parse(answer.Out);
        return document.RootElement.GetProperty("maintenanceMargin").GetString()!;
    }

    // Losses that nothing computes: the house says so.
    [TestCase(3, "51", ExpectedResult = "51", TestName = "A row that computing would weigh differently")]
    [TestCase(8, "7", ExpectedResult = "7", TestName = "An extreme point, its weight included")]
    public string The_files_own_arrays_are_taken_as_they_are(int point, string loss)
    {
        using ScratchFolder scratch = new();
        string array = $"<ra>{string.Concat(Enumerable.Range(1, 8).Select(each => $"<a>{(each == point ? loss : "0")}</a>"))}<d>0.5</d></ra>";
        string listed = Parameters().Replace("</scanRate></fut>", $"</scanRate>{array}</fut>", StringComparison.Ordinal);
        File.WriteAllText(scratch.File("bare.spn"), listed);
        File.WriteAllText(scratch.File("house.spn"), listed.Replace("</v></opt>", $"</v>{array}</opt>", StringComparison.Ordinal));
        Assert.That(MarginCommand.Run("span", scratch.File("bare.spn"), "--arrays", "--calc", scratch.File("market.json")).Error, Does.Contain("GO 202603 150.5 call has no array of 8 points to take"));
        CommandResult made = MarginCommand.Run("span", scratch.File("house.spn"), "--arrays", "--model", scratch.File("span.json"), "--calc", scratch.File("market.json"));
        Assert.That(made.Code, Is.EqualTo(ExitCode.Done), made.ToString());
        File.WriteAllText(scratch.File("book.json"), File.ReadAllText(scratch.File("market.json")).Replace(
            "\"positions\": []", """ "positions": [{ "instrument": "GOLD_USD-8MAR26", "contracts": "1" }] """, StringComparison.Ordinal));
        CommandResult answer = MarginCommand.Run("calc", scratch.File("book.json"), "--model", scratch.File("span.json"), "--json");
        Assert.That(answer.Code, Is.EqualTo(ExitCode.Done), answer.ToString());
        using JsonDocument document = JsonDocument.Parse(answer.Out);
        return document.RootElement.GetProperty("maintenanceMargin").GetString()!;
    }

    [Test]
    public void A_chosen_commodity_stands_alone_and_an_unknown_one_is_a_usage_error()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters());
        CommandResult one = MarginCommand.Run("span", scratch.File("house.spn"), "--commodity", "OIL"), none = MarginCommand.Run("span", scratch.File("house.spn"), "--commodity", "TIN");
        Assert.That(one.Out, Does.Contain("1 commodities, 1 futures, 0 options").And.Contain("0 spreads").And.Not.Contain("GOLD"), one.ToString());
        Assert.That(none.Code, Is.EqualTo(ExitCode.Usage), none.ToString());
        Assert.That(none.Error, Does.Contain("'TIN'").And.Contain("GOLD, OIL"), none.ToString());
    }

    [Test]
    public void A_packed_file_reads_like_a_plain_one()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters());
        using (GZipStream packed = new(File.Create(scratch.File("house.spn.gz")), CompressionLevel.Fastest)) packed.Write(Encoding.Latin1.GetBytes(Parameters()));
        Assert.That(MarginCommand.Run("span", scratch.File("house.spn.gz")).Out, Is.EqualTo(MarginCommand.Run("span", scratch.File("house.spn")).Out).And.Not.Empty);
    }

    [TestCase("<p>101</p>", "<p>1x1</p>", "house.spn:8:", TestName = "A price that is no number")]
    [TestCase("<cvf>10</cvf>", "<cvf>0.000000001</cvf>", "<cvf> is below", TestName = "A contract of next to nothing")]
    [TestCase("<denominator>3</denominator>", "<denominator>0</denominator>", "<denominator> is below", TestName = "A division by zero")]
    [TestCase("<p>101</p>", "<p>1e40</p>", "is no number of at most", TestName = "A number beyond all bounds")]
    [TestCase("<o>C</o>", "<o>D</o>", "neither C nor P", TestName = "A right that is none")]
    [TestCase("<date>20260206</date>", "<date>20260230</date>", "is no day", TestName = "A day that is none")]
    [TestCase("</spanFile>", "", "is no plain XML document", TestName = "A file that is cut off")]
    [TestCase("spanFile", "other", "is no SPAN parameter file", TestName = "Another document")]
    [TestCase("<cId>1</cId></undC>", "<cId>9</cId></undC>", "names a contract that is not in the file", TestName = "An option on nothing")]
    [TestCase("<rs>A</rs>", "<rs>C</rs>", "a leg has side A or B", TestName = "A third side")]
    public void A_damaged_file_is_refused_with_its_place(string from, string to, string reason)
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters().Replace(from, to, StringComparison.Ordinal));
        Refuse(MarginCommand.Run("span", scratch.File("house.spn")), reason);
    }

    [Test]
    public void Document_types_entities_and_bottomless_nesting_are_refused()
    {
        using ScratchFolder scratch = new();
        string root = scratch.File("secret.txt");
        File.WriteAllText(root, "told");
        foreach ((string name, string text, string reason) in new[]
        {
            ("entity.spn", Parameters().Replace("<spanFile>", $"<!DOCTYPE spanFile [<!ENTITY x SYSTEM \"file://{root}\">]><spanFile>", StringComparison.Ordinal), "DTD"),
            ("bomb.spn", "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><spanFile>&b;</spanFile>", "DTD"),
            ("deep.spn", Parameters(string.Concat(Enumerable.Repeat("<x>", 100_000)) + string.Concat(Enumerable.Repeat("</x>", 100_000))), "nested deeper"),
            ("empty.spn", "", "is no plain XML document"),
        })
        {
            File.WriteAllText(scratch.File(name), text);
            CommandResult result = MarginCommand.Run("span", scratch.File(name));
            Refuse(result, reason);
            Assert.That(result.Error, Does.Not.Contain("told"));
        }

        Refuse(MarginCommand.Run("span", scratch.File("none.spn")), "no file");
    }

    [Test]
    public void What_the_engine_cannot_hold_is_left_out_by_name()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters().Replace("<exercise>EURO", "<exercise>AMER", StringComparison.Ordinal));
        CommandResult result = MarginCommand.Run("span", scratch.File("house.spn"), "--calc", scratch.File("market.json"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Done), result.ToString());
        Assert.That(result.Out, Does.Contain("except GO 202603 150.5 call: may be exercised early").And.Contain("3 futures, 0 options").And.Contain("2 exceptions"), result.ToString());
        Assert.That(File.ReadAllText(scratch.File("market.json")), Does.Not.Contain("150d5"));
    }

    [TestCase("<intrRate><val>0.1<", "<intrRate><val>100000<", "has a rate or a life beyond", TestName = "A rate of a hundred thousand is an exception")]
    [TestCase("<sc>1</sc><undC>", "<sc>0.00000000000000001</sc><undC>", "has no sensible delta scale", TestName = "A delta scale of next to nothing is an exception")]
    [TestCase("<k>95</k>", "<k>0</k>", "has no strike or no volatility", TestName = "A strike of zero is an exception")]
    [TestCase("<setlDate>20260308</setlDate><t>0.082192</t><cvf>10</cvf><sc>1</sc><undC>", "<setlDate>99991231</setlDate><t>7000</t><cvf>10</cvf><sc>1</sc><undC>", "has a rate or a life beyond", TestName = "An option of eight thousand years is an exception")]
    public void A_figure_beyond_the_engines_bounds_is_an_exception(string from, string to, string reason)
    {
        using ScratchFolder scratch = new();
        string parameters = Parameters();
        Assert.That(parameters, Does.Contain(from));
        File.WriteAllText(scratch.File("house.spn"), parameters.Replace(from, to, StringComparison.Ordinal));
        CommandResult result = MarginCommand.Run("span", scratch.File("house.spn"), "--model", scratch.File("span.json"), "--calc", scratch.File("market.json"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Done), result.ToString());
        Assert.That(result.Out, Does.Contain(reason), result.ToString());
    }

    [TestCase("<priceScan>60</priceScan>", "<priceScan>999999999999</priceScan><x/>", "underlyings.GOLD.scanRange", TestName = "A scan range beyond the bounds of a model is refused")]
    [TestCase("<weight>0.32</weight>", "<weight>32</weight>", "weight", TestName = "A weight beyond the bounds of a model is refused")]
    public void A_model_that_the_engine_would_refuse_is_not_written(string from, string to, string place)
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters().Replace(from, to, StringComparison.Ordinal));
        CommandResult result = MarginCommand.Run("span", scratch.File("house.spn"), "--model", scratch.File("span.json"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Refused), result.ToString());
        Assert.That(result.Error, Does.Contain(place), result.ToString());
        Assert.That(File.Exists(scratch.File("span.json")), Is.False);
    }

    [Test]
    public void Options_hang_on_the_value_of_a_contract_of_their_underlying()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("house.spn"), Parameters().Replace("<p>100</p>", "<p>100.123</p><val>1001.2</val><cvf>10</cvf>", StringComparison.Ordinal));
        CommandResult result = MarginCommand.Run("span", scratch.File("house.spn"), "--json");
        using JsonDocument listed = JsonDocument.Parse(result.Out);
        Assert.That(listed.RootElement.GetProperty("commodities")[0].GetProperty("index").GetString(), Is.EqualTo("100.12"), result.ToString());
    }

    [Test]
    public void The_whole_market_of_a_real_file_is_margined_by_its_own_model()
    {
        foreach (string path in MarginData.Files("", "*.spn*"))
        {
            using ScratchFolder scratch = new();
            CommandResult made = MarginCommand.Run("span", path, "--json", "--model", scratch.File("span.json"), "--calc", scratch.File("market.json"));
            Assert.That(made.Code, Is.EqualTo(ExitCode.Done), made.ToString());
            using JsonDocument listed = JsonDocument.Parse(made.Out);
            Assert.That(listed.RootElement.GetProperty("exceptions").GetArrayLength(), Is.Zero, made.ToString());
            JsonElement commodity = listed.RootElement.GetProperty("commodities").EnumerateArray().First(each => each.GetProperty("futures").GetInt32() > 0);
            using JsonDocument market = JsonDocument.Parse(File.ReadAllText(scratch.File("market.json")));
            string future = market.RootElement.GetProperty("marks").EnumerateObject().First(mark => mark.Name.StartsWith(commodity.GetProperty("code").GetString()! + "_", StringComparison.Ordinal)).Name;
            string text = File.ReadAllText(scratch.File("market.json"));
            File.WriteAllText(scratch.File("book.json"), text.Replace("\"positions\": []", $$"""
                "positions": [{ "instrument": "{{future}}", "contracts": "-1" }]
                """, StringComparison.Ordinal));
            CommandResult answer = MarginCommand.Run("calc", scratch.File("book.json"), "--model", scratch.File("span.json"), "--json");
            Assert.That(answer.Code, Is.EqualTo(ExitCode.Done), answer.ToString());
            using JsonDocument margin = JsonDocument.Parse(answer.Out);
            decimal scan = decimal.Parse(commodity.GetProperty("scanRange").GetString()!, CultureInfo.InvariantCulture);
            Assert.That(decimal.Parse(margin.RootElement.GetProperty("initialMargin").GetString()!, CultureInfo.InvariantCulture), Is.EqualTo(scan).Within(scan * 0.000001m), $"{future}: {answer}");
            Assert.That(JsonSchema.Faults(Json(scratch.File("span.json")), Json(Path.Combine(Repository.Root, "Engine", "Logic", "Models", "margin-model.schema.json"))), Is.Empty);
            Assert.That(JsonSchema.Faults(Json(scratch.File("book.json")), Json(Path.Combine(Repository.Root, "tools", "margin", "calc.schema.json"))), Is.Empty);
        }
    }

    private static JsonNode Json(string path) => JsonNode.Parse(File.ReadAllText(path))!;

    private static void Refuse(CommandResult result, string reason)
    {
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(result.Error, Does.StartWith("margin: ").And.Contain(reason), result.ToString());
        Assert.That(result.Out, Is.Empty, result.ToString());
    }
}
