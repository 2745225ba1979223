// What one check of `margin doctor` found. Checks return findings; DoctorVerb prints them.
namespace MarginEngine.Tool.Doctor;

internal enum Severity
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Works; slower or less safe than it could be.</summary>
    Advice,

    /// <summary>The engine refuses to run like this.</summary>
    Problem,
}

/// <param name="Subject">What was looked at, for example <c>clock source</c>.</param>
/// <param name="Value">What was found.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Fix">What to do about it; null where nothing is to be done.</param>
internal sealed record Finding(string Subject, string Value, Severity Severity = Severity.Good, string? Fix = null)
{
    public static Finding Judge(string subject, string value, bool good, string fix, Severity otherwise = Severity.Advice) =>
        good ? new(subject, value) : new(subject, value, otherwise, fix);
}
