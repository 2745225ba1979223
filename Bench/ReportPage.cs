// The page around the pictures: one file that needs no other, no script, readable on paper too.
using System.Text;

namespace MarginEngine.Bench;

/// <summary>Well-formed XML that browsers take for HTML.</summary>
internal static class ReportPage
{
    private const string Style =
        "body{font:14px/1.45 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
        + "h1{font-size:1.4em}h2{font-size:1.1em;margin:2.2em 0 .2em;border-top:1px solid #ddd;padding-top:.8em}"
        + "p{margin:.3em 0}code{background:#f3f3f3;padding:.1em .3em;font-size:12px}.from{color:#666;font-size:12px}"
        + "svg{width:100%;height:auto;margin:.8em 0 0;display:block}svg text{font:11px system-ui,sans-serif}"
        + "svg .title{font-weight:600;font-size:12px}svg .grid{stroke:#e4e4e4}nav a{margin-right:1em}@media print{section{break-inside:avoid}}";

    public static string Write(IReadOnlyList<ReportSection> sections)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>MarginEngine benches</title><style>").Append(Style).Append("</style></head>\n<body>\n");
        page.Append("<h1>MarginEngine benches</h1>\n<p>Shorter bars and lower lines are better where the unit is a time, longer ones where it is a rate. Absolute figures belong to the machine named under ");
        page.Append("each heading; things in one picture were measured in turns in one run.</p>\n<nav>");
        foreach (ReportSection section in sections)
            page.Append($"<a href=\"#{ReportSvg.Escape(section.Name)}\">{ReportSvg.Escape(section.Name)}</a>");
        page.Append("</nav>\n");
        foreach (ReportSection section in sections)
            Write(section, page);
        return page.Append("</body></html>\n").ToString();
    }

    private static void Write(ReportSection section, StringBuilder page)
    {
        page.Append($"<section id=\"{ReportSvg.Escape(section.Name)}\"><h2>{ReportSvg.Escape(section.Title)}</h2>\n");
        page.Append($"<p class=\"from\">{ReportSvg.Escape(section.Machine)}; {ReportSvg.Escape(section.Date)}; <code>{ReportSvg.Escape(section.Command)}</code></p>\n");
        if (section.Note.Length > 0)
            page.Append($"<p>{ReportSvg.Escape(section.Note)}</p>\n");
        foreach (ReportPicture picture in section.Pictures)
            page.Append(ReportSvg.Draw(picture)).Append('\n');
        page.Append("</section>\n");
    }
}
