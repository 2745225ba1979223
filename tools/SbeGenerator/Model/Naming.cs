// Gives everything its C# name. Names keep the schema's spelling with a capital first letter; where two would collide, or one would hide
// a member that every flyweight has, the later one gets an ending. All names of a struct are decided here, so that decoder, encoder and
// JSON agree.

using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace MarginEngine.SbeGenerator.Model;

internal static class Naming
{
    // What every generated type of a namespace may call its own.
    private static readonly string[] TypeNames = { "Schema", "SbeError", "SbeWire", "SbeJson" };

    private static readonly string[] MemberNames =
    {
        "_",
        "HeaderLength", "BlockLength", "TemplateId", "SchemaId", "SchemaVersion", "TryWrap", "Wrap", "EncodedLength", "ActingVersion",
        "ActingBlockLength", "FieldIds", "TryLocate",
        "Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "ReferenceEquals", "Finalize",
    };

    // Of a composite's view; a member called Size or Count is common and need not move.
    private static readonly string[] CompositeNames =
    {
        "_",
        "TryWrap", "EncodedLength",
        "Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "ReferenceEquals", "Finalize",
    };

    public static void Assign(Schema schema, string? namespaceName)
    {
        schema.Namespace = NamespaceOf(namespaceName ?? schema.Package);
        var types = new Scope(TypeNames);
        foreach (Message message in schema.Messages)
        {
            message.CsName = types.Claim(Pascal(message.Name), "Message", "Decoder", "Encoder");
        }

        NameTypes(schema, types);
        foreach (Message message in schema.Messages)
            NameBlock(message.Block, message.CsName + "Decoder", message.CsName + "Encoder");
    }

    private static void NameTypes(Schema schema, Scope types)
    {
        // The header's name is part of the promised interface: it goes first.
        schema.Header.Composite.CsName = types.Claim(Pascal(schema.Header.Composite.Name), "Header", "Decoder", "Encoder");
        foreach (Encoding type in schema.Types)
        {
            if (type.CsName.Length == 0 && type is CompositeType)
                type.CsName = types.Claim(Pascal(type.Name), "Composite", "Decoder", "Encoder");
            else if (type.CsName.Length == 0 && type is EnumType or SetType)
                type.CsName = types.Claim(Pascal(type.Name), type is EnumType ? "Enum" : "Set");
        }

        foreach (Encoding type in schema.Types)
        {
            switch (type)
            {
                case EnumType enumType: NameEnum(enumType); break;
                case SetType set: NameSet(set); break;
                case CompositeType composite: NameComposite(composite); break;
            }
        }
    }

    private static void NameEnum(EnumType type)
    {
        var scope = new Scope(new[] { "NullValue" });
        foreach (EnumMember member in type.Members)
            member.CsName = scope.Claim(Pascal(member.Name), "Code");
    }

    private static void NameSet(SetType type)
    {
        var scope = new Scope(new[] { "None" });
        foreach (SetChoice choice in type.Choices)
            choice.CsName = scope.Claim(Pascal(choice.Name), "Choice");
    }

    private static void NameComposite(CompositeType type)
    {
        var scope = new Scope(CompositeNames);
        scope.Reserve(type.CsName + "Decoder");
        scope.Reserve(type.CsName + "Encoder");
        NameSlots(type.Members, scope);
    }

