// The three worked examples of the SBE 1.0 standard, octet by octet. The schema here is our own wording of their layout. The standard's
// dumps and its tables disagree in places (the order's time, names of fields): what is tested is where things stand.

using NUnit.Framework;

namespace MarginEngine.Tests.CodecTests;

[Parallelizable(ParallelScope.Self)]
internal sealed class SpecificationTests
{
    private const string Body = """
        <types>
          <composite name="messageHeader">
            <type name="blockLength" primitiveType="uint16"/><type name="templateId" primitiveType="uint16"/>
            <type name="schemaId" primitiveType="uint16"/><type name="version" primitiveType="uint16"/>
          </composite>
          <composite name="groupSizeEncoding"><type name="blockLength" primitiveType="uint16"/><type name="numInGroup" primitiveType="uint16"/></composite>
          <composite name="octets"><type name="length" primitiveType="uint16"/><type name="varData" primitiveType="uint8" length="0" characterEncoding="UTF-8"/></composite>
          <type name="id" primitiveType="char" length="8"/>
          <type name="letter" primitiveType="char"/>
          <type name="small" primitiveType="uint8"/>
          <composite name="price"><type name="mantissa" primitiveType="int64" presence="optional"/><type name="exponent" primitiveType="int8" presence="constant">-3</type></composite>
          <composite name="quantity"><type name="mantissa" primitiveType="int32"/><type name="exponent" primitiveType="int8" presence="constant">0</type></composite>
          <composite name="yearMonth"><type name="year" primitiveType="uint16"/><type name="month" primitiveType="uint8"/>
            <type name="day" primitiveType="uint8" presence="optional"/><type name="week" primitiveType="uint8" presence="optional"/></composite>
          <enum name="side" encodingType="letter"><validValue name="buy">1</validValue><validValue name="sell">2</validValue></enum>
          <enum name="orderType" encodingType="letter"><validValue name="market">1</validValue><validValue name="limit">2</validValue></enum>
          <enum name="execution" encodingType="letter"><validValue name="new">0</validValue><validValue name="trade">F</validValue></enum>
          <enum name="status" encodingType="letter"><validValue name="new">0</validValue><validValue name="partial">1</validValue></enum>
          <enum name="reason" encodingType="small"><validValue name="other">0</validValue><validValue name="notAuthorised">6</validValue></enum>
        </types>
        <sbe:message name="businessReject" id="97" blockLength="9">
          <field name="reference" id="379" type="id" offset="0"/><field name="why" id="380" type="reason" offset="8"/><data name="text" id="58" type="octets"/>
        </sbe:message>
        <sbe:message name="executionReport" id="98" blockLength="42">
          <field name="order" id="37" type="id" offset="0"/><field name="execution" id="17" type="id" offset="8"/>
          <field name="kind" id="150" type="execution" offset="16"/><field name="status" id="39" type="status" offset="17"/>
          <field name="symbol" id="55" type="id" offset="18"/><field name="maturity" id="200" type="yearMonth" offset="26"/>
          <field name="side" id="54" type="side" offset="31"/><field name="leaves" id="151" type="quantity" offset="32"/>
          <field name="done" id="14" type="quantity" offset="36"/><field name="tradeDate" id="75" type="uint16" offset="40"/>
          <group name="fills" id="2112" blockLength="12"><field name="price" id="1364" type="price" offset="0"/><field name="quantity" id="1365" type="quantity" offset="8"/></group>
        </sbe:message>
        <sbe:message name="newOrder" id="99" blockLength="54">
          <field name="order" id="11" type="id" offset="0"/><field name="account" id="1" type="id" offset="8"/><field name="symbol" id="55" type="id" offset="16"/>
          <field name="side" id="54" type="side" offset="24"/><field name="time" id="60" type="uint64" offset="25"/><field name="quantity" id="38" type="quantity" offset="33"/>
          <field name="kind" id="40" type="orderType" offset="37"/><field name="price" id="44" type="price" offset="38"/><field name="stop" id="99" type="price" offset="46"/>
        </sbe:message>
        """;

    private const string Order =
        "36 00 63 00 5B 00 00 00 4F 52 44 30 30 30 30 31 41 43 43 54 30 31 00 00 47 45 4D 34 00 00 00 00 31 80 16 B3 3B 13 65 29 15 "
        + "07 00 00 00 32 1A 85 01 00 00 00 00 00 00 00 00 00 00 00 00 80";

    private const string Report =
        "2A 00 62 00 5B 00 00 00 4F 30 30 30 30 30 30 31 45 58 45 43 30 30 30 30 46 31 47 45 4D 34 00 00 00 00 DE 07 06 FF FF 31 01 00 00 00 06 00 00 00 75 3E "
        + "0C 00 02 00 1A 85 01 00 00 00 00 00 02 00 00 00 24 85 01 00 00 00 00 00 04 00 00 00";

    private const string Reject =
        "09 00 61 00 5B 00 00 00 4F 52 44 30 30 30 30 31 06 27 00 4E 6F 74 20 61 75 74 68 6F 72 69 7A 65 64 20 74 6F 20 74 72 61 64 65 20 "
        + "74 68 61 74 20 69 6E 73 74 72 75 6D 65 6E 74";

    private OracleSchema _schema = null!;
    private Compiled _compiled = null!;

    [OneTimeSetUp]
    public void Compile()
    {
        string xml = Schemas.Of(Body).Replace("id=\"77\"", "id=\"91\"", StringComparison.Ordinal);
        _schema = new OracleSchema(xml);
        _compiled = Compiled.Of(xml, Transcoder.Probe(_schema));
    }

    [TestCase(Order, """
        {"template":"newOrder","order":"ORD00001","account":"ACCT01","symbol":"GEM4","side":"buy","time":1524861082122000000,"quantity":"7","kind":"limit","price":"99.61","stop":null}
        """)]
    [TestCase(Report, """
        {"template":"executionReport","order":"O0000001","execution":"EXEC0000","kind":"trade","status":"partial","symbol":"GEM4",
        "maturity":{"year":2014,"month":6,"day":null,"week":null},"side":"buy","leaves":"1","done":"6","tradeDate":15989,
        "fills":[{"price":"99.61","quantity":"2"},{"price":"99.62","quantity":"4"}]}
        """)]
    [TestCase(Reject, """
        {"template":"businessReject","reference":"ORD00001","why":"notAuthorised","text":"Not authorized to trade that instrument"}
        """)]
    public void An_example_of_the_standard_reads_as_its_table_says_and_is_written_with_the_same_octets(string hex, string json)
    {
        byte[] octets = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.That(_compiled.Method<Func<byte[], int, int, string>>("Validate")(octets, 0, octets.Length), Is.EqualTo("None"));
        string found = _compiled.Method<Func<byte[], int, int, string>>("Json")(octets, 0, octets.Length);
        Assert.That(found, Is.EqualTo(json.Replace("\n", "", StringComparison.Ordinal).Trim()));
        var buffer = new byte[octets.Length];
        buffer.AsSpan().Fill(0xEE);
        Assert.That(_compiled.Method<Func<byte[], byte[], int>>("Transcode")(octets, buffer), Is.EqualTo(octets.Length));
        Assert.That(Convert.ToHexString(buffer), Is.EqualTo(Convert.ToHexString(octets)));
    }
}
