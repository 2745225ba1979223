// The compiler diagnostics, one a rule.

using System.Globalization;
using MarginEngine.SbeGenerator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace MarginEngine.SbeGenerator;

internal static class Rules
{
    public static Diagnostic ToDiagnostic(Mistake mistake)
    {
        string id = "SBE" + ((int)mistake.Rule).ToString("000", CultureInfo.InvariantCulture);
        var descriptor = new DiagnosticDescriptor(
            id, Title(mistake.Rule), "{0}", "SbeSchema", mistake.IsWarning ? DiagnosticSeverity.Warning : DiagnosticSeverity.Error, isEnabledByDefault: true);
        var position = new LinePosition(mistake.Place.Line, mistake.Place.Column);
        Location location = string.IsNullOrEmpty(mistake.Place.Path)
            ? Location.None
            : Location.Create(mistake.Place.Path, default, new LinePositionSpan(position, position));
        return Diagnostic.Create(descriptor, location, mistake.Sentence);
    }

    private static string Title(Rule rule) => rule switch
    {
        Rule.Xml => "The schema is not well-formed XML",
        Rule.Internal => "The generator failed",
        _ => "Mistake in an SBE schema",
    };
}