    private static void NameBlock(Block block, string decoder, string encoder)
    {
        var scope = new Scope(MemberNames);
        scope.Reserve(decoder);
        scope.Reserve(encoder);
        var ids = new Scope(new[] { "FieldIds", "Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "ReferenceEquals", "Finalize" });
        NameSlots(block.Fields, scope);
        foreach (Slot slot in block.Fields)
            slot.IdName = ids.Claim(Pascal(slot.Name), "Field");
        foreach (Part part in block.Parts)
        {
            part.CsName = scope.Claim(Pascal(part.Name), part is Group ? "Group" : "Data");
            part.IdName = ids.Claim(Pascal(part.Name), "Field");
        }

        foreach (Part part in block.Parts)
        {
            if (part is Group group)
            {
                group.DecoderName = scope.Claim(group.CsName + "Decoder", "_");
                group.EncoderName = scope.Claim(group.CsName + "Encoder", "_");
                group.CountName = scope.Claim(group.CsName + "Count", "_");
                NameBlock(group.Block, "Entry", "Entry");
            }
            else if (part is VarData data)
            {
                data.StringName = scope.Claim(data.CsName + "String", "_");
                data.SetName = scope.Claim("Set" + data.CsName, "_");
            }
        }
    }

    private static void NameSlots(List<Slot> slots, Scope scope)
    {
        foreach (Slot slot in slots)
            slot.CsName = scope.Claim(Pascal(slot.Name), "Field");
        foreach (Slot slot in slots)
        {
            slot.NullName = Derived(scope, slot, "", "NullValue");
            slot.HasName = Derived(scope, slot, "Has", "");
            slot.SetName = Derived(scope, slot, "Set", "");
            slot.StringName = Derived(scope, slot, "", "String");
            slot.AtName = Derived(scope, slot, "", "At");
            slot.LengthName = Derived(scope, slot, "", "Length");
        }
    }

    // Only the derived names that a slot of its kind really uses are claimed.
    private static string Derived(Scope scope, Slot slot, string before, string after)
    {
        bool isArray = slot.Type is SimpleType { IsArray: true };
        bool isChar = isArray && ((SimpleType)slot.Type).Primitive == Primitive.Char;
        bool used = (before, after) switch
        {
            ("", "NullValue") => slot.Type is SimpleType && slot.Presence == Presence.Optional && !isArray,
            ("Has", "") => slot.Type is CompositeType,
            ("Set", "") => isArray || slot.Type is CompositeType,
            ("", "String") => isChar,
            _ => isArray && !isChar,
        };
        string name = before + slot.CsName + after;
        return used ? scope.Claim(name, "_") : name;
    }

    /// <summary>
    /// A C# identifier of the name: first letter upper case, no character outside letters, digits and '_'. It never looks like a private
    /// field of the generated structs, which are all '_' and a lower-case letter.
    /// </summary>
    public static string Pascal(string name)
    {
        string clean = Identifier(name);
        int first = 0;
        while (first < clean.Length - 1 && clean[first] == '_')
            first++;
        return clean.Substring(0, first) + char.ToUpperInvariant(clean[first]) + clean.Substring(first + 1);
    }

    /// <summary>Parameter names: first letter lower case, keywords escaped, no two alike, none like a private field.</summary>
    public static Dictionary<Slot, string> Parameters(IEnumerable<Slot> slots)
    {
        var scope = new Scope(Enumerable.Empty<string>());
        var names = new Dictionary<Slot, string>();
        foreach (Slot slot in slots)
        {
            string clean = Identifier(slot.Name);
            string wanted = clean[0] == '_' ? Pascal(clean) : char.ToLowerInvariant(clean[0]) + clean.Substring(1);
            names[slot] = Escaped(scope.Claim(wanted, "_"));
        }

        return names;
    }

    private static string Identifier(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name)
            text.Append(char.IsLetterOrDigit(c) || c == '_' ? c : '_');
        if (text.Length == 0 || char.IsDigit(text[0]))
            text.Insert(0, '_');
        return text.ToString();
    }

    private static string NamespaceOf(string package)
    {
        IEnumerable<string> parts = package.Split('.').Select(p => p.Trim()).Where(p => p.Length > 0).Select(Identifier);
        string joined = string.Join(".", parts.Select(Escaped));
        return joined.Length == 0 ? "Sbe" : joined;
    }

    private static string Escaped(string name) => SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None ? name : "@" + name;

    private sealed class Scope
    {
        private readonly HashSet<string> _taken = new HashSet<string>();

        public Scope(IEnumerable<string> reserved) => _taken.UnionWith(reserved);

        public void Reserve(string name) => _taken.Add(name);

        /// <summary>Takes the name, or the name with the ending, or with as many '_' as it needs.</summary>
        public string Claim(string wanted, string ending, params string[] suffixes)
        {
            string name = wanted;
            for (int attempt = 0; !TryTake(name, suffixes); attempt++)
                name = attempt == 0 ? wanted + ending : name + "_";
            return name;
        }

        private bool TryTake(string name, string[] suffixes)
        {
            if (suffixes.Length == 0)
                return _taken.Add(name);
            if (suffixes.Any(s => _taken.Contains(name + s)))
                return false;
            foreach (string suffix in suffixes)
                _taken.Add(name + suffix);
            return true;
        }
    }
}
