// JSON to standard output: one document, or one object a line. Decimals are strings, counts are numbers.
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MarginEngine.Tool.Shell;

internal static class JsonOutput
{
    private static readonly JsonWriterOptions Pretty = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A writer over standard output; nothing else may be written until <see cref="End"/>.</summary>
    public static Utf8JsonWriter Begin(Terminal terminal, bool oneLine = false)
    {
        terminal.Out.Flush();
        return new Utf8JsonWriter(terminal.Out.BaseStream, oneLine ? Compact : Pretty);
    }

    public static void End(Terminal terminal, Utf8JsonWriter writer)
    {
        writer.Flush();
        terminal.Out.BaseStream.Write("\n"u8);
    }

    /// <summary>mantissa * 10^exponent as text without superfluous zeros, exact: for example (125000000, -8) is "1.25".</summary>
    public static string Decimal(long mantissa, int exponent)
    {
        if (exponent >= 0) return (mantissa * (decimal)Math.Pow(10, exponent)).ToString(CultureInfo.InvariantCulture);
        decimal magnitude = new(unchecked((int)Magnitude(mantissa)), (int)(Magnitude(mantissa) >> 32), 0, mantissa < 0, (byte)-exponent);
        return Text(magnitude);
    }

    /// <summary>A decimal without superfluous zeros.</summary>
    public static string Text(decimal value) => value.ToString("0.############", CultureInfo.InvariantCulture);

    private static ulong Magnitude(long value) => value < 0 ? unchecked((ulong)-value) : (ulong)value;
}
