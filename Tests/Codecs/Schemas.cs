// Schemas of the tests. Each begins with the same root so that a test only writes what it is about.

using System.Runtime.CompilerServices;

namespace MarginEngine.Tests.CodecTests;

internal static class Schemas
{
    /// <summary>The product's own schema.</summary>
    public static string Product => File.ReadAllText(Path.Combine(RepositoryRoot(), "schema.xml"));

    private static string RepositoryRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "..", "..", ".."));

    /// <summary>Header, group dimension and var data as most venues have them: 8 octets, 4 octets, a 16 bit length.</summary>
    public const string Usual = """
        <types>
          <composite name="messageHeader">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="templateId" primitiveType="uint16"/>
            <type name="schemaId" primitiveType="uint16"/>
            <type name="version" primitiveType="uint16"/>
          </composite>
          <composite name="groupSizeEncoding">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="numInGroup" primitiveType="uint16"/>
          </composite>
          <composite name="textEncoding">
            <type name="length" primitiveType="uint16" maxValue="1000"/>
            <type name="varData" primitiveType="uint8" length="0" characterEncoding="UTF-8"/>
          </composite>
          <composite name="octetsEncoding">
            <type name="length" primitiveType="uint8"/>
            <type name="data" primitiveType="uint8" length="0"/>
          </composite>
        </types>
        """;

    public static string Of(string body, int version = 0, bool bigEndian = false, string package = "Feature", string attributes = "") => $"""
        <?xml version="1.0" encoding="UTF-8"?>
        <sbe:messageSchema xmlns:sbe="http://fixprotocol.io/2016/sbe" package="{package}" id="77" version="{version}" byteOrder="{(bigEndian ? "bigEndian" : "littleEndian")}" {attributes}>
        {body}
        </sbe:messageSchema>
        """;

    /// <summary>Every feature but versions, in 12-octet headers that count groups and var data.</summary>
    public static string Everything(bool bigEndian) => Of(EverythingBody, bigEndian: bigEndian);

    private const string EverythingBody = """
        <types>
          <composite name="messageHeader">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="templateId" primitiveType="uint16"/>
            <type name="schemaId" primitiveType="uint16"/>
            <type name="version" primitiveType="uint16"/>
            <type name="numGroups" primitiveType="uint16"/>
            <type name="numVarDataFields" primitiveType="uint16"/>
          </composite>
          <composite name="groupSizeEncoding">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="numInGroup" primitiveType="uint16" maxValue="500"/>
            <type name="numGroups" primitiveType="uint8"/>
            <type name="numVarDataFields" primitiveType="uint8"/>
          </composite>
          <composite name="smallDimension">
            <type name="numInGroup" primitiveType="uint8"/>
            <type name="blockLength" primitiveType="uint8" offset="3"/>
          </composite>
          <composite name="text8">
            <type name="length" primitiveType="uint8"/>
            <type name="varData" primitiveType="char" length="0" characterEncoding="US-ASCII"/>
          </composite>
          <composite name="text16">
            <type name="length" primitiveType="uint16"/>
            <type name="varData" primitiveType="uint8" length="0" characterEncoding="UTF-8"/>
          </composite>
          <composite name="octets32">
            <type name="length" primitiveType="uint32" maxValue="100000"/>
            <type name="varData" primitiveType="uint8" length="0"/>
          </composite>
          <type name="Ticks" primitiveType="int32" minValue="-5" maxValue="1000"/>
          <type name="OddNull" primitiveType="int32" presence="optional" nullValue="2147483647"/>
          <type name="OptionalReal" primitiveType="double" presence="optional"/>
          <type name="MinusOne" primitiveType="float" presence="optional" nullValue="-1"/>
          <type name="Code6" primitiveType="char" length="6" characterEncoding="ASCII"/>
          <type name="Label" primitiveType="char" length="10" characterEncoding="UTF-8"/>
          <type name="Shorts3" primitiveType="int16" length="3"/>
          <type name="Reals2" primitiveType="double" length="2"/>
          <type name="Octets4" primitiveType="uint8" length="4"/>
          <type name="Longs2" primitiveType="uint64" length="2"/>
          <type name="EnumCode" primitiveType="uint16" nullValue="9999" maxValue="100"/>
          <type name="Fuel" primitiveType="char" presence="constant">Petrol</type>
          <type name="Rpm" primitiveType="uint16" presence="constant">9000</type>
          <type name="Huge" primitiveType="uint64" presence="constant">18446744073709551614</type>
          <enum name="Letter" encodingType="char"><validValue name="a">A</validValue><validValue name="b">B</validValue></enum>
          <enum name="Named" encodingType="EnumCode"><validValue name="one">1</validValue><validValue name="hundred">100</validValue></enum>
          <set name="Bits8" encodingType="uint8"><choice name="low">0</choice><choice name="high">7</choice></set>
          <set name="Bits16" encodingType="uint16"><choice name="low">0</choice><choice name="high">15</choice></set>
          <set name="Bits32" encodingType="uint32"><choice name="low">0</choice><choice name="high">31</choice></set>
          <set name="Bits64" encodingType="uint64"><choice name="low">0</choice><choice name="high">63</choice></set>
          <composite name="Money">
            <type name="mantissa" primitiveType="int64"/>
            <type name="exponent" primitiveType="int8" presence="constant">-6</type>
          </composite>
          <composite name="MaybeMoney">
            <type name="mantissa" primitiveType="int64" presence="optional"/>
            <type name="exponent" primitiveType="int8" minValue="-12" maxValue="0"/>
          </composite>
          <composite name="Engine">
            <type name="capacity" primitiveType="uint16"/>
            <ref name="fuel" type="Fuel"/>
            <ref name="rpm" type="Rpm"/>
            <type name="maker" primitiveType="char" length="3"/>
            <enum name="Boost" encodingType="uint8"><validValue name="off">0</validValue><validValue name="on">1</validValue></enum>
            <set name="Extras" encodingType="uint8"><choice name="sun">0</choice><choice name="cruise">2</choice></set>
            <ref name="price" type="Money" offset="12"/>
            <composite name="Inner"><type name="x" primitiveType="float"/><type name="y" primitiveType="uint8" presence="optional" offset="6"/></composite>
          </composite>
        </types>
        <sbe:message name="Scalars" id="1">
          <field name="c" id="1" type="char"/><field name="i8" id="2" type="int8"/><field name="i16" id="3" type="int16"/>
          <field name="i32" id="4" type="int32"/><field name="i64" id="5" type="int64"/><field name="u8" id="6" type="uint8"/>
          <field name="u16" id="7" type="uint16"/><field name="u32" id="8" type="uint32"/><field name="u64" id="9" type="uint64"/>
          <field name="f32" id="10" type="float"/><field name="f64" id="11" type="double"/>
          <field name="oc" id="21" type="char" presence="optional"/><field name="oi8" id="22" type="int8" presence="optional"/>
          <field name="oi16" id="23" type="int16" presence="optional"/><field name="oi32" id="24" type="int32" presence="optional"/>
          <field name="oi64" id="25" type="int64" presence="optional"/><field name="ou8" id="26" type="uint8" presence="optional"/>
          <field name="ou16" id="27" type="uint16" presence="optional"/><field name="ou32" id="28" type="uint32" presence="optional"/>
          <field name="ou64" id="29" type="uint64" presence="optional"/><field name="of32" id="30" type="float" presence="optional"/>
          <field name="of64" id="31" type="OptionalReal"/><field name="odd" id="32" type="OddNull"/><field name="minus" id="33" type="MinusOne"/>
          <field name="ticks" id="34" type="Ticks"/>
        </sbe:message>
        <sbe:message name="Shapes" id="2" blockLength="200">
          <field name="code" id="1" type="Code6"/><field name="label" id="2" type="Label"/><field name="shorts" id="3" type="Shorts3"/>
          <field name="reals" id="4" type="Reals2" offset="24"/><field name="octets" id="5" type="Octets4"/><field name="longs" id="6" type="Longs2"/>
          <field name="letter" id="7" type="Letter"/><field name="maybeLetter" id="8" type="Letter" presence="optional"/>
          <field name="named" id="9" type="Named"/><field name="maybeNamed" id="10" type="Named" presence="optional"/>
          <field name="b8" id="11" type="Bits8"/><field name="b16" id="12" type="Bits16"/><field name="b32" id="13" type="Bits32"/><field name="b64" id="14" type="Bits64"/>
          <field name="fixedLetter" id="15" type="Letter" presence="constant" valueRef="Letter.b"/>
          <field name="fuel" id="16" type="Fuel"/><field name="huge" id="17" type="Huge"/>
          <field name="money" id="18" type="Money"/><field name="maybe" id="19" type="MaybeMoney"/><field name="engine" id="20" type="Engine"/>
        </sbe:message>
        <sbe:message name="Tree" id="3">
          <field name="number" id="1" type="uint32"/>
          <group name="flat" id="10" dimensionType="smallDimension"><field name="x" id="11" type="int16"/><field name="price" id="12" type="Money"/></group>
          <group name="branches" id="20" dimensionType="groupSizeEncoding" blockLength="7">
            <field name="weight" id="21" type="uint16"/>
            <group name="twigs" id="30">
              <field name="leaf" id="31" type="uint8"/>
              <group name="buds" id="40" dimensionType="smallDimension"><field name="size" id="41" type="uint64" presence="optional"/></group>
              <data name="note" id="42" type="text8"/>
            </group>
            <group name="thorns" id="50"><field name="length" id="51" type="float"/></group>
            <data name="title" id="52" type="text16"/>
            <data name="blob" id="53" type="octets32"/>
          </group>
          <group name="tail" id="60"><field name="z" id="61" type="Bits16"/></group>
          <data name="text" id="70" type="text16"/>
          <data name="raw" id="71" type="octets32"/>
        </sbe:message>
        <sbe:message name="Empty" id="4"/>
        <sbe:message name="OnlyData" id="5"><data name="text" id="1" type="text8"/></sbe:message>
        <sbe:message name="OnlyGroup" id="6"><group name="rows" id="1"><data name="text" id="2" type="text8"/></group></sbe:message>
        """;

    /// <summary>Headers and dimensions of unusual widths, a constant in each, signed counts.</summary>
    public static string Wide => Of(WideBody, attributes: "headerType=\"wideHeader\"", bigEndian: true);

    private const string WideBody = """
        <types>
          <composite name="wideHeader">
            <type name="version" primitiveType="uint32"/>
            <type name="flags" primitiveType="uint8" presence="constant">3</type>
            <type name="templateId" primitiveType="uint64"/>
            <type name="blockLength" primitiveType="uint64" offset="16"/>
            <type name="schemaId" primitiveType="uint8"/>
          </composite>
          <composite name="wideDimension">
            <type name="numInGroup" primitiveType="uint64" maxValue="1000"/>
            <type name="blockLength" primitiveType="uint64"/>
          </composite>
          <composite name="signedDimension">
            <type name="blockLength" primitiveType="uint16" presence="constant">5</type>
            <type name="numInGroup" primitiveType="int16" minValue="0" maxValue="200"/>
          </composite>
          <composite name="long64">
            <type name="length" primitiveType="uint64" maxValue="60000"/>
            <type name="varData" primitiveType="uint8" length="0"/>
          </composite>
        </types>
        <sbe:message name="WideOne" id="5000000000">
          <field name="a" id="1" type="uint64"/>
          <group name="rows" id="2" dimensionType="wideDimension"><field name="r" id="3" type="uint16"/><data name="d" id="4" type="long64"/></group>
          <group name="signed" id="5" dimensionType="signedDimension"><field name="s" id="6" type="int32"/><field name="t" id="7" type="uint8"/></group>
          <data name="end" id="8" type="long64"/>
        </sbe:message>
        """;

    /// <summary>Everything that can appear in a later version does.</summary>
    public static string Versioned => Of(Usual + VersionedBody, version: 4);

    private const string VersionedBody = """
        <types>
          <type name="Late" primitiveType="uint32" sinceVersion="2"/>
          <type name="Blob" primitiveType="uint8" length="3"/>
          <type name="Code" primitiveType="char" length="4"/>
          <enum name="Level" encodingType="uint8"><validValue name="low">1</validValue><validValue name="top" sinceVersion="3">2</validValue></enum>
          <set name="Marks" encodingType="uint8"><choice name="red">0</choice><choice name="blue" sinceVersion="3">1</choice></set>
          <composite name="Pair"><type name="left" primitiveType="int16"/><type name="right" primitiveType="int16" sinceVersion="3"/></composite>
          <composite name="LatePair" sinceVersion="2"><type name="left" primitiveType="int16"/><ref name="level" type="Level"/></composite>
        </types>
        <sbe:message name="Grown" id="1">
          <field name="first" id="1" type="uint32"/>
          <field name="second" id="2" type="uint16" sinceVersion="1"/>
          <field name="third" id="3" type="Late"/>
          <field name="maybe" id="4" type="int64" presence="optional" sinceVersion="2"/>
          <field name="real" id="5" type="double" sinceVersion="2"/>
          <field name="level" id="6" type="Level" sinceVersion="3"/>
          <field name="marks" id="7" type="Marks" sinceVersion="3"/>
          <field name="code" id="8" type="Code" sinceVersion="3"/>
          <field name="blob" id="9" type="Blob" sinceVersion="3"/>
          <field name="late" id="10" type="LatePair" sinceVersion="4"/>
          <field name="pair" id="11" type="Pair" sinceVersion="4"/>
          <group name="rows" id="20">
            <field name="a" id="21" type="uint16"/>
            <field name="b" id="22" type="uint16" sinceVersion="2"/>
          </group>
          <group name="trees" id="30" sinceVersion="2">
            <field name="a" id="31" type="uint8"/>
            <field name="b" id="32" type="Level" sinceVersion="3"/>
            <group name="leaves" id="33" sinceVersion="3"><field name="x" id="34" type="uint8"/></group>
            <data name="note" id="35" type="textEncoding"/>
            <data name="more" id="36" type="textEncoding" sinceVersion="4"/>
          </group>
          <data name="text" id="40" type="textEncoding"/>
          <data name="octets" id="41" type="octetsEncoding" sinceVersion="3"/>
        </sbe:message>
        <sbe:message name="Tail" id="2">
          <field name="head" id="1" type="uint8"/>
          <field name="pair" id="2" type="Pair"/>
        </sbe:message>
        <sbe:message name="Young" id="3" sinceVersion="3">
          <field name="a" id="1" type="uint16"/>
          <field name="b" id="2" type="uint16" sinceVersion="4"/>
        </sbe:message>
        """;
}
